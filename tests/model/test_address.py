"""Addresses as people write them, and what a target selects."""

import pytest

from leadstate.model.address import Address, Ref, RemoteRef, Span, Target, accounts_of
from tests.harness.builders import account

KINDS = ("label", "lead", "source_note")
HOT = Address("emea", "label", "Hot")


def test_addresses_are_formatted_as_they_are_written() -> None:
    shown = [str(address) for address in (HOT, HOT.ref, RemoteRef("label", "id-1"), Span("a.yaml", 3, 5))]
    assert shown == ["emea/label:Hot", "label:Hot", "label#id-1", "a.yaml:3:5"]
    assert HOT.ref == Ref("label", "Hot")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("label:Hot", Target(None, "label", "Hot")),
        ("emea/label:Hot", Target("emea", "label", "Hot")),
        ("label:a/b:c", Target(None, "label", "a/b:c")),
        ("emea/lead:a/b:c", Target("emea", "lead", "a/b:c")),
        ("label:two\nlines", Target(None, "label", "two\nlines")),
        ("emea/source_note:a", Target("emea", "source_note", "a")),
    ],
)
def test_a_target_is_formatted_as_it_was_parsed(text: str, target: Target) -> None:
    assert Target.parse(text, KINDS) == target
    assert str(target) == text


def test_a_name_in_a_target_is_compared_after_normal_form() -> None:
    assert Target.parse("label: Cafe\u0301 ", KINDS) == Target(None, "label", "Caf\u00e9")


@pytest.mark.parametrize(
    "text", ["", "Hot", "label:", ":Hot", "deal:Hot", "emea/Hot", "a/b/label:Hot", "/label:Hot", "_:a"]
)
def test_an_invalid_target_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address") as caught:
        Target.parse(text, KINDS)
    fix = "write label:NAME or lead:NAME or source_note:NAME, with ACCOUNT/ before it for one account only"
    assert str(caught.value) == f"{text!r} is not an address; {fix}"


def test_a_target_selects_one_object_in_its_account_or_in_every_account() -> None:
    others = [Address("emea", "label", "Warm"), Address("emea", "lead", "Hot")]
    for target in (Target("emea", "label", "Hot"), Target(None, "label", "Hot")):
        assert target.selects(HOT)
        assert not any(target.selects(other) for other in others)
    apac = Address("apac", "label", "Hot")
    assert not Target("emea", "label", "Hot").selects(apac)
    assert Target(None, "label", "Hot").selects(apac)


def test_an_account_owns_markers_of_its_namespace() -> None:
    declared = account()
    assert declared.host == "acme-emea.pipedrive.com"
    assert declared.owns("ns:a")
    assert not any(declared.owns(marker) for marker in (None, "", "ns", "nsx:a", "other:ns:a"))


@pytest.mark.parametrize(
    ("targets", "accounts"),
    [
        ((), ()),
        (("emea/label:Hot", "us/lead:a", "emea/lead:b"), ("emea", "us")),
        (("emea/label:Hot", "label:Hot"), ()),
    ],
)
def test_targets_are_about_the_accounts_that_they_name_or_about_all(
    targets: tuple[str, ...], accounts: tuple[str, ...]
) -> None:
    assert accounts_of([Target.parse(target, KINDS) for target in targets]) == frozenset(accounts)
