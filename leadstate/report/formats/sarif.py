"""SARIF 2.1.0, for code scanning: diagnostics, deletes and changes that failed, each at its place with a stable marker.

The format is OASIS's (docs.oasis-open.org/sarif/sarif/v2.1.0); what GitHub asks for besides is in its page "SARIF
support for code scanning": it takes no result without a file.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from leadstate.model.escape import visible, visible_json
from leadstate.report.document import Change, Diagnostic, Report, Source
from leadstate.report.formats.wording import impact, why_deleted

_LEVEL = {"error": "error", "guard": "error", "warning": "warning"}
_SPECIAL = re.compile(r"[\\\[\]]")
"""What makes links in messages, `[text](target)`, and escapes it (SARIF 2.1.0, 3.11.6)."""
_HELP = {
    "delete": "The plan deletes this object. Declare it to keep it, or leave it out of what `prune` covers.",
    "not-applied": "The apply did not make this change. Plan and apply again; what was done already is not done twice.",
}
_FINDING_HELP = "Each result says what to do. More under `{}` in docs/reference/diagnostics of leadstate."


@dataclass(frozen=True, slots=True)
class _Row:
    """One result before it is written; `marker` is what it is known by from run to run."""

    rule: str
    level: str
    text: str
    source: Source | None
    address: str | None
    marker: tuple[str, ...]


def to_sarif(report: Report, *, color: bool = False, width: int = 0, verbose: bool = False) -> str:  # noqa: ARG001  every renderer has this form
    """The report as one SARIF run."""
    rows = list(_rows(report))
    rules = {row.rule: row.level for row in sorted(rows, key=lambda row: (row.rule, row.level), reverse=True)}
    order = {rule: index for index, rule in enumerate(sorted(rules))}
    driver = {
        "name": "leadstate",
        "version": report.leadstate_version,
        "semanticVersion": report.leadstate_version,
        "rules": [_rule(code, rules[code]) for code in order],
    }
    # GitHub takes no result without a file: what no line is to blame for stands at the head of the configuration.
    nowhere = Source(file=next((row.source.file for row in rows if row.source), "leadstate.yaml"), line=1, column=1)
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(row, order[row.rule], row.source or nowhere, seen) for row in rows],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return visible_json(json.dumps(log, indent=2, ensure_ascii=False)) + "\n"


def _rows(report: Report) -> Iterator[_Row]:
    for diagnostic in report.all_diagnostics():
        yield _diagnostic(diagnostic)
    for account in report.accounts:
        for change in account.changes:
            if change.result and not change.result.as_agreed:
                text = f"{change.action} {change.address}: {change.result.status}. {change.result.detail}"
                yield _change("not-applied", "error", text, change)
            elif change.action == "delete":
                text = ", ".join(filter(None, (f"delete {change.address}: {why_deleted(change)}", impact(change))))
                yield _change("delete", "warning", text, change)


def _diagnostic(diagnostic: Diagnostic) -> _Row:
    about = diagnostic.address or diagnostic.account
    said = [
        f"{about}: {diagnostic.summary}" if about else diagnostic.summary,
        *diagnostic.detail.splitlines(),
        diagnostic.hint,
    ]
    marker = (
        diagnostic.code,
        about or "",
        "" if diagnostic.address else diagnostic.summary,
        diagnostic.source.file if diagnostic.source else "",
    )
    text = "\n".join(visible(line) for line in said if line)
    return _Row(diagnostic.code, _LEVEL[diagnostic.severity], text, diagnostic.source, diagnostic.address, marker)


def _change(rule: str, level: str, text: str, change: Change) -> _Row:
    return _Row(rule, level, visible(text), change.source, change.address, (rule, change.address))


def _rule(code: str, level: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": code.title().replace("-", ""),
        "shortDescription": {"text": code.replace("-", " ")},
        "help": {"text": _HELP.get(code, _FINDING_HELP.format(code))},
        "defaultConfiguration": {"level": level},
    }


def _result(row: _Row, rule: int, source: Source, seen: Counter[str]) -> dict[str, Any]:
    marker = hashlib.sha256(json.dumps(row.marker).encode()).hexdigest()[:32]
    seen[marker] += 1
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _artifact(source.file),
            "region": {"startLine": source.line, "startColumn": source.column},
        }
    }
    if row.address:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(row.address), "kind": "resource"}]
    return {
        "ruleId": row.rule,
        "ruleIndex": rule,
        "level": row.level,
        "message": {"text": _plain(row.text)},
        "locations": [location],
        "partialFingerprints": {"leadstate/v1": f"{marker}:{seen[marker]}"},
    }


def _plain(text: str) -> str:
    """Return the text without links, escaped only where need be: viewers that know no links would show escapes."""
    return _SPECIAL.sub(r"\\\g<0>", text) if "](" in text else text


def _artifact(file: str) -> dict[str, str]:
    if file.startswith("/"):
        return {"uri": "file://" + quote(file)}
    return {"uri": quote(file), "uriBaseId": "%SRCROOT%"}
