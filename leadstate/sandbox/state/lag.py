"""Lists that lag behind the writes: they show a company as it was some of its requests ago.

Whether Pipedrive's lists do so is not documented. A single lead, read by its id, is current here in any case.
"""

from collections import deque
from datetime import UTC, datetime

from leadstate.sandbox.state.company import Company
from leadstate.sandbox.state.records import Tables


class Past:
    """What each company held when its last requests came, as far back as the lag reaches."""

    def __init__(self) -> None:
        self._states: dict[int, deque[tuple[Tables, Company]]] = {}

    def lists(self, company: Company, lag: int) -> Company:
        """The company that a list shows to the request that is handled now; to be asked once for each request.

        What one request writes is listed after `lag` further ones. The past begins with the first request that lags.
        """
        if not lag:
            self._states.pop(company.id, None)
            return company
        states = self._states.setdefault(company.id, deque())
        now = company.tables()
        # Most requests write nothing, and rows are the same objects then; the listings it remembers stay with it.
        states.append(states[-1] if states and states[-1][0] == now else (now, _still(now)))
        while len(states) > lag + 1:
            states.popleft()
        return states[0][1]

    def forget(self) -> None:
        """Has to be called where companies are replaced."""
        self._states.clear()


def _still(tables: Tables) -> Company:
    """A company that is only looked at."""
    return Company(tables, lambda: datetime.now(UTC), lambda _: "", lambda _: None)
