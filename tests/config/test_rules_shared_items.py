"""Items that are the same in many accounts are made and checked once, with the result of checking each account."""

from collections.abc import Callable
from typing import Any

import pytest

from leadstate.config.configuration import Configuration
from leadstate.config.rules import leads as lead_rules
from leadstate.config.rules import names as name_rules
from leadstate.config.rules import scope as scope_rules
from leadstate.model.account import InAccount
from leadstate.model.address import Ref
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
    assert [str(desired.address) for desired in first.desired] == ["a/label:Hot", "a/label:Warm"]
    assert [str(desired.address) for desired in second.desired] == ["b/label:Hot", "b/label:Warm"]
    assert all(label.attrs is other.attrs for label, other in zip(first.desired, second.desired, strict=True))
    assert isinstance(second.desired, InAccount)


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_account_declares_the_same_alone_and_among_others(name: str, load_text: Load) -> None:
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

    assert [seen(desired) for desired in chosen.desired] == [seen(desired) for desired in expected.desired]


def test_clash_names_all_its_accounts(errors_of: Errors) -> None:
    (found,) = errors_of(HEAD + "labels:\n  - {name: A, color: red}\n  - {name: A, color: red, accounts: [tag:x]}\n")
    assert found.summary == "two labels have the same name in the accounts a, b, d"


def test_variable_that_no_account_sets_is_reported_once(errors_of: Errors) -> None:
    (found,) = errors_of(HEAD + 'labels:\n  - {name: "A ${q}", color: red}\n')
    assert found.summary == "the variable `q` is not set"


def test_variable_behind_an_escape_is_replaced_for_each_account(load_text: Load) -> None:
    found = load_text(HEAD + 'labels:\n  - {name: "A \\u0024{r}", color: red}\n')
    assert declared(found) == {"a": ["A one"], "b": ["A one"], "c": ["A two"], "d": ["A one"]}


def test_objects_of_an_account_are_a_sequence(load_text: Load) -> None:
    account = load_text(HEAD + "labels:\n  - {name: A, color: red}\n  - {name: B, color: red}\n").accounts[1].account
    assert len(account.desired) == 2
    assert account.desired[1].address.account == "b"
    assert [str(desired.address) for desired in account.desired[:1]] == ["b/label:A"]
    assert account.of_kind("label") == tuple(account.desired)


def many(count: int, more: str = "") -> str:
    accounts = (f"  a{n}: {{domain: a{n}, token: {{env: T}}, vars: {{r: R{n}}}{more}}}\n" for n in range(count))
    return "version: 1\nnamespace: ns\naccounts:\n" + "".join(accounts)


