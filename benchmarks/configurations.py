"""The configurations that are measured, as YAML. Their leads are those of `benchmarks.server`."""

from collections import Counter
from typing import Any

from benchmarks.server import NAMESPACE
from leadstate.sandbox import Sandbox

COLORS = ("blue", "brown", "gray", "green", "orange", "pink", "purple", "red", "yellow")
DRIFTED = 10
"""Labels that are there already, in another colour."""


def account(*urls: str) -> str:
    """A head with an account for each address; the token of each is in TOKEN, or TOKEN_0, TOKEN_1, … for several."""
    lines = ["version: 1", f"namespace: {NAMESPACE}", "accounts:"]
    for number, url in enumerate(urls):
        variable = "TOKEN" if len(urls) == 1 else f"TOKEN_{number}"
        lines.append(f"  account-{number}: {{url: '{url}', token: {{env: {variable}}}}}")
    lines += ["labels:", "  - {name: Hot, color: red}", "  - {name: Warm, color: yellow}"]
    return "\n".join(lines) + "\n"


def leads(count: int, *, every: int = 1, differ: int = 0) -> str:
    """So many leads of ours, as they are in an account of which one lead in `every` is ours; the first few differ."""
    lines = ["leads:"]
    for number in range(count):
        at = number * every
        title = f"Lead {at} of a company with a name of ordinary length" + (" (changed)" if number < differ else "")
        lines += [
            f"  - key: seed-{number}",
            f"    title: {title}",
            "    person: 1",
            f"    value: {{amount: {100 + at}, currency: EUR}}",
            "    expected_close_date: 2026-12-31",
        ]
    return "\n".join(lines) + "\n"


def account_seeds(accounts: int, declared: list[dict[str, str]]) -> dict[str, Any]:
    """What the accounts hold at first: some of the labels, in another colour."""
    drifted = [{**label, "color": "dark-gray"} for label in declared[:DRIFTED]]
    companies = [
        {"token": f"token-{n}", "company": {"id": n + 1, "name": f"C{n}", "domain": f"c{n}"}, "labels": drifted}
        for n in range(accounts)
    ]
    return {"companies": companies}


def wrong_accounts(sandbox: Sandbox, declared: list[dict[str, str]]) -> int:
    """How many accounts do not hold each declared label once, in its colour."""
    wanted = Counter((label["name"], label["color"]) for label in declared)
    there = [Counter((label.name, label.color) for label in company.labels()) for company in sandbox.companies]
    return sum(labels != wanted for labels in there)
