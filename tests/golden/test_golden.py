"""Numbered cases: a configuration and a live state in; every output and every request out, byte for byte.

A case is a folder in `cases/`: `leadstate.yaml` and `live.json` (a sandbox seed) are given, and optionally `options`
(words for plan and apply) and `explain` (addresses, one a line). The rest is what came out: the plan in every format,
`apply.txt`, `explain.txt`, `requests.txt`, and `after.json`, the state at the end. After an apply that succeeded, a
plan must find nothing. A page is large: only the cases that have a `plan.html` keep one.

    pytest tests/golden --update-golden     writes what comes out; read the diff before you commit it
"""

import json
import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx
import pytest

from leadstate.api.session import Runtime
from leadstate.report import FORMATS
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import invoke

FILES = {
    "text": "plan.txt",
    "json": "plan.json",
    "markdown": "plan.md",
    "github": "plan.github.txt",
    "junit": "plan.junit.xml",
    "terraform-json": "plan.terraform.json",
}
"""Format → file, where it is not `plan.FORMAT`."""

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


@dataclass
class Recorder(httpx.AsyncBaseTransport):
    """Passes requests to the sandbox in this process and writes each one down."""

    sandbox: Sandbox
    lines: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = f" {request.content.decode()}" if request.content else ""
        self.lines.append(f"{request.method} {request.url.raw_path.decode()}{body}")
        return await httpx.ASGITransport(self.sandbox.app).handle_async_request(request)


def now() -> datetime:
    """Return the time in every case; some tell how many days something is away."""
    return datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Run:
    """Runs commands against one sandbox, as a user would, without a process or a port."""

    recorder: Recorder
    receipts: Path

    def __call__(self, *words: str) -> tuple[int, str]:
        runtime = Runtime(environ={"TOKEN": "sandbox-token"}, transport=self.recorder, now=now, receipts=self.receipts)
        code, out, _ = invoke(runtime, *words)
        return code, out


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_outputs_and_requests_of_a_case(
    case: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    monkeypatch.chdir(case)
    monkeypatch.setattr("leadstate.report.build.__version__", "0.1.0")  # so that a release changes no case
    numbers = count(1)
    sandbox = Sandbox(
        json.loads(Path("live.json").read_text()),
        burst=100_000,
        daily=None,
        clock=now,
        new_id=lambda _kind: f"00000000-0000-4000-8000-{next(numbers):012d}",
    )
    run = Run(Recorder(sandbox), tmp_path)
    chosen = shlex.split(Path("options").read_text()) if Path("options").exists() else []

    plan_code, plan_text = run("plan", *chosen)
    reading = len(run.recorder.lines)
    stored = tmp_path / "plan.json"
    _, plan_json = run("plan", "--format", "json", "--out", str(stored), *chosen)
    assert run.recorder.lines[:reading] == run.recorder.lines[reading:], "two plans read differently"
    del run.recorder.lines[reading:]
    assert all(line.startswith("GET ") for line in run.recorder.lines), "a plan wrote"

    explained = _explained(run)

    planned = len(run.recorder.lines)
    apply_code, apply_text = run("apply", "--auto-approve", *chosen)
    requests = [*run.recorder.lines[:planned], "", *run.recorder.lines[planned:]]
    after = sandbox.dump()
    again_code, again = run("plan", "--detailed-exitcode", *chosen)
    if apply_code == 0:
        assert again_code == 0, again

    assert stored.read_text(encoding="utf-8") == plan_json
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path)  # outside of any repository, files are named as they were given
        views = {FILES.get(form, f"plan.{form}"): run("show", "plan.json", "--format", form)[1] for form in FORMATS}
    assert views["plan.txt"] == plan_text
    if not Path("plan.html").exists():
        del views["plan.html"]

    # The digest changes with every other line; it has its own tests.
    views["plan.json"] = re.sub(r'(?<="digest": ")[^"]+', "sha256:…", views["plan.json"])
    found = {
        **views,
        "plan.txt": f"{plan_text}\nexit {plan_code}\n",
        "apply.txt": f"{apply_text}\nexit {apply_code}\n",
        "requests.txt": "\n".join(requests) + "\n",
        "after.json": json.dumps(after, indent=1, ensure_ascii=False) + "\n",
        **explained,
    }
    if request.config.getoption("--update-golden"):
        for name, text in found.items():
            Path(name).write_text(text, encoding="utf-8")
    for name, text in found.items():
        assert text == Path(name).read_text(encoding="utf-8"), name


def _explained(run: Run) -> dict[str, str]:
    """Return what `explain` says to each address of the case; the requests are left out of the record."""
    path, read = Path("explain"), len(run.recorder.lines)
    if not path.exists():
        return {}
    said = [run("explain", address) for address in path.read_text(encoding="utf-8").splitlines()]
    assert all(line.startswith("GET ") for line in run.recorder.lines[read:]), "an explanation wrote"
    del run.recorder.lines[read:]
    return {"explain.txt": "\n".join(f"{text}\nexit {code}\n" for code, text in said)}


def test_every_case_folder_is_complete() -> None:
    assert CASES
    for case in CASES:
        assert {"leadstate.yaml", "live.json"} <= {path.name for path in case.iterdir()}, case.name
