"""Clients and validators that nobody here wrote, each as a function that judges a sandbox.

A judge starts a sandbox with a seed of its own, serves it by the `serve` that it is given, works on it, and raises
`Objection` if something is not as it expects. `honestly` serves the sandbox as it is. Where a judge is not installed,
its test is skipped, with the reason.
"""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from leadstate.sandbox import TOKEN, Sandbox, running
from tests.harness import contract, judge_environments, schemathesis_runs

Serve = Callable[[Sandbox], AbstractContextManager[str]]
"""Serve a sandbox, perhaps changed on the way, at the URL that is yielded."""

Judge = Callable[[Serve], None]

NODE_MODULES = judge_environments.JUDGES / "node_modules"
LEADS, ARCHIVED, LABELS = 640, 30, 60
TIMES = {"update_time", "archive_time"}
"""What a change moves besides what it names."""


class Objection(AssertionError):
    """A judge does not agree."""


def honestly(sandbox: Sandbox) -> AbstractContextManager[str]:
    """Serve a sandbox as it is."""
    return running(sandbox.app)


def explored(serve: Serve, *, examples: int, **more: str) -> list[schemathesis_runs.Answer]:
    """Return answers to requests that a sandbox should take, so that they get past its checks."""
    sandbox = predictable("drifted")
    document = schemathesis_runs.narrowed(contract.document(), sandbox.companies[0])
    with serve(sandbox) as url:
        return schemathesis_runs.explore(url, document, examples=examples, mode="positive", **more)


def schemathesis(serve: Serve) -> None:
    """Judge by what Schemathesis sends within the description, and what it says of the answers."""
    _object_to(schemathesis_runs.objections(explored(serve, examples=3)))


def vendors_costs(serve: Serve) -> None:
    """Judge by the costs in the vendor's description: what the daily budget loses is what each operation costs."""
    answers = explored(serve, examples=1, phases="fuzzing")
    charged = [answer for answer in answers if "x-daily-ratelimit-token-remaining" in answer.headers]
    if {answer.operations[0] for answer in charged} != contract.operations().keys():
        raise Objection("not every operation tells what is left of the daily budget")
    for before, after in itertools.pairwise(charged):
        cost = contract.operations()[after.operations[0]].body["x-token-cost"]
        lost = _left(before) - _left(after)
        if lost != cost:
            raise Objection(f"{after.operations[0]} took {lost} of the daily budget, and costs {cost}")


def _left(answer: schemathesis_runs.Answer) -> int:
    return int(answer.headers["x-daily-ratelimit-token-remaining"])


def vendors_client(serve: Serve) -> None:
    """Judge by the vendor's client for Node, which drives every operation on leads and labels, and the look-ups."""
    seen = drive_vendors_client(serve, Sandbox("fresh"))
    if seen["leads"] != [seen["lead"]]:
        raise Objection("the leads that are listed are not those that were created")


def drive_vendors_client(serve: Serve, sandbox: Sandbox) -> Any:
    """Run the vendor's client; return what it saw."""
    if not (NODE_MODULES / "pipedrive").is_dir() or shutil.which("node") is None:
        pytest.skip("npm install in tests/judges brings the vendor's client")
    with serve(sandbox) as url:
        done = judge_environments.run(
            "node", judge_environments.JUDGES / "vendor_client.mjs", url, seconds=60, PIPEDRIVE_TOKEN=TOKEN
        )
    if done.returncode:
        raise Objection(done.stderr)
    return json.loads(done.stdout)


def airbyte(serve: Serve) -> None:
    """Judge by Airbyte's source: what it reads, and takes for valid, is what the sandbox holds."""
    sandbox = Sandbox(large_company(), burst=None, daily=None)
    seen = _python("airbyte", "airbyte_source.py", serve, sandbox)
    tables = sandbox.companies[0].tables()
    live = [lead.body() for lead in tables.leads if not lead.is_archived]
    _compare("leads", seen["leads"], live)
    _compare("lead_labels", seen["lead_labels"], [label.body() for label in tables.labels])


def api_pipedrive_python(serve: Serve) -> None:
    """Judge by api-pipedrive-python: what is sent is what is answered and read again, and nothing else changes."""
    seen = _python("api-pipedrive-python", "api_pipedrive_python.py", serve, Sandbox("fresh", burst=None, daily=None))
    for change in seen["changes"]:
        _as_sent(change)
    if seen["gone"] != [seen["deleted"]]:
        raise Objection("a deleted lead is still there")
    listed = [lead["id"] for lead in seen["listed"]]
    if sorted(listed) != sorted([seen["lead"], seen["deleted"]]):
        raise Objection(f"the leads {listed} are listed, with {seen['archived']} in the archive")
    if [label["name"] for label in seen["labels"]] != ["Hot", "Warm", "Cold"]:
        raise Objection(f"after the deletes there are the labels {seen['labels']}")


