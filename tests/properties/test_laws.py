"""Laws that hold for every declared and every live state: an apply converges, unmanaged objects stay as they are."""

from dataclasses import replace
from typing import Any

import httpx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Applied, Settings, apply_all, plan_all
from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import Target
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import AccountPlan, Action, Change, Status, fingerprint
from leadstate.pipedrive.connection import Connection
from leadstate.sandbox import Sandbox
from tests.harness.connections import connect
from tests.harness.random_accounts import KEYS, declarations, live_accounts, misremembers


def run(sandbox: Sandbox, account: Account) -> tuple[AccountPlan, Applied, AccountPlan, list[str]]:
    """Plan, apply, plan again; the last value holds the methods that the first plan used."""
    methods: list[str] = []

    async def note(request: httpx.Request) -> None:
        methods.append(request.method)

    async def main(connection: Connection) -> tuple[AccountPlan, Applied, AccountPlan, list[str]]:
        connection._http.event_hooks = {"request": [note], "response": []}  # noqa: SLF001  the way to the client
        work, chosen = [AccountJob(account, connection)], Settings(impact=ImpactLevel.LIVE)
        plans = await plan_all(work, chosen)
        reading = list(methods)
        applied = await apply_all(work, plans, chosen)
        again = await plan_all(work, chosen)
        return plans[0], applied[0], again[0], reading

    return connect(httpx.ASGITransport(sandbox.app), main)


def leads(sandbox: Sandbox) -> dict[str, Any]:
    return {lead["id"]: lead for lead in sandbox.dump()["companies"][0]["leads"]}


def labels(sandbox: Sandbox) -> dict[str, Any]:
    return {label["id"]: label for label in sandbox.dump()["companies"][0]["labels"]}


@settings(max_examples=150)
@given(live_accounts(), declarations())
def test_an_apply_converges_and_unmanaged_objects_keep_what_they_have(live: dict[str, Any], account: Account) -> None:
    assume(not misremembers(account, live))
    sandbox = Sandbox(live, burst=100_000, daily=None)
    before_leads, before_labels = leads(sandbox), labels(sandbox)
    plan, applied, again, reading = run(sandbox, account)

    assert set(reading) == {"GET"}
    if account.lock and not plan.applyable:
        # What is remembered and what has the name are two: an error that lists them, and nothing is done. Or what is
        # remembered has the title and no marker: whoever made it, another one is not created without a question.
        against = {diagnostic.code for diagnostic in plan.diagnostics if diagnostic.severity is not Severity.WARNING}
        assert against <= {"ambiguous", "created-altered"}
        assert applied.outcomes == {}
        return
    assert plan.applyable, plan.diagnostics
    assert {outcome.status for outcome in applied.outcomes.values()} <= {Status.APPLIED}, applied.outcomes
    assert again.changes == ()
    assert applied.remaining is not None
    assert applied.remaining.changes == ()

    after_leads, after_labels = leads(sandbox), labels(sandbox)
    markers = [lead["origin_id"] for lead in after_leads.values() if lead["origin_id"]]
    assert len(markers) == len(set(markers)), "a second lead with one marker"
    gone = before_labels.keys() - after_labels.keys()
    ids = {label["name"]: id_ for id_, label in (before_labels | after_labels).items()}
    moved = {
        ids[desired.names[0]]: ids[desired.moves_to.key]
        for desired in account.of_kind("label")
        if desired.moves_to and ids.get(desired.names[0]) in gone
    }
    for id_, lead in before_leads.items():
        if not (lead["origin_id"] or "").startswith("ns:") and id_ not in account.locked:
            moves = {} if lead["is_archived"] else moved
            kept = dict.fromkeys(moves.get(id_, id_) for id_ in lead["label_ids"] if id_ in moves or id_ not in gone)
            touched = {"label_ids": list(kept), "update_time": after_leads[id_]["update_time"]}
            assert after_leads[id_] == {**lead, **touched}, "an unmanaged lead was touched"
    for id_, label in before_labels.items():
        declared = any(label["name"] in desired.names for desired in account.of_kind("label"))
        if not declared and id_ not in account.locked and account.policy.prune("label") is Prune.NONE:
            assert after_labels[id_] == label, "an undeclared label was touched"


