"""Random worlds in which real processes are started two at once, or are killed, and in which people work after a plan.

Whatever happens: nothing exists twice, nothing is gone that the plan did not name, a receipt names every write that the
server was sent, a run says what it has spent to the token, and the next run ends as if nothing had happened.
"""

import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadstate.api.receipts import read_report
from leadstate.sandbox import TOKEN_COSTS, Sandbox
from tests.faults.conftest import Counted
from tests.faults.test_random_restores import Since, check_as_before, set_up
from tests.harness.commands import Ended, Folder, folder
from tests.harness.disturbed_company import LONG, State, image, state
from tests.harness.disturbed_process import PATIENCE, Process, Sent, receipts
from tests.harness.faults import PASSING, Fault, Faults
from tests.harness.random_companies import HANDS, SELDOM, Hand, World, worlds
from tests.harness.random_runs import (
    Company,
    Worlds,
    check_deletes,
    check_no_duplicates,
    check_receipts,
    deletes_of,
    ids_of,
    many_worlds,
    tokens_of,
)

RUNS, PLANS = (300, 2_000) if LONG else (3, 40)
LATENCY = 0.02
"""Seconds that the server takes for each answer while two applies run."""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@dataclass(frozen=True)
class Pair:
    """How two applies meet.

    Attributes:
        scopes: the accounts of each; they have one in common.
        folders: whether they run in one folder or in two.
        waits: whether they wait for each other.
        request: the request of the first one at which the second one is started, and until the second one waits or has
            ended the first one gets no answer; 0 starts both at once.
        fault: what goes wrong.
    """

    scopes: tuple[Sequence[str], Sequence[str]]
    folders: int
    waits: bool
    request: int
    fault: Fault | None

    @property
    def shared(self) -> str:
        """An account of both."""
        return next(name for name in self.scopes[0] if name in self.scopes[1])


@st.composite
def pairs(draw: st.DrawFn, names: Sequence[str]) -> Pair:
    shared = draw(st.sampled_from(names))
    scopes = tuple([name for name in names if name == shared or draw(st.booleans())] for _ in range(2))
    fault = st.builds(Fault, st.sampled_from(PASSING), st.integers(1, 20))
    return Pair(
        (scopes[0], scopes[1]),
        draw(st.sampled_from((1, 2))),
        draw(st.booleans()),
        draw(st.integers(0, 20)),
        draw(fault) if draw(SELDOM) else None,
    )


@dataclass
class Runs:
    """Processes in one or two folders, with the reports that they write.

    Attributes:
        companies: the accounts by name.
        folders: where the processes run.
        start: what the accounts were when the runs began, or when people had worked last.
        named: what plans have named to be deleted.
        reports: what was written by the processes.
        planning: the tokens of plans that this process made.
    """

    companies: Mapping[str, Company]
    folders: Sequence[Path]
    start: dict[str, State] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    reports: list[Path] = field(default_factory=list)
    planning: int = 0

    def __post_init__(self) -> None:
        self.start = self.states

    @property
    def states(self) -> dict[str, State]:
        """What the accounts are now."""
        return {name: company.now for name, company in self.companies.items()}

    @property
    def tokens(self) -> int:
        """What the servers count, without plans of this process."""
        return sum(company.sandbox.meter.tokens for company in self.companies.values()) - self.planning

    @property
    def receipts(self) -> list[Path]:
        """The receipts, oldest first."""
        return [path for here in self.folders for path in receipts(here)]

    def plan(self, name: str) -> Ended:
        """Plan one account in this process."""
        spent = self.tokens
        here, words = Folder(self.folders[0]), ("plan", "--detailed-exitcode", "--account", name, "--format", "json")
        planned = here.run(self.companies[name].sandbox, *words)
        self.planning += self.tokens - spent
        return planned

    def process(self, here: int, *words: str) -> tuple[Process, Sequence[str]]:
        """Return a process that is not started yet, and its command; note what a plan deletes now."""
        for name in self.companies:
            self.named |= deletes_of(json.loads(self.plan(name).out))
        self.reports.append(self.folders[here] / f"report{len(self.reports)}.json")
        more = ("--auto-approve", "--format", "json", "-o", str(self.reports[-1]))
        return Process(self.folders[here]), (*words, *more)

    def run(self, *words: str) -> None:
        """Run a command in the first folder; it must end well, and say what the servers count."""
        spent = self.tokens
        process, command = self.process(0, *words)
        code, out, err = process.run(*command)
        assert code == 0, out + err
        assert tokens_of(self.reports[-1]) == self.tokens - spent
        self.check()

    def check(self) -> None:
        """Check the laws that hold at any moment."""
        written = [read_report(path) for path in self.receipts]
        for name, company in self.companies.items():
            check_no_duplicates((company.before, self.start[name]), company.now)
            check_deletes(self.start[name], company.now, self.named)
            check_receipts(company.gate.sent, name, written)

    def converge(self, *, same: bool = True) -> None:
        """Apply once more; check that nothing is left, and that every account is as if nothing had happened."""
        self.run("apply")
        for name, company in self.companies.items():
            planned = self.plan(name)
            assert planned.code == 0, planned.said
            assert not same or image(company.now) == company.undisturbed.image, name


