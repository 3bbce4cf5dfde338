"""What the touches of one run come to, object by object."""

from dataclasses import replace
from decimal import Decimal

import pytest

from leadstate.model.address import RemoteRef
from leadstate.model.plan import Touch
from leadstate.model.resource import Value
from leadstate.reconcile.changed import Changed, Name, compose

SIZE, SCORE, MONEY = "a" * 40, "b" * 40, "c" * 40
HOT, WARM, COLD = (RemoteRef("label", name) for name in ("hot", "warm", "cold"))


def labelled(*labels: RemoteRef, then: tuple[RemoteRef, ...], answered: bool = True) -> Touch:
    return Touch("lead", "1", None, {"labels": labels}, {"labels": then}, answered=answered)


def only(*touches: Touch) -> Changed:
    (changed,) = compose(touches)
    return changed


def test_each_object_is_listed_once_in_order_of_its_first_write() -> None:
    found = compose(
        [
            Touch("lead", "2", None, {"title": "a"}, {"title": "b"}),
            Touch("lead", "1", None, {"title": "a"}, {"title": "b"}),
            Touch("lead", None, "c", None, {"title": "c"}),
            Touch("label", "2", None, {"name": "a"}, None),
            Touch("lead", "2", "late", None, None, "ns:late", {"k": 1}),
            Touch("lead", "2", "later", None, None, "ns:later", {"k": 2}),
        ]
    )
    assert [(changed.kind, changed.remote_id) for changed in found] == [("lead", "2"), ("lead", "1"), ("label", "2")]
    assert (found[0].key, found[0].marker, found[0].custom) == ("late", "ns:late", {"k": 1})
    assert [(changed.existed, changed.exists) for changed in found] == [(True, False), (True, True), (True, False)]


def test_values_are_from_before_the_first_and_after_the_last_write() -> None:
    changed = only(
        Touch("lead", "1", None, {"title": "a", "labels": ()}, {"title": "b", "labels": ()}, answered=True),
        Touch("lead", "1", None, {"title": "b", "value": 1}, {"title": "c", "value": 2}, answered=True),
    )
    assert (changed.before, changed.after) == ({"title": "a", "value": 1}, {"title": ["c"], "value": [2]})


def test_a_created_object_has_no_previous_values() -> None:
    changed = only(
        Touch("lead", "1", "a", None, {"title": "a"}, answered=True),
        Touch("lead", "1", "a", {"archived": False}, {"archived": True}, answered=True),
    )
    assert (changed.existed, changed.exists, changed.before) == (False, True, {})


def test_after_an_unanswered_write_each_earlier_value_is_possible() -> None:
    first = Touch("lead", "1", None, {"title": "a"}, {"title": "b"}, answered=True)
    second = Touch("lead", "1", None, {"title": "b"}, {"title": "c"})
    assert only(second).after == {"title": ["b", "c"]}
    assert only(first, second).after == {"title": ["b", "c"]}
    assert only(first, second, Touch("lead", "1", None, {"title": "x"}, {"title": "d"})).after["title"] == [
        "b",
        "c",
        "d",
    ]
    assert only(Touch("lead", "1", None, {}, {"title": "c"})).after == {"title": ["c"]}


def test_labels_of_a_lead_are_tracked_one_by_one() -> None:
    changed = only(labelled(HOT, COLD, then=(HOT, WARM)), labelled(HOT, WARM, then=(WARM,)))
    assert changed.before == {HOT: True, COLD: True, WARM: False}
    assert changed.after == {HOT: [False], COLD: [False], WARM: [True]}
    assert (changed.relabelled, changed.lost) == ([HOT, COLD, WARM], [HOT, COLD])


def test_a_label_added_and_removed_again_is_neither_lost_nor_gained() -> None:
    assert only(labelled(then=(HOT,)), labelled(HOT, then=())).relabelled == []


def test_a_deleted_lead_has_lost_all_its_labels() -> None:
    gone = Touch("lead", "1", "a", {"labels": (HOT, WARM)}, None, answered=True)
    assert only(labelled(HOT, then=(HOT, WARM)), gone).lost == [HOT]


def test_after_an_unanswered_write_a_lead_may_carry_a_removed_label_or_not() -> None:
    made = Touch("lead", "1", "a", None, {"labels": (HOT, COLD)}, answered=True)
    cut_off = labelled(HOT, COLD, then=(COLD,), answered=False)
    assert only(made, cut_off).after == {HOT: [True, False], COLD: [True, True]}
    assert only(made, labelled(HOT, COLD, then=(COLD,))).after == {HOT: [False], COLD: [True]}
    assert only(Touch("lead", "1", "a", None, {"labels": (HOT,)})).after == {HOT: [True]}


