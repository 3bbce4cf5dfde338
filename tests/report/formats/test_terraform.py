"""The shape of `terraform show -json`, as far as its documentation describes it."""

import json
from typing import Any

import pytest

from leadstate.report.document import Report, Result
from leadstate.report.formats.terraform import to_terraform_json
from tests.harness.reports import account, change, diagnostic, report


def plan(of: Report) -> dict[str, Any]:
    text = to_terraform_json(of)
    assert text.count("\n") == 1, "Terraform writes one line, and terraform-compliance reads no other"
    found: dict[str, Any] = json.loads(text)
    return found


def only_change(of: Report) -> dict[str, Any]:
    (found,) = plan(of)["resource_changes"]
    assert isinstance(found, dict)
    return found


def test_an_updated_label_has_its_other_field_too() -> None:
    of = account("a", change("~", "a/label:Hot", ("color", "red", "blue")), labels=[("Hot", "red"), ("Cold", "blue")])
    found = only_change(report(of))["change"]
    assert found["actions"] == ["update"]
    assert found["before"] == {"name": "Hot", "color": "red"}
    assert found["after"] == {"name": "Hot", "color": "blue"}


def test_a_deleted_label_has_no_after() -> None:
    found = plan(report(account("a", change("-", "a/label:Old", ("color", "red", None), ("name", "Old", None)))))
    (deleted,) = found["resource_changes"]
    assert deleted["change"]["actions"] == ["delete"]
    assert deleted["change"]["before"] == {"color": "red", "name": "Old"}
    assert deleted["change"]["after"] is None
    assert deleted["change"]["after_sensitive"] is False
    assert found["planned_values"] == {"root_module": {}}


def test_custom_fields_are_a_map_whose_keys_are_their_names() -> None:
    fields = (("title", "T", "U"), ("custom_fields.Nr. of seats", None, 7), ("custom_fields.Industry", "a", None))
    found = only_change(report(account("a", change("~", "a/lead:x", *fields))))["change"]
    assert found["before"] == {"title": "T", "custom_fields": {"Nr. of seats": None, "Industry": "a"}}
    assert found["after"] == {"title": "U", "custom_fields": {"Nr. of seats": 7, "Industry": None}}


@pytest.mark.parametrize(
    ("key", "quoted"),
    [
        ('Hot "x"', r'"a/label:Hot \"x\""'),
        ("back\\slash", r'"a/label:back\\slash"'),
        ("${var} %{if}", '"a/label:$${var} %%{if}"'),
        ("a\nb", r'"a/label:a\nb"'),
    ],
)
def test_an_address_is_quoted_as_terraform_quotes_it(key: str, quoted: str) -> None:
    found = only_change(report(account("a", change("+", f"a/label:{key}"))))
    assert found["address"] == f"leadstate_label.this[{quoted}]"
    assert found["index"] == f"a/label:{key}"


def test_a_plan_without_changes_is_complete_and_not_applyable() -> None:
    found = plan(report(account("a")))
    assert (found["resource_changes"], found["complete"], found["applyable"], found["errored"]) == (
        [],
        True,
        False,
        False,
    )
    assert found["planned_values"]
    assert found["configuration"], "readers take a plan without it for no plan"


def test_an_error_is_told_and_a_guard_makes_it_not_applyable() -> None:
    planned = account("a", change("+", "a/label:x"))
    guard = diagnostic("guard", "in-use", "in use", address="a/label:x")
    refused = plan(report(planned, diagnostics=(guard,), applyable=False))
    assert (refused["errored"], refused["applyable"]) == (False, False)
    error = diagnostic("error", "http", "no answer", account="b")
    failed = plan(report(planned, diagnostics=(error,), complete=False))
    assert (failed["errored"], failed["complete"]) == (True, False)


@pytest.mark.parametrize(
    ("status", "errored"), [("applied", False), ("failed", True), ("skipped", True), ("declined", False)]
)
def test_an_apply_is_errored_if_a_change_was_not_made(status: Any, *, errored: bool) -> None:
    done = account("a", change("+", "a/label:x", result=Result(status=status)))
    assert plan(report(done, command="apply"))["errored"] is errored
