"""From a receipt to declarations that lead back: what was deleted is declared, what was changed, as it was before.

A field that somebody has changed since the apply is left as it is (spec section 4).
"""

from collections.abc import Iterator, Mapping

from leadstate.core.address import Address, Ref, Span
from leadstate.core.errors import ReportError
from leadstate.core.resource import AtLeast, Attrs, Desired
from leadstate.kinds import kind_named
from leadstate.report.document import Account, Change

_LEFT_UNDONE = ("skipped", "conflict")


def way_back(account: Account, receipt: str) -> tuple[Desired, ...]:
    """The declarations that undo one account's part of an apply.

    A change without a result counts: the run was killed, and the live state tells whether it was made.

    Args:
        account: the account's part of a receipt.
        receipt: its file, for the place that reports name.

    Raises:
        ReportError: the receipt holds values that no apply has written.
    """
    try:
        return _way_back(account, receipt)
    except (TypeError, ValueError, KeyError, ArithmeticError):
        hint = "a receipt cannot be edited; take another one, or undo the rest by hand"
        raise ReportError(f"{receipt} holds values that no apply has written", hint=hint) from None


def _way_back(account: Account, receipt: str) -> tuple[Desired, ...]:
    made = [one for one in account.changes if one.result is None or one.result.status not in _LEFT_UNDONE]
    undone = [_undo(account.account, one, Span(receipt, 1, 1)) for one in made]
    own = {one.remote_id for one in undone if one.remote_id is not None}
    carriers = _carriers(account, made, Span(receipt, 1, 1))
    return (*undone, *(one for one in carriers if one.remote_id not in own))


def known_names(account: Account) -> dict[str, str]:
    """Remote id → key, as the apply knew the account's objects."""
    return {remote_id: ref.partition(":")[2] for ref, remote_id in account.bindings.items()}


def _undo(account: str, change: Change, span: Span) -> Desired:
    address = _address(account, change.address)
    before = _attrs(change.kind, {one.path: one.before for one in change.fields})
    after = _attrs(change.kind, {one.path: one.after for one in change.fields})
    match change.action:
        case "add":
            # Known by its id where the answer came; else by what it was created with.
            made = change.result.remote_id if change.result else None
            names = (str(after["name"]),) if change.kind == "label" else ()
            return Desired(
                address, {}, span, mark=change.mark, names=names, present=False, remote_id=made, only_from=after
            )
        case "update":
            names = (str(before["name"]),) if "name" in before else ()
            return Desired(address, before, span, names=names, remote_id=change.remote_id, only_from=after)
        case "delete":
            names = (str(before["name"]),) if change.kind == "label" else ()
            there = {name: value for name, value in before.items() if name != "archived" or value is True}
            return Desired(address, there, span, mark=change.mark, names=names)


def _carriers(account: Account, changes: list[Change], span: Span) -> Iterator[Desired]:
    """Leads that carried a deleted label get it back, whatever else they carry now."""
    labels: dict[str, list[Ref]] = {}
    for change in changes:
        for lead in change.carriers or ():
            labels.setdefault(lead, []).append(_address(account.account, change.address).ref)
    for lead, refs in sorted(labels.items()):
        address = Address(account.account, "lead", f"#{lead}")
        yield Desired(address, {"labels": AtLeast(tuple(sorted(refs, key=str)))}, span, remote_id=lead)


def _attrs(kind: str, fields: Mapping[str, object]) -> Attrs:
    return {name: kind_named(kind).from_plain(name, value) for name, value in fields.items()}


def _address(account: str, text: str) -> Address:
    kind, _, key = text.removeprefix(f"{account}/").partition(":")
    return Address(account, kind, key)
