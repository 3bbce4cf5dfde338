"""Accounts side by side: what goes wrong in one is its own result; what an apply left is read again and said."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest

from leadstate.engine.jobs import AT_ONCE, AccountJob, each, failure_of
from leadstate.engine.run import (
    Applied,
    Settings,
    _lock_after,
    apply_all,
    plan_all,
    skip_all,
    unread,
)
from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import Address, Ref, Target
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountPlan, Outcome, Status
from leadstate.model.resource import Bindings, Desired, Lookup
from leadstate.pipedrive.connection import Connection, Spent
from leadstate.pipedrive.errors import BadAnswer, BudgetSpent
from leadstate.pipedrive.pagination import AT_ONCE as PAGES_AT_ONCE
from tests.harness.builders import FREE, HERE, ORDER, account, label, lead, live_lead, planned, refs, shown
from tests.harness.connections import NOWHERE
from tests.harness.fake_api import Fake, Heard, ends, failed, ok

GONE = Diagnostic("x", Severity.WARNING, "x")
ERROR = Diagnostic("x", Severity.ERROR, "x")


def job(connection: Connection, name: str, *desired: Desired, **of_account: object) -> AccountJob:
    moved = tuple(replace(item, address=replace(item.address, account=name)) for item in desired)
    found = replace(Account(name, "http://127.0.0.1:1", "ns", FREE, moved), **of_account)  # type: ignore[arg-type]  # any
    return AccountJob(found, connection)


def apply(
    fake: Fake, *desired: Desired, heard: Heard | None = None, **of_account: object
) -> tuple[AccountPlan, Applied]:
    """Plan and apply one account, and read it again."""

    async def main(connection: Connection) -> tuple[AccountPlan, Applied]:
        work = [job(connection, "emea", *desired, **of_account)]
        plans = await plan_all(work, Settings())
        fake.sent.clear()
        (applied,) = await apply_all(work, plans, Settings(), () if heard is None else (heard,))
        return plans[0], applied

    return fake.connect(main)


def look_at(fake: Fake, *desired: Desired, settings: Settings, **of_account: object) -> AccountPlan:
    async def main(connection: Connection) -> AccountPlan:
        return (await plan_all([job(connection, "emea", *desired, **of_account)], settings))[0]

    return fake.connect(main)


MISTAKE = "{}: this is a bug in leadstate"
NO_VALUE = "an answer contains a value that cannot be used ({})"


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (KeyError("k"), "internal", MISTAKE),
        (OSError("full"), "internal", MISTAKE),
        (OverflowError("year 9999"), "bad-answer", NO_VALUE),
        (RecursionError(), "bad-answer", NO_VALUE),
    ],
)
def test_an_exception_in_one_account_does_not_stop_the_others(failure: Exception, code: str, words: str) -> None:
    ended: list[str] = []

    async def do(work: AccountJob) -> str:
        await asyncio.sleep(0)
        if work.account.name == "b":
            raise failure
        return work.account.name

    def fail(_: AccountJob, diagnostic: Diagnostic) -> str | Diagnostic:
        return diagnostic

    async def main(connection: Connection) -> list[str | Diagnostic]:
        work = [job(connection, name) for name in "abc"]
        return await each(work, do, fail, lambda work: ended.append(work.account.name))

    first, second, third = Fake().connect(main)
    assert (first, third) == ("a", "c")
    assert isinstance(second, Diagnostic)
    assert (second.code, second.severity, second.account) == (code, Severity.ERROR, "b")
    assert second.summary == words.format(type(failure).__name__)
    hints = {"internal": "run again with `--log-level debug` and report what it prints", "bad-answer": BadAnswer.fix}
    assert second.hint == hints[code]
    assert sorted(ended) == ["a", "b", "c"]


def test_an_error_with_a_name_keeps_it() -> None:
    found = failure_of(BudgetSpent("getLeads", "no tokens"), "emea")
    assert (found.code, found.account, found.summary) == ("budget-spent", "emea", "getLeads: no tokens")


def test_32_accounts_are_worked_on_at_a_time() -> None:
    under_way = most = 0

    async def do(_: AccountJob) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    async def main(connection: Connection) -> None:
        await each([job(connection, str(number)) for number in range(2 * AT_ONCE)], do, lambda *_: None)

    Fake().connect(main)
    assert most == AT_ONCE == 32


def test_an_internal_error_while_planning_is_an_error_of_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> dict[str, int]:
        raise KeyError

    monkeypatch.setattr("leadstate.engine.run.guard", fails)

    plan = look_at(Fake(), label("Hot"), settings=Settings())
    assert not plan.complete
    assert [found.code for found in plan.diagnostics] == ["internal"]


def test_each_planned_account_is_reported() -> None:
    ended: list[str] = []

    async def main(connection: Connection) -> None:
        work = [job(connection, name, label("Hot")) for name in "ab"]
        await plan_all(work, Settings(), lambda done: ended.append(done.account.name))

    Fake().connect(main)
    assert sorted(ended) == ["a", "b"]


def plan_with(*diagnostics: Diagnostic, changes: int = 0) -> AccountPlan:
    plan = planned(account(*(label(f"L{number}") for number in range(changes))))
    return replace(plan, diagnostics=diagnostics)


DONE = {Address("emea", "label", "Hot"): Outcome(Status.APPLIED)}


@pytest.mark.parametrize(
    ("applied", "converged", "settled"),
    [
        (Applied(DONE, Spent(), plan_with()), True, True),
        (Applied({}, Spent(), plan_with()), True, True),
        (Applied(DONE, Spent(), plan_with(GONE)), True, True),
        (Applied(DONE, Spent(), plan_with(ERROR)), False, False),
        (Applied(DONE, Spent(), plan_with(GONE, ERROR)), False, False),
        (Applied(DONE, Spent(), plan_with(changes=1)), False, False),
        (Applied(DONE, Spent(), None), False, False),
        (Applied({**DONE, Address("emea", "label", "x"): Outcome(Status.UNKNOWN)}, Spent(), plan_with()), True, False),
    ],
)
def test_an_apply_is_settled_if_all_is_applied_and_nothing_remains(
    applied: Applied, *, converged: bool, settled: bool
) -> None:
    assert (applied.converged, applied.settled) == (converged, settled)


def test_an_account_is_refreshed_after_its_apply() -> None:
    fake = Fake()
    plan, applied = apply(fake, label("Hot"))
    assert applied.settled
    assert fake.sent == ["GET leadLabels", "POST leadLabels", "GET leadLabels"]
    assert (applied.spent.requests, applied.spent.tokens) == (2, 20)
    assert applied.remaining is not None
    assert (applied.remaining.named, applied.remaining.bindings) == ((), Bindings())
    assert applied.unread == ""
    assert plan.applyable


def test_a_label_of_the_same_name_made_meanwhile_is_an_error_that_remains() -> None:
    fake = Fake()
    fake.before["POST leadLabels", 0] = lambda: fake.label("theirs", "Hot", "blue")
    _, applied = apply(fake, label("Hot"))
    assert set(ends(applied.outcomes).values()) == {"applied"}
    assert applied.remaining is not None
    assert [found.code for found in applied.remaining.diagnostics] == ["ambiguous"]
    assert not applied.settled


def test_a_second_lead_with_a_marker_is_an_error_that_remains_although_the_lock_file_knows_an_id() -> None:
    """The list is read, though the lead that was created could be read by its id for less."""
    fake = Fake().with_lead("known", "ns:a", title="a")
    fake.before["POST leads", 0] = lambda: fake.lead("theirs", "ns:b", title="b")
    _, applied = apply(fake, lead("a"), lead("b"), lock={Ref("lead", "a"): "known"})
    assert applied.remaining is not None
    assert [found.code for found in applied.remaining.diagnostics] == ["ambiguous"]


def test_a_failed_refresh_after_an_apply_keeps_its_reason() -> None:
    fake = Fake()
    spent = failed(429, "daily budget spent")
    fake.before["GET leadLabels", 1] = lambda: spent
    _, applied = apply(fake, label("Hot"))
    assert applied.remaining is None
    assert applied.spent.requests == 2
    assert applied.unread == "getLeadLabels: daily budget spent (429, daily budget spent)"
    assert not applied.settled


def test_an_internal_error_during_the_refresh_loses_no_outcome(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake()

    def fails(*_: object) -> None:
        raise KeyError

    fake.after["POST leadLabels", 0] = lambda: monkeypatch.setattr("leadstate.engine.run.plan_of", fails)
    with caplog.at_level("DEBUG", "leadstate"):
        _, applied = apply(fake, label("Hot"))
    assert ends(applied.outcomes) == {"label:Hot": "applied"}
    assert applied.remaining is None
    assert applied.unread == "KeyError: this is a bug in leadstate"
    assert "internal error in emea" in caplog.messages


def test_an_internal_error_while_applying_is_an_error_of_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("leadstate.engine.run.execute", fails)
    _, applied = apply(Fake(), label("Hot"))
    assert applied == Applied({}, Spent(), None, "KeyError: this is a bug in leadstate")


@pytest.mark.parametrize(("lock", "lists"), [({Ref("lead", "a"): "1"}, 0), ({}, 1)])
def test_leads_are_listed_again_if_the_apply_learnt_an_id(lock: Mapping[Ref, str], lists: int) -> None:
    """A list shows a second lead of a marker, which may have been made meanwhile."""
    fake = Fake().with_lead("1", "ns:a", title="old")
    _, applied = apply(fake, lead("a"), lock=lock)
    assert applied.settled
    assert fake.sent.count("GET leads") == lists


def test_ids_learnt_by_an_apply_replace_those_of_the_lock_file() -> None:
    plan = planned(account(lead("a")), live_lead("a", remote_id="1", title="old"))
    remembered = {Ref("lead", "former"): "1", Ref("lead", "b"): "2", Ref("label", "x"): "1"}
    assert _lock_after(remembered, plan) == {
        Ref("lead", "a"): "1",
        Ref("lead", "b"): "2",
        Ref("label", "x"): "1",
    }


def test_a_lead_archived_by_the_apply_is_found_in_an_archive_of_any_length() -> None:
    fake = Fake(sorts=False).with_leads("old", 501, is_archived=True)
    wanted = replace(lead("a", archived=True), leave_gone=False)
    policy = replace(FREE, archived_pages=1)
    _, applied = apply(fake, wanted, policy=policy, lock={Ref("lead", "a"): "dead"})
    assert applied.outcomes == {}, "it may be in the part of the archive that was not read"
    fake.lead("live", "ns:a", title="a")
    _, applied = apply(fake, wanted, policy=policy, lock={Ref("lead", "a"): "dead"})
    assert set(ends(applied.outcomes).values()) == {"applied"}
    assert applied.settled


def test_a_lead_created_and_archived_by_the_apply_is_found_by_its_id() -> None:
    fake = Fake(sorts=False).with_leads("old", 501, is_archived=True)

    async def main(connection: Connection) -> Applied:
        work = [job(connection, "emea", lead("a", archived=True), policy=replace(FREE, archived_pages=1))]
        settings = Settings(allow=frozenset({"archived-unknown"}))
        plans = await plan_all(work, settings)
        assert plans[0].applyable
        return (await apply_all(work, plans, settings))[0]

    applied = fake.connect(main)
    assert set(ends(applied.outcomes).values()) == {"applied"}
    assert applied.settled


def test_a_skipped_account_says_why() -> None:
    plan = planned(account(label("Hot")))
    assert skip_all(plan) == Applied({}, Spent(), plan)
    skipped = skip_all(plan, "because us failed")
    assert [(outcome.status, outcome.detail) for outcome in skipped.outcomes.values()] == [
        (Status.SKIPPED, "because us failed")
    ]
    unread = skip_all(replace(plan, complete=False, diagnostics=(GONE, ERROR)))
    assert unread == Applied({}, Spent(), None, "x")


def test_an_account_without_changes_or_that_is_refused_is_not_refreshed() -> None:
    fake = Fake().with_label("hot", "Hot")
    plan, applied = apply(fake, label("Hot"))
    assert fake.sent == []
    assert applied == Applied({}, Spent(), plan)
    fake.label("twin", "Hot")
    plan, applied = apply(fake, label("Hot"))
    assert fake.sent == []
    assert applied == Applied({}, Spent(), plan)
    assert not applied.settled


def test_an_unreadable_account_says_why_it_was_not_applied() -> None:
    fake = Fake()
    fake.before["GET leadLabels", 0] = lambda: failed(401)
    _, applied = apply(fake, label("Hot"))
    assert (applied.remaining, applied.outcomes) == (None, {})
    assert applied.unread.startswith("getLeadLabels: 401")


def test_the_plan_of_an_unreadable_account_holds_only_the_reason() -> None:
    where = account(label("Hot"))
    assert unread(where, ERROR) == AccountPlan(
        "emea", where.origin, (), (), 0, (ERROR,), Bindings(), complete=False, named=(), reading=""
    )
    assert not unread(where, ERROR).complete
    assert skip_all(unread(where, GONE)).unread == ""


def test_an_internal_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    failure = KeyError("k")
    with caplog.at_level("DEBUG", "leadstate"):
        failure_of(failure, "emea")
        failure_of(OverflowError(), "emea")
        failure_of(BudgetSpent("getLeads", "no tokens"), "emea")
    (record,) = caplog.records
    assert record.getMessage() == "internal error in emea"
    assert record.exc_info is not None
    assert record.exc_info[1] is failure


@pytest.mark.parametrize(
    ("policy", "chosen", "allow", "refused"),
    [
        (None, None, (), False),
        (20, None, (), False),
        (19, None, (), True),
        (19, 20, (), False),
        (100, 19, (), True),
        (19, None, ("max-tokens",), False),
        (0, None, (), True),
        (100, 0, (), True),
    ],
)
def test_a_chosen_token_limit_overrides_the_policy(
    policy: int | None, chosen: int | None, allow: tuple[str, ...], *, refused: bool
) -> None:
    settings = Settings(max_tokens=chosen, allow=frozenset(allow))
    plan = look_at(Fake(), label("Hot"), settings=settings, policy=replace(FREE, max_tokens=policy))
    against = [found.code for found in plan.diagnostics if found.severity is not Severity.WARNING]
    assert against == (["max-tokens"] if refused else [])
    assert plan.applyable is not refused


def with_tokens(fake: Fake, left: int, a_day: int = 1000) -> None:
    """Let the first listing of labels tell how many tokens are left today."""
    told = {"x-daily-ratelimit-token-remaining": str(left), "x-daily-ratelimit-token-limit": str(a_day)}

    def labels() -> httpx.Response:
        answer = ok([*fake.labels.values()])
        answer.headers.update(told)
        return answer

    fake.sent.clear()
    fake.before["GET leadLabels", 0] = labels


def test_the_reserve_is_counted_from_the_budget_that_the_server_reports_and_what_reading_again_costs() -> None:
    fake = Fake()
    # 20 for the apply, and 10 to read the labels again.
    for left, reserve, refused in ((40, 11, True), (40, 10, False), (30, 0, False), (29, 0, True)):
        with_tokens(fake, left, 100)
        plan = look_at(fake, label("Hot"), settings=Settings(reserve=reserve))
        assert [found.code for found in plan.diagnostics] == (["reserve"] if refused else [])
        assert plan.applyable is not refused
    words = "apply and read-back cost 30 rate-limit tokens; 29 are left today"
    assert plan.diagnostics[0].summary == words


class Metered(Fake):
    """Tells in each answer how many tokens are left, as Pipedrive does: a page of leads costs 20, of labels 10."""

    left = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= 10 if request.url.path.endswith("leadLabels") else 20
        answer = await super().handle_async_request(request)
        answer.headers["x-daily-ratelimit-token-remaining"] = str(self.left)
        return answer


@pytest.mark.parametrize("declares", ["nothing", "a lead", "an owned lead"])
def test_a_list_that_costs_more_than_is_left_today_is_not_read(declares: str) -> None:
    fake = Metered().with_label("old", "Old").with_leads("x", 6000, "old")
    wanted = {"nothing": (label("Old", present=False),), "a lead": (lead("a"),), "an owned lead": (lead("a"),)}[
        declares
    ]
    policy = replace(FREE, prune_rules={"lead": Prune.OWNED if declares == "an owned lead" else Prune.NONE})

    def plan(left: int) -> AccountPlan:
        async def main(connection: Connection) -> AccountPlan:
            connection.lengths["getLeads"] = 13
            return (await plan_all([job(connection, "emea", *wanted, policy=policy)], Settings()))[0]

        fake.sent.clear()
        fake.left = left
        return fake.connect(main)

    assert plan(10 + 260).complete
    assert fake.sent.count("GET leads") == 13
    short = plan(10 + 259)
    # A list that is read whatever the labels are does not wait for their answer, which tells what is left.
    assert fake.sent.count("GET leads") == (0 if declares == "nothing" else PAGES_AT_ONCE)
    (found,) = short.diagnostics
    assert found.code == "budget-spent"
    assert found.summary.startswith("getLeads: the listing was not read: its 13 pages cost 260 rate-limit tokens; ")
    assert not short.complete


def test_all_archived_leads_are_not_read_if_they_would_cost_more_than_is_left_today() -> None:
    fake = Fake().with_label("old", "Old")

    async def main(connection: Connection) -> AccountPlan:
        connection.lengths["getArchivedLeads"] = 3
        work = [job(connection, "emea", label("Old", present=False))]
        return (await plan_all(work, Settings(impact=ImpactLevel.FULL)))[0]

    def leads() -> httpx.Response:
        answer = ok([], pagination={"limit": 500, "more_items_in_collection": False})
        answer.headers["x-daily-ratelimit-token-remaining"] = "119"
        return answer

    fake.before["GET leads", 0] = leads
    assert [found.code for found in fake.connect(main).diagnostics] == ["budget-spent"]
    assert "GET leads/archived" not in fake.sent


def test_a_target_reads_and_plans_only_what_it_needs() -> None:
    policy = replace(FREE, prune_rules={"lead": Prune.OWNED})
    wanted = (label("Hot"), label("Cold"), lead("a"), lead("b"))
    for target, expected, leads in (
        ("label:Hot", ["+ label:Hot"], 0),
        ("lead:a", ["+ lead:a"], 1),
        ("emea/lead:b", ["+ lead:b"], 1),
        ("us/lead:b", [], 1),
    ):
        fake = Fake()
        chosen = Settings(targets=(Target.parse(target, ORDER),))
        plan = look_at(fake, *wanted, settings=chosen, policy=policy)
        assert shown(plan) == expected
        assert fake.sent.count("GET leads") == leads, target
    fake = Fake().with_lead("1", "ns:gone")
    assert shown(look_at(fake, settings=Settings(), policy=policy)) == ["- lead:gone"]


@pytest.mark.parametrize("key", ["a", "locked"])
def test_a_target_deletes_no_lead_that_another_key_declares(key: str) -> None:
    policy = replace(FREE, prune_rules={"lead": Prune.OWNED})
    owner = Lookup("owner", "email", "sam@acme.test", HERE)
    wanted = (lead("b", owner=owner, labels=refs()), replace(lead("c"), former=("ns:a",)))
    fake = Fake().with_label("1", "Hot").with_lead("1", "ns:b", "1").with_lead("2", "ns:a", "1")
    remembered = Account("emea", NOWHERE, "ns", policy, wanted, lock={Ref("lead", "locked"): "1"})
    targets = (Target.parse(f"lead:{key}", ORDER),)
    plan = fake.plan_account(remembered, Settings(targets=targets))
    assert (shown(plan), plan.diagnostics) == ([], ())
    assert set(fake.sent) <= {"GET leadLabels", "GET leads"}


def test_a_target_deletes_the_duplicate_that_the_declaration_under_another_key_gives_up() -> None:
    policy = replace(FREE, prune_rules={"lead": Prune.OWNED})
    wanted = replace(lead("b", title="1"), former=("ns:a",), keep=frozenset({"1"}))
    fake = Fake().with_lead("1", "ns:a").with_lead("2", "ns:b")
    whole = look_at(fake, wanted, settings=Settings(), policy=policy)
    assert shown(whole) == ["- lead:b#2"]
    for key, expected in (("a", []), ("b", []), ("b#2", ["- lead:b#2"])):
        targeted = Settings(targets=(Target(None, "lead", key),))
        assert shown(look_at(fake, wanted, settings=targeted, policy=policy)) == expected


def test_a_label_is_deleted_from_its_day_on() -> None:
    fake = Fake().with_label("old", "Old")
    old = replace(label("Old", present=False), not_before="2027-01-31")
    assert shown(look_at(fake, old, settings=Settings(today=dt.date(2027, 1, 30)))) == []
    assert shown(look_at(fake, old, settings=Settings(today=dt.date(2027, 1, 31)))) == ["- label:Old"]
    assert shown(look_at(fake, old, settings=Settings())) == ["- label:Old"]


def test_an_interrupt_before_the_first_change_skips_all() -> None:
    fake, interrupted = Fake(), asyncio.Event()
    interrupted.set()

    async def main(connection: Connection) -> Applied:
        work = [job(connection, "emea", label("Hot"))]
        plans = await plan_all(work, Settings())
        return (await apply_all(work, plans, Settings(), (), interrupted))[0]

    applied = fake.connect(main)
    assert [(outcome.status, outcome.detail) for outcome in applied.outcomes.values()] == [
        (Status.SKIPPED, "because the run was interrupted")
    ]
    assert fake.writes() == []


@pytest.mark.parametrize("impact", ImpactLevel)
def test_the_leads_of_a_merge_are_part_of_the_forecast_however_impact_is_counted(impact: ImpactLevel) -> None:
    fake = Fake().with_label("old", "Old").with_label("hot", "Hot").with_leads("x", 5, "old")
    merged = replace(label("Old", present=False), moves_to=label("Hot").address.ref)
    planned_ = look_at(fake, label("Hot"), merged, settings=Settings(impact=impact, max_tokens=100))
    assert [found.code for found in planned_.diagnostics if found.severity is Severity.GUARD] == ["max-tokens"]
    fake.sent.clear()
    assert fake.plan(label("Hot"), merged, impact=impact).forecast == (14, 106)


def test_leads_are_not_counted_without_impact_for_a_label_that_is_deleted_and_not_merged() -> None:
    fake = Fake().with_label("old", "Old").with_leads("x", 5, "old")
    plan = look_at(fake, label("Old", present=False), settings=Settings(impact=ImpactLevel.NONE))
    assert fake.sent == ["GET leadLabels"]
    assert [change.impact and change.impact.leads for change in plan.changes] == [None]
