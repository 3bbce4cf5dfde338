"""The faults of the harness: which requests meet them, what the client gets, what is committed, and what it costs."""

import logging
import socket
from collections.abc import Collection, Iterator

import httpx
import pytest

from leadstate.sandbox import running
from tests.harness.faults import Fault, FaultKind
from tests.harness.sandbox_driver import COLD, HOT, OTHER, TOKEN, World, company

NEW = {"title": "new", "person_id": 1}
LABEL = {"name": "VIP", "color": "pink"}
FAIL = FaultKind.ERROR_BEFORE
TEXTS = {
    FaultKind.RESET: "(?i)reset|closed|aborted|10054",
    FaultKind.LOST: "without sending a response",
    FaultKind.CUT: "without sending complete message body",
}


def failing(world: World, requests: int, path: str = "/users/me") -> list[int]:
    """Which of so many requests fail."""
    answers = [world.api("GET", path).status_code for _ in range(requests)]
    return [number for number, status in enumerate(answers, 1) if status != 200]


@pytest.mark.parametrize(
    ("at", "times", "fail"),
    [
        (None, 1, [1]),
        (None, 3, [1, 2, 3]),
        (None, None, [1, 2, 3, 4, 5, 6]),
        (3, 1, [3]),
        (3, 2, [3, 4]),
        (3, None, [3, 4, 5, 6]),
        ({2, 5}, 1, [2, 5]),
        (range(2, 5), 1, [2, 3, 4]),
        ([6], None, [6]),
    ],
)
def test_a_fault_strikes_the_requests_of_its_numbers(
    at: int | Collection[int] | None, times: int | None, fail: list[int]
) -> None:
    world = World()
    faults = world.disturb(Fault(FAIL, at=at, times=times))
    assert failing(world, 6) == fail
    assert faults.fired == fail
    assert faults.requests == 6


def test_requests_of_an_operation_are_counted_apart() -> None:
    world = World()
    faults = world.disturb(Fault(FAIL, at=2, operation="getLeadLabels"))
    assert failing(world, 3, "/leads") == []
    assert failing(world, 3, "/leadLabels") == [2]
    assert failing(world, 3, "/leadLabels") == []
    assert faults.fired == [5]


def test_requests_of_a_company_are_counted_apart() -> None:
    world = World(company(), company(OTHER, 7042))
    world.disturb(Fault(FAIL, at=2, company=7042))
    assert failing(world, 3) == []
    assert [world.api("GET", "/leads", token=OTHER).status_code for _ in range(3)] == [200, 503, 200]


def test_requests_are_counted_from_when_the_faults_were_set() -> None:
    world = World()
    assert failing(world, 5) == []
    world.disturb(Fault(FAIL, at=2))
    assert failing(world, 3) == [2]
    world.disturb(Fault(FAIL), Fault(FAIL, at=3))
    assert failing(world, 3) == [1, 3]


def test_one_fault_strikes_a_request_and_the_others_wait() -> None:
    world = World()
    fault = Fault(FaultKind.SHIELD)
    world.disturb(Fault(FAIL), fault, fault)
    assert [world.api("GET", "/leads").status_code for _ in range(4)] == [503, 403, 403, 200]


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_lists_lag_by_the_given_number_of_requests(lag: int) -> None:
    world = World()
    kept, doomed = world.add(title="kept"), world.add(title="doomed")
    world.disturb(lag=lag)
    world.listed()
    world.data("PATCH", f"/leads/{kept['id']}", {"title": "changed"})
    assert [world.listed() for _ in range(lag + 1)] == [["kept", "doomed"]] * lag + [["changed", "doomed"]]
    world.data("DELETE", f"/leads/{doomed['id']}")
    assert [world.listed() for _ in range(lag + 1)] == [["changed", "doomed"]] * lag + [["changed"]]
    world.data("POST", "/leadLabels", LABEL)
    seen = [[label["id"] for label in world.data("GET", "/leadLabels")] for _ in range(lag + 1)]
    assert seen[:lag] == [[HOT, COLD]] * lag
    assert len(seen[lag]) == 3


def test_a_lead_read_by_id_is_current_and_lists_of_archived_leads_lag() -> None:
    world = World()
    world.disturb(lag=2)
    world.listed()
    lead = world.add(title="new")
    assert world.data("GET", f"/leads/{lead['id']}")["title"] == "new"
    world.data("PATCH", f"/leads/{lead['id']}", {"is_archived": True})
    assert world.listed("/leads/archived") == []
    assert world.listed("/leads") == ["new"]
    assert world.listed("/leads/archived") == ["new"]
    assert world.listed("/leads") == []


def test_each_company_lags_by_its_own_requests() -> None:
    world = World(company(), company(OTHER, 7042))
    faults = world.disturb(lag=1)
    world.listed()
    world.add(title="new")
    world.api("GET", "/leads", token=OTHER)
    world.api("GET", "/leads", token=OTHER)
    assert world.listed() == []
    assert world.listed() == ["new"]
    world.add(title="newer")
    faults.lag = 0
    assert world.listed() == ["new", "newer"]
    faults.lag = 1
    assert world.listed() == ["new", "newer"], "the past begins anew"
    world.sandbox.replace({"companies": [company()]})
    assert world.listed() == []


def struck(kind: FaultKind, **more: object) -> World:
    """A world whose next request meets this fault."""
    world = World(daily=1000)
    world.disturb(Fault(kind, **more))  # type: ignore[arg-type]
    return world