@settings(max_examples=50)
@given(live_accounts(), declarations())
def test_the_forecast_is_what_the_meter_counts(live: dict[str, Any], account: Account) -> None:
    assume(not misremembers(account, live))
    sandbox = Sandbox(live, burst=100_000, daily=None)
    plan, applied, _, _ = run(sandbox, account)
    if not plan.applyable:
        assert applied.spent.tokens == 0
        return
    assert applied.spent.tokens == plan.forecast[1]
    _, second, _, _ = run(sandbox, account)
    assert second.spent.tokens == 0
    assert sandbox.meter.refused == 0


@settings(max_examples=50)
@given(live_accounts(), declarations())
def test_the_same_input_gives_the_same_plan(live: dict[str, Any], account: Account) -> None:
    shuffled = {**live, "labels": live["labels"][::-1]}
    other = replace(account, desired=account.desired[::-1])
    first, *_ = run(Sandbox(live, burst=100_000, daily=None), account)
    second, *_ = run(Sandbox(shuffled, burst=100_000, daily=None), other)
    assert first.changes == second.changes
    assert fingerprint(first) == fingerprint(second)


@st.composite
def targeted(draw: st.DrawFn) -> tuple[dict[str, Any], Account, Target]:
    """Draw a company, what is declared of it under keys that have changed, and a target that may be a former one."""
    live, account = draw(live_accounts()), draw(declarations())
    former = iter(draw(st.permutations([*(key for key in KEYS if key not in account.keys), "x", "y", "z"])))
    ids, before, declared = [lead["id"] for lead in live["leads"]] or ["-"], [], []
    for desired in account.desired:
        if desired.marker and draw(st.booleans()):
            before.append(next(former))
            keep = frozenset(draw(st.lists(st.sampled_from(ids), max_size=1)))
            declared.append(replace(desired, former=(f"ns:{before[-1]}",), keep=keep))
            # Most leads of a key that has changed were created before.
            for lead in live["leads"]:
                if lead["origin_id"] == desired.marker and draw(st.booleans()):
                    lead["origin_id"] = f"ns:{before[-1]}"
        else:
            declared.append(desired)
    keys = [*before, *(ref.key for ref in account.lock if ref.kind == "lead")] or KEYS
    kind, key = draw(st.sampled_from([*(("lead", key) for key in keys), ("lead", "a"), ("label", "Hot")]))
    return live, replace(account, desired=tuple(declared)), Target(None, kind, key)


@settings(max_examples=150)
@given(targeted())
def test_a_target_plans_nothing_that_the_whole_plan_does_not(
    world: tuple[dict[str, Any], Account, Target],
) -> None:
    live, account, target = world
    assume(not misremembers(account, live))

    async def main(connection: Connection) -> list[AccountPlan]:
        work = [AccountJob(account, connection)]
        return [plan for chosen in (Settings(), Settings(targets=(target,))) for plan in await plan_all(work, chosen)]

    sandbox = Sandbox(live, burst=100_000, daily=None)
    whole, limited = connect(httpx.ASGITransport(sandbox.app), main)
    # Only a plan that has to look for another lead in the archive sees a second one of the same marker there.
    unclear = {told.address for told in whole.diagnostics if told.code == "ambiguous"}
    beyond = [
        change
        for change in map(bare, limited.changes)
        if change not in map(bare, whole.changes) and (change.action is Action.DELETE or change.address not in unclear)
    ]
    assert beyond == []


def bare(change: Change) -> Change:
    """Return a change without what comes first and how much it weighs, which is of the plan that it stands in."""
    return replace(change, after=(), impact=None, carriers=None, pages=0, calls=())
