"""Gives declared custom fields their normal form: names and options are an account's own, and so are the types.

The fields are listed once a run, at 10 tokens, and only where a declared lead that is not a finished seed names one.
"""

from collections.abc import Iterable
from dataclasses import replace

from leadstate.kinds.custom_fields import UNREADABLE, CustomField, CustomFields, Unfit, decode, normal
from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import CUSTOM, Attrs, CustomValue, Desired, Value
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.operations import GET_DEAL_FIELDS

CANDIDATES = 20
"""How many of several candidates a message names."""


async def typed(
    account: Account, planned: Iterable[Desired], reader: Reader
) -> tuple[Account, CustomFields | None, tuple[Diagnostic, ...]]:
    """The account with each custom field in normal form, and the fields it has; None where nothing needs them.

    A field that cannot be had is left out, so that nothing is planned for it; the diagnostic keeps the account from
    being applied.

    Args:
        account: what is declared.
        planned: the declared objects of which the fields matter.
        reader: the way to it.

    Raises:
        ApiError: the fields could not be read.
    """
    used = {name.removeprefix(CUSTOM) for desired in planned for name in _custom(desired)}
    if not used:
        return replace(account, desired=tuple(_without(desired_item) for desired_item in account.desired)), None, ()
    fields = CustomFields(await read_fields(reader)).using(used)
    diagnostics: list[Diagnostic] = []
    desired = tuple(_typed(desired_item, fields, diagnostics) for desired_item in account.desired)
    return replace(account, desired=desired), fields, tuple(diagnostics)


async def read_fields(reader: Reader) -> list[CustomField]:
    """The custom fields of an account.

    Raises:
        ApiError: they could not be read.
    """
    return [found for row in await reader.rows(GET_DEAL_FIELDS) if (found := decode(row)) is not None]


def _custom(desired: Desired) -> list[str]:
    """The custom fields that it shall have."""
    return [name for name, value in desired.attrs.items() if isinstance(value, CustomValue)]


def _without(desired: Desired) -> Desired:
    names = _custom(desired)
    return replace(desired, attrs={k: v for k, v in desired.attrs.items() if k not in names}) if names else desired


def _typed(desired: Desired, fields: CustomFields, diagnostics: list[Diagnostic]) -> Desired:
    if not _custom(desired):
        return desired
    return replace(desired, attrs=_normal(desired.attrs, desired, fields, diagnostics))


def _normal(attrs: Attrs, desired: Desired, fields: CustomFields, diagnostics: list[Diagnostic]) -> Attrs:
    made: dict[str, Value] = {}
    for attribute, value in attrs.items():
        if not isinstance(value, CustomValue):
            made[attribute] = value
            continue
        name = attribute.removeprefix(CUSTOM)
        try:
            made[attribute] = normal(the_one(name, fields), value, desired.span)
        except Unfit as unfit:
            diagnostics.append(_diagnostic(desired, name, value, unfit))
    return made


def the_one(name: str, fields: CustomFields) -> CustomField:
    """Return the field of a name; raise `Unfit` if there is none, or more than one."""
    named = fields.named(name)
    if not named:
        fix = "write the name of a deal field, which leads have too, or create it in Pipedrive first"
        raise Unfit("there is none of this name", fix, tuple(fields.names))
    if len(named) > 1:
        candidates = tuple(f"{field.key}  {field.type}" for field in named)
        raise Unfit(f"there are {len(named)} of this name", "rename one of them in Pipedrive", candidates)
    if named[0].type == UNREADABLE:
        raise Unfit(
            "the server describes it in a form that cannot be understood", "report it; other fields are not affected"
        )
    return named[0]


def _diagnostic(desired: Desired, name: str, value: CustomValue, unfit: Unfit) -> Diagnostic:
    candidates = unfit.candidates
    more = f"\nand {len(candidates) - CANDIDATES} more" if len(candidates) > CANDIDATES else ""
    return desired.diagnostic(
        "custom-field",
        Severity.ERROR,
        f"the custom field {name!r}: {unfit}",
        detail="\n".join(candidates[:CANDIDATES]) + more,
        hint=unfit.fix,
        span=value.span,
    )
