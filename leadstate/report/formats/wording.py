"""Words for changes, costs and reasons: the same in every format that people read."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leadstate.model.address import Span
from leadstate.model.diagnostics import counted, some
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, Report, Requests, Scalar, Untouched

LONGEST_VALUE = 60
"""Characters of a value that are shown where space is dear."""

FEW = 3
"""Accounts, objects and places that are named where there are many; the others are counted."""

_LONGEST_REASON = 200
"""Characters of what a sentence at the end repeats."""

_CORRELATION = re.compile(r", correlation id [^\s,;()]+")
"""By what the errors of two requests differ that are otherwise equal."""

SIGN = {"add": "+", "update": "~", "delete": "-"}

WHY_DELETED = {
    "state-absent": "declared absent",
    "unmanaged": "unmanaged (prune)",
    "merged": "merged into",
    "duplicate": "duplicate; `keep` names another one",
    "undone": "added by the run that is undone",
}
_WHY_UNTOUCHED = {
    "ignored": "policy.ignore",
    "protected": "policy.protect",
    "unmanaged": "unmanaged; prune: none",
    "not-locked": "not declared and not in the lock file; prune: locked",
    "not-ours": "not ours",
    "seed": "mode: seed, created once",
    "archived": "archived; declare archived: false to manage",
    "previous-name": "has a previous name of another label",
    "ambiguous": "several could be meant",
    "changed-since": "changed since by somebody",
    "gone": "deleted since",
    "duplicate": "not created again; another lead has its marker",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One closing line: words that stand out, the rest, and whether it is good or bad news."""

    text: str
    lead: str = ""
    tone: Literal["plain", "good", "bad"] = "plain"

    def __str__(self) -> str:
        return self.lead + self.text


def local_name(account: Account, address: str) -> str:
    """Return an address within its account, fit to be shown, with the title of a lead that has no key."""
    name = address.removeprefix(f"{account.account}/")
    return visible(f'{name} "{account.names[name]}"' if name in account.names else name)


def shown_fields(change: Change, known: Mapping[str, str], longest: int = LONGEST_VALUE) -> list[tuple[str, str, str]]:
    """Return the fields that tell something, each with its values before and after, as text.

    A delete has none, and the name of a new label is in its address.

    Args:
        change: the change.
        known: field and id, with a colon between → what is shown in place of the id.
        longest: characters of a value.
    """

    def text(path: str, given: Scalar) -> str:
        name = known.get(f"{path}:{given}") if isinstance(given, int) else None
        return value(given, longest) if name is None else clip(visible(name), longest)

    if change.action == "delete":
        return []
    return [
        (visible(field.path), text(field.path, field.before), text(field.path, field.after))
        for field in change.fields
        if not (change.action == "add" and field.path == "name" and change.address.endswith(f":{field.after}"))
    ]


def field_lines(change: Change, known: Mapping[str, str]) -> list[str]:
    """Return `shown_fields` as lines, the value before only of an update."""
    return [
        f"{path}: {before} → {after}" if change.action == "update" else f"{path}: {after}"
        for path, before, after in shown_fields(change, known)
    ]


def value(given: Scalar, longest: int = LONGEST_VALUE) -> str:
    """Return a value of a field on one line, cut after so many characters."""
    match given:
        case None:
            text = "—"
        case {"amount": amount, "currency": currency}:
            text = visible(f"{amount} {currency}")
        case _:
            text = visible(json.dumps(given, ensure_ascii=False))
    return clip(text, longest)


