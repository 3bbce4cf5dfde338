"""The document itself, for machines."""

from leadstate.report.document import Report, pieces


def to_json(report: Report, *, color: bool = False, width: int = 0) -> str:  # noqa: ARG001  every renderer has this form
    """The document as JSON."""
    return "".join(pieces(report))
