"""Short ways to write report documents in tests."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from leadstate.model.address import Span
from leadstate.model.plan import combined, fingerprint
from leadstate.report.document import (
    Account,
    Change,
    Diagnostic,
    FieldChange,
    Impact,
    Label,
    Report,
    Summary,
    Untouched,
)

SIGN: dict[str, Literal["add", "update", "delete"]] = {"+": "add", "~": "update", "-": "delete"}


def change(sign: str, address: str, *fields: tuple[str, Any, Any], line: int | None = 3, **more: Any) -> Change:
    """Return one change of an account; its kind is read from the address."""
    return Change(
        address=address,
        kind=address.partition("/")[2].partition(":")[0],
        action=SIGN[sign],
        remote_id=None if sign == "+" else "id",
        reason=more.pop("reason", "unmanaged" if sign == "-" else "differs"),
        fields=tuple(FieldChange(path=path, before=before, after=after) for path, before, after in fields),
        source=None if line is None else Span(file=more.pop("file", "leadstate.yaml"), line=line, column=5),
        calls=(),
        **more,
    )


def diagnostic(severity: Literal["error", "guard", "warning"], code: str, summary: str, **more: Any) -> Diagnostic:
    """Return one diagnostic."""
    return Diagnostic(severity=severity, code=code, summary=summary, **more)


def account(name: str, *changes: Change, labels: Sequence[tuple[str, str]] = (), **more: Any) -> Account:
    """Return one account; `labels` are names and colours, as they were read."""
    there = tuple(Label(address=f"{name}/label:{label}", name=label, color=color) for label, color in labels)
    return Account(account=name, company=f"{name}.pipedrive.com", changes=changes, labels=there, **more)


def report(*accounts: Account, command: Literal["plan", "apply", "validate"] = "plan", **more: Any) -> Report:
    """Return a report with true counts and fingerprints."""
    accounts = tuple(replace(account, fingerprint=fingerprint(account)) for account in accounts)
    whole = None if command == "validate" else combined(account.fingerprint for account in accounts)
    actions = [change.action for account in accounts for change in account.changes]
    counts = {action: actions.count(action) for action in ("add", "update", "delete")}
    alone = sum(group.count for account in accounts for group in account.untouched)
    summary = Summary(**counts, unchanged=0, untouched=alone)
    return Report(
        leadstate_version="1.2.3", command=command, fingerprint=whole, summary=summary, accounts=accounts, **more
    )


def many(changes: int, accounts: int = 1) -> Report:
    """Return a report of so many changes, of every kind, evenly over so many accounts."""
    return report(
        *(
            account(f"a{n}", *(_numbered_change(f"a{n}", i) for i in range(changes // accounts)))
            for n in range(accounts)
        )
    )


def _numbered_change(name: str, number: int) -> Change:
    match number % 4:
        case 0:
            return change("+", f"{name}/label:New {number}", ("color", None, "red"), line=number + 1)
        case 1:
            impact = Impact(leads=number, archived_leads=None)
            return change("-", f"{name}/label:Old {number}", ("color", "pink", None), line=None, impact=impact)
        case 2:
            return change("~", f"{name}/label:Kept {number}", ("color", "pink", "green"), line=number + 1)
        case _:
            title = ("title", "Grüße", f"Renewal {number}" + " and more" * (number % 20))
            value = ("value", None, {"amount": number, "currency": "EUR"})
            return change("~", f"{name}/lead:seed-{number}", ("labels", ["Hot"], []), title, value, line=number + 1)


def hundred() -> Report:
    """Return a plan of 100 accounts: 97 need the same two changes, one another one, and two none."""
    accounts = []
    for number in range(100):
        name = f"customer-{number:03}"
        hot = change("~", f"{name}/label:Hot", ("color", "orange", "red"), impact=Impact(leads=12, archived_leads=None))
        partner = change("+", f"{name}/label:Partner", ("color", None, "green"), line=4)
        other = change("-", f"{name}/label:Lukewarm", ("color", "gray", None), line=8, moves_to="label:Warm")
        alike = diagnostic("warning", "lookalike", "it looks like another label", account=name, address=hot.address)
        left = Untouched(address=None, kind="label", reason="unmanaged", count=1 + number % 3)
        changes = (hot, partner) if number < 97 else (replace(other, reason="merged"),) if number == 97 else ()
        labels = [("Hot", "orange"), ("Warm", "yellow")]
        accounts.append(account(name, *changes, labels=labels, untouched=(left,), diagnostics=(alike,)))
    return report(*accounts)
