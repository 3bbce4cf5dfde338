"""The document as JSON: written account by account, read again, and its schema."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from leadstate.model.diagnostics import ReportError
from leadstate.model.escape import visible_json
from leadstate.report.document import FORMAT_VERSION, Account, Report

_ACCOUNTS = '\n  "accounts": ['
"""Where the accounts begin: no string of JSON holds a line break, and other members of this name are further in."""


@cache
def adapter(kind: type) -> TypeAdapter[Any]:
    """Return what reads and writes a part of the document as JSON; it takes long to make, so it is made once."""
    return TypeAdapter(kind)


def to_json(report: Report) -> Iterator[str]:
    """Yield the document as JSON, account by account: all of it can be 50 MB. The same report gives the same bytes."""
    whole: dict[str, Any] = adapter(Report).dump_python(replace(report, accounts=()), mode="json")
    accounts = (adapter(Account).dump_python(account, mode="json") for account in report.accounts)
    whole["digest"] = digest_of({**whole, "accounts": accounts})
    before, opening, after = json.dumps(whole, indent=2, ensure_ascii=False).partition(_ACCOUNTS)
    yield visible_json(before) + opening
    for number, account in enumerate(report.accounts):
        text = visible_json(adapter(Account).dump_json(account, indent=2).decode())
        yield f"{',' if number else ''}\n    " + text.replace("\n", "\n    ")
    yield ("\n  " if report.accounts else "") + visible_json(after) + "\n"


def canonical(data: object) -> bytes:
    """Return JSON as the bytes that hashes are made of: the same however it was laid out and in which order."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def digest_of(document: Mapping[str, Any]) -> str:
    """Return a hash over a document as JSON, its own digest left out; what a later version adds counts as well."""
    rest = {name: value for name, value in document.items() if name not in {"accounts", "digest"}}
    digest = hashlib.sha256(canonical(rest))
    for account in document.get("accounts", ()):
        digest.update(b"\n" + canonical(account))
    return f"sha256:{digest.hexdigest()}"


def parse(text: str) -> Report:
    """Read the document; `verify.read_stored` reads what may have been edited.

    Raises:
        ReportError: the text is not a report, was edited, or is of a format that this version does not know.
    """
    try:
        report: Report = adapter(Report).validate_json(text)
    except ValidationError as failure:
        first = failure.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReportError(
            f"this is not a leadstate report: {where}: {first['msg'].lower()}",
            hint="make one with `leadstate plan --out FILE`",
        ) from None
    if report.format_version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise ReportError(
            f"the report has format version {report.format_version}, this leadstate reads {FORMAT_VERSION}",
            hint="use the leadstate version that wrote it, or plan again",
        )
    if report.digest != digest_of(json.loads(text)):
        raise ReportError(
            "the report was edited: its digest is not that of its content",
            hint="use the file as leadstate wrote it, or make a new one with `leadstate plan --out FILE`",
        )
    return report


def report_schema() -> dict[str, object]:
    """Return the JSON Schema of the report."""
    schema = adapter(Report).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "leadstate report"}
