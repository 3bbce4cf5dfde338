"""A Pipedrive of so many leads that takes a fixed time to answer: `python -m benchmarks.server LEADS EVERY ADDRESSES`.

One lead in EVERY carries our marker.
Each answer is made once by the sandbox, so it has the sandbox's form to the byte, and is served from memory afterwards.
So a benchmark measures the client, and not how long the sandbox takes to write 500 leads. Every token is taken for the
same account; X

    GET /_latency/50   wait 50 ms before each answer from now on
    GET /_taken        how many requests each token has made, and their rate-limit tokens; begins again from nothing
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from leadstate.sandbox import TOKEN_COSTS, Sandbox

NAMESPACE = "bench"
TOKEN = "sandbox-token"  # noqa: S105  the sandbox's
BURST = 120
"""Requests in 2 s, as the largest plan has: the limit must not be what is measured."""

LABELS = [
    {"id": f"00000000-0000-4000-8000-{i:012x}", "name": name, "color": color}
    for i, (name, color) in enumerate([("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue"), ("Partner", "green")])
]


@contextmanager
def serving(leads: int, every: int = 100) -> Iterator[str]:
    """Such a server in a process of its own; gives its address."""
    with serving_at(1, leads, every) as (url,):
        yield url


@contextmanager
def serving_at(addresses: int, leads: int, every: int = 100) -> Iterator[list[str]]:
    """Such a server with so many addresses."""
    command = [sys.executable, "-m", "benchmarks.server", str(leads), str(every), str(addresses)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().split() if server.stdout else []
        finally:
            server.terminate()


def set_latency(url: str, milliseconds: int) -> None:
    """Let each answer take so long from now on."""
    httpx.get(f"{url}/_latency/{milliseconds}").raise_for_status()


def taken(url: str) -> dict[str, dict[str, int]]:
    """What each token has used since this was asked last: `requests` and `tokens`."""
    found: dict[str, dict[str, int]] = httpx.get(f"{url}/_taken").json()
    return found


def seed(leads: int, every: int) -> dict[str, Any]:
    """An account of so many leads, of which one in `every` has our marker."""
    return {
        "token": TOKEN,
        "company": {"id": 1, "name": "Bench", "domain": "bench"},
        "persons": [{"id": 1, "name": "Jane"}],
        "labels": LABELS,
        "leads": [
            {
                "id": f"{i:08x}-0000-1000-8000-000000000000",
                "title": f"Lead {i} of a company with a name of ordinary length",
                "person_id": 1,
                "label_ids": [LABELS[i % 4]["id"]],
                "value": {"amount": 100 + i, "currency": "EUR"},
                "expected_close_date": "2026-12-31",
                **({"origin_id": f"{NAMESPACE}:seed-{i // every}"} if i % every == 0 else {}),
            }
            for i in range(leads)
        ],
    }


class _Answers:
    def __init__(self, sandbox: Sandbox) -> None:
        self.latency = 0.0
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://127.0.0.1")
        self._kept: dict[tuple[str, str], bytes] = {}
        self._taken: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()

    async def of(self, target: str, token: str) -> bytes:
        """The answer to a GET, head and body."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        match parts.path.split("/")[1:]:
            case ["_latency", milliseconds]:
                self.latency = float(milliseconds) / 1000
                return _http(200, b"{}")
            case ["_taken"]:
                taken = {name: {"requests": n, "tokens": self._tokens[name]} for name, n in self._taken.items()}
                self._taken.clear()
                self._tokens.clear()
                return _http(200, json.dumps(taken).encode())
        self._taken[token] += 1
        self._tokens[token] += TOKEN_COSTS["getLeadLabels" if parts.path.endswith("Labels") else "getLeads"]
        key = parts.path, query.get("start", ["0"])[0]
        if key not in self._kept:
            reply = await self._http.get(target, headers={"x-api-token": TOKEN})
            self._kept[key] = _http(reply.status_code, reply.content)
        if self.latency:
            await asyncio.sleep(self.latency)
        return self._kept[key]


def _http(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"x-ratelimit-limit: {BURST}\r\n\r\n"
    )
    return head.encode() + body


async def _talk(answers: _Answers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *fields = head.decode("latin-1").split("\r\n")
            token = next(
                (field.partition(":")[2].strip() for field in fields if field.lower().startswith("x-api-token")), ""
            )
            writer.write(await answers.of(first.split(" ")[1], token))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _serve(leads: int, every: int, addresses: int) -> None:
    answers = _Answers(Sandbox(seed(leads, every), burst=None, daily=None))
    hosts = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(addresses)]
    server = await asyncio.start_server(lambda r, w: _talk(answers, r, w), hosts, 0, backlog=1024)
    names = (socket.getsockname() for socket in server.sockets)
    print(*(f"http://{host}:{port}" for host, port in names), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(*map(int, sys.argv[1:])))
