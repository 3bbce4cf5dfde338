"""The laws of diff: nothing differs from itself, and what differs is found and can be written."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.address import Address, Ref
from leadstate.model.plan import FieldDiff, Reason
from leadstate.model.resource import ABSENT, Attrs, Bindings, Live, Money
from leadstate.reconcile.diff import add, delete, diff

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
REFS = st.lists(st.text(min_size=1), unique=True).map(lambda names: tuple(Ref("label", n) for n in sorted(names)))
MONEY = st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False), st.text())
NESTED = st.dictionaries(st.text(min_size=1).filter(lambda key: "." not in key), st.none() | st.text())
ATTRS = st.dictionaries(st.sampled_from(["title", "labels", "value", "owner"]), SCALARS | REFS | MONEY | NESTED)


@given(ATTRS)
def test_equal_values_have_no_differences(attrs: Attrs) -> None:
    assert diff(attrs, dict(attrs)) == ()


@given(ATTRS, ATTRS)
def test_exactly_the_differences_are_found(before: Attrs, after: Attrs) -> None:
    found = diff(before, after)
    unequal = {key for key in after if key not in before or before[key] != after[key]}
    assert {difference.attribute for difference in found} == unequal
    assert [difference.path for difference in found] == sorted({difference.path for difference in found})


@given(ATTRS, ATTRS)
def test_applying_the_differences_gives_the_declared_value(before: Attrs, after: Attrs) -> None:
    tops = {difference.attribute for difference in diff(before, after)}
    merged = {**before, **{key: after[key] for key in tops}}
    assert diff(merged, after) == ()


def test_notations_of_the_same_number_are_equal() -> None:
    assert diff({"value": Money(Decimal("12000.0"), "EUR")}, {"value": Money(Decimal(12000), "EUR")}) == ()


def test_a_set_differs_as_a_whole() -> None:
    first, second = (Ref("label", "a"),), (Ref("label", "a"), Ref("label", "b"))
    assert diff({"labels": first}, {"labels": second}) == (FieldDiff("labels", first, second),)


def test_a_value_that_was_unset_differs_as_a_whole() -> None:
    first, second = Money(Decimal(1), "EUR"), Money(Decimal(2), "EUR")
    assert diff({"value": None}, {"value": first}) == (FieldDiff("value", None, first),)
    assert diff({"value": second}, {"value": first}) == (FieldDiff("value", second, first),)


def test_undeclared_attributes_are_not_compared() -> None:
    assert diff({"a": 1, "b": 2}, {"a": 1}) == ()
    assert diff({}, {"a": 1}) == (FieldDiff("a", ABSENT, 1),)


def test_the_order_of_a_list_matters_at_every_depth() -> None:
    first, second = (Ref("label", "a"), Ref("label", "b")), (Ref("label", "b"), Ref("label", "a"))
    assert diff({"fields": {"a": first}}, {"fields": {"a": second}}) == (FieldDiff("fields.a", first, second),)


def test_a_path_reaches_the_innermost_mapping() -> None:
    before, after = {"fields": {"a": {"b": 1, "c": 2}}}, {"fields": {"a": {"b": 3, "c": 2}}}
    found = diff(before, after)
    assert found == (FieldDiff("fields.a.b", 1, 3),)
    assert found[0].attribute == "fields"


def test_creates_have_no_before_and_deletes_no_after() -> None:
    attrs: Attrs = {"title": "T", "owner": None, "labels": ()}
    address = Address("a", "lead", "k")
    created = add(address, attrs, marker="ns:k", span=None)
    assert created.fields == (FieldDiff("labels", ABSENT, ()), FieldDiff("title", ABSENT, "T"))
    deleted = delete(address, Live("lead", "1", attrs, "T", "ns:k"), Bindings(), Reason.UNMANAGED)
    assert deleted.fields == (FieldDiff("labels", (), ABSENT), FieldDiff("title", "T", ABSENT))
