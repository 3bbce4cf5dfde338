"""What a session returns and tells: a plan, events, the result of an apply, and the errors that carry a plan."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from leadstate.config import Configuration
from leadstate.engine.events import Observer
from leadstate.engine.run import Applied, Settings
from leadstate.model.address import Address
from leadstate.model.diagnostics import Diagnostic, LeadstateError, Severity, counted, worst
from leadstate.model.plan import AccountPlan, Change, Outcome, Status
from leadstate.pipedrive.connection import Spent
from leadstate.report import document as doc
from leadstate.report.build import diagnostic_row
from leadstate.report.formats.json import to_json
from leadstate.report.verify import unreviewed


class Document:
    """A report with its parts at hand."""

    if TYPE_CHECKING:

        @property
        def report(self) -> doc.Report:
            """The document."""

    @property
    def summary(self) -> doc.Summary:
        """How many objects are added, updated, deleted, unchanged and untouched."""
        return self.report.summary

    @property
    def accounts(self) -> tuple[doc.Account, ...]:
        """The accounts with their changes, sorted by name."""
        return self.report.accounts

    @property
    def diagnostics(self) -> tuple[doc.Diagnostic, ...]:
        """Errors, refusals and warnings of all accounts."""
        return self.report.all_diagnostics()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why accounts are not as declared, in sentences: errors and refusals, changes not made, and what is left."""
        grave = (problem for problem in self.diagnostics if problem.severity != Severity.WARNING.value)
        found = [(problem.address or problem.account, problem.summary) for problem in grave]
        for account in self.accounts:
            for change in account.changes:
                if change.result is not None and not change.result.as_agreed:
                    detail = f" ({change.result.detail})" if change.result.detail else ""
                    found.append((change.address, f"{change.action} {change.result.status}{detail}"))
            if self.report.command == "apply" and account.remaining is None:
                found.append((account.account, account.unread or "it could not be read again"))
            elif account.remaining is not None and account.remaining.unexpected:
                found.append((account.account, f"{counted(account.remaining.unexpected, 'difference')} left"))
        return tuple(dict.fromkeys(f"{where}: {what}" if where else what for where, what in found))

    @property
    def fingerprint(self) -> str | None:
        """A hash over all changes with their before values; the same for the same work."""
        return self.report.fingerprint

    def to_json(self) -> str:
        """Return the document as `--format json` writes it; `apply` and `show` read it."""
        return "".join(to_json(self.report))


@dataclass(frozen=True)
class Plan(Document):
    """What an apply would do.

    Attributes:
        configuration: what it was made from.
        settings: how it was made.
        plans: each account's plan, those of accounts that could not be read included.
        before: account → what its connection had spent when planning began.
        document: makes the report of such plans.
    """

    configuration: Configuration
    settings: Settings
    plans: tuple[AccountPlan, ...]
    before: Mapping[str, Spent]
    document: Callable[[Sequence[AccountPlan]], doc.Report] = field(repr=False)

    @cached_property
    def report(self) -> doc.Report:
        """The document; made at its first use, since an apply without a question does not need it."""
        return self.document(self.plans)

    def held_to(self, reviewed: doc.Report) -> "Plan":
        """Return the plan with an error in each account of which a reviewed plan could show no change.

        Nothing is applied there, and its guards refuse nothing.
        """
        names = unreviewed(reviewed)
        return replace(
            self,
            plans=tuple(_withhold(plan) if plan.changes and plan.account in names else plan for plan in self.plans),
        )

    @cached_property
    def severity(self) -> Severity | None:
        """The gravest diagnostic of its accounts."""
        return worst(diagnostic for plan in self.plans for diagnostic in plan.diagnostics)

    @property
    def refused(self) -> bool:
        """Whether a guard of any account refuses it, so that nothing is written in any, whatever else is wrong."""
        return any(found.severity is Severity.GUARD for plan in self.plans for found in plan.diagnostics)

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors of its accounts."""
        found = (diagnostic for plan in self.plans for diagnostic in plan.diagnostics)
        return [diagnostic for diagnostic in found if diagnostic.severity is Severity.ERROR]

    @property
    def has_work(self) -> bool:
        """Whether an apply would change anything."""
        return any(plan.changes for plan in self.plans if plan.applyable)


def _withhold(plan: AccountPlan) -> AccountPlan:
    why = Diagnostic(
        "not-reviewed",
        Severity.ERROR,
        "it could not be read or planned when this plan was made, so its changes were not reviewed",
        hint="plan again, have it reviewed, and apply that one",
        account=plan.account,
    )
    kept = (diagnostic for diagnostic in plan.diagnostics if diagnostic.severity is not Severity.GUARD)
    return replace(plan, diagnostics=(*kept, why))


@dataclass(frozen=True, slots=True)
class Event:
    """A change has ended.

    Attributes:
        address: the object.
        action: `add`, `update` or `delete`.
        status: `applied`, `failed`, `skipped`, `conflict`, `unknown` or `declined`.
        detail: why, where it was not applied.
    """

    address: Address
    action: str
    status: str
    detail: str

    def __str__(self) -> str:
        return f"{self.address}: {self.action} {self.status}" + (f" ({self.detail})" if self.detail else "")


class Reporter(Observer):
    """Calls a function for each change that ends; where it raises an exception, the run goes on.

    Attributes:
        failure: the first exception that the function has raised.
        interrupted: set once it has raised what is to end the run, as `SystemExit` is; it is not called again then.
    """

    def __init__(self, report: Callable[[Event], object]) -> None:
        self.failure: BaseException | None = None
        self.interrupted = asyncio.Event()
        self._report = report

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Hear that a change has ended."""
        if self.interrupted.is_set():
            return
        try:
            self._report(Event(change.address, change.action.value, outcome.status.value, outcome.detail or ""))
        except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001  a run is not ended halfway by a function
            self.failure = self.failure or failure
        except BaseException as failure:  # noqa: BLE001  whoever has begun the run raises it once that has ended
            self.failure = failure
            self.interrupted.set()


