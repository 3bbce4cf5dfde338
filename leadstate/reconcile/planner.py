"""From declared and live state to a plan: match, link, diff, prune, weigh, guard, read top to bottom. Pure."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadstate.model.account import Account, Prune, explain_ignored, explain_protected
from leadstate.model.address import Address, Ref, Target
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.plan import AccountPlan, Action, Change, Reason, Untouched
from leadstate.model.resource import FREEZES, Attrs, Bindings, Desired, Live, Observed, Value, resolve_at_least
from leadstate.reconcile.dependencies import order_changes, select_targets, weigh
from leadstate.reconcile.diff import add, delete, diff, update
from leadstate.reconcile.guards import archived_unknown
from leadstate.reconcile.lookalikes import find_lookalikes
from leadstate.reconcile.match import Matching, match_kind, name_undeclared
from leadstate.reconcile.unclear import find_altered, find_elsewhere


@dataclass(slots=True)
class Draft:
    """A plan of one account in the making: what it is about, then what was found."""

    account: Account
    observed: Observed
    bindings: Bindings
    ignored: set[Value] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)
    untouched: list[Untouched] = field(default_factory=list)
    unchanged: list[Address] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def address_of(self, live: Live) -> Address:
        """Return the address of an object that `bindings` knows."""
        return Address(self.account.name, live.kind, self.bindings.ref_of(live).key)

    def leave(self, desired: Desired, reason: Reason, remote_id: str | None, detail: str = "") -> None:
        """Note that nothing is done with an object that is declared."""
        kind, key = desired.address.kind, desired.address.key
        self.untouched.append(Untouched(kind, reason, key, remote_id, desired.span, detail=detail))

    def leave_live(self, live: Live, reason: Reason) -> None:
        """Note that nothing is done with an object that nothing declares."""
        self.untouched.append(Untouched(live.kind, reason, self.bindings.ref_of(live).key, live.remote_id))

    def report(self, desired: Desired, code: str, severity: Severity, summary: str, hint: str) -> None:
        """Add a diagnostic about an object that is declared."""
        self.diagnostics.append(desired.diagnostic(code, severity, summary, hint=hint))

    def plan(self, changes: Sequence[Change]) -> AccountPlan:
        """Return the plan with these changes, in this order."""
        return AccountPlan(
            account=self.account.name,
            origin=self.account.origin,
            company_id=self.account.company_id,
            changes=tuple(changes),
            untouched=tuple(sorted(self.untouched, key=lambda group: (group.kind, group.reason, group.key or ""))),
            unchanged=len(self.unchanged),
            diagnostics=tuple(self.diagnostics),
            bindings=self.bindings,
            reading=self.observed.reading,
        )


def plan_account(
    account: Account,
    observed: Observed,
    order: Sequence[str],
    targets: Sequence[Target] = (),
    matched: Mapping[str, Matching] | None = None,
    *,
    today: dt.date = dt.date.max,
) -> AccountPlan:
    """Plan one account.

    Args:
        account: what is declared.
        observed: what exists.
        order: the kinds, those that others refer to first.
        targets: the objects to plan; none means all. What a target needs comes with it.
        matched: kind → its matching, where the caller has made it already.
        today: the day in UTC, for what is deleted from a day on; unless given, every such day has come.
    """
    draft = Draft(account, observed, Bindings(observed.fields))
    matchings = _match(draft, order, matched or {})
    for kind in order:
        if passed_over := observed.ignored.get(kind):
            draft.untouched.append(Untouched(kind, Reason.IGNORED, count=len(passed_over)))
        if kind in matchings:
            _plan_kind(draft, matchings[kind], today)
        if others := observed.others.get(kind):
            draft.untouched.append(Untouched(kind, Reason.NOT_OURS, count=others))
    changes = order_changes(draft.changes)
    if targets:
        changes = select_targets(changes, targets)
        _limit(draft, targets, {change.address for change in changes})
    return draft.plan(weigh(changes, observed))


def _limit(draft: Draft, targets: Sequence[Target], changed: Collection[Address]) -> None:
    """Leave out what is not about the targets."""

    def is_meant(address: Address) -> bool:
        return any(target.selects(address) for target in targets)

    name = draft.account.name
    draft.untouched = [group for group in draft.untouched if is_meant(Address(name, group.kind, group.key or ""))]
    draft.unchanged = [address for address in draft.unchanged if is_meant(address)]
    draft.diagnostics = [
        found
        for found in draft.diagnostics
        if found.address is None or found.address in changed or is_meant(found.address)
    ]


def _match(draft: Draft, order: Sequence[str], matched: Mapping[str, Matching]) -> dict[str, Matching]:
    """Match each kind that is declared or exists, unless it is `matched` already, and give every object its name."""
    account, observed, bindings = draft.account, draft.observed, draft.bindings
    matchings: dict[str, Matching] = {}
    for kind in order:
        declared, live = account.of_kind(kind), observed.live.get(kind, ())
        if not declared and not live:
            continue
        matching = matchings[kind] = matched.get(kind) or match_kind(account, kind, live)
        for desired, there in matching.pairs:
            bindings.bind(desired.address.ref, there.remote_id)
        for key, there in name_undeclared(kind, matching, account):
            bindings.bind(Ref(kind, key), there.remote_id)
    for there in (there for listed in observed.ignored.values() for there in listed):
        # Leads may carry it, and a plan calls it by its name.
        if bindings.id_of(Ref(there.kind, there.name)) is None:
            bindings.bind(Ref(there.kind, there.name), there.remote_id)
        draft.ignored.add(bindings.link(there.ref))
    return matchings


def _plan_kind(draft: Draft, matching: Matching, today: dt.date) -> None:
    account = draft.account
    draft.diagnostics.extend(matching.diagnostics)
    for desired in matching.missing:
        _plan_missing(draft, desired)
    for desired, live in matching.pairs:
        _plan_pair(draft, desired, live, today)
    for live in matching.duplicates:
        draft.changes.append(delete(draft.address_of(live), live, draft.bindings, Reason.DUPLICATE))
    staying = [live for live in matching.extra if not _plan_unmanaged(draft, live)]
    if matching.extra:
        draft.diagnostics.extend(find_lookalikes(matching, staying, account))
    if staying and account.policy.prune(staying[0].kind) is Prune.LOCKED and not account.lock:
        draft.diagnostics.append(
            Diagnostic(
                "prune-without-lock",
                Severity.WARNING,
                f"`prune: locked` deletes nothing: the lock file knows no {staying[0].kind} of this account",
                hint="make the lock file with `leadstate lock` or `leadstate apply --lock`, and commit it",
                account=account.name,
            )
        )
    added = {change.address for change in draft.changes if change.action is Action.ADD}
    creates = [desired for desired in matching.missing if desired.address in added]
    if creates:
        draft.diagnostics.extend(find_altered(creates, matching.extra, draft.observed.unmarked, account.locked))
        bearing = (*matching.undeclared, *(live for _, live in matching.pairs))
        is_new = not any(account.owns(live.marker) for live in bearing)
        draft.diagnostics.extend(find_elsewhere(creates, draft.observed.elsewhere, account, is_new=is_new))
    for live in matching.shadowed:
        draft.leave_live(live, Reason.PREVIOUS_NAME)
    for live in matching.ambiguous:
        draft.leave_live(live, Reason.AMBIGUOUS)


def _plan_unmanaged(draft: Draft, live: Live) -> bool:
    """Plan an object that nothing declares; return whether it is deleted."""
    account = draft.account
    rule, pruned = account.policy.prune(live.kind), account.prunes(live)
    if pruned and not account.policy.protects(live.kind, live.name):
        draft.changes.append(delete(draft.address_of(live), live, draft.bindings, Reason.UNMANAGED))
        return True
    if pruned:
        reason = Reason.PROTECTED
    elif rule is Prune.LOCKED:
        reason = Reason.NOT_LOCKED
    else:
        reason = Reason.ARCHIVED if rule is Prune.OWNED and live.frozen_by else Reason.UNMANAGED
    draft.leave_live(live, reason)
    return False


def _plan_missing(draft: Draft, desired: Desired) -> None:
    address, gone = desired.address, desired.marker in draft.observed.gone
    ignored = {live.remote_id for live in draft.observed.ignored.get(address.kind, ())}
    if not desired.present and desired.remote_id in ignored:
        words = explain_ignored(f"the {address.kind} {desired.remote_id} is to be deleted")
        draft.report(desired, f"ignored-{address.kind}", Severity.ERROR, *words)
    elif not desired.present:
        draft.unchanged.append(address)
    elif desired.remote_id is not None:
        draft.leave(desired, Reason.GONE, desired.remote_id)
    elif gone and desired.leave_gone:
        draft.leave(desired, Reason.GONE, draft.account.lock.get(address.ref))
    elif desired.adopted:
        _report_unknown(draft, desired, gone=gone)
    else:
        want = {key: resolve_at_least(value, None) for key, value in desired.attrs.items()}
        draft.changes.append(add(address, want, marker=desired.marker, span=desired.span))
        if desired.marker in draft.observed.unsure:
            draft.diagnostics.append(archived_unknown(address, draft.account.policy, desired.span))


def _report_unknown(draft: Draft, desired: Desired, *, gone: bool) -> None:
    """Add the error that nothing identifies an adopted object, and why."""
    lock, disputed, ref = draft.account.lock, draft.account.disputed, desired.address.ref
    why, restore = "the lock file does not know it", "restore the lock file from git, or "
    if gone:
        why, restore = f"the {ref.kind} that the lock file knows is gone", ""
    elif ref in lock:
        why = f"the {ref.kind} that the lock file knows has the marker of another one"
    elif ref in disputed:
        same = (str(other) for other, id_ in disputed.items() if id_ == disputed[ref] and other.kind == ref.kind)
        others = " and ".join(sorted({*same} - {str(ref)}))
        why = f"the lock file gives the id {disputed[ref]} to {others} too"
        restore = "give each its own id in the lock file, as its history in git knows them, or "
    summary = f"it is declared as adopted, and cannot be identified: {why}"
    hint = f"{restore}remove the item and import it again; without `adopted` it is created"
    draft.report(desired, "adopted-unknown", Severity.ERROR, summary, hint)


def _plan_pair(draft: Draft, desired: Desired, live: Live, today: dt.date) -> None:
    if not desired.present:
        _plan_absent(draft, desired, live, today)
        return
    before = draft.bindings.attrs(live)
    # Ignored labels stay on a lead, whatever labels it is declared with.
    after = {key: resolve_at_least(value, before.get(key), draft.ignored) for key, value in desired.attrs.items()}
    if live.frozen_by is None and after.get(FREEZES) is True:
        after |= _handed_over(draft, {**before, **after})
    fields = diff(before, after)
    thaws = any(differing.path == live.frozen_by for differing in fields)
    if desired.create_only:
        draft.leave(desired, Reason.SEED, live.remote_id)
    elif not fields:
        draft.unchanged.append(desired.address)
    elif live.frozen_by and not thaws:
        draft.leave(desired, Reason.ARCHIVED, live.remote_id)
    else:
        renamed = desired.names and live.name != desired.names[0]
        reason = Reason.RENAMED if renamed else Reason.DIFFERS
        touched = {differing.attribute for differing in fields}
        want = {key: value for key, value in after.items() if key in touched}
        draft.changes.append(update(desired.address, live, fields, want, reason, span=desired.span))


def _handed_over(draft: Draft, wanted: Attrs) -> Attrs:
    """Return what an object that this plan archives must let go of now: later nobody can take it away."""
    moves = {change.address.ref: change.moves_to for change in draft.changes if change.moves_to is not None}
    handed: dict[str, Value] = {}
    for name, value in wanted.items():
        if isinstance(value, tuple) and any(isinstance(ref, Ref) and ref in moves for ref in value):
            settled = {moves.get(item, item) if isinstance(item, Ref) else item for item in value}
            handed[name] = tuple(sorted(settled, key=str))
    return handed


def _plan_absent(draft: Draft, desired: Desired, live: Live, today: dt.date) -> None:
    carriers, archived = draft.observed.carriers, draft.observed.archived_carriers
    if draft.account.policy.protects(live.kind, live.name):
        words = explain_protected(live.kind, f"the {live.kind} {live.name!r}")
        draft.report(desired, f"protected-{live.kind}", Severity.ERROR, *words)
        return
    if desired.not_before is not None and today.isoformat() < desired.not_before:
        days = (dt.date.fromisoformat(desired.not_before) - today).days
        detail = f"is deleted from {desired.not_before} on, in {counted(days, 'day')}"
        if carriers is not None:
            count = len(carriers.get(live.ref, ()))
            detail += f"; {counted(count, 'lead')} {'carries' if count == 1 else 'carry'} it"
        draft.leave(desired, Reason.RETIRING, live.remote_id, detail)
        return
    # Nobody can edit an archived lead (docs/explanation/safety.md). What becomes of the label there is not documented.
    why = "not get the other label: nobody can edit an archived lead"
    if desired.moves_to is not None and archived is None:
        hint = "plan with `--impact full` to have them counted"
        summary = f"archived leads that carry it do {why}"
        draft.report(desired, "archived-not-counted", Severity.WARNING, summary, hint)
    elif desired.moves_to is not None and archived is not None and (count := len(archived.get(live.ref, ()))):
        verbs = "carries it and does" if count == 1 else "carry it and do"
        summary = f"{counted(count, 'archived lead')} {verbs} {why}"
        hint = "to move them too, bring them back from the archive first"
        draft.report(desired, "archived-carriers", Severity.WARNING, summary, hint)
    reason = Reason.MERGED if desired.moves_to else Reason.STATE_ABSENT
    change = delete(desired.address, live, draft.bindings, reason, desired.span)
    draft.changes.append(replace(change, moves_to=desired.moves_to))
