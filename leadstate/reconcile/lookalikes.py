"""Names that people take for one another, and names that the server stored otherwise than it was asked to.

What looks alike is a remark and never an identity: labels are matched by their exact names (reconcile/match.py).
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from leadstate.model.account import Account
from leadstate.model.address import Ref, collapse
from leadstate.model.diagnostics import Diagnostic, Severity, counted, some
from leadstate.model.escape import is_unseen, spelled_out
from leadstate.model.resource import Desired, Live, Value
from leadstate.reconcile.guards import CREATED_ALTERED, NAMESPACE_CHANGED
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
SHORTEST: Final = 20
"""Characters of a name that was cut, at least: a shorter beginning is a name of its own."""


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


def is_altered(name: Value, marker: str | None, live: Live) -> bool:
    """Return whether a create of this name and ownership marker may have made the object, though it has others.

    Args:
        name: the wanted name or title.
        marker: the wanted ownership marker; None where the kind has none, and the name is the identity.
        live: an object that exists.
    """
    if not isinstance(name, str) or (live.marker == marker and live.name == name):
        return False
    if marker is None:
        return collapse(live.name) == collapse(name) or (len(live.name) >= SHORTEST and name.startswith(live.name))
    return collapse(live.name) == collapse(name) and live.marker != marker and marker.startswith(live.marker or "")


def find_altered(
    missing: Iterable[Desired],
    undeclared: Iterable[Live],
    unmarked: Mapping[str, Sequence[str]],
    locked: Mapping[str, Ref],
) -> Iterator[Diagnostic]:
    """Yield a guard for each object that is to be created and that an earlier create may have made already.

    A marker that was cut may also be that of a former key, and is that where the lock file knows the id by it.

    Args:
        missing: what is to be created, of one kind.
        undeclared: objects of that kind that no declaration was paired with.
        unmarked: collapsed title → ids of leads without an ownership marker that were created over the API.
        locked: id → what the lock file knows it by.
    """
    by_name: defaultdict[str, list[Live]] = defaultdict(list)
    for live in undeclared:
        by_name[collapse(live.name)].append(live)
    for desired in missing:
        name = desired.names[0] if desired.names else desired.attrs.get("title")
        if not isinstance(name, str):
            continue
        whole = collapse(name)
        cut = (name[:length].strip() for length in range(SHORTEST, len(name))) if desired.marker is None else ()
        near = {live.remote_id: live for text in (whole, *cut) for live in by_name.get(text, ())}
        # Id → the key in its marker, if any of that is left.
        keys = {
            remote_id: (live.marker or "").partition(":")[2]
            for remote_id, live in near.items()
            if is_altered(name, desired.marker, live)
        }
        if desired.marker is not None:
            keys |= dict.fromkeys(unmarked.get(whole, ()), "")
        kind, what = desired.address.kind, "its ownership marker" if desired.marker is not None else "its name"
        intact = {remote_id for remote_id, key in keys.items() if locked.get(remote_id) == Ref(kind, key)}
        altered = f"an earlier run may have created it, and the server changed {what}"
        for ids, summary, fix in (
            (intact, f"the lock file knows a {kind} of this title by another key", ""),
            (keys.keys() - intact, altered, f"delete that {kind} in Pipedrive if it is one, or "),
        ):
            if ids:
                former = sorted({keys[remote_id] for remote_id in ids} - {""})
                renamed = " or ".join(f"`previously: [{spelled_out(key)}]`" for key in former)
                yield desired.diagnostic(
                    CREATED_ALTERED,
                    Severity.GUARD,
                    f"{summary}: {', '.join(sorted(ids))}",
                    hint=(f"if its key was changed, write {renamed}; else " if renamed else "")
                    + f"{fix}pass `--allow {CREATED_ALTERED}` to create another",
                )


def find_elsewhere(
    missing: Iterable[Desired], elsewhere: Mapping[str, Sequence[str]], account: Account, *, is_new: bool
) -> Iterator[Diagnostic]:
    """Yield a guard for each namespace under which objects exist that are to be created, if it may be ours of earlier.

    It may be where nothing has our namespace yet, or where `previously` names it for some objects.

    Args:
        missing: what is to be created, of one kind.
        elsewhere: ownership marker of another namespace, with the key of a declared object → ids.
        account: the account.
        is_new: whether nothing has our namespace yet.
    """
    named = {former.partition(":")[0] for former in account.renamed}
    wanted = {desired.address.key: desired for desired in missing if desired.marker is not None}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for marker in sorted(elsewhere):
        namespace, _, key = marker.partition(":")
        if key in wanted and (is_new or namespace in named):
            found[namespace].append(key)
    for namespace, keys in found.items():
        first = wanted[keys[0]]
        yield Diagnostic(
            NAMESPACE_CHANGED,
            Severity.GUARD,
            f"{counted(len(keys), first.address.kind)} to be created under the namespace `{account.namespace}` "
            f"{'exists' if len(keys) == 1 else 'exist'} under `{namespace}`: {some(keys)}",
            hint=f"to take them over, write `previously: [{namespace}:{keys[0]}]` and the like in each, or "
            f"`namespace: {namespace}`; to create others, pass `--allow {NAMESPACE_CHANGED}`",
            span=first.span,
            account=account.name,
        )