def test_a_leftover_must_match_in_every_attribute_but_those_that_the_server_sets() -> None:
    changed = only(Touch("lead", "1", "a", None, {"title": "a", "value": None, "labels": (HOT,)}, answered=True))
    left: dict[Name, Value] = {"title": "a", "value": None, "person": None, "labels": (HOT,), HOT: True, WARM: False}
    assert changed.may_have_left({**left, "archived": False, "owner": 7, "visible_to": "3", "was_seen": True}, {})
    edits: list[dict[Name, Value]] = [
        {"title": "b"},
        {"value": 1},
        {"person": 1},
        {"archived": True},
        {HOT: False},
        {WARM: True},
    ]
    for edit in edits:
        assert not changed.may_have_left({**left, **edit}, {}), edit


def test_what_the_server_has_set_must_match_if_the_answer_is_known() -> None:
    changed = only(Touch("lead", "1", "a", None, {"title": "a", "owner": 7}, answered=True))
    assert changed.may_have_left({"title": "a", "owner": 7}, {})
    assert not changed.may_have_left({"title": "a", "owner": 8}, {})


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ({SIZE: "7", SCORE: Decimal("5.0"), MONEY: 1, f"{MONEY}_currency": "EUR"}, True),
        ({SIZE: 7, SCORE: 5, MONEY: 1, f"{MONEY}_currency": "EUR", "d" * 40: "", "e" * 40: None}, True),
        ({SIZE: 7, SCORE: 5, MONEY: 1, f"{MONEY}_currency": "EUR", f"{'d' * 40}_currency": "EUR"}, True),
        ({SIZE: 7, SCORE: 5, MONEY: 1, f"{MONEY}_currency": "USD"}, False),
        ({SIZE: 8, SCORE: 5, MONEY: 1, f"{MONEY}_currency": "EUR"}, False),
        ({SIZE: 7, SCORE: 5}, False),
        ({SIZE: 7, SCORE: 5, MONEY: 1, f"{MONEY}_currency": "EUR", "d" * 40: "x"}, False),
        ({}, False),
    ],
)
def test_answered_custom_fields_are_compared_whatever_form_an_answer_has(
    now: dict[str, object],
    same: bool,  # noqa: FBT001  a parameter
) -> None:
    answered = {SIZE: 7, SCORE: 5, MONEY: 1, f"{MONEY}_currency": "EUR"}
    changed = only(Touch("lead", "1", "a", None, {"title": "a"}, custom=answered, answered=True))
    assert changed.may_have_left({"title": "a"}, now) is same


def test_several_options_are_compared_as_a_list_or_as_text() -> None:
    changed = only(Touch("lead", "1", "a", None, {}, custom={SIZE: [7, 8]}, answered=True))
    assert changed.may_have_left({}, {SIZE: "7,8"})
    assert not changed.may_have_left({}, {SIZE: [7]})
    contact = only(Touch("lead", "1", "a", None, {}, custom={SIZE: {"value": 7, "name": "Jane"}}, answered=True))
    assert contact.may_have_left({}, {SIZE: {"name": "Jane", "value": 7}})
    assert not contact.may_have_left({}, {SIZE: {"name": "Jane", "value": 8}})


def test_without_an_answer_no_custom_field_may_be_set_but_those_that_were_written() -> None:
    written: dict[str, Value] = {"custom_fields.Score": Decimal(5), "custom_fields.Size": None}
    changed, now = only(Touch("lead", "1", "a", None, written)), dict[Name, Value](written.items())
    assert changed.may_have_left({**now, "custom_fields.Other": "read too"}, {SCORE: 5, f"{SCORE}_currency": "EUR"})
    assert not changed.may_have_left(now, {SCORE: 5, SIZE: 7})
    assert not changed.may_have_left({**now, "custom_fields.Score": 6}, {SCORE: 6})


def test_of_a_lead_that_is_left_out_only_the_chosen_labels_stay() -> None:
    written = Touch("lead", "1", None, {"title": "a", "labels": (HOT, COLD)}, {"title": "b", "labels": (WARM,)})
    changed = only(replace(written, answered=True)).only({HOT, WARM})
    assert changed.before == {HOT: True, WARM: False}
    assert changed.after == {HOT: [False], WARM: [True]}
