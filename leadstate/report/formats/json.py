"""The document as JSON: written account by account, read again, and its schema."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter, ValidationError

from leadstate.model.errors import ReportError
from leadstate.model.escape import visible_json
from leadstate.report.document import FORMAT_VERSION, Account, Report


@cache
def _report() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


@cache
def _account() -> TypeAdapter[Account]:
    return TypeAdapter(Account)


def to_json(
    report: Report,
    *,
    color: bool = False,  # noqa: ARG001  every renderer has this form
    width: int = 0,  # noqa: ARG001  as above
    verbose: bool = False,  # noqa: ARG001  as above
) -> Iterator[str]:
    """Yield the document as JSON, account by account: all of it can be 50 MB. The same report gives the same bytes.

    Its digest is the last value, since it is known when everything else is written.
    """
    digest = _Digest(report)
    rest = _report().dump_python(replace(report, accounts=(), digest=None), mode="json")
    text, separator = "", "{"
    for name, value in rest.items():
        text += f'{separator}\n  "{name}": '
        separator = ","
        if name == "accounts":
            yield visible_json(text)
            yield from _accounts(report.accounts, digest)
            text = ""
        else:
            content = digest.text() if name == "digest" else value
            text += _indented(json.dumps(content, indent=2, ensure_ascii=False), 2)
    yield visible_json(text + "\n}\n")


def _accounts(accounts: Sequence[Account], digest: "_Digest") -> Iterator[str]:
    """Yield the list of accounts, and add each to the digest."""
    separator = "["
    for account in accounts:
        digest.add(account)
        yield f"{separator}\n    {_indented(visible_json(_account().dump_json(account, indent=2).decode()), 4)}"
        separator = ","
    yield "\n  ]" if accounts else "[]"


def _indented(text: str, spaces: int) -> str:
    """Return JSON whose lines after the first stand further to the right; no text in it holds a line break."""
    return text.replace("\n", "\n" + " " * spaces)


class _Digest:
    """A hash over a report, account by account.

    Fields with their default value are left out: a later version with more fields computes the same of an old file.
    """

    def __init__(self, report: Report) -> None:
        rest = replace(report, accounts=(), digest=None)
        self._hash = hashlib.sha256(_report().dump_json(rest, exclude_defaults=True))

    def add(self, account: Account) -> None:
        """Go on with the next account."""
        self._hash.update(b"\n" + _account().dump_json(account, exclude_defaults=True))

    def text(self) -> str:
        """The digest of everything so far."""
        return f"sha256:{self._hash.hexdigest()}"


def _digest_of(report: Report) -> str:
    digest = _Digest(report)
    for account in report.accounts:
        digest.add(account)
    return digest.text()


def parse(text: str) -> Report:
    """Read the document; `verify.read_stored` reads what may have been edited.

    Raises:
        ReportError: it is none, it was edited, or it is of a format that this version does not know.
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
    if report.digest != _digest_of(report):
        raise ReportError(
            "the report was edited, or another version of leadstate wrote it: its digest is not that of its content",
            hint="use the file as leadstate wrote it, or make a new one with `leadstate plan --out FILE`",
        )
    return report


def report_schema() -> dict[str, object]:
    """JSON Schema of the report."""
    schema = _report().json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "leadstate report"}
