"""The document as JSON: written account by account, read again, and its schema."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter, ValidationError

from leadstate.core.errors import ReportError
from leadstate.report.document import FORMAT_VERSION, Account, Report


@cache
def _report() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


@cache
def _account() -> TypeAdapter[Account]:
    return TypeAdapter(Account)


_NO_ACCOUNTS = '\n  "accounts": []'
"""How a report without accounts has them; no text in it can have a line break, so this stands in one place."""


def to_json(
    report: Report,
    *,
    color: bool = False,  # noqa: ARG001  every renderer has this form
    width: int = 0,  # noqa: ARG001  as above
) -> Iterator[str]:
    """The document as JSON, account by account: all of it can be 50 MB. The same report gives the same bytes."""
    frame = _report().dump_json(replace(report, accounts=()), indent=2).decode()
    before, no_accounts, after = frame.partition(_NO_ACCOUNTS)
    yield before
    if report.accounts:
        yield _NO_ACCOUNTS[:-1]
        for number, account in enumerate(report.accounts):
            text = _account().dump_json(account, indent=2).decode().replace("\n", "\n    ")
            yield f"{',' if number else ''}\n    {text}"
        yield "\n  ]"
    else:
        yield no_accounts
    yield f"{after}\n"


def parse(text: str) -> Report:
    """Read a stored report.

    Raises:
        ReportError: it is none, or of a format that this version does not know.
    """
    try:
        report = _report().validate_json(text)
    except ValidationError as failure:
        first = failure.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReportError(
            f"this is no leadstate report: {where}: {first['msg'].lower()}",
            hint="make one with `leadstate plan --out FILE`",
        ) from None
    if report.format_version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise ReportError(
            f"the report has format version {report.format_version}, this leadstate reads {FORMAT_VERSION}",
            hint="use the leadstate version that wrote it, or plan again",
        )
    return report


def report_schema() -> dict[str, object]:
    """JSON Schema of the report."""
    schema = _report().json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "leadstate report"}
