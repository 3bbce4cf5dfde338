"""Reads the body of an answer within its bounds: decompressed a piece at a time, and no further than allowed."""

import zlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx

from leadstate.pipedrive.bounds import Bounds

_PIECE = 2**20
"""Bytes that are decompressed at a time."""


class TooLargeError(httpx.DecodingError):
    """An answer is longer than it may be."""


def bounded(bounds: Bounds) -> Callable[[httpx.Response], Awaitable[None]]:
    """Return a response hook for httpx that reads the body within the bounds; httpx itself knows none.

    It decompresses what `accept-encoding: gzip` may bring, a piece at a time: 64 KB of it can become 64 MB.
    """

    async def read(reply: httpx.Response) -> None:
        stream = reply.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("the hook is for an AsyncClient")
        content = bytearray()
        encoding = reply.headers.pop("content-encoding", "identity").strip().lower()
        try:
            decoder = _decoder(encoding)
            async for received in stream:
                rest = received
                while rest:
                    content += decoder.decompress(rest, _PIECE)
                    rest = decoder.unconsumed_tail
                    if len(content) > bounds.answer:
                        raise TooLargeError(f"the answer is longer than {bounds.answer:,} bytes")
            content += decoder.flush()
        except zlib.error as failure:
            raise httpx.DecodingError(str(failure)) from None
        finally:
            await stream.aclose()
        reply.stream = httpx.ByteStream(bytes(content))

    return read


class _Decoder(Protocol):
    """As `zlib.decompressobj` gives one."""

    @property
    def unconsumed_tail(self) -> bytes:
        """What of the data is left."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return the next piece of the content."""

    def flush(self) -> bytes:
        """Return the end of the content."""


class _Plain:
    """The content is what was sent."""

    unconsumed_tail = b""

    def decompress(self, data: bytes, _max_length: int, /) -> bytes:
        """Return the data: it is no longer than it was sent."""
        return data

    def flush(self) -> bytes:
        """Return nothing."""
        return b""


def _decoder(encoding: str) -> _Decoder:
    match encoding:
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: the header tells gzip from zlib
        case _:
            raise httpx.DecodingError("the answer has an encoding that was not asked for")
