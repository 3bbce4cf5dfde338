"""`restore` returns a random account to what it was before the apply, also after a kill, and keeps what people changed.

What no rollback can return is named where it is left out of the comparison: `disturbed_company.OF_THE_MOMENT` and
`random_companies.without_dead_labels`.
"""

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from leadstate.api.receipts import list_receipts
from leadstate.sandbox import Sandbox
from tests.faults.conftest import Counted
from tests.harness.commands import Ended, Folder, Kill, Moment, folder
from tests.harness.disturbed_company import LONG, OF_THE_MOMENT, Body, State, Ticks, image, labels_of, state, who
from tests.harness.random_companies import (
    HANDS,
    Hand,
    World,
    untouched,
    without_dead_labels,
    worlds,
)

WORLDS, KILLED = (2_000, 300) if LONG else (60, 10)
WITHOUT_ANSWER = {"owner_id", "is_archived"}
"""What a person may have changed of a lead whose last request has no answer, and no receipt can tell."""
MOMENTS: tuple[Moment, ...] = ("before", "after")


def set_up(here: Folder, world: World) -> Sandbox:
    here.configure(world.document)
    if world.lock:
        here.lock.write_text(json.dumps(world.locked), encoding="utf-8")
    return world.sandbox()


def apply(here: Folder, sandbox: Sandbox, kill: Kill | None = None) -> Ended:
    ended = here.run(sandbox, "apply", "--auto-approve", kill=kill)
    assert ended.code == (0 if kill is None else None), ended.said
    return ended


def restore(here: Folder, sandbox: Sandbox, receipt: str = "") -> Ended:
    ended = here.run(sandbox, "restore", receipt or str(here.receipts[0]), "--auto-approve")
    assert ended.code == 0, ended.said
    return ended


def check_as_before(before: State, applied: State, restored: State) -> None:
    """Check that everything is as it was before the apply, and that what the apply did not touch is byte-identical."""
    expected = without_dead_labels(image(before), before, applied)
    found = image(restored)
    assert found["labels"] == expected["labels"]
    assert found["leads"] == expected["leads"]
    for table, id_, body in untouched(before, applied):
        assert getattr(restored, table).get(id_) == body, f"{table}: the apply had not touched it"
    for table in ("labels", "leads"):
        kept = getattr(before, table).keys() & getattr(applied, table).keys()
        assert kept <= getattr(restored, table).keys(), f"{table}: one was deleted and created again"


def test_restore_returns_the_account_to_what_it_was(counted: Counted) -> None:
    @settings(max_examples=WORLDS)
    @given(worlds())
    def check(world: World) -> None:
        counted("worlds restored", 1)
        with folder() as here:
            sandbox = set_up(here, world)
            before = state(sandbox)
            if not apply(here, sandbox).writes:
                return
            applied = state(sandbox)
            restore(here, sandbox)
            check_as_before(before, applied, state(sandbox))

            if world.can_be_applied_again:
                apply(here, sandbox)
                assert image(state(sandbox)) == image(applied), "a second apply came to something else"

    check()


def test_a_run_that_was_killed_at_any_request_is_restored(counted: Counted) -> None:
    @settings(max_examples=KILLED)
    @given(worlds())
    def check(world: World) -> None:
        with folder() as here:
            calm = set_up(here, world)
            number = len(apply(here, calm).writes)
        for kill in (Kill(write, moment) for write in range(1, number + 1) for moment in MOMENTS):
            with folder() as here:
                counted("killed and restored", 1)
                sandbox = set_up(here, world)
                before = state(sandbox)
                apply(here, sandbox, kill)
                applied = state(sandbox)
                restore(here, sandbox)
                check_as_before(before, applied, state(sandbox))
                if world.can_be_applied_again:
                    apply(here, sandbox)
                    assert image(state(sandbox)) == image(state(calm)), f"{kill}: a second apply came to something else"

    check()


