"""Bring accounts up to date from Python, as a scheduler's task would."""

import logging
import sys

import leadstate
from leadstate import errors

log = logging.getLogger("sync")


def sync(path: str) -> bool:
    """Plan and apply; return whether every account is as declared afterwards."""
    try:
        plan = leadstate.plan(leadstate.load(path))
        log.info("%s to add, %s to update, %s to delete", plan.summary.add, plan.summary.update, plan.summary.delete)
        result = leadstate.apply(plan, on_event=log.info)
    except errors.ConfigurationError as failure:
        for diagnostic in failure.diagnostics:
            log.error("%s: %s", diagnostic.span, diagnostic.summary)
        return False
    except errors.LeadstateError as failure:  # a guard refuses, the plan is stale, another run holds an account
        log.error("%s (%s)", failure, failure.hint)
        return False
    for problem in result.problems:
        log.error(problem)
    return result.converged


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    sys.exit(not sync(sys.argv[1] if len(sys.argv) > 1 else "leadstate.yaml"))
