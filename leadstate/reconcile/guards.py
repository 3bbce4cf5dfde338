"""Thresholds that keep a mistake small. Each refusal names the number, the limit and what lifts it.

Guards read the plan and nothing else; they change no plan.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadstate.model.account import Policy
from leadstate.model.address import Address, Span
from leadstate.model.diagnostics import ALLOWED, Diagnostic, Severity, counted, some
from leadstate.model.plan import AccountPlan, Action, Change, Reason

MAX_TOKENS = "max-tokens"
IN_USE = "in-use"
ARCHIVED_UNKNOWN = "archived-unknown"
CREATED_ALTERED = "created-altered"
NAMESPACE_CHANGED = "namespace-changed"
GUARDS = (
    "max-deletes",
    "max-delete-percent",
    MAX_TOKENS,
    "reserve",
    IN_USE,
    ARCHIVED_UNKNOWN,
    CREATED_ALTERED,
    NAMESPACE_CHANGED,
)

PERCENT_FROM = 10
"""A percentage says little of a handful: the share is checked where at least this many objects exist."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Rate-limit tokens: what the apply would cost, and what the company has left today, where the server tells.

    Attributes:
        cost: tokens of the apply.
        reading: tokens of reading the account again afterwards: about what reading it for the plan has cost.
        left: tokens left today; None where that is not known.
        limit: tokens of a whole day; None where that is not known.
        reserve: percent of a day's tokens that must be left afterwards.
    """

    cost: int
    reading: int = 0
    left: int | None = None
    limit: int | None = None
    reserve: int = 0


def guard(plan: AccountPlan, policy: Policy, existing: Mapping[str, int], budget: Budget) -> tuple[Diagnostic, ...]:
    """Return what speaks against applying this plan.

    Args:
        plan: the plan of one account.
        policy: its rules.
        existing: how many objects of each kind exist that we could delete.
        budget: what it costs, and what there is.
    """
    deletes = [change for change in plan.changes if change.action is Action.DELETE]
    if not deletes:
        return tuple(_tokens(plan, policy, budget))
    used = _in_use(plan, deletes) if policy.refuse_in_use else ()
    return (*_deletes(plan, deletes, policy, existing), *_tokens(plan, policy, budget), *used)


def archived_unknown(address: Address, policy: Policy, span: Span) -> Diagnostic:
    """Return the refusal to create an object that may be archived already, where part of the archive was not read."""
    return Diagnostic(
        ARCHIVED_UNKNOWN,
        Severity.GUARD,
        "it may exist among archived leads that were not read, older than the newest "
        f"{counted(policy.archived_pages, 'page')} of 500",
        hint=f"raise policy.archived_pages, or pass `--allow {ARCHIVED_UNKNOWN}` to create it",
        span=span,
        account=address.account,
        address=address,
    )


def lift(diagnostics: Iterable[Diagnostic], allow: Collection[str]) -> tuple[Diagnostic, ...]:
    """Return the same diagnostics, those refusals that the user allows turned into warnings."""
    return tuple(
        replace(found, severity=Severity.WARNING, hint=ALLOWED)
        if found.severity is Severity.GUARD and found.code in allow
        else found
        for found in diagnostics
    )


def _refusal(plan: AccountPlan, code: str, summary: str, fix: str, about: Change | None = None) -> Diagnostic:
    return Diagnostic(
        code,
        Severity.GUARD,
        summary,
        hint=f"{fix}, or pass `--allow {code}`",
        account=plan.account,
        address=about.address if about else None,
        span=about.span if about else None,
    )


def _deletes(
    plan: AccountPlan, changes: Sequence[Change], policy: Policy, existing: Mapping[str, int]
) -> Iterator[Diagnostic]:
    if policy.max_deletes is not None and len(changes) > policy.max_deletes:
        verb = "is" if len(changes) == 1 else "are"
        summary = f"{counted(len(changes), 'delete')} {verb} more than the {policy.max_deletes} that one run may do"
        yield _refusal(plan, "max-deletes", summary, "raise policy.guards.max_deletes")
    deletes, limit = Counter(change.address.kind for change in changes), policy.max_delete_percent
    for kind, there in sorted(existing.items()):
        if limit is not None and there >= PERCENT_FROM and deletes[kind] * 100 > limit * there:
            share = f"{deletes[kind]} of {there} {kind}s ({deletes[kind] * 100 // there} %)"
            summary = f"{share} would be deleted; one run may delete {limit} %"
            yield _refusal(plan, "max-delete-percent", summary, "raise policy.guards.max_delete_percent")


def _tokens(plan: AccountPlan, policy: Policy, budget: Budget) -> Iterator[Diagnostic]:
    if policy.max_tokens is not None and budget.cost > policy.max_tokens:
        cost = counted(budget.cost, "rate-limit token")
        summary = f"the apply would cost {cost}; {policy.max_tokens:,} may be spent"
        yield _refusal(plan, MAX_TOKENS, summary, "raise `--max-tokens` or policy.guards.max_tokens")
    if budget.left is None or not plan.changes:
        return
    after = budget.left - budget.cost - budget.reading
    if after < 0:
        cost = counted(budget.cost + budget.reading, "rate-limit token")
        summary = f"apply and read-back cost {cost}; {budget.left:,} are left today"
        yield _refusal(plan, "reserve", summary, "apply after the budget was reset")
    elif budget.limit is not None and after * 100 < budget.reserve * budget.limit:
        leaves = f"the apply would leave {after} of today's {budget.limit} rate-limit tokens"
        summary = f"{leaves}; `--reserve` requires {budget.reserve} %"
        yield _refusal(plan, "reserve", summary, "apply after the budget was reset, lower `--reserve`")


def _in_use(plan: AccountPlan, deletes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Refuse to delete a label that leads carry or that a saved filter names (spec section 1, promise 6)."""
    for change in deletes:
        if change.impact is None:
            continue
        leads, archived = change.impact.leads, change.impact.archived_leads
        if leads is None:
            yield _refusal(plan, IN_USE, "how many leads carry it was not counted", "plan with `--impact live`", change)
        elif change.moves_to is None and (leads or archived):
            # Archived leads cannot be moved: with a successor the planner warns of them.
            also = f" and {counted(archived, 'archived lead')}" if archived else ""
            carry = "carries" if leads == 1 and not archived else "carry"
            declare = "declare it with `state: absent` and" if change.reason is Reason.UNMANAGED else "write"
            fix = f"{declare} `replace_with: LABEL` to give its leads another label first, set `policy.in_use: allow`"
            yield _refusal(plan, IN_USE, f"{counted(leads, 'open lead')}{also} still {carry} it", fix, change)
        # A filter keeps the dead id, wherever the leads have gone.
        if change.impact.filters:
            names = some([f"{name!r}" for name in change.impact.filters])
            verb, them = ("names", "that filter") if len(change.impact.filters) == 1 else ("name", "those filters")
            summary = f"{counted(len(change.impact.filters), 'saved filter')} {verb} it: {names}"
            fix = f"take it out of {them} in Pipedrive, set `policy.in_use: allow`"
            yield _refusal(plan, IN_USE, summary, fix, change)
