"""Reads what the rollback of an apply needs: all labels, and the leads that the apply touched, archived ones by id."""

from collections.abc import Iterator
from dataclasses import replace

from leadstate.engine.read.custom_fields import read_fields, the_one
from leadstate.engine.read.leads import Listed, ask_for_ids, check_labels, read_archived, read_live
from leadstate.engine.read.observe import is_always_read, read_listing, without_ignored
from leadstate.kinds import KINDS
from leadstate.kinds.custom_fields import CustomFields, Unfit, normal
from leadstate.model.account import Account
from leadstate.model.address import Ref, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountReceipt, Touch
from leadstate.model.resource import CARRIED, CARRIER, CUSTOM, Attrs, CustomValue, Observed, Value
from leadstate.pipedrive.client import Reader


async def observe_touched(
    account: Account, receipt: AccountReceipt, reader: Reader
) -> tuple[Account, Observed, tuple[Diagnostic, ...]]:
    """Read the live state of everything that an apply has touched.

    Returns the account with the receipt's custom fields in normal form, what exists, and what cannot be restored.

    Live leads are listed where that costs less than to ask for each, where a lead has to be found by its marker, and
    where a label is to be deleted that other leads may carry by now. What is not among them is asked for by id.

    Raises:
        ApiError: the account could not be read as a whole.
    """
    touched_kinds = {touch.kind for touch in receipt.touched}
    named = {
        kind.name: await read_listing(kind, reader)
        for kind in KINDS.values()
        if kind.is_named and (is_always_read(kind) or kind.name in touched_kinds)
    }
    carrier = KINDS[CARRIER]
    leads = [touch for touch in receipt.touched if touch.kind == carrier.name]
    ids = {touch.remote_id for touch in leads if touch.remote_id is not None}
    made = {touch.marker for touch in leads if touch.marker and touch.remote_id is None}
    deleted = {touch.marker for touch in leads if touch.marker and touch.after is None}
    labels_added = any(touch.kind == CARRIED and touch.before is None for touch in receipt.touched)
    listing = max(1, reader.pages_of(carrier.listing)) * carrier.listing.tokens
    listed: Listed | None = None
    if made or deleted or labels_added or (carrier.one is not None and len(ids) * carrier.one.tokens > listing):
        keeping = replace(account, lock={Ref(carrier.name, remote_id): remote_id for remote_id in ids})
        listed = await read_live(carrier, keeping, reader)
        check_labels(named[CARRIED], listed.carriers.keys())
    seen = {} if listed is None else {lead.remote_id: lead for lead in listed.kept}
    seen |= await ask_for_ids(carrier, sorted(ids - seen.keys()), reader)
    missing = frozenset(deleted - {lead.marker for lead in seen.values()})
    archived = Listed(account, carrier)
    if missing:
        archived = await read_archived(carrier, account, reader, missing, account.policy.archived_pages)
        seen |= {lead.remote_id: lead for lead in archived.kept if lead.marker in missing}
    fields, diagnostics = await _fields(account, receipt, reader)
    kept, ignored = without_ignored(account, named)
    observed = Observed(
        {**kept, carrier.name: list(seen.values())},
        carriers=None if listed is None else listed.carriers,
        unsure=missing - {lead.marker or "" for lead in archived.kept} if archived.cut else frozenset(),
        pages=0 if listed is None else listed.pages,
        fields=fields,
        ignored=ignored,
    )
    touched = tuple(_typed(touch, fields) for touch in receipt.touched)
    return replace(account, receipt=replace(receipt, touched=touched)), observed, diagnostics


async def _fields(
    account: Account, receipt: AccountReceipt, reader: Reader
) -> tuple[CustomFields | None, tuple[Diagnostic, ...]]:
    """The account's custom fields, where any was touched; and a diagnostic for each that cannot be written any more."""
    named = {name.removeprefix(CUSTOM) for touch in receipt.touched for name in _custom(touch)}
    if not named and not any(touch.custom for touch in receipt.touched):
        return None, ()
    fields = CustomFields(await read_fields(reader)).using(named)
    lost = {_unwritable(name, fields) for name in named}
    lost |= {fields.unreadable(key) for touch in receipt.touched for key in touch.custom}
    diagnostics = (
        Diagnostic(
            "custom-field",
            Severity.WARNING,
            f"{why}: its values are not restored",
            hint="fill it in by hand",
            span=Span(receipt.file, 1, 1),
            account=account.name,
        )
        for why in sorted(lost - {""})
    )
    return fields, tuple(diagnostics)


def _unwritable(name: str, fields: CustomFields) -> str:
    try:
        the_one(name, fields)
    except Unfit as unfit:
        return f"the custom field {name!r}: {unfit}"
    return ""


def _custom(touch: Touch) -> Iterator[str]:
    for attrs in (touch.before or {}, touch.after or {}):
        yield from (name for name in attrs if name.startswith(CUSTOM))


def _typed(touch: Touch, fields: CustomFields | None) -> Touch:
    if fields is None or not any(_custom(touch)):
        return touch
    return replace(touch, before=_normal(touch.before, fields), after=_normal(touch.after, fields))


def _normal(attrs: Attrs | None, fields: CustomFields) -> Attrs | None:
    """Attributes with custom fields in the form in which live ones are read; those that do not fit are left out."""
    if attrs is None:
        return None
    made: dict[str, Value] = {}
    for name, value in attrs.items():
        if not isinstance(value, CustomValue):
            made[name] = value
            continue
        try:
            made[name] = normal(the_one(name.removeprefix(CUSTOM), fields), value, Span("", 1, 1))
        except Unfit:
            continue
    return made
