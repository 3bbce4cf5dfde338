"""The document itself, for machines."""

from leadstate.report.document import Report


def to_json(report: Report, *, color: bool = False, width: int = 0) -> str:  # noqa: ARG001  every renderer has this form
    """The document as JSON: the same report gives the same bytes."""
    return report.model_dump_json(indent=2) + "\n"
