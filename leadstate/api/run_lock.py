"""Advisory locks in the user's state folder: for an apply or restore on each account, for a write on the lock file.

Two applies of one account at once would each plan before the other has written, and make everything twice (spec section
4). The system gives a lock back when the process that holds it ends, however it ends. Machines do not see each other's
locks: CI keeps those apart.
"""

import contextlib
import datetime as dt
import hashlib
import json
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from leadstate.api.files import replace_file
from leadstate.config import LockError
from leadstate.model.account import Account, is_loopback, unify_loopback
from leadstate.model.diagnostics import LeadstateError, reason_of, some
from leadstate.pipedrive.connection import Pace

SHARED_HOST: Final = "api.pipedrive.com"
"""The vendor's host for all companies: there, only the company id tells accounts apart."""
POLL: Final = 0.1
"""Seconds between two attempts to take locks that another run holds."""
PATIENCE: Final = 60.0
"""Seconds to wait for others that write the same lock file; one write takes a second where it is large."""
OTHER_FILES: Final = 512
"""Files besides locks that a run may have open at once: connections, above all."""

_SHOWN: Final = 200
"""Characters of what another run says about itself."""


class Locked(LeadstateError):
    """Another run holds an account."""

    code = "locked"


class NoStateFolder(LeadstateError):
    """There is no place for locks, and without a lock nothing is applied and no lock file written."""

    code = "state-folder"


@contextmanager
def hold_locks(accounts: Iterable[Account], folder: Path, command: str) -> Iterator[None]:
    """Hold the locks of all accounts.

    Args:
        accounts: the accounts of the run.
        folder: the user's state folder; made if need be.
        command: what holds them, as `apply`.

    Raises:
        Locked: another run holds one of them.
        NoStateFolder: the folder cannot be written.
    """
    import filelock  # noqa: PLC0415  takes 50 ms, and most commands hold no lock

    names = _name_locks(accounts)
    about = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "command": f"leadstate {command}",
        "folder": str(Path.cwd()),
    }
    with ExitStack() as held:
        try:
            _allow_open_files(len(names))
            for key in sorted(names):  # in one order, so that of two runs that begin at once one gets them all
                path = _make_path(key, folder)
                holder = path.with_suffix(".json")
                try:
                    held.enter_context(filelock.FileLock(path, mode=0o600).acquire(timeout=0))
                except filelock.Timeout:
                    raise _locked_error(names[key], holder) from None
                replace_file(holder, json.dumps(about) + "\n")
                held.callback(_forget, holder)
        except OSError as failure:
            raise _folder_error(folder, reason_of(failure)) from None
        yield


@asynccontextmanager
async def wait_for_locks(
    accounts: Sequence[Account],
    folder: Path,
    command: str,
    *,
    seconds: float,
    pace: Pace,
    waiting: Callable[[str], object] | None = None,
) -> AsyncIterator[None]:
    """Hold the locks of all accounts, as `hold_locks` does, once other runs have ended.

    Waiting does not hold up the event loop, and holds no lock meanwhile.

    Args:
        accounts: the accounts of the run.
        folder: the user's state folder; made if need be.
        command: what holds them, as `apply`.
        seconds: how long to wait for other runs, for all accounts together.
        pace: clock and sleep.
        waiting: hears, in words, for whom this waits.

    Raises:
        Locked: another run holds one of them, and did not end in time.
        NoStateFolder: the folder cannot be written.
    """
    until = pace.clock() + seconds
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(hold_locks(accounts, folder, command))
                break
            except Locked as failure:
                if not pace.clock() < until:  # nan, too, waits for nothing
                    raise
                if waiting is not None:
                    waiting(f"Waiting up to {seconds:g} s: {failure}.")
                    waiting = None
            await pace.sleep(POLL)
        yield


@contextmanager
def hold_file_lock(path: Path, folder: Path) -> Iterator[None]:
    """Hold the lock of a file that is read, merged and written: of two runs at once, one would lose the other's part.

    Args:
        path: the file, which need not exist.
        folder: the user's state folder; made if need be.

    Raises:
        LockError: another run holds it, and did not end in time.
        NoStateFolder: the folder cannot be written.
    """
    import filelock  # noqa: PLC0415  takes 50 ms, and most commands hold no lock

    # The file itself may be a link, which is replaced: its place is what writers have in common.
    key = os.path.normcase(Path(os.path.realpath(path.parent), path.name))
    with ExitStack() as held:
        try:
            held.enter_context(filelock.FileLock(_make_path(key, folder), mode=0o600).acquire(timeout=PATIENCE))
        except filelock.Timeout:
            why = f"another run has been writing {path} for {PATIENCE:g} s"
            raise LockError(why, hint="run this again once that has ended") from None
        except OSError as failure:
            raise _folder_error(folder, reason_of(failure)) from None
        yield


def _make_path(key: str, folder: Path) -> Path:
    """Return where a lock is, its folder made; raise NoStateFolder or OSError if there is none."""
    # A user without a home, as in some containers, has a state folder at a literal "~".
    if folder.parts[:1] == ("~",):
        raise _folder_error(folder, "this user has no home")
    path = folder.absolute() / "locks" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _name_locks(accounts: Iterable[Account]) -> dict[str, str]:
    """Return what two runs must not work on at once → its name, for the accounts of one of them.

    That is an address, since another configuration may not say which company is behind it, and a company, since another
    one may reach it at another address. Only at the vendor's shared host a company says enough.
    """
    behind: dict[str, list[Account]] = defaultdict(list)
    names = {}
    for account in accounts:
        if account.company_id is None or account.host != SHARED_HOST:
            behind[unify_loopback(account.origin)].append(account)
        if account.company_id is not None and not is_loopback(account.origin):  # sandboxes have ids of their own
            names[f"company {account.company_id}"] = f"on company {account.company_id}, the account {account.name}"
    for origin, found in behind.items():
        first, several = found[0], some([account.name for account in found])
        # Where an address has more than one company, the other run may well be at another one.
        alone = len(found) == 1 and first.company_id is None
        names[origin] = f"on account {first.name}" if alone else f"at {first.origin}, the address of {several}"
    return names


def _locked_error(name: str, holder: Path) -> Locked:
    """Return the error that names who holds a lock, as far as that is known: its file may be gone, or be malformed."""
    try:
        about = json.loads(holder.read_bytes())
        parts = {key: str(about[key])[:_SHOWN] for key in ("command", "folder", "pid", "host", "since")}
        who = "`{command}` in {folder} (process {pid} on {host}, since {since})".format(**parts)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        who = "another run"
    hint = "wait until it has ended, or let this run wait for it with `--lock-timeout SECONDS`"
    return Locked(f"{who} is at work {name}", hint=hint)


def _forget(holder: Path) -> None:
    with contextlib.suppress(OSError):
        holder.unlink()


def _folder_error(folder: Path, why: str) -> NoStateFolder:
    return NoStateFolder(
        f"the locks that keep two runs apart cannot be kept in {folder}: {why}",
        hint="name a folder that can be written in the environment variable XDG_STATE_HOME",
    )


def _allow_open_files(more: int) -> None:
    """Let this process open so many files more; a lock is an open file, and 1,024 is a common limit."""
    try:
        import resource  # noqa: PLC0415  there is none on Windows, and no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open() as file:
        # The lowest number that is free tells how many are open; a second attempt must not raise the limit further.
        wanted = file.fileno() + more + OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
