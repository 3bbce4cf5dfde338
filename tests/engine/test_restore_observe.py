"""What a rollback reads: as little as tells what became of everything that the apply touched."""

from dataclasses import replace
from typing import Any

import pytest

from leadstate.engine.restore import observe_touched
from leadstate.model.account import Account
from leadstate.model.address import RemoteRef, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountReceipt, Touch
from leadstate.model.resource import Attrs, CustomValue, Observed
from leadstate.pipedrive.errors import BadAnswer, IncompleteListing
from tests.harness.builders import account
from tests.harness.fake_api import Fake, ok

INDUSTRY, SIZE = "a" * 40, "b" * 40
LABELS, LEADS, ARCHIVED = "GET leadLabels", "GET leads", "GET leads/archived"
ADDED_LABEL = Touch("label", "hot", "Hot", None, {"name": "Hot", "color": "red"})


def updated(remote_id: str, **more: Any) -> Touch:
    return Touch("lead", remote_id, None, {"title": "a"}, {"title": "b"}, **more)


def read(fake: Fake, *touches: Touch, **policy: Any) -> tuple[Account, Observed, tuple[Diagnostic, ...]]:
    receipt = AccountReceipt("receipt.json", touches, {})
    return fake.run(lambda writer: observe_touched(account(**policy), receipt, writer))


def company(count: int = 1) -> Fake:
    fake = Fake().with_label("hot", "Hot")
    for number in range(count):
        fake.lead(f"{number:02}", None, "hot")
    return fake


def ids(observed: Observed) -> list[str]:
    return sorted(lead.remote_id for lead in observed.live["lead"])


@pytest.mark.parametrize(
    ("touch", "sent"),
    [
        (updated("00"), [LABELS, "GET leads/00"]),
        (updated("00", marker="ns:a"), [LABELS, "GET leads/00"]),
        (Touch("lead", "00", None, {"title": "a"}, None), [LABELS, "GET leads/00"]),
        (Touch("lead", "00", "a", None, {"title": "a"}, "ns:a"), [LABELS, "GET leads/00"]),
        (Touch("lead", None, "a", None, {"title": "a"}), [LABELS]),
        (Touch("lead", None, "a", None, {"title": "a"}, "ns:a"), [LABELS, LEADS]),
        (Touch("lead", "gone", "a", {"title": "a"}, None, "ns:a"), [LABELS, LEADS, "GET leads/gone", ARCHIVED]),
        (replace(ADDED_LABEL, before={"name": "Cold", "color": "red"}), [LABELS]),
        (ADDED_LABEL, [LABELS, LEADS]),
    ],
)
def test_leads_are_listed_only_if_ids_are_not_enough(touch: Touch, sent: list[str]) -> None:
    fake = company()
    read(fake, touch)
    assert fake.sent == sent


@pytest.mark.parametrize(("count", "listed"), [(1, False), (10, False), (11, True)])
def test_leads_are_listed_if_that_costs_less_than_reading_each(count: int, *, listed: bool) -> None:
    fake = company(20)
    _, observed, _ = read(fake, *(updated(f"{number:02}") for number in range(count)))
    assert fake.sent[1:] == ([LEADS] if listed else [f"GET leads/{number:02}" for number in range(count)])
    assert ids(observed) == [f"{number:02}" for number in range(count)]
    assert observed.pages == (1 if listed else 0)
    carriers = {RemoteRef("label", "hot"): [f"{number:02}" for number in range(20)]}
    assert observed.carriers == (carriers if listed else None)


def test_a_lead_that_is_not_listed_is_read_by_its_id() -> None:
    fake = company(3)
    fake.leads["02"]["is_archived"] = True
    _, observed, _ = read(fake, ADDED_LABEL, updated("00"), updated("02"), updated("gone"))
    assert fake.sent == [LABELS, LEADS, "GET leads/02", "GET leads/gone"]
    assert ids(observed) == ["00", "02"]


