"""Persons, organizations and users as people write them: an id, or what one of them is known by."""

from collections.abc import Mapping
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import Line, RemoteId, Spec

EMAIL = r"^[^@\s]+@[^@\s]+$"


class PersonRef(Spec):
    """A person by email address or by name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    email: Annotated[str | None, Field(pattern=EMAIL, description="An email address that one person has.")] = None
    name: Annotated[Line | None, Field(description="A name that one person bears.")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.name is None):
            raise PydanticCustomError("person_ref", "a person is known by an `email` or by a `name`")
        return self


class OrganizationRef(Spec):
    """An organization by name."""

    name: Annotated[Line, Field(description="A name that one organization bears.")]


class UserRef(Spec):
    """A user by email address."""

    email: Annotated[str, Field(pattern=EMAIL, description="The email address that the user logs in with.")]


def _known_by(raw: object) -> str:
    return "(description)" if isinstance(raw, Mapping | Spec) else "(id)"


Person: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[PersonRef, Tag("(description)")], Discriminator(_known_by)
]
Organization: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[OrganizationRef, Tag("(description)")], Discriminator(_known_by)
]
Owner: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[UserRef, Tag("(description)")], Discriminator(_known_by)
]
