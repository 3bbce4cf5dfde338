"""The report: one frozen, versioned document that is the only thing renderers, `show` and `apply PLAN` read.

It is a public contract (schemas/report.schema.json); minor versions only add. It can hold 100,000 changes, so its parts
are dataclasses, of which one takes a tenth of the memory of a pydantic model; pydantic reads and writes them (`json`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

from leadstate.model.address import Span

FORMAT_VERSION = "1.0"

Scalar = Annotated[
    object, Field(description="A JSON value; amounts with decimals are strings, so that no digit is lost.")
]

# A stored report may come from anybody, and renderers write these words as they are.
_WORD = r"^[a-z][a-z0-9-]*$"
_Kind = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
_Reason = Annotated[str, Field(pattern=_WORD)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A diagnostic."""

    code: Annotated[
        str,
        Field(pattern=_WORD, description="What kind of problem it is; stable, see docs/reference/diagnostics."),
    ]
    severity: Literal["error", "guard", "warning"]
    summary: Annotated[str, Field(description="What happened, in one line.")]
    detail: Annotated[str, Field(description="More lines, such as candidates with their ids.")] = ""
    hint: Annotated[str, Field(description="How to fix it.")] = ""
    source: Annotated[Span | None, Field(description="Where in the configuration it is.")] = None
    excerpt: Annotated[str, Field(description="The line of the file, with a caret.")] = ""
    account: Annotated[str | None, Field(description="The account that it is about.")] = None
    address: Annotated[str | None, Field(description="The object that it is about.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field before and after; null where it is not set or not there."""

    path: Annotated[str, Field(description="The field: color, or custom_fields.Industry.")]
    before: Scalar = None
    after: Scalar = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What uses the label; null where it was not read.

    Attributes:
        leads: live leads that carry it.
        archived_leads: archived leads that carry it.
        filters: names of saved filters that name a label which is deleted.
    """

    leads: int | None
    archived_leads: int | None
    filters: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Requests that a change takes: `count` times the same, each costing `tokens`."""

    operation: Annotated[str, Field(description="Id of the operation in Pipedrive's API description.")]
    method: str
    path: str
    tokens: Annotated[int, Field(description="Rate-limit tokens of one request.")]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a change."""

    status: Literal["applied", "failed", "skipped", "conflict", "unknown", "declined"]
    detail: str = ""
    remote_id: Annotated[str | None, Field(description="Id of the object that was added or updated.")] = None

    @property
    def as_agreed(self) -> bool:
        """Whether the change was made, or was declined, so that there is nothing to mend."""
        return self.status in ("applied", "declined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to do, or done."""

    address: Annotated[str, Field(description="ACCOUNT/KIND:KEY, such as emea/label:Hot.")]
    kind: _Kind
    action: Literal["add", "update", "delete"]
    remote_id: Annotated[str | None, Field(description="Id in Pipedrive; null for an add.")]
    reason: _Reason
    origin: Annotated[
        Literal["change", "drift", "both"] | None,
        Field(description="With a base: change (this revision makes it), drift (the base would make it too), or both."),
    ] = None
    fields: tuple[FieldChange, ...]
    impact: Impact | None = None
    marker: Annotated[str | None, Field(description="Ownership marker that an add writes (origin_id).")] = None
    moves_to: Annotated[str | None, Field(description="kind:key that leads get in place of what is deleted.")] = None
    source: Span | None = None
    calls: tuple[Call, ...]
    result: Result | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """In a receipt: an object that the apply has written, or was about to, before and after that."""

    kind: _Kind
    remote_id: Annotated[str | None, Field(description="Null for a create that was not answered.")] = None
    key: Annotated[
        str | None, Field(description="As in its address; null for a lead that only got or lost labels.")
    ] = None
    before: Annotated[
        dict[str, Scalar] | None, Field(description="Null where it did not exist. Labels stand as their ids.")
    ] = None
    after: Annotated[
        dict[str, Scalar] | None,
        Field(
            description="Null where it does not exist any more. Of a create that was answered: all attributes that are "
            "set, custom fields aside; else what was written."
        ),
    ] = None
    marker: Annotated[str | None, Field(description="Ownership marker of a lead that was created or deleted.")] = None
    custom: Annotated[
        dict[str, Scalar], Field(description="Custom fields of a created or deleted lead, as answered.")
    ] = field(default_factory=dict)
    answered: Annotated[bool, Field(description="Whether an answer says that it happened.")] = False
    locked_as: Annotated[str | None, Field(description="Its key in the lock file before the run.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """Objects that were seen and not touched: one, or with `address` null a group of `count`."""

    address: str | None
    kind: _Kind
    reason: _Reason
    remote_id: str | None = None
    source: Span | None = None
    count: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of an account as it was when the account was read."""

    address: str
    name: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Changes, counted."""

    add: int
    update: int
    delete: int

    @property
    def changes(self) -> int:
        """All of them."""
        return self.add + self.update + self.delete


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining(Totals):
    """What a new plan finds after an apply: changes, and errors that it meets."""

    declined: Annotated[int, Field(description="How many of the changes were declined in the apply.")] = 0
    errors: tuple[Diagnostic, ...] = ()

    @property
    def unexpected(self) -> int:
        """Changes that were not declined."""
        return self.changes - self.declined


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Totals):
    """Counts over all accounts."""

    unchanged: int
    untouched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Requests, and the rate-limit tokens that they cost."""

    requests: int = 0
    tokens: int = 0

    @classmethod
    def sum(cls, parts: Iterable[tuple[int, int]]) -> "Requests":
        """Return the total of pairs of requests and tokens."""
        pairs = list(parts)
        return cls(requests=sum(requests for requests, _ in pairs), tokens=sum(tokens for _, tokens in pairs))

    @classmethod
    def of_changes(cls, changes: Iterable[Change]) -> "Requests":
        """Return what some changes take."""
        return cls.sum((call.count, call.count * call.tokens) for change in changes for call in change.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What reading has cost; what applying will cost (in a plan) or has cost (after an apply)."""

    read: Requests = Requests()
    apply: Requests = Requests()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account's part."""

    account: str
    company: Annotated[str, Field(description="Host of the account.")]
    origin: Annotated[str | None, Field(description="Scheme, host and port of the account.")] = None
    company_id: Annotated[int | None, Field(description="The account's company, where the configuration says it.")] = (
        None
    )
    fingerprint: Annotated[
        str | None, Field(description="Hash over origin, company and changes; null where there are no changes.")
    ] = None
    changes: tuple[Change, ...] = ()
    untouched: tuple[Untouched, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    labels: Annotated[
        tuple[Label, ...], Field(description="Every label that was there, changed or not, by address.")
    ] = ()
    remaining: Annotated[
        Remaining | None, Field(description="After an apply: what a new plan finds; null where there is none.")
    ] = None
    unread: Annotated[str, Field(description="After an apply: why the account could not be read again.")] = ""
    names: Annotated[
        dict[str, str],
        Field(
            description="What people know ids by that changes name: FIELD:ID → as the configuration writes it, else an "
            "email address or a name; KIND:KEY → the title of a lead that has no key."
        ),
    ] = field(default_factory=dict)
    bindings: Annotated[dict[str, str], Field(description="In a receipt: kind:key → remote id.")] = field(
        default_factory=dict
    )
    touched: Annotated[
        tuple[Touch, ...] | None, Field(description="In a receipt: what was written, in order; null elsewhere.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the run was limited to; empty lists mean everything."""

    accounts: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    shard: Annotated[str | None, Field(description="K/N: one of N parts of the accounts.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the plan was compared with, so that its changes say where they come from."""

    revision: Annotated[str, Field(description="A git revision, as it was named.")]
    commit: str
    read: Annotated[Requests, Field(description="What only the comparison took; part of cost.read.")] = Requests()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A leadstate report: a plan, or what became of it."""

    format_version: Annotated[str, Field(description="MAJOR.MINOR; minor versions only add members.")] = FORMAT_VERSION
    leadstate_version: Annotated[str, Field(description="The leadstate that wrote it.")]
    command: Literal["plan", "apply", "validate"]
    fingerprint: Annotated[str | None, Field(description="Hash over the changes with their before values.")] = None
    complete: Annotated[bool, Field(description="Whether every account could be read.")] = True
    applyable: Annotated[bool, Field(description="Whether no error and no guard stands against an apply.")] = True
    summary: Summary
    cost: Cost = Cost()
    scope: Scope = Scope()
    base: Base | None = None
    undoes: Annotated[str | None, Field(description="Of a restore: the file name of the receipt that it undoes.")] = (
        None
    )
    accounts: tuple[Account, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    digest: Annotated[
        str | None, Field(description="Hash over everything else. A report with other content is refused.")
    ] = field(default=None, compare=False)

    def all_diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return all diagnostics: the run's, then each account's with what was found on reading it again."""
        found = list(self.diagnostics)
        for account in self.accounts:
            found += account.diagnostics
            if account.remaining is not None:
                found += [error for error in account.remaining.errors if error not in account.diagnostics]
        return tuple(found)


def with_renamed_files(report: Report, path: Callable[[str], str]) -> Report:
    """Return the report with each file as `path` gives it: a terminal and a repository start from other folders."""

    def source(place: Span | None) -> Span | None:
        return place and replace(place, file=path(place.file))

    def diagnostics(holder: Report | Account) -> tuple[Diagnostic, ...]:
        return tuple(replace(diagnostic, source=source(diagnostic.source)) for diagnostic in holder.diagnostics)

    def account(holder: Account) -> Account:
        changes = tuple(replace(change, source=source(change.source)) for change in holder.changes)
        return replace(holder, changes=changes, diagnostics=diagnostics(holder))

    return replace(report, accounts=tuple(map(account, report.accounts)), diagnostics=diagnostics(report))
