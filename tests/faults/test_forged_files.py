"""Edited plan files, receipts, lock files and caches: none makes a write that the original would not have made.

What is believed of an edited file, since nothing else could tell, is named in `may_follow_from_lock`. Of a receipt
whose digest somebody has computed anew, only this is asked: unmanaged leads stay, with everything but their labels.
"""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadstate.model.account import Prune
from leadstate.pipedrive import client
from leadstate.sandbox import Sandbox
from tests.faults.conftest import Counted
from tests.harness.builders import FREE, label, label_id, lead, lead_id, refs
from tests.harness.commands import Ended, Folder, Kill, folder
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import LONG, Body, State, Ticks, company, state
from tests.harness.effects import Effect, effects
from tests.harness.forgery import Forgery, dumped, forgeries, seal, seal_journal
from tests.harness.plan_cases import (
    BOTH,
    LABELS,
    LEADS,
    UNMANAGED,
    Case,
    account,
    live_label,
    live_lead,
    merged,
    thirty,
    written,
)

EXAMPLES = 5_050 if LONG else 75
ENDS = {0, 1, 3, 4, 64}
"""How a command may end: done, with a message, refused, in part, or not understood."""

PATHS = re.compile(
    r"/api/v1/(leads|leads/archived|leadLabels|leadSources|users|users/me|persons/\d+|organizations/\d+"
    r"|(leads|leadLabels)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|/api/v2/(dealFields|persons|persons/search|organizations|organizations/search)(/\d+)?"
)
"""Every path that a request may have."""


@dataclass(frozen=True)
class Original:
    """A file before it is edited, and what the command that reads it does.

    Attributes:
        start: the companies.
        files: every file of the folder, by path.
        forged: the files of which one is edited.
        words: the command.
    """

    start: Body = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    forged: Sequence[str]
    words: Sequence[str]

    def run(self, files: Mapping[str, bytes]) -> tuple[Sandbox, Ended, Sequence[Ended]]:
        """Run the command in a folder with these files, after those that only read the edited file."""
        sandbox = Sandbox(copy.deepcopy(self.start), burst=None, daily=None, clock=Ticks())
        with folder() as here:
            for path, content in files.items():
                (here.path / path).parent.mkdir(exist_ok=True)
                (here.path / path).write_bytes(content)
            shown = [here.run(sandbox, "show", f"./{path}") for path in self.forged if self.words[0] in _SHOWN]
            return sandbox, here.run(sandbox, *self.words), shown

    @cache  # noqa: B019  the originals live as long as the tests
    def effects(self) -> frozenset[Effect]:
        """Return what the command does with the files as they are."""
        sandbox, ended, _ = self.run(self.files)
        assert ended.code == 0, ended.said
        assert ended.writes, "an original that does nothing proves nothing"
        del sandbox
        return frozenset(effects(self.state, ended.steps))

    @property
    def state(self) -> State:
        """The company at first."""
        return state(Sandbox(copy.deepcopy(self.start), clock=Ticks()))

    def __hash__(self) -> int:
        return id(self)


_SHOWN = ("apply", "restore")


def _files(here: Folder) -> dict[str, bytes]:
    files = {str(path.relative_to(here.path)): path for path in here.path.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith("state")}


def _folder(here: Folder, case: Case) -> Sandbox:
    (here.path / "leadstate.yaml").write_text(written(case, NOWHERE), encoding="utf-8")
    return case.sandbox()


MERGE = Case(
    "merge",
    company(
        [live_label(1, "Lukewarm"), live_label(2, "Warm"), live_label(3, "Theirs")],
        [live_lead(1, None, 1, 3), live_lead(2, "ns:a", 1, 2), *UNMANAGED],
    ),
    account(label("Warm", "yellow"), merged("Lukewarm"), lead("a", title="after"), lead("b", labels=refs("Warm"))),
)


