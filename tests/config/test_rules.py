"""What fits together over a whole configuration."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from leadstate.config.configuration import (
    Configuration,
    OAuthToken,
    SecretSource,
)
from leadstate.config.rules import names, scope
from leadstate.config.yaml.diagnostics import MANY
from leadstate.model.account import Policy, Prune
from leadstate.model.address import Ref
from leadstate.model.diagnostics import ConfigurationError, Diagnostic
from leadstate.model.resource import AtLeast, CustomValue, Lookup

Load = Callable[..., Configuration]
OneError = Callable[[str, str], Diagnostic]
Errors = Callable[..., list[Diagnostic]]

TOP = """version: 1
namespace: acme
accounts:
  emea: {domain: acme-emea, token: {env: T}, tags: [prod], vars: {region: EMEA, long: "%s"}}
  us: {domain: acme-us, token: {env: U}, tags: [prod], vars: {region: US}}
  test: {url: http://127.0.0.1:8765, token: {env: V}, vars: {region: ""}}
""" % ("x" * 250)
HOT = "labels:\n  - {name: Hot, color: red}\n"


def lead(fields: str, key: str = "a") -> str:
    return f"leads:\n  - {{key: {key}, title: A, {fields}}}\n"


BAD: dict[str, tuple[str, str, str]] = {
    "no accounts": ("‸version: 1\n", "no-accounts", "accounts:"),
    "no version": ("‸accounts:\n  a: {domain: a, token: {env: T}}\n", "missing-key", "version: 1"),
    "no namespace": (
        f"version: 1\naccounts: {{a: {{domain: a, token: {{env: T}}}}}}\n{lead('person: 1').replace('{', '‸{', 1)}",
        "namespace-missing",
        "namespace",
    ),
    "owned without a namespace": (
        "version: 1\naccounts:\n  a: {domain: a, token: {env: T}, policy: {prune: {leads: ‸owned}}}\n",
        "namespace-missing",
        "namespace",
    ),
    "unknown account": (TOP + "labels: [{name: A, color: red, accounts: [‸emae]}]\n", "unknown-account", "`emea`"),
    "unknown account in except": (TOP + "labels: [{name: A, color: red, except: [‸eu]}]\n", "unknown-account", "`us`"),
    "unknown tag": (TOP + "labels: [{name: A, color: red, accounts: [‸tag:prd]}]\n", "unknown-account", "`tag:prod`"),
    "a former key that another lead has": (
        TOP + "leads:\n  - {key: a, title: A, person: 1, previously: [‸b]}\n  - {key: b, title: B, person: 1}\n",
        "previous-key-declared",
        "`b` is the key of another lead",
    ),
    "a former key with its namespace that another lead has": (
        TOP + "leads:\n  - {key: a, title: A, person: 1, previously: [‸acme:b]}\n  - {key: b, title: B, person: 1}\n",
        "previous-key-declared",
        "`acme:b`",
    ),
    "a former key that two leads claim": (
        TOP
        + "leads:\n  - {key: a, title: A, person: 1, previously: [old:x]}\n"
        + "  - {key: b, title: B, person: 1, previously: [‸old:x]}\n",
        "previous-key-twice",
        "leave it to one",
    ),
    "an ignored label": (
        TOP + "policy: {ignore: {labels: [H*]}}\nlabels:\n  - {name: ‸Hot, color: red}\n",
        "ignored-label",
        "`Hot` is declared",
    ),
    "an ignored label in one account": (
        TOP.replace("tags: [prod], vars: {region: US}", "policy: {ignore: {labels: [Cold]}}")
        + "labels:\n  - {name: Hot, color: red, previously: [‸Cold]}\n",
        "ignored-label",
        "in the account us",
    ),
    "an ignored label to merge": (
        TOP + "policy: {ignore: {labels: [C*]}}\nlabels:\n  - {name: Hot, color: red, merge_from: [‸Cold]}\n",
        "ignored-label",
        "`Cold`",
    ),
    "a protected label that must not exist": (
        TOP + "policy: {protect: {labels: ['GDPR*']}}\nlabels:\n  - {name: ‸GDPR hold, state: absent}\n",
        "protected-label",
        "keep the label",
    ),
    "a protected label to merge": (
        TOP + "policy: {protect: {labels: [V?P]}}\nlabels:\n  - {name: Hot, color: red, merge_from: [‸VIP]}\n",
        "protected-label",
        "`VIP` is to be deleted",
    ),
    "tag without tag:": (
        TOP + "labels: [{name: A, color: red, accounts: [‸prod]}]\n",
        "unknown-account",
        "`tag:prod`",
    ),
    "unknown account in overrides": (
        TOP + "labels: [{name: A, color: red, overrides: {‸uk: {color: blue}}}]\n",
        "unknown-account",
        "`us`",
    ),
    "tag in overrides": (
        TOP + "labels: [{name: A, color: red, overrides: {‸tag:prod: {color: blue}}}]\n",
        "unknown-account",
        "the accounts of that tag: `emea`, `us`",
    ),
    "tag without tag: in overrides": (
        TOP + "labels: [{name: A, color: red, overrides: {‸prod: {color: blue}}}]\n",
        "unknown-account",
        "takes names of accounts, and `prod` is a tag",
    ),
    "unknown tag in overrides": (
        TOP + "labels: [{name: A, color: red, overrides: {‸tag:emae: {color: blue}}}]\n",
        "unknown-account",
        "did you mean `emea`?",
    ),
    "override out of scope": (
        TOP + "labels: [{name: A, color: red, accounts: [us], overrides: {‸emea: {color: blue}}}]\n",
        "override-out-of-scope",
        "remove the override",
    ),
    "accounts and except": (
        TOP + "labels: [{name: A, color: red, accounts: [us], ‸except: [emea]}]\n",
        "accounts-and-except",
        "one of the two",
    ),
    "accounts without any": (TOP + "labels: [{name: A, color: red, accounts: ‸null}]\n", "cannot-unset", "leave"),
    "unknown variable": (TOP + 'labels: [{name: ‸"${regoin} x", color: red}]\n', "unknown-variable", "`region`"),
    "variable of one account": (TOP + 'labels: [{name: ‸"${long}", color: red}]\n', "unknown-variable", "us"),
    "empty variable name": (
        TOP.replace(', vars: {region: ""}', "") + 'labels: [{name: ‸"${}", color: red, accounts: [test]}]\n',
        "unknown-variable",
        "write the name of a variable",
    ),
    "variable name with spaces": (
        TOP + 'labels: [{name: ‸"${ region }", color: red, accounts: [us]}]\n',
        "unknown-variable",
        "did you mean `region`?",
    ),
    "variable not closed": (TOP + 'labels: [{name: ‸"${region", color: red}]\n', "bad-variable", "`}`"),
    "nothing after replacement": (TOP + 'labels: [{name: ‸"${region}", color: red}]\n', "bad-text", "vars"),
    "too long after replacement": (
        TOP + 'labels: [{name: ‸"Hello ${long}", color: red, accounts: [emea]}]\n',
        "bad-text",
        "vars",
    ),
    "a text that is too long in itself": (
        TOP.replace("region: US", "v: '${'")
        + f'labels: [{{name: ‸"${{v}}{"x" * 254}", color: red, accounts: [us]}}]\n',
        "bad-text",
        "255 characters",
    ),
    "no address after replacement": (
        TOP + 'leads: [{key: a, title: A, person: {email: ‸"x@ ${long}"}, accounts: [emea]}]\n',
        "bad-text",
        "should have another form",
    ),
    "no address in a custom field after replacement": (
        TOP + lead('person: 1, custom_fields: {By: {email: ‸"${region}"}}, except: [test]'),
        "bad-text",
        "should have another form",
    ),
    "control character in a custom field after replacement": (
        TOP.replace("region: US", 'region: "\\e"')
        + lead('person: 1, custom_fields: {A: ‸"a ${region}"}, accounts: [us]'),
        "bad-text",
        "holds a control character",
    ),
    "line break in an option after replacement": (
        TOP.replace("region: US", 'region: "\\n x"')
        + lead('person: 1, custom_fields: {A: [b, ‸"a ${region}"]}, accounts: [us]'),
        "bad-text",
        "line break",
    ),
    "unknown variable in a title": (
        TOP + 'leads: [{key: a, title: ‸"${x}", person: 1}]\n',
        "unknown-variable",
        "vars",
    ),
    "unknown variable in an override": (
        TOP + 'leads: [{key: a, title: A, person: 1, overrides: {us: {title: ‸"${x}"}}}]\n',
        "unknown-variable",
        "vars",
    ),
    "unknown variable in a custom field beside an overridden one": (
        TOP
        + lead(
            'person: 1, custom_fields: {A: ‸"${long}", B: b}, accounts: [us], overrides: {us: {custom_fields: {B: c}}}'
        ),
        "unknown-variable",
        "vars",
    ),
    "two labels": (TOP + HOT + "  - {name: ‸Hot, color: blue}\n", "duplicate-label", "one of the two"),
    "two labels after trimming": (
        TOP + HOT + "  - {name: ‸' Hot', color: blue}\n",
        "duplicate-label",
        "one of the two",
    ),
    "present and absent": (TOP + HOT + "  - {name: ‸Hot, state: absent}\n", "duplicate-label", "one of the two"),
    "two labels after an override": (
        TOP + HOT + "  - {name: Warm, color: blue, overrides: {us: {name: ‸Hot}}}\n",
        "duplicate-label",
        "one of the two",
    ),
    "two labels after an override of the colour": (
        TOP + HOT + "  - {name: ‸Hot, key: b, color: blue, accounts: [us], overrides: {us: {color: red}}}\n",
        "duplicate-label",
        "one of the two",
    ),
    "an ignored name in an override": (
        TOP + "policy: {ignore: {labels: [X]}}\nlabels: [{name: A, color: red, overrides: {us: {name: ‸X}}}]\n",
        "ignored-label",
        "`X` is declared",
    ),
    "two label keys": (
        TOP + "labels:\n  - {name: A, key: x, color: red}\n  - {name: B, key: ‸x, color: red}\n",
        "duplicate-label-key",
        "another `key`",
    ),
    "previous name is declared": (
        TOP + HOT + "  - {name: B, color: red, previously: [‸Hot]}\n",
        "previous-name-declared",
        "previously",
    ),
    "previous name is absent": (
        TOP + "labels: [{name: Hot, state: absent}, {name: B, color: red, previously: [‸Hot]}]\n",
        "previous-name-declared",
        "previously",
    ),
    "previous name twice": (
        TOP + "labels: [{name: A, color: red, previously: [C]}, {name: B, color: red, previously: [‸C]}]\n",
        "previous-name-twice",
        "one of the two",
    ),
    "no contact": (TOP + "leads:\n  - ‸{key: a, title: A}\n", "lead-without-contact", "`person: ID`"),
    "contact unset": (
        TOP + "leads:\n  - ‸{key: a, title: A, person: 1, overrides: {us: {person: null}}}\n",
        "lead-without-contact",
        "`person: ID`",
    ),
    "a former name": (
        TOP + HOT + "  - {name: Nurture, color: blue, previously: [Cold]}\n" + lead("person: 1, labels: [‸Cold]"),
        "unknown-label",
        "it is a former name of `Nurture`; write that",
    ),
    "unknown label": (TOP + HOT + lead("person: 1, labels: [‸Hott]"), "unknown-label", "`Hot`"),
    "unknown label in at_least": (
        TOP + HOT + lead("person: 1, labels: {at_least: [Hot, ‸hot]}"),
        "unknown-label",
        "`Hot`",
    ),
    "unknown label in an override": (
        TOP + HOT + lead("person: 1, labels: [Hot], overrides: {us: {labels: [‸Cold]}}"),
        "unknown-label",
        "`Hot`",
    ),
    "no label at all": (TOP + lead("person: 1, labels: [‸Hot]"), "unknown-label", "declare it"),
    "absent label": (
        TOP + "labels: [{name: Hot, state: absent}]\n" + lead("person: 1, labels: [‸Hot]"),
        "label-absent",
        "take it out",
    ),
    "label not in account": (
        TOP + "labels: [{name: Hot, color: red, accounts: [emea]}]\n" + lead("person: 1, labels: [‸Hot]"),
        "label-not-in-account",
        "us",
    ),
    "ambiguous successor": (
        TOP
        + "labels: [{name: A, key: B, color: red}, {name: B, key: C, color: red},\n"
        + "  {name: Old, state: absent, replace_with: ‸B}]\n",
        "ambiguous-label",
        "another `key`",
    ),
    "ambiguous label": (
        TOP
        + "labels: [{name: A, key: B, color: red}, {name: B, key: C, color: red}]\n"
        + lead("person: 1, labels: [‸B]"),
        "ambiguous-label",
        "another `key`",
    ),
    "two leads": (
        TOP + "leads:\n  - {key: a, title: A, person: 1}\n  - {key: ‸a, title: B, person: 1}\n",
        "duplicate-lead",
        "another key",
    ),
    "marker too long": (TOP + lead("person: 1", "‸" + "k" * 96), "marker-too-long", "shorten"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configuration(name: str, one_error: OneError) -> None:
    text, code, hint = BAD[name]
    found = one_error(text, code)
    assert hint in found.hint + found.summary, (found.summary, found.hint)


@pytest.mark.parametrize(
    ("module", "leads"),
    [(names, "labels: [unknown-%d]"), (scope, "accounts: [unknown-%d]"), (scope, "overrides: {unknown-%d: {}}")],
)
def test_near_misses_are_looked_for_only_where_they_are_shown(
    module: ModuleType, leads: str, errors_of: Errors, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def choice(word: str, *_: object, **__: object) -> str:
        asked.append(word)
        return "x"

    monkeypatch.setattr(module, "choice", choice)
    items = "".join(f"  - {{key: k{index}, title: A, person: 1, {leads % index}}}\n" for index in range(MANY + 50))
    found = errors_of(f"{TOP}{HOT}leads:\n{items}")
    assert len(found) == len(asked) == MANY
    assert found[-1].detail == "and 50 more of this kind in the file"


def test_every_clash_shows_the_other_place(one_error: OneError) -> None:
    found = one_error(TOP + HOT + "  - {name: ‸Hot, color: blue}\n", "duplicate-label")
    assert found.detail.endswith("0.yaml:8:12")


def test_clash_names_the_accounts_that_have_both(one_error: OneError) -> None:
    text, code, _ = BAD["contact unset"]
    assert one_error(text, code).summary.endswith(" in the account us")
    text, code, _ = BAD["no contact"]
    assert one_error(text, code).summary.endswith("an organization")


def test_marker_of_100_characters_fits(load_text: Load) -> None:
    found = load_text(TOP + lead("person: 1", "k" * 95))
    assert len(found.accounts[0].account.desired[0].marker or "") == 100


class TestFiles:
    A = "version: 1\naccounts:\n  a: {domain: acme, token: {env: T}}\n"

    def test_accounts_labels_and_leads_come_together(self, load_text: Load) -> None:
        found = load_text(
            self.A + HOT,
            "namespace: x\naccounts:\n  b: {domain: acme-b, token: {env: T}}\nlabels: [{name: B, color: red}]\n",
            lead("person: 1, labels: [Hot, B]"),
        )
        assert [account.account.name for account in found.accounts] == ["a", "b"]
        assert [str(desired.address) for desired in found.accounts[1].account.desired] == [
            "b/label:Hot",
            "b/label:B",
            "b/lead:a",
        ]

    @pytest.mark.parametrize(
        ("first", "second", "code", "place"),
        [
            ("namespace: a\n", "namespace: a\n", "given-twice", (1, 1)),
            ("policy: {}\n", "policy: {}\n", "given-twice", (1, 1)),
            ("", "accounts:\n  a: {domain: acme, token: {env: T}}\n", "duplicate-account", (2, 3)),
            (HOT, HOT, "duplicate-label", (2, 12)),
            ("namespace: n\n" + lead("person: 1"), lead("person: 1"), "duplicate-lead", (2, 11)),
        ],
    )
    def test_twice(self, first: str, second: str, code: str, place: tuple[int, int], errors_of: Errors) -> None:
        (found,) = errors_of(self.A + first, second)
        assert found.code == code
        assert found.span is not None
        assert found.span.file.endswith("1.yaml")
        assert (found.span.line, found.span.column) == place
        assert "0.yaml:" in found.detail


class TestGood:
    def test_tokens_tags_and_origins(self, load_text: Load, tmp_path: Path) -> None:
        found = load_text(
            "version: 1\naccounts:\n  b: {url: 'https://[::1]:8443/', token: {file: t}}\n"
            "  a: {domain: acme, token: {env: T}, tags: [x]}\n"
            "  c: {url: HTTP://LocalHost:80, token: {command: [pass, show]}}\n"
        )
        assert [account.account.origin for account in found.accounts] == [
            "https://acme.pipedrive.com",
            "https://[::1]:8443",
            "http://localhost",
        ]
        assert [account.token for account in found.accounts] == [
            SecretSource("env", ("T",), tmp_path),
            SecretSource("file", ("t",), tmp_path),
            SecretSource("command", ("pass", "show"), tmp_path),
        ]
        assert found.accounts[0].tags == ("x",)
        assert found.namespace is None

    def test_an_oauth_client_and_the_places_of_its_sources(self, load_text: Load, tmp_path: Path) -> None:
        text = (
            "version: 1\naccounts:\n  a:\n    domain: acme\n    token:\n      oauth:\n"
            "        client_id: {env: A}\n        client_secret: {keyring: {service: s, user: u}}\n"
            "        refresh_token: {file: r}\n"
        )
        sources = (
            SecretSource("env", ("A",), tmp_path),
            SecretSource("keyring", ("s", "u"), tmp_path),
            SecretSource("file", ("r",), tmp_path),
        )
        (found,) = load_text(text).accounts
        assert found.token == OAuthToken(*sources, "https://oauth.pipedrive.com/oauth/token", None)
        assert isinstance(found.token, OAuthToken)
        assert str(found.token.refresh_token.at).endswith("0.yaml:9:24")
        more = "        save_to: r2\n        token_url: HTTP://LocalHost:80/oauth/token\n"
        (found,) = load_text(text + more).accounts
        assert found.token == OAuthToken(*sources, "http://localhost/oauth/token", tmp_path / "r2")

    def test_policy_falls_back_field_by_field(self, load_text: Load) -> None:
        found = load_text(
            "version: 1\nnamespace: n\naccounts:\n"
            "  a: {domain: a, token: {env: T}, policy: {guards: {max_deletes: null, max_tokens: 5}, in_use: allow}}\n"
            "  b: {domain: b, token: {env: T}, policy: {prune: {leads: none}, archived_pages: 0}}\n"
            "policy: {prune: {labels: all, leads: owned}, guards: {max_deletes: 3, max_delete_percent: 50}}\n"
        )
        assert [account.account.policy for account in found.accounts] == [
            Policy({"label": Prune.ALL, "lead": Prune.OWNED}, None, 50, 5, refuse_in_use=False, archived_pages=10),
            Policy({"label": Prune.ALL, "lead": Prune.NONE}, 3, 50, None, refuse_in_use=True, archived_pages=0),
        ]

    def test_former_keys_are_of_the_namespace_unless_they_name_another(self, load_text: Load) -> None:
        found = load_text(TOP + "leads:\n  - {key: a, title: A, person: 1, previously: [x, old:a, a]}\n")
        (item,) = found.accounts[0].account.desired
        assert (item.marker, item.former) == ("acme:a", ("acme:x", "old:a"))

    def test_an_account_replaces_what_all_ignore_and_keeps_what_all_protect(self, load_text: Load) -> None:
        found = load_text(
            "version: 1\naccounts:\n  a: {domain: a, token: {env: T}, policy: {ignore: {labels: []}}}\n"
            "  b: {domain: b, token: {env: T}}\n"
            "policy: {ignore: {labels: [tmp-*]}, protect: {labels: [VIP]}}\n"
            "labels: [{name: tmp-1, color: red, accounts: [a]}, {name: VIP, color: red}]\n"
        )
        first, second = (account.account.policy for account in found.accounts)
        assert (first.ignores("label", "tmp-1"), second.ignores("label", "tmp-1")) == (False, True)
        assert first.protects("label", "VIP")
        assert not first.protects("label", "vip")

    def test_overrides_variables_and_references(self, load_text: Load) -> None:
        found = load_text(
            TOP.replace('region: ""', "region: T")
            + 'labels:\n  - {name: "${region} hot", key: hot, color: red, overrides: {us: {name: "Hot ${region}!"}}}\n'
            "  - {name: Warm, color: blue, overrides: {us: {name: Lukewarm, color: pink}}}\n"
            'leads:\n  - key: a\n    title: "Deal ${region}"\n    person: 1\n'
            '    labels: [hot, "${region} hot", Warm]\n'
            "    overrides: {us: {title: 'X ${region}', labels: {at_least: [Lukewarm, 'Hot US!']}, person: null,"
            " owner: 3, organization: 4}}\n"
        )
        emea, _, us = (account.account.desired for account in found.accounts)
        assert [u.names[0] for u in us[:2]] == ["Hot US!", "Lukewarm"]
        assert us[1].attrs == {"name": "Lukewarm", "color": "pink"}
        assert [u.address.key for u in us] == ["hot", "Warm", "a"]
        refs = (Ref("label", "Warm"), Ref("label", "hot"))
        assert emea[2].attrs == {"title": "Deal EMEA", "person": 1, "labels": refs}
        assert us[2].attrs == {
            "title": "X US",
            "person": None,
            "organization": 4,
            "owner": 3,
            "labels": AtLeast(refs),
        }

    def test_a_text_with_variables_may_be_what_its_field_may_be(self, load_text: Load) -> None:
        variable, long = "v" * 100, "x" * 200
        text = (
            TOP.replace("region: US", f'mail: jane@acme.test, lines: "a\\nb", {variable}: {long}')
            + f'labels: [{{name: "{"y" * 55}${{{variable}}}", key: a, color: red, accounts: [us]}}]\n'
            "leads:\n  - key: a\n    title: A\n    accounts: [us]\n"
            '    person: {email: "${mail}"}\n    owner: {email: "${mail}"}\n    custom_fields:\n'
            '      Lines: "1\\n2 ${lines}"\n      By: {email: "${mail}"}\n'
            f'      Long: "{long}${{{variable}}}"\n'
        )
        label, item = load_text(text, accounts=("us",)).accounts[0].account.desired
        assert label.names == ("y" * 55 + long,)
        person, owner = item.attrs["person"], item.attrs["owner"]
        assert isinstance(person, Lookup)
        assert isinstance(owner, Lookup)
        assert (person.text, owner.text) == ("jane@acme.test", "jane@acme.test")
        custom = [value.value for value in item.attrs.values() if isinstance(value, CustomValue)]
        assert custom == ["1\n2 a\nb", {"email": "jane@acme.test"}, long * 2]

    @pytest.mark.parametrize("name", ["e\u0301" * 200, " " * 300 + "x"])
    def test_the_length_of_a_name_is_that_of_its_normal_form(self, name: str, load_text: Load) -> None:
        (label,) = load_text(TOP + f'labels: [{{name: "{name}", color: red}}]\n').accounts[0].account.desired
        assert len(label.names[0]) <= 200

    @pytest.mark.parametrize(
        ("override", "expected"),
        [("{}", {"A": "a", "B": "b"}), ("{B: x}", {"A": "a", "B": "x"}), ("{C: c}", {"A": "a", "B": "b", "C": "c"})],
    )
    def test_custom_fields_of_an_override_leave_the_others(
        self, load_text: Load, override: str, expected: dict[str, str]
    ) -> None:
        fields = f"person: 1, custom_fields: {{A: a, B: b}}, overrides: {{us: {{custom_fields: {override}}}}}"
        (found,) = load_text(TOP + lead(fields), accounts=("us",)).accounts[0].account.desired
        custom = {name: value.value for name, value in found.attrs.items() if isinstance(value, CustomValue)}
        assert custom == {f"custom_fields.{name}": value for name, value in expected.items()}

    def test_names_may_change_places(self, load_text: Load) -> None:
        """A swap by overrides is no clash, as long as no lead has to guess."""
        load_text(
            TOP + "labels:\n  - {name: A, color: red, overrides: {us: {name: B}}}\n"
            "  - {name: B, color: red, overrides: {us: {name: A}}}\n"
        )

    def test_the_same_key_in_accounts_apart(self, load_text: Load) -> None:
        found = load_text(
            TOP + "leads:\n  - {key: a, title: A, person: 1, accounts: [us]}\n"
            "  - {key: a, title: B, person: 1, except: [us]}\n"
        )
        assert [account.account.desired[0].attrs["title"] for account in found.accounts] == ["B", "B", "A"]

    def test_spans_are_those_of_the_items(self, load_text: Load) -> None:
        found = load_text(TOP + "labels:\n  - name: Hot\n    color: red\n  - {name: B, color: red}\n")
        spans = [desired.span for desired in found.accounts[0].account.desired]
        assert [(span.line, span.column) for span in spans] == [(8, 5), (10, 5)]

    def test_selected_accounts(self, load_text: Load) -> None:
        assert [account.account.name for account in load_text(TOP, accounts=("tag:prod",)).accounts] == ["emea", "us"]
        assert [account.account.name for account in load_text(TOP, accounts=("us", "test")).accounts] == ["test", "us"]

    @pytest.mark.parametrize(
        ("selector", "hint"), [("emae", "`emea`"), ("tag:prot", "`tag:prod`"), ("prod", "`tag:prod`")]
    )
    def test_an_unknown_selection(self, selector: str, hint: str, errors_of: Errors) -> None:
        (found,) = errors_of(TOP, accounts=(selector,))
        assert (found.code, found.span) == ("unknown-account", None)
        assert hint in found.hint

    def test_what_is_not_selected_is_checked_too(self, errors_of: Errors) -> None:
        text = TOP + lead("accounts: [us]")
        assert [diagnostic.code for diagnostic in errors_of(text, accounts=("emea",))] == ["lead-without-contact"]


class TestWarnings:
    @pytest.mark.parametrize("name", ["HOT", "\uff28\uff4f\uff54", "H\u043et"])
    def test_labels_that_look_alike(self, name: str, load_text: Load) -> None:
        (found,) = load_text(TOP + HOT + f"  - {{name: {name}, color: red}}\n").diagnostics
        assert (found.code, found.severity) == ("labels-alike", "warning")
        assert "merge_from" in found.hint

    def test_a_label_that_must_not_exist_may_look_like_one_that_stays(self, load_text: Load) -> None:
        assert load_text(TOP + HOT + "  - {name: HOT, state: absent}\n").diagnostics == ()

    @pytest.mark.parametrize("url", ["domain: x", "url: http://127.0.0.1:8765"])
    @pytest.mark.parametrize("ids", [("", ""), (", company_id: 7", ""), (", company_id: 7", ", company_id: 7")])
    def test_one_address_twice_is_an_error_at_both(self, load_text: Load, url: str, ids: tuple[str, str]) -> None:
        text = "version: 1\naccounts:\n" + "".join(
            f"  {name}: {{{url}, token: {{env: T}}{id_}}}\n" for name, id_ in zip("ab", ids, strict=True)
        )
        with pytest.raises(ConfigurationError) as failure:
            load_text(text)
        found = failure.value.diagnostics
        assert [diagnostic.code for diagnostic in found] == ["same-address"] * 2
        assert [diagnostic.span.line for diagnostic in found if diagnostic.span] == [3, 4]
        assert found[0].summary == "the accounts `a` and `b` have the same address"
        assert "0.yaml:4" in found[0].detail
        assert "company_id" in found[0].hint

    @pytest.mark.parametrize("other", ["url: https://api.pipedrive.com", "domain: other", "url: http://127.0.0.1:1"])
    def test_one_company_at_two_addresses_is_an_error_at_both(self, errors_of: Errors, other: str) -> None:
        found = errors_of(
            "version: 1\naccounts:\n"
            f"  a: {{domain: acme, token: {{env: T}}, company_id: 7041}}\n"
            f"  b: {{{other}, token: {{env: T}}, company_id: 7041}}\n"
            f"  c: {{domain: us, token: {{env: T}}, company_id: 7042}}\n"
            f"  d: {{domain: apac, token: {{env: T}}}}\n"
        )
        assert [(diagnostic.code, diagnostic.span.line) for diagnostic in found if diagnostic.span] == [
            ("same-company", 3),
            ("same-company", 4),
        ]
        assert found[0].summary == "the accounts `a` and `b` are both company 7041"
        assert "0.yaml:4" in found[0].detail

    def test_two_accounts_at_one_address_are_not_reported_twice(self, errors_of: Errors) -> None:
        account = "{domain: acme, token: {env: T}, company_id: 7041}"
        found = errors_of(f"version: 1\naccounts:\n  a: {account}\n  b: {account}\n")
        assert [diagnostic.code for diagnostic in found] == ["same-address"] * 2

    def test_two_sandboxes_of_this_machine_may_hold_a_company_of_one_id(self, load_text: Load) -> None:
        text = "version: 1\naccounts:\n" + "".join(
            f"  {name}: {{url: '{url}', token: {{env: T}}, company_id: 7041}}\n"
            for name, url in (("a", "http://127.0.0.1:1"), ("b", "http://localhost:2"), ("c", "http://127.0.0.2:1"))
        )
        assert load_text(text).diagnostics == ()

    @pytest.mark.parametrize("other", ["http://127.0.0.1:8765", "http://[::1]:8765", "http://localhost:8765/"])
    def test_names_of_this_machine_are_one_address(self, load_text: Load, other: str) -> None:
        text = "version: 1\naccounts:\n" + "".join(
            f"  {name}: {{url: '{url}', token: {{env: T}}}}\n"
            for name, url in (("a", "http://localhost:8765"), ("b", other), ("c", "http://localhost:8766"))
        )
        with pytest.raises(ConfigurationError) as failure:
            load_text(text)
        found = failure.value.diagnostics
        assert [(diagnostic.code, diagnostic.span.line) for diagnostic in found if diagnostic.span] == [
            ("same-address", 3),
            ("same-address", 4),
        ]

    def test_two_companies_may_share_an_address(self, load_text: Load) -> None:
        text = "version: 1\naccounts:\n" + "".join(
            f"  {name}: {{url: http://127.0.0.1:8765, token: {{env: T}}, company_id: {id_}}}\n"
            for name, id_ in (("a", 7), ("b", 8))
        )
        assert load_text(text).diagnostics == ()
