"""Reads what exists in an account and is not declared: labels, and where asked leads that carry our marker or none.

Never guesses: a label that could be one of several, or that has a former name of a declared one, is a diagnostic.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from leadstate.engine.jobs import AccountJob, Ended, each
from leadstate.engine.read.leads import as_declared
from leadstate.engine.read.lookups import describe_contacts
from leadstate.engine.read.observe import check_company, read_named_kinds
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind, decode_rows
from leadstate.kinds.lead import decode_summaries
from leadstate.model.account import Account
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import CARRIED, CARRIER, CARRIES, Bindings, Known, Live
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer
from leadstate.pipedrive.pagination import retry_if_shifted
from leadstate.reconcile.changed import labels_in
from leadstate.reconcile.match import Matching, match_kind


@dataclass(frozen=True, slots=True)
class UndeclaredFilter:
    """What to look for.

    Attributes:
        kinds: the kinds identified by name of which everything is read; labels are in any case.
        leads: whether leads are read at all: those that carry our marker, and those that carry none.
        names: whether to read what the people and organizations of those leads are known by.
        owners: only leads of these users; none means all.
        labels: only labels of these names, and leads that carry one of them; none means all.
        sources: only leads from these sources; none means all.
    """

    kinds: frozenset[str] = frozenset()
    leads: bool = False
    names: bool = False
    owners: frozenset[int] = frozenset()
    labels: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Undeclared:
    """What one account has that is not declared.

    Attributes:
        account: its name.
        named: kind → objects that nothing declares, each of which can be told from all others by its name.
        leads: leads with our marker or none, oldest first, their labels as references.
        foreign: how many leads were passed over for they carry a marker of somebody else.
        known: kind and id of a person, organization or user → how it is known, and as what.
        diagnostics: what was left out, and why.
    """

    account: str
    named: Mapping[str, Sequence[Live]] = field(default_factory=dict)
    leads: tuple[Live, ...] = ()
    foreign: int = 0
    known: Known = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()


async def read_undeclared(
    work: Sequence[AccountJob], wanted: UndeclaredFilter, ended: Ended | None = None
) -> list[Undeclared]:
    """Read every account, in the order given; one that cannot be read is a diagnostic of its own."""
    return await each(
        work,
        lambda job: _read(job.account, Reader(job.connection), wanted),
        lambda job, diagnostic: Undeclared(job.account.name, diagnostics=(diagnostic,)),
        ended,
    )


async def _read(account: Account, reader: Reader, wanted: UndeclaredFilter) -> Undeclared:
    await check_company(account, reader)
    live, ignored = await read_named_kinds(account, reader, wanted.kinds)
    leads, foreign, malformed = await _read_leads(account, reader, wanted) if wanted.leads else ([], 0, [])
    carrying = {RemoteRef(CARRIED, label.remote_id) for label in live[CARRIED] if label.name in wanted.labels}
    leads = [lead for lead in leads if not wanted.labels or not carrying.isdisjoint(labels_in(lead.attrs))]
    known = await describe_contacts(leads, reader) if wanted.names else {}
    named: dict[str, Sequence[Live]] = {}
    diagnostics = malformed
    bindings = Bindings()
    for kind, there in live.items():
        matching = match_kind(account, kind, there)
        names = wanted.labels if kind == CARRIED else frozenset()
        nameable, left_out = _find_nameable(account, KINDS[kind], matching, names)
        named[kind] = [live for live in nameable if not names or live.name in names]
        diagnostics += [*matching.diagnostics, *left_out]
        for desired, declared in matching.pairs:
            bindings.bind(desired.address.ref, declared.remote_id)
        for undeclared in nameable:
            bindings.bind(Ref(kind, undeclared.name), undeclared.remote_id)
    hidden = {RemoteRef(CARRIED, label.remote_id) for label in ignored[CARRIED]}
    return Undeclared(
        account.name,
        named,
        tuple(_with_references(lead, hidden, bindings) for lead in leads),
        foreign,
        known,
        tuple(diagnostics),
    )


@retry_if_shifted
async def _read_leads(
    account: Account, reader: Reader, wanted: UndeclaredFilter
) -> tuple[list[Live], int, list[Diagnostic]]:
    """Return live leads that nothing declares and that pass the filters, how many are of others, and what is malformed.

    A lead is of others if it has somebody else's marker.
    """
    kind = KINDS[CARRIER]
    found: list[Live] = []
    foreign = 0
    malformed: list[Diagnostic] = []
    declared = {lead.marker for lead in account.of_kind(kind.name)}
    refs = {lead.address.ref for lead in account.of_kind(kind.name)}
    owners = {str(owner) for owner in wanted.owners}  # some servers answer ids as text
    async with aclosing(reader.pages(kind.listing)) as pages:
        async for page in pages:
            summaries = decode_summaries(kind.listing, page.rows)
            for row, summary in zip(page.rows, summaries, strict=True):
                if wanted.sources and row.get("source_name") not in wanted.sources:
                    continue
                if owners and str(row.get("owner_id")) not in owners:
                    continue
                if summary.origin_id and not account.owns(summary.origin_id):
                    foreign += 1
                    continue
                try:
                    (lead,) = decode_rows(kind, kind.listing, [row])
                except BadAnswer as failure:
                    what = f"the lead {summary.id} was left out: {failure.summary}"
                    hint = "correct it in Pipedrive, and import again"
                    malformed.append(Diagnostic("not-imported", Severity.ERROR, what, hint=hint, account=account.name))
                    continue
                lead = as_declared(account, lead)
                if lead.marker not in declared and account.locked.get(lead.remote_id) not in refs:
                    found.append(lead)
    return found, foreign, malformed


def _with_references(lead: Live, hidden: Collection[RemoteRef], bindings: Bindings) -> Live:
    """Return a lead with its labels as references, without those that are hidden."""
    labels = tuple(label for label in labels_in(lead.attrs) if label not in hidden)
    return replace(lead, attrs=bindings.attrs(replace(lead, attrs={**lead.attrs, CARRIES: labels})))


def _find_nameable(
    account: Account, kind: Kind, matching: Matching, names: frozenset[str]
) -> tuple[list[Live], list[Diagnostic]]:
    """Return the objects that can be declared by their name, and a diagnostic for each other name that is wanted."""
    groups: defaultdict[str, list[Live]] = defaultdict(list)
    for live in matching.extra:
        groups[live.name].append(live)
    taken = {name for desired in account.of_kind(kind.name) for name in (desired.address.key, *desired.names)}
    nameable, diagnostics = [], []
    for name, group in groups.items():
        if len(group) == 1 and name not in taken:
            nameable.append(group[0])
        elif not names or name in names:
            diagnostics.append(_explain_left_out(account, kind, group))
    return nameable, diagnostics


def _explain_left_out(account: Account, kind: Kind, group: Sequence[Live]) -> Diagnostic:
    why, hint = f"a declared {kind.name} has this name or key", "rename it in Pipedrive, and import again"
    if len(group) > 1:
        why, hint = f"several {kind.section} have this name", "rename one in Pipedrive, and import again"
        if "merge_from" in kind.spec.model_fields and not account.policy.protects(kind.name, group[0].name):
            others = ", ".join(f"{{id: {member.remote_id}}}" for member in group[1:])
            hint = f"make them one: declare it with `merge_from: [{others}]`; else rename one in Pipedrive"
    return Diagnostic(
        "not-imported",
        Severity.ERROR,
        f"the {kind.name} {group[0].name!r} was left out: {why}",
        hint=hint,
        detail="\n".join(f"{member.remote_id}  {member.name}" for member in group),
        account=account.name,
    )
