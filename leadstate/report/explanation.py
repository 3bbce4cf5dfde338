"""The document of `explain`: all there is to know about one object, account by account."""

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from leadstate.report.document import FORMAT_VERSION, Change, Diagnostic, Requests, Scalar, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A `${name}` in a declared value."""

    name: str
    value: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: as declared and as it is; null where it is not set or not there."""

    path: str
    managed: bool
    declared: Scalar = None
    live: Scalar = None
    differs: bool = False
    source: Source | None = None
    overridden: bool = False
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The object in one account.

    Attributes:
        address: its address.
        company: host of the account.
        source: where it is declared, if it is.
        remote_id: its id, if it is there.
        known_by: what tells that what is declared and what is there are one.
        fields: those that are declared, then the others that it has.
        action: what is to be done; null for nothing.
        why: the reason, in words.
        change: the change, as a plan has it.
        waits_for: changes of the plan that come first.
        needed_by: declared objects that refer to it.
        diagnostics: what a plan limited to it says besides; a guard among them stops it, and says what allows it.
        applyable: whether nothing stops it.
    """

    address: str
    company: str
    source: Source | None = None
    remote_id: str | None = None
    known_by: tuple[Literal["id", "lock", "marker", "name", "previous-name"], ...] = ()
    fields: tuple[Field, ...] = ()
    action: Literal["add", "update", "delete"] | None = None
    why: str
    change: Change | None = None
    waits_for: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    applyable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """What was asked for, where it was found, and what reading has cost."""

    format_version: str = FORMAT_VERSION
    leadstate_version: str
    target: str
    explanations: tuple[Explanation, ...]
    read: Requests


def dump(document: Explanations) -> str:
    """The document as JSON."""
    return TypeAdapter(Explanations).dump_json(document, indent=2).decode() + "\n"
