"""Reads pages of leads and throws them away: the least that any client waits for a server."""

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from leadstate.model.resource import PAGE


def read_seconds(url: str, pages: int, at_once: int) -> float:
    """Seconds for so many pages, overlapping as ours do, over so many connections."""
    return asyncio.run(_read_all(url, pages, at_once))


async def _read_all(url: str, pages: int, at_once: int) -> float:
    begun = time.perf_counter()
    left = iter(range(0, pages * (PAGE - 1), PAGE - 1))
    await asyncio.gather(*(_read(url, left) for _ in range(at_once)))
    return time.perf_counter() - begun


async def _read(url: str, left: Iterator[int]) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**20)
    for start in left:
        writer.write(f"GET /api/v1/leads?limit={PAGE}&start={start} HTTP/1.1\r\nhost: bench\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()
