"""SARIF as code scanning needs it."""

import json
import re
from typing import Any

import pytest

from leadstate.model.address import Span
from leadstate.report.document import Report, Result
from leadstate.report.formats.sarif import to_sarif
from tests.harness.reports import account, change, diagnostic, report


def run(of: Report) -> dict[str, Any]:
    log = json.loads(to_sarif(of))
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    assert isinstance(only, dict)
    return only


def place(result: dict[str, Any]) -> dict[str, Any]:
    found = result["locations"][0]["physicalLocation"]
    assert isinstance(found, dict)
    return found


AT = Span(file="sales teams/ä#1.yaml", line=7, column=3)


def test_each_result_has_its_rule_level_and_place() -> None:
    refused = diagnostic("guard", "in-use", "2 leads carry it", hint="move them", source=AT, address="a/label:x")
    warned = diagnostic("warning", "likely-rename", "was it renamed?", source=AT, address="a/label:y")
    found = run(report(account("a", change("-", "a/label:x", line=None)), diagnostics=(refused, warned)))
    rules = found["tool"]["driver"]["rules"]
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["help"]["text"]
    assert [(result["ruleId"], result["level"]) for result in found["results"]] == [
        ("in-use", "error"),
        ("likely-rename", "warning"),
        ("delete", "warning"),
    ]
    assert place(found["results"][0])["region"] == {"startLine": 7, "startColumn": 3}
    assert place(found["results"][0])["artifactLocation"] == {
        "uri": "sales%20teams/%C3%A4%231.yaml",
        "uriBaseId": "%SRCROOT%",
    }
    assert "move them" in found["results"][0]["message"]["text"]


def test_a_result_without_a_line_is_placed_at_the_head_of_the_configuration() -> None:
    found = run(report(account("a", change("-", "a/label:x", line=None))))
    assert place(found["results"][0])["artifactLocation"]["uri"] == "leadstate.yaml"
    assert place(found["results"][0])["region"]["startLine"] == 1


def test_a_failed_change_is_an_error_and_an_applied_or_declined_one_is_not() -> None:
    declined = change("+", "a/label:z", result=Result(status="declined", detail="not chosen"))
    failed = change("+", "a/label:x", result=Result(status="failed", detail="no room"))
    done = change("+", "a/label:y", result=Result(status="applied"))
    found = run(report(account("a", failed, done, declined), command="apply"))
    assert [(result["ruleId"], result["level"]) for result in found["results"]] == [("not-applied", "error")]


def test_fingerprints_depend_on_the_object_and_not_on_lines_and_counts() -> None:
    def markers(*addresses: str, line: int, leads: int) -> list[str]:
        at = Span(file="leadstate.yaml", line=line, column=1)
        found = [
            diagnostic("guard", "in-use", f"{leads} leads carry it", source=at, address=address)
            for address in addresses
        ]
        return [
            result["partialFingerprints"]["leadstate/v1"] for result in run(report(diagnostics=tuple(found)))["results"]
        ]

    first = markers("a/label:x", "a/label:y", "a/label:x", line=3, leads=2)
    assert first == markers("a/label:x", "a/label:y", "a/label:x", line=9, leads=5)
    assert len(set(first)) == 3


def test_a_name_does_not_become_a_link() -> None:
    evil = diagnostic("error", "x", "[click](http://evil.test) [plain]", source=AT)
    (result,) = run(report(diagnostics=(evil,)))["results"]
    assert result["message"]["text"] == "\\[click\\](http://evil.test) \\[plain\\]"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (r"[a](javascript:x)", r"\[a\](javascript:x)"),
        (r"[a\]b](javascript:x)", r"\[a\\\]b\](javascript:x)"),
        (r"\[a](javascript:x)", r"\\\[a\](javascript:x)"),
        ("labels[0] and a\\b", "labels[0] and a\\b"),
    ],
)
def test_no_text_becomes_a_link(text: str, written: str) -> None:
    (result,) = run(report(diagnostics=(diagnostic("error", "x", text),)))["results"]
    assert result["message"]["text"] == written
    assert re.sub(r"\\(.)", r"\1", written) == text or "](" not in text
