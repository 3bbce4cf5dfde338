"""Makes text of strangers inert in GitHub's Markdown: no markup, no link, no mention, no reference to an issue.

Escaping is not enough: GitHub looks for `@name` and `#1` in the finished page, where an escape is gone. It does not
look into code, so what is not plainly a word stands in code.
"""

import re

from leadstate.core.escape import visible

_PLAIN_CODE = re.compile(r"(?! )[^`|\\\n]*[^`|\\\n ]")
_WORD = re.compile(r"""[("]?[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*[).,:;?!"]*|\(?\d+(?:[,.]\d+)*[,:;?!]*|[%→—][).,:;?!]*""")
_COMMIT = re.compile(r"\W?[0-9a-f]{7,}\W*", re.IGNORECASE)


def code(text: str) -> str:
    """The text as code on one line, also within a table."""
    shown = visible(text)
    if _PLAIN_CODE.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{''.join(map(_entity, shown))}</code>"


def prose(text: str) -> str:
    """The text as it is, with whatever is not plainly a word or a number as code."""
    return " ".join(_token(token) for token in visible(text).split())


def _token(token: str) -> str:
    if _WORD.fullmatch(token) and not _COMMIT.fullmatch(token):
        return token
    word = token.rstrip(",.;:")
    return code(word) + token[len(word) :] if word else code(token)


def _entity(char: str) -> str:
    return char if char.isalnum() or char == " " or not char.isascii() else f"&#{ord(char)};"
