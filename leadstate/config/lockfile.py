"""The lock file: which id each declared object had. A cache of ids; live data wins.

Losing it loses no correctness, except for adopted leads: they carry no marker of ours, so nothing else identifies them.

One entry a line, sorted, so that it merges well in git. It holds ids and keys; no names of people, no token.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leadstate.config.yaml.files import LARGEST, link_outwards, read_bounded
from leadstate.kinds import KINDS
from leadstate.kinds.base import Uuid
from leadstate.model.address import Ref
from leadstate.model.diagnostics import LeadstateError
from leadstate.model.escape import visible_json

NAME: Final = "leadstate.lock.json"
RESTORE: Final = (
    "restore it from git; without one, remove it and run `leadstate lock` (adopted leads have to be imported again)"
)

Lock = Mapping[str, Mapping[Ref, str]]
"""Account → reference → remote id."""


class LockError(LeadstateError):
    """The lock file cannot be read or written."""

    code = "lock-file"


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)  # most configurations have no such file

    version: Literal[1]
    # The file may come from anybody who can open a pull request, and ids become parts of URLs.
    accounts: dict[str, dict[Annotated[str, Field(pattern=f"^({'|'.join(KINDS)}):.+$")], Uuid]]


def read_lock(path: Path) -> Lock:
    """Return what the lock file remembers; nothing if there is no such file.

    Raises:
        LockError: it cannot be read, or is not a lock file.
    """
    try:
        link = link_outwards(path)
        text = b"" if link else read_bounded(path, LARGEST)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RuntimeError):
        raise LockError(f"{path} cannot be read", hint=f"check who may read it, or {RESTORE}") from None
    if link is not None or len(text) > LARGEST:
        why = "is larger than 64 MiB" if link is None else f"is reached over the link {link}, which leads elsewhere"
        raise LockError(f"{path} {why}", hint=f"put the file itself there, or {RESTORE}")
    try:
        file = _File.model_validate_json(text)
    except ValidationError as problem:
        errors = problem.errors(include_url=False)
        later = next((error["input"] for error in errors if error["loc"] == ("version",)), None)
        if isinstance(later, int):
            why = f"has format version {later}, and this leadstate reads 1"
            raise LockError(f"{path} {why}", hint="install the leadstate that wrote it, or a later one") from None
        first = errors[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        hint = f"resolve a merge conflict in it, or {RESTORE}"
        raise LockError(f"{path} is not a lock file: {where}: {first['msg']}", hint=hint) from None
    return {
        account: {Ref(*key.split(":", 1)): remote_id for key, remote_id in entries.items()}
        for account, entries in file.accounts.items()
    }


def lock_text(lock: Lock) -> str:
    """Return the file's text: the same lock gives the same bytes."""
    accounts = {
        account: {str(ref): entries[ref] for ref in sorted(entries)}
        for account, entries in sorted(lock.items())
        if entries
    }
    text = json.dumps({"version": 1, "accounts": accounts}, indent=2, ensure_ascii=False)
    return f"{visible_json(text)}\n"