def test_a_deleted_lead_that_exists_again_is_found_by_its_mark_live_and_archived() -> None:
    fake = company()
    fake.lead("10", "ns:a")
    fake.lead("11", "ns:b", is_archived=True)
    fake.lead("12", "ns:other", is_archived=True)
    gone = [Touch("lead", f"old-{key}", key, {"title": key}, None, f"ns:{key}") for key in "abc"]
    _, observed, _ = read(fake, *gone, archived_pages=1)
    assert ids(observed) == ["10", "11"]
    assert observed.unsure == frozenset()


@pytest.mark.parametrize(("pages", "unsure"), [(1, {"ns:c"}), (2, set())])
def test_a_missing_marker_is_unsure_unless_the_archive_was_read_to_its_end(pages: int, unsure: set[str]) -> None:
    fake = company()
    fake.with_leads("old", 600, is_archived=True)
    fake.lead("11", "ns:b", is_archived=True)
    gone = [Touch("lead", f"old-{key}", key, {"title": key}, None, f"ns:{key}") for key in "bc"]
    _, observed, _ = read(fake, *gone, archived_pages=pages)
    assert observed.unsure == unsure


def test_a_listing_without_labels_is_incomplete_if_leads_carry_some() -> None:
    fake = company()
    fake.labels.clear()
    with pytest.raises(IncompleteListing):
        read(fake, ADDED_LABEL)


def test_a_malformed_label_names_the_request() -> None:
    fake = company()
    fake.before[LABELS, 0] = lambda: ok([{"id": "hot"}])
    with pytest.raises(BadAnswer, match="getLeadLabels"):
        read(fake, ADDED_LABEL)


def with_fields(*rows: tuple[str, str, str]) -> Fake:
    fake = company()
    described = [{"field_code": code, "field_name": name, "field_type": kind} for code, name, kind in rows]
    fake.before["GET dealFields", 0] = lambda: ok(described)
    return fake


def test_custom_fields_of_a_receipt_get_the_form_in_which_live_ones_are_read() -> None:
    fake = with_fields((INDUSTRY, "Industry", "varchar"), (SIZE, "Size", "double"))
    before: Attrs = {
        "custom_fields.Gone": CustomValue("x"),
        "title": "a",
        "custom_fields.Industry": CustomValue("Mining"),
    }
    after: Attrs = {"custom_fields.Size": CustomValue(3), "title": "b"}
    untyped = updated("00")
    restored, observed, diagnostics = read(fake, replace(untyped, before=before, after=after), ADDED_LABEL, untyped)
    assert restored.receipt is not None
    typed, label, same = restored.receipt.touched
    assert typed.before == {"title": "a", "custom_fields.Industry": "Mining"}
    assert typed.after == {"custom_fields.Size": 3, "title": "b"}
    assert (label, same) == (ADDED_LABEL, untyped)
    assert observed.fields is not None
    assert observed.fields.read({INDUSTRY: "Retail", SIZE: 4}) == {
        "custom_fields.Industry": "Retail",
        "custom_fields.Size": 4,
        "custom_fields.Gone": None,
    }
    assert diagnostics == (
        Diagnostic(
            "custom-field",
            Severity.WARNING,
            "the custom field 'Gone': no field has this name: its values are not restored",
            hint="fill it in by hand",
            span=Span("receipt.json", 1, 1),
            account="emea",
        ),
    )


def test_custom_fields_of_created_and_deleted_leads_keep_their_side() -> None:
    fake = with_fields((INDUSTRY, "Industry", "varchar"))
    value = {"custom_fields.Industry": CustomValue("Mining")}
    made, gone = Touch("lead", "00", "a", None, value), Touch("lead", "01", "b", value, None)
    restored, _, diagnostics = read(fake, made, gone)
    assert restored.receipt is not None
    assert [(touch.before, touch.after) for touch in restored.receipt.touched] == [
        (None, {"custom_fields.Industry": "Mining"}),
        ({"custom_fields.Industry": "Mining"}, None),
    ]
    assert diagnostics == ()


