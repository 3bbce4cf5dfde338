"""The report: one frozen, versioned document that is the only thing renderers, `show` and `apply PLAN` read.

It is a public contract (schemas/report.schema.json); minor versions only add.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leadstate.core.errors import ReportError

FORMAT_VERSION = "1.0"

Scalar = Annotated[
    object, Field(description="A JSON value; amounts with decimals are strings, so that no digit is lost.")
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Source(_Part):
    """A place in the configuration; lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Finding(_Part):
    """A diagnostic."""

    code: str
    severity: Literal["error", "guard", "warning"]
    summary: str
    detail: str = ""
    hint: str = ""
    source: Source | None = None
    excerpt: str = ""
    account: str | None = None
    address: str | None = None


class FieldChange(_Part):
    """One field before and after; null where it is not set or not there."""

    path: str
    before: Scalar = None
    after: Scalar = None


class Impact(_Part):
    """Leads that carry the label; null where they were not counted."""

    leads: int | None
    archived_leads: int | None


class Call(_Part):
    """Requests that a change takes: `count` times the same, each costing `tokens`."""

    operation: str
    method: str
    path: str
    tokens: int
    count: int = 1


class Result(_Part):
    """What became of a change."""

    status: Literal["applied", "failed", "skipped", "conflict", "unknown"]
    detail: str = ""
    remote_id: str | None = Field(default=None, description="Id of the object that was added or updated.")


class Change(_Part):
    """One thing to do, or done."""

    address: str
    kind: str
    action: Literal["add", "update", "delete"]
    remote_id: str | None
    reason: str
    origin: Literal["change", "drift", "both"] | None = Field(
        default=None,
        description="With a base: change (this revision makes it), drift (the base would make it too), or both.",
    )
    fields: tuple[FieldChange, ...]
    impact: Impact | None = None
    mark: str | None = Field(default=None, description="Ownership mark that an add writes (origin_id).")
    moves_to: str | None = Field(default=None, description="kind:key that leads get in place of what is deleted.")
    carriers: tuple[str, ...] | None = Field(
        default=None, description="In a receipt: ids of the leads that carried a label which was deleted."
    )
    source: Source | None = None
    calls: tuple[Call, ...]
    result: Result | None = None


class LeftAlone(_Part):
    """Objects that were seen and not touched: one, or with `address` null a group of `count`."""

    address: str | None
    kind: str
    reason: str
    remote_id: str | None = None
    source: Source | None = None
    count: int = 1
    detail: str = ""


class Label(_Part):
    """A label of an account as it was when the account was read."""

    address: str
    name: str
    color: str


class Totals(_Part):
    """Changes that a new plan still finds after an apply."""

    add: int
    update: int
    delete: int

    @property
    def changes(self) -> int:
        """All of them."""
        return self.add + self.update + self.delete


class Summary(Totals):
    """Counts over all accounts."""

    unchanged: int
    left_alone: int


class Requests(_Part):
    """Requests, and the API tokens that they cost."""

    requests: int = 0
    tokens: int = 0


class Cost(_Part):
    """What reading has cost; what applying will cost (in a plan) or has cost (after an apply)."""

    read: Requests = Requests()
    apply: Requests = Requests()


class Account(_Part):
    """One account's part."""

    account: str
    company: str = Field(description="Host of the account.")
    fingerprint: str | None = Field(default=None, description="Hash over its changes; null where there are none.")
    changes: tuple[Change, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    diagnostics: tuple[Finding, ...] = ()
    labels: tuple[Label, ...] = Field(default=(), description="Every label that was there, changed or not, by address.")
    remaining: Totals | None = Field(default=None, description="After an apply: what a new plan finds.")
    bindings: dict[str, str] = Field(default_factory=dict, description="In a receipt: kind:key → remote id.")


class Scope(_Part):
    """What the run was limited to; empty lists mean everything."""

    accounts: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    shard: str | None = Field(default=None, description="K/N: one of N parts of the accounts.")


class Base(_Part):
    """What the plan was compared with, so that its changes say where they come from."""

    revision: str = Field(description="A git revision, as it was named.")
    commit: str
    read: Requests = Field(default=Requests(), description="What only the comparison took; part of cost.read.")


class Report(_Part):
    """A leadstate report: a plan, or what became of it."""

    format_version: str = FORMAT_VERSION
    leadstate_version: str
    command: Literal["plan", "apply", "validate"]
    fingerprint: str | None = Field(default=None, description="Hash over the changes with their before values.")
    complete: bool = Field(default=True, description="Whether every account could be read.")
    applyable: bool = Field(default=True, description="Whether no error and no guard stands against an apply.")
    summary: Summary
    cost: Cost = Cost()
    scope: Scope = Scope()
    base: Base | None = None
    accounts: tuple[Account, ...] = ()
    diagnostics: tuple[Finding, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        """All diagnostics, the run's own first."""
        return (*self.diagnostics, *(one for account in self.accounts for one in account.diagnostics))


def parse(text: str) -> Report:
    """Read a stored report.

    Raises:
        ReportError: it is none, or of a format that this version does not know.
    """
    try:
        report = Report.model_validate_json(text)
    except ValidationError as failure:
        first = failure.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReportError(
            f"this is no leadstate report: {where}: {first['msg'].lower()}",
            hint="make one with `leadstate plan --out FILE`",
        ) from None
    if report.format_version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise ReportError(
            f"the report has format version {report.format_version}, this leadstate reads {FORMAT_VERSION}",
            hint="use the leadstate version that wrote it, or plan again",
        )
    return report


def report_schema() -> dict[str, object]:
    """JSON Schema of the report."""
    schema = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "leadstate report"}
