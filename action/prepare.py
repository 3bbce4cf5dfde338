"""The first step: the inputs, the plan that was reviewed, the newest lock file. It has the token of the workflow."""

import os

import lockfile
import reviewed
from inputs import Inputs
from state import State
from workflow import Workflow, write_output


def main() -> int:
    """Read the inputs, and fetch what an apply needs of GitHub."""
    workflow = Workflow.read(os.environ)
    inputs = Inputs.read(os.environ)
    state = State.begin(inputs)
    write_output("folder", str(state.folder))
    plan = reviewed.fetch(inputs, workflow, state.folder)
    lockfile.fetch(state.write(plan=plan), workflow)
    return 0
