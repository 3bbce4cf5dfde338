"""Runs workflows as GitHub would, as far as the kit needs it: `run` steps in a clean shell, a fake `gh`, a fake pip.

Actions of others do nothing, but that `upload-artifact` and `cache` keep what they are given, and `setup-python` tells
a path.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
REPOSITORY = "acme/crm"
HEAD, MERGED = "b" * 40, "c" * 40
"""The head of the pull request that is planned, and the commit of its merge."""
EXAMPLE_URL = "http://127.0.0.1:8765"
"""The address of the sandbox in examples."""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_TOKEN = re.compile(r"'[^']*'|&&|\|\||!=|==|!|[A-Za-z_][\w.-]*\(\)|[A-Za-z_][\w.-]*")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "always()": "True"}

PYTHON = """\
case "$1 $2 $3" in
  "-I -m venv") mkdir -p "$4/bin" && cp "$(dirname "$0")/python" "$4/bin/" ;;
  "-I -m pip") echo "$@" >> "$PIP_LOG" ;;
  *) exec {python} "$@" ;;
esac
"""


def pull(repository: str = REPOSITORY, user: str = "ann") -> dict[str, Any]:
    """Return a pull request, as GitHub's JSON has it."""
    return {"number": 7, "head": {"sha": HEAD, "repo": {"full_name": repository}}, "user": {"login": user}}


def read(path: Path) -> Any:
    """Return a YAML file, with `on` as the word that it is (YAML 1.2)."""
    return YAML(typ="safe", pure=True).load(path)


