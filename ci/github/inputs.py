"""The inputs of the action, checked, and the command line that they make."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

COMMANDS = ("plan", "apply", "validate")
REVIEWED = ("auto", "required", "none")


class Unusable(Exception):
    """An input that the action cannot work with; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of action.yml, which describes them."""

    command: str
    config: tuple[str, ...]
    accounts: tuple[str, ...]
    args: tuple[str, ...]
    reviewed: str
    comment: bool
    issue: str
    name: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """From INPUT_… variables. Raises `Unusable`."""
        given = {
            key.removeprefix("INPUT_").lower(): value for key, value in environ.items() if key.startswith("INPUT_")
        }
        try:
            args = tuple(shlex.split(given["args"]))
        except ValueError as failure:
            raise Unusable(f"The input `args` is not quoted as in a shell: {failure}.") from None
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,50}", given["name"]):
            raise Unusable("The input `name` takes up to 50 letters, digits, `-`, `_` and `.`.")
        return cls(
            command=_one_of("command", given["command"], COMMANDS),
            config=tuple(given["config"].split()),
            accounts=tuple(given["accounts"].split()),
            args=args,
            reviewed=_one_of("reviewed", given["reviewed"], REVIEWED),
            comment=_one_of("comment", given["comment"], ("true", "false")) == "true",
            issue=given["issue"].strip(),
            name=given["name"],
        )

    def words(self, plan: Path | None, base: str | None) -> list[str]:
        """What follows `leadstate`. A plan that was reviewed brings its own accounts.

        Args:
            plan: one that was reviewed, to be applied.
            base: the commit that a plan is compared with, unless `args` name another.
        """
        words = [self.command, *(f"--config={path}" for path in self.config)]
        if plan is None:
            words += [f"--account={account}" for account in self.accounts]
        if base is not None and not any(arg.startswith("--base") for arg in self.args):
            words += [f"--base={base}"]
        if self.command == "apply":
            words += ["--auto-approve"]
        return [*words, *self.args, *([str(plan)] if plan else [])]


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise Unusable(f"The input `{name}` takes {', '.join(known)}; {value!r} is none of them.")
    return value
