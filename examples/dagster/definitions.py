"""A partition for each account: planned and applied by itself, and tried again by itself if it fails."""

from collections.abc import Iterator
from pathlib import Path

import dagster

import leadstate
from leadstate import errors

CONFIGURATION = Path("leadstate.yaml")
PLANS = Path("plans")

names = [declared.account.name for declared in leadstate.load(CONFIGURATION).accounts]
accounts = dagster.StaticPartitionsDefinition(names)
again = dagster.RetryPolicy(max_retries=2)


def plan_account(name: str) -> leadstate.Plan:
    """Plan one account; raise if it cannot be read."""
    plan = leadstate.plan(leadstate.load(CONFIGURATION), accounts=[name])
    if not plan.report.complete:
        raise RuntimeError("; ".join(plan.problems))
    return plan


@dagster.asset(partitions_def=accounts, retry_policy=again)
def account_plan(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult:
    """Store the plan of one account; `leadstate show plans/*-plan.json` makes one of all."""
    plan = plan_account(context.partition_key)
    PLANS.mkdir(exist_ok=True)
    file = PLANS / f"{context.partition_key}-plan.json"
    file.touch(mode=0o600)  # it holds titles of leads
    file.write_text(plan.to_json(), encoding="utf-8")
    return dagster.MaterializeResult(metadata={"add": plan.summary.add, "update": plan.summary.update})


@dagster.asset(partitions_def=accounts, retry_policy=again)
def account_labels(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult:
    """Plan and apply one account. After a run that was killed, the next one does what is left."""
    try:
        result = leadstate.apply(
            plan_account(context.partition_key), on_event=lambda event: context.log.info(str(event))
        )
    except errors.Refused as failure:
        raise dagster.Failure(str(failure), allow_retries=False) from failure
    if not result.converged:
        raise RuntimeError("; ".join(result.problems))
    return dagster.MaterializeResult(metadata={"changed": result.changed})


plan_accounts = dagster.define_asset_job("plan_accounts", [account_plan])
apply_accounts = dagster.define_asset_job("apply_accounts", [account_labels])


@dagster.schedule(job=apply_accounts, cron_schedule="17 5 * * *")
def every_morning() -> Iterator[dagster.RunRequest]:
    """Ask for a run of each account."""
    for name in names:
        yield dagster.RunRequest(partition_key=name)


definitions = dagster.Definitions(
    assets=[account_plan, account_labels],
    jobs=[plan_accounts, apply_accounts],
    schedules=[every_morning],
)
