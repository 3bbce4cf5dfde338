"""Values in normal form: between ids and references, as JSON, and what they refer to."""

from decimal import Decimal

import pytest

from leadstate.model.account import Policy, Prune
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.plan import plain
from leadstate.model.resource import (
    ABSENT,
    AtLeast,
    Bindings,
    CustomValue,
    Money,
    Side,
    Value,
    references,
    resolve_at_least,
)
from tests.harness.builders import refs

HOT, VIP = Ref("label", "Hot"), Ref("label", "VIP")
STRANGE = RemoteRef("label", "id-9")


def bound() -> Bindings:
    found = Bindings()
    found.bind(VIP, "id-1")
    found.bind(HOT, "id-2")
    return found


def test_bindings_map_references_and_ids() -> None:
    found = bound()
    assert (found.id_of(HOT), found.id_of(Ref("label", "none"))) == ("id-2", None)
    assert found.knows(RemoteRef("label", "id-1"))
    assert not found.knows(RemoteRef("lead", "id-1"))
    assert list(found.ids().items()) == [("label:Hot", "id-2"), ("label:VIP", "id-1")]


@pytest.mark.parametrize(
    ("value", "linked"),
    [
        (RemoteRef("label", "id-2"), HOT),
        (STRANGE, STRANGE),
        ((RemoteRef("label", "id-1"), STRANGE, RemoteRef("label", "id-2")), (STRANGE, HOT, VIP)),
        ({"a": RemoteRef("label", "id-1"), "b": 5}, {"a": VIP, "b": 5}),
        ("id-2", "id-2"),
        (None, None),
    ],
)
def test_ids_become_references_and_unknown_ones_stay(value: Value, linked: Value) -> None:
    assert bound().link(value) == linked


def test_at_least_adds_to_the_live_value() -> None:
    wanted = AtLeast(refs("VIP", "Hot"))
    assert resolve_at_least(wanted, None) == (HOT, VIP)
    assert resolve_at_least(wanted, (STRANGE, HOT)) == (STRANGE, HOT, VIP)
    assert resolve_at_least((HOT,), (VIP,)) == (HOT,)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (HOT, {HOT}),
        (AtLeast((HOT, VIP)), {HOT, VIP}),
        ((HOT, STRANGE, VIP), {HOT, VIP}),
        ({"a": HOT, "b": (VIP,), "c": 1}, {HOT, VIP}),
        (STRANGE, set()),
        ("label:Hot", set()),
        (ABSENT, set()),
    ],
)
def test_references_are_found_at_every_depth(value: Side, found: set[Ref]) -> None:
    assert references(value) == found


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (ABSENT, None),
        (None, None),
        (True, True),
        ("text", "text"),
        (HOT, "Hot"),
        (STRANGE, "label#id-9"),
        (AtLeast((HOT, VIP)), ["Hot", "VIP"]),
        ((HOT, STRANGE), ["Hot", "label#id-9"]),
        (Money(Decimal("12000.0"), "EUR"), {"amount": 12000, "currency": "EUR"}),
        (Money(Decimal("0.10"), "EUR"), {"amount": "0.10", "currency": "EUR"}),
        (Money(Decimal("1E+29"), "EUR"), {"amount": 10**29, "currency": "EUR"}),
        (Money(Decimal("1E+30"), "EUR"), {"amount": "1E+30", "currency": "EUR"}),
        ({"a": HOT, "b": {"c": ABSENT}}, {"a": "Hot", "b": {"c": None}}),
    ],
)
def test_values_are_converted_to_json(value: Side, form: object) -> None:
    assert plain(value) == form


def test_absent_has_a_readable_repr() -> None:
    assert repr(ABSENT) == "ABSENT"


def test_an_unknown_kind_is_never_pruned() -> None:
    policy = Policy(prune_rules={"label": Prune.ALL, "lead": Prune.OWNED})
    assert [policy.prune(kind) for kind in ("label", "lead", "deal")] == [Prune.ALL, Prune.OWNED, Prune.NONE]


def test_the_default_policy_is_cautious() -> None:
    policy = Policy()
    assert (policy.prune("label"), policy.prune("lead"), policy.refuse_in_use) == (Prune.NONE, Prune.NONE, True)
    assert (policy.max_deletes, policy.max_delete_percent, policy.max_tokens) == (10, 30, None)
    assert policy.archived_pages == 10


def test_a_reference_without_an_id_is_an_internal_error() -> None:
    bindings = Bindings()
    with pytest.raises(LookupError, match="label:Hot has no id, though every change that it depends on was applied"):
        bindings.resolve(Ref("label", "Hot"))
    bindings.bind(Ref("label", "Hot"), "7")
    assert bindings.resolve(Ref("label", "Hot")) == "7"
    with pytest.raises(LookupError, match=r"custom_fields\.Score has no key, though it was planned"):
        bindings.custom("custom_fields.Score", CustomValue(1))
