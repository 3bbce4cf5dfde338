"""SARIF 2.1.0, for code scanning: diagnostics, deletes and changes that failed, each at its place, with a fingerprint.

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

from leadstate.model.address import Span
from leadstate.model.escape import visible, visible_json
from leadstate.report.document import Report
from leadstate.report.formats.wording import impact, why_deleted

_SPECIAL = re.compile(r"[\\\[\]]")
"""What makes links in messages, `[text](target)`, and escapes it (SARIF 2.1.0, 3.11.6)."""
_HELP = {
    "delete": "The plan deletes this object. Declare it to keep it, or leave it out of what `prune` covers.",
    "not-applied": "The apply did not make this change. Plan and apply again; what was done already is not done twice.",
}
_ROOT = "%SRCROOT%"
_DIAGNOSTIC_HELP = "Each result says what to do. More under `{}` in docs/reference/diagnostics of leadstate."


@dataclass(frozen=True, slots=True)
class _Row:
    """One result before it is written; by `fingerprint` it is recognised from run to run."""

    rule: str
    level: str
    text: str
    source: Span | None
    address: str | None
    fingerprint: tuple[str, ...]


def to_sarif(report: Report) -> str:
    """Return the report as one SARIF run."""
    rows = list(_rows(report))
    rules = {row.rule: row.level for row in sorted(rows, key=lambda row: (row.rule, row.level), reverse=True)}
    order = {rule: index for index, rule in enumerate(sorted(rules))}
    driver = {
        "name": "leadstate",
        "version": report.leadstate_version,
        "rules": [_rule(code, rules[code]) for code in order],
    }
    # GitHub takes no result without a file: what no line is to blame for stands at the head of the configuration.
    nowhere = Span(file=next((row.source.file for row in rows if row.source), "leadstate.yaml"), line=1, column=1)
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
        about, source = diagnostic.address or diagnostic.account or "", diagnostic.source
        first = f"{about}: {diagnostic.summary}" if about else diagnostic.summary
        lines = filter(None, (first, *diagnostic.detail.splitlines(), diagnostic.hint))
        # A summary may count leads, so it is not part of what an object's result is known by.
        summary = "" if diagnostic.address else diagnostic.summary
        fingerprint = (diagnostic.code, about, summary, source.file if source else "")
        level = "warning" if diagnostic.severity == "warning" else "error"
        yield _Row(diagnostic.code, level, "\n".join(map(visible, lines)), source, diagnostic.address, fingerprint)
    for change in (change for account in report.accounts for change in account.changes):
        if change.result and not change.result.as_agreed:
            rule, level = "not-applied", "error"
            text = f"{change.action} {change.address}: {change.result.status}. {change.result.detail}"
        elif change.action == "delete":
            rule, level = "delete", "warning"
            text = ", ".join(filter(None, (f"delete {change.address}: {why_deleted(change)}", impact(change))))
        else:
            continue
        yield _Row(rule, level, visible(text), change.source, change.address, (rule, change.address))


def _rule(code: str, level: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": code.title().replace("-", ""),
        "shortDescription": {"text": code.replace("-", " ")},
        "help": {"text": _HELP.get(code, _DIAGNOSTIC_HELP.format(code))},
        "defaultConfiguration": {"level": level},
    }


def _result(row: _Row, rule: int, source: Span, seen: Counter[str]) -> dict[str, Any]:
    fingerprint = hashlib.sha256(json.dumps(row.fingerprint).encode()).hexdigest()[:32]
    seen[fingerprint] += 1
    file = quote(source.file)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": f"file://{file}"}
            if file.startswith("/")
            else {"uri": file, "uriBaseId": _ROOT},
            "region": {"startLine": source.line, "startColumn": source.column},
        }
    }
    if row.address:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(row.address), "kind": "resource"}]
    return {
        "ruleId": row.rule,
        "ruleIndex": rule,
        "level": row.level,
        # Escaped only where need be: viewers that know no links would show the escapes.
        "message": {"text": _SPECIAL.sub(r"\\\g<0>", row.text) if "](" in row.text else row.text},
        "locations": [location],
        "partialFingerprints": {"leadstate/v1": f"{fingerprint}:{seen[fingerprint]}"},
    }
