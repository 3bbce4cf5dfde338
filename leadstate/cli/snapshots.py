"""What `plan --refresh delta` keeps of an account's leads, one private file an account in the user's cache.

It holds the declared leads as they were read, and nothing of others. Losing it costs one full reading.
"""

import contextlib
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from leadstate.cli.output import write_beside
from leadstate.engine.delta import Snapshot
from leadstate.kinds.lead import decode, encode

FOLDER: Final = "leads"
VERSION: Final = 1
_DECIMAL: Final = "$decimal"


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """The snapshot of one account as it is reached; `cache` is the user's cache folder, `way` the account and where."""

    cache: Path
    way: str

    @property
    def path(self) -> Path:
        """Where it is: a name that no address can get out of the folder with."""
        return self.cache / FOLDER / f"{hashlib.sha256(self.way.encode()).hexdigest()[:32]}.json"

    def recall(self) -> Snapshot | str:
        """What was kept, or why there is nothing; a file that is none of ours is nothing."""
        try:
            found = json.loads(self.path.read_bytes(), parse_float=Decimal, object_hook=_number)
            if found["version"] != VERSION or found["account"] != self.way:
                return "what is kept is of another version of leadstate, or of another account"
            full, since = (dt.datetime.fromisoformat(found[name]).astimezone(dt.UTC) for name in ("full", "since"))
            leads = tuple(map(decode, found["leads"]))
            return Snapshot(str(found["namespace"]), full, since, leads, frozenset(map(str, found["gone"])))
        except FileNotFoundError:
            return "nothing is kept of an earlier reading"
        except (OSError, ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
            return "what is kept cannot be read"

    def keep(self, snapshot: Snapshot) -> None:
        """Write it down; a cache that cannot be written is none."""
        document = {
            "version": VERSION,
            "account": self.way,
            "namespace": snapshot.namespace,
            "full": snapshot.full.isoformat(),
            "since": snapshot.since.isoformat(),
            "gone": sorted(snapshot.gone),
            "leads": [encode(one) for one in snapshot.leads],
        }
        # A user without a home, as in some containers, has a cache at a literal "~".
        if not self.path.is_absolute():
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_beside(self.path, json.dumps(document, default=_told) + "\n", private=True)


def _told(value: object) -> object:
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    raise TypeError(f"{type(value).__name__} is nothing that an answer holds")


def _number(found: dict[str, Any]) -> object:
    return Decimal(found[_DECIMAL]) if found.keys() == {_DECIMAL} else found