@dataclass(frozen=True)
class Result(Document):
    """What an apply has done.

    Attributes:
        report: the document.
        receipt: where the receipt is; None where nothing was begun.
        applied: each account's result; empty where nothing was begun.
        interrupted: whether it was stopped before its end.
        notes: diagnostics that the report does not hold: why the receipt, or the lock file, could not be written, which
            accounts were not begun.
        wrote: whether a write was answered, also one of a change that failed after it.
    """

    report: doc.Report
    receipt: Path | None = None
    applied: tuple[Applied, ...] = ()
    interrupted: bool = False
    notes: tuple[Diagnostic, ...] = ()
    wrote: bool = False

    @property
    def diagnostics(self) -> tuple[doc.Diagnostic, ...]:
        """The notes, then errors, refusals and warnings of all accounts."""
        return (*map(diagnostic_row, self.notes), *super().diagnostics)

    @property
    def converged(self) -> bool:
        """Whether everything was done in every account, noted down, and nothing is left to do."""
        errors = any(diagnostic.severity == Severity.ERROR.value for diagnostic in self.report.all_diagnostics())
        return not (self.interrupted or self.notes or errors) and all(result.settled for result in self.applied)

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or may have been, since an answer is missing."""
        ends = {outcome.status for result in self.applied for outcome in result.outcomes.values()}
        return self.wrote or not ends.isdisjoint((Status.APPLIED, Status.UNKNOWN))

    @property
    def diverged(self) -> bool:
        """Whether an account has an error that its plan did not have: somebody else changed it meanwhile."""
        begun = [result.remaining for result in self.applied if result.outcomes and result.remaining]
        return any(worst(remaining.diagnostics) is Severity.ERROR for remaining in begun)


class StalePlan(LeadstateError):
    """The accounts or the configuration have changed since a plan was made, so it was not applied.

    Attributes:
        differences: what differs, a line each.
        plan: the plan of now.
    """

    code = "stale-plan"

    def __init__(self, lines: Sequence[str], plan: "Plan") -> None:
        super().__init__(
            "the accounts or the configuration have changed since this plan was made: " + "; ".join(lines),
            hint="plan again, have it reviewed, and apply that one",
        )
        self.differences = tuple(lines)
        self.plan = plan


class Refused(LeadstateError):
    """A guard refuses a plan, so nothing was applied in any account.

    Attributes:
        plan: the plan; its diagnostics say why.
    """

    code = "refused"

    def __init__(self, plan: "Plan") -> None:
        grave = [d for d in plan.diagnostics if d.severity == Severity.GUARD.value]
        super().__init__(
            "the plan is refused: " + "; ".join(f"{d.severity}[{d.code}] {d.summary}" for d in grave[:3]),
            hint=next((d.hint for d in grave if d.hint), ""),
        )
        self.plan = plan
