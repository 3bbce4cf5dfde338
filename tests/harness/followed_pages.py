"""A page of the documentation, followed by the letter: its files are written, its commands typed into a terminal.

What a page shows is taken in order:

- a block after `<!-- write NAME -->` is written to the file NAME;
- a block after `<!-- in NAME, instead of: TEXT -->` replaces the line TEXT of that file;
- a `console` block holds commands after `$ `, and below each the output that a person sees. A command that asks is
  answered `yes`. A line `…` stands for any number of lines. `leadstate sandbox …` starts the sandbox that the rest of
  the page talks to.

Nothing of the reader's own is there: an empty home folder, no variables of Pipedrive or leadstate.
"""

import fcntl
import os
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from leadstate.cli.commands.sandbox import accounts_block
from leadstate.sandbox import Sandbox, running

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8765"
COLUMNS = 92
_STEP = re.compile(
    r"(?P<indent>^ *)(?:<!-- (?:write (?P<file>\S+)|in (?P<edited>\S+), instead of: (?P<old>.*?)) -->\n+ *)?"
    r"```(?P<form>\w+)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_VARYING = (
    (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}-\d+"), "RECEIPT"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s)\b"), "DURATION"),
    (re.compile(r"\d+ of \d+ requests left"), "REQUESTS left"),
    (re.compile(r"resets in (\d+ h )?\d+ min"), "resets in HOURS"),
)
"""What differs from run to run, and what stands for it in a comparison."""
_QUESTION = "Only 'yes' will be accepted: "


@dataclass(frozen=True)
class Typed:
    """One command of a page."""

    command: str
    shown: str
    """The output that the page shows below it."""


def commands(block: str) -> list[Typed]:
    """Return the commands of a console block, each with what is shown below it; `> ` continues a command."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line.removeprefix("$ ")], []))
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0].append(line.removeprefix("> "))
        else:
            found[-1][1].append(line.rstrip())
    return [Typed("\n".join(command), "\n".join(shown)) for command, shown in found]


def comparable(text: str) -> str:
    """Return a text without what differs from run to run, such as the width of a column."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    # Where a message is folded depends on how many digits its hours have.
    text = re.sub(r"(?<=HOURS)\s+\([^)]*\)", lambda found: f" {' '.join(found[0].split())}", text)
    return "\n".join(re.sub(r"(?<=\S) +", " ", line).rstrip() for line in text.strip("\n").splitlines())


def fits(shown: str, printed: str) -> bool:
    """Return whether a page shows what was printed."""
    parts = f"\n{comparable(shown)}\n".split("\n…\n")
    wanted = r"\n(?:.*\n)*".join(re.escape(part) for part in parts)
    return re.fullmatch(wanted, f"\n{comparable(printed)}\n") is not None


def _cut(shown: str, printed: str) -> str:
    """Return what was printed, with `…` where the page has it: as many lines before and after as the page shows."""
    before, dots, after = (part.strip("\n").splitlines() for part in f"\n{shown}\n".partition("\n…\n"))
    lines = printed.strip("\n").splitlines()
    if not dots or len(lines) <= len(before) + len(after):
        return "\n".join(lines)
    return "\n".join([*lines[: len(before)], "…", *lines[len(lines) - len(after) :]])


