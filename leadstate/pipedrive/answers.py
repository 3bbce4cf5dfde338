"""From an HTTP answer to data or a typed error. No status, header or body can make it raise anything else.

What is taken from a server has bounds (spec section 10): beyond them an answer is a typed error of its account.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn

import httpx

from leadstate.model.diagnostics import counted
from leadstate.pipedrive.errors import (
    ApiError,
    BadAnswer,
    Blocked,
    BudgetSpent,
    Forbidden,
    IncompleteListing,
    NotFound,
    RateLimited,
    Redirected,
    Rejected,
    ServerFailure,
    TooLarge,
    Unauthorized,
)
from leadstate.pipedrive.operations import EXPONENT, Operation
from leadstate.pipedrive.secrets import Secrets, fold

DIGITS: Final = 40
"""Digits of a number; the vendor's amounts have 15 at most, and ids fewer."""

DEPTH: Final = 64
"""Objects and lists within each other; the vendor's answers have 6."""

LARGE: Final = 4 * 2**20
"""Bytes from which on the values of an answer are counted before it is parsed; a page of 500 leads has 340 KB."""

VALUES: Final = 500_000
"""Values in a large answer: as Python objects they take up to 50 times the bytes that they had."""

_BRACKETS = b"[]{}"
_ALL_ELSE = bytes(byte for byte in range(256) if byte not in _BRACKETS)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one connection; tests give smaller ones.

    Attributes:
        answer: bytes of an answer after decompression.
        seconds: how long a request may take in all, from its first byte to the last one of its answer, every time that
            it is sent counted. A byte now and then is not progress.
        pages: pages of a listing.
        rows: rows of a listing; the vendor keeps 300,000 archived leads at most (Pipedrive support: archiving).
    """

    answer: int = 64 * 2**20
    seconds: float = 60.0
    pages: int = 10_000
    rows: int = 1_000_000


BOUNDS: Final = Bounds()


def is_deep(content: bytes) -> bool:
    """Return whether JSON may be deeper than `DEPTH`; brackets that stand in its texts can make it seem so."""
    brackets = content.translate(None, _ALL_ELSE)
    for _ in range(DEPTH // 2):  # a round takes two levels away at the most
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def is_deep_value(value: object) -> bool:
    """Return whether a decoded document is deeper than `DEPTH`."""
    level = [value]
    for _ in range(DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ())
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def has_many_values(content: bytes) -> bool:
    """Return whether a large answer holds more values than there is memory for."""
    if len(content) < LARGE:
        return False
    return sum(content.count(sign) for sign in (b",", b"[", b"{")) > VALUES


MUCH_LONGER_THAN_A_BURST = 60
"""Seconds of retry-after that only a spent day explains: a burst window is 2 s."""

_LONGEST_QUOTE = 300
_LONGEST_SECONDS = 9
"""Digits: more seconds than these can tell are no time to wait."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: `data`, and what stands beside it in `additional_data`."""

    operation: Operation
    data: Any
    additional: dict[str, Any]

    def rows(self) -> list[Any]:
        """Return the data of a listing."""
        if not isinstance(self.data, list):
            raise BadAnswer(self.operation.id, "answered no list")
        return self.data

    def all_rows(self) -> list[Any]:
        """Return the data of a listing for which Pipedrive documents no pages.

        Raises:
            IncompleteListing: more rows follow all the same, which would not be seen.
        """
        if self._page.get("more_items_in_collection") is True or self.cursor() is not None:
            words = f"answered {counted(len(self.rows()), 'row')} and that more follow, of a listing that has no pages"
            raise IncompleteListing(self.operation.id, words)
        return self.rows()

    def page(self) -> tuple[int | None, bool]:
        """Return the page size that was granted, and whether more follow.

        Real bodies nest `pagination`, the vendor's description has it flat; without either, one page would pass for
        the whole account, so that is an error.
        """
        more, limit = self._page.get("more_items_in_collection"), self._page.get("limit")
        if not isinstance(more, bool):
            raise BadAnswer(self.operation.id, "answered a list without saying whether more follows")
        return (limit if isinstance(limit, int) and not isinstance(limit, bool) else None), more

    @property
    def _page(self) -> dict[str, Any]:
        nested = self.additional.get("pagination")
        return nested if isinstance(nested, dict) else self.additional

    def cursor(self) -> str | None:
        """Return where the next page of a listing of the second version begins; None at the end."""
        found = self.additional.get("next_cursor")
        return found if isinstance(found, str) and found else None


def read(operation: Operation, reply: httpx.Response, secrets: Secrets | None = None) -> Answer:
    """Return the data of an answer without the secrets; raise an `ApiError` for anything but success."""
    secrets = secrets or Secrets()
    if has_many_values(reply.content):
        raise TooLarge(operation.id, f"the answer holds more than {VALUES:,} values", status=reply.status_code)
    body = _json(reply.content, secrets)
    if reply.is_success:
        if not isinstance(body, dict) or body.get("success") is not True or "data" not in body:
            raise BadAnswer(
                operation.id, f"{reply.status_code} without the data it should hold", status=reply.status_code
            )
        additional = body.get("additional_data")
        return Answer(operation, body["data"], additional if isinstance(additional, dict) else {})
    raise _make_error(operation, reply, body if isinstance(body, dict) else None, secrets.scrub)


