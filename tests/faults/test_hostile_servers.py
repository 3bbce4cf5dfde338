"""A hostile server, over real HTTP: a typed error of its account within the bounds, and the other account is done."""

import asyncio
import contextlib
import gzip
import json
import queue
import subprocess
import sys
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from leadstate.api.session import Runtime
from leadstate.pipedrive.answers import Bounds
from leadstate.sandbox import Sandbox, running
from tests.faults.conftest import Counted
from tests.harness.cli_in_process import Commands

TOKEN = "A1b2C3d4e5" * 4
SMALL = Bounds(answer=2**20, pages=20, rows=100_000)
SHORT = replace(SMALL, seconds=0.5)
"""For servers that would take for ever: others may be slow on a busy machine, and are about something else."""
BOMB_MEGABYTES = 512
MOST_MEGABYTES = 300

Answer = AsyncIterator[bytes]
Hostile = Callable[[str, dict[str, str]], Answer]


def head(status: int = 200, **headers: str) -> bytes:
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\nconnection: close\r\nx-ratelimit-limit: 500\r\n{fields}\r\n".encode()


def ok(data: object, **additional: object) -> bytes:
    return head() + json.dumps({"success": True, "data": data, "additional_data": additional}).encode()


LABEL = {"id": "aaaaaaaa-0000-4000-8000-000000000001", "name": "Hot", "color": "red"}


