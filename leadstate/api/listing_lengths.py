"""How many pages the listings of each account had, kept in the user's cache so that the next run can read them at once.

Without it pages are read one after another; a wrong length costs a few requests, once.
"""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from leadstate.api.atomic_write import replace_file

NAME = "pages.json"
MATTERS_FROM = 2
"""Pages: of a listing of one there is nothing to know."""
LONGEST = 10_000
"""Pages: a listing is not read any further."""

Lengths = Mapping[str, Mapping[str, int]]
"""Account as it is reached → operation id → pages."""


def read_lengths(folder: Path) -> Lengths:
    """Return what is remembered; nothing where the file does not exist or is malformed."""
    try:
        found = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    ways = found.items() if isinstance(found, dict) else ()
    return {way: _lengths(listings) for way, listings in ways if isinstance(listings, dict)}


def _lengths(listings: Mapping[str, object]) -> Mapping[str, int]:
    return {id_: n for id_, n in listings.items() if type(n) is int and MATTERS_FROM <= n <= LONGEST}


def write_lengths(folder: Path, before: Lengths, lengths: Lengths) -> None:
    """Remember the lengths of this run beside those from before. A cache that cannot be written is none."""
    long = {way: {id_: n for id_, n in found.items() if n >= MATTERS_FROM} for way, found in lengths.items()}
    after = {way: found for way, found in {**before, **long}.items() if found}
    # A user without a home, as in some containers, has a cache at a literal "~".
    if after == before or not folder.is_absolute():
        return
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(folder / NAME, json.dumps(after, indent=1, sort_keys=True) + "\n")
