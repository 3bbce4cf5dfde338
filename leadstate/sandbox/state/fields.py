"""Custom fields as a company defines them, and how its leads' bodies word their values.

It holds no rule about values; `custom` does. The normal form of a value, which rows and seeds keep, is an integer for
one option, a tuple of integers for several, and what the API shows for everything else.
"""

from dataclasses import dataclass
from typing import Any, Literal

Value = str | int | float | tuple[int, ...]
"""The value of a custom field, or of one of its companions, in normal form."""

TYPES = (
    "varchar",
    "text",
    "double",
    "monetary",
    "date",
    "time",
    "enum",
    "set",
    "user",
    "org",
    "people",
    "phone",
    "timerange",
    "daterange",
    "address",
)
"""The types that a custom field can have here (Pipedrive docs: custom fields; without `varchar_auto`)."""

CHOICES = frozenset({"enum", "set"})
"""The types that have options."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a field."""

    id: int
    label: str

    def body(self) -> dict[str, Any]:
        """The option as the API answers it."""
        return {"id": self.id, "label": self.label}


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field, by its 40-hex key. One that a seed gives by its key alone has no type and takes any value."""

    code: str
    name: str
    type: str | None = None
    options: tuple[Option, ...] = ()

    @classmethod
    def plain(cls, code: str) -> "Field":
        """A field of which nothing but the key is known."""
        return cls(code, code)

    def body(self) -> str | dict[str, Any]:
        """The field as a seed writes it."""
        if self.type is None:
            return self.code
        options = {"options": [option.body() for option in self.options]} if self.type in CHOICES else {}
        return {"code": self.code, "name": self.name, "type": self.type, **options}


@dataclass(frozen=True, slots=True)
class Wire:
    """How leads' bodies word options: the documents show strings, and nobody has seen a lead with one."""

    enum: Literal["string", "number"] = "string"
    set: Literal["string", "list"] = "string"

    def words(self, kind: str | None, value: Value) -> Any:
        """A value in normal form as the body of a lead shows it."""
        if kind == "enum" and self.enum == "string":
            return str(value)
        if isinstance(value, tuple):
            return ",".join(map(str, value)) if self.set == "string" else list(value)
        return value

    def body(self) -> dict[str, Any]:
        """The wording as a seed writes it."""
        return {"enum": self.enum, "set": self.set}