def pypipedrive_client(serve: Serve) -> None:
    """Judge by pypipedrive-client: it finds every lead page by page, and the labels that it makes."""
    sandbox = Sandbox(large_company(), burst=None, daily=None)
    seen = _python("pypipedrive-client", "pypipedrive_client.py", serve, sandbox)
    leads = sandbox.companies[0].tables().leads
    _compare("leads", seen["leads"], [lead.body() for lead in leads if not lead.is_archived])
    _compare("leads/archived", seen["archived"], [lead.body() for lead in leads if lead.is_archived])
    if [seen["label"], "Of pypipedrive-client", "purple"] not in seen["known"] or seen["label"] in seen["left"]:
        raise Objection("a label is not as it was created, updated and deleted")


JUDGES: Mapping[str, Judge] = {
    "Schemathesis": schemathesis,
    "the vendor's costs": vendors_costs,
    "the vendor's client": vendors_client,
    "Airbyte": airbyte,
    "api-pipedrive-python": api_pipedrive_python,
    "pypipedrive-client": pypipedrive_client,
}
"""Every judge that works on the sandbox alone."""


def predictable(seed: str) -> Sandbox:
    """Return a sandbox that answers the same requests alike, with the time and ids that it gives."""
    numbers = itertools.count(1)

    def new_id(kind: str) -> str:
        version = 0x1000 if kind == "lead" else 0x4000
        return str(UUID(int=next(numbers) << 96 | version << 64 | 0x8 << 60))

    now = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    return Sandbox(seed, burst=None, daily=10**9, clock=lambda: now, new_id=new_id)


def large_company() -> dict[str, Any]:
    """Return a seed with more leads than any page holds, some of them archived, and many labels."""
    seed = Sandbox("drifted").dump()
    company = seed["companies"][0]
    template = company["leads"][0]
    company["labels"] = [
        {"id": str(UUID(int=number << 64 | 0x4000 << 64 | 0x8 << 60)), "name": f"Label {number}", "color": "gray"}
        for number in range(1, LABELS + 1)
    ]
    company["leads"] = [
        {
            **template,
            "id": str(UUID(int=number << 96 | 0x1000 << 64 | 0x8 << 60)),
            "title": f"Lead {number}",
            "label_ids": [company["labels"][number % LABELS]["id"]],
            "value": {"amount": number, "currency": "EUR"},
            "is_archived": number % (LEADS // ARCHIVED) == 0,
            "archive_time": "2026-10-01T10:00:00.000Z" if number % (LEADS // ARCHIVED) == 0 else None,
        }
        for number in range(1, LEADS + 1)
    ]
    return seed


def _python(environment: str, script: str, serve: Serve, sandbox: Sandbox) -> Any:
    """Run a script in the environment of its client; return the JSON that it prints."""
    python = judge_environments.program(environment, "python")
    with serve(sandbox) as url:
        done = judge_environments.run(
            python, judge_environments.JUDGES / script, url, PIPEDRIVE_TOKEN=TOKEN, PIPEDRIVE_API_TOKEN=TOKEN
        )
    if done.returncode:
        raise Objection(done.stderr or done.stdout)
    return json.loads(done.stdout)


def _compare(stream: str, read: Sequence[Any], there: Iterable[Mapping[str, Any]]) -> None:
    """Object to rows that are not those that there are, in their order. Airbyte leaves out what is null."""
    expected = [_given(row) for row in there]
    found = [_given(row) for row in read]
    if found == expected:
        return
    if len(found) != len(expected):
        raise Objection(f"{len(found)} {stream} were read, and there are {len(expected)}")
    difference = next((row, other) for row, other in zip(found, expected, strict=True) if row != other)
    raise Objection(f"{stream}: read {difference[0]}, and there is {difference[1]}")


def _given(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def _as_sent(change: Mapping[str, Any]) -> None:
    """Object to a change of which something else came back than was sent, or which changed what it did not name."""
    expected = {**(change["before"] or {}), **change["sent"]}
    for where in ("answer", "read"):
        found = change[where]
        for key, value in expected.items():
            if key not in TIMES and (found is None or found.get(key, ...) != value):
                raise Objection(f"{change['sent']}: {key} should be {value!r} in the {where} {found}")


def _object_to(found: Sequence[str]) -> None:
    if found:
        raise Objection(f"{len(found)} objections:\n" + os.linesep.join(found[:20]))
