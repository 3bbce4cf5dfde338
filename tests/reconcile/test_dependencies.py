"""What waits for what: no change takes a name before another one has given it up."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from leadstate.engine.apply.execute import stages
from leadstate.model.address import Address, Ref, Target
from leadstate.model.plan import Action, Change, FieldDiff, Reason
from leadstate.model.resource import ABSENT
from leadstate.reconcile.dependencies import order_changes, select_targets
from tests.harness.builders import ORDER, account, planned


def change_of(before: str | None, after: str | None, moves_to: str | None = None) -> Change:
    """Return a change of one label's name: None before an add, and after a delete."""
    action = Action.ADD if before is None else Action.DELETE if after is None else Action.UPDATE
    field = FieldDiff("name", ABSENT if before is None else before, ABSENT if after is None else after)
    return Change(
        Address("emea", "label", after or f"deleted {before}"),
        action,
        Reason.RENAMED,
        (field,),
        {"name": after} if after else {},
        remote_id=before,
        moves_to=Ref("label", moves_to) if moves_to else None,
    )


def waits(*changes: Change) -> dict[str, list[str]]:
    return {change.address.key: [first.key for first in change.after] for change in order_changes(changes)}


def staged(*changes: Change) -> list[set[str]]:
    plan = replace(planned(account()), changes=tuple(order_changes(changes)))
    return [{change.address.key for change in stage} for stage in stages(plan) if stage]


def test_a_rename_waits_for_the_delete_of_the_label_whose_name_it_takes() -> None:
    rename, delete = change_of("Cold", "VIP"), change_of("VIP", None, moves_to="VIP")
    assert waits(rename, delete) == {"VIP": ["deleted VIP"], "deleted VIP": []}
    assert staged(rename, delete, change_of(None, "New")) == [{"New"}, {"deleted VIP"}, {"VIP"}]


def test_labels_that_pass_their_names_on_wait_for_each_other() -> None:
    changes = change_of("A", "B"), change_of("B", "C"), change_of(None, "A")
    assert waits(*changes) == {"A": ["B"], "B": ["C"], "C": []}
    assert staged(*changes) == [{"C"}, {"B"}, {"A"}]


def test_labels_that_swap_their_names_do_not_wait_for_each_other_both_ways() -> None:
    assert staged(change_of("A", "B"), change_of("B", "A")) == [{"B"}, {"A"}]


def test_an_add_that_a_merge_needs_does_not_wait_for_it() -> None:
    assert staged(change_of(None, "VIP"), change_of("VIP", None, moves_to="VIP")) == [{"VIP"}, {"deleted VIP"}]


def test_a_delete_waits_for_what_refers_to_the_label_whatever_becomes_of_its_name() -> None:
    """The lead gets a label that takes the name of one that takes the name of the one that is deleted."""
    deleted, new = (Ref("label", "deleted VIP"),), (Ref("label", "Cold"),)
    lead = Change(
        Address("emea", "lead", "a"),
        Action.UPDATE,
        Reason.DIFFERS,
        (FieldDiff("labels", deleted, new),),
        {"labels": new},
    )
    found = waits(change_of(None, "Cold"), change_of("Cold", "VIP"), change_of("VIP", None), lead)
    assert found == {"Cold": ["VIP"], "VIP": [], "deleted VIP": ["a"], "a": ["Cold"]}


def test_a_target_includes_the_delete_that_gives_its_name_up() -> None:
    changes = order_changes([change_of("Cold", "VIP"), change_of("VIP", None), change_of(None, "New")])
    chosen = select_targets(changes, [Target.parse("label:VIP", ORDER)])
    assert [change.address.key for change in chosen] == ["VIP", "deleted VIP"]


NAMES = st.sampled_from("ABCDEF")


@st.composite
def renames(draw: st.DrawFn) -> list[Change]:
    """Draw labels that get names of each other, go, or come; a merge goes to a label of any name that there is then."""
    before = draw(st.lists(NAMES, unique=True))
    after = draw(st.permutations("ABCDEF"))
    pairs: list[tuple[str | None, str | None]] = [
        (was, draw(st.sampled_from((name, None)))) for was, name in zip(before, after, strict=False)
    ]
    left = sorted(set("ABCDEF") - {name for _, name in pairs})
    pairs += [(None, name) for name in (draw(st.lists(st.sampled_from(left), unique=True)) if left else [])]
    there = [name for _, name in pairs if name]
    return [
        change_of(was, name, draw(st.sampled_from([None, *there])) if name is None else None)
        for was, name in pairs
        if was != name
    ]


@given(renames())
def test_a_name_is_given_up_before_it_is_taken_unless_the_one_waits_for_the_other(changes: list[Change]) -> None:
    ordered = {change.address: change for change in order_changes(changes)}
    stage_of = {key: number for number, stage in enumerate(staged(*changes)) for key in stage}
    assert stage_of.keys() == {address.key for address in ordered}, "a change is in no stage"

    def waits_for(change: Change, other: Change) -> bool:
        return any(first == other.address or waits_for(ordered[first], other) for first in change.after)

    for giver in ordered.values():
        for first in giver.after:
            assert stage_of[first.key] < stage_of[giver.address.key]
        for taker in ordered.values():
            if giver.fields[0].before == taker.fields[0].after != ABSENT:
                assert waits_for(taker, giver) or waits_for(giver, taker)
