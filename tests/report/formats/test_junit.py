"""JUnit XML as others read it: the package junitparser, and the rules of the schema that Jenkins validates with."""

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from leadstate.model.address import Span
from leadstate.report.document import Impact, Remaining, Report, Result, Scope, Untouched
from leadstate.report.formats.junit import to_junit
from tests.harness.reports import account, change, diagnostic, report

CASES = Path(__file__).parents[2] / "golden" / "cases"
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "classname"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}
"""What the schema of the xunit plugin of Jenkins (junit-10.xsd) takes, of what is written."""

REQUIRED = {"testsuites": set[str](), "testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}}


def cases(of: Report) -> dict[tuple[str, str], TestCase]:
    """Return the test cases by suite and name."""
    found = {}
    for suite in JUnitXml.fromstring(to_junit(of).encode()):
        for case in suite:
            assert (suite.name, case.name) not in found, "GitLab takes the first of a name"
            found[suite.name, case.name] = case
    return found


def outcome(case: TestCase) -> tuple[str, str, str | None]:
    """Return how a case ended, why, and the text that people are shown."""
    (result,) = case.result
    kinds = {Failure: "failure", Error: "error", Skipped: "skipped"}
    return kinds[type(result)], result.message, result.text


def test_an_object_that_differs_is_a_test_that_failed() -> None:
    found = cases(report(account("a", change("~", "a/label:Hot", ("color", "red", "blue"), line=7))))
    assert found["a", "plan"].is_passed
    case = found["a", "label:Hot"]
    assert case.classname == "leadstate.a"
    assert outcome(case) == ("failure", "differs", 'differs\ncolor: "red" → "blue"\nat leadstate.yaml:7:5')


def test_a_forged_account_name_leaves_well_formed_xml() -> None:
    (name, *_) = {suite for suite, _ in cases(report(account("a\x00\uffff\x1b"))) if suite != "configuration"}
    assert name == "a\\x00\\uffff\\x1b"


def test_an_object_to_be_added_or_deleted_is_a_test_that_failed() -> None:
    added = change("+", "a/label:New", ("color", None, "red"))
    deleted = change("-", "a/label:Old", line=None, impact=Impact(leads=3, archived_leads=None))
    found = cases(report(account("a", added, deleted)))
    assert outcome(found["a", "label:New"])[2] == 'is missing\ncolor: "red"\nat leadstate.yaml:3:5'
    assert outcome(found["a", "label:Old"])[2] == "is to be deleted: unmanaged (prune)\n3 leads carry it"


def test_a_label_that_is_up_to_date_is_a_test_that_passed() -> None:
    hot = ("Hot", "red")
    assert cases(report(account("a", labels=[hot])))["a", "label:Hot"].is_passed
    targeted = report(account("a", labels=[hot]), scope=Scope(targets=("label:Cold",)))
    assert ("a", "label:Hot") not in cases(targeted), "nobody compared it"


def test_what_is_left_as_it_is_is_skipped_with_the_reason() -> None:
    left = (
        Untouched(address="a/label:Theirs", kind="label", reason="unmanaged"),
        Untouched(address=None, kind="lead", reason="not-ours", count=1200),
    )
    found = cases(report(account("a", labels=[("Theirs", "red")], untouched=left)))
    assert outcome(found["a", "label:Theirs"]) == ("skipped", "unmanaged; prune: none", None)
    assert len(found) == 3


def test_a_guard_and_an_error_of_an_account_are_one_error_of_it() -> None:
    at = Span(file="leadstate.yaml", line=9, column=5)
    refused = diagnostic("guard", "in-use", "2 leads carry it", hint="move them", source=at, address="a/label:x")
    failed = diagnostic("error", "http", "no answer", account="a")
    warned = diagnostic("warning", "looks-alike", "it looks alike", account="a")
    case = cases(report(account("a", diagnostics=(warned, refused, failed))))["a", "plan"]
    assert outcome(case) == (
        "error",
        "2 leads carry it, and 1 more",
        "guard[in-use] a/label:x: 2 leads carry it\nat leadstate.yaml:9:5\n= move them\nerror[http] a: no answer",
    )


def test_a_warning_fails_nothing() -> None:
    warned = diagnostic("warning", "looks-alike", "it looks alike", account="a")
    assert all(case.is_passed for case in cases(report(account("a", diagnostics=(warned,)))).values())


def test_a_mistake_in_the_configuration_is_an_error_of_a_suite_of_its_own() -> None:
    wrong = diagnostic("error", "value", "no such colour")
    found = cases(report(command="validate", diagnostics=(wrong,)))
    assert {name: outcome(case)[0] for name, case in found.items()} == {("configuration", "configuration"): "error"}
    assert cases(report(command="validate"))["configuration", "configuration"].is_passed


def test_after_an_apply_what_was_not_done_has_failed() -> None:
    done = change("+", "a/label:x", result=Result(status="applied"))
    failed = change("+", "a/label:y", result=Result(status="failed", detail="no room"))
    remaining = Remaining(add=1, update=0, delete=0)
    found = cases(report(account("a", done, failed, remaining=remaining), command="apply"))
    assert found["a", "label:x"].is_passed
    assert outcome(found["a", "label:y"])[:2] == ("failure", "add failed: no room")
    assert outcome(found["a", "read again"])[:2] == ("failure", "1 difference and 0 errors remain")


def test_a_change_that_was_declined_is_skipped_and_fails_nothing() -> None:
    left = change("+", "a/label:x", result=Result(status="declined", detail="not chosen"))
    remaining = Remaining(add=1, update=0, delete=0, declined=1)
    found = cases(report(account("a", left, remaining=remaining), command="apply"))
    assert outcome(found["a", "label:x"]) == ("skipped", "not chosen", None)
    assert found["a", "read again"].is_passed


def test_an_apply_that_could_not_be_read_again_is_an_error_and_one_that_converged_passed() -> None:
    unread = cases(report(account("a", unread="no answer"), command="apply"))["a", "read again"]
    assert outcome(unread) == ("error", "no answer", None)
    there = cases(report(account("a", remaining=Remaining(add=0, update=0, delete=0)), command="apply"))
    assert there["a", "read again"].is_passed


@pytest.mark.parametrize("name", ["a\x00b", "a\ud800b", "a\ufffeb", "a\nb", "]]>", "<b>&amp;", "\u202e", "##[error]"])
def test_any_name_can_be_written(name: str) -> None:
    text = to_junit(report(account("a", change("+", f"a/label:{name}", ("name", None, name)))))
    (case,) = [case for case in fromstring(text).iter("testcase") if case.get("name", "").startswith("label:")]  # noqa: S314  our own text
    assert case.find("failure") is not None
    assert "##[" not in text


@pytest.mark.parametrize("path", sorted(CASES.glob("*/plan.junit.xml")), ids=lambda path: path.parent.name)
def test_every_golden_report_keeps_to_the_schema_of_jenkins(path: Path) -> None:
    root = fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  our own file
    for element in root.iter():
        assert set(element.keys()) <= ATTRIBUTES[element.tag], element.tag
        assert REQUIRED.get(element.tag, set()) <= set(element.keys()), element.tag
    whole = JUnitXml.fromfile(str(path))
    found = [case for suite in whole for case in suite]
    assert len(found) == whole.tests
    assert _counted(root, "failure") == whole.failures
    assert _counted(root, "error") == whole.errors
    assert sum(int(suite.get("skipped", "")) for suite in root) == _counted(root, "skipped")


def _counted(root: Element, tag: str) -> int:
    return len(list(root.iter(tag)))
