"""Random worlds of one to three accounts, each on a port of its own, and the laws that hold whatever happens to a run.

The laws look at an account from outside: what the server was sent and holds, what the plan named, and what the receipts
say. They need no knowledge of when exactly a process was killed, or of which of two runs was first.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from leadstate.report.document import Report, Touch
from leadstate.sandbox import Sandbox, running
from tests.harness.commands import Folder, folder
from tests.harness.disturbed_company import Body, State, Ticks, image, state
from tests.harness.disturbed_process import Gate, Sent
from tests.harness.random_companies import HANDS, World, worlds

NAMES = ("emea", "apac", "us")
Row = dict[str, Any]


@dataclass(frozen=True)
class Undisturbed:
    """What one apply does and comes to where nothing happens to it.

    Attributes:
        requests: how many requests it takes.
        image: the account afterwards.
    """

    requests: int
    image: Row = field(repr=False)


@dataclass(frozen=True)
class Company:
    """One account of a run: its sandbox, what it was, and what has been sent to it."""

    sandbox: Sandbox
    before: State = field(repr=False)
    undisturbed: Undisturbed
    gate: Gate = field(repr=False)

    @property
    def now(self) -> State:
        """What it holds now."""
        return state(self.sandbox)


@dataclass(frozen=True)
class Worlds:
    """A configuration with one to three accounts: the first is of a world, the others are that after people's work."""

    world: World
    seeds: Sequence[Body] = field(repr=False)

    @property
    def names(self) -> Sequence[str]:
        """Names of the accounts."""
        return NAMES[: len(self.seeds)]

    def document(self, urls: Mapping[str, str]) -> Body:
        """Return the configuration with these accounts."""
        accounts = {name: {"url": url, "token": {"env": "TOKEN"}} for name, url in urls.items()}
        return {**self.world.document, "accounts": accounts}

    def write(self, path: Path, urls: Mapping[str, str]) -> None:
        """Write configuration and lock file into a new folder."""
        path.mkdir()
        here = Folder(path)
        here.configure(self.document(urls))
        if self.world.lock:
            entries = {name: dict(self.world.lock) for name in urls}
            here.lock.write_text(json.dumps({"version": 1, "accounts": entries}), encoding="utf-8")

    @contextmanager
    def served(self, latency: float = 0.0) -> Iterator[tuple[Mapping[str, Company], Mapping[str, str]]]:
        """Serve each account; yield the accounts and their addresses."""
        companies = {}
        with ExitStack() as stack:
            urls = {}
            for name, seed in zip(self.names, self.seeds, strict=True):
                sandbox = _sandbox(seed, latency=latency)
                undisturbed = self._undisturbed(name, seed)
                companies[name] = Company(sandbox, state(sandbox), undisturbed, Gate(sandbox, every=True))
                urls[name] = stack.enter_context(running(companies[name].gate))
            yield companies, urls

    def _undisturbed(self, name: str, seed: Body) -> Undisturbed:
        sandbox = _sandbox(seed)
        with folder() as here:
            here.path.rmdir()
            self.write(here.path, {name: self.world.document["accounts"]["emea"]["url"]})
            done = here.run(sandbox, "apply", "--auto-approve")
            assert done.code == 0, done.said
        return Undisturbed(len(done.steps), image(state(sandbox)))


def _sandbox(seed: Body, **more: Any) -> Sandbox:
    return Sandbox(json.loads(json.dumps(seed)), **{"burst": None, "daily": None, "clock": Ticks(), **more})


@st.composite
def many_worlds(draw: st.DrawFn) -> Worlds:
    """Draw a configuration and its accounts."""
    world = draw(worlds())
    seeds = [world.seed]
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        sandbox = world.sandbox()
        for hand in draw(HANDS):
            edit = hand.edit(state(sandbox))
            if edit is not None:
                edit.make(sandbox.companies[0])
        seeds.append(sandbox.dump()["companies"][0])
    return Worlds(world, seeds)


# Laws


def deletes_of(plan: Row) -> frozenset[str]:
    """Return the ids of what a plan deletes; `plan` is a report as JSON."""
    changes = (change for account in plan["accounts"] for change in account["changes"])
    return frozenset(change["remote_id"] for change in changes if change["action"] == "delete")


def ids_of(now: State) -> frozenset[str]:
    """Return the ids of all labels and leads."""
    return frozenset(now.labels) | frozenset(now.leads)


def check_no_duplicates(before: Iterable[State], now: State) -> None:
    """Check that no name of a label and no marker of a lead is there more often than before, or twice if it is new."""
    for found, befores in (
        (_names(now), [_names(was) for was in before]),
        (now.markers, [was.markers for was in before]),
    ):
        for name in set(found):
            most = max(1, *(was.count(name) for was in befores))
            assert found.count(name) <= most, f"{name} is there {found.count(name)} times"


def _names(now: State) -> list[str]:
    return [label["name"] for label in now.labels.values()]


def check_deletes(before: State, now: State, planned: Collection[str]) -> None:
    """Check that nothing is gone that the plan did not name."""
    gone = ids_of(before) - ids_of(now) - set(planned)
    assert not gone, f"gone, and in no plan: {sorted(gone)}"


def check_receipts(sent: Sequence[Sent], account: str, receipts: Sequence[Report]) -> None:
    """Check that a receipt names the object of every write that the server was sent."""
    touches = [
        touch
        for receipt in receipts
        for part in receipt.accounts
        if part.account == account
        for touch in part.touched or ()
    ]
    ids = {touch.remote_id for touch in touches}
    made = {identity for touch in touches if touch.before is None and (identity := _identity(touch))}
    for write in sent:
        if write.method == "POST":
            assert write.identity in made, f"{write} is in no receipt"
        else:
            assert write.about in ids, f"{write} is in no receipt"


def _identity(touch: Touch) -> object:
    return touch.marker or (touch.after or {}).get("name")


def tokens_of(report: Path) -> int:
    """Return the tokens that a run has spent, as it says."""
    cost = json.loads(report.read_text(encoding="utf-8"))["cost"]
    return int(cost["read"]["tokens"] + cost["apply"]["tokens"])
