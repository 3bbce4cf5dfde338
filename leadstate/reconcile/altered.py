"""Objects that an earlier create may have made, and that the server stored otherwise than it was asked to.

A server that cuts an ownership marker or ignores it, or collapses spaces in a name, would get one more object on every
run: what the run before has created is not known by its marker or its name. So such an object keeps another one from
being created, until a person has looked.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.resource import Desired, Live, Value
from leadstate.reconcile.guards import CREATED_ALTERED, NAMESPACE_CHANGED

SHORTEST: Final = 20
"""Characters of a name that was cut, at least: a shorter beginning is a name of its own."""


_SHOWN: Final = 10
"""Keys that a message names."""


def collapse(name: str) -> str:
    """Return the name with each run of white space as one space."""
    return " ".join(name.split())


def is_altered(name: Value, marker: str | None, live: Live) -> bool:
    """Return whether a create of this name and ownership marker may have made the object, though it bears others.

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
) -> Iterator[Diagnostic]:
    """Yield a guard for each object that is to be created and that an earlier create may have made already.

    Args:
        missing: what is to be created, of one kind.
        undeclared: objects of that kind that no declaration was paired with.
        unmarked: collapsed title → ids of leads without an ownership marker that were created over the API.
    """
    by_id = {live.remote_id: live for live in undeclared}
    by_name: defaultdict[str, list[Live]] = defaultdict(list)
    for live in by_id.values():
        by_name[collapse(live.name)].append(live)
    for desired in missing:
        name = desired.names[0] if desired.names else desired.attrs.get("title")
        if not isinstance(name, str):
            continue
        whole = collapse(name)
        cut = (name[:length].strip() for length in range(SHORTEST, len(name))) if desired.marker is None else ()
        near = {live.remote_id: live for text in (whole, *cut) for live in by_name.get(text, ())}
        ids = {remote_id for remote_id, live in near.items() if is_altered(name, desired.marker, live)}
        if desired.marker is not None:
            ids.update(unmarked.get(whole, ()))
        if ids:
            yield _diagnostic(desired, sorted(ids))


def _diagnostic(desired: Desired, ids: Sequence[str]) -> Diagnostic:
    kind = desired.address.kind
    what = "its ownership marker" if desired.marker is not None else "its name"
    return desired.diagnostic(
        CREATED_ALTERED,
        Severity.GUARD,
        f"an earlier run may have created it, and the server changed {what}: {', '.join(ids)}",
        hint=f"delete that {kind} in Pipedrive if it is one, or pass `--allow {CREATED_ALTERED}` to create another",
    )


def find_elsewhere(
    missing: Iterable[Desired], elsewhere: Mapping[str, Sequence[str]], account: Account, *, is_new: bool
) -> Iterator[Diagnostic]:
    """Yield a guard for each namespace under which objects exist that are to be created, if it may be ours of earlier.

    It may be where nothing bears our namespace yet, or where `previously` names it for some objects.

    Args:
        missing: what is to be created, of one kind.
        elsewhere: ownership marker of another namespace, with the key of a declared object → ids.
        account: the account.
        is_new: whether nothing bears our namespace yet.
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
            f"{'exists' if len(keys) == 1 else 'exist'} under `{namespace}`: {', '.join(keys[:_SHOWN])}"
            + (f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""),
            hint=f"to take them over, write `previously: [{namespace}:{keys[0]}]` and the like in each, or "
            f"`namespace: {namespace}`; to create others, pass `--allow {NAMESPACE_CHANGED}`",
            span=first.span,
            account=account.name,
        )
