"""What to say, and to advise, where match.py finds more than one object that could be a declared one. Pure."""

import json
from collections.abc import Sequence

from leadstate.model.account import Policy
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.escape import spelled_out
from leadstate.model.plan import plain
from leadstate.model.resource import CARRIES, Desired, Live


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
