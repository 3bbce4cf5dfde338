"""Faults as JSON over the control endpoint, as a short text, and as options of the command line."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from leadstate.cli.commands.sandbox import sandbox as command
from leadstate.sandbox import Fault, FaultError, FaultKind, fault_of
from tests.harness.sandbox_driver import HOT, TOKEN, World

ROOT = Path(__file__).parents[2]
FAULTS = "/_sandbox/faults"
QUIET = {"faults": [], "latency": 0, "jitter": 0, "lag": 0, "requests": 0, "fired": []}
PLAN: list[dict[str, Any]] = [
    {"kind": "error-after", "operation": "addLeadLabel", "status": 502, "times": 2},
    {"kind": "error-before", "at": [2, 3], "company": 7041, "status": 500},
    {"kind": "rate-limited", "at": 9, "times": None, "retry_after": 7},
    {"kind": "short-page", "operation": "getLeads", "times": 1, "missing": 2},
    {"kind": "lost", "at": 40, "times": 1},
    {
        "kind": "edit",
        "at": 1,
        "times": 1,
        "changes": [
            {"operation": "updateLeadLabel", "id": HOT, "body": {"color": "pink"}},
            {"operation": "deleteLead", "named": "nobody"},
        ],
    },
]


def test_a_plan_is_put_and_told_and_ended_without_a_token() -> None:
    world = World()
    assert world.call("GET", FAULTS, token=None).json() == QUIET
    put = world.call("PUT", FAULTS, {"faults": PLAN, "latency": 0.5, "jitter": 0, "lag": 2}, token=None)
    assert put.status_code == 200
    assert put.json() == {**QUIET, "faults": PLAN, "latency": 0.5, "lag": 2}

    assert world.api("POST", "/leadLabels", {"name": "VIP", "color": "red"}).status_code == 502
    assert world.api("GET", "/users/me").status_code == 500
    told = world.call("GET", FAULTS, token=None).json()
    assert (told["requests"], world.slept) == (2, [0.5, 0.5])
    assert told["fired"] == [
        {"request": 1, "operation": "addLeadLabel", "company": 7041, "fault": PLAN[0]},
        {
            "request": 1,
            "operation": "addLeadLabel",
            "company": 7041,
            "fault": PLAN[5],
            "problem": "deleteLead: requested lead not found",
        },
        {"request": 2, "operation": "getCurrentUser", "company": 7041, "fault": PLAN[1]},
    ]
    again = world.call("PUT", FAULTS, {"faults": told["faults"]}).json()
    assert again == {**QUIET, "faults": PLAN, "latency": 0.5, "lag": 2}, "what is not named stays"
    assert world.call("DELETE", FAULTS, token=None).json() == QUIET
    assert world.api("GET", "/users/me").status_code == 200


def test_what_is_left_out_has_the_value_of_a_fault_in_python() -> None:
    world = World()
    world.call("PUT", FAULTS, {"faults": [{"kind": kind} for kind in FaultKind if kind != "edit"]})
    assert list(world.sandbox.faults.plan) == [Fault(kind) for kind in FaultKind if kind is not FaultKind.EDIT]


def edit(**more: Any) -> dict[str, Any]:
    return {"faults": [{"kind": "edit", "changes": [more]}]}


def fault(**more: Any) -> dict[str, Any]:
    return {"faults": [{"kind": "lost", **more}]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "request body is not valid JSON"),
        ([], "must be an object"),
        ({"fault": []}, "fault: is no key here; there are faults, latency, jitter, lag"),
        ({"faults": {}}, "faults: must be an array"),
        ({"latency": -1}, "latency: must be seconds, 0 or more"),
        ({"jitter": True}, "jitter: must be seconds, 0 or more"),
        ({"lag": 1.5}, "lag: must be a number of requests, 0 to 10000"),
        ({"faults": ["lost"]}, "faults[0]: must be an object"),
        ({"faults": [{}]}, "faults[0].kind: is missing"),
        (fault(kind="explode"), "faults[0].kind: must be one of error-before, "),
        (fault(kind=[]), "faults[0].kind: must be one of error-before, "),
        (fault(operatoin="addLead"), "faults[0].operatoin: is no key here; there are kind, at, "),
        (fault(operation=[]), "faults[0].operation: must be one of addLead, "),
        (fault(at="3"), "faults[0].at: must be a positive integer"),
        (fault(at=[1, "3"]), "faults[0].at: must be a positive integer"),
        (fault(at=[1, 2], times=2), "faults[0].times: means nothing beside several numbers in at"),
        (fault(times="2"), "faults[0].times: must be a positive integer"),
        (fault(status=503), "faults[0].status: means nothing for lost"),
        (fault(changes=[]), "faults[0].changes: means nothing for lost"),
        (fault(kind="error-after", status="503"), "faults[0].status: must be from 500 to 599"),
        (fault(kind="edit"), "faults[0].changes: must be given for edit"),
        (fault(kind="edit", changes={}), "faults[0].changes: must be an array"),
        (fault(kind="edit", changes=["x"]), "faults[0].changes[0]: must be an object"),
        (edit(), "faults[0].changes[0].operation: is missing"),
        (edit(operation=[]), "faults[0].changes[0].operation: must be a string"),
        (edit(operation="getLead"), "faults[0].changes[0].operation: must be one of addLead, updateLead, "),
        (edit(operation="deleteLead"), "faults[0].changes[0].id: must say which one is meant"),
        (edit(operation="deleteLead", id="x", named="y"), "faults[0].changes[0].id: must say which one is meant"),
        (edit(operation="deleteLead", id=7), "faults[0].changes[0].id: must be a string"),
        (edit(operation="deleteLead", id="x", body={"a": 1}), "faults[0].changes[0].body: must not be given"),
        (edit(operation="addLead", named="x"), "faults[0].changes[0].id: must not be given for what is new"),
        (edit(operation="addLead", body=[]), "faults[0].changes[0].body: must be an object"),
        (edit(operation="addLead", body={}), "faults[0].changes[0].body: title is required"),
        (
            edit(operation="updateLeadLabel", id="x", body={"color": "mauve"}),
            "faults[0].changes[0].body: color must be one of ",
        ),
    ],
)
def test_a_wrong_document_names_the_place_and_changes_nothing(document: Any, message: str) -> None:
    world = World(faults=[Fault(FaultKind.LOST)], lag=1)
    before = world.call("GET", FAULTS).json()
    answer = world.call("PUT", FAULTS, document)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)
    assert world.call("GET", FAULTS).json() == before


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("reset", Fault(FaultKind.RESET)),
        ("lost:addLead", Fault(FaultKind.LOST, operation="addLead")),
        ("error-after:updateLead@3", Fault(FaultKind.ERROR_AFTER, operation="updateLead", at=3)),
        ("rate-limited@5", Fault(FaultKind.RATE_LIMITED, at=5)),
        ("reset:addLeadLabel*2", Fault(FaultKind.RESET, operation="addLeadLabel", times=2)),
        ("shield@4*", Fault(FaultKind.SHIELD, at=4, times=None)),
        ("short-page:getLeads@2*3", Fault(FaultKind.SHORT_PAGE, operation="getLeads", at=2, times=3)),
    ],
)
def test_a_fault_in_short(spec: str, meant: Fault) -> None:
    assert fault_of(spec) == meant


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "'' is not KIND[:OPERATION][@N][*[TIMES]], such as lost:addLead@2*3"),
        ("lost:", "'lost:' is not KIND"),
        ("lost@x", "'lost@x' is not KIND"),
        ("lost*2@3", "'lost*2@3' is not KIND"),
        ("lost@" + "9" * 5000, "'lost@9"),
        ("lots", "'lots': kind: must be one of "),
        ("lost:addLed", "'lost:addLed': operation: must be one of addLead, "),
        ("lost@0", "'lost@0': at: must be a positive integer"),
        ("lost*0", "'lost*0': times: must be a positive integer"),
        ("edit@2", "'edit@2': an edit needs its changes; PUT it to /_sandbox/faults"),
    ],
)
def test_a_wrong_fault_in_short(spec: str, message: str) -> None:
    with pytest.raises(FaultError, match="^" + re.escape(message)):
        fault_of(spec)
    with pytest.raises(click.BadParameter) as refused:
        command.main(["--fault", spec], standalone_mode=False)
    assert refused.value.param_hint == "--fault"
    assert refused.value.message.startswith(message)


def test_options_of_the_command_line() -> None:
    words = ["--fault", "lost:addLead", "--fault", "shield@2*", "--lag", "3", "--latency", "1", "--jitter", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "leadstate", "sandbox", "--port", "0", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            told = httpx.get(f"{url}{FAULTS}").json()
            assert httpx.get(f"{url}/api/v1/leads", headers={"x-api-token": TOKEN}).status_code == 401
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert told == {
        **QUIET,
        "faults": [
            {"kind": "lost", "operation": "addLead", "times": 1},
            {"kind": "shield", "at": 2, "times": None},
        ],
        "latency": 0.001,
        "jitter": 0.002,
        "lag": 3,
    }
    assert (err, process.returncode) == ("", 0)