def test_two_applies_of_random_worlds_create_no_duplicates(counted: Counted) -> None:
    @settings(max_examples=RUNS, suppress_health_check=list(HealthCheck))
    @given(many_worlds().flatmap(lambda made: st.tuples(st.just(made), pairs(made.names))))
    def check(drawn: tuple[Worlds, Pair]) -> None:
        made, pair = drawn
        with folder() as here, made.served(LATENCY) as (companies, urls):
            folders = [here.path / str(number) for number in range(pair.folders)]
            for path in folders:
                made.write(path, urls)
            runs = Runs(companies, folders)
            meet(runs, pair)
            runs.converge()
        counted("two applies of random worlds", 1)

    check()


def meet(runs: Runs, pair: Pair) -> None:
    """Run two applies as a pair says, and check how they end."""
    waiting = ("--lock-timeout", str(3 * PATIENCE)) if pair.waits else ()
    scopes = [[word for name in scope for word in ("--account", name)] for scope in pair.scopes]
    (first, word1), (second, word2) = (
        runs.process(here, "apply", *scope, *waiting)
        for here, scope in zip((0, len(runs.folders) - 1), scopes, strict=True)
    )
    shared = runs.companies[pair.shared]
    shared.sandbox.intercept = None if pair.fault is None else Faults(pair.fault)
    shared.gate.at = pair.request

    def start_second() -> None:
        running = second.start(*word2)
        if pair.waits:
            second.heard("Waiting up to")
        else:
            running.wait(PATIENCE)

    shared.gate.before = start_second
    first.start(*word1)
    if not pair.request:
        second.start(*word2)
    ended = [first.end(3 * PATIENCE)]
    shared.gate.at, held = 0, second.running is not None
    if not held:  # the first one did not make so many requests
        second.start(*word2)
    ended.append(second.end(3 * PATIENCE))
    shared.sandbox.intercept = None
    codes, said = [code for code, _, _ in ended], "\n".join(out + err for _, out, err in ended)
    if pair.waits or not held:
        assert codes == [0, 0], said
    elif pair.request:
        assert codes == [0, 3], said
    else:
        assert sorted(codes) in ([0, 0], [0, 3]), said
    for process, code, report in zip((second, first), codes, runs.reports, strict=True):
        if code:
            assert process.running is not None
            text = report.read_text()
            # Between taking the lock and writing down whose it is, there is nobody to name.
            named = str(process.running.pid) in text or (not pair.request and "another run is at work" in text)
            assert named, f"the refused apply does not name the one that it met:\n{text}"
    # What a 429 costs is not documented: a run counts it, the sandbox does not.
    refused = shared.sandbox.meter.refused
    assert runs.tokens <= sum(map(tokens_of, runs.reports)) <= runs.tokens + refused * max(TOKEN_COSTS.values())
    runs.check()


@dataclass(frozen=True)
class Killed:
    """A process that is killed.

    Attributes:
        command: which one, `apply` or `restore`.
        account: the number of the account at whose request it happens.
        request: the number of the request, modulo those that there are.
        moment: whether that is `before` the request is done, or `after` it, with no answer.
        edits: what people do in that account afterwards.
        then: the commands that are run afterwards.
    """

    command: str
    account: int
    request: int
    moment: str
    edits: Sequence[Hand]
    then: Sequence[str]


KILLED = st.builds(
    Killed,
    st.sampled_from(("apply", "apply", "restore")),
    st.integers(0, 2),
    st.integers(0, 99),
    st.sampled_from(("before", "after")),
    st.just(()) | HANDS,
    st.sampled_from((("apply",), ("restore",), ("restore", "apply"))),
)


def test_a_killed_run_of_random_worlds_is_completed_or_restored(counted: Counted) -> None:
    @settings(max_examples=RUNS, suppress_health_check=list(HealthCheck))
    @given(many_worlds(), KILLED)
    def check(made: Worlds, killed: Killed) -> None:
        with folder() as here, made.served() as (companies, urls):
            made.write(here.path / "0", urls)
            runs = Runs(companies, [here.path / "0"])
            if killed.command == "restore":
                runs.run("apply")
                if not runs.receipts:  # there was nothing to do
                    return
            applied = runs.states
            receipt, now = kill(runs, killed)
            recover(runs, receipt, killed, made.world, now if killed.command == "apply" else applied)
        counted("runs of random worlds killed (SIGKILL)", 1)

    check()


