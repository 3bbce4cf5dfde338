"""A plan is data: changes, what is untouched and why, a fingerprint; and what became of each change."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from leadstate.model.address import Address, Ref, RemoteRef, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import Absent, AtLeast, Attrs, Bindings, Live, Money, Side


class Action(StrEnum):
    """What a change does."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


class Reason(StrEnum):
    """Why something is changed or untouched."""

    MISSING = "missing"
    DIFFERS = "differs"
    RENAMED = "renamed"
    STATE_ABSENT = "state-absent"
    MERGED = "merged"
    RETIRING = "retiring"
    UNMANAGED = "unmanaged"
    IGNORED = "ignored"
    PROTECTED = "protected"
    NOT_LOCKED = "not-locked"
    SEED = "seed"
    ARCHIVED = "archived"
    PREVIOUS_NAME = "previous-name"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    NOT_OURS = "not-ours"
    CHANGED_SINCE = "changed-since"
    GONE = "gone"
    UNDONE = "undone"


class Origin(StrEnum):
    """Where a change comes from: this revision of the configuration, a live state that moved, or both."""

    CHANGE = "change"
    DRIFT = "drift"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Impact:
    """What uses the label that a change renames or deletes.

    Attributes:
        leads: how many live leads carry it; None where they were not counted.
        archived_leads: the same of archived leads.
        filters: names of saved filters that name a label which is deleted; None where filters were not read.
    """

    leads: int | None
    archived_leads: int | None
    filters: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Requests of one form that a change takes, one after another.

    Attributes:
        operation: the vendor's id of it.
        method: of HTTP.
        path: below `/api/<version>`; `{id}` stands for an id that is not known yet.
        tokens: rate-limit tokens of one of them.
        count: how many.
    """

    operation: str
    method: str
    path: str
    tokens: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One changed field: a dotted path and its values, either of which may be ABSENT.

    `steps` are the path undone: the name of an attribute may hold dots itself.
    """

    path: str
    before: Side
    after: Side
    steps: tuple[str, ...] = field(default=(), compare=False)

    @property
    def attribute(self) -> str:
        """The attribute that it is about, or a part of."""
        return self.steps[0]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do.

    Attributes:
        address: the object.
        action: add, update or delete.
        reason: why.
        fields: what differs, sorted by path.
        want: the whole wanted value of each attribute that is touched (empty for a delete).
        remote_id: the id of the existing object; None for an add.
        marker: the ownership marker that an add writes, or that an object which goes had.
        thaw_first: whether the object must be unfrozen (un-archived) before anything else.
        after: addresses of changes of this plan that must have succeeded first.
        span: where it is declared; None where nothing declares it.
        impact: for labels, the leads concerned.
        carriers: ids of the live leads that carry a label when it is deleted; None where they were not read.
        archived_carriers: the same of archived leads, which nobody can edit; None where there are none or unread.
        moves_to: the label that those leads get in its place before it is deleted.
        pages: how many pages of leads are read to see that none carries it any more.
        origin: where it comes from; None where it was compared with no other revision.
        calls: what it takes, as a plan shows and a forecast counts it.
    """

    address: Address
    action: Action
    reason: Reason
    fields: tuple[FieldDiff, ...]
    want: Attrs
    remote_id: str | None = None
    marker: str | None = None
    thaw_first: bool = False
    after: tuple[Address, ...] = ()
    span: Span | None = None
    impact: Impact | None = None
    carriers: tuple[str, ...] | None = None
    archived_carriers: tuple[str, ...] | None = None
    moves_to: Ref | None = None
    pages: int = 0
    origin: Origin | None = None
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Untouched:
    """Objects that were seen and are not touched, with the reason; `key` is None for a group of `count`.

    `detail` says in words what there is to know besides.
    """

    kind: str
    reason: Reason
    key: str | None = None
    remote_id: str | None = None
    span: Span | None = None
    count: int = 1
    detail: str = ""


@dataclass(frozen=True)  # no slots: it remembers its fingerprint
class AccountPlan:
    """What one account needs.

    Attributes:
        account: its name.
        origin: scheme, host and port that it was read from.
        changes: sorted by address.
        untouched: sorted by kind, reason and name.
        unchanged: how many declared objects are up to date.
        diagnostics: errors, refusals and warnings; an error or refusal keeps the account from being applied.
        bindings: which id stands for which reference, as observed.
        complete: whether the live state could be read as a whole.
        named: every object that exists of the kinds identified by name, as it was read; `bindings` knows how each is
            called here.
        reading: how live leads were read, and what that cost; empty if they were not.
        company_id: the company that the configuration says the account is of; None where it says nothing.
        names: attribute and id, or kind and key, with a colon between → what people know it by.
    """

    account: str
    origin: str
    changes: tuple[Change, ...]
    untouched: tuple[Untouched, ...]
    unchanged: int
    diagnostics: tuple[Diagnostic, ...]
    bindings: Bindings
    complete: bool = True
    named: tuple[Live, ...] = ()
    reading: str = ""
    company_id: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str | None:
        """Return the hash of what the plan does."""
        return fingerprint(self)

    @property
    def forecast(self) -> tuple[int, int]:
        """Requests and rate-limit tokens that applying it takes."""
        calls = [call for change in self.changes for call in change.calls]
        return sum(call.count for call in calls), sum(call.count * call.tokens for call in calls)

    @property
    def applyable(self) -> bool:
        """Whether nothing stands against applying it."""
        return self.complete and not any(d.severity is not Severity.WARNING for d in self.diagnostics)


def count_actions(plans: Iterable[AccountPlan]) -> dict[str, int]:
    """Return each action with the number of changes that do it."""
    counts = Counter(change.action for plan in plans for change in plan.changes)
    return {action.value: counts[action] for action in Action}


def fingerprint(plan: Any) -> str | None:
    """Return a hash over an account and its changes with their before values; None where there are none.

    Args:
        plan: a plan of one account, or its form in a stored report, which calls everything the same.
    """
    if not plan.changes:
        return None
    about = {"origin": plan.origin, "company_id": plan.company_id}
    rows = (about, *(_identity(change) for change in plan.changes))
    return combined(json.dumps(row, sort_keys=True) for row in rows)


def combined(parts: Iterable[str | None]) -> str:
    """Return one hash over several texts, whatever their order: equal for equal work, in one run or in many."""
    rows = sorted(part for part in parts if part is not None)
    return "sha256:" + hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _identity(change: Any) -> object:
    return {
        "address": str(change.address),
        "action": change.action,
        "reason": change.reason,
        "remote_id": change.remote_id,
        "marker": change.marker,
        "moves_to": None if change.moves_to is None else str(change.moves_to),
        "fields": [[field.path, plain(field.before), plain(field.after)] for field in change.fields],
    }


LONGEST_NUMBER = 30
"""Digits of a whole amount that is shown as a number; a server can answer millions, which nobody could print."""


def _number(number: Decimal) -> int | str:
    whole = number.adjusted() < LONGEST_NUMBER and number == number.to_integral_value()
    return int(number) if whole else str(number)


def plain(value: object) -> object:
    """Return a value as JSON can hold it: absent and not set are both null, and amounts keep every digit.

    A value in this form stays as it is, so that the fingerprint of a stored plan is that of the plan.
    """
    match value:
        case Absent():
            form: object = None
        case Ref():
            form = value.key
        case RemoteRef():
            form = str(value)
        case AtLeast():
            form = [plain(ref) for ref in value.refs]
        case Money():
            form = {"amount": _number(value.amount), "currency": value.currency}
        case Decimal():
            number = _number(value)
            form = float(number) if isinstance(number, str) and Decimal(repr(float(number))) == value else number
        case tuple():
            form = [plain(item) for item in value]
        case Mapping():
            form = {key: plain(item) for key, item in value.items()}
        case _:
            form = value
    return form


class Status(StrEnum):
    """The end of one change (spec section 6)."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change's end; in words why, where it is not plainly applied; and the id of what it made or changed."""

    status: Status
    detail: str = ""
    remote_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Touch:
    """One object that an apply has changed, or was about to change.

    Labels stand as `RemoteRef`, so that nothing depends on how a configuration calls them. Where only some labels of a
    lead are named, as for one that lost a deleted label, the others count as unchanged.

    Attributes:
        kind: `label` or `lead`.
        remote_id: its id; None for one whose creation was not answered yet.
        key: what the plan called it; None for a lead that only got or lost labels.
        before: the changed attributes as they were; None where it did not exist.
        after: the same as they are now; None where it does not exist any more. Of an object whose creation was
            answered: every attribute that is set.
        marker: the ownership marker of a lead that was created or deleted.
        custom: the custom fields of a deleted lead, or of one whose creation was answered, as they were answered.
        answered: whether an answer says that it happened. Otherwise only the live state can tell.
        locked_as: the key under which the lock file knew it before the run.
    """

    kind: str
    remote_id: str | None
    key: str | None
    before: Attrs | None
    after: Attrs | None
    marker: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)
    answered: bool = False
    locked_as: str | None = None


@dataclass(frozen=True, slots=True)
class AccountReceipt:
    """What one apply has done to an account.

    Attributes:
        file: where that is written.
        touched: every touch, in order.
        labels: id → name of the labels that existed before it.
        leads: ids of the leads that it knew, declared or not, with those that it created.
        names: attribute and id → what people know it by, as far as the run did.
    """

    file: str
    touched: tuple[Touch, ...]
    labels: Mapping[str, str]
    leads: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
