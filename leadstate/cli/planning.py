"""Makes the plan that `plan` shows and `apply` carries out, so that both are one and the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import click

from leadstate.cli.baseline import Baseline
from leadstate.cli.configuration import load_configuration
from leadstate.cli.exits import Exit
from leadstate.cli.progress import progress
from leadstate.cli.session import Session, runtime
from leadstate.config import Configuration
from leadstate.engine.attribution import plan_and_compare
from leadstate.engine.run import Settings, plan_all
from leadstate.kinds import KIND_NAMES
from leadstate.model.address import Target
from leadstate.model.diagnostics import Severity, worst
from leadstate.model.plan import AccountPlan
from leadstate.model.policy import Impact
from leadstate.model.rollout import Shard
from leadstate.report.build import Base, Part, build
from leadstate.report.document import Report


class Scope(TypedDict):
    """What a run is limited to."""

    accounts: tuple[str, ...]
    targets: tuple[str, ...]
    shard: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose to plan; the fields are the parameters of `options.planning` and `options.configuration`."""

    paths: tuple[Path, ...]
    accounts: tuple[str, ...]
    allow: tuple[str, ...]
    max_tokens: int | None
    reserve: int | None
    targets: tuple[str, ...] = ()
    impact: str = Impact.LIVE
    shard: str | None = None
    stats: bool = False

    def settings(self) -> Settings:
        """The engine's form of it; a usage error where a target is none."""
        try:
            targets = tuple(Target.parse(text, KIND_NAMES) for text in self.targets)
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--target") from None
        today = runtime().now().date()
        allow = frozenset(self.allow)
        return Settings(targets, Impact(self.impact), allow, self.max_tokens, self.reserve, today=today)

    def scope(self) -> Scope:
        """What the run is limited to, as a report tells it."""
        return {"accounts": self.accounts, "targets": self.targets, "shard": self.shard}

    def configuration(self) -> Configuration:
        """The files that it is about, with the accounts that were chosen."""
        try:
            shard = Shard.parse(self.shard) if self.shard else None
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--shard") from None
        configuration = load_configuration(self.paths, self.accounts)
        if shard is None:
            return configuration
        return replace(
            configuration,
            accounts=tuple(account for account in configuration.accounts if shard.holds(account.account.name)),
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of a session.

    Attributes:
        plans: those of unusable accounts included.
        read: account → requests and tokens that reading it has cost.
        besides: requests and tokens of that which only the comparison with a base has taken.
    """

    plans: tuple[AccountPlan, ...]
    read: dict[str, tuple[int, int]]
    besides: tuple[int, int] = (0, 0)

    @property
    def severity(self) -> Severity | None:
        """The gravest diagnostic."""
        return worst(diagnostic for plan in self.plans for diagnostic in plan.diagnostics)


async def make_plans(session: Session, settings: Settings, baseline: Baseline | None = None) -> Planned:
    """Plan every account of the session; with a base, each change says where it comes from."""
    with progress("Reading", "accounts", len(session.work), session.work) as shown:
        if baseline is None or baseline.accounts is None:
            plans = await plan_all(session.work, settings, shown.account)
            return Planned((*plans, *session.unusable), reading_cost(session))
        compared = await plan_and_compare(session.work, baseline.accounts, settings, shown.account)
    besides = [one.besides for one in compared]
    return Planned(
        (*(one.plan for one in compared), *session.unusable),
        reading_cost(session),
        (sum(beside.requests for beside in besides), sum(beside.tokens for beside in besides)),
    )


def reading_cost(session: Session) -> dict[str, tuple[int, int]]:
    """Account → requests and tokens that reading it has taken so far."""
    spent = {job.account.name: job.connection.spent for job in session.work}
    return {name: (one.requests, one.tokens) for name, one in spent.items()}


def plan_report(
    planned: Planned,
    session: Session,
    choices: Choices,
    configuration: Configuration,
    baseline: Baseline | None = None,
) -> Report:
    """The document of a plan."""
    diagnostics = (*configuration.diagnostics, *(baseline.diagnostics if baseline else ()))
    base = None if baseline is None else Base(baseline.revision, baseline.commit, planned.besides)
    parts = [Part(plan, session.hosts[plan.account], planned.read.get(plan.account, (0, 0))) for plan in planned.plans]
    return build("plan", parts, **choices.scope(), diagnostics=diagnostics, base=base)


def exit_of(severity: Severity | None) -> Exit:
    """The exit code of a plan's gravest diagnostic."""
    return (
        {Severity.ERROR: Exit.ERROR, Severity.GUARD: Exit.REFUSED}.get(severity, Exit.FINE) if severity else Exit.FINE
    )


def check_targets(targets: Sequence[Target], plans: Sequence[AccountPlan], configuration: Configuration) -> None:
    """A target that names nothing declared and nothing live is a mistake, not an empty plan."""
    known = {item.address for account in configuration.accounts for item in account.account.desired}
    known |= {change.address for plan in plans for change in plan.changes}
    for target in targets:
        if not any(target.selects(address) for address in known) and all(plan.complete for plan in plans):
            raise click.BadParameter(f"nothing is declared or planned at {target}", param_hint="--target")