def kill(runs: Runs, killed: Killed) -> tuple[Path | None, Mapping[str, State]]:
    """Run a command until it is killed, and let people work; return the receipt of the apply, and what there was then.

    There is no receipt where nothing was written.
    """
    words: Sequence[str] = ("apply",) if killed.command == "apply" else ("restore", str(runs.receipts[0]))
    process, command = runs.process(0, *words)
    companies = list(runs.companies.values())
    company = companies[killed.account % len(companies)]
    gate = company.gate
    gate.count, gate.at = 0, 1 + killed.request % company.undisturbed.requests
    setattr(gate, killed.moment, process.signal)
    code, out, err = process.run(*command)
    gate.at = 0
    assert code in (0, -signal.SIGKILL), out + err
    runs.check()
    receipt = Path(words[1]) if killed.command == "restore" else next(iter(runs.receipts), None)
    now = runs.states
    for hand in killed.edits:
        edit = hand.edit(company.now)
        assert edit is None or not edit.make(company.sandbox.companies[0])
    return receipt, now


def recover(runs: Runs, receipt: Path | None, killed: Killed, world: World, applied: Mapping[str, State]) -> None:
    """Run the commands that follow a kill, and check that they do what they do after a run that was not killed."""
    met = runs.start = runs.states
    if "restore" in killed.then and receipt is not None:
        runs.named |= {
            id_ for name, now in applied.items() for id_ in ids_of(now) - ids_of(runs.companies[name].before)
        }
        runs.run("restore", str(receipt))
        for name, company in runs.companies.items():
            if not killed.edits:
                check_as_before(company.before, applied[name], company.now)
            elif killed.command == "apply":
                Since(company.before, applied[name], met[name], company.now, killed=True).check()
        runs.start = runs.states
    restored = killed.command == "restore" or "restore" in killed.then
    if restored and not world.can_be_applied_again:
        return  # of two labels of one name, the one that the file merges by its id may have another id now
    if "apply" in killed.then or receipt is None:
        # A lead that a killed restore has deleted is still in the lock file, as one that people deleted is.
        forgotten = killed.command == "restore" and "restore" not in killed.then and world.lock
        runs.converge(same=not killed.edits and not forgotten and not world.archives_a_seed)


def test_people_who_work_between_plan_and_apply_are_noticed(counted: Counted) -> None:
    @settings(max_examples=PLANS)
    @given(worlds(), st.just(()) | HANDS)
    def check(world: World, edits: Sequence[Hand]) -> None:
        with folder() as here:
            sandbox = set_up(here, world)
            before = state(sandbox)
            planned = here.run(sandbox, "plan", "--out", "./plan.json")
            assert planned.code == 0, planned.said
            for hand in edits:
                edit = hand.edit(state(sandbox))
                assert edit is None or not edit.make(sandbox.companies[0])
            met = state(sandbox)
            applied = Applied(here, sandbox, (before, met))
            named = deletes_of(json.loads((here.path / "plan.json").read_text()))
            code = applied.run(named, "apply", "./plan.json", "--auto-approve")
            assert code == 0 or (code == 3 and edits and state(sandbox) == met)
            now = here.run(sandbox, "plan", "--format", "json")
            assert applied.run(named | deletes_of(json.loads(now.out)), "apply", "--auto-approve") == 0
            left = here.run(sandbox, "plan", "--detailed-exitcode")
            assert left.code == 0, left.said
        counted("plans that people came between", 1)

    check()


@dataclass(frozen=True)
class Applied:
    """Runs of this process after people have worked."""

    here: Folder
    sandbox: Sandbox
    before: Sequence[State]

    def run(self, named: frozenset[str], *words: str) -> int | None:
        """Run a command and check the laws; return its exit code."""
        start, spent = state(self.sandbox), self.sandbox.meter.tokens
        ended = self.here.run(self.sandbox, *words, "--format", "json", "-o", "./report.json")
        written = [read_report(path) for path in self.here.receipts]
        check_no_duplicates(self.before, state(self.sandbox))
        check_deletes(start, state(self.sandbox), named)
        check_receipts([Sent(step.method, step.path, step.body) for step in ended.writes], "emea", written)
        if ended.code == 0:
            assert tokens_of(self.here.path / "report.json") == self.sandbox.meter.tokens - spent
        return ended.code
