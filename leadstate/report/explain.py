"""From what was read and planned of one object to the document that explains it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from leadstate.model.account import Account
from leadstate.model.address import Address, Ref, RemoteRef, Span
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.plan import AccountPlan, Reason, Untouched, plain
from leadstate.model.resource import CARRIED, Desired, Observed, resolve_at_least
from leadstate.reconcile.match import known_by
from leadstate.report.build import change_row, diagnostic_row, untouched_row
from leadstate.report.formats.explanation import ExplainedField, Explanation


def explain_object(
    address: Address,
    account: Account,
    observed: Observed,
    plan: AccountPlan,
    places: Callable[[Desired], Mapping[str, Span]],
) -> Explanation | None:
    """Return the document of one object in one account; None if it is neither declared nor live.

    Args:
        address: the object.
        account: the account as it was planned.
        observed: what was read of it.
        plan: the plan that was made from that.
        places: returns where the value of each field of a declared object is written.
    """
    desired = next((desired for desired in account.desired if desired.address == address), None)
    remote_id = plan.bindings.id_of(address.ref)
    ignored = observed.ignored.get(address.kind, ())
    known = (*observed.live.get(address.kind, ()), *ignored)
    live = next((live for live in known if live.remote_id == remote_id), None)
    if desired is None and live is None:
        return None
    change = next((change for change in plan.changes if change.address == address), None)
    left = next((left for left in plan.untouched if (left.kind, left.key) == (address.kind, address.key)), None)
    if live in ignored:
        left = Untouched(address.kind, Reason.IGNORED, address.key, remote_id)
    there = {} if live is None else plan.bindings.attrs(live)
    attrs = desired.attrs if desired else {}
    wanted = {name: resolve_at_least(value, there.get(name)) for name, value in attrs.items()}
    written = places(desired) if desired else {}
    differing = {field.attribute for field in change.fields} if change else set()
    fields = tuple(
        ExplainedField(
            path=name,
            managed=name in wanted,
            declared=plain(wanted.get(name)),
            live=plain(there.get(name)),
            differs=name in wanted and name in differing,
            source=written.get(name),
        )
        for name in dict.fromkeys((*wanted, *there))
    )
    carried = observed.carriers if live and live.kind == CARRIED else None
    ids = {f"{field.path}:{side}" for field in fields for side in (field.declared, field.live) if isinstance(side, int)}
    return Explanation(
        address=str(address),
        company=account.host,
        source=desired.span if desired else None,
        remote_id=remote_id if live else None,
        known_by=known_by(desired, live, account.lock) if desired and live else (),
        fields=fields,
        change=change_row(change, None) if change else None,
        untouched=untouched_row(account.name, left) if left else None,
        diagnostics=tuple(map(diagnostic_row, plan.diagnostics)),
        applyable=plan.applyable,
        leads=None if carried is None or live is None else len(carried.get(RemoteRef(CARRIED, live.remote_id), ())),
        names={known: name for known, name in plan.names.items() if known in ids},
    )


def find_ambiguity(address: Address, observed: Observed, plan: AccountPlan) -> Diagnostic | None:
    """Return the error that several undeclared live objects have this address; None if they do not.

    Args:
        address: the object.
        observed: what was read of its account.
        plan: the plan that was made from that; it addresses each of them by its id too.
    """
    keys = {live.remote_id: f"{address.key}#{live.remote_id}" for live in observed.live.get(address.kind, ())}
    several = [
        live
        for live in observed.live.get(address.kind, ())
        if plan.bindings.id_of(Ref(address.kind, keys[live.remote_id])) == live.remote_id
    ]
    if not several:
        return None
    return Diagnostic(
        "ambiguous",
        Severity.ERROR,
        f"{counted(len(several), address.kind)} have this name, and none is declared",
        hint=f"name one of them by its id: {replace(address, key=keys[several[0].remote_id])}",
        detail="\n".join(f"{live.remote_id}  {live.name}" for live in several),
        account=address.account,
        address=address,
    )
