"""Makes text of strangers harmless on a terminal: what would move the cursor or turn the direction is shown instead."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
"""Emoji and some scripts need these two; they neither move nor turn anything."""


def visible(text: str) -> str:
    """The text with control and direction characters written as escapes, on one line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in _JOINERS or unicodedata.category(char) not in _HIDDEN else _escape(char) for char in text
    )


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  widths of an escape
