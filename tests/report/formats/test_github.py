"""Workflow commands, as GitHub's runner reads them."""

import re
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from leadstate.model.address import Span
from leadstate.model.escape import visible
from leadstate.report.document import Result
from leadstate.report.formats.github import SHOWN, to_github
from tests.harness.reports import account, change, diagnostic, hundred, many, report

COMMAND = re.compile(r"::(\w+) ([^\n]*?)::([^\n]*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A line as the runner reads it (actions/runner, ActionCommand.cs)."""
    found = COMMAND.fullmatch(line)
    assert found, line
    properties = dict(pair.split("=", 1) for pair in found[2].split(","))
    for name, value in properties.items():
        for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(escape, char)  # noqa: PLW2901  unescaped step by step, as the runner does
        properties[name] = value
    message = found[3].replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    return found[1], properties, message


@given(st.text(max_size=50), st.text(max_size=50))
@example("100%0A::error::x", "%2C%3A%25")
def test_a_text_cannot_leave_its_property(name: str, text: str) -> None:
    hostile = diagnostic(
        "error", "x", text, address=f"a/label:{name}", source=Span(file="a,b:c%.yaml", line=3, column=5)
    )
    first, last = to_github(report(diagnostics=(hostile,))).split("\n")[:2]
    assert read(first) == (
        "error",
        {"file": "a,b:c%.yaml", "line": "3", "col": "5", "title": "error[x]"},
        visible(f"a/label:{name}: {text}"),
    )
    assert not last.startswith("::")


def test_a_file_name_has_no_control_or_direction_characters() -> None:
    source = Span(file="a\x1b[31m\u202e.yaml", line=3, column=5)
    first = to_github(report(diagnostics=(diagnostic("error", "x", "text", source=source),))).split("\n")[0]
    assert read(first)[1]["file"] == visible(source.file)


def test_ten_annotations_of_a_severity_are_written_and_the_rest_counted() -> None:
    warnings = tuple(diagnostic("warning", "w", f"warning {n}") for n in range(12))
    guards = (diagnostic("guard", "g", "refused"), diagnostic("error", "e", "broken"))
    lines = to_github(replace(many(40), diagnostics=(*warnings, *guards))).splitlines()
    commands = [read(line) for line in lines if line.startswith("::")]
    kinds = [kind for kind, _, _ in commands]
    assert kinds == ["error"] * 2 + ["warning"] * SHOWN + ["notice"] * SHOWN
    assert [message for _, _, message in commands[:2]] == ["broken", "refused"]
    assert commands[11][2] == "and 3 more warnings"
    assert commands[-1][2] == "and 31 more changes"
    assert all(properties["title"].startswith("delete") for _, properties, _ in commands[12:-1])
    assert lines[len(commands)].startswith("Plan: 10 to add, 20 to update, 10 to delete.  Read")


def test_a_change_that_was_not_made_is_an_error() -> None:
    failed = change("+", "a/label:x", ("color", None, "red"), result=Result(status="failed", detail="no room"))
    done = change("+", "a/label:y", ("color", None, "red"), result=Result(status="applied"))
    lines = to_github(report(account("a", failed, done), command="apply")).splitlines()
    assert read(lines[0])[0] == "error"
    assert read(lines[0])[2] == 'color: "red"\nfailed no room'
    assert read(lines[1])[0] == "notice"


def test_a_change_that_was_declined_is_no_error() -> None:
    declined = change("+", "a/label:x", ("color", None, "red"), result=Result(status="declined", detail="not chosen"))
    first, *_ = to_github(report(account("a", declined), command="apply")).splitlines()
    assert read(first)[::2] == ("notice", 'color: "red"\ndeclined not chosen')


def test_equal_changes_of_many_accounts_are_one_annotation() -> None:
    first, *others = [read(line) for line in to_github(hundred()).splitlines() if line.startswith("::")]
    assert first[2].startswith("customer-000/label:Hot, customer-001/label:Hot, customer-002/label:Hot and 97 more: it")
    assert [properties["title"] for _, properties, _ in others] == [
        "delete customer-097/label:Lukewarm",
        "update label:Hot in 97 accounts",
        "add label:Partner in 97 accounts",
    ]
    assert others[1][2].endswith("in customer-000, customer-001, customer-002 and 94 more")


def test_annotations_that_are_not_shown_count_for_each_account() -> None:
    both = [account(name, *(change("+", f"{name}/label:{n}") for n in range(12))) for name in "ab"]
    lines = [line for line in to_github(report(*both)).splitlines() if line.startswith("::")]
    assert len(lines) == SHOWN
    assert read(lines[-1])[2] == "and 6 more changes"