def plan_of(case: Case) -> Original:
    """Return a plan file and the apply of it."""
    with folder() as here:
        sandbox = _folder(here, case)
        ended = here.run(sandbox, "plan", "--out", "./plan.json")
        assert ended.code == 0, ended.said
        words = ("apply", "./plan.json", "--auto-approve")
        return Original(sandbox.dump(), _files(here), ("plan.json",), words)


def receipt_of(case: Case, kill: Kill | None = None) -> Original:
    """Return a receipt, and its journal where the run was killed, and the restore of it."""
    with folder() as here:
        sandbox = _folder(here, case)
        here.run(sandbox, "apply", "--auto-approve", kill=kill)
        files = _files(here)
        receipt = next(path for path in files if path.startswith("receipts") and path.endswith(".json"))
        journals = [path for path in files if path.endswith(".journal")]
        words = ("restore", f"./{receipt}", "--auto-approve")
        return Original(sandbox.dump(), files, (receipt, *journals), words)


LOCKED = Case(
    "locked",
    company(
        [live_label(1, "Renamed by hand"), live_label(2, "Gone"), live_label(3, "Theirs"), live_label(4, "Warm")],
        [live_lead(1, "ns:a", 1, title="before"), live_lead(2, None, 3, title="adopted"), *UNMANAGED],
    ),
    account(
        label("Hot"),
        label("New"),
        label("Warm", "blue"),
        lead("a", title="after", labels=refs("Hot", "New")),
        lead("b", title="b"),
        lead("c", title="deleted by hand"),
        policy=replace(FREE, prune_rules={"label": Prune.LOCKED}),
    ),
)


def lock_of(case: Case) -> Original:
    """Return a lock file, and an apply with it."""
    entries = {
        "label:Hot": label_id(1),
        "label:Gone": label_id(2),
        "label:Warm": label_id(4),
        "lead:a": lead_id(1),
        "lead:c": lead_id(77),
    }
    with folder() as here:
        sandbox = _folder(here, case)
        here.lock.write_bytes(dumped({"version": 1, "accounts": {"emea": entries}}))
        return Original(sandbox.dump(), _files(here), (here.lock.name,), ("apply", "--auto-approve"))


def cache_of(case: Case) -> Original:
    """Return what is remembered of the lengths of listings, and an apply with it."""
    with folder() as here:
        sandbox = _folder(here, case)
        start = sandbox.dump()
        assert here.run(sandbox, "plan").code == 0
        files = _files(here)
        assert "cache/pages.json" in files
        return Original(start, files, ("cache/pages.json",), ("apply", "--auto-approve"))


def forge(original: Original, path: str, forgery: Forgery) -> dict[str, bytes]:
    """Return the folder's files with one of them edited."""
    content = original.files[path]
    if path.endswith(".journal"):
        lines = [json.loads(line) for line in content.splitlines()]
        edited = forgery.edited(lines)
        rows = edited if isinstance(edited, list) else [edited]
        made = forgery.framed(b"".join(dumped(row, indent=None) + b"\n" for row in rows))
        made = seal_journal(made, original.files[original.forged[0]]) if forgery.sealed else made
    else:
        made = forgery.file(forgery.edited(json.loads(content)))
        made = seal(made) if forgery.sealed else made
    return {**original.files, path: made}


def check(original: Original, sandbox: Sandbox, ended: Ended, shown: Sequence[Ended]) -> set[Effect]:
    """Check what holds whatever the file says; return what was done."""
    assert ended.code in ENDS, ended.said
    for run in shown:
        assert run.code in ENDS, run.said
        assert not run.steps
    for step in ended.steps:
        assert PATHS.fullmatch(step.path), step.path
    start, now = original.state, state(sandbox)
    for id_, body in start.leads.items():
        if not (body["origin_id"] or "").startswith("ns:"):
            found = now.leads.get(id_)
            assert found is not None, "an unmanaged lead was deleted"
            assert {**found, "label_ids": 0, "update_time": 0} == {**body, "label_ids": 0, "update_time": 0}
    return effects(start, ended.steps)


