"""A SQLite file that keeps seed documents row by row, so that a sandbox can be stopped and started again.

A company, a label and a lead are a row each, with the body that a seed has for them: there is one format to read, and
reading it back goes through the same checks as any seed. It does not read the bodies. The meter and the limits
are not kept: a restarted sandbox starts with a whole day's budget.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
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
    """The file is not one of ours. Its text names the file."""


class Store:
    """The rows in one file. Each method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open or make the file. Raise `StoreError` if it is something else, `OSError` if it cannot be opened."""
        # What it holds may be personal data, so only its owner may read it; SQLite's journal takes its mode.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        if sys.platform != "win32":
            file.chmod(0o600)
        try:
            # The server runs in its own thread in tests; only one thread at a time ever uses the connection.
            self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise OSError(f"{file}: {error}") from None
        try:
            # A killed process loses nothing with this; only a power cut could, and then the seed can be loaded again.
            self._db.execute("PRAGMA synchronous = OFF")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            tables = self._db.execute("SELECT name FROM sqlite_master").fetchall()
            if not tables:
                self._db.execute(_SCHEMA)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
                version = _VERSION
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreError(f"{file}: {error}") from None
        if version != _VERSION or (tables and ("rows",) not in tables):
            self._db.close()
            raise StoreError(f"{file}: is a SQLite file, but not of this version of the sandbox")

    def document(self) -> Body | None:
        """Return everything as a seed document, or None if nothing was stored yet."""
        companies: dict[int, Body] = {}
        # Rows keep their number when they are updated, so this is the order of insertion.
        for company, kind, body in self._db.execute("SELECT company, kind, body FROM rows ORDER BY rowid"):
            if kind == "company":
                companies[company] = {**json.loads(body), "labels": [], "leads": []}
            else:
                companies[company][f"{kind}s"].append(json.loads(body))
        return {"companies": list(companies.values())} if companies else None

    def replace(self, document: Mapping[str, Any]) -> None:
        """Replace everything by this dumped seed document (the list form, every id written)."""
        with self._db:
            self._db.execute("BEGIN")
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
        with self._db:
            self._db.execute("BEGIN")
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

    def _put(self, company_id: int, kind: str, row_id: str, body: Mapping[str, Any]) -> None:
        self._db.execute(_UPSERT, (company_id, kind, row_id, json.dumps(body, ensure_ascii=False)))
