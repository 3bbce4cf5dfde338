"""Searching for persons and organizations: which rows a term finds, and in which order.

The search is plain: a term is found as it stands, in any case of letters. How Pipedrive's index cuts words is not
documented, nor is its score; here it is the share of the value that the term covers, and the newest of equals is first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.queries import choices, flag

_LEAST = 2
"""Characters that a term must have, where it is not to match exactly (Pipedrive OpenAPI v2: searchPersons)."""


@dataclass(frozen=True, slots=True)
class Search:
    """A term, and where it is looked for."""

    term: str
    fields: frozenset[str]
    exact: bool

    @classmethod
    def of(cls, query: Mapping[str, str], fields: Iterable[str]) -> "Search":
        """The search that a query means, in some or all of these fields. Raises `BadRequestError`."""
        exact = flag(query, "exact_match")
        term = query.get("term", "").strip()
        least = 1 if exact else _LEAST
        if len(term) < least:
            raise BadRequestError(f"term must be at least {least} characters long")
        return cls(term.casefold(), frozenset(choices(query, "fields", frozenset(fields))), exact)

    def score(self, values: Mapping[str, Iterable[str]]) -> float:
        """How well the values of a row, by field, fit the term: from 0, not at all, to 1."""
        found = [value.strip().casefold() for field in self.fields for value in values.get(field, ())]
        fitting = [value for value in found if (value == self.term if self.exact else self.term in value)]
        return max((round(len(self.term) / len(value), 6) for value in fitting), default=0)
