"""The laws of diff: nothing differs from itself, and what differs is found and can be written."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.address import Ref
from leadstate.model.plan import FieldDiff
from leadstate.model.resource import ABSENT, Attrs, Money
from leadstate.reconcile.diff import added, diff, removed

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
REFS = st.lists(st.text(min_size=1), unique=True).map(lambda names: tuple(Ref("label", n) for n in sorted(names)))
MONEY = st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False), st.text())
NESTED = st.dictionaries(st.text(min_size=1).filter(lambda key: "." not in key), st.none() | st.text())
ATTRS = st.dictionaries(st.sampled_from(["title", "labels", "value", "owner"]), SCALARS | REFS | MONEY | NESTED)


@given(ATTRS)
def test_nothing_differs_from_itself(attrs: Attrs) -> None:
    assert diff(attrs, dict(attrs)) == ()


@given(ATTRS, ATTRS)
def test_every_difference_is_found_and_every_finding_is_one(before: Attrs, after: Attrs) -> None:
    found = diff(before, after)
    unequal = {key for key in after if key not in before or before[key] != after[key]}
    assert {one.attribute for one in found} == unequal
    assert [one.path for one in found] == sorted({one.path for one in found})


@given(ATTRS, ATTRS)
def test_before_then_after_is_after(before: Attrs, after: Attrs) -> None:
    tops = {one.attribute for one in diff(before, after)}
    merged = {**before, **{key: after[key] for key in tops}}
    assert diff(merged, after) == ()


def test_forms_of_one_number_are_no_difference() -> None:
    assert diff({"value": Money(Decimal("12000.0"), "EUR")}, {"value": Money(Decimal(12000), "EUR")}) == ()


def test_a_set_differs_as_a_whole() -> None:
    one, two = (Ref("label", "a"),), (Ref("label", "a"), Ref("label", "b"))
    assert diff({"labels": one}, {"labels": two}) == (FieldDiff("labels", one, two),)


def test_a_value_that_was_unset_differs_as_a_whole() -> None:
    one, two = Money(Decimal(1), "EUR"), Money(Decimal(2), "EUR")
    assert diff({"value": None}, {"value": one}) == (FieldDiff("value", None, one),)
    assert diff({"value": two}, {"value": one}) == (FieldDiff("value", two, one),)


def test_what_is_nested_has_a_path_of_its_own() -> None:
    before, after = {"fields": {"a": 1, "b": 2}}, {"fields": {"a": 1, "b": 3}}
    assert diff(before, after) == (FieldDiff("fields.b", 2, 3),)


def test_what_is_not_declared_is_not_managed() -> None:
    assert diff({"a": 1, "b": 2}, {"a": 1}) == ()
    assert diff({}, {"a": 1}) == (FieldDiff("a", ABSENT, 1),)


def test_the_order_of_a_list_is_part_of_it_wherever_it_is() -> None:
    one, two = (Ref("label", "a"), Ref("label", "b")), (Ref("label", "b"), Ref("label", "a"))
    assert diff({"fields": {"a": one}}, {"fields": {"a": two}}) == (FieldDiff("fields.a", one, two),)


def test_a_path_goes_as_deep_as_the_mapping_and_does_not_name_what_is_around_it() -> None:
    before, after = {"fields": {"a": {"b": 1, "c": 2}}}, {"fields": {"a": {"b": 3, "c": 2}}}
    found = diff(before, after)
    assert found == (FieldDiff("fields.a.b", 1, 3),)
    assert found[0].attribute == "fields"


def test_a_new_object_had_nothing_and_one_that_goes_will_have_nothing() -> None:
    attrs: Attrs = {"title": "T", "owner": None, "labels": ()}
    assert added(attrs) == (FieldDiff("labels", ABSENT, ()), FieldDiff("title", ABSENT, "T"))
    assert removed(attrs) == (FieldDiff("labels", (), ABSENT), FieldDiff("title", "T", ABSENT))