@dataclass
class Done:
    """What a job came to."""

    code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """A runner with one workspace.

    Attributes:
        home: where it keeps everything.
        secrets: what `secrets.NAME` is.
        event: the event, as GitHub's JSON has it; `event_name` is its name.
        env: variables of every step, as a workflow's own `env:`.
        actor: who caused the run.
        run_id: number of the run; `attempt` is that of its attempt.
        ref: the branch, or the ref of a pull request.
        pushed: when the push was; artifacts are made each a second later than the one before, from 09:00:00 on.
    """

    home: Path
    secrets: Mapping[str, str]
    event_name: str = "push"
    event: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    sha: str = "a" * 40
    actor: str = "ann"
    run_id: int = 77
    attempt: int = 1
    ref: str = "main"
    pushed: str | int = "2026-11-24T09:00:00Z"

    def __post_init__(self) -> None:
        for name in ("workspace", "bin", "home", "temp", "artifacts", "caches"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self.program("python", PYTHON.format(python=sys.executable))
        self.program("pip", 'exec python -I -m pip "$@"')
        self.program("leadstate", f'exec {sys.executable} -I -m leadstate "$@"')
        self.program("gh", f'exec {sys.executable} -I {Path(__file__).with_name("fake_gh.py")} "$@"')

    def program(self, name: str, script: str) -> None:
        """Put a shell script on PATH."""
        file = self.home / "bin" / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def provide_token(self, script: str) -> None:
        """Let a program give the token, which does something else before that."""
        self.program("provide", f"{script}\necho sandbox-token")
        self.env = {**self.env, "LEADSTATE_ALLOW_TOKEN_SOURCES": "command:provide"}

    @property
    def configuration(self) -> Path:
        """Return the configuration in the workspace."""
        return self.workspace / "leadstate.yaml"

    def copy_example(self, name: str, url: str) -> None:
        """Check the configuration of an example out, for an account at this address."""
        text = (ROOT / "examples" / name / "leadstate.yaml").read_text(encoding="utf-8")
        self.configuration.write_text(text.replace(EXAMPLE_URL, url), encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Replace the first such text of the configuration."""
        text = self.configuration.read_text(encoding="utf-8")
        assert old in text
        self.configuration.write_text(text.replace(old, new, 1), encoding="utf-8")

    def opened(self, repository: str = REPOSITORY, user: str = "ann") -> None:
        """Let the next run be that of a pull request."""
        self.event_name, self.event, self.run_id = "pull_request", {"pull_request": pull(repository, user)}, 77

    def merged(self, repository: str = REPOSITORY) -> None:
        """Let the fake GitHub know the merged pull request, and the next run be that of the merge."""
        merge = {**pull(repository), "merged_at": "2026-11-24T09:05:00Z", "merge_commit_sha": MERGED}
        self.teach(merged={MERGED: [merge]})
        self.pushed_merge()

    def pushed_merge(self) -> None:
        """Let the next run be that of a merge."""
        self.event_name, self.event, self.sha, self.run_id = "push", {}, MERGED, 78

    @property
    def workspace(self) -> Path:
        """Return the folder of the checkout."""
        return self.home / "workspace"

    @property
    def hub(self) -> dict[str, Any]:
        """What the fake GitHub knows; see fake_gh.py."""
        path = self.home / "hub.json"
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return known

    def teach(self, **known: Any) -> None:
        """Let the fake GitHub know more."""
        (self.home / "hub.json").write_text(json.dumps({**self.hub, **known}))

    def job(self, workflow: Path) -> Done:
        """Run the jobs of a workflow that its event is for."""
        done = Done()
        for job in read(workflow)["jobs"].values():
            matrix = job.get("strategy", {}).get("matrix", {"": [""]})
            ((name, values),) = matrix.items()
            for value in values:
                context: dict[str, Any] = {"secrets": dict(self.secrets), "github": self._github()}
                context |= {"matrix": {name: value}, "strategy": {"job-total": len(values)}}
                if self._value(_EXPRESSION.sub(r"\1", str(job.get("if", "always()"))), context):
                    self._steps(job["steps"], {**job.get("env", {})}, context, done)
        return done

    def run(self, text: str, env: Mapping[str, str]) -> Done:
        """Run one script."""
        done = Done()
        self._shell(text, env, done)
        return done

    def action(self, env: Mapping[str, str], /, **inputs: str) -> Done:
        """Run action.yml alone."""
        done = Done()
        self._composite(inputs, env, done)
        return done

    def _github(self) -> dict[str, Any]:
        about = {"event_name": self.event_name, "token": "workflow-token", "ref": f"refs/heads/{self.ref}"}
        return {**about, "run_id": str(self.run_id), "run_attempt": str(self.attempt), "event": self.event}

    def _composite(self, given: Mapping[str, str], env: Mapping[str, str], done: Done) -> None:
        action = read(ROOT / "action.yml")
        assert not set(given) - set(action["inputs"])
        inputs = {name: str(given.get(name, parameter["default"])) for name, parameter in action["inputs"].items()}
        context: dict[str, Any] = {"inputs": inputs}
        self._steps(action["runs"]["steps"], env, context, done)
        done.outputs = {name: self._fill(output["value"], context) for name, output in action["outputs"].items()}

    def _steps(self, steps: list[dict[str, Any]], env: Mapping[str, str], context: dict[str, Any], done: Done) -> None:
        context |= {"github": self._github(), "runner": {"temp": str(self.home / "temp")}}
        context["steps"] = {step["id"]: {"outcome": "skipped", "outputs": {}} for step in steps if "id" in step}
        for step in steps:
            wanted = str(step.get("if", "success"))
            runs = bool(self._value(_EXPRESSION.sub(r"\1", wanted), context)) if wanted != "success" else True
            if not runs or (done.code and "always()" not in wanted):
                continue
            own = {**env, **{key: self._fill(value, context) for key, value in step.get("env", {}).items()}}
            told = {key: self._fill(value, context) for key, value in step.get("with", {}).items()}
            outputs: dict[str, str] = {}
            if "run" in step:
                assert "${{" not in step["run"], "an input goes through env"
                folder = self._fill(step.get("working-directory", self.workspace), context)
                outputs = self._shell(step["run"], own, done, Path(folder))
            elif "/leadstate@" in step["uses"]:
                self._composite(told, own, done)
            elif "/setup-python@" in step["uses"]:
                outputs = {"python-path": str(self.home / "bin" / "python")}
            elif "/upload-artifact@" in step["uses"]:
                self._upload(told)
            elif "/download-artifact@" in step["uses"]:
                for artifact in self._of_this_run(told["pattern"]):
                    shutil.copytree(artifact, self.workspace / artifact.name)
            elif "/cache/" in step["uses"]:
                self._cache(told, save="/save@" in step["uses"])
            context["steps"][step.get("id", "")] = {"outputs": outputs, "outcome": "ran"}

    def _upload(self, told: Mapping[str, str]) -> None:
        """Keep the named files, and let the fake GitHub know the artifact."""
        artifact = self.home / "artifacts" / told["name"]
        shutil.rmtree(artifact, ignore_errors=True)
        artifact.mkdir()
        for line in told["path"].splitlines():
            file = Path(line)
            assert file.is_file(), "a folder may hold what this run did not write"
            assert file.resolve() == file, "a link may lead anywhere"
            shutil.copy(file, artifact)
        stored = self.hub.get("artifacts", [])
        packed = shutil.make_archive(str(self.home / "artifacts" / f"{len(stored)}"), "zip", artifact)
        pull = self.event.get("pull_request")
        foreign = pull is not None and pull["head"]["repo"]["full_name"] != REPOSITORY
        made_by = {"id": self.run_id, "head_sha": pull["head"]["sha"] if pull else self.sha, "repository_id": 1}
        made_by["head_branch"] = "their-branch" if pull else self.ref
        stored.append(
            {
                "id": len(stored),
                "name": told["name"],
                "expired": False,
                "created_at": f"2026-11-24T09:00:{len(stored):02}Z",
                "workflow_run": {**made_by, "head_repository_id": 2 if foreign else 1},
            }
        )
        self.teach(
            artifacts=stored,
            zips={**self.hub.get("zips", {}), str(len(stored) - 1): packed},
            events={**self.hub.get("events", {}), str(self.run_id): self.event_name},
        )

    def _of_this_run(self, pattern: str) -> list[Path]:
        """Return the folders of the artifacts of this run."""
        stored = [found for found in self.hub["artifacts"] if found["workflow_run"]["id"] == self.run_id]
        names = [found["name"] for found in stored if fnmatchcase(found["name"], pattern)]
        return [self.home / "artifacts" / name for name in names]

    def _cache(self, told: Mapping[str, str], *, save: bool) -> None:
        file, kept = Path(told["path"]), self.home / "caches"
        if save:
            assert not (kept / told["key"]).exists(), "a cache is never written over"
            shutil.copy(file, kept / told["key"])
        elif found := sorted(kept.glob(f"{told['restore-keys']}*")):
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found[-1], file)

    def _shell(self, text: str, env: Mapping[str, str], done: Done, folder: Path | None = None) -> dict[str, str]:
        output, summary, event = (self.home / name for name in ("output", "summary", "event.json"))
        output.write_text("")
        event.write_text(json.dumps({"repository": {"pushed_at": self.pushed}, **self.event}))
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=folder or self.workspace,
            env={
                "PATH": f"{self.home / 'bin'}:/usr/bin:/bin",
                "HOME": str(self.home / "home"),
                "LANG": "C.UTF-8",
                "CI": "true",
                "RUNNER_TEMP": str(self.home / "temp"),
                "PIP_LOG": str(self.home / "pip.log"),
                "FAKE_GH": str(self.home / "hub.json"),
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_ACTOR": self.actor,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_EVENT_NAME": self.event_name,
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_REF_NAME": "7/merge" if "pull_request" in self.event else self.ref,
                "GITHUB_REF_TYPE": "branch",
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_RUN_ATTEMPT": str(self.attempt),
                "GITHUB_SHA": self.sha,
                "GITHUB_SERVER_URL": "https://github.test",
                "GITHUB_RUN_ID": str(self.run_id),
                "GITHUB_WORKSPACE": str(self.workspace),
                **self.env,
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        done.code = done.code or ran.returncode
        done.log += ran.stdout + ran.stderr
        done.summary = summary.read_text() if summary.exists() else ""
        told = re.findall(r"^([\w-]+)<<(\w+)\n(.*?)\n\2$", output.read_text(), re.MULTILINE | re.DOTALL)
        return {name: value for name, _, value in told}

    def _fill(self, text: Any, context: Mapping[str, Any]) -> str:
        return _EXPRESSION.sub(lambda found: str(self._value(found[1], context)), str(text))

    def _value(self, expression: str, context: Mapping[str, Any]) -> Any:
        def word(found: re.Match[str]) -> str:
            return found[0] if found[0].startswith("'") else _WORDS.get(found[0], f"look({found[0]!r})")

        def look(name: str) -> Any:
            if name == "format":
                return str.format
            value: Any = context
            for part in name.split("."):
                value = value.get(part, "")
            return value

        return eval(_TOKEN.sub(word, expression).strip(), {"look": look})  # noqa: S307  expressions of our own files
