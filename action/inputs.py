"""The inputs of the action, checked, and the command line that they make."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

COMMANDS = ("plan", "apply", "validate")
REVIEWED = ("required", "none")
LOCK = ("commit", "pull-request", "off")
PLATFORM = ("GITHUB_", "GH_", "ACTIONS_", "INPUT_")
"""Prefixes of variables that belong to GitHub; its tokens are among them."""


class Unusable(Exception):
    """An input that the action cannot work with; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of action.yml, which describes them."""

    command: str
    config: tuple[str, ...]
    accounts: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[str, ...]
    reviewed: str
    policy: str
    lock: str
    comment: bool
    issue: str
    name: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return the inputs in INPUT_… variables. Raise `Unusable`."""
        given = {
            key.removeprefix("INPUT_").lower(): value for key, value in environ.items() if key.startswith("INPUT_")
        }
        try:
            args = tuple(shlex.split(given["args"]))
        except ValueError as failure:
            raise Unusable(f"The input `args` is not quoted as in a shell: {failure}.") from None
        if any(re.match(r"--config\b|-c", arg) for arg in args):
            raise Unusable("The input `args` names a configuration: that belongs into the input `config`.")
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,49}", given["name"]):
            raise Unusable("The input `name` takes up to 50 letters, digits, `-`, `_` and `.`.")
        return cls(
            command=_choice("command", given["command"], COMMANDS),
            config=tuple(given["config"].split()) or config_of(environ),
            accounts=tuple(given["accounts"].split()),
            args=args,
            env=tuple(_variable(name) for name in given["env"].split()),
            reviewed=_choice("reviewed", given["reviewed"], REVIEWED),
            policy=_policy(given["policy"].strip(), given["command"], given["reviewed"]),
            lock=_choice("lock", given["lock"], LOCK),
            comment=_choice("comment", given["comment"], ("true", "false")) == "true",
            issue=given["issue"].strip(),
            name=given["name"],
        )

    def arguments(self, command: str, plan: Path | None, base: str | None) -> list[str]:
        """Return what follows `leadstate`. A plan that was reviewed brings its own accounts.

        Args:
            command: `command`, or `validate` in its place.
            plan: one that was reviewed, to be applied.
            base: the commit that a plan is compared with, unless `args` name another.
        """
        words = [command, *(f"--config={path}" for path in self.config)]
        if plan is None:
            words += [f"--account={account}" for account in self.accounts]
        if base is not None and not any(arg.startswith("--base") for arg in self.args):
            words += [f"--base={base}"]
        if command == "apply":
            words += ["--auto-approve"]
        # The options of `plan` mean nothing to the `validate` that stands in for it.
        return [*words, *(self.args if command == self.command else ()), *([str(plan)] if plan else [])]


def config_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files and folders that LEADSTATE_CONFIG names, as leadstate reads it."""
    return tuple(filter(None, environ.get("LEADSTATE_CONFIG", "").split(os.pathsep)))


def _choice(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise Unusable(f"The input `{name}` takes {', '.join(known)}; {value!r} is none of them.")
    return value


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise Unusable(f"The input `env` takes names of variables; {name!r} is none.")
    if name.upper().startswith(PLATFORM):
        raise Unusable(f"The input `env` names {name}, which belongs to GitHub: leadstate is never given it.")
    return name


def _policy(folder: str, command: str, reviewed: str) -> str:
    if folder and command == "validate":
        raise Unusable("The input `policy` is for plans; `validate` makes none.")
    if folder and command == "apply" and reviewed == "none":
        raise Unusable("The input `policy` takes `reviewed: required`: a plan that is made anew passes no policy.")
    if folder and not Path(folder).is_dir():
        raise Unusable(f"The input `policy` names {folder!r}, which is no folder of the checkout.")
    return folder
