"""The policies of a repository over a plan, evaluated by conftest or OPA, whichever the job has put on PATH.

Neither is downloaded. Policies are code that lies in the checkout: they are given the plan, and no token.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from inputs import Unusable
from workflow import fenced

ENGINES = ("conftest", "opa")
NEEDED = ("PATH", "HOME", "TMPDIR", "TZ", "LANG")
"""The variables that an engine is given; Rego can read the environment."""

SHOWN = 50
_LONGEST = 1_000
_SHARE = 8_000
"""Characters of a comment that refusals may take, and warnings; the report needs the rest."""
_SECONDS = 300
_DENY = re.compile(r"(deny|violation)(_\w+)*")
_RULE = re.compile(rf"{_DENY.pattern}|warn(_\w+)*")
_EMPTY = "no rule `deny`, `violation` or `warn` in the package `main`"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policies say of a plan. What could not be evaluated is a refusal too."""

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return it for people, each word of the policies as it is and without effect."""
        parts = [("The policies refuse this plan", self.refusals), ("The policies warn", self.warnings)]
        texts = [f"### {title}\n\n{fenced(shortened(said, share=_SHARE))}\n\n" for title, said in parts if said]
        return "".join(texts) or "The policies refuse nothing.\n\n"


class _Failed(Exception):
    """The engine has not evaluated the policies; the message is what it said."""


def engine(environ: Mapping[str, str]) -> str:
    """Return the path of an engine. Raise `Unusable` where there is none."""
    found = (shutil.which(name, path=environ.get("PATH")) for name in ENGINES)
    program = next(filter(None, found), None)
    if program is None:
        raise Unusable(
            "The input `policy` needs conftest or opa on PATH, and neither is there. Add a step that installs one."
        )
    return program


def check(program: str, policies: str, plan: Path, environ: Mapping[str, str]) -> Verdict:
    """Evaluate the policies of a folder, and the data in it, over the report of a plan."""
    if Path(program).name == "conftest":
        words = ["test", "--no-color", "--parser=json", "--output=json", "--policy", policies, "--data", policies]
        words += [str(plan)]
        read = _read_conftest
    else:
        words = ["eval", "--format=json", "--data", policies, "--input", str(plan), "data.main"]
        read = _read_opa
    needed = {name: environ[name] for name in NEEDED if name in environ}
    try:
        done = subprocess.run(
            [program, *words],
            env=needed,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        refusals, warnings = read(done.returncode, done.stdout)
    except _Failed as failure:
        said = " ".join((str(failure) or done.stderr or done.stdout).split())
        return Verdict((_plain(f"The policies could not be evaluated: {said}"),))
    except subprocess.TimeoutExpired:
        return Verdict((f"The policies could not be evaluated within {_SECONDS} seconds.",))
    return Verdict(tuple(map(_plain, sorted(refusals))), tuple(map(_plain, sorted(warnings))))


def _read_conftest(code: int, out: str) -> tuple[list[str], list[str]]:
    """Return refusals and warnings of `conftest test --output=json`, which exits 1 if there are refusals."""
    results = _parsed(out)
    if code not in (0, 1) or not isinstance(results, list):
        raise _Failed
    refusals = [str(failure["msg"]) for result in results for failure in result.get("failures") or ()]
    warnings = [str(warning["msg"]) for result in results for warning in result.get("warnings") or ()]
    others = sum(result.get("successes") or 0 for result in results)
    others += sum(len(result.get("exceptions") or ()) for result in results)
    if not refusals and (code or not (warnings or others)):
        raise _Failed("" if code else _EMPTY)
    return refusals, warnings


def _read_opa(code: int, out: str) -> tuple[list[str], list[str]]:
    """Return refusals and warnings of `opa eval --format=json data.main`."""
    answer = _parsed(out)
    if code or not isinstance(answer, dict):
        raise _Failed
    main = answer["result"][0]["expressions"][0]["value"] if answer.get("result") else {}
    if not isinstance(main, dict):
        raise _Failed("`data.main` is not a package")
    rules = {name: _messages(name, rule) for name, rule in main.items() if _RULE.fullmatch(name)}
    if not rules:
        raise _Failed(_EMPTY)
    refusals = [said for name in rules if _DENY.fullmatch(name) for said in rules[name]]
    return refusals, [said for name in rules if not _DENY.fullmatch(name) for said in rules[name]]


def _parsed(out: str) -> Any:
    try:
        return json.loads(out)
    except ValueError:
        raise _Failed from None


def _messages(name: str, rule: Any) -> list[str]:
    """Return what a rule says. OPA gives a set as a list; any other rule would refuse nothing, or say nonsense."""
    found: list[str] = []
    for entry in rule if isinstance(rule, list) else [None]:
        said = entry.get("msg") if isinstance(entry, dict) else entry
        if not isinstance(said, str):
            raise _Failed(
                f"the rule `{name}` is not a set of messages; write `{name} contains msg if {{ … }}`, where `msg` is a"
                " string or an object with `msg`"
            )
        found.append(said)
    return found


def _plain(text: str) -> str:
    """Return the text on one line, with nothing in it that moves the cursor or commands the runner."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_LONGEST])
    return shown.replace("##[", "# #[")


def shortened(said: Iterable[str], most: int = SHOWN, share: int = SHOWN * _LONGEST) -> Iterator[str]:
    """Yield so many lines at most, the last of which counts the others.

    Args:
        said: the lines.
        most: lines.
        share: characters of all lines.
    """
    lines = list(said)
    fit = sum(length <= share for length in accumulate(map(len, lines)))
    shown = min(fit, most if len(lines) <= most else most - 1)
    yield from lines[:shown]
    if len(lines) > shown:
        yield f"and {len(lines) - shown:,} more"
