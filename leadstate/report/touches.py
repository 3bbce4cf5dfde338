"""What an apply has touched, as a receipt holds it: the core's form to the document's and back.

A receipt may have been edited, so whatever is read is checked for the form that an apply writes.
"""

from collections.abc import Mapping
from decimal import Decimal

from leadstate.kinds import KINDS
from leadstate.model.address import RemoteRef
from leadstate.model.errors import ReportError
from leadstate.model.outcome import AccountReceipt, Touch
from leadstate.model.plan import plain
from leadstate.model.resource import CUSTOM, Attrs, Value
from leadstate.pipedrive.operations import UUID
from leadstate.report import document as doc


def touch_row(touch: Touch) -> doc.Touch:
    """A touch; labels stand as their ids."""
    return doc.Touch(
        kind=touch.kind,
        remote_id=touch.remote_id,
        key=touch.key,
        before=_plain(touch.kind, touch.before),
        after=_plain(touch.kind, touch.after),
        marker=touch.marker,
        custom={key: plain(value) for key, value in touch.custom.items()},
        answered=touch.answered,
        locked_as=touch.locked_as,
    )


def receipt_of(account: doc.Account, file: str) -> AccountReceipt:
    """What an apply has done to an account.

    Args:
        account: its part of a receipt.
        file: where the receipt is.

    Raises:
        ReportError: it holds something that no apply writes.
    """
    ids = account.bindings
    names = {label.address.removeprefix(f"{account.account}/"): label.name for label in account.labels}
    try:
        touched = tuple(_touch(row) for row in account.touched or ())
    except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError) as problem:
        raise ReportError(
            f"{file} was edited: {account.account} holds something that no apply writes ({problem})",
            hint="use the receipt as leadstate wrote it, or undo the rest by hand",
        ) from None
    return AccountReceipt(file, touched, {ids[ref]: name for ref, name in names.items() if ref in ids}, account.names)


def _plain(kind: str, attrs: Attrs | None) -> dict[str, object] | None:
    if attrs is None:
        return None
    lists = KINDS[kind].references
    return {name: _ids(value) if name in lists else plain(value) for name, value in attrs.items()}


def _ids(value: Value) -> list[str]:
    return [label.id for label in value if isinstance(label, RemoteRef)] if isinstance(value, tuple) else []


def _touch(row: doc.Touch) -> Touch:
    if row.kind not in KINDS:
        raise ValueError(f"there is no kind {row.kind!r}")
    if row.remote_id is not None and not UUID.fullmatch(row.remote_id):
        raise ValueError(f"{row.remote_id!r} is no id")
    if row.before is None and row.after is None:
        raise ValueError("an object that never was")
    needed = KINDS[row.kind].needed_to_recreate
    if row.before is not None and row.after is None and not needed <= row.before.keys():
        raise ValueError(f"a deleted {row.kind} without its {' and '.join(sorted(needed))}")
    return Touch(
        row.kind,
        row.remote_id,
        row.key,
        _attrs(row.kind, row.before),
        _attrs(row.kind, row.after),
        row.marker,
        {key: _exact(value) for key, value in row.custom.items()},
        row.answered,
        row.locked_as,
    )


def _attrs(kind: str, attrs: Mapping[str, object] | None) -> Attrs | None:
    return None if attrs is None else {name: _value(kind, name, value) for name, value in attrs.items()}


def _value(kind_name: str, name: str, value: object) -> Value:
    kind = KINDS[kind_name]
    if kind.custom_fields and name.startswith(CUSTOM):
        return kind.from_plain(name, value)
    if name not in kind.forms:
        raise ValueError(f"a {kind_name} has no attribute {name!r}")
    if not kind.forms[name](value):
        raise ValueError(f"{name} of a {kind_name} is {value!r}")
    if name in kind.references and isinstance(value, list):
        return tuple(sorted(RemoteRef(kind.references[name], remote_id) for remote_id in value))
    return kind.from_plain(name, value)


def _exact(value: object) -> object:
    """A number of a raw answer, as answers are read: without a rounding error."""
    return Decimal(repr(value)) if isinstance(value, float) else value
