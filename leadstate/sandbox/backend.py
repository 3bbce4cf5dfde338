"""What the sandbox serves, as one object: its companies, its clocks and ids, its limits and where its state is kept.

It knows no HTTP; `app.Sandbox` serves it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import randbits
from typing import Any
from uuid import uuid1, uuid4

from leadstate.sandbox.api.oauth import TokenServer
from leadstate.sandbox.faults import Interceptor
from leadstate.sandbox.seeds import documents as seeds
from leadstate.sandbox.seeds.named import NAMED, named
from leadstate.sandbox.seeds.reading import SeedError
from leadstate.sandbox.state.company import Change, Clock, Company, NewId
from leadstate.sandbox.state.limits import Limit, Limits, Meter
from leadstate.sandbox.state.records import Body, Tables
from leadstate.sandbox.state.store import Store


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


def random_id(kind: str) -> str:
    """Return a new UUID: version 1 for a lead, as Pipedrive's are, and version 4 for everything else.

    The node is random with the multicast bit set, as RFC 9562 wants, so that no network address gets out.
    """
    return str(uuid1(node=randbits(48) | 1 << 40) if kind == "lead" else uuid4())


def load_seed(source: str) -> Body:
    """Return the seed document with this name (`empty`, `fresh`, `drifted`), or in the JSON file at this path.

    Raise `SeedError` for what is neither, and for a file that is not JSON.
    """
    if source in NAMED:
        return named(source)
    try:
        document = json.loads(Path(source).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SeedError("", f"{source!r} is neither a file nor a seed; there are {', '.join(NAMED)}") from None
    except RecursionError:
        raise SeedError("", f"{source}: is nested deeper than a seed is") from None
    except (OSError, ValueError) as error:
        raise SeedError("", f"{source}: {error}") from None
    if not isinstance(document, dict):
        raise SeedError("", f"{source}: a seed must be an object")
    return document


class Backend:
    """An embedded Pipedrive with any number of companies.

    `seed` is a document or what `load_seed` takes. `db` is a SQLite file: a new or empty one is filled from the seed,
    and one with content wins over it (`restored`). `latency` is seconds per API request. `burst` (requests per 2 s and
    token) and `daily` (API tokens per day and company) are numbers, None for no limit, or `plan` for the company's own;
    without a burst limit searches have none either. `intercept` says what happens to a request that the limits let in.
    `latency` and `intercept` can be set at any time.
    `clock`, `monotonic`, `new_id` (given `label`, `lead` or `correlation`) and `sleep` are for tests.
    Raise `SeedError`, `StoreError` and `OSError`.
    """

    def __init__(
        self,
        seed: str | Mapping[str, Any] = "fresh",
        *,
        db: Path | str | None = None,
        latency: float = 0,
        burst: Limit = "plan",
        daily: Limit = "plan",
        intercept: Interceptor | None = None,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        new_id: NewId = random_id,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.latency = latency
        self.intercept = intercept
        self.new_id = new_id
        self._sleep = sleep
        self.meter = Meter()
        self.limits = Limits(burst, daily, clock, monotonic, self.meter)
        self._clock = clock
        self._store = Store(Path(db)) if db is not None else None
        self.tokens = TokenServer(clock, new_id)
        self._companies: dict[str, Company] = {}
        try:
            kept = self._store.document() if self._store else None
            self.restored = kept is not None
            if self._store is None or kept is None:
                self.replace(load_seed(seed) if isinstance(seed, str) else seed)
            else:
                try:
                    self._adopt(self._parsed(kept))
                except SeedError as error:
                    raise self._store.damaged(str(error)) from None
        except BaseException:
            self.close()
            raise

    @property
    def companies(self) -> Sequence[Company]:
        """Every company, in the seed's order."""
        return tuple(self._companies.values())

    def company(self, token: str) -> Company | None:
        """Return the company that an API token opens, if it opens one."""
        return self._companies.get(token)

    async def pause(self) -> None:
        """Wait as long as an answer is to take."""
        if self.latency:
            await self._sleep(self.latency)

    def dump(self) -> Body:
        """Return the whole state as a seed document."""
        return seeds.dump(company.tables() for company in self.companies)

    def replace(self, seed: Any) -> None:
        """Take a seed document as the whole new state. Where it raises `SeedError`, nothing is changed."""
        tables = self._parsed(seed)
        if self._store:
            self._store.replace(seeds.dump(tables))
        self._adopt(tables)

    def close(self) -> None:
        """Close the SQLite file, if there is one."""
        if self._store:
            self._store.close()

    def _parsed(self, document: Any) -> Sequence[Tables]:
        return seeds.parse(document, now=self._clock(), new_id=self.new_id)

    def _adopt(self, tables: Sequence[Tables]) -> None:
        self._companies = {
            table.token: Company(table, self._clock, self.new_id, partial(self._record, table.id)) for table in tables
        }
        self.tokens.adopt((table.oauth, self._companies[table.token]) for table in tables if table.oauth)

    def _record(self, company_id: int, changes: Sequence[Change]) -> None:
        if self._store:
            self._store.record(company_id, changes)
