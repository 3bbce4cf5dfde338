"""What a run keeps for the next one: ids in the lock file, lengths of listings in the user's cache."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from leadstate.api.files import PUBLIC, replace_file
from leadstate.api.run_lock import hold_file_lock
from leadstate.config import Lock, lock_text, read_lock
from leadstate.config.yaml.files import LARGEST, link_outwards, read_bounded
from leadstate.engine.apply.execute import Outcomes
from leadstate.model.account import Account
from leadstate.model.address import Ref
from leadstate.model.plan import AccountPlan, Action, Status
from leadstate.pipedrive.answers import BOUNDS

NAME = "pages.json"
MATTERS_FROM = 2
"""Pages: of a listing of one there is nothing to know."""

Lengths = Mapping[str, Mapping[str, int]]
"""Account as it is reached → operation id → pages."""


def update_lock_file(
    path: Path,
    accounts: Iterable[Account],
    plans: Mapping[str, AccountPlan],
    outcomes: Mapping[str, Outcomes],
    state: Path,
) -> Lock:
    """Write the ids of declared objects that exist, remove those of deleted ones, and return the lock.

    What the file knows of other objects and accounts stays: it tells later what we made and no longer declare.
    No file is made where no account was read.

    Args:
        path: the lock file.
        accounts: the accounts of the run.
        plans: account → what was planned.
        outcomes: account → what became of it.
        state: the user's state folder, with the lock that keeps two writers of the file apart.

    Raises:
        LockError: the file cannot be read, or another run has been writing it for too long.
        NoStateFolder: the state folder cannot be written.
        OSError: the file cannot be written.
    """
    with hold_file_lock(path, state):
        lock = {name: dict(entries) for name, entries in read_lock(path).items()}
        for account in accounts:
            plan = plans.get(account.name)
            if plan is not None and plan.complete:
                entries = lock.get(account.name, {})
                lock[account.name] = _entries(account, plan, outcomes.get(account.name, {}), entries)
        text = lock_text(lock)
        changed = path.read_text(encoding="utf-8") != text if path.exists() else bool(lock)
        if changed:
            replace_file(path, text, mode=PUBLIC)
    return lock


def add_ids(path: Path, ids: Mapping[str, Mapping[Ref, str]], state: Path) -> None:
    """Write ids into the lock file, each under its new address alone.

    Args:
        path: the lock file.
        ids: account → the ids.
        state: as for `update_lock_file`, whose errors this raises, too.
    """
    with hold_file_lock(path, state):
        known = read_lock(path)
        both = {name: _merged(known.get(name, {}), ids.get(name, {})) for name in {*known, *ids}}
        replace_file(path, lock_text(both), mode=PUBLIC)


def _entries(account: Account, plan: AccountPlan, outcomes: Outcomes, before: Mapping[Ref, str]) -> dict[Ref, str]:
    done = [
        (change, outcome.remote_id or change.remote_id)
        for change in plan.changes
        if (outcome := outcomes.get(change.address)) is not None and outcome.status is Status.APPLIED
    ]
    if account.receipt is None:
        declared = [desired.address.ref for desired in account.desired if desired.present]
        now = {ref: found for ref in declared if (found := plan.bindings.id_of(ref)) is not None}
    else:
        # What a rollback has brought back, under the keys by which the lock file knew it before the run.
        touched = account.receipt.touched
        keys = {Ref(touch.kind, touch.key): touch.locked_as for touch in touched if touch.key and touch.locked_as}
        now = {
            Ref(ref.kind, keys[ref]): remote_id
            for change, remote_id in done
            if change.action is not Action.DELETE and (ref := change.address.ref) in keys and remote_id is not None
        }
    deleted = {change.remote_id for change, _ in done if change.action is Action.DELETE}
    return {ref: remote_id for ref, remote_id in _merged(before, now).items() if remote_id not in deleted}


def _merged(before: Mapping[Ref, str], now: Mapping[Ref, str]) -> dict[Ref, str]:
    """Merge two sets of entries; an object whose key has changed is kept under its new key alone."""
    named = {(ref.kind, remote_id) for ref, remote_id in now.items()}
    return {**{ref: remote_id for ref, remote_id in before.items() if (ref.kind, remote_id) not in named}, **now}


def read_lengths(folder: Path) -> Lengths:
    """Return what is remembered; nothing where the file does not exist or is malformed."""
    try:
        found = json.loads(read_bounded(folder / NAME, LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return {
        account: {id_: n for id_, n in listings.items() if type(n) is int and MATTERS_FROM <= n <= BOUNDS.pages}
        for account, listings in (found.items() if isinstance(found, dict) else ())
        if isinstance(listings, dict)
    }


def write_lengths(folder: Path, before: Lengths, lengths: Lengths) -> None:
    """Remember the lengths of this run beside those from before. A cache that cannot be written is skipped."""
    long = {name: {id_: n for id_, n in found.items() if n >= MATTERS_FROM} for name, found in lengths.items()}
    after = {name: found for name, found in {**before, **long}.items() if found}
    # A user without a home, as in some containers, has a cache at a literal "~".
    if after == before or folder.parts[:1] == ("~",):
        return
    # GitLab's jobs keep it in the checkout, where a commit may have put a link.
    if link_outwards(folder / NAME) is not None:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(folder / NAME, json.dumps(after, indent=1, sort_keys=True) + "\n")
