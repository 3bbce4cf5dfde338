"""The steps of action.yml, and the jobs of gitlab.yml, around an installed leadstate: `prepare`, `run` and `publish`.

Started as `python -I action STEP` with the variables that GitHub sets. Only `prepare` and `publish` are given the token
of the workflow; they ask GitHub and run no leadstate. `run` starts leadstate without it. The steps share one folder.
"""

import os
import sys
from collections.abc import Callable

import gh
import gitlab
import prepare
import publish
import run
from files import Unreadable
from inputs import Unusable
from reviewed import NoPlan
from workflow import annotate, write_summary

FAILED = 1
REFUSED = 3
USAGE = 64

STEPS: dict[str, Callable[[], int]] = {"prepare": prepare.main, "run": run.main, "publish": publish.main}


def main(step: str) -> int:
    """Run a step, and return its exit code. What stops it is an annotation and a line of the summary."""
    try:
        return STEPS[step]()
    except (Unusable, NoPlan, gh.Failed, Unreadable) as failure:
        annotate("error", str(failure))
        write_summary(f"**leadstate did not run.** {failure}")
        return USAGE if isinstance(failure, Unusable) else REFUSED if isinstance(failure, NoPlan) else FAILED


if __name__ == "__main__":
    # Nothing that these steps write is for other users of the machine.
    os.umask(0o077)
    match sys.argv[1:]:
        case ["gitlab", job]:
            sys.exit(gitlab.main(job))
        case [step]:
            sys.exit(main(step))
