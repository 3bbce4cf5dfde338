"""The command line in this process against a sandbox in this process; a run can be killed at any request."""

import json
import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from leadstate.api.session import Runtime
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import invoke
from tests.harness.connections import FakeTime
from tests.harness.disturbed_company import TOKEN, Body, Step, Wire, as_it_is, nobody

Moment = Literal["before", "after"]


class KilledError(BaseException):
    """The run was killed. No code catches it; what it leaves behind is restored from a copy made at that moment."""


class InternalError(AssertionError):
    """The command line would have said `error[internal]`."""


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@dataclass(frozen=True)
class Kill:
    """Kill a run at its write request of this number, counted from 1, before it is done or before it is answered."""

    write: int
    moment: Moment


@dataclass(frozen=True)
class Ended:
    """What one command did; `code` is None where it was killed."""

    code: int | None
    out: str
    err: str
    steps: Sequence[Step] = field(repr=False)

    @property
    def writes(self) -> list[Step]:
        """Its writing requests."""
        return [step for step in self.steps if step.writes]

    @property
    def said(self) -> str:
        """All that it printed."""
        return self.out + self.err


@dataclass
class Folder:
    """A folder with a configuration, in which commands are run."""

    path: Path

    @property
    def receipts(self) -> list[Path]:
        """Its receipts, oldest first."""
        return sorted((self.path / "receipts").glob("*.json"))

    @property
    def lock(self) -> Path:
        """Its lock file, which may not exist."""
        return self.path / "leadstate.lock.json"

    @property
    def lengths(self) -> Path:
        """The cache of the lengths of listings, which may not exist."""
        return self.path / "cache" / "pages.json"

    def configure(self, document: Body) -> None:
        """Write the configuration; JSON is YAML."""
        (self.path / "leadstate.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")

    def run(self, sandbox: Sandbox, *words: str, kill: Kill | None = None) -> Ended:
        """Run a command; options that name a file take it relative to the folder where it is written `./FILE`."""
        victim = _Victim(self.path, kill)
        wire = Wire(sandbox, victim.before, victim.after)
        runtime = Runtime(
            environ={"TOKEN": TOKEN},
            transport=wire,
            pace=FakeTime().pace(),
            receipts=self.path / "receipts",
            cache=self.path / "cache",
            state=self.path / "state",
        )
        chosen = [str(self.path / word[2:]) if word.startswith("./") else word for word in words]
        if words[0] not in ("show", "schema"):
            chosen += ["-c", str(self.path / "leadstate.yaml")]
        code: int | None
        try:
            code, out, err = invoke(runtime, *chosen)
        except Exception as failure:
            raise InternalError(f"error[internal] {type(failure).__name__}: {failure}") from failure
        except BaseException as ended:
            if not _is_kill(ended):
                raise
            code, out, err = None, "", ""
        if victim.copy is not None:
            code = None
            shutil.rmtree(self.path)
            victim.copy.rename(self.path)
        return Ended(code, out, err, wire.steps)


@dataclass
class _Victim:
    """Copies a folder at the moment of the kill, and lets no request through afterwards."""

    folder: Path
    kill: Kill | None
    writes: int = 0
    copy: Path | None = None

    def before(self, number: int, request: httpx.Request) -> Sequence[Any]:
        if self.copy is not None:
            raise KilledError
        if request.method != "GET":
            self.writes += 1
            self._strike("before")
        return nobody(number, request)

    def after(self, number: int, request: httpx.Request, reply: httpx.Response) -> httpx.Response:
        if request.method != "GET":
            self._strike("after")
        return as_it_is(number, request, reply)

    def _strike(self, moment: Moment) -> None:
        if self.kill == Kill(self.writes, moment):
            self.copy = Path(tempfile.mkdtemp(dir=self.folder.parent)) / self.folder.name
            shutil.copytree(self.folder, self.copy)
            raise KilledError


def _is_kill(raised: BaseException) -> bool:
    if isinstance(raised, BaseExceptionGroup):
        return all(map(_is_kill, raised.exceptions))
    # asyncio turns what ends its loop into others: the first one tells.
    return isinstance(raised, KilledError) or isinstance(raised.__context__, KilledError)


@contextmanager
def folder() -> Iterator[Folder]:
    """Yield a new empty folder, and delete it in the end."""
    with tempfile.TemporaryDirectory() as path:
        made = Path(path) / "here"
        made.mkdir()
        yield Folder(made)
