"""Where each change comes from, told by the plan of another revision against the same live state.

A field's difference is `drift` where the other plan has the same field of the same object with the same value after it,
`change` where it has no difference there, and `both` where it has another one. A change is what all its fields are,
else `both`; so it is where the other plan does something else with the object. A delete has no field of its own.
"""

from collections.abc import Iterator
from dataclasses import replace

from leadstate.model.address import Address, RemoteRef
from leadstate.model.plan import AccountPlan, Action, Change, Origin
from leadstate.model.resource import Bindings


def with_origins(plan: AccountPlan, base: AccountPlan | None) -> AccountPlan:
    """Return the plan with the origin of each change.

    Args:
        plan: the plan of this revision.
        base: the plan of the other one; None where it does not declare the account.
    """
    theirs = {} if base is None else {key: change for change in base.changes for key in _keys(change)}
    bindings = Bindings() if base is None else base.bindings

    def origin(mine: Change) -> Origin:
        other = next((theirs[key] for key in _keys(mine) if key in theirs), None)
        return Origin.CHANGE if other is None else _origin(mine, plan.bindings, other, bindings)

    return replace(plan, changes=tuple(replace(change, origin=origin(change)) for change in plan.changes))


def _keys(change: Change) -> Iterator[RemoteRef | Address]:
    """Yield what tells that two changes are about one object: its id, whatever its key, and its address."""
    if change.remote_id is not None:
        yield RemoteRef(change.address.kind, change.remote_id)
    yield change.address


def _origin(mine: Change, here: Bindings, other: Change, there: Bindings) -> Origin:
    if mine.action is not other.action:
        return Origin.BOTH
    if mine.action is Action.DELETE:
        same = here.unlink(mine.moves_to) == there.unlink(other.moves_to)
        return Origin.DRIFT if same else Origin.BOTH
    # Ids, for revisions may have two names for one label.
    after = {field.path: there.unlink(field.after) for field in other.fields}
    origins = {
        (Origin.DRIFT if after[field.path] == here.unlink(field.after) else Origin.BOTH)
        if field.path in after
        else Origin.CHANGE
        for field in mine.fields
    }
    return origins.pop() if len(origins) == 1 else Origin.BOTH
