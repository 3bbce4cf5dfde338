"""A SQLite file that keeps seed documents row by row, so that a sandbox can be stopped and started again.

A company, a label and a lead are a row each, with the body that a seed has for them: there is one format to read, and
reading it back goes through the same checks as any seed. It does not read the bodies. The meter and the limits
are not kept: a restarted sandbox starts with a whole day's budget.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadstate.sandbox.state.company import Change
from leadstate.sandbox.state.records import Body

_VERSION = 1
_SCHEMA = """
CREATE TABLE rows (
    company INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (company, kind, id)
)
"""
_UPSERT = """
INSERT INTO rows (company, kind, id, body) VALUES (?, ?, ?, ?)
ON CONFLICT (company, kind, id) DO UPDATE SET body = excluded.body
"""


class StoreError(ValueError):
    """The file cannot be used: not ours, damaged, open elsewhere, full. Its text names the file and the fix."""


class Store:
    """The rows in one file, which is locked until it is closed. Each method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open or make the file, and lock it. Raise `StoreError` if it is something else or locked, and `OSError`."""
        self._file = file
        # A file that is there is not opened: closing it would drop this process's locks on it (POSIX, fcntl).
        if not (file.is_file() and os.access(file, os.W_OK)):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        # The server runs in its own thread in tests; only one thread at a time ever uses the connection.
        self._db = sqlite3.connect(file, timeout=0, check_same_thread=False, isolation_level=None)
        try:
            self._take()
        except sqlite3.DatabaseError as error:
            self.close()
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            why = "another process has it open, such as a second sandbox; stop that one, or" if busy else f"{error};"
            raise StoreError(f"{file}: {why} name another file") from None
        except BaseException:
            self.close()
            raise

    def _take(self) -> None:
        # A killed process loses nothing with this; only a power cut could, and then the seed can be loaded again.
        self._db.execute("PRAGMA synchronous = OFF")
        # Each process keeps its state in memory, so two would overwrite each other's rows. The lock lasts until the
        # connection is closed; that of a killed process ends with it.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        tables = self._db.execute("SELECT name FROM sqlite_master").fetchall()
        if tables and (version != _VERSION or ("rows",) not in tables):
            raise StoreError(
                f"{self._file}: is a SQLite file, but not of this version of the sandbox; name another file"
            )
        if sys.platform != "win32":
            # It may hold personal data, so only its owner may read it; SQLite's journal takes its mode.
            self._file.chmod(0o600)
        if not tables:
            self._db.execute(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
        self._db.execute("COMMIT")

    def document(self) -> Body | None:
        """Return everything as a seed document, or None if nothing was stored yet. Raise `StoreError`."""
        companies: dict[int, Body] = {}
        place = "its beginning"
        try:
            # Rows keep their number when they are updated, so this is the order of insertion.
            for company, kind, row, body in self._db.execute("SELECT company, kind, id, body FROM rows ORDER BY rowid"):
                place = f"{kind} {row}"
                if kind == "company":
                    companies[company] = {**json.loads(body), "labels": [], "leads": []}
                else:
                    companies[company][{"label": "labels", "lead": "leads"}[kind]].append(json.loads(body))
        except (sqlite3.DatabaseError, LookupError, RecursionError, TypeError, ValueError):
            raise self.damaged(f"damaged at or after {place}") from None
        return {"companies": list(companies.values())} if companies else None

    def replace(self, document: Mapping[str, Any]) -> None:
        """Replace everything by this dumped seed document (the list form, every id written)."""
        with self._transaction():
            self._db.execute("DELETE FROM rows")
            for company in document["companies"]:
                company_id = company["company"]["id"]
                head = {key: value for key, value in company.items() if key not in ("labels", "leads")}
                self._put(company_id, "company", str(company_id), head)
                for kind in ("label", "lead"):
                    for body in company[f"{kind}s"]:
                        self._put(company_id, kind, body["id"], body)

    def record(self, company_id: int, changes: Sequence[Change]) -> None:
        """Store the rows that one operation touched, all of them or none."""
        with self._transaction():
            for kind, row_id, body in changes:
                if body is None:
                    self._db.execute(
                        "DELETE FROM rows WHERE company = ? AND kind = ? AND id = ?", (company_id, kind, row_id)
                    )
                else:
                    self._put(company_id, kind, row_id, body)

    def close(self) -> None:
        """Close the file; nothing can be stored afterwards."""
        self._db.close()

    def damaged(self, how: str) -> StoreError:
        """Return the error for a file of ours whose content cannot be used."""
        return StoreError(f"{self._file}: {how}; delete the file, and the sandbox fills a new one from the seed")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Store all or nothing. Raise `StoreError` where that is not possible, such as on a full disk."""
        try:
            with self._db:
                self._db.execute("BEGIN")
                yield
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self._file}: cannot be written: {error}") from None

    def _put(self, company_id: int, kind: str, row_id: str, body: Mapping[str, Any]) -> None:
        self._db.execute(_UPSERT, (company_id, kind, row_id, json.dumps(body, ensure_ascii=False)))
