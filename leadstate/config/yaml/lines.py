"""The lines of a text, as the writer needs them: where one begins and ends, what stands around it."""

import re
from typing import Final

_BREAK: Final = re.compile(r"\r\n|\n|\r")
_REST: Final = re.compile(r"[^\r\n]*")
_TO_COLON: Final = re.compile(r"\s*:")
_COMMENT: Final = re.compile(r"(?:\r\n|\n|\r)([ \t]*)#[^\r\n]*")


class Lines:
    """The lines of one text; every place is an index into it.

    Attributes:
        text: the text.
        newline: how its lines end.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        found = _BREAK.search(text)
        self.newline = found[0] if found else "\n"

    def begin(self, at: int) -> int:
        """Where the line begins that this is in."""
        return max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1

    def end(self, at: int) -> int:
        """Where it ends, its line break excepted."""
        found = _REST.match(self.text, at)
        return found.end() if found else at

    def next(self, end: int) -> int:
        """Where the line after one that ends here begins."""
        found = _BREAK.match(self.text, end)
        return found.end() if found else end

    def above(self, at: int) -> str:
        """The line above the one that this is in; for the first line, something that is not blank."""
        begin = self.begin(at)
        if begin == 0:
            return "-"
        end = begin - (2 if self.text.endswith("\r\n", 0, begin) else 1)
        return self.text[self.begin(end) : end]

    def below(self, at: int, column: int) -> int:
        """The end of the line, and of the comments right below it that are indented as far as what ends there."""
        end = self.end(at)
        while found := _COMMENT.match(self.text, end):
            if len(found[1]) < column:
                break
            end = found.end()
        return end

    def after_colon(self, at: int) -> int:
        """Where the colon after a key ends."""
        found = _TO_COLON.match(self.text, at)
        return found.end() if found else at
