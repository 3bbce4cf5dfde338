"""`--fault`: three kinds of requests that go wrong, each once."""

import signal

import click
import httpx
import pytest

from leadstate.cli.commands.sandbox import sandbox as command
from leadstate.sandbox import TOKEN, Fault, Faults, parse_fault, running
from tests.harness.cli_process import serving
from tests.harness.sandbox_driver import TOKEN as ACME
from tests.harness.sandbox_driver import World

NEW = {"title": "new", "person_id": 1}


def faulty(*texts: str) -> World:
    return World(intercept=Faults(map(parse_fault, texts)), burst=9, daily=1_000)


@pytest.mark.parametrize(("kind", "tokens"), [("429", 0), ("503", 10)])
def test_a_429_and_a_503_strike_once_and_the_request_is_not_executed(kind: str, tokens: int) -> None:
    world = faulty(kind)
    refused = world.api("POST", "/leads", NEW)
    assert refused.status_code == int(kind)
    assert refused.json()["success"] is False
    assert refused.headers.get("retry-after") == ("2" if kind == "429" else None)
    assert (world.titles, world.sandbox.meter.tokens) == ([], tokens)
    assert world.api("POST", "/leads", NEW).status_code == 201


def test_a_request_with_a_lost_answer_is_executed_and_the_connection_closed() -> None:
    world = faulty("lost:addLead")
    with (
        running(world.sandbox.app) as url,
        httpx.Client(base_url=f"{url}/api/v1", headers={"x-api-token": ACME}) as client,
    ):
        assert client.get("/leads").status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            client.post("/leads", json=NEW)
        assert client.get("/leads").status_code == 200
    assert world.titles == ["new"]


def test_each_fault_strikes_once_and_waits_for_its_operation() -> None:
    world = faulty("503:getLeads", "429", "503", "429:getUsers")
    paths = ["/leadLabels", "/leads", "/leads", "/leads", "/users"]
    assert [world.api("GET", path).status_code for path in paths] == [429, 503, 503, 200, 429]


def test_a_request_that_the_limits_refuse_meets_no_fault() -> None:
    world = World(intercept=Faults([Fault("503")]), burst=1)
    world.sandbox.intercept, faults = None, world.sandbox.intercept
    assert world.api("GET", "/leads").status_code == 200
    world.sandbox.intercept = faults
    assert world.api("GET", "/leads").status_code == 429
    world.clock.pass_by(2)
    assert world.api("GET", "/leads").status_code == 503


@pytest.mark.parametrize(
    ("text", "meant"), [("429", Fault("429")), ("503:getLeads", Fault("503", "getLeads")), ("lost", Fault("lost"))]
)
def test_a_fault_is_parsed_as_kind_and_operation(text: str, meant: Fault) -> None:
    assert parse_fault(text) == meant


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not KIND[:OPERATION]; KIND is one of 429, 503, lost"),
        ("reset", "'reset' is not KIND[:OPERATION]; KIND is one of 429, 503, lost"),
        ("lost:addLed", "'lost:addLed': there is no operation 'addLed'; there are addLead, addLeadLabel, "),
        ("lost:", "'lost:': there is no operation ''; there are "),
    ],
)
def test_a_wrong_fault_is_refused(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        command.main(["--fault", text], standalone_mode=False)
    assert refused.value.param_hint == "--fault"
    assert refused.value.message.startswith(message)


def test_the_command_serves_with_its_options() -> None:
    words = ["--fault", "503:getLeads", "--fault", "429", "--burst", "7", "--latency", "1"]
    with serving("-m", "leadstate", "sandbox", "--port", "0", *words) as (process, url):
        with httpx.Client(base_url=f"{url}/api/v1", headers={"x-api-token": TOKEN}) as client:
            answers = [client.get("/leads") for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert [answer.status_code for answer in answers] == [503, 429, 200]
    assert answers[2].headers["x-ratelimit-limit"] == "7"
    assert (err, process.returncode) == ("", 0)
