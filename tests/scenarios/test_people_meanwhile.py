"""People edit while a write fails, over real HTTP: it is sent again only after what they changed was seen."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from leadstate.api.session import Runtime
from leadstate.sandbox import Company, Sandbox, running
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.faults import Interceptor
from tests.harness.builders import label_id, lead_id
from tests.harness.cli_in_process import Commands
from tests.harness.connections import TOKEN, FakeTime
from tests.harness.edits import Edit
from tests.harness.faults import Fault, FaultKind, Faults, Strike

COLD, WARM, VIP = map(label_id, range(3))
LEADS = 15
KINDS = [FaultKind.RATE_LIMITED, FaultKind.ERROR_BEFORE, FaultKind.RESET]


class Meanwhile(Faults):
    """A person's edit just before the first request of an operation fails."""

    def __init__(self, kind: FaultKind, operation: str, edit: Edit) -> None:
        super().__init__(Fault(kind, operation=operation))
        self._operation, self._edit = operation, edit
        self.edited = False

    def __call__(self, operation: str, company: Company) -> Strike:
        if operation == self._operation and not self.edited:
            assert self._edit.make(company) == ""
            self.edited = True
        return super().__call__(operation, company)


class World:
    """A company behind a port, and leadstate over it."""

    def __init__(self, folder: Path, sandbox: Sandbox, url: str) -> None:
        self.sandbox, self.url = sandbox, url
        self.shell = Commands(folder, Runtime(environ={"TOKEN": TOKEN}, pace=FakeTime().pace()))

    def apply(self, intercept: Interceptor, **document: Any) -> tuple[int, str]:
        """Apply a configuration while that happens; return the exit code and what was said."""
        account = {"url": self.url, "token": {"env": "TOKEN"}}
        text = {"version": 1, "namespace": "ns", "accounts": {"emea": account}, **document}
        self.shell.write(json.dumps(text))
        self.sandbox.intercept = intercept
        done = self.shell("apply", "--auto-approve", "--allow", "in-use,max-delete-percent")
        return done.returncode, done.stdout + done.stderr

    def leads(self) -> Mapping[str, list[str]]:
        """Return each lead with its labels."""
        return {lead["id"]: lead["label_ids"] for lead in self.sandbox.dump()["companies"][0]["leads"]}

    def labels(self) -> Mapping[str, str]:
        """Return each label with its name."""
        return {label["id"]: label["name"] for label in self.sandbox.dump()["companies"][0]["labels"]}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    labels = [{"id": id_, "name": name, "color": "red"} for id_, name in ((COLD, "Cold"), (WARM, "Warm"), (VIP, "VIP"))]
    leads = [
        {
            "id": lead_id(number),
            "title": "x",
            "person_id": 1,
            "label_ids": [COLD] * (number == 0),
            "origin_id": f"ns:k{number}",
        }
        for number in range(LEADS)
    ]
    seed = {
        "token": TOKEN,
        "company": {"id": 1, "name": "Acme", "domain": "acme"},
        "persons": [{"id": 1, "name": "Jane"}],
        "labels": labels,
        "leads": leads,
    }
    sandbox = Sandbox(seed, burst=None, daily=None)
    with running(sandbox.app) as url:
        yield World(tmp_path, sandbox, url)


@pytest.mark.parametrize("kind", KINDS)
def test_a_merge_keeps_the_label_that_a_person_adds_while_a_lead_is_moved(world: World, kind: FaultKind) -> None:
    edit = Edit("updateLead", {"label_ids": [COLD, VIP]}, lead_id(0))
    moving = Meanwhile(kind, "updateLead", edit)
    code, said = world.apply(moving, labels=[{"name": "Warm", "color": "red", "merge_from": ["Cold"]}])
    assert (code, moving.edited) == (0, True), said
    assert world.leads()[lead_id(0)] == [WARM, VIP]
    assert COLD not in world.labels()


@pytest.mark.parametrize("kind", KINDS)
def test_a_lead_that_a_person_edits_while_its_delete_fails_is_kept(world: World, kind: FaultKind) -> None:
    kept = [{"key": f"k{number}", "title": "x", "person": 1} for number in range(1, LEADS)]
    deleting = Meanwhile(kind, "deleteLead", Edit("updateLead", {"title": "ours now"}, lead_id(0)))
    code, said = world.apply(deleting, leads=kept, policy={"prune": {"leads": "owned"}})
    assert (code, deleting.edited) == (1, True), said
    assert "conflict" in said
    assert lead_id(0) in world.leads()


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_that_a_person_renames_while_its_delete_fails_is_kept(world: World, kind: FaultKind) -> None:
    deleting = Meanwhile(kind, "deleteLeadLabel", Edit("updateLeadLabel", {"name": "Ours"}, VIP))
    code, said = world.apply(deleting, labels=[{"name": "VIP", "state": "absent"}])
    assert (code, deleting.edited) == (1, True), said
    assert world.labels()[VIP] == "Ours"


class Between(Faults):
    """A person's edit just before a request of an operation, by its number."""

    def __init__(self, operation: str, number: int, edit: Edit) -> None:
        super().__init__()
        self._operation, self._left, self._edit = operation, number, edit

    def __call__(self, operation: str, company: Company) -> Strike:
        self._left -= operation == self._operation
        if self._left == 0 and operation == self._operation:
            assert self._edit.make(company) == ""
        return super().__call__(operation, company)


@dataclass(frozen=True)
class Forgetful:
    """A server that stores the labels of a lead without one of them, and says so in its answer."""

    label: str
    limited: bool = False

    def __call__(self, operation: str, _company: Company) -> "Forgetful | None":
        return self if operation == "updateLead" else None

    def respond(self, call: Call, handle: Callable[[Call], Reply], headers: Mapping[str, str]) -> Response:
        body = json.loads(call.body)
        body["label_ids"] = [label for label in body["label_ids"] if label != self.label]
        return handle(replace(call, body=json.dumps(body).encode())).response(headers)


def test_a_label_stays_if_its_leads_do_not_get_the_one_that_it_is_merged_into(world: World) -> None:
    code, said = world.apply(Forgetful(WARM), labels=[{"name": "Warm", "color": "red", "merge_from": ["Cold"]}])
    assert code == 4, said
    assert f"failed: label:Cold: updateLead: lead {lead_id(0)}: did not answer that it has the labels" in said
    assert COLD in world.labels()


def test_a_label_stays_if_somebody_deletes_the_one_that_it_is_merged_into(world: World) -> None:
    deleting = Between("getLeads", 2, Edit("deleteLeadLabel", id=WARM))
    code, said = world.apply(deleting, labels=[{"name": "Warm", "color": "red", "merge_from": ["Cold"]}])
    assert code == 4, said
    assert "conflict: label:Cold: somebody deleted label:Warm, which its leads get, since it was planned" in said
    assert COLD in world.labels()
