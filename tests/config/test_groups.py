"""Many accounts that declare the same are checked once, and what is said and declared is as if each had been."""

from collections.abc import Callable
from typing import Any

import pytest

from leadstate.config.configuration import Configuration
from leadstate.config.rules import accounts as accounts_rules
from leadstate.config.rules.labels import LabelsHere, labels_of
from leadstate.model.account import InAccount
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.resource import Desired

Load = Callable[..., Configuration]
Errors = Callable[..., list[Diagnostic]]

HEAD = """\
version: 1
namespace: ns
accounts:
  a: {domain: a, token: {env: T}, tags: [x], vars: {r: one, unused: "1"}}
  b: {domain: b, token: {env: T}, tags: [x], vars: {r: one, unused: "2"}}
  c: {domain: c, token: {env: T}, tags: [y], vars: {r: two}}
  d: {domain: d, token: {env: T}, tags: [x], vars: {r: one}, plan: premium}
"""


def declared(found: Configuration) -> dict[str, list[str]]:
    return {account.account.name: [item.names[0] for item in account.account.desired] for account in found.accounts}


def test_each_account_has_its_own_addresses_and_shares_the_rest(load_text: Load) -> None:
    found = load_text(HEAD + "labels:\n  - {name: Hot, color: red, merge_from: [Warm]}\n")
    first, second = found.accounts[0].account, found.accounts[1].account
    assert [str(desired_item.address) for desired_item in first.desired] == ["a/label:Hot", "a/label:Warm"]
    assert [str(desired_item.address) for desired_item in second.desired] == ["b/label:Hot", "b/label:Warm"]
    assert all(one.attrs is other.attrs for one, other in zip(first.desired, second.desired, strict=True))
    assert isinstance(second.desired, InAccount)


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_one_account_of_many_is_what_it_is_alone(name: str, load_text: Load) -> None:
    rest = (
        'labels:\n  - {name: "Hot ${r}", key: Hot, color: red}\n  - {name: X, color: blue, accounts: [tag:x]}\n'
        "  - {name: Y, color: red, overrides: {b: {color: green}}}\n  - {name: Z, color: red, except: [b]}\n"
        'leads:\n  - {key: l, title: "L ${r}", person: 1, labels: [Hot], overrides: {c: {title: C}}}\n'
        "  - {key: m, title: M, person: 1, accounts: [tag:x]}\n"
    )
    chosen = load_text(HEAD + rest, accounts=(name,)).accounts[0].account
    lines = [line for line in HEAD.splitlines() if not line.startswith("  ") or line.startswith(f"  {name}:")]
    text = "\n".join(lines) + "\n" + rest
    for other in {"b", "c"} - {name}:
        text = text.replace(f", overrides: {{{other}: {{color: green}}}}", "")
        text = text.replace(f", overrides: {{{other}: {{title: C}}}}", "").replace(f", except: [{other}]", "")
    if name == "c":
        text = "\n".join(line for line in text.splitlines() if "tag:x" not in line) + "\n"
    expected = load_text(text).accounts[0].account

    def seen(desired: Desired) -> object:
        return desired.address, dict(desired.attrs), desired.names, desired.marker, desired.present

    assert [seen(desired_item) for desired_item in chosen.desired] == [
        seen(desired_item) for desired_item in expected.desired
    ]


def test_a_mistake_of_a_group_names_all_its_accounts(errors_of: Errors) -> None:
    (found,) = errors_of(HEAD + "labels:\n  - {name: A, color: red}\n  - {name: A, color: red, accounts: [tag:x]}\n")
    assert found.summary == "two labels have one name in the accounts a, b, d"


def test_a_variable_that_is_set_nowhere_is_so_in_all_accounts(errors_of: Errors) -> None:
    (found,) = errors_of(HEAD + 'labels:\n  - {name: "A ${q}", color: red}\n')
    assert found.summary == "the variable `q` is not set in any account"


def test_a_variable_that_an_escape_hides_still_tells_accounts_apart(load_text: Load) -> None:
    found = load_text(HEAD + 'labels:\n  - {name: "A \\u0024{r}", color: red}\n')
    assert declared(found) == {"a": ["A one"], "b": ["A one"], "c": ["A two"], "d": ["A one"]}


def test_the_objects_of_a_group_are_a_sequence_like_any_other(load_text: Load) -> None:
    desired = load_text(HEAD + "labels:\n  - {name: A, color: red}\n  - {name: B, color: red}\n").accounts[1].account
    assert len(desired.desired) == 2
    assert desired.desired[1].address.account == "b"
    assert [str(desired_item.address) for desired_item in desired.desired[:1]] == ["b/label:A"]
    assert desired.of_kind("label") == tuple(desired.desired)


def test_ten_million_objects_are_not_made_to_be_checked(load_text: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def watched(name: str, *rest: Any) -> LabelsHere:
        made.append(name)
        return labels_of(name, *rest)

    monkeypatch.setattr(accounts_rules, "labels_of", watched)
    accounts = "".join(f"  a{n}: {{domain: a{n}, token: {{env: T}}}}\n" for n in range(50))
    load_text(f"version: 1\naccounts:\n{accounts}labels:\n  - {{name: A, color: red}}\n")
    assert made == ["a0"]
