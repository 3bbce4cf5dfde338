"""What one step of the action leaves for the next, in a folder that only this run knows."""

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self

from inputs import Inputs

RECEIPTS = PurePosixPath(".leadstate", "receipts")


@dataclass(frozen=True, slots=True)
class State:
    """The state of a run.

    Attributes:
        folder: where this run keeps its files.
        inputs: the inputs of the action.
        plan: the reviewed plan to apply.
        lock: the committed lock file as a path below the workspace; None where there is none to bring back.
        lock_in_repository: the same, below the root of its repository.
        receipts: the names in the folder of receipts before leadstate ran.
        command: what leadstate ran; empty until then.
        note: why that is not the command of the inputs.
        code: exit code of leadstate; None until it has ended.
        verdict: what the policies say of the plan, as Markdown.
    """

    folder: Path
    inputs: Inputs
    plan: Path | None = None
    lock: str | None = None
    lock_in_repository: str | None = None
    receipts: tuple[str, ...] = ()
    command: str = ""
    note: str = ""
    code: int | None = None
    verdict: str = ""

    @classmethod
    def begin(cls, inputs: Inputs) -> Self:
        """Return the state of a new run, its folder empty."""
        folder = Path(os.environ["RUNNER_TEMP"], f"leadstate-{inputs.name}-{inputs.command}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return cls(folder, inputs)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the state that an earlier step has written."""
        stored: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in stored["inputs"].items()
        }
        return cls(
            **{
                **stored,
                "folder": folder,
                "inputs": Inputs(**given),
                "plan": Path(stored["plan"]) if stored["plan"] else None,
                "receipts": tuple(stored["receipts"]),
            }
        )

    def write(self, **changed: Any) -> Self:
        """Keep the state, with what has changed, and return it."""
        state = replace(self, **changed)
        (self.folder / "state.json").write_text(json.dumps(asdict(state), default=str), encoding="utf-8")
        return state

    @property
    def report(self) -> Path:
        """Return the file of the report."""
        return self.folder / f"{self.command}.json"

    @property
    def markdown(self) -> Path:
        """Return the file of the report as people read it on GitHub."""
        return self.folder / "report.md"

    @property
    def errors(self) -> Path:
        """Return the file of what leadstate wrote to stderr."""
        return self.folder / "stderr.txt"

    @property
    def lock_before(self) -> Path:
        """Return the file of the lock file as it was before the run."""
        return self.folder / "lock-before.json"
