"""What people write under `leads_from`: CSV files whose rows are leads, and what all rows of one share."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from leadstate.kinds.base import Scoped, fields_set
from leadstate.kinds.lead_spec import IfGone, Mode

DELIMITERS: Final = {",": ",", ";": ";", "tab": "\t"}


class TableSpec(Scoped):
    """A CSV file of leads; what stands beside `file` holds for every row that does not say otherwise."""

    file: Annotated[
        str, Field(min_length=1, description="The CSV file; a relative path counts from this file's folder.")
    ]
    delimiter: Annotated[Literal[",", ";", "tab"], Field(description="What stands between two cells.")] = ","
    mode: Mode = "enforce"
    if_gone: IfGone = "leave"

    @property
    def shared(self) -> Mapping[str, object]:
        """Field of a lead → its value, as far as it is written here."""
        names = {"except_": "except"}
        return {
            names.get(name, name): value
            for name, value in fields_set(self).items()
            if name not in {"file", "delimiter"}
        }


def _listed(raw: Any) -> Any:
    """Return a list of mappings: a path alone is a file that shares nothing, and needs no list."""
    items = [raw] if isinstance(raw, str | Mapping) else raw
    return [{"file": item} if isinstance(item, str) else item for item in items] if isinstance(items, list) else items


LeadsFrom = Annotated[
    list[TableSpec],
    BeforeValidator(_listed, json_schema_input_type=str | TableSpec | list[str | TableSpec]),
    Field(description="CSV files whose rows are seeded leads: a path, a mapping with `file`, or a list of those."),
]
