"""What is reported where it is not clear which live object is a declared one, or whether any is.

Several objects may fit (reconcile/match.py finds them), or the server may have changed what identifies an object that
an earlier run created.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from leadstate.model.account import Account, Policy
from leadstate.model.address import Ref, collapse
from leadstate.model.diagnostics import Diagnostic, Severity, counted, some
from leadstate.model.escape import spelled_out
from leadstate.model.plan import plain
from leadstate.model.resource import CARRIES, Desired, Live, Value
from leadstate.reconcile.guards import CREATED_ALTERED, NAMESPACE_CHANGED

SHORTEST: Final = 20
"""Characters of a name that was cut, at least: a shorter beginning is a name of its own."""


def describe_ambiguous(desired: Desired, candidates: Sequence[Live], what: Sequence[str], policy: Policy) -> Diagnostic:
    """Return the error that several objects could be a declared one, or that its only candidate is another one already.

    Args:
        desired: the declared object.
        candidates: what it could be.
        what: what one candidate and several have in common with it, in words.
        policy: the account's: a merge of what it protects would be refused.
    """
    kind = desired.address.kind
    # In one order, whatever the lock file knows: a plan and the reading after an apply give the same advice.
    candidates = sorted(candidates, key=lambda candidate: candidate.remote_id)
    if len(candidates) == 1:
        summary = f"another declared {kind} is already the one that {what[0]}"
        hint = "remove one of the two declarations"
    else:
        by_lock = [live for live in candidates if _is_known_by_lock(desired, live)]
        others = len(candidates) - len(by_lock)
        who = [f"the lock file knows it as {' and as '.join(repr(live.name) for live in by_lock)}"] if by_lock else []
        who += [f"{counted(others, kind)} {what[0] if others == 1 else what[1]}"] if others else []
        summary = f"{', and '.join(who)}, so it is not clear which one is meant"
        if desired.marker is None:
            hint = _advise_on_named(desired, candidates, by_lock, policy)
        else:
            hint = _advise_on_marked(candidates, by_lock)
    detail = "\n".join(f"{live.remote_id}  {live.name}{_differing(live, candidates)}" for live in candidates)
    return desired.diagnostic("ambiguous", Severity.ERROR, summary, detail=detail, hint=hint)


def _advise_on_marked(candidates: Sequence[Live], by_lock: Sequence[Live]) -> str:
    archived = [candidate.remote_id for candidate in candidates if candidate.frozen_by]
    if by_lock:
        return "delete one of them in Pipedrive, or correct its id in the lock file; then plan again"
    if archived:
        back = f"bring {', '.join(archived)} back from the archive"
        return f"in Pipedrive {back}, or delete all but one of them; then plan again"
    return f"to keep the first and delete the others, write `keep: [{candidates[0].remote_id}]` in it"


def _advise_on_named(desired: Desired, candidates: Sequence[Live], by_lock: Sequence[Live], policy: Policy) -> str:
    """Return three ways out: make them one, keep them apart, or clear up in Pipedrive."""
    fixes, others = [], candidates[1:]
    if desired.present and not any(policy.protects(live.kind, live.name) for live in others):
        sources = ", ".join(f"{{id: {live.remote_id}}}" for live in others)
        fixes.append(f"to keep the first with the leads of all, write `merge_from: [{sources}]`")
    # One has to stay for the declared object, and that is what has its name.
    if apart := by_lock if len(by_lock) < len(candidates) else by_lock[1:]:
        fixes.append(_keep_apart(apart))
    in_pipedrive = f"leave one of them in Pipedrive (move its leads, rename or delete the other {desired.address.kind})"
    return "; else ".join((*fixes, f"{in_pipedrive}, then plan again"))


def _keep_apart(known: Sequence[Live]) -> str:
    return f"to keep them apart, declare {' and '.join(repr(live.name) for live in known)} too"


def _is_known_by_lock(desired: Desired, live: Live) -> bool:
    """Return whether nothing but the lock file says that a candidate is the declared object."""
    return live.name not in desired.names if desired.marker is None else live.marker != desired.marker


def _differing(about: Live, candidates: Sequence[Live]) -> str:
    """Return the fields in which an object differs from the other candidates, with its values, but for bare ids."""
    names = [
        name
        for name, value in about.attrs.items()
        if any(other.attrs.get(name) != value for other in candidates) and value != about.name and name != CARRIES
    ]
    return "".join(f"  {name}: {json.dumps(plain(about.attrs[name]), ensure_ascii=False)}" for name in names)


def describe_shadowed(desired: Desired, current: Live, other: Live, policy: Policy, *, is_alone: bool) -> Diagnostic:
    """Return the warning that an object exists, and beside it another one that has or had a previous name of it.

    Args:
        desired: the declared object.
        current: the live one that has its current name.
        other: the live one that has the previous name, or that the lock file knows by it.
        policy: the account's.
        is_alone: whether nothing else has the name of the other one.
    """
    if _is_known_by_lock(desired, other):
        which, fix = "which the lock file knows by its previous name", _keep_apart([other])
    else:
        which, fix = "its previous name", "take the name out of `previously`"
    if not policy.protects(other.kind, other.name):
        merge = f"`merge_from: [{merge_source(other, is_alone=is_alone)}]`"
        fix = f"to move its leads and delete it, write {merge}; else {fix}"
    return desired.diagnostic(
        "previous-name-exists",
        Severity.WARNING,
        f"{desired.address.ref} exists, and so does a {other.kind} named {other.name!r}, {which}",
        detail=f"{current.remote_id}  {current.name}\n{other.remote_id}  {other.name}",
        hint=fix,
    )


def merge_source(live: Live, *, is_alone: bool) -> str:
    """Return what `merge_from` takes for a live object: its name, or its id where the name does not tell."""
    return spelled_out(live.name) if is_alone and "${" not in live.name else f"{{id: {live.remote_id}}}"


def is_altered(name: Value, marker: str | None, live: Live) -> bool:
    """Return whether a create of this name and ownership marker may have made the object, though it has others.

    Args:
        name: the wanted name or title.
        marker: the wanted ownership marker; None where the kind has none, and the name is the identity.
        live: an object that exists.
    """
    if not isinstance(name, str) or (live.marker == marker and live.name == name):
        return False
    whole, there = collapse(name), collapse(live.name)
    if marker is None:
        return there == whole or (len(live.name) >= SHORTEST and whole.startswith(there))
    return there == whole and live.marker != marker and marker.startswith(live.marker or "")


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
        cut = (whole[:length].rstrip() for length in range(len(whole))) if desired.marker is None else ()
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