@dataclass
class Reader:
    """Somebody who follows a page in a new folder.

    Attributes:
        folder: where the commands are typed.
    """

    folder: Path
    home: Path
    _open: ExitStack = field(default_factory=ExitStack)
    _url: str = ADDRESS
    _status: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    def follow(self, page: str) -> Iterator[tuple[Typed, str]]:
        """Do what a page says, step by step.

        Yields:
            Each command that shows or prints something, and what it printed.
        """
        for step in _STEP.finditer(page):
            body = re.sub(rf"^{step['indent']}", "", step["body"], flags=re.MULTILINE)
            if step["file"]:
                self._write(step["file"], body)
            elif step["edited"]:
                self._edit(step["edited"], step["old"], body)
            elif step["form"] == "console":
                for typed in commands(body):
                    yield typed, self.type(typed.command)

    def type(self, command: str) -> str:
        """Type a command into a terminal and return what it prints there."""
        if command.startswith("leadstate sandbox"):
            return self._serve(shlex.split(command)[2:])
        printed = self._shell(command.replace(ADDRESS, self._url))
        return printed.replace(self._url.removeprefix("http://"), ADDRESS.removeprefix("http://"))

    def _write(self, name: str, body: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body.replace(ADDRESS, self._url), encoding="utf-8")

    def _edit(self, name: str, old: str, body: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        lines = [line for line in text.splitlines(keepends=True) if line.strip() == old.strip()]
        assert len(lines) == 1, f"{name} has {len(lines)} lines {old!r}:\n{text}"
        self._write(name, text.replace(lines[0], body))

    def _serve(self, words: list[str]) -> str:
        seed = words[words.index("--seed") + 1] if "--seed" in words else "fresh"
        name = next(map(str, self.folder.rglob(seed)), seed)
        sandbox = Sandbox(name, daily=int(words[words.index("--daily") + 1])) if "--daily" in words else Sandbox(name)
        self._open.callback(sandbox.close)
        self._url = self._open.enter_context(running(sandbox.app))
        for file in self.folder.rglob("*.yaml"):
            file.write_text(file.read_text(encoding="utf-8").replace(ADDRESS, self._url), encoding="utf-8")
        banner = f"An embedded Pipedrive, not the real one: {ADDRESS}\nState in memory. Stop it with Ctrl-C.\n\n"
        return banner + accounts_block(ADDRESS, sandbox.companies)

    def _shell(self, command: str) -> str:
        """Run a command in bash, in a terminal; variables and the folder are kept for the next one."""
        state = self.home / ".state"
        script = "\n".join(
            (
                "set -a",
                f'[ -f {state} ] && . {state} && cd "$PWD"',
                f"(exit {self._status})",
                command,
                "status=$?",
                f"export -p > {state}",
                "exit $status",
            )
        )
        environ = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "LEADSTATE_NO_PROGRESS": "1",
        }
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        try:
            words = ["bash", "--norc", "-c", script]
            with subprocess.Popen(
                words, cwd=self.folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
            ) as process:
                os.close(theirs)
                printed = _talk(ours)
        finally:
            os.close(ours)
        self._status = process.returncode
        return printed


def _talk(terminal: int, patience: float = 60) -> str:
    """Return what is printed on a terminal until it is closed; answer a question with yes."""
    printed = b""
    while select.select([terminal], [], [], patience)[0]:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side has closed it
            break
        if not piece:
            break
        printed += piece
        if printed.endswith(_QUESTION.encode()):
            os.write(terminal, b"yes\n")
    return printed.decode("utf-8").replace("\r\n", "\n")


def rewritten(page: str, answer: Callable[[str], str]) -> str:
    """Return a page with what its commands print now, where that differs from what it shows.

    Args:
        page: the Markdown.
        answer: gives what was printed for a command, in the order of the page.
    """

    def block(step: re.Match[str]) -> str:
        if step["form"] != "console":
            return step[0]
        indent = step["indent"]
        lines = []
        for typed in commands(re.sub(rf"^{indent}", "", step["body"], flags=re.MULTILINE)):
            printed = answer(typed.command)
            shown = typed.shown if fits(typed.shown, printed) else _cut(typed.shown, printed)
            first, *more = typed.command.splitlines()
            lines += [f"$ {first}", *(f"> {line}" for line in more), *shown.splitlines()]
        body = "\n".join(f"{indent}{line}".rstrip() for line in lines)
        return f"{indent}```console\n{body}\n{indent}```"

    return _STEP.sub(block, page)