async def drip(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  every server has this form
    yield head()
    while True:
        await asyncio.sleep(0.01)
        yield b" "


async def drip_of_headers(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        await asyncio.sleep(0.01)
        yield b"x: y\r\n"


async def silence(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    await asyncio.sleep(3600)
    yield b""


@cache
def squeezed() -> bytes:
    packer = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(BOMB_MEGABYTES)) + packer.flush()


async def bomb(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head(content_encoding="gzip") + squeezed()


async def bomb_in_a_bomb(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head(content_encoding="gzip, gzip") + gzip.compress(gzip.compress(bytes(2**24)))


async def flood(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head()
    while True:
        yield b" " * 2**16


async def countless_values(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head() + b'{"success": true, "data": ['
    for _ in range(60):
        yield b"{}," * (2**20 // 3)
    yield b"{}]}"


async def endless_pages(path: str, query: dict[str, str]) -> Answer:
    if "leads" not in path:
        yield ok([LABEL])
        return
    start = int(query["start"])
    rows = [{"id": f"{at:08x}", "title": "x", "label_ids": []} for at in range(start, start + 500)]
    yield ok(rows, pagination={"limit": 500, "more_items_in_collection": True})


async def repeating_cursor(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    if "dealFields" in path:
        yield ok([], next_cursor="again")
    else:
        yield ok([LABEL] if "Labels" in path else [], pagination={"limit": 500, "more_items_in_collection": False})


async def deep(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head() + b'{"success": true, "data": ' + b"[" * 900 + b"]" * 900 + b"}"


async def deeper(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head() + b'{"success": true, "data": ' + b"[" * 500_000


def number(text: str) -> Hostile:
    async def answer(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
        if "Labels" in path:
            yield ok([LABEL])
            return
        lead = f'{{"id": "1", "title": "x", "origin_id": "ns:a", "person_id": 1, "owner_id": {text}, "label_ids": []}}'
        page = '{"pagination": {"limit": 500, "more_items_in_collection": false}}'
        yield head() + f'{{"success": true, "data": [{lead}], "additional_data": {page}}}'.encode()

    return answer


async def redirect(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head(307, location=f"https://{TOKEN.lower()}.evil.test/", content_length="0")


async def echo(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  as above
    yield head(400) + json.dumps({"success": False, "error": f"bad {TOKEN.upper()}"}).encode()


HOSTILE: dict[str, tuple[Hostile, str]] = {
    "a byte now and then": (drip, "unreachable"),
    "a header now and then": (drip_of_headers, "unreachable"),
    "silence": (silence, "unreachable"),
    "a bomb": (bomb, "answer-too-large"),
    "a bomb in a bomb": (bomb_in_a_bomb, "unreachable"),
    "a flood": (flood, "answer-too-large"),
    "pages without end": (endless_pages, "endless-listing"),
    "a cursor that repeats": (repeating_cursor, "endless-listing"),
    "deep": (deep, "bad-answer"),
    "deeper": (deeper, "bad-answer"),
    "a huge exponent": (number("1e999999999"), "bad-answer"),
    "a long number": (number("9" * 4_000), "bad-answer"),
    "a redirect with the token": (redirect, "redirected"),
    "an error with the token": (echo, "rejected"),
}


@contextlib.contextmanager
def aborting(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Close the connection in the end: what could be sent is sent, unless the client has gone."""
    try:
        yield
        writer.close()
    finally:
        if not writer.is_closing():
            writer.transport.abort()


@contextlib.contextmanager
def serving(hostile: Hostile) -> Iterator[str]:
    """Serve it on loopback, in a thread with a loop of its own; gives its address."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), aborting(writer):
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            target = urlsplit(request.split(" ")[1])
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            async for piece in hostile(target.path, query):
                writer.write(piece)
                await writer.drain()

    async def serve() -> None:
        done = asyncio.Event()
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        told.put((asyncio.get_running_loop(), done, server.sockets[0].getsockname()[1]))
        await done.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # closed transports call back

    told: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, done, port = told.get()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


def configuration(hostile: str, healthy: str) -> str:
    return f"""\
version: 1
namespace: ns
accounts:
  hostile: {{url: {hostile}, token: {{env: TOKEN}}}}
  healthy: {{url: {healthy}, token: {{env: HEALTHY}}}}
labels:
  - {{name: Hot, color: red}}
leads:
  - {{key: a, title: A, person: 1, labels: [Hot], custom_fields: {{Industry: Retail}}, accounts: [hostile]}}
"""


ENVIRON = {"TOKEN": TOKEN, "HEALTHY": "sandbox-token"}
EMPTY = {"token": "sandbox-token", "company": {"id": 1, "name": "A", "domain": "a"}, "labels": [], "leads": []}


def commands(folder: Path, bounds: Bounds = SMALL) -> Commands:
    """Return the command line for a configuration in this folder."""
    runtime = Runtime(environ=ENVIRON, bounds=bounds, receipts=folder, cache=folder / "cache")
    return Commands(folder, runtime)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_fails_only_its_own_account(name: str, tmp_path: Path, counted: Counted) -> None:
    hostile, code = HOSTILE[name]
    with serving(hostile) as bad, running(Sandbox(EMPTY).app) as good:
        shell = commands(tmp_path, SHORT if hostile in (drip, drip_of_headers, silence) else SMALL)
        shell.write(configuration(bad, good))
        done = shell("plan", "-c", str(tmp_path / "leadstate.yaml"), "--format", "json")
    accounts = {account["account"]: account for account in json.loads(done.stdout)["accounts"]}
    assert [diagnostic["code"] for diagnostic in accounts["hostile"]["diagnostics"]] == [code], done.stdout
    assert [change["address"] for change in accounts["healthy"]["changes"]] == ["healthy/label:Hot"]
    assert TOKEN.lower() not in (done.stdout + done.stderr).lower()
    counted("hostile servers", 1)


@pytest.mark.parametrize("name", ["a bomb", "a flood", "values without end", "a huge exponent", "deeper"])
def test_any_answer_stays_within_the_memory_bound(name: str, tmp_path: Path) -> None:
    hostile = countless_values if name == "values without end" else HOSTILE[name][0]
    with serving(hostile) as bad, running(Sandbox(EMPTY).app) as good:
        (tmp_path / "leadstate.yaml").write_text(configuration(bad, good), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.watched", "plan", "-c", str(tmp_path / "leadstate.yaml")],
            env={**ENVIRON, "XDG_CACHE_HOME": str(tmp_path), "PATH": ""},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    peak = json.loads(done.stderr.splitlines()[-1])["peak_bytes"]
    assert peak < MOST_MEGABYTES * 2**20, f"{peak:,} bytes"
    assert done.returncode == 1
    assert "label:Hot" in done.stdout
    assert "error[" in done.stdout


def test_a_token_inside_a_name_is_masked(tmp_path: Path) -> None:
    async def repeating(path: str, query: dict[str, str]) -> Answer:  # noqa: ARG001  every server has this form
        yield ok([{**LABEL, "name": f"x {TOKEN.swapcase()} y"}] if "Labels" in path else {"name": TOKEN})

    with serving(repeating) as bad, running(Sandbox(EMPTY).app) as good:
        shell, shown = commands(tmp_path), ""
        shell.write(configuration(bad, good))
        for words in (["get", "labels"], ["get", "labels", "--format", "json"], ["matrix"], ["doctor"]):
            done = shell(*words, "-c", str(tmp_path / "leadstate.yaml"))
            shown += done.stdout + done.stderr
    assert "x *** y" in shown
    assert TOKEN.lower() not in shown.lower()
