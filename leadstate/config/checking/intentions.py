"""What somebody meant by text that YAML or a model takes for something else: a day, a variable, a key, quotes."""

import datetime as dt
import json
import re
from typing import Final

from leadstate.config.yaml.diagnostics import visible
from leadstate.config.yaml.masking import ENV_NAME

_PLAIN: Final = re.compile(r"[^\W\d_][\w.+-]*(?: [\w.+-]+)*")
_DAY: Final = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[T ].*)?")
_VARIABLE: Final = re.compile(r"\$(?:\{\{\s*(?:secrets|env|vars)\.(\w+)\s*\}\}|\{(\w+)\}|(\w+))")
_YEAR: Final = 4


def quoted(text: str, *, always: bool = False) -> str:
    """Return text as it can stand in a line of YAML, in quotes where it needs them."""
    return text if _PLAIN.fullmatch(text) and not always else json.dumps(text, ensure_ascii=False)


def comment_meant(rest: str) -> str:
    """Return what follows a key on its line where that is a comment: text that begins with `#` and has no quotes."""
    stripped = rest.strip()
    return visible(stripped.rstrip("},] ")[:60]) if stripped.startswith("#") else ""


def day_meant(text: str) -> str:
    """Return the only day of the calendar that another way of writing dates can mean, YYYY-MM-DD; else nothing."""
    found = _DAY.fullmatch(text)
    if found is None:
        return ""
    first, _, second, last = found.groups()
    if len(first) == _YEAR:
        orders = [(first, second, last)]
    elif len(last) == _YEAR:
        # With dots and hyphens the day comes first; with slashes it depends on who writes.
        orders = [(last, second, first)] + ([(last, first, second)] if found[2] == "/" else [])
    else:
        return ""
    days = {day for year, month, of_month in orders if (day := _day(int(year), int(month), int(of_month)))}
    return days.pop() if len(days) == 1 else ""


def variable_meant(text: str) -> str | None:
    """Return the environment variable that `$NAME`, `${NAME}` or `${{ secrets.NAME }}` stands for elsewhere."""
    found = _VARIABLE.fullmatch(text.strip())
    name = next((group for group in found.groups() if group), "") if found else ""
    # Anything else may be a password that begins so.
    return name if ENV_NAME.fullmatch(name) else None


def key_meant(text: str) -> str:
    """Return a key like the text, in characters that a key takes; nothing where too little remains."""
    made = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")
    return made if made and text.isascii() else ""


def _day(year: int, month: int, day: int) -> str:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return ""
