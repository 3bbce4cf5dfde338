"""Labels that take in others, and labels that are retired: what may be declared, and what it becomes."""

from collections.abc import Callable

import pytest

from leadstate.config.configuration import Configuration
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.resource import Desired

Load = Callable[..., Configuration]
OneError = Callable[[str, str], Diagnostic]

TOP = "version: 1\naccounts:\n  emea: {domain: acme, token: {env: T}, vars: {old: Tepid}}\nlabels:\n"
WARM = "  - {name: Warm, color: yellow}\n"
ID = "aaaaaaaa-0000-4000-8000-000000000003"

BAD: dict[str, tuple[str, ...]] = {
    "a source that is declared": (
        TOP + WARM + "  - {name: Hot, color: red, merge_from: [‸Warm]}\n",
        "merge-source-declared",
    ),
    "a source that is itself": (TOP + "  - {name: Hot, color: red, merge_from: [‸Hot]}\n", "merge-source-declared"),
    "a source that two take in": (
        TOP + "  - {name: Hot, color: red, merge_from: [Old]}\n  - {name: Warm, color: red, merge_from: [‸Old]}\n",
        "merge-source-twice",
    ),
    "a source that another one was called": (
        TOP + "  - {name: Hot, color: red, merge_from: [‸Old]}\n  - {name: Warm, color: red, previously: [Old]}\n",
        "merge-source-previous",
    ),
    "a source by no id": (TOP + "  - {name: Hot, color: red, merge_from: [{id: ‸Hot}]}\n", "bad-value"),
    "a source with a label that goes": (
        TOP + "  - ‸{name: Old, state: absent, merge_from: [Older]}\n",
        "only-present",
    ),
    "a successor that is not there": (
        TOP + WARM + "  - {name: Old, state: absent, replace_with: ‸Wram}\n",
        "successor-unknown",
        "did you mean `Warm`?",
    ),
    "a successor that is called something else now": (
        TOP + "  - {name: Warm, color: yellow, previously: [Tepid]}\n"
        "  - {name: Old, state: absent, replace_with: ‸Tepid}\n",
        "successor-unknown",
        "it is a former name of `Warm`; write that",
    ),
    "a successor that is itself": (
        TOP + WARM + "  - {name: Old, state: absent, replace_with: ‸Old}\n",
        "successor-unknown",
        "the label `Old` in `replace_with` is to be absent itself",
    ),
    "a successor that goes too": (
        TOP + "  - {name: Older, state: absent}\n  - {name: Old, state: absent, replace_with: ‸Older}\n",
        "successor-unknown",
    ),
    "a successor of a label that stays": (
        TOP + WARM + "  - ‸{name: Hot, color: red, replace_with: Warm}\n",
        "only-absent",
    ),
    "a day for a label that stays": (
        TOP + "  - ‸{name: Hot, color: red, delete_after: 2027-01-31}\n",
        "only-absent",
    ),
    "no day": (TOP + "  - {name: Old, state: absent, delete_after: ‸2027-02-30}\n", "bad-date"),
}


@pytest.mark.parametrize("name", BAD)
def test_merge_rules_that_cannot_hold_are_errors(name: str, one_error: OneError) -> None:
    text, code, *said = BAD[name]
    found = one_error(text, code)
    assert all(words in found.summary + found.hint for words in said)


def test_a_successor_in_some_accounts_only_is_named_with_the_others(one_error: OneError) -> None:
    accounts = (
        "version: 1\naccounts:\n  emea: {domain: a, token: {env: T}}\n  us: {domain: b, token: {env: T}}\nlabels:\n"
    )
    text = WARM.replace("}", ", accounts: [us]}") + "  - {name: Old, state: absent, replace_with: ‸Warm}\n"
    found = one_error(accounts + text, "successor-unknown")
    assert found.summary == "`replace_with` names the label `Warm`, which is not declared in the account emea"
    assert found.hint == "declare the label there too"
    assert found.detail == ""


def test_a_successor_with_a_mistake_of_its_own_is_known(errors_of: Callable[..., list[Diagnostic]]) -> None:
    found = errors_of(TOP + "  - {nmae: Warm, color: red}\n  - {name: Old, state: absent, replace_with: Warm}\n")
    assert [diagnostic.code for diagnostic in found] == ["unknown-key"]


def labels(load_text: Load, text: str) -> dict[str, Desired]:
    (account,) = load_text(TOP + text).accounts
    return {desired.address.key: desired for desired in account.account.desired}


def test_merge_source_must_not_exist_and_its_leads_get_the_label(load_text: Load) -> None:
    text = f'  - {{name: Warm, color: yellow, key: warm, merge_from: ["${{old}}", {{id: {ID}}}]}}\n'
    made = labels(load_text, text)
    by_name, by_id = made["Tepid"], made[f"warm#{ID}"]
    assert (by_name.present, by_name.names, by_name.moves_to) == (False, ("Tepid",), Ref("label", "warm"))
    assert (by_id.present, by_id.names, by_id.remote_id) == (False, (), ID)
    assert (by_name.span.line, by_name.span.column) == (5, text.index('"') + 1)


def test_absent_label_keeps_its_successor_and_its_day(load_text: Load) -> None:
    text = "  - {name: Old, state: absent, replace_with: Warm, delete_after: 2027-01-31}\n"
    old = labels(load_text, WARM + text)["Old"]
    assert (old.moves_to, old.not_before) == (Ref("label", "Warm"), "2027-01-31")
