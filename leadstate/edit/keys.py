"""Readable keys for leads that have none: from their titles, in letters that a key takes, each once."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from leadstate.kinds.lead import LEAD

LONGEST: Final = 50
"""Characters: with a namespace, which has as many at most, within what a marker may have."""


def readable_key(title: str, taken: Collection[str]) -> str:
    """A key that says what the lead is called; numbered where others are called so too."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST - len("-10000")].strip("-") or LEAD.name
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key