@pytest.mark.parametrize(("kind", "committed"), [(FaultKind.ERROR_BEFORE, []), (FaultKind.ERROR_AFTER, ["new"])])
@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_a_server_error_before_or_after_the_commit(kind: FaultKind, committed: list[str], status: int) -> None:
    world = struck(kind, status=status)
    answer = world.api("POST", "/leads", NEW)
    assert answer.status_code == status
    assert set(answer.json()) == {"success", "error", "error_info", "data", "additional_data"}
    assert answer.json()["success"] is False
    assert answer.headers["x-daily-ratelimit-token-remaining"] == "990"
    assert world.titles == committed
    assert world.sandbox.meter.tokens == 10
    assert world.api("POST", "/leads", NEW).status_code == 201, "a fault strikes once"


def test_a_429_is_not_charged() -> None:
    world = World(burst=5, daily=1000, latency=1)
    world.disturb(Fault(FaultKind.RATE_LIMITED))
    refused = world.api("POST", "/leads", NEW)
    assert refused.status_code == 429
    assert refused.json() == {"success": False, "error": "request over limit", "errorCode": 429}
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-daily-ratelimit-token-remaining"] == "1000"
    assert (world.titles, world.slept) == ([], [])
    assert (world.sandbox.meter.requests, world.sandbox.meter.tokens, world.sandbox.meter.refused) == (0, 0, 1)
    assert world.api("GET", "/leads").headers["x-ratelimit-remaining"] == "4", "the window took no notice"


@pytest.mark.parametrize(
    ("kind", "error", "committed"),
    [
        (FaultKind.RESET, httpx.ReadError, []),
        (FaultKind.LOST, httpx.RemoteProtocolError, ["new"]),
        (FaultKind.CUT, httpx.RemoteProtocolError, ["new"]),
    ],
)
def test_a_broken_connection_is_an_error_of_the_client(
    kind: FaultKind, error: type[Exception], committed: list[str]
) -> None:
    world = struck(kind)
    assert type(world.broken("POST", "/leads", NEW)) is error
    assert world.titles == committed
    assert world.sandbox.meter.tokens == 10


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.CUT, FaultKind.ERROR_AFTER])
def test_a_fault_commits_no_refused_write(kind: FaultKind) -> None:
    world = struck(kind)
    if kind is FaultKind.ERROR_AFTER:
        assert world.api("POST", "/leads", {"title": "nobody's"}).status_code == 503
    else:
        world.broken("POST", "/leads", {"title": "nobody's"})
    assert world.titles == []


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.SHIELD, 403), (FaultKind.HTML, 200)])
def test_an_html_page_has_no_headers_of_the_api(kind: FaultKind, status: int) -> None:
    world = struck(kind)
    answer = world.api("POST", "/leads", NEW)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert not any("ratelimit" in name or "correlation" in name for name in answer.headers)
    assert world.titles == []
    assert world.sandbox.meter.tokens == 10


def test_a_short_page_lacks_its_last_row_and_promises_more() -> None:
    world = World()
    for number in range(3):
        world.add(title=str(number))
    faults = world.disturb(Fault(FaultKind.SHORT_PAGE))
    world.api("GET", "/leadLabels")
    body = world.api("GET", "/leads", params={"limit": 3}).json()
    assert [lead["title"] for lead in body["data"]] == ["0", "1"]
    assert body["additional_data"]["pagination"] == {
        "start": 0,
        "limit": 3,
        "more_items_in_collection": True,
        "next_start": 3,
    }
    assert world.listed() == ["0", "1", "2"]
    assert faults.fired == [2]


def test_an_error_is_not_shortened() -> None:
    world = struck(FaultKind.SHORT_PAGE, operation="getArchivedLeads")
    assert world.refusal("GET", "/leads/archived", params={"limit": "x"}) == "limit must be an integer of at least 1"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with (
        running(world.sandbox.app) as url,
        httpx.Client(base_url=f"{url}/api/v1", headers={"x-api-token": TOKEN}) as opened,
    ):
        yield opened


@pytest.mark.parametrize("kind", TEXTS)
def test_a_broken_connection_is_broken_on_the_port_too(
    world: World, client: httpx.Client, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    client.get("/leads")
    world.disturb(Fault(kind, operation="addLead"))
    with caplog.at_level(logging.DEBUG, "uvicorn"), pytest.raises(httpx.TransportError, match=TEXTS[kind]) as broken:
        client.post("/leads", json=NEW)
    assert broken.type is (httpx.ReadError if kind is FaultKind.RESET else httpx.RemoteProtocolError)
    assert world.titles == ([] if kind is FaultKind.RESET else ["new"])
    assert client.get("/leads").status_code == 200, "the server lives, and a new connection works"
    assert world.sandbox.meter.tokens == 50
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")], "nobody is alarmed"


@pytest.mark.parametrize("kind", [FaultKind.ERROR_BEFORE, FaultKind.SHIELD, FaultKind.HTML, FaultKind.RATE_LIMITED])
def test_an_error_answer_keeps_the_connection_open(world: World, client: httpx.Client, kind: FaultKind) -> None:
    world.disturb(Fault(kind))
    assert client.get("/leads").extensions["network_stream"] is client.get("/leads").extensions["network_stream"]


def test_a_cut_body_is_half_of_the_promised_length(world: World, client: httpx.Client) -> None:
    whole = client.get("/leadLabels")
    world.disturb(Fault(FaultKind.CUT))
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80)) as connection:
        head = f"GET /api/v1/leadLabels HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-token: {TOKEN}\r\n\r\n"
        connection.sendall(head.encode())
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    answer, _, body = received.partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert f"content-length: {len(whole.content)}".encode() in answer
    assert body == whole.content[: len(whole.content) // 2]
