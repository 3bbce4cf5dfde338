"""What one value may look like: a checker takes any JSON value and returns it clean, or raises `InvalidError`.

It knows no company and no other value: whether an id exists is for `state` to say. Requests and seeds use the same
checkers, so that nothing can be seeded which the API would not have let in.
"""

import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from uuid import UUID

Checker = Callable[[Any], Any]
Source = TypeVar("Source")
Result = TypeVar("Result")

LARGEST = 2**53 - 1
"""The largest id, and whole number of a query: what every reader of JSON holds exactly (RFC 7493, section 2.2)."""

COLORS = ("blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow")
"""The label colours (Pipedrive OpenAPI: addLeadLabel)."""

TITLE_LENGTH = 255
"""Characters in a lead's title: what a varchar field holds (Pipedrive OpenAPI: getLeadFields). Not documented."""

_CUSTOM_KEY = re.compile(r"([0-9a-f]{40})(_[a-z0-9_]+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}", re.ASCII)
_SECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})", re.ASCII)
_MILLIS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


class InvalidError(ValueError):
    """A value that cannot be accepted. The text says what it has to be, to go behind the name of the field."""


def integer(value: Any) -> int:
    """Check a positive integer of any size. `true` is not an integer in JSON, though it is in Python."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidError("must be a positive integer")
    return value


def stored(value: Any) -> int:
    """Check a positive integer that a database and every reader of JSON can hold, such as an id."""
    if integer(value) > LARGEST:
        raise InvalidError(f"must be at most {LARGEST}")
    return integer(value)


def boolean(value: Any) -> bool:
    """Check `true` or `false`."""
    if not isinstance(value, bool):
        raise InvalidError("must be a boolean")
    return value


def number(value: Any) -> int | float:
    """Check a number that a double can hold. `true` is not a number, and neither is what `1e999` becomes."""
    # Compared, not converted: `float` and `math.isfinite` raise `OverflowError` for an integer of 400 digits.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise InvalidError("must be a number")
    return value


def text(value: Any) -> str:
    """Check a string that can be written as UTF-8; JSON can spell half a surrogate pair, which cannot."""
    if not isinstance(value, str):
        raise InvalidError("must be a string")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidError("must be valid Unicode")
    return value


def name(value: Any) -> str:
    """Check a string with something in it but white space."""
    if not text(value).strip():
        raise InvalidError("must not be empty")
    return text(value)


def names(value: Any) -> tuple[str, ...]:
    """Check a list of such strings."""
    if not isinstance(value, list):
        raise InvalidError("must be an array")
    return tuple(name(item) for item in value)


def title(value: Any) -> str:
    """Check a lead's title: not empty, at most `TITLE_LENGTH` characters."""
    if len(name(value)) > TITLE_LENGTH:
        raise InvalidError(f"must be at most {TITLE_LENGTH} characters long")
    return name(value)


def uuid(value: Any) -> str:
    """Check a UUID in its usual lower-case form with hyphens."""
    try:
        clean = str(UUID(text(value)))
    except ValueError:
        raise InvalidError("must be a UUID") from None
    if clean != value:
        raise InvalidError("must be a UUID in lower case with hyphens")
    return clean


def uuids(value: Any) -> tuple[str, ...]:
    """Check a list of UUIDs; each one is kept once, at its first place."""
    if not isinstance(value, list):
        raise InvalidError("must be an array")
    return tuple(dict.fromkeys(uuid(item) for item in value))


def color(value: Any) -> str:
    """Check one of the ten label colours."""
    if value not in COLORS:
        raise InvalidError(f"must be one of [{', '.join(COLORS)}]")
    return text(value)


def visibility(value: Any) -> str:
    """Check a visibility, which is a string of one digit (Pipedrive OpenAPI: addLead)."""
    if value not in ("1", "3", "5", "7"):
        raise InvalidError('must be one of ["1", "3", "5", "7"]')
    return text(value)


def day(value: Any) -> str:
    """Check a date that exists, as YYYY-MM-DD."""
    # Python would read other spellings too, such as 20261231.
    if _DATE.fullmatch(text(value)) and _read(date.fromisoformat, value):
        return text(value)
    raise InvalidError("must be a date in the format YYYY-MM-DD")


def clock(value: Any) -> str:
    """Check a time of day that exists, as HH:MM:SS."""
    if _TIME.fullmatch(text(value)) and _read(time.fromisoformat, value):
        return text(value)
    raise InvalidError("must be a time in the format HH:MM:SS")


def money(value: Any) -> dict[str, Any]:
    """Check an amount with its currency, both required (Pipedrive OpenAPI: addLead). Whole amounts stay integers."""
    if not isinstance(value, dict):
        raise InvalidError("must be an object with amount and currency")
    if set(value) != {"amount", "currency"}:
        raise InvalidError("must have exactly the keys amount and currency")
    clean = {}
    for key, checker in (("amount", number), ("currency", name)):
        try:
            clean[key] = checker(value[key])
        except InvalidError as error:
            raise InvalidError(f"{key} {error}") from None
    return clean


def moment(value: Any) -> str:
    """Check a time as the API writes it: ISO 8601, UTC, milliseconds, `Z`."""
    if _MILLIS.fullmatch(text(value)) and _read(datetime.fromisoformat, value):
        return text(value)
    raise InvalidError("must be a time such as 2026-04-01T22:03:28.177Z")


def since(value: str) -> str:
    """Return the query parameter `updated_since` in the form that `moment` has, so that both compare as text.

    Fractions of a second are refused (Pipedrive API: lists answer "not a valid datetime" to them).
    """
    given = _read(datetime.fromisoformat, value) if _SECONDS.fullmatch(value) else None
    # Near the years 1 and 9999 another time zone can lie outside of what Python's times reach.
    clean = None if given is None else _read(stamp, given)
    if clean is None:
        raise InvalidError("is not a valid datetime")
    return clean


def stamp(given: datetime) -> str:
    """Return an aware time as the API writes it."""
    return given.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def custom_base(key: str) -> str | None:
    """Return the 40-hex key of the custom field that a body's key belongs to (`<key>` or `<key>_currency`), or None."""
    match = _CUSTOM_KEY.fullmatch(key)
    return match[1] if match else None


def custom(value: Any) -> str | int | float:
    """Check the value of a custom field of unknown type. A list is returned as a string with commas, as sets are."""
    if isinstance(value, list):
        return ",".join(text(item) if isinstance(item, str) else str(stored(item)) for item in value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidError("must be a string, a number or an array of option ids")
    return text(value) if isinstance(value, str) else number(value)


def _read(reader: Callable[[Source], Result], value: Source) -> Result | None:
    """Return what a reader of the standard library makes of a value, or None where it refuses it."""
    try:
        return reader(value)
    except (ValueError, OverflowError):
        return None
