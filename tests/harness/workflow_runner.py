"""Runs workflows as GitHub would, as far as the kit needs it: `run` steps in a clean shell, a fake `gh`, a fake pip.

Actions of others do nothing, but that `upload-artifact` keeps what it is given, and `setup-python` tells a path.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_TOKEN = re.compile(r"'[^']*'|&&|\|\||!=|==|!|[A-Za-z_][\w.-]*\(\)|[A-Za-z_][\w.-]*")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "always()": "True"}

PYTHON = """#!/bin/sh
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && cp "$(dirname "$0")/python" "$(dirname "$0")/leadstate" "$3/bin/" ;;
  "-m pip") echo "$@" >> "$PIP_LOG" ;;
  *) exec {python} "$@" ;;
esac
"""
LEADSTATE = '#!/bin/sh\nPYTHONPATH={root} exec {python} -P -m leadstate "$@"\n'


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
        hub: what the fake gh knows; see fake_gh.py.
    """

    home: Path
    secrets: Mapping[str, str]
    event_name: str = "push"
    event: Mapping[str, Any] = field(default_factory=dict)
    sha: str = "a" * 40

    def __post_init__(self) -> None:
        for name in ("workspace", "bin", "home", "temp", "artifacts"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        program = {
            "python": PYTHON.format(python=sys.executable),
            "pip": '#!/bin/sh\nexec python -m pip "$@"\n',
            "leadstate": LEADSTATE.format(python=sys.executable, root=ROOT),
            "gh": f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("fake_gh.py")} "$@"\n',
        }
        for name, text in program.items():
            (self.home / "bin" / name).write_text(text)
            (self.home / "bin" / name).chmod(0o755)

    @property
    def workspace(self) -> Path:
        """Return the folder of the checkout."""
        return self.home / "workspace"

    @property
    def hub(self) -> dict[str, Any]:
        """What the fake GitHub knows."""
        path = self.home / "hub.json"
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return known

    def teach(self, **known: Any) -> None:
        """Let the fake GitHub know more."""
        (self.home / "hub.json").write_text(json.dumps({**self.hub, **known}))

    def job(self, workflow: Path) -> Done:
        """Run the only job of a workflow."""
        (job,) = read(workflow)["jobs"].values()
        done = Done()
        self._steps(job["steps"], {**job.get("env", {})}, {"secrets": dict(self.secrets)}, done)
        return done

    def run(self, script: str, env: Mapping[str, str]) -> Done:
        """Run one script."""
        done = Done()
        self._shell(script, env, done)
        return done

    def action(self, env: Mapping[str, str], **inputs: str) -> Done:
        """Run action.yml alone."""
        done = Done()
        self._composite(inputs, env, done)
        return done

    def _composite(self, given: Mapping[str, str], env: Mapping[str, str], done: Done) -> None:
        action = read(ROOT / "action.yml")
        assert not set(given) - set(action["inputs"])
        inputs = {name: str(given.get(name, parameter["default"])) for name, parameter in action["inputs"].items()}
        context: dict[str, Any] = {"inputs": inputs}
        self._steps(action["runs"]["steps"], env, context, done)
        done.outputs = {name: self._fill(output["value"], context) for name, output in action["outputs"].items()}

    def _steps(self, steps: list[dict[str, Any]], env: Mapping[str, str], context: dict[str, Any], done: Done) -> None:
        context["github"] = {"event_name": self.event_name, "token": "workflow-token"}
        context["steps"] = {}
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
                outputs = self._shell(step["run"], own, done)
            elif "/leadstate@" in step["uses"]:
                self._composite(told, own, done)
            elif "/setup-python@" in step["uses"]:
                outputs = {"python-path": str(self.home / "bin" / "python")}
            elif "/upload-artifact@" in step["uses"]:
                shutil.copytree(told["path"], self.home / "artifacts" / told["name"], dirs_exist_ok=True)
            context["steps"][step.get("id", "")] = {"outputs": outputs}

    def _shell(self, text: str, env: Mapping[str, str], done: Done) -> dict[str, str]:
        output, summary, event = (self.home / name for name in ("output", "summary", "event.json"))
        output.write_text("")
        event.write_text(json.dumps(self.event))
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=self.workspace,
            env={
                "PATH": f"{self.home / 'bin'}:/usr/bin:/bin",
                "HOME": str(self.home / "home"),
                "LANG": "C.UTF-8",
                "CI": "true",
                "RUNNER_TEMP": str(self.home / "temp"),
                "PIP_LOG": str(self.home / "pip.log"),
                "FAKE_GH": str(self.home / "hub.json"),
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_REPOSITORY": "acme/crm",
                "GITHUB_SHA": self.sha,
                "GITHUB_SERVER_URL": "https://github.test",
                "GITHUB_RUN_ID": "77",
                "GITHUB_WORKSPACE": str(self.workspace),
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        done.code = done.code or ran.returncode
        done.log += ran.stdout + ran.stderr
        done.summary = summary.read_text() if summary.exists() else ""
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _fill(self, text: Any, context: Mapping[str, Any]) -> str:
        return _EXPRESSION.sub(lambda found: str(self._value(found[1], context)), str(text))

    def _value(self, expression: str, context: Mapping[str, Any]) -> Any:
        def word(found: re.Match[str]) -> str:
            return found[0] if found[0].startswith("'") else _WORDS.get(found[0], f"look({found[0]!r})")

        def look(name: str) -> Any:
            value: Any = context
            for part in name.split("."):
                value = value.get(part, "")
            return value

        return eval(_TOKEN.sub(word, expression).strip(), {"look": look})  # noqa: S307  expressions of our own files
