"""From what was read and planned of one object to the document that explains it."""

from collections.abc import Mapping
from typing import Final

from leadstate.kinds import KINDS
from leadstate.model.account import Account
from leadstate.model.address import Address, Span
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import AccountPlan, Reason, plain
from leadstate.model.resource import Observed, settle
from leadstate.reconcile.match import known_by
from leadstate.report.build import change_row, finding_row, source_of
from leadstate.report.document import ExplainedField, Explanation

_WHY: Final = {
    Reason.MISSING: "it is declared, and nothing that is there is it",
    Reason.DIFFERS: "what is there differs from what is declared",
    Reason.RENAMED: "it is there under another name; it is renamed, and keeps its id and its leads",
    Reason.STATE_ABSENT: "it is declared `state: absent`, and it is there",
    Reason.MERGED: "leads that carry it get {moves_to} first, then it is deleted",
    Reason.DUPLICATE: "it carries the ownership marker of a declared lead whose `keep` names another one",
    Reason.UNMANAGED: "nothing declares it, and {rule}",
    Reason.NOT_LOCKED: "nothing declares it, and {rule}",
    Reason.RETIRING: "it is declared absent, and {detail}",
    Reason.IGNORED: "`policy.ignore` ignores it",
    Reason.PROTECTED: "nothing declares it, and `policy.protect` keeps it from being deleted",
    Reason.SEED: "it is there, and `mode: seed` leaves it to people from then on",
    Reason.ARCHIVED: "it is archived, and Pipedrive lets nobody edit it; `archived: false` brings it back",
    Reason.PREVIOUS_NAME: "it bears a previous name of a declared label that is there under its own",
    Reason.AMBIGUOUS: "it is one of several that could be meant",
    Reason.GONE: "it was there, and people deleted it or made a deal of it; `if_gone: create` makes a new one",
}


def explain(
    address: Address, account: Account, observed: Observed, plan: AccountPlan, places: Mapping[str, Span]
) -> Explanation | None:
    """Return the document of one object in one account; None if it is neither declared nor live.

    Args:
        address: the object.
        account: the account as it was planned.
        observed: what was read of it.
        plan: the plan that was made from that.
        places: declared field → where its value is written.
    """
    desired = next((desired for desired in account.desired if desired.address == address), None)
    remote_id = plan.bindings.id_of(address.ref)
    ignored = observed.ignored.get(address.kind, ())
    known = (*observed.live.get(address.kind, ()), *ignored)
    live = next((live for live in known if live.remote_id == remote_id), None)
    if desired is None and live is None:
        return None
    change = next((change for change in plan.changes if change.address == address), None)
    untouched = next((left for left in plan.untouched if (left.kind, left.key) == (address.kind, address.key)), None)
    there = {} if live is None else plan.bindings.attrs(live)
    wanted = {} if desired is None else {name: settle(value, there.get(name)) for name, value in desired.attrs.items()}
    differing = {field.attribute for field in change.fields} if change else set()
    fields = tuple(
        ExplainedField(
            path=name,
            managed=name in wanted,
            declared=plain(wanted.get(name)),
            live=plain(there.get(name)),
            differs=name in wanted and name in differing,
            source=source_of(places.get(name)),
        )
        for name in dict.fromkeys((*wanted, *there))
    )
    if change is not None:
        reason: Reason | None = change.reason
    elif live in ignored:
        reason = Reason.IGNORED
    else:
        reason = untouched.reason if untouched else None
    if reason is not None:
        rule = f"`policy.prune.{KINDS[address.kind].section}` is `{account.policy.prune(address.kind)}`"
        if untouched and live and live.frozen_by:
            rule += "; it is not deleted while it is archived"
        detail, moves_to = untouched.detail if untouched else "", change.moves_to if change else None
        why = _WHY[reason].format(detail=detail, moves_to=moves_to, rule=rule)
    elif any(found.severity is Severity.ERROR and found.address == address for found in plan.diagnostics):
        why = "nothing is planned for it: see the error"
    elif desired is not None and not desired.present:
        why = "it is declared absent, and it is not there"
    else:
        why = "it is up to date"
    ids = {f"{field.path}:{side}" for field in fields for side in (field.declared, field.live) if isinstance(side, int)}
    return Explanation(
        address=str(address),
        company=account.host,
        source=source_of(desired.span if desired else None),
        remote_id=remote_id if live else None,
        known_by=known_by(desired, live, account.lock) if desired and live else (),
        fields=fields,
        why=why,
        change=None if change is None else change_row(change, None),
        waits_for=tuple(map(str, change.after)) if change else (),
        diagnostics=tuple(map(finding_row, plan.diagnostics)),
        applyable=plan.applyable,
        names={known: name for known, name in plan.names.items() if known in ids},
    )
