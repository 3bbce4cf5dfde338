"""The configuration as a git revision has it: texts out of git's objects. Checks nothing out and writes nothing.

Asks `rev-parse`, `cat-file`, `ls-tree` and `for-each-ref`; a name is always an argument of its own.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source, visible_in_line
from leadstate.config.yaml.files import ReadTable, decode, is_meant
from leadstate.model.diagnostics import LeadstateError

TIMEOUT: Final = 60.0
"""Seconds; a partial clone fetches what it lacks."""

_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX")
"""Set where git runs us as a hook; they would count relative paths from another folder."""

_LINK: Final = "120000"
_NO_REPOSITORY: Final = "run it in a clone of the repository that holds the configuration, or leave --base out"


class RevisionError(LeadstateError):
    """Git cannot give what was asked for."""

    code = "base"


@dataclass(frozen=True, slots=True)
class Revision:
    """A configuration at a revision.

    Attributes:
        name: as the user gave it.
        commit: the commit's full id.
        sources: its texts, named as the files are in the working tree; none where it did not exist yet.
        table: reads the CSV files that they name.
    """

    name: str
    commit: str
    sources: tuple[Source, ...]
    table: ReadTable


def read_revision(paths: Sequence[Path], name: str, diagnostics: Diagnostics) -> Revision:
    """Return the texts that the paths of a configuration had at a revision.

    Args:
        paths: files or folders, as they are now.
        name: a branch, a tag or a commit.
        diagnostics: files that are no text are added there.

    Raises:
        RevisionError: there is no git, no repository, no such revision, or a path is outside.
    """
    first = paths[0].resolve()
    git = _Git(first if first.is_dir() else first.parent)
    top = git.top()
    inside = [_inside(path, top) for path in paths]
    commit = git.commit(name)
    files = [
        file for path, within in zip(paths, inside, strict=True) for file in _files(git, path, f"{commit}:{within}")
    ]
    sources = [decode(path, git.blob(id_), diagnostics) for path, id_ in dict(files).items()]

    def table(path: Path, diagnostics: Diagnostics, named: Place, delimiter: str) -> Source | None:
        id_ = git.id_of(f"{commit}:{_inside(path, top)}")
        if id_ is None:
            hint = "no action is needed if this revision adds it"
            diagnostics.error(
                "file-missing", f"the file {visible_in_line(str(path))} does not exist there", named, hint=hint
            )
            return None
        return decode(path, git.blob(id_), diagnostics, delimiter)

    return Revision(name, commit, tuple(source for source in sources if source is not None), table)


def revisions(path: Path) -> list[str]:
    """Return the branches and tags of the repository that holds a file, those that were committed to last first.

    Raises:
        RevisionError: there is no git, or no repository.
    """
    first = path.resolve()
    return _Git(first if first.is_dir() else first.parent).references()


def default_branch(folder: Path) -> str | None:
    """Return the branch that clones of a repository check out: that of `origin`, else the only one; None if unknown."""
    try:
        return _Git(folder).default_branch()
    except RevisionError:
        return None


def _inside(path: Path, top: Path) -> str:
    try:
        within = path.resolve().relative_to(top).as_posix()
    except ValueError:
        summary = f"{visible_in_line(str(path))} is outside of the git repository {visible_in_line(str(top))}"
        raise RevisionError(summary, hint="leave --base out, or keep the configuration in one repository") from None
    return "" if within == "." else within


def _files(git: "_Git", path: Path, object_: str) -> Iterator[tuple[Path, str]]:
    """Return the files of a path by name, each with the id of its content; nothing if the path is new."""
    id_ = git.id_of(object_)
    if id_ is None:
        return
    tree = git.tree(id_)
    if tree is None:
        yield path, id_
    for name, mode, kind, inner in sorted(tree or ()):
        if is_meant(name) and kind == "blob":
            if mode == _LINK:
                summary = f"{visible_in_line(str(path / name))} is a symbolic link there, which is not followed"
                raise RevisionError(summary, hint="leave --base out, or put the file itself into the folder")
            yield path / name, inner


@dataclass(frozen=True)
class _Git:
    """Questions to the repository that a folder is in."""

    _folder: Path

    def top(self) -> Path:
        """Return the folder of the working tree."""
        done = self._run("rev-parse", "--show-toplevel")
        if done.returncode != 0:
            if "dubious ownership" in done.stderr.decode("utf-8", "replace"):
                hint = f"if you trust it: git config --global --add safe.directory {visible_in_line(str(self._folder))}"
                raise RevisionError("git does not trust the repository: it belongs to another user", hint=hint)
            raise RevisionError(
                f"the configuration is not in a git repository ({_last_line(done)})", hint=_NO_REPOSITORY
            )
        return Path(os.fsdecode(done.stdout.removesuffix(b"\n"))).resolve()

    def commit(self, name: str) -> str:
        """Return the full id of a revision's commit."""
        # Git takes no name that begins so; it would be an option.
        found = None if name.startswith("-") else self.id_of(f"{name}^{{commit}}")
        if found is not None:
            return found
        shown = visible_in_line(repr(name))
        if self.id_of(f"origin/{name}^{{commit}}") is not None:
            raise RevisionError(f"unknown git revision {shown}", hint=f"did you mean `origin/{visible_in_line(name)}`?")
        if self._run("rev-parse", "--is-shallow-repository").stdout.strip() != b"true":
            hint = "name a branch, a tag or a commit; `git branch --all` lists branches, `git fetch` gets what is new"
            raise RevisionError(f"unknown git revision {shown}", hint=hint)
        # A clone of one branch does not get the others by --unshallow.
        remote, _, branch = name.partition("/")
        known = branch and remote.encode() in self._run("remote").stdout.split()
        fetch = f"git fetch --depth=1 {remote} {branch}:refs/remotes/{name}" if known else "git fetch --unshallow"
        hint = f"in CI, check out with `fetch-depth: 0`, or before the plan: {visible_in_line(fetch)}"
        raise RevisionError(f"the clone is shallow and does not contain {shown}", hint=hint)

    def id_of(self, name: str) -> str | None:
        """Return the id of the object of a name; None if there is no such object."""
        done = self._run("rev-parse", "--verify", "--quiet", name)
        return done.stdout.decode("ascii").strip() if done.returncode == 0 else None

    def blob(self, id_: str) -> bytes:
        """Return the content of a file."""
        return self._done("cat-file", "blob", id_)

    def tree(self, id_: str) -> list[tuple[str, str, str, str]] | None:
        """Return name, mode, kind and id of what a folder holds; None if it is a file."""
        done = self._run("ls-tree", "--full-tree", "-z", id_)
        if done.returncode != 0:
            return None
        rows = [row.partition(b"\t") for row in done.stdout.split(b"\0")[:-1]]
        return [(os.fsdecode(name), *about.decode("ascii").split(" ", 2)) for about, _, name in rows]  # type: ignore[misc]  # three words

    def references(self) -> list[str]:
        """Return the short names of branches, also of remotes, and of tags; a reference to another one is left out."""
        form = "--format=%(if)%(symref)%(then)%(else)%(refname:short)%(end)"
        found = self._done("for-each-ref", "--sort=-committerdate", form, "refs/heads", "refs/remotes", "refs/tags")
        return [name for name in os.fsdecode(found).splitlines() if name]

    def default_branch(self) -> str | None:
        """Return the branch of the remote's HEAD, else the one that is checked out if there is no other."""
        of_remote = self._run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        if of_remote.returncode == 0:
            return os.fsdecode(of_remote.stdout).strip().removeprefix("origin/")
        here = self._run("symbolic-ref", "--quiet", "--short", "HEAD")
        several = len(self._run("for-each-ref", "refs/heads", "refs/remotes").stdout.splitlines()) > 1
        return os.fsdecode(here.stdout).strip() if here.returncode == 0 and not several else None

    def _done(self, *words: str) -> bytes:
        done = self._run(*words)
        if done.returncode != 0:
            hint = "check the repository with `git fsck`; a partial clone needs its remote"
            raise RevisionError(f"git {words[0]} failed: {_last_line(done)}", hint=hint)
        return done.stdout

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        environ = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
        environ |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
        try:
            return subprocess.run(  # noqa: S603  a list, no shell, and no word of the user's that could be an option
                ["git", *words],  # noqa: S607  the git that is on PATH is the one meant
                cwd=self._folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except FileNotFoundError:
            hint = "install git, or leave out `--base`"
            raise RevisionError("`--base` needs git, which is not installed", hint=hint) from None
        except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
            raise RevisionError(f"git could not be run ({type(problem).__name__})", hint=_NO_REPOSITORY) from None


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the error of git."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return visible_in_line(lines[-1].removeprefix("fatal: ")) if lines else f"exit code {done.returncode}"