def _json(content: bytes, secrets: Secrets) -> object:
    """Return the body, or None if it is not JSON. Amounts stay exact; NaN and Infinity are not JSON.

    What is rare in a page is looked for in its bytes first, which takes a fraction of what parsing does.
    """
    folded = fold(content)
    try:
        text = content.decode()
        # Looking for one byte takes 7 us in a page of 500 leads, and for three of them 480 us.
        if b"\\" in content and b"\\ud" in folded:
            text = _ESCAPE.sub(_replace_half, text)
        parse_int = _integer if _LONG_NUMBER in folded else None
        body = json.loads(text, parse_float=_decimal, parse_int=parse_int, parse_constant=_no_constant)
    except (ValueError, RecursionError, ArithmeticError):
        return None
    if is_deep(content) and is_deep_value(body):
        return None
    return secrets.scrub_value(body) if secrets.may_be_in(content, folded) else body


_LONG_NUMBER = b"0" * (DIGITS + 1)


def _integer(text: str) -> object:
    return int(text) if len(text) <= DIGITS else _out_of_bounds(text)


def _decimal(text: str) -> object:
    number = Decimal(text)
    short = len(text) <= DIGITS + len("-.e+999")
    return number if short and abs(number.adjusted()) <= EXPONENT else _out_of_bounds(text)


def _out_of_bounds(text: str) -> dict[str, str]:
    """Return what stands for a number that no account can hold: no field takes it for a number or a text."""
    return {"out of bounds": text[:DIGITS]}


_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)
"""An escape of a JSON string: a surrogate pair, half of one, or any other."""
_HALF = len(r"\ud83d")


def _replace_half(escape: re.Match[str]) -> str:
    """Replace half a surrogate pair, as of an emoji that was cut in two: no file and no terminal takes it."""
    return r"\ufffd" if len(escape[0]) == _HALF else escape[0]


def _no_constant(_text: str) -> NoReturn:
    raise ValueError


def _make_error(
    operation: Operation, reply: httpx.Response, body: dict[str, Any] | None, scrub: Callable[[str], str]
) -> ApiError:
    status = reply.status_code
    words = _describe(reply, body, scrub)
    if reply.is_redirect or reply.is_informational:
        where = scrub(host_of(reply.headers.get("location", ""))) if reply.is_redirect else ""
        return Redirected(operation.id, f"redirected{f' to {where}' if where else ''}, not followed", status=status)
    if status == httpx.codes.FORBIDDEN and body is None:
        return Blocked(operation.id, "403 without a JSON body: the vendor's shield blocks this client", status=status)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        spent = _day_is_spent(reply, body)
        kind: type[ApiError] = BudgetSpent if spent else RateLimited
        after = _retry_after(reply)
        if spent:
            words = f"daily budget spent{'' if after is None else f', resets in {_duration(after)}'} ({words})"
        elif after is not None:
            words += f"; come back in {after:.0f} s"
        return kind(operation.id, words, status=status, retry_after=after)
    kinds: dict[int, type[ApiError]] = {401: Unauthorized, 403: Forbidden, 404: NotFound}
    fallback = ServerFailure if reply.is_server_error else Rejected
    capped = status == httpx.codes.FORBIDDEN and str((body or {}).get("code")).startswith("feature_capping")
    hint = "archive or delete open leads or deals, or have the company's Pipedrive plan raised" if capped else ""
    return kinds.get(status, fallback)(operation.id, words, status=status, hint=hint)


def _duration(seconds: float) -> str:
    """Return `40 s`, `12 min` or `1 h 6 min`; never shorter than it is."""
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{seconds:.0f} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def host_of(address: str) -> str:
    """Return the host of an address; empty if it has no host."""
    try:
        return httpx.URL(address).host
    except (httpx.InvalidURL, ValueError):
        return ""


def quote_line(value: object, scrub: Callable[[str], str]) -> str:
    """Return what a server said, in one line that is not long; nothing if it is neither a text nor a number.

    Secrets go before the text is cut: the beginning of one would not be known for what it is.
    """
    return " ".join(scrub(str(value)).split())[:_LONGEST_QUOTE] if isinstance(value, str | int) else ""


def _describe(reply: httpx.Response, body: dict[str, Any] | None, scrub: Callable[[str], str]) -> str:
    """Return what the server said, in one line; bodies of real errors vary, so everything is optional."""
    texts = [quote_line((body or {}).get(key), scrub) for key in ("error", "error_info", "code")]
    parts = list(dict.fromkeys((str(reply.status_code), *filter(None, texts))))
    # Reports tell by its end that two errors differ in this alone (`report.formats.wording.merge_texts`).
    if correlation := re.sub(r"[\s,;()]", "", quote_line(reply.headers.get("x-correlation-id"), scrub)):
        parts.append(f"correlation id {correlation}")
    return ", ".join(parts)


def _day_is_spent(reply: httpx.Response, body: dict[str, Any] | None) -> bool:
    """Return whether the day is spent, not the burst window; there is no official sign, so several are looked at."""
    if body and "daily" in str(body.get("error")).lower():
        return True
    if reply.headers.get("x-daily-ratelimit-token-remaining", "").strip() == "0":
        return True
    after = _retry_after(reply)
    return after is not None and after > MUCH_LONGER_THAN_A_BURST


def _retry_after(reply: httpx.Response) -> float | None:
    """Seconds; the form with a date was never seen of Pipedrive and counts as absent."""
    text = reply.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_SECONDS else None
