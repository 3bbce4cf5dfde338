"""The text of one configuration file, and places in it. Lines are those that libyaml and editors count."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from leadstate.config.yaml.masking import Secrets, find_secrets, find_secrets_of_table
from leadstate.model.address import Span

BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes:
        name: as the user gave it.
        text: what is in it.
        folder: where it is.
        delimiter: what stands between the cells of a CSV file; empty for YAML.
    """

    name: str
    text: str
    folder: Path
    delimiter: str = ""

    @cached_property
    def lines(self) -> list[str]:
        """Its lines without their breaks."""
        return BREAK.split(self.text)

    @cached_property
    def secrets(self) -> Secrets:
        """What must not be shown; found only when the first error is."""
        if self.delimiter:
            return find_secrets_of_table(self.lines)
        return find_secrets(self.text, self.lines)

    def place_of(self, index: int) -> "Place":
        """The place of a character."""
        before = BREAK.split(self.text[:index])
        return Place(self, len(before), len(before[-1]) + 1)


class Place(NamedTuple):
    """A place in a file; line and column from 1."""

    source: Source
    line: int
    column: int

    @property
    def span(self) -> Span:
        """The same without the text."""
        return Span(self.source.name, self.line, self.column)
