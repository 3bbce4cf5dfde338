"""Names that people take for one another.

What looks alike is a remark and never an identity: labels are matched by their exact names (reconcile/match.py).
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.escape import is_unseen, spelled_out
from leadstate.model.resource import Desired, Live
from leadstate.reconcile.match import Matching
from leadstate.reconcile.unclear import merge_source

_LETTERS: Final = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0451\u0456\u0457\u0458\u0455\u0501"
    "\u051b\u051d\u04bb\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131"
    "01|",
    "abekmhopctyx\u00ebi\u00efjsdqwhabezhikmnoptyxioll",
)
"""Cyrillic and Greek letters, in small, that look like a Latin one in small or in capitals; two digits; the bar.

From confusables.txt of Unicode TR39, the scripts that people mix by accident.
"""
_MARKS: Final = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"'),
    ord("\u2212"): "-",
}


@cache
def skeleton(name: str) -> str:
    """Return the skeleton of a name, as Unicode TR39 calls it: names that look alike have the same.

    Not counted are case, width and other forms of a letter (NFKC), letters and digits that look like another (TR39),
    invisible characters, the presentation and skin tone of emoji, and which quotes, dashes and spaces are written.
    """
    shown = "".join(char for char in name if not is_unseen(char)).translate(_MARKS)
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold()).translate(_MARKS)
    dashed = "".join("-" if unicodedata.category(char) == "Pd" else char for char in plain)
    return " ".join(dashed.translate(_LETTERS).split())


def find_lookalikes(matching: Matching, staying: Sequence[Live], account: Account) -> Iterator[Diagnostic]:
    """Yield remarks on live labels that may be meant by a declared one, at most one for each declared label.

    Args:
        matching: who is who. What has a marker is known by that, whatever it is called.
        staying: what nothing declares and what is not deleted.
        account: what is declared, and what the lock file remembers: a rename of that is recognised anyway.
    """
    missing = [desired for desired in matching.missing if desired.marker is None and desired.present and desired.names]
    there = [desired for desired, _ in matching.pairs if desired.marker is None and desired.present and desired.names]
    by_skeleton: dict[str, list[Live]] = defaultdict(list)
    for live in staying if missing or there else ():
        by_skeleton[skeleton(live.name)].append(live)
    for desired in there:
        if alike := by_skeleton.get(skeleton(desired.names[0])):
            many = Counter(live.name for live in alike)
            sources = ", ".join(
                merge_source(live, is_alone=many[live.name] == 1)
                for live in alike
                if not account.policy.protects(live.kind, live.name)
            )
            merge = f"to make them one, write `merge_from: [{sources}]`; else " if sources else ""
            hint = f"{merge}rename one in Pipedrive"
            yield _looks_alike(desired, alike, hint)
    # A label that looks like a declared one has its remark already.
    known = {skeleton(desired.names[0]) for desired in (*missing, *there)} if missing else frozenset()
    lacking = Counter(desired.attrs.get("color") for desired in missing)
    for desired in missing:
        if alike := by_skeleton.get(skeleton(desired.names[0])):
            hint = f"if it is the same label, write `previously: [{spelled_out(alike[0].name)}]`; it keeps its leads"
            if len(alike) > 1:
                hint = "if one of them is the same label, write its name into `previously`; it keeps its leads"
            yield _looks_alike(desired, alike, hint)
        elif desired.address.ref not in account.lock and lacking[desired.attrs.get("color")] == 1:
            others = [live for live in matching.extra if skeleton(live.name) not in known]
            yield from _likely_rename(desired, others, is_locked=bool(account.lock))


def _looks_alike(desired: Desired, alike: Sequence[Live], hint: str) -> Diagnostic:
    names = ", ".join(repr(live.name) for live in alike)
    looks = "looks like it and is" if len(alike) == 1 else "look like it and are"
    summary = f"{names} in Pipedrive {looks} unmanaged"
    return desired.diagnostic("looks-alike", Severity.WARNING, summary, hint=hint)


def _likely_rename(desired: Desired, others: Sequence[Live], *, is_locked: bool) -> Iterator[Diagnostic]:
    """Ask about the only missing label of a colour where exactly one undeclared label has that colour."""
    alike = [other for other in others if other.attrs.get("color") == desired.attrs.get("color")]
    if len(alike) == 1:
        summary = f"it does not exist, and its colour is that of {alike[0].name!r}: was it renamed in Pipedrive?"
        hint = "to keep it and its leads, add its name to `previously`"
        hint += "" if is_locked else "; with a lock file renames are recognised"
        yield desired.diagnostic("likely-rename", Severity.WARNING, summary, hint=hint)
