"""Reads what the rollback of an apply needs: all labels, and the leads that the apply touched, archived ones by id."""

from dataclasses import replace

from leadstate.engine.read.leads import Costs, Listed, ask_for_ids, check_labels, read_archived, read_live
from leadstate.engine.read.lookups import normalize_attrs, read_fields
from leadstate.engine.read.observe import read_named_kinds
from leadstate.kinds import KINDS
from leadstate.kinds.custom_fields import CustomFields
from leadstate.model.account import Account
from leadstate.model.address import Ref, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountReceipt, Touch
from leadstate.model.resource import CARRIED, CARRIER, CUSTOM, Attrs, Observed
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
    named, ignored = await read_named_kinds(account, reader, {touch.kind for touch in receipt.touched})
    leads = [touch for touch in receipt.touched if touch.kind == CARRIER]
    ids = {touch.remote_id for touch in leads if touch.remote_id is not None}
    made = {touch.marker for touch in leads if touch.marker and touch.remote_id is None}
    deleted = {touch.marker for touch in leads if touch.marker and touch.after is None}
    labels_added = any(touch.kind == CARRIED and touch.before is None for touch in receipt.touched)
    costs = Costs(len(ids), reader.known_pages(KINDS[CARRIER].listing), "")
    listed: Listed | None = None
    if made or deleted or labels_added or costs.id_tokens > costs.list_tokens:
        keeping = replace(account, lock={Ref(CARRIER, remote_id): remote_id for remote_id in ids})
        listed = await read_live(keeping, reader)
        check_labels([*named[CARRIED], *ignored[CARRIED]], listed.carriers.keys())
    seen = {} if listed is None else {lead.remote_id: lead for lead in listed.kept}
    seen |= await ask_for_ids(sorted(ids - seen.keys()), reader)
    missing = frozenset(deleted - {lead.marker for lead in seen.values()})
    archived = await read_archived(account, reader, missing)
    seen |= {lead.remote_id: lead for lead in archived.kept if lead.marker in missing}
    receipt, fields, diagnostics = await _with_custom_fields(account, receipt, reader)
    observed = Observed(
        {**named, CARRIER: list(seen.values())},
        carriers=None if listed is None else listed.carriers,
        unsure=archived.unsure(missing),
        pages=0 if listed is None else listed.pages,
        fields=fields,
        ignored=ignored,
    )
    return replace(account, receipt=receipt), observed, diagnostics


async def _with_custom_fields(
    account: Account, receipt: AccountReceipt, reader: Reader
) -> tuple[AccountReceipt, CustomFields | None, tuple[Diagnostic, ...]]:
    """Return the receipt with custom fields in the form in which live ones are read, and the account's fields.

    Values that cannot be written any more are left out, with a diagnostic for each field. A created lead gets no value
    back: what it was given, and cannot be compared any more, stays as it is and equals nothing. Where no custom field
    has to be written or known by its name, none is read.
    """
    sides = [attrs for touch in receipt.touched for attrs in (touch.before, touch.after) if attrs is not None]
    used = {name.removeprefix(CUSTOM) for attrs in sides for name in attrs if name.startswith(CUSTOM)}
    if not used and not any(touch.custom for touch in receipt.touched if touch.after is None):
        return receipt, None, ()
    fields = await read_fields(reader, used)
    lost: set[str] = set()

    def normal(attrs: Attrs | None, *, created: bool) -> Attrs | None:
        if attrs is None:
            return None
        made, unfit = normalize_attrs(attrs, fields, Span("", 1, 1))
        if created:
            return {**made, **{name: attrs[name] for name in unfit}}
        lost.update(f"the custom field {name.removeprefix(CUSTOM)!r}: {why}" for name, why in unfit.items())
        return made

    def writable(touch: Touch) -> Touch:
        created, names = touch.before is None, (*(touch.before or ()), *(touch.after or ()))
        if not touch.custom and not any(name.startswith(CUSTOM) for name in names):
            return touch
        unwritable = (
            {} if created else {key: why for key in touch.custom if (why := fields.unwritable(key, touch.custom))}
        )
        lost.update(unwritable.values())
        custom = {key: raw for key, raw in touch.custom.items() if key not in unwritable}
        before, after = (normal(attrs, created=created) for attrs in (touch.before, touch.after))
        return replace(touch, before=before, after=after, custom=custom)

    touched = tuple(map(writable, receipt.touched))
    diagnostics = (
        Diagnostic(
            "custom-field",
            Severity.WARNING,
            f"{why}: its values are not restored",
            hint="fill it in by hand",
            span=Span(receipt.file, 1, 1),
            account=account.name,
        )
        for why in sorted(lost)
    )
    return replace(receipt, touched=touched), fields, tuple(diagnostics)