def clip(text: str, longest: int) -> str:
    """Return the text, its end replaced by an ellipsis if it has more characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def why_deleted(change: Change) -> str:
    """Return why an object is deleted, and what takes its place."""
    why = WHY_DELETED.get(change.reason, change.reason)
    return f"{why} {visible(change.moves_to)}" if change.moves_to else why


def note(change: Change) -> str:
    """Return what leads a change concerns, and where it comes from."""
    return "  ".join(filter(None, (impact(change), change.origin)))


def impact(change: Change) -> str:
    """Return what the change means for leads; nothing if none were counted."""
    if change.impact is None or change.impact.leads is None:
        return ""
    single = change.impact.leads == 1
    if change.moves_to:
        verb = "moves first" if single else "move first"
    elif change.action == "update":
        verb = "keeps it" if single else "keep it"
    else:
        verb = "carries it" if single else "carry it"
    archived = change.impact.archived_leads or 0
    live = f"{counted(change.impact.leads, 'lead')} {verb}"
    if not archived:
        return live
    if not change.moves_to:
        return f"{live}, {archived:,} archived too"
    return f"{live}, {archived:,} archived {'does' if archived == 1 else 'do'} not"


def places(sources: Sequence[Span]) -> str:
    """Return the place of equal changes, or how many places there are."""
    if len(sources) > 1:
        return counted(len(sources), "place")
    return visible(f"{sources[0].file}:{sources[0].line}") if sources else ""


def names(accounts: Sequence[Account]) -> list[str]:
    """Return the names of accounts."""
    return [account.account for account in accounts]


def where(accounts: Sequence[Account], total: int, shown: Callable[[str], str] = visible) -> str:
    """Return `emea, us`, `97 accounts: a, b, c and 94 more` or `all 100 accounts`.

    Args:
        accounts: the accounts.
        total: how many accounts the report has.
        shown: makes a name fit to be shown.
    """
    named = some([*map(shown, names(accounts))], FEW)
    if len(accounts) <= FEW:
        return named
    return how_many(accounts, total) + ("" if is_all(accounts, total) else f": {named}")


def how_many(accounts: Sequence[Account], total: int) -> str:
    """Return `97 accounts`, or `all 100 accounts` unless these are so few that they are named."""
    return f"{'all ' if is_all(accounts, total) else ''}{counted(len(accounts), 'account')}"


def is_all(accounts: Sequence[Account], total: int) -> bool:
    """Return whether these are all accounts, and too many to be named."""
    return len(accounts) == total > FEW


def untouched_lines(accounts: Sequence[Account], total: int = 1) -> Iterator[str]:
    """Yield what is untouched and why, first each object with a detail of its own; of several accounts also in which.

    Args:
        accounts: the accounts, of which equal things are one line.
        total: how many accounts the report has.
    """
    alike: dict[tuple[str, str, str, str], list[tuple[Account, Untouched]]] = {}
    for account in accounts:
        for left in account.untouched:
            address = (left.address or left.kind).removeprefix(f"{account.account}/") if left.detail else ""
            alike.setdefault((address, left.detail, left.kind, left.reason), []).append((account, left))
    for (address, detail, kind, reason), members in sorted(alike.items(), key=lambda group: not group[0][0]):
        if address:
            what = visible(f"{address} {detail}")
        else:
            count = counted(sum(left.count for _, left in members), kind)
            what = f"{count} untouched ({why_untouched(members[0][1])})"
            named = dict.fromkeys(local_name(account, left.address) for account, left in members if left.address)
            if reason in ("gone", "changed-since", "duplicate") and named:  # people want to know which
                what += f": {some([*named], FEW)}"
        holders = tuple({account.account: account for account, _ in members}.values())
        if total > 1:
            few = len(holders) <= FEW
            what = f"In {where(holders, total) if few else how_many(holders, total)}: {what}"
        yield what


def why_untouched(untouched: Untouched) -> str:
    """Return why an object is untouched."""
    if untouched.kind == "lead" and untouched.reason == "gone" and not untouched.detail:
        return "deleted, converted to a deal, or hidden from the token"
    return untouched.detail or _WHY_UNTOUCHED.get(untouched.reason, untouched.reason)


def headline(report: Report) -> Sentence:
    """Return the outcome of the run in one sentence, without what it cost."""
    errors = sum(diagnostic.severity == "error" for diagnostic in report.all_diagnostics())
    if report.command == "validate":
        return Sentence(f"{counted(errors, 'error')}." if errors else "The configuration is valid.")
    if not report.accounts and not errors:
        return Sentence("No account is selected: nothing was asked.")
    if not report.accounts:
        return Sentence(f"{counted(errors, 'error')}; no account was asked.", tone="bad")
    if report.command == "apply":
        results = [change.result.status for account in report.accounts for change in account.changes if change.result]
        order = ("applied", "failed", "skipped", "conflict", "unknown", "declined")
        counts = [f"{results.count(status):,} {status}" for status in order if status in results]
        return Sentence(f"{', '.join(counts) or 'nothing to do'}.", "Apply: ")
    summary = report.summary
    if not summary.changes and report.applyable:
        are = "object is" if summary.unchanged == 1 else "objects are"
        return Sentence(f"No changes. {summary.unchanged:,} {are} up to date.")
    planned = f"{summary.add:,} to add, {summary.update:,} to update, {summary.delete:,} to delete."
    return Sentence(planned, "Plan: ")


def spent(report: Report) -> str:
    """Return what the run has cost and the apply will cost; nothing if no account was asked."""
    if report.command == "validate" or not report.accounts:
        return ""
    read, apply = f"Read {cost_text(report.cost.read)}", cost_text(report.cost.apply)
    if report.command == "apply":
        # A run that was killed could not write down what it took; what was done takes a request at the least.
        done = any(
            change.result and change.result.status in ("applied", "unknown")
            for account in report.accounts
            for change in account.changes
        )
        known = report.cost.apply.requests or not done
        return f"{read}; applying took {apply}." if known else f"{read}; what applying took is not known."
    if not report.summary.changes and report.applyable:
        return f"{read}."
    return f"{read}; apply will take {apply}."


def remarks(report: Report, *, diagnostics: str = "above") -> Iterator[Sentence]:
    """Yield after the headline whether a plan can be applied, or whether an apply has converged.

    Args:
        report: the document.
        diagnostics: where the reader finds what speaks against an apply.
    """
    if report.command == "validate" or not report.accounts:
        return
    if report.command == "plan":
        if report.undoes:
            yield Sentence(f"It undoes the run of {_quote(report.undoes)}.")
        yield from _compared(report)
        if not report.complete:
            yield Sentence(f"The plan is incomplete: see the errors {diagnostics}.", tone="bad")
        elif not report.applyable:
            yield Sentence(f"It will not be applied as it is: see {diagnostics}.", tone="bad")
        return
    yield _read_again(report)


def _read_again(report: Report) -> Sentence:
    """Return how an apply ended: no differences, what remains, or that an account could not be read again."""
    remaining = [account.remaining for account in report.accounts if account.remaining is not None]
    changes, errors = sum(totals.unexpected for totals in remaining), sum(len(totals.errors) for totals in remaining)
    declined = sum(totals.declined for totals in remaining)
    besides = f" besides {counted(declined, 'declined change')}" if declined else ""
    left = [counted(count, word) for count, word in ((changes, "difference"), (errors, "error")) if count]
    unread = [account.unread for account in report.accounts if account.remaining is None]
    if unread:
        rest = f" In the others: {' and '.join(left)}{besides}." if left else ""
        words = f"{counted(len(unread), 'account')} could not be read again{_why_unread(unread)}.{rest}"
        return Sentence(words, tone="bad")
    if left:
        return Sentence(f"Read again: {' and '.join(left)}{besides}. The apply did not converge.", tone="bad")
    if declined:
        what = "the declined change is" if declined == 1 else f"the {declined:,} declined changes are"
        return Sentence(f"Read again: only {what} left.", tone="good")
    return Sentence("Read again: no differences.", tone="good")


def _why_unread(reasons: Iterable[str]) -> str:
    """Return in parentheses why accounts could not be read again, equal reasons once, and the first of many."""
    equal: dict[str, list[str]] = {}
    for reason in sorted(filter(None, reasons)):
        equal.setdefault(without_correlation(reason), []).append(reason)
    shown = [_quote(merge_texts(texts)) for texts in list(equal.values())[:FEW]]
    if len(equal) > FEW:
        shown.append(counted(len(equal) - FEW, "more reason"))
    return f" ({'; '.join(shown)})" if shown else ""


def without_correlation(text: str) -> str:
    """Return an error's text without the correlation id, which differs from request to request."""
    return _CORRELATION.sub("", text)


def merge_texts(texts: Iterable[str]) -> str:
    """Return texts that differ in their correlation ids alone as one text, with one id and the number of the others."""
    different = list(dict.fromkeys(texts))
    first = next(filter(_CORRELATION.search, different), different[0])
    return first if len(different) == 1 else _CORRELATION.sub(rf"\g<0> and {len(different) - 1:,} more", first, count=1)


def _quote(text: str) -> str:
    return clip(visible(text), _LONGEST_REASON)


def _compared(report: Report) -> Iterator[Sentence]:
    """Yield how many changes come from where, in a plan with a base."""
    origins = [change.origin for account in report.accounts for change in account.changes if change.origin]
    if report.base is None or not origins:
        return
    words = {"change": "from this change", "drift": "drift", "both": "both"}
    counts = ", ".join(f"{origins.count(origin):,} {word}" for origin, word in words.items() if origin in origins)
    besides = f"; comparing took {cost_text(report.base.read)} of that" if report.base.read.requests else ""
    yield Sentence(f"Since {_quote(report.base.revision)}: {counts}{besides}.")


def cost_text(cost: Requests) -> str:
    """Return `2 requests, 20 tokens`."""
    return f"{counted(cost.requests, 'request')}, {counted(cost.tokens, 'token')}"