PLANS = {case.name: case for case in (LABELS, LEADS, BOTH, MERGE)}


@pytest.mark.parametrize("name", PLANS)
def test_an_edited_plan_file_is_applied_safely_or_refused(name: str, counted: Counted) -> None:
    original = plan_of(PLANS[name])
    reviewed = changes_of(json.loads(original.files["plan.json"]))

    @settings(max_examples=EXAMPLES // len(PLANS))
    @given(forgeries())
    def attempt(forgery: Forgery) -> None:
        counted("forged plan files", 1)
        files = forge(original, "plan.json", forgery)
        sandbox, ended, shown = original.run(files)
        done = check(original, sandbox, ended, shown)
        assert done in (set(), original.effects())
        if done:
            assert changes_of(json.loads(files["plan.json"])) == reviewed, "applied what was not reviewed"

    attempt()


def changes_of(plan: Any) -> list[str]:
    """Return what a plan file shows to who reviews it."""
    keys = ("address", "kind", "action", "remote_id", "marker", "moves_to")
    return sorted(
        repr([planned["account"], planned["company"], *(change.get(key) for key in keys), fields])
        for planned in plan["accounts"]
        for change in planned.get("changes", ())
        for fields in [[[field.get(key) for key in ("path", "before", "after")] for field in change["fields"]]]
    )


RECEIPTS: dict[str, tuple[Case, Kill | None]] = {
    **{name: (case, None) for name, case in PLANS.items()},
    **{f"killed at {write}": (thirty(), Kill(write, "after")) for write in (9, 25)},
}


@pytest.mark.parametrize("name", RECEIPTS)
def test_an_edited_receipt_is_restored_safely_or_refused(name: str, counted: Counted) -> None:
    original = receipt_of(*RECEIPTS[name])

    @settings(max_examples=EXAMPLES // len(RECEIPTS))
    @given(st.sampled_from(original.forged), forgeries())
    def attempt(path: str, forgery: Forgery) -> None:
        counted("forged receipts", 1)
        done = check(original, *original.run(forge(original, path, forgery)))
        if not forgery.sealed:
            assert done <= original.effects()

    attempt()


def may_follow_from_lock(effect: Effect, content: bytes) -> bool:
    """Return whether an edited lock file may have this effect: nothing else tells labels apart.

    - A label has no ownership marker. An id under a `label:` key is believed: the label is renamed as its key is
      declared, or deleted by `prune: locked`. The plan shows either.
    - Without its entry a declared label that was renamed by hand, or a lead that was deleted by hand, is added.
    - The labels of our own leads follow.
    """
    match effect:
        case ("label", id_, *_) | ("label deleted", id_):
            return re.search(rb'"label:[^"]*": "%s"' % str(id_).encode(), content) is not None
        case ("label added", name, _):
            return name in ("Hot", "New", "Warm")
        case ("lead", who, *_):
            return who == "new ns:c"
        case ("label put on" | "label taken off", who, _):
            return who == lead_id(1)
    return False


def test_an_edited_lock_file_has_only_effects_that_its_ids_allow(counted: Counted) -> None:
    original = lock_of(LOCKED)

    @settings(max_examples=EXAMPLES)
    @given(forgeries())
    def attempt(forgery: Forgery) -> None:
        counted("forged lock files", 1)
        files = forge(original, original.forged[0], forgery)
        done = check(original, *original.run(files))
        more = done - original.effects()
        assert all(may_follow_from_lock(effect, files[original.forged[0]]) for effect in more), more

    attempt()


def test_an_edited_cache_changes_no_plan(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 3)
    original = cache_of(LEADS)

    @settings(max_examples=EXAMPLES)
    @given(forgeries())
    def attempt(forgery: Forgery) -> None:
        counted("forged caches", 1)
        done = check(original, *original.run(forge(original, original.forged[0], forgery)))
        assert done == original.effects()

    attempt()
