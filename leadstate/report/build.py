"""From plans and outcomes to the document. The only place of `report` that knows how a plan is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from leadstate import __version__
from leadstate.model.address import Address
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountPlan, Change, Outcome, Touch, Untouched, combined, count_actions, plain
from leadstate.report import document as doc
from leadstate.report.journal import touch_row

Command = Literal["plan", "apply", "validate"]


@dataclass(frozen=True, slots=True)
class Part:
    """One account's share of a run.

    Attributes:
        plan: what was planned.
        read: requests and tokens that reading took.
        written: the same for applying; None in a plan, where the forecast stands instead.
        outcomes: what became of each change; empty in a plan.
        remaining: the plan made after the apply, if the account could be read again.
        unread: why it could not.
        declined: how many changes of that plan were declined.
        touched: for a receipt, what was written; None elsewhere.
    """

    plan: AccountPlan
    read: tuple[int, int]
    written: tuple[int, int] | None = None
    outcomes: Mapping[Address, Outcome] = field(default_factory=dict)
    remaining: AccountPlan | None = None
    unread: str = ""
    declined: int = 0
    touched: Iterable[Touch] | None = None


def build(
    command: Command,
    parts: Sequence[Part],
    *,
    scope: doc.Scope = doc.Scope(),  # noqa: B008  it is frozen
    diagnostics: Sequence[Diagnostic] = (),
    base: doc.Base | None = None,
    undoes: str | None = None,
) -> doc.Report:
    """Return the document of a run over some accounts.

    Args:
        command: what was run.
        parts: the accounts, in any order.
        scope: what the run was limited to.
        diagnostics: diagnostics of the run as a whole (of the configuration, say).
        base: what the plans were compared with, if anything.
        undoes: of a restore the receipt that it undoes.
    """
    parts = sorted(parts, key=lambda part: part.plan.account)
    plans = [part.plan for part in parts]
    return doc.Report(
        leadstate_version=__version__,
        command=command,
        fingerprint=combined(plan.fingerprint for plan in plans) if command != "validate" else None,
        complete=all(plan.complete for plan in plans),
        applyable=all(plan.applyable for plan in plans) and not any(d.severity is Severity.ERROR for d in diagnostics),
        summary=doc.Summary(
            **count_actions(plans),
            unchanged=sum(plan.unchanged for plan in plans),
            untouched=sum(group.count for plan in plans for group in plan.untouched),
        ),
        cost=doc.Cost(
            read=doc.Requests.sum(part.read for part in parts),
            apply=doc.Requests.sum(part.plan.forecast if part.written is None else part.written for part in parts),
        ),
        scope=scope,
        base=base,
        undoes=undoes,
        accounts=tuple(_account(part) for part in parts),
        diagnostics=tuple(diagnostic_row(diagnostic) for diagnostic in diagnostics),
    )


def _account(part: Part) -> doc.Account:
    plan, remaining = part.plan, None
    if part.remaining is not None:
        errors = (diagnostic_row(found) for found in part.remaining.diagnostics if found.severity is Severity.ERROR)
        remaining = doc.Remaining(**count_actions([part.remaining]), declined=part.declined, errors=tuple(errors))
    return doc.Account(
        account=plan.account,
        company=urlsplit(plan.origin).netloc,
        origin=plan.origin,
        company_id=plan.company_id,
        fingerprint=plan.fingerprint,
        changes=tuple(change_row(change, part.outcomes.get(change.address)) for change in plan.changes),
        untouched=tuple(untouched_row(plan.account, group) for group in plan.untouched),
        diagnostics=tuple(diagnostic_row(diagnostic) for diagnostic in plan.diagnostics),
        labels=_labels(plan),
        names=_names(plan) if plan.names else {},
        remaining=remaining,
        unread=part.unread,
        bindings=plan.bindings.ids() if part.touched is not None else {},
        touched=None if part.touched is None else tuple(map(touch_row, part.touched)),
    )


def change_row(change: Change, outcome: Outcome | None) -> doc.Change:
    """Return a change, the requests that it takes, and what became of it."""
    impact = change.impact
    return doc.Change(
        address=str(change.address),
        kind=change.address.kind,
        action=change.action.value,
        remote_id=change.remote_id,
        reason=change.reason.value,
        origin=None if change.origin is None else change.origin.value,
        fields=tuple(
            doc.FieldChange(path=field.path, before=plain(field.before), after=plain(field.after))
            for field in change.fields
        ),
        impact=None
        if impact is None
        else doc.Impact(leads=impact.leads, archived_leads=impact.archived_leads, filters=impact.filters),
        marker=change.marker,
        moves_to=None if change.moves_to is None else str(change.moves_to),
        source=change.span,
        calls=tuple(
            doc.Call(operation=call.operation, method=call.method, path=call.path, tokens=call.tokens, count=call.count)
            for call in change.calls
        ),
        result=None if outcome is None else result_row(outcome),
    )


def result_row(outcome: Outcome) -> doc.Result:
    """Return what became of a change."""
    return doc.Result(status=outcome.status.value, detail=outcome.detail, remote_id=outcome.remote_id)


def untouched_row(account: str, untouched: Untouched) -> doc.Untouched:
    """Return an untouched object or group of an account."""
    address = None if untouched.key is None else str(Address(account, untouched.kind, untouched.key))
    return doc.Untouched(
        address=address,
        kind=untouched.kind,
        reason=untouched.reason.value,
        remote_id=untouched.remote_id,
        source=untouched.span,
        count=untouched.count,
        detail=untouched.detail,
    )


def _names(plan: AccountPlan) -> dict[str, str]:
    """Return what is known of the ids that changes name, and of leads that have no key."""
    named = {
        f"{differing.path}:{side}"
        for change in plan.changes
        for differing in change.fields
        for side in (differing.before, differing.after)
        if isinstance(side, int)
    }
    named |= {str(about.address.ref) for about in plan.changes}
    named |= {f"{left.kind}:{left.key}" for left in plan.untouched}
    return {known: name for known, name in sorted(plan.names.items()) if known in named}


def _labels(plan: AccountPlan) -> tuple[doc.Label, ...]:
    refs = {remote_id: ref for ref, remote_id in plan.bindings.ids().items()}
    rows = [
        doc.Label(address=f"{plan.account}/{refs[label.remote_id]}", name=label.name, color=str(label.attrs["color"]))
        for label in plan.named
        if label.remote_id in refs and "color" in label.attrs
    ]
    return tuple(sorted(rows, key=lambda row: row.address))


def diagnostic_row(diagnostic: Diagnostic) -> doc.Diagnostic:
    """Return a diagnostic."""
    return doc.Diagnostic(
        code=diagnostic.code,
        severity=diagnostic.severity.value,
        summary=diagnostic.summary,
        detail=diagnostic.detail,
        hint=diagnostic.hint,
        source=diagnostic.span,
        excerpt=diagnostic.excerpt,
        account=diagnostic.account,
        address=None if diagnostic.address is None else str(diagnostic.address),
    )
