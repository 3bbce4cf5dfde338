"""Make text of others harmless: what would move the cursor, turn the direction or command a CI system is shown.

GitHub Actions takes commands from any output: `::name::` where a line begins, and `##[name]` anywhere in it
(actions/runner, ActionCommand.cs).
"""

import json
import re
import unicodedata

_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Controls, formats, halves of surrogate pairs and separators of lines (Unicode: Cc, Cf, Cs, Zl, Zp), all but the two
joiners: emoji and some scripts need those, and they neither move nor turn anything. Also what YAML cannot hold."""

HIDDEN = re.compile(f"[{_HIDDEN}]")
_UNSAFE = re.compile(rf"[{_HIDDEN}]|^\s*:(?=:)|#(?=#\[)")
_UNSAFE_IN_JSON = re.compile(rf"(?!\n)[{_HIDDEN}]|#(?=#\[)")
_COMMAND = "##["
_UNSEEN = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0x1F3FB, 0x1F3FF),
    (0xE0000, 0xE0FFF),
)
"""What nobody sees, or hardly: Unicode's Default_Ignorable_Code_Point beside category Cf, and the tones of skin."""


def visible(text: str) -> str:
    """Return the text with control and direction characters written as escapes, on one line that commands nothing."""
    if text.isascii() and text.isprintable() and _COMMAND not in text and not text.lstrip().startswith("::"):
        return text
    return _UNSAFE.sub(_escape_last, text)


def visible_json(text: str) -> str:
    """Return JSON that means the same, with those characters written as JSON escapes."""
    if text.isascii() and _COMMAND not in text and "\x7f" not in text:
        return text
    return _UNSAFE_IN_JSON.sub(lambda found: _in_json(found[0]), text)


def is_visible(text: str) -> bool:
    """Return whether nothing in the text has to be escaped."""
    return visible(text) == text


def quoted(text: str) -> str:
    """Return the text in double quotes as YAML takes it, those characters written as escapes."""
    return HIDDEN.sub(lambda found: escaped(found[0]), json.dumps(text, ensure_ascii=False))


def is_unseen(char: str) -> bool:
    """Return whether nobody sees a character, or hardly: the difference of a name with it to one without."""
    if char.isascii():
        return False
    return unicodedata.category(char) == "Cf" or any(first <= ord(char) <= last for first, last in _UNSEEN)


def spelled_out(text: str) -> str:
    """Return the text in double quotes as YAML takes it, with everything in it to be seen."""
    return "".join(char if char.isprintable() and not is_unseen(char) else escaped(char) for char in quoted(text))


def escaped(char: str) -> str:
    """Return the escape of a character in Python and in YAML."""
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  widths of an escape


def _escape_last(found: re.Match[str]) -> str:
    before, last = found[0][:-1], found[0][-1]
    return visible(before) + escaped(last)


def _in_json(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
