"""The plan of faults: it counts requests, and says what each one meets.

There is no chance in it: the same requests in the same order meet the same faults.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from leadstate.sandbox.faults.fault import Fault, FaultKind
from leadstate.sandbox.state.company import Company


@dataclass(slots=True)
class Fired:
    """A fault that struck the request of this number, counting all requests since the plan was set.

    `problem` says what kept an edit from being made, such as a label that was gone already.
    """

    number: int
    operation: str
    company: int
    fault: Fault
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Strike:
    """What one request meets: edits before it, and at most one other fault."""

    edits: Sequence[Fired] = ()
    fault: Fault | None = None

    def edit(self, company: Company) -> None:
        """Make the edits, each as far as it can be made."""
        for fired in self.edits:
            fired.problem = "; ".join(filter(None, [change.make(company) for change in fired.fault.changes]))


@dataclass(slots=True)
class Faults:
    """The plan: faults in order, and what came of them.

    A request meets every edit that is due, and of the other faults the first; one that had to stand back without an
    `at` strikes later. Requests count once there is a fault, and if the limits let them in: a 429 that the limits give
    has no number, one that a fault gives has.
    """

    _plan: list[Fault] = field(default_factory=list)
    _counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    _met: list[int] = field(default_factory=list)
    _struck: Counter[int] = field(default_factory=Counter)
    fired: list[Fired] = field(default_factory=list)

    def add(self, *faults: Fault) -> None:
        """Adds to the plan; requests that were counted stay counted."""
        self._plan += faults
        self._met += [sum(count for met, count in self._counts.items() if fault.means(*met)) for fault in faults]

    def replace(self, faults: Iterable[Fault]) -> None:
        """Take a new plan, and count from 1 again."""
        self.clear()
        self.add(*faults)

    def clear(self) -> None:
        """Forgets the plan, the count and what has fired."""
        self._plan.clear()
        self._counts.clear()
        self._met.clear()
        self._struck.clear()
        self.fired.clear()

    @property
    def plan(self) -> Sequence[Fault]:
        """The faults in their order, those that will not strike any more among them."""
        return tuple(self._plan)

    @property
    def requests(self) -> int:
        """Requests since the plan was set."""
        return self._counts.total()

    def strike(self, operation: str, company_id: int) -> Strike:
        """Counts one request, and says what it meets."""
        if not self._plan:
            return Strike()
        self._counts[operation, company_id] += 1
        edits: list[Fired] = []
        fault: Fault | None = None
        for place, candidate in enumerate(self._plan):
            if not candidate.means(operation, company_id):
                continue
            self._met[place] += 1
            stands_back = fault is not None and candidate.kind is not FaultKind.EDIT
            if stands_back or not candidate.due(self._met[place], self._struck[place]):
                continue
            self._struck[place] += 1
            fired = Fired(self.requests, operation, company_id, candidate)
            self.fired.append(fired)
            if candidate.kind is FaultKind.EDIT:
                edits.append(fired)
            else:
                fault = candidate
        return Strike(edits, fault)