LABELS = "".join(f"  - {{name: L{n}, color: red}}\n" for n in range(20))
EXCEPT = "".join(f"  - {{name: L{n}, color: red, except: [a{n}]}}\n" for n in range(20))
OVERRIDES = "".join(f"  - {{name: L{n}, color: red, overrides: {{a{n}: {{color: blue}}}}}}\n" for n in range(20))
LEADS = "".join(f"  - {{key: k{n}, title: T, person: 1, labels: [L{n}], except: [a{n + 1}]}}\n" for n in range(20))
MADE: dict[str, tuple[str, int]] = {
    # name: items, how many objects are made for 30 accounts
    "the same everywhere": (f"labels:\n{LABELS}", 20),
    "one name with a variable": (f'labels:\n{LABELS}  - {{name: "V ${{r}}", key: V, color: red}}\n', 20 + 30),
    "each not in one account": (f"labels:\n{EXCEPT}", 20),
    "each different in one account": (f"labels:\n{OVERRIDES}", 2 * 20),
    "leads of labels with variables": (
        'labels:\n  - {name: "V ${r}", key: V, color: red}\nleads:\n'
        + "".join(f"  - {{key: k{n}, title: T, person: 1, labels: [V]}}\n" for n in range(20)),
        30 + 20,
    ),
    "leads that are each not in one account": (f"labels:\n{LABELS}leads:\n{LEADS}", 20 + 20),
    "a successor with a variable": (
        'labels:\n  - {name: "V ${r}", key: V, color: red}\n'
        + "".join(f"  - {{name: L{n}, state: absent, replace_with: V}}\n" for n in range(20)),
        30 + 20,
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_objects_are_made_once_for_all_accounts_that_share_them(
    name: str, load_text: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    for rules, function in ((name_rules, "declare_named"), (lead_rules, "declare_lead")):
        declare: Callable[..., Desired] = getattr(rules, function)

        def watched(*args: Any, declare: Callable[..., Desired] = declare, **options: Any) -> Desired:
            made.append(args)
            return declare(*args, **options)

        monkeypatch.setattr(rules, function, watched)
    items, count = MADE[name]
    found = load_text(many(30) + items)
    assert len(made) == count
    assert sum(1 for account in found.accounts for item in account.account.desired if item.attrs) > 0


def test_clashes_are_looked_for_only_among_claims_of_one_name(load_text: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels that use the same variables have the same sets of accounts, and meet without a search."""
    met: list[object] = []
    find = scope_rules.Claims.find

    def watched(*args: Any) -> Any:
        for claim in find(*args):
            met.append(claim)
            yield claim

    monkeypatch.setattr(scope_rules.Claims, "find", watched)
    load_text(many(30) + f"labels:\n{EXCEPT}" + '  - {name: "V ${r}", key: V, color: red}\n')
    assert not met


def test_a_key_may_mean_other_labels_in_other_accounts(load_text: Load) -> None:
    found = load_text(
        HEAD + "labels:\n  - {name: Hot, key: h1, color: red, accounts: [a]}\n"
        "  - {name: Hot, key: h2, color: red, except: [a]}\n"
        "  - {name: Old, state: absent, replace_with: Hot}\n"
        "leads:\n  - {key: l, title: L, person: 1, labels: [Hot]}\n"
    )
    seen = {}
    for account in (declared_account.account for declared_account in found.accounts):
        old = next(label for label in account.of_kind("label") if label.address.key == "Old")
        (lead,) = account.of_kind("lead")
        seen[account.name] = (str(old.moves_to), lead.attrs["labels"])
    assert seen["a"] == ("label:h1", (Ref("label", "h1"),))
    assert seen["b"] == seen["c"] == seen["d"] == ("label:h2", (Ref("label", "h2"),))


def test_a_clash_in_some_of_the_accounts_of_two_labels_names_these(errors_of: Errors) -> None:
    (found,) = errors_of(
        HEAD + "labels:\n  - {name: A, color: red, accounts: [a, b]}\n  - {name: A, color: red, except: [a, d]}\n"
    )
    assert found.summary == "two labels have the same name in the account b"


def test_each_later_label_of_a_name_is_compared_with_the_first_in_its_account(errors_of: Errors) -> None:
    found = errors_of(
        HEAD + "labels:\n  - {name: A, color: red, accounts: [a]}\n  - {name: A, color: red, accounts: [b, c, d]}\n"
        "  - {name: A, color: red, accounts: [a, b]}\n"
    )
    assert [(diagnostic.summary, diagnostic.detail.rpartition(":")[0].rpartition(":")[2]) for diagnostic in found] == [
        ("two labels have the same name in the account a", "9"),
        ("two labels have the same name in the account b", "10"),
    ]


def test_anchors_below_a_top_level_x_key_serve_the_labels(load_text: Load) -> None:
    anchors = "x-colors: {ours: &ours green}\nx-wide: &wide [a, b]\n"
    found = load_text(HEAD + anchors + "labels:\n  - {name: Hot, color: *ours, accounts: *wide}\n")
    labels = [label for account in found.accounts for label in account.account.desired]
    assert [str(label.address) for label in labels] == ["a/label:Hot", "b/label:Hot"]
    assert {label.attrs["color"] for label in labels} == {"green"}
