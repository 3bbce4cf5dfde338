"""A filter that somebody saved in Pipedrive: which labels it names."""

from collections.abc import Iterator

from pydantic import BaseModel

from leadstate.pipedrive.operations import UUID


class WireFilter(BaseModel):
    """A filter as Pipedrive lists it (getFilters), and with its conditions (getFilter)."""

    id: int
    name: str
    active_flag: bool = True
    temporary_flag: bool | None = None
    conditions: object = None

    @property
    def saved(self) -> bool:
        """Whether it was saved, and not deleted since; one that was only tried out is temporary."""
        return self.active_flag and not self.temporary_flag

    @property
    def ids(self) -> frozenset[str]:
        """Every UUID that the conditions hold.

        How a condition on labels is written is not documented: the value may be an id, or a list of ids as JSON. An id
        of a label is nothing else's, so wherever it stands, the filter names the label.
        """
        return frozenset(found.lower() for text in _texts(self.conditions) for found in _uuids(text))


def _uuids(text: str) -> Iterator[str]:
    return (found.group() for found in UUID.finditer(text))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
