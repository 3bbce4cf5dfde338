"""Connections that break on a real port, as a client of httpx sees it."""

import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from leadstate.sandbox import Fault, FaultKind, running
from tests.harness.sandbox_driver import TOKEN, World

NEW = {"title": "new", "person_id": 1}
TEXTS = {
    FaultKind.RESET: "(?i)reset|closed|aborted|10054",
    FaultKind.LOST: "without sending a response",
    FaultKind.CUT: "without sending complete message body",
}


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
def test_a_broken_connection_is_a_real_one(
    world: World, client: httpx.Client, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    client.get("/leads")
    world.sandbox.faults.add(Fault(kind, operation="addLead"))
    with caplog.at_level(logging.DEBUG, "uvicorn"), pytest.raises(httpx.TransportError, match=TEXTS[kind]) as broken:
        client.post("/leads", json=NEW)
    assert broken.type is (httpx.ReadError if kind is FaultKind.RESET else httpx.RemoteProtocolError)
    assert world.titles == ([] if kind is FaultKind.RESET else ["new"])
    assert client.get("/leads").status_code == 200, "the server lives, and a new connection works"
    assert world.sandbox.meter.tokens == 50
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")], "nobody is alarmed"


@pytest.mark.parametrize("kind", TEXTS)
def test_a_long_listing_breaks_as_a_write_does(world: World, client: httpx.Client, kind: FaultKind) -> None:
    for number in range(300):
        world.sandbox.companies[0].add_lead({"title": str(number), "person_id": 1, "custom": {}})
    world.sandbox.faults.add(Fault(kind))
    with pytest.raises(httpx.TransportError, match=TEXTS[kind]):
        client.get("/leads", params={"limit": 500})
    assert len(client.get("/leads", params={"limit": 500}).json()["data"]) == 300


@pytest.mark.parametrize("kind", [FaultKind.ERROR_BEFORE, FaultKind.SHIELD, FaultKind.HTML, FaultKind.RATE_LIMITED])
def test_an_answer_leaves_the_connection_open(world: World, client: httpx.Client, kind: FaultKind) -> None:
    world.sandbox.faults.add(Fault(kind))
    assert client.get("/leads").extensions["network_stream"] is client.get("/leads").extensions["network_stream"]


def raw(url: httpx.URL, method: str) -> bytes:
    """Everything that comes until the connection ends."""
    with socket.create_connection((url.host, url.port or 80)) as connection:
        head = f"{method} /api/v1/leadLabels HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-token: {TOKEN}\r\n\r\n"
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_the_bytes_of_a_cut_body(world: World, client: httpx.Client) -> None:
    whole = client.get("/leadLabels")
    world.sandbox.faults.add(Fault(FaultKind.CUT))
    head, _, body = raw(client.base_url, "GET").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"content-length: {len(whole.content)}".encode() in head
    assert body == whole.content[: len(whole.content) // 2]


def test_the_bytes_of_no_answer(world: World, client: httpx.Client) -> None:
    world.sandbox.faults.add(Fault(FaultKind.LOST), Fault(FaultKind.RESET))
    assert raw(client.base_url, "GET") == b""
    with pytest.raises(ConnectionResetError):
        raw(client.base_url, "GET")