def test_a_rollback_can_be_rolled_back(counted: Counted) -> None:
    @settings(max_examples=WORLDS // 2)
    @given(worlds())
    def check(world: World) -> None:
        with folder() as here:
            sandbox = set_up(here, world)
            if not apply(here, sandbox).writes:
                return
            counted("rollbacks undone", 1)
            applied, old = state(sandbox), here.receipts
            restore(here, sandbox)
            restored, new = state(sandbox), set(here.receipts) - set(old)
            for receipt in new:  # none, where there was nothing to undo
                restore(here, sandbox, str(receipt))
                check_as_before(applied, restored, state(sandbox))

    check()


def test_a_receipt_undoes_nothing_of_a_later_run(counted: Counted) -> None:
    @settings(max_examples=WORLDS // 2)
    @given(worlds(), st.integers(0, 99), st.sampled_from(MOMENTS))
    def check(world: World, write: int, moment: Moment) -> None:
        with folder() as here:
            number = len(apply(here, set_up(here, world)).writes)
        if not number:
            return
        with folder() as here:
            counted("earlier receipts restored", 1)
            sandbox = set_up(here, world)
            before = state(sandbox)
            apply(here, sandbox, Kill(1 + write % number, moment))
            killed = state(sandbox)
            receipt = here.receipts[0]
            apply(here, sandbox)
            later = state(sandbox)
            restore(here, sandbox, str(receipt))
            check_later_stays(before, killed, later, state(sandbox))

    check()


def test_two_runs_are_undone_from_the_newest_on(counted: Counted) -> None:
    @settings(max_examples=WORLDS)
    @given(worlds(), worlds())
    def check(world: World, next_world: World) -> None:
        with folder() as here:
            sandbox = set_up(here, world)
            before = state(sandbox)
            if len({label["name"] for label in before.labels.values()}) < len(before.labels):
                return  # once both have new ids, nothing tells two labels of one name apart
            apply(here, sandbox)
            between = state(sandbox)
            here.configure(next_world.document)
            if here.run(sandbox, "apply", "--auto-approve").code != 0 or len(here.receipts) < 2:
                return
            counted("pairs of runs undone", 1)
            later = state(sandbox)
            for receipt, applied in zip(list_receipts(here.path / "receipts"), (next_world, world), strict=True):
                here.configure(applied.document)
                restore(here, sandbox, str(receipt))
            check_leads_as_before(before, between, later, state(sandbox))

    check()


def check_leads_as_before(before: State, between: State, later: State, restored: State) -> None:
    """Check that each lead that was there and open all the time has the labels of before two runs.

    While it is archived it loses a label that is deleted, and nobody can edit it.
    """
    for id_, lead in before.leads.items():
        there = [at.leads.get(id_) for at in (between, later, restored)]
        if not all(there) or any(body and body["is_archived"] for body in (lead, *there)):
            continue
        assert sorted(labels_of(restored, id_)) == sorted(labels_of(before, id_))


def test_a_killed_run_and_the_run_that_finished_it_are_undone(counted: Counted) -> None:
    @settings(max_examples=WORLDS // 2)
    @given(worlds(), st.integers(0, 99), st.sampled_from(MOMENTS))
    def check(world: World, write: int, moment: Moment) -> None:
        with folder() as here:
            number = len(apply(here, set_up(here, world)).writes)
        if not number:
            return
        with folder() as here:
            counted("killed and finished runs undone", 1)
            sandbox = set_up(here, world)
            before = state(sandbox)
            apply(here, sandbox, Kill(1 + write % number, moment))
            killed = state(sandbox)
            apply(here, sandbox)
            applied = state(sandbox)
            for receipt in list_receipts(here.path / "receipts"):
                restore(here, sandbox, str(receipt))
            restored = state(sandbox)
            assert image(restored)["labels"] == image(before)["labels"]
            check_leads_as_before(before, killed, applied, restored)

    check()


def check_later_stays(before: State, killed: State, later: State, restored: State) -> None:
    """Check that what the later run left is there; labels that the first run had made may be gone."""
    made = killed.labels.keys() - before.labels.keys()
    for id_, body in later.labels.items():
        if before.labels.get(id_) == killed.labels.get(id_):
            assert restored.labels.get(id_) == body, "a label that the first run had not touched"
    for id_, body in later.leads.items():
        if before.leads.get(id_) == killed.leads.get(id_):
            found = restored.leads.get(id_)
            assert found is not None, "a lead that the first run had not touched was deleted"
            kept = [id_ for id_ in body["label_ids"] if id_ in restored.labels]
            assert set(body["label_ids"]) - made <= set(kept)
            assert {**found, "update_time": 0} == {**body, "label_ids": kept, "update_time": 0}


def test_a_killed_restore_is_completed_by_the_next_run(counted: Counted) -> None:
    @settings(max_examples=KILLED)
    @given(worlds(), st.integers(0, 99), st.sampled_from(MOMENTS))
    def check(world: World, write: int, moment: Moment) -> None:
        with folder() as here:
            sandbox = set_up(here, world)
            before = state(sandbox)
            if not apply(here, sandbox).writes:
                return
            applied = state(sandbox)
            spare = Sandbox(sandbox.dump(), burst=None, daily=None, clock=Ticks())
            kept = here.receipts[0].read_bytes()
            number = len(restore(here, spare).writes)
        if not number:
            return
        with folder() as here:
            counted("restores killed", 1)
            set_up(here, world)
            (here.path / "receipts").mkdir()
            (here.path / "receipts" / "receipt.json").write_bytes(kept)
            receipt = str(here.receipts[0])
            killed = here.run(sandbox, "restore", receipt, "--auto-approve", kill=Kill(1 + write % number, moment))
            assert killed.code is None
            restore(here, sandbox, receipt)
            check_as_before(before, applied, state(sandbox))

    check()


def test_changes_made_by_people_since_are_kept(counted: Counted) -> None:
    @settings(max_examples=WORLDS)
    @given(worlds(), HANDS)
    def check(world: World, hands: list[Hand]) -> None:
        with folder() as here:
            sandbox = set_up(here, world)
            before = state(sandbox)
            if not apply(here, sandbox).writes:
                return
            applied = state(sandbox)
            for hand in hands:
                edit = hand.edit(state(sandbox))
                assert edit is None or not edit.make(sandbox.companies[0])
            counted("worlds restored after people worked", 1)
            met = state(sandbox)
            restore(here, sandbox)
            Since(before, applied, met, state(sandbox)).check()

    check()


@dataclass(frozen=True)
class Since:
    """A company before an apply, after it, after people worked in it, and after the rollback."""

    before: State
    applied: State
    met: State
    restored: State
    killed: bool = False
    """Whether the apply was killed: then its last request, which may have created or archived a lead, has no answer."""

    def check(self) -> None:
        """Check that what people changed stays as they left it, and everything else is as it was before the apply."""
        for table, id_, body in untouched(self.before, self.applied):
            met = getattr(self.met, table).get(id_)
            if met == body:
                assert getattr(self.restored, table).get(id_) == body, f"{table}: the apply had not touched it"
        for id_ in self.met.labels.keys() | self.before.labels.keys():
            self._check_label(id_)
        for id_ in self.before.leads.keys() | self.met.leads.keys():
            self._check_lead(id_)

    def _check_label(self, id_: str) -> None:
        before, applied, met, restored = (at.labels.get(id_) for at in self._moments)
        if applied is None and before is not None:  # deleted by the apply
            assert self._again(id_), "a deleted label was not created again"
        elif met is None:  # deleted by a person, who may have done so to one that the apply had added
            assert restored is None
        elif applied is None:  # added by a person
            assert restored == met, "what a person added was changed"
        elif before is None:  # added by the apply
            if labels_equal(met, applied):
                # It stays on a lead that stays: one that a person gave it to, or an added one that a person changed.
                assert restored is None or self._stays_on(id_), "an added label was not deleted"
            else:
                assert restored == met, "a label that a person changed was changed or deleted"
        else:
            assert restored is not None
            for name in ("name", "color"):
                expected = met[name] if met[name] != applied[name] else before[name]
                assert restored[name] == expected, f"the {name} of a label is {restored[name]}, not {expected}"

    def _check_lead(self, id_: str) -> None:
        before, applied, met, restored = (at.leads.get(id_) for at in self._moments)
        if applied is None and before is not None:  # deleted by the apply
            found = [lead for lead in self.restored.leads.values() if who(lead) == who(before)]
            assert len(found) == 1, "a deleted lead was not created again"
            self._compare(found[0], before, before, before, labels_before=id_)
        elif met is None:
            assert restored is None
            markers = [lead["origin_id"] for lead in self.restored.leads.values()]
            assert before is None or not before["origin_id"] or before["origin_id"] not in markers, (
                "a lead that a person deleted was created again"
            )
        elif applied is None:
            assert restored == met, "what a person added was changed"
        elif before is None:
            changed = {name for name in met.keys() | applied.keys() if met.get(name) != applied.get(name)}
            changed -= {"update_time", "archive_time"}
            if set(met["label_ids"]) == set(applied["label_ids"]):
                changed.discard("label_ids")
            if not changed:
                assert restored is None, "an added lead was not deleted"
            elif not self.killed or not changed <= WITHOUT_ANSWER:
                assert restored is not None, f"a lead of which a person changed {changed} was deleted"
        elif met["is_archived"] and not applied["is_archived"]:
            # Nobody can edit a lead that a person has archived.
            assert restored == {**met, "label_ids": [id_ for id_ in met["label_ids"] if id_ in self.restored.labels]}
        else:
            assert restored is not None
            self._compare(restored, before, applied, met, labels_before=id_)

    def _compare(self, restored: Body, before: Body, applied: Body, met: Body, *, labels_before: str) -> None:
        for name in before.keys() | applied.keys() | met.keys():
            if name not in OF_THE_MOMENT:
                now, then = met.get(name), applied.get(name)
                expected = now if now != then else before.get(name)
                assert restored.get(name) == expected, f"{name} is {restored.get(name)}, not {expected}"
        if applied["is_archived"] and before["is_archived"]:
            return
        carried = {self._now(id_) for id_ in self.before.leads[labels_before]["label_ids"]}
        was = set(applied["label_ids"]) if applied is not before else carried
        there = set(met["label_ids"]) if met is not before else carried
        expected_ids = (carried - (was - there)) | (there - was)
        if not carried - was <= self.restored.labels.keys():
            # One that it lost does not exist any more: what the run gave it instead stays.
            expected_ids |= there
        found_ids = set(restored["label_ids"])
        names = [
            sorted(self._name(id_) for id_ in ids & self.restored.labels.keys()) for ids in (found_ids, expected_ids)
        ]
        if len(carried) < len(self.before.leads[labels_before]["label_ids"]):
            # Two labels of one name and colour were created again: `_now` gives one for both, and so does this.
            names = [sorted(set(listed)) for listed in names]
        assert names[0] == names[1]

    @property
    def _moments(self) -> tuple[State, State, State, State]:
        return self.before, self.applied, self.met, self.restored

    def _again(self, id_: str) -> list[str]:
        """Return ids of labels that can be the one of this id, created again."""
        old = self.before.labels[id_]
        new = self.restored.labels.keys() - self.met.labels.keys()
        return [id_ for id_ in new if labels_equal(self.restored.labels[id_], old)]

    def _now(self, id_: str) -> str:
        """Return the id of a label of before, now."""
        if id_ in self.applied.labels or not (found := self._again(id_)):
            return id_
        return found[0]

    def _name(self, id_: str) -> tuple[str, str]:
        label = self.restored.labels[id_]
        return label["name"], label["color"]

    def _stays_on(self, id_: str) -> list[str]:
        """Return leads that carry a label after the rollback."""
        return [lead for lead, body in self.restored.leads.items() if id_ in body["label_ids"]]


def labels_equal(label: Body, other: Body) -> bool:
    """Return whether two labels have one name and one colour."""
    return (label["name"], label["color"]) == (other["name"], other["color"])
