"""Laws of applies in which some changes are declined: none of them sends a request, and what needs one follows it."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import httpx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadstate.engine.apply.execute import decline
from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Applied, Settings, apply_all, plan_all
from leadstate.kinds import with_calls
from leadstate.model.account import Account
from leadstate.model.address import Address
from leadstate.model.plan import AccountPlan, Status
from leadstate.pipedrive.connection import Connection
from leadstate.sandbox import Sandbox
from tests.harness.connections import connect
from tests.harness.random_accounts import declarations, live_accounts, misremembers

Choice = Collection[Address]


def run(sandbox: Sandbox, account: Account, data: st.DataObject) -> tuple[AccountPlan, Choice, Applied, AccountPlan]:
    """Plan, decline some changes, apply the others, plan again."""

    async def main(connection: Connection) -> tuple[AccountPlan, Choice, Applied, AccountPlan]:
        work = [AccountJob(account, connection)]
        (plan,) = await plan_all(work, Settings())
        addresses = [change.address for change in plan.changes]
        chosen = data.draw(st.sets(st.sampled_from(addresses))) if addresses else set()
        declined = decline(plan, chosen)
        (applied,) = await apply_all(work, [plan], Settings(), declined={account.name: declined})
        (again,) = await plan_all(work, Settings())
        return plan, chosen, applied, again

    return connect(httpx.ASGITransport(sandbox.app), main)


def objects(sandbox: Sandbox) -> dict[str, Any]:
    company = sandbox.dump()["companies"][0]
    return {row["id"]: row for row in (*company["leads"], *company["labels"])}


@settings(max_examples=150)
@given(live_accounts(), declarations(), st.data())
def test_no_declined_change_sends_a_request_and_what_needs_one_is_declined_with_it(
    live: dict[str, Any], account: Account, data: st.DataObject
) -> None:
    assume(not misremembers(account, live))
    sandbox = Sandbox(live, burst=100_000, daily=None)
    before = objects(sandbox)
    plan, chosen, applied, again = run(sandbox, account, data)
    assume(plan.applyable and plan.changes)

    ends = applied.outcomes
    assert {end.status for end in ends.values()} <= {Status.APPLIED, Status.DECLINED}, ends
    declined = {address for address, end in ends.items() if end.status is Status.DECLINED}
    assert declined >= set(chosen)
    for change in plan.changes:
        if change.address not in declined:
            assert declined.isdisjoint(change.after), "a change was made without what it needs"

    agreed = tuple(change for change in plan.changes if change.address not in declined)
    assert applied.spent.tokens == replace(plan, changes=with_calls(agreed)).forecast[1]

    after = objects(sandbox)
    names = [row["name"] for row in after.values() if "color" in row]
    assert len(names) == len(set(names)), "two labels of one name"
    touched = {change.remote_id for change in agreed}
    moved_or_gone = {change.remote_id for change in agreed if change.address.kind == "label"}
    for change in plan.changes:
        if change.address in declined and change.remote_id is not None and change.remote_id not in touched:
            was, now = before[change.remote_id], after[change.remote_id]
            if moved_or_gone.isdisjoint(was.get("label_ids", ())):
                assert now == was, "an object of a declined change was changed"
    left = {change.remote_id or str(change.address) for change in again.changes}
    assert left == {c.remote_id or str(c.address) for c in plan.changes if c.address in declined}, (
        "not what was declined"
    )
    assert applied.settled