def test_a_value_of_a_created_lead_that_its_field_does_not_take_any_more_stays_and_is_no_warning() -> None:
    fake = with_fields((INDUSTRY, "Industry", "varchar"))
    made = Touch("lead", "00", "a", None, {"custom_fields.Gone": CustomValue("x"), "title": "a"})
    restored, _, diagnostics = read(fake, made)
    assert restored.receipt is not None
    assert [touch.after for touch in restored.receipt.touched] == [made.after]
    assert diagnostics == ()


def test_raw_custom_fields_of_a_created_lead_stay_as_they_are() -> None:
    fake = with_fields((INDUSTRY, "Industry", "varchar"))
    made = Touch("lead", "00", "a", None, {"title": "a"}, "ns:a", {SIZE: 3})
    restored, _, diagnostics = read(fake, made, updated("01"))
    assert (restored.receipt and restored.receipt.touched[0].custom, diagnostics) == ({SIZE: 3}, ())
    assert "GET dealFields" not in fake.sent
    restored, _, diagnostics = read(fake, made, Touch("lead", "01", None, {"title": "a"}, None, None, {INDUSTRY: "x"}))
    assert (restored.receipt and restored.receipt.touched[0].custom, diagnostics) == ({SIZE: 3}, ())


def test_raw_custom_fields_of_a_deleted_lead_are_read_too() -> None:
    fake = with_fields((INDUSTRY, "Industry", "varchar"))
    gone = Touch("lead", "00", "a", {"title": "a"}, None, "ns:a", {INDUSTRY: "Mining", SIZE: 3})
    _, observed, diagnostics = read(fake, gone)
    assert [diagnostic.summary for diagnostic in diagnostics] == [
        f"the custom field {SIZE} does not exist any more: its values are not restored"
    ]
    assert observed.fields is not None
    assert observed.fields.read(gone.custom) == {"custom_fields.Industry": "Mining"}


@pytest.mark.parametrize(
    ("kind", "options", "raw", "why"),
    [
        ("enum", ["Retail"], 9, "it has no option 'option 9'"),
        ("set", ["Retail"], [1, 9], "it has no option 'option 9'"),
        ("enum", ["Retail", "Retail"], 2, "it has several options 'Retail'"),
        ("double", [], "soon", "it takes a number of 15 significant digits at most"),
        ("monetary", [], "soon", "it takes an amount of money"),
        ("people", [], {"name": "Jane"}, "it cannot be read"),
    ],
)
def test_a_value_of_a_deleted_lead_that_its_field_does_not_accept_any_more_is_left_out(
    kind: str, options: list[str], raw: object, why: str
) -> None:
    fake = with_fields((INDUSTRY, "Industry", kind), (SIZE, "Size", "varchar"))
    rows = [{"id": number, "label": label} for number, label in enumerate(options, 1)]
    listed = [
        {"field_code": INDUSTRY, "field_name": "Industry", "field_type": kind, "options": rows},
        {"field_code": SIZE, "field_name": "Size", "field_type": "varchar"},
    ]
    fake.before["GET dealFields", 0] = lambda: ok(listed)
    gone = Touch(
        "lead", "00", "a", {"title": "a"}, None, "ns:a", {INDUSTRY: raw, f"{INDUSTRY}_currency": "EUR", SIZE: "L"}
    )
    restored, _, diagnostics = read(fake, gone)
    assert restored.receipt is not None
    assert [touch.custom for touch in restored.receipt.touched] == [{SIZE: "L"}]
    assert [diagnostic.summary for diagnostic in diagnostics] == [
        f"the custom field 'Industry': {why}: its values are not restored"
    ]


def test_fields_are_not_listed_unless_one_was_touched() -> None:
    fake = company()
    _, observed, diagnostics = read(fake, updated("00"), ADDED_LABEL)
    assert "GET dealFields" not in fake.sent
    assert (observed.fields, diagnostics) == (None, ())
