"""Which strategy reads the live leads of an account for the fewest rate-limit tokens (spec section 3). Pure.

A list of all costs 20 tokens a page of 500. One lead by its id costs 2, and the lock file knows the ids; that shows
nothing of other leads, so it will not do where those matter. How many pages there are is remembered from the last list.
Where nothing is, the list is begun, and left where one question more tells that it is the dearer way.
"""

from dataclasses import dataclass

from leadstate.kinds.lead import LEAD
from leadstate.model.account import Account
from leadstate.model.diagnostics import counted
from leadstate.model.policy import Prune
from leadstate.pipedrive.operations import GET_LEAD, GET_LEADS

ASKED_FIRST = 10
"""Pages that declared leads cost by id, at least, for the length of the list to be asked for before its first page."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What each way of reading live leads costs.

    Attributes:
        leads: how many are declared.
        pages: of the list, as many as are known to be there; 0 where nothing is known.
        others: why other leads matter than those that are declared; empty where they do not.
        unknown: declared leads of which the lock file knows no id.
    """

    leads: int
    pages: int
    others: str
    unknown: int

    @property
    def list_tokens(self) -> int:
        """Of a list, at the least."""
        return max(1, self.pages) * GET_LEADS.tokens

    @property
    def id_tokens(self) -> int:
        """Of each declared lead by its id."""
        return self.leads * GET_LEAD.tokens

    @property
    def by_id(self) -> bool:
        """Whether reading them by id is possible, and costs less."""
        return not self.others and not self.unknown and self.id_tokens < self.list_tokens

    @property
    def turn(self) -> int | None:
        """From more pages than this on the ids are cheaper, one page being read; None where that is no question."""
        open_ = not self.pages and not self.others and not self.unknown
        return 1 + self.id_tokens // GET_LEADS.tokens if open_ and not self.by_id else None

    @property
    def asks_first(self) -> bool:
        """Whether the length is asked for before the first page: a page in vain costs more than a small list gains."""
        return self.id_tokens >= ASKED_FIRST * GET_LEADS.tokens

    @property
    def least(self) -> int:
        """Tokens of the cheaper way that is possible."""
        return self.id_tokens if self.by_id else self.list_tokens

    def words_by_id(self) -> str:
        """How they were read by id, and what it saved."""
        full = f"a full list would take at least {self.list_tokens:,}"
        return f"{self.leads:,} read by id ({self.id_tokens:,} tokens); {full}"

    def words_listed(self, pages: int) -> str:
        """How they were listed, in so many pages, and why."""
        if self.others:
            why = self.others
        elif self.unknown:
            why = f"the lock file does not know {counted(self.unknown, 'declared lead')}"
        else:
            why = f"{counted(self.leads, 'lead')} by id would take {self.id_tokens:,}"
        return f"listed, {counted(pages, 'page')} ({pages * GET_LEADS.tokens:,} tokens); {why}"


def ways(account: Account, pages: int, *, labels_go: bool, everything: bool) -> Ways:
    """The ways of reading the live leads of an account.

    Args:
        account: what is declared.
        pages: of the list, as it was read last; 0 where that is not known.
        labels_go: whether a label goes away that leads may carry.
        everything: whether the caller wants to see all of them.
    """
    declared = account.of_kind(LEAD.name)
    if account.policy.prune(LEAD.name) is not Prune.NONE:
        others = "leads that nothing declares are pruned"
    elif any(desired.keep for desired in declared):
        others = "duplicates of a declared lead may be there"
    elif labels_go:
        others = "a label goes away that leads may carry"
    elif everything:
        others = "the lock file is not trusted here"
    elif any(not desired.present or desired.marker is None for desired in declared):
        others = "not every lead is declared by its key"
    else:
        others = ""
    unknown = sum(desired.address.ref not in account.lock for desired in declared)
    return Ways(len(declared), pages, others, unknown)
