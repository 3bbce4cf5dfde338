"""Makes text of strangers inert in GitHub's Markdown: no markup, no link, no mention, no reference to an issue.

Escaping is not enough: GitHub looks for `@name` and `#1` in the finished page, where an escape is gone. It does not
look into code, so what is not plainly a word stands in code.
"""

import re
from collections.abc import Iterable

from leadstate.model.escape import visible

_PLAIN_CODE = re.compile(r"(?! )[^`|\\\n]*[^`|\\\n ]")
_WORD = re.compile(r"""[("]?[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*[).,:;?!"]*|\(?\d+(?:[,.]\d+)*[,:;?!]*|[%→—][).,:;?!]*""")
_COMMIT = re.compile(r"\W?[0-9a-f]{7,}\W*", re.IGNORECASE)


def code(text: str) -> str:
    """The text as code on one line, also within a table."""
    shown = visible(text)
    if _PLAIN_CODE.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{''.join(map(_entity, shown))}</code>"


def spans(names: Iterable[str] = ()) -> re.Pattern[str]:
    """Return what finds the pieces of a message that are one piece of code each.

    These are what stands between backticks or quotation markers, and those of the names that have spaces in them.
    """
    known = sorted({_on_one_line(name) for name in names if " " in name.strip()}, key=len, reverse=True)
    named = "".join(f"|{re.escape(name)}" for name in known)
    # What comes before it, what backticks hold, what has quotation markers or is a name, and what comes after it.
    return re.compile(rf"""(?:(?<= )|^)(\(?)(?:`([^`]+)`|('[^'`]+'|"[^"`]+"{named}))([).,:;?!]*)(?= |$)""")


NO_NAMES = spans()


def prose(text: str, pieces: re.Pattern[str] = NO_NAMES) -> str:
    """Return the text with whatever is not plainly a word or a number as code; `pieces` are those of `spans`."""
    shown = _on_one_line(text)
    made: list[str] = []
    at = 0
    for found in pieces.finditer(shown):
        made += map(_token, shown[at : found.start()].split())
        before, quoted, named, after = found.groups()
        made.append(f"{before}{code(quoted or named)}{after}")
        at = found.end()
    return " ".join([*made, *map(_token, shown[at:].split())])


def _on_one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _token(token: str) -> str:
    if _WORD.fullmatch(token) and not _COMMIT.fullmatch(token):
        return token
    word = token.rstrip(",.;:")
    return code(word) + token[len(word) :] if word else code(token)


def _entity(char: str) -> str:
    return char if char.isalnum() or char == " " or not char.isascii() else f"&#{ord(char)};"
