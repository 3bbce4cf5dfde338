"""Laws of `policy.ignore` and `policy.protect`: no plan, apply or rollback touches the one or deletes the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadstate.model.account import Account, Policy
from leadstate.model.plan import AccountPlan, Action
from leadstate.model.resource import Desired, references
from tests.harness.disturbed_company import LONG
from tests.harness.random_accounts import NAMES, declarations, live_accounts
from tests.harness.recorded_writes import Live, Recording

WORLDS = 10_000 if LONG else 60

PATTERNS = st.lists(st.sampled_from([*NAMES, "*o*", "V?P", "[HW]*", "*"]), max_size=2)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, Any], Account, Account]:
    """Draw what exists, what is declared, and the account under the policy of the day on which it is rolled back."""
    live, account = draw(live_accounts()), draw(declarations())
    then, later = (
        replace(account.policy, ignore={"label": draw(PATTERNS)}, protect={"label": draw(PATTERNS)}) for _ in range(2)
    )
    declared = account.desired
    # As the rules of a configuration, nothing declares an ignored label, and nothing refers to what is not declared.
    while dropped := {item.address.ref for item in declared if not fits(item, then, declared)}:
        declared = [item for item in declared if item.address.ref not in dropped]
    account = replace(account, desired=tuple(declared), policy=then)
    return live, account, replace(account, policy=later)


def fits(item: Desired, policy: Policy, declared: Sequence[Desired]) -> bool:
    """Return whether an object can be declared beside the others under a policy."""
    known = {other.address.ref for other in declared}
    refers = references(item.moves_to).union(*(references(value) for value in item.attrs.values()))
    return refers <= known and not any(policy.ignores("label", name) for name in item.names)


def holds(account: Account, before: Mapping[str, Any], plan: AccountPlan) -> None:
    """Check a plan: it changes no ignored label and deletes no protected one."""
    for change in plan.changes:
        there = before.get(change.remote_id or "")
        if there is not None and change.address.kind == "label":
            assert not account.policy.ignores("label", there["name"]), "an ignored label is planned"
            protected = account.policy.protects("label", there["name"])
            assert not (protected and change.action is Action.DELETE), "a protected label is deleted"
        if change.action is Action.ADD and change.address.kind == "label":
            assert not account.policy.ignores("label", str(change.want["name"])), "an ignored label is added"


def carried(live: Live, account: Account) -> dict[str, set[str]]:
    """Return for each lead the ignored labels that it carries."""
    ignored = {id_ for id_, label in live.labels.items() if account.policy.ignores("label", label["name"])}
    return {id_: set(lead["label_ids"]) & ignored for id_, lead in live.leads.items()}


@settings(max_examples=WORLDS)
@given(worlds())
def test_no_run_touches_an_ignored_or_deletes_a_protected_label(
    world: tuple[dict[str, Any], Account, Account],
) -> None:
    seed, account, later = world
    live = Live(seed)
    for rollback in (False, True):
        who = later if rollback else account
        labels, lists, heard = live.labels, carried(live, who), Recording()
        plan, _ = live.apply(who, heard)
        later = replace(later, receipt=heard.receipt(plan), desired=())
        holds(who, labels, plan)
        for id_, label in labels.items():
            if who.policy.ignores("label", label["name"]):
                assert live.labels[id_] == label
            if who.policy.protects("label", label["name"]):
                assert id_ in live.labels
        for id_, before in lists.items():
            assert id_ not in live.leads or before <= set(live.leads[id_]["label_ids"]), "a lead lost an ignored label"
