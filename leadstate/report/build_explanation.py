"""From what is known of an object to its document, and to a sentence that says why."""

from collections.abc import Sequence

from leadstate.kinds import KINDS
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import AccountPlan, Change, Reason, Untouched, plain
from leadstate.model.policy import Prune
from leadstate.reconcile.explain import Explained, Written
from leadstate.report.build import change_row, finding_row, source_of
from leadstate.report.document import Source
from leadstate.report.formats.explanation import Explanation, Field, Variable

_WHY_CHANGED = {
    Reason.MISSING: "it is declared, and nothing that is there is it",
    Reason.DIFFERS: "what is there differs from what is declared",
    Reason.RENAMED: "it is there under another name; it is renamed, and keeps its id and its leads",
    Reason.STATE_ABSENT: "it is declared `state: absent`, and it is there",
}

_WHY_UNTOUCHED = {
    Reason.IGNORED: "`policy.ignore` ignores it",
    Reason.PROTECTED: "nothing declares it, and `policy.protect` keeps it from being deleted",
    Reason.SEED: "it is there, and `mode: seed` leaves it to people from then on",
    Reason.ARCHIVED: "it is archived, and Pipedrive lets nobody edit it; `archived: false` brings it back",
    Reason.PREVIOUS_NAME: "it bears a previous name of a declared label that is there under its own",
    Reason.AMBIGUOUS: "it is one of several that could be meant",
    Reason.GONE: "it was there, and people deleted it or made a deal of it; `if_gone: create` makes a new one",
}


def explanation(explained: Explained, plan: AccountPlan, written: Sequence[Written], *, company: str) -> Explanation:
    """Return the document of one object in one account.

    Args:
        explained: what is known of it.
        plan: the plan that it is from.
        written: where its declared fields are from.
        company: the account's host.
    """
    change = None if explained.change is None else change_row(explained.change, None)
    fields = _fields(explained, written)
    ids = {f"{field.path}:{side}" for field in fields for side in (field.declared, field.live) if isinstance(side, int)}
    return Explanation(
        address=str(explained.address),
        company=company,
        source=source_of(explained.desired.span if explained.desired else None),
        remote_id=explained.live.remote_id if explained.live else None,
        known_by=tuple(known.value for known in explained.known_by),
        fields=fields,
        action=explained.change.action.value if explained.change else None,
        why=_why(explained, plan),
        change=change,
        waits_for=tuple(map(str, explained.change.after)) if explained.change else (),
        needed_by=tuple(map(str, explained.needed_by)),
        diagnostics=tuple(map(finding_row, plan.diagnostics)),
        applyable=plan.applyable,
        leads=explained.leads,
        names={known: name for known, name in plan.names.items() if known in ids},
    )


def _fields(explained: Explained, written: Sequence[Written]) -> tuple[Field, ...]:
    places = {place.field: place for place in written}
    differing = {field.attribute for field in explained.change.fields} if explained.change else set()
    return tuple(
        _field(name, explained, places.get(name) if name in explained.wanted else None, differs=name in differing)
        for name in dict.fromkeys((*explained.wanted, *explained.there))
    )


def _field(name: str, explained: Explained, place: Written | None, *, differs: bool) -> Field:
    variables = place.variables if place else ()
    return Field(
        path=name,
        managed=name in explained.wanted,
        declared=plain(explained.wanted.get(name)),
        live=plain(explained.there.get(name)),
        differs=differs and name in explained.wanted,
        source=source_of(place.span if place else None),
        overridden=place.overridden if place else False,
        variables=tuple(
            Variable(name=name, value=value, source=Source(file=span.file, line=span.line, column=span.column))
            for name, value, span in variables
        ),
    )


def _why(explained: Explained, plan: AccountPlan) -> str:
    if explained.change is not None:
        return _why_changed(explained, explained.change)
    if explained.untouched is not None:
        return _why_untouched(explained, explained.untouched)
    if any(found.severity is Severity.ERROR and found.address == explained.address for found in plan.diagnostics):
        return "nothing is planned for it: see the error"
    if explained.desired is not None and not explained.desired.present:
        return "it is declared absent, and it is not there"
    return "it is up to date"


def _why_changed(explained: Explained, change: Change) -> str:
    if change.reason is Reason.MERGED:
        return f"leads that carry it get {change.moves_to} first, then it is deleted"
    if change.reason is Reason.DUPLICATE:
        return "it carries the ownership marker of a declared lead whose `keep` names another one"
    if change.reason is Reason.UNMANAGED:
        return f"nothing declares it, and {_rule(explained)} is `{explained.prune}`"
    return _WHY_CHANGED[change.reason]


def _why_untouched(explained: Explained, left: Untouched) -> str:
    if left.reason is Reason.RETIRING:
        return f"it is declared absent, and {left.detail}"
    if left.reason not in {Reason.UNMANAGED, Reason.NOT_LOCKED}:
        return _WHY_UNTOUCHED[left.reason]
    rules = KINDS[explained.address.kind].prune
    also = " and `locked`" if explained.remembered and Prune.LOCKED in rules else ""
    wider = rules[-1]
    would = (
        f"`{wider}`{also} would delete it" if explained.prune is not wider else "it is not deleted while it is archived"
    )
    return f"nothing declares it, and {_rule(explained)} is `{explained.prune}`; {would}"


def _rule(explained: Explained) -> str:
    return f"`policy.prune.{KINDS[explained.address.kind].section}`"
