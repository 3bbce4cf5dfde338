"""Gives declared custom fields their normal form: names and options are an account's own, and so are the types.

The fields are listed once a run, at 10 tokens, and only where a declared lead that is not a finished seed names one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from leadstate.kinds.custom_fields import CustomFields, Unfit, decode
from leadstate.model.account import Account
from leadstate.model.address import Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import CUSTOM, Attrs, CustomValue, Desired, Value
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.operations import GET_DEAL_FIELDS

CANDIDATES = 20
"""How many of several candidates a message names."""


async def typed(
    account: Account, planned: Iterable[Desired], reader: Reader
) -> tuple[Account, CustomFields | None, tuple[Diagnostic, ...]]:
    """Return the account with each custom field in normal form, and the fields it has; None if nothing needs them.

    A field that cannot be had is left out, so that nothing is planned for it; the diagnostic keeps the account from
    being applied.

    Args:
        account: what is declared.
        planned: the declared objects of which the fields matter.
        reader: the way to it.

    Raises:
        ApiError: the fields could not be read.
    """
    used = {name.removeprefix(CUSTOM) for desired in planned for name in _custom(desired.attrs)}
    fields = await read_fields(reader, used) if used else None
    diagnostics: list[Diagnostic] = []
    made: list[Desired] = []
    for desired in account.desired:
        if not any(_custom(desired.attrs)):
            made.append(desired)
            continue
        attrs, unfit = normal_attrs(desired.attrs, fields, desired.span)
        made.append(replace(desired, attrs=attrs))
        diagnostics += [_diagnostic(desired, name, failure) for name, failure in unfit.items()]
    return replace(account, desired=tuple(made)), fields, tuple(diagnostics)


async def read_fields(reader: Reader, used: Iterable[str]) -> CustomFields:
    """Return the custom fields of an account; where one that is used is not set, it is read as None.

    Raises:
        ApiError: they could not be read.
    """
    rows = await reader.rows(GET_DEAL_FIELDS)
    return CustomFields((found for row in rows if (found := decode(row)) is not None), used)


def normal_attrs(attrs: Attrs, fields: CustomFields | None, span: Span) -> tuple[Attrs, dict[str, Unfit]]:
    """Return attributes with custom fields in normal form; those that do not fit are left out, and why, by name.

    Without the account's fields all of them are left out.
    """
    made: dict[str, Value] = {}
    unfit: dict[str, Unfit] = {}
    for attribute, value in attrs.items():
        if not isinstance(value, CustomValue):
            made[attribute] = value
        elif fields is not None:
            try:
                made[attribute] = fields.normal(attribute.removeprefix(CUSTOM), value, span)
            except Unfit as failure:
                unfit[attribute] = failure
    return made, unfit


def _custom(attrs: Attrs) -> Iterator[str]:
    return (name for name, value in attrs.items() if isinstance(value, CustomValue))


def _diagnostic(desired: Desired, attribute: str, unfit: Unfit) -> Diagnostic:
    value, candidates = desired.attrs[attribute], unfit.candidates
    more = f"\nand {len(candidates) - CANDIDATES} more" if len(candidates) > CANDIDATES else ""
    return desired.diagnostic(
        "custom-field",
        Severity.ERROR,
        f"the custom field {attribute.removeprefix(CUSTOM)!r}: {unfit}",
        detail="\n".join(candidates[:CANDIDATES]) + more,
        hint=unfit.fix,
        span=value.span if isinstance(value, CustomValue) else None,
    )
