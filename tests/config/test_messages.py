"""What the models refuse: code, place, message and fix."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len, set_cell_size

from leadstate.config import messages
from leadstate.model.diagnostics import Diagnostic

ROOT = Path(__file__).parents[2] / "leadstate"
OneError = Callable[[str, str], Diagnostic]
Errors = Callable[..., list[Diagnostic]]

TOP = "version: 1\nnamespace: acme\n"
ACCOUNT = "accounts:\n  emea: {domain: acme, token: {env: T}}\n"
OAUTH = "{oauth: {client_id: {env: A}, client_secret: %s, refresh_token: {env: B}}}"
URL = OAUTH.replace("}}}", "}, token_url: ‸'%s'}}") % ("{env: C}", "%s")
LEAD = TOP + ACCOUNT + "leads:\n  - {key: a, title: A, person: 1, "


def account(fields: str, source: str = "{env: T}") -> str:
    return f"version: 1\naccounts:\n  emea: {{{fields}, token: {source}}}\n"


def label(fields: str) -> str:
    return f"{TOP}{ACCOUNT}labels:\n  - {{{fields}}}\n"


BAD: dict[str, tuple[str, str, str]] = {
    # name: text, code, what the hint says
    "unknown key at the top": (TOP + ACCOUNT + "‸lables: []\n", "unknown-key", "did you mean `labels`"),
    "unknown key, nothing near": (TOP + ACCOUNT + "‸zzz: []\n", "unknown-key", "`x-`: `version`"),
    "a place for anchors without its hyphen": (TOP + ACCOUNT + "‸x_colors: []\n", "unknown-key", "begin with `x-`"),
    "a place for anchors below the top": (TOP + ACCOUNT + "policy: {‸x-rules: 1}\n", "unknown-key", "allowed here"),
    "key of something else": (label("name: A, color: red, ‸pipeline: [B]"), "unknown-key", "allowed here"),
    "unknown key in a label": (label("name: A, color: red, ‸stat: absent"), "unknown-key", "`state`"),
    "misspelt key is not missing as well": (label("name: A, ‸colour: red"), "unknown-key", "`color`"),
    "misspelt required key is not missing as well": (label("‸nam: A, color: red"), "unknown-key", "`name`"),
    "unknown key in an override": (
        label("name: A, color: red, overrides: {emea: {‸colr: red}}"),
        "unknown-key",
        "`color`",
    ),
    "unknown key in at_least": (
        LEAD + "labels: {at_least: [], ‸atleast: []}}\n",
        "unknown-key",
        "`at_least`",
    ),
    "unknown key in prune": (TOP + ACCOUNT + "policy: {prune: {‸label: all}}\n", "unknown-key", "`labels`"),
    "unknown key in an account": (account("domain: acme, ‸tag: [x]"), "unknown-key", "`tags`"),
    "missing name": (label("‸color: red").replace("{‸", "‸{"), "missing-key", "name: …"),
    "missing colour": (label("name: A").replace("{name", "‸{name"), "missing-color", "color: …"),
    "missing token": ("version: 1\naccounts:\n  emea: ‸{domain: acme}\n", "missing-key", "token: {env:"),
    "missing title": (TOP + ACCOUNT + "leads:\n  - ‸{key: a, person: 1}\n", "missing-key", "title: …"),
    "missing currency": (LEAD + "value: ‸{amount: 1}}\n", "missing-key", "EUR"),
    "version 2": ("version: ‸2\n" + ACCOUNT, "unsupported-version", "version: 1"),
    "version is true": ("version: ‸true\n" + ACCOUNT, "unsupported-version", "write `version: 1`"),
    "visible_to is true": (LEAD + "visible_to: ‸true}\n", "unknown-value", "'company', not `true`"),
    "a custom field twice after trimming": (
        LEAD + "custom_fields: ‸{Notes: a, 'Notes ': b}}\n",
        "duplicate-key",
        "`custom_fields` holds the name `Notes` twice",
    ),
    "a custom field twice in two forms of Unicode": (
        LEAD + 'custom_fields: ‸{"Caf\u00e9": a, "Cafe\u0301": b}}\n',
        "duplicate-key",
        "keep one",
    ),
    "misspelt version": ("‸verison: 1\n" + ACCOUNT, "unknown-key", "`version`"),
    "misspelt accounts": (
        TOP + ACCOUNT.replace("acc", "‸ac") + "labels: [{name: A, color: red, accounts: [emea]}]\n",
        "unknown-key",
        "`accounts`",
    ),
    "misspelt namespace": (
        "version: 1\n‸namespce: a\n" + ACCOUNT + "leads: [{key: a, title: A, person: 1}]\n",
        "unknown-key",
        "`namespace`",
    ),
    "misspelt labels": (
        TOP + ACCOUNT + "‸lables: [{name: A, color: red}]\nleads: [{key: a, title: A, person: 1, labels: [A]}]\n",
        "unknown-key",
        "`labels`",
    ),
    "a place for anchors is no misspelt key": ("‸x-version: 1\n" + ACCOUNT, "missing-key", "add `version: 1`"),
    "version in quotes": ('version: ‸"1"\n' + ACCOUNT, "unsupported-version", "without quotes"),
    "number for a name": (label("name: ‸2026, color: red"), "wrong-type", 'write it in quotes: "2026"'),
    "bool for a name": (label("name: ‸true, color: red"), "wrong-type", '"true"'),
    "nothing for a name": (label("name: ‸null, color: red"), "wrong-type", "write text"),
    "list for a name": (label("name: ‸[A], color: red"), "wrong-type", "write text"),
    "number in a list": (label("name: A, color: red, previously: [B, ‸1]"), "wrong-type", '"1"'),
    "text for a list": (label("name: A, color: red, previously: ‸B"), "wrong-type", "[B]"),
    "list for a mapping": (TOP + ACCOUNT + "policy: ‸[]\n", "wrong-type", "{prune: …, "),
    "nothing for labels": (TOP + ACCOUNT + "labels:‸\n".replace("‸", ""), "wrong-type", "leave it out"),
    "text for a label": (TOP + ACCOUNT + "labels: [‸Hot]\n", "wrong-type", "write {name: …, color: …}"),
    "text for accounts": ("version: 1\naccounts: ‸x\n", "wrong-type", "keys and values"),
    "number in vars": (account("domain: acme, vars: {a: ‸1}"), "wrong-type", '"1"'),
    "text for a number": (LEAD + 'owner: ‸"3"}\n', "wrong-type", "without quotes"),
    "fraction for an id": (LEAD + "owner: ‸3.5}\n", "wrong-type", "whole number"),
    "text for a bool": (LEAD + "was_seen: ‸yes}\n", "wrong-type", "true or false"),
    "unknown colour": (label("name: A, color: ‸rde"), "unknown-color", "`red`"),
    "colour in capitals": (label("name: A, color: ‸Dark-Gray"), "unknown-color", "`dark-gray`"),
    "no colour like it": (label("name: A, color: ‸mauve-ish"), "unknown-color", "'blue', 'brown'"),
    "colour is a list": (label("name: A, color: ‸[red]"), "unknown-color", "write one of these"),
    "unknown state": (label("name: A, color: red, state: ‸abesnt"), "unknown-value", "`absent`"),
    "odd value": (TOP + ACCOUNT + "policy: {prune: {labels: ‸owned}}\n", "unknown-value", "`none`"),
    "visible_to in quotes": (LEAD + 'visible_to: ‸"3"}\n', "unknown-value", "write 3 without quotes"),
    "visible_to in odd words": (LEAD + "visible_to: ‸everybody}\n", "unknown-value", "'company'"),
    "visible_to without a plan": (LEAD + "visible_to: ‸company}\n", "visibility-unknown", "`plan`"),
    "odd value in an account": (account("domain: a, plan: ‸enterprise"), "unknown-value", "'premium'"),
    "odd value in the policy of an account": (
        account("domain: a, policy: {prune: {labels: ‸owned}}"),
        "unknown-value",
        "`none`",
    ),
    "odd value beside variables": (account("domain: a, vars: {plan: x}, plan: ‸enterprise"), "unknown-value", "'lite'"),
    "bad address in a custom field": (
        LEAD + "custom_fields: {version: {email: ‸x}}}\n",
        "bad-email",
        "as in jane@acme.test",
    ),
    "empty name": (label('name: ‸" ", color: red'), "empty-text", "write some text"),
    "name of two lines": (label('name: ‸"a\\nb", color: red'), "control-character", "one line"),
    "name too long": (label(f"name: ‸{'x' * 256}, color: red"), "too-long", "255"),
    "namespace too long": (f"version: 1\nnamespace: ‸{'x' * 51}\n{ACCOUNT}", "too-long", "50"),
    "bad namespace": ("version: 1\nnamespace: ‸Acme\n" + ACCOUNT, "bad-namespace", "a-z"),
    "bad lead key": (TOP + ACCOUNT + "leads: [{key: ‸A b, title: T, person: 1}]\n", "bad-key", "a-z"),
    "bad currency": (LEAD + "value: {amount: 1, currency: ‸eur}}\n", "bad-currency", "EUR"),
    "bad account name": (
        "version: 1\naccounts: {‸'a b': {domain: a, token: {env: T}}}\n",
        "bad-account-name",
        "a letter or digit",
    ),
    "bad account name that begins like a tag of a union": (
        "version: 1\naccounts: {‸(a): {domain: a, token: {env: T}}}\n",
        "bad-account-name",
        "a letter or digit",
    ),
    "bad tag": (account("domain: acme, tags: [‸a b]"), "bad-tag", "a letter or digit"),
    "bad variable name": (account("domain: acme, vars: {‸a b: x}"), "bad-variable-name", "letters"),
    "label unset in an override": (
        label("name: A, color: red, overrides: {emea: {color: ‸null}}"),
        "cannot-unset",
        "leave it out",
    ),
    "title unset": (LEAD + "overrides: {emea: {title: ‸null}}}\n", "cannot-unset", "leave it out"),
    "labels unset": (LEAD + "labels: ‸null}\n", "cannot-unset", "[]"),
    "id of zero": (LEAD + "owner: ‸0}\n", "out-of-range", "should be greater than 0"),
    "id too large": (LEAD + "owner: ‸9007199254740992}\n", "out-of-range", "less than 9007199254740992"),
    "id far too large": (LEAD + f"owner: ‸{'9' * 10_000}}}\n", "wrong-type", "whole number"),
    "percent": (
        TOP + ACCOUNT + "policy: {guards: {max_delete_percent: ‸101}}\n",
        "out-of-range",
        "less than or equal to 100",
    ),
    "archived pages": (TOP + ACCOUNT + "policy: {archived_pages: ‸-1}\n", "out-of-range", "greater than or equal to 0"),
    "amount NaN": (LEAD + "value: {amount: ‸.nan, currency: EUR}}\n", "bad-amount", "digits"),
    "amount infinite": (LEAD + "value: {amount: ‸-.inf, currency: EUR}}\n", "bad-amount", "digits"),
    "amount 1e400": (LEAD + "value: {amount: ‸1e400, currency: EUR}}\n", "bad-amount", "fewer"),
    "amount 1e9999999": (LEAD + "value: {amount: ‸1e9999999, currency: EUR}}\n", "bad-amount", "fewer"),
    "amount 1e-9999999": (LEAD + "value: {amount: ‸1e-9999999, currency: EUR}}\n", "bad-amount", "fewer"),
    "amount huge exponent": (LEAD + f"value: {{amount: ‸1e{'9' * 30}, currency: EUR}}}}\n", "bad-amount", "digits"),
    "amount with 30 digits": (LEAD + f"value: {{amount: ‸0.1{'0' * 30}1, currency: EUR}}}}\n", "bad-amount", "fewer"),
    "amount in quotes": (LEAD + 'value: {amount: ‸"1", currency: EUR}}\n', "bad-amount", "without quotes"),
    "amount is a bool": (LEAD + "value: {amount: ‸true, currency: EUR}}\n", "bad-amount", "without quotes"),
    "year 0": (LEAD + "expected_close_date: ‸0000-01-01}\n", "bad-date", "2026-12-31"),
    "30 February": (LEAD + "expected_close_date: ‸2026-02-30}\n", "bad-date", "2026-12-31"),
    "American date": (LEAD + "expected_close_date: ‸12/31/2026}\n", "bad-date", "2026-12-31"),
    "week date": (LEAD + "expected_close_date: ‸2026-W01-1}\n", "bad-date", "2026-12-31"),
    "date and time": (LEAD + "expected_close_date: ‸2026-12-31T00:00:00}\n", "bad-date", "2026-12-31"),
    "date is a number": (LEAD + "expected_close_date: ‸2026}\n", "bad-date", "2026-12-31"),
    "host for a domain": (account("domain: ‸acme-emea.pipedrive.com"), "bad-domain", "before .pipedrive.com"),
    "url for a domain": (account('domain: ‸"https://acme.pipedrive.com/x"'), "bad-domain", "before .pipedrive.com"),
    "capitals in a domain": (account("domain: ‸Acme"), "bad-domain", "before .pipedrive.com"),
    "other host for a domain": (account("domain: ‸crm.example.com"), "bad-domain", "`url`"),
    "http": (account("url: ‸http://crm.example.com"), "bad-url", "https://"),
    "http within the house": (account("url: ‸http://10.0.0.1"), "bad-url", "https://"),
    "http that begins like loopback": (account("url: ‸http://127.0.0.1.example.com"), "bad-url", "https://"),
    "path in a url": (account("url: ‸https://crm.example.com/api"), "bad-url", "only scheme and host"),
    "query in a url": (account("url: ‸https://crm.example.com?x=1"), "bad-url", "only scheme and host"),
    "user in a url": (account("url: ‸https://me@crm.example.com"), "bad-url", "`token`"),
    "other scheme": (account("url: ‸ftp://crm.example.com"), "bad-url", "scheme"),
    "no scheme": (account("url: ‸crm.example.com"), "bad-url", "scheme"),
    "bad port": (account("url: ‸https://crm.example.com:99999"), "bad-url", "scheme"),
    "bad IPv6": (account('url: ‸"https://[::1"'), "bad-url", "scheme"),
    "no host": (account('url: ‸"https://"'), "bad-url", "host"),
    "both addresses": (account("domain: a, url: https://x.y").replace("{domain", "‸{domain"), "account-address", "url"),
    "no address": (account("tags: [a]").replace("{tags", "‸{tags"), "account-address", "domain"),
    "no token source": (account("domain: acme", "‸{}"), "token-sources", "`env`"),
    "two token sources": (account("domain: acme", "‸{env: A, file: b}"), "token-sources", "`env`"),
    "token is nothing": (account("domain: acme", "‸null"), "wrong-type", "{env:"),
    "empty command": (account("domain: acme", "{command: ‸[]}"), "empty-value", "write something"),
    "command as text": (account("domain: acme", "{command: ‸pass show}"), "wrong-type", "brackets"),
    "no source of a secret": (account("domain: acme", OAUTH % "‸{}"), "token-sources", "`keyring`"),
    "two sources of a secret": (account("domain: acme", OAUTH % "‸{env: A, file: b}"), "token-sources", "`keyring`"),
    "oauth within oauth": (account("domain: acme", OAUTH % "{‸oauth: {}}"), "unknown-key", "`keyring`"),
    "oauth is nothing": (account("domain: acme", "{oauth: ‸null}"), "cannot-unset", "leave it out"),
    "literal secret": (account("domain: acme", OAUTH % "‸abc"), "literal-token", "`client_secret: {env: NAME}`"),
    "keyring as text": (account("domain: acme", "{keyring: ‸a/b}"), "wrong-type", "{service: …, user: …}"),
    "keyring without a user": (account("domain: acme", "{keyring: ‸{service: a}}"), "missing-key", "`user:"),
    "token endpoint without a path": (account("domain: a", URL % "https://o.test"), "bad-url", "/oauth/token"),
    "token endpoint over http": (account("domain: a", URL % "http://o.test/oauth/token"), "bad-url", "https://"),
    "token endpoint with a query": (account("domain: a", URL % "https://o.test/t?x=1"), "bad-url", "/oauth/token"),
    "misspelt token source": (account("domain: acme", "{‸evn: X}"), "unknown-key", "`env`"),
}


FIELD = TOP + ACCOUNT + "labels:\n"
MISTAKES: dict[str, tuple[str, str, str]] = {
    # What people write who know spreadsheets better than YAML: text, code, the hint.
    "name that begins with #": (
        FIELD + "  - name:‸ #1 priority\n    color: red\n",
        "wrong-type",
        "text that begins with `#` needs quotes",
    ),
    "colour in hex": (
        label("name: A, color: #ff0000\n").replace("{name", "‸{name"),
        "missing-color",
        "a word and no `#` number",
    ),
    "colour in hex and quotes": (label('name: A, color: ‸"#ff0000"'), "unknown-color", "write one of these"),
    "a column to the left": (FIELD + "  - name: Hot\n   ‸color: red\n", "yaml-syntax", "keys of one mapping"),
    "two columns to the left": (FIELD + "  - name: Hot\n  ‸color: red\n", "yaml-syntax", "keys of one mapping"),
    "two columns to the right": (FIELD + "  - name: Hot\n      color‸: red\n", "yaml-syntax", "of one mapping alike"),
    "colon in a name": (
        FIELD + "  - name: Hot‸: very\n    color: red\n",
        "yaml-syntax",
        "put text that holds `: ` in quotes",
    ),
    "no space after the colon": (label("name: A, ‸color:red"), "unknown-key", "did you mean `color`?"),
    "variable in brackets": (label("name: $‸{region} Hot, color: red"), "yaml-syntax", "put the text in quotes"),
    "label as text": (TOP + ACCOUNT + "labels: [‸100 %]\n", "wrong-type", "write {name: …, color: …}"),
    "one name to merge": (
        label("name: A, color: red, merge_from: ‸Lukewarm"),
        "wrong-type",
        "write it in brackets: [Lukewarm]",
    ),
    "names with a comma for a list": (
        label("name: A, color: red, previously: ‸'Hot, new'"),
        "wrong-type",
        'write it in brackets: ["Hot, new"]',
    ),
    "an alias in brackets": (
        TOP + ACCOUNT + "policy: {ignore: {labels: ‸'*tmp'}}\n",
        "wrong-type",
        'write it in brackets: ["*tmp"]',
    ),
    "a mapping in brackets": (
        label("name: A, color: red, previously: ‸'x: y'"),
        "wrong-type",
        'write it in brackets: ["x: y"]',
    ),
    "a constant in brackets": (
        label("name: A, color: red, previously: ‸'true'"),
        "wrong-type",
        'write it in brackets: ["true"]',
    ),
    "a number in brackets": (
        label("name: A, color: red, previously: ‸2026"),
        "wrong-type",
        'write it in brackets: ["2026"]',
    ),
    "a long name for a list": (
        label(f"name: A, color: red, previously: ‸{'x' * 61}"),
        "wrong-type",
        "write a list in brackets",
    ),
    "text of control characters for a list": (
        label('name: A, color: red, previously: ‸"\\e"'),
        "wrong-type",
        r'write it in brackets: ["\u001b"]',
    ),
    "labels as a mapping": (FIELD + "  ‸Hot: red\n  Cold: blue\n", "wrong-type", "a list of {name: …, color: …}"),
    "person by address": (LEAD.replace("person: 1", "person: ‸p1@acme.test") + "}\n", "wrong-type", "{email: jane@"),
    "organization by name": (LEAD + "organization: ‸Acme Inc}\n", "wrong-type", "its id or {name: Acme Inc}"),
    "owner by name": (LEAD + "owner: ‸Sam}\n", "wrong-type", "write the user's id or {email: sam@acme.test}"),
    "amount alone": (LEAD + "value: ‸12000}\n", "wrong-type", "write {amount: 1200.50, currency: EUR}"),
    "currency in small letters": (LEAD + "value: {amount: 1, currency: ‸eur}}\n", "bad-currency", "as in EUR"),
    "percent sign": (TOP + ACCOUNT + "policy: {guards: {max_deletes: ‸30%}}\n", "wrong-type", "write a whole number"),
    "token in the manner of a shell": (account("domain: a", "‸$PIPEDRIVE_TOKEN"), "literal-token", "{env: NAME}"),
    "token that begins with a dollar": (account("domain: a", "‸$hunter22"), "literal-token", "{env: NAME}"),
    "variable with a dollar": (account("domain: a", "{env: ‸$T}"), "bad-variable-name", "without `$`"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_hint_of_a_plausible_mistake_is_the_line_to_write(name: str, one_error: OneError) -> None:
    text, code, hint = MISTAKES[name]
    found = one_error(text, code)
    assert hint in found.hint
    assert "hunter22" not in str(found)


@pytest.mark.parametrize("name", BAD)
def test_refused_value_has_code_place_and_hint(name: str, one_error: OneError) -> None:
    text, code, hint = BAD[name]
    found = one_error(text, code)
    assert hint in found.hint or hint in found.summary, (found.summary, found.hint)
    assert "pattern" not in found.summary + found.hint, "people read no regular expressions"


def test_every_error_that_the_models_raise_has_a_code_and_a_hint() -> None:
    known = {*messages._RULES, "literal_token"}  # noqa: SLF001  the table that is to be complete
    for folder in ("kinds", "config"):
        # The lock file is nothing that people write; its module makes the messages about it.
        for file in (file for file in (ROOT / folder).rglob("*.py") if file.name != "lockfile.py"):
            raised = re.findall(r'PydanticCustomError\(\s*"(\w+)"', file.read_text(encoding="utf-8"))
            assert set(raised) <= known, file


def test_all_errors_are_reported_at_once_each_once(errors_of: Errors) -> None:
    text = (
        "version: 1\naccounts:\n  emea: {domain: acme, token: {env: T}, x: 1}\nlabels:\n"
        "  - {name: A, color: rde}\n  - {name: B, color: red, accounts: [emae]}\n  - {name: C, color: blue}\n"
        "  - {name: C, color: blue}\nleads:\n  - {key: a, title: A, labels: [A, D]}\n"
    )
    found = errors_of(text)
    assert [(diagnostic.code, diagnostic.span.line if diagnostic.span else 0) for diagnostic in found] == [
        ("unknown-key", 3),
        ("unknown-color", 5),
        ("unknown-account", 6),
        ("duplicate-label", 8),
        ("lead-without-contact", 10),
        ("namespace-missing", 10),
        ("unknown-label", 10),
    ]


def test_an_item_that_is_wrong_is_still_known_by_name(errors_of: Errors) -> None:
    """A lead that refers to a label with a wrong colour is no second error."""
    text = TOP + ACCOUNT + "labels: [{name: A, color: rde}]\nleads: [{key: a, title: A, person: 1, labels: [A]}]\n"
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["unknown-color"]


def test_a_key_that_is_wrong_as_a_whole_makes_no_further_errors(errors_of: Errors) -> None:
    text = "version: 1\naccounts: x\nlabels: [{name: A, color: red, accounts: [emea]}]\n"
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["wrong-type"]
    text = TOP + ACCOUNT + "labels: x\nleads: [{key: a, title: A, person: 1, labels: [A]}]\n"
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["wrong-type"]


def test_a_misspelt_scope_makes_no_further_errors(errors_of: Errors) -> None:
    text = TOP + "accounts:\n  emea: {domain: a, token: {env: T}}\n  us: {domain: b, token: {env: T}, tgas: [prod]}\n"
    text += "labels:\n  - {name: A, color: red, acounts: [emea]}\n  - {name: A, color: red, accounts: [us]}\n"
    text += "  - {name: B, color: red, accounts: [tag:prod]}\n"
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["unknown-key", "unknown-key"]


def test_misspelt_variables_make_no_further_errors(errors_of: Errors) -> None:
    text = TOP + "accounts:\n  emea: {domain: a, token: {env: T}, vras: {r: x}}\n"
    text += 'labels:\n  - {name: "A ${r}", color: red}\n'
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["unknown-key"]


@pytest.mark.parametrize(
    "accounts",
    [
        "  a: {domain: acme-a, tokn: {env: A}}\n  b: {domain: acme-b, tokn: {env: B}}\n",
        "  a: {domain: Acme, token: {env: A}}\n  b: {domian: acme, token: {env: B}}\n",
        "  a: {domain: acme, x: 1, token: {env: A}}\n  b: {domain: stand-in, tokn: {env: B}}\n",
        "  a: {token: {env: A}}\n  b: {domain: x, url: 'https://x.y', token: {env: B}}\n",
        "  a: {domain: x, company_id: '7', token: {env: A}}\n  b: {domain: x, compny_id: 8, token: {env: B}}\n",
    ],
)
def test_mistakes_in_two_accounts_do_not_give_them_one_address(accounts: str, errors_of: Errors) -> None:
    found = errors_of(f"version: 1\naccounts:\n{accounts}")
    assert len(found) == 2
    assert "same-address" not in {diagnostic.code for diagnostic in found}


def test_accounts_of_one_address_are_found_in_spite_of_another_mistake(errors_of: Errors) -> None:
    text = "version: 1\naccounts:\n  a: {domain: acme, token: {env: A}, x: 1}\n  b: {domain: acme, token: {env: B}}\n"
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["same-address", "unknown-key", "same-address"]


@pytest.mark.parametrize("plan", ["plan: premum", "pln: premium"])
def test_a_misspelt_plan_makes_no_further_errors(plan: str, errors_of: Errors) -> None:
    text = f"{TOP}accounts:\n  a: {{domain: a, token: {{env: A}}, {plan}}}\n  b: {{domain: b, token: {{env: B}}}}\n"
    text += "leads:\n  - {key: a, title: A, person: 1, visible_to: company}\n"
    one, without_plan = errors_of(text)
    assert one.code in {"unknown-value", "unknown-key"}
    assert (without_plan.code, without_plan.summary[-17:]) == ("visibility-unknown", " in the account b")


def test_a_mistake_in_the_policy_of_an_account_makes_no_further_errors(errors_of: Errors) -> None:
    text = f"{TOP}accounts:\n  a: {{domain: a, token: {{env: A}}, policy: {{ignore: {{labels: []}}, x: 1}}}}\n"
    text += "policy: {ignore: {labels: [Hot]}}\nlabels: [{name: Hot, color: red}]\n"
    assert [diagnostic.code for diagnostic in errors_of(text)] == ["unknown-key"]


def test_an_excerpt_shows_line_and_caret(one_error: OneError) -> None:
    found = one_error(label("name: Hot, ‸colour: red"), "unknown-key")
    assert found.excerpt == "6 |   - {name: Hot, colour: red}\n  |                 ^"


def test_a_long_line_is_cut_around_the_place(one_error: OneError) -> None:
    found = one_error(label(f"name: {'x' * 200}, ‸colour: red, previously: [{'y' * 200}]"), "unknown-key")
    line, caret = found.excerpt.split("\n")
    assert len(line) <= 78
    assert line[caret.index("^") :].startswith("colour")
    assert line.endswith("…")


@pytest.mark.parametrize(("before", "after"), [("x", ""), ("", "y"), ("x", "y"), ("冷", "冷"), ("\\u200b", "冷")])
def test_an_excerpt_fits_a_terminal_of_80_columns_and_uses_its_width(
    before: str, after: str, one_error: OneError
) -> None:
    found = one_error(label(f'name: "a{before * 90}", ‸colour: red, previously: ["b{after * 90}"]'), "unknown-key")
    line, caret = found.excerpt.split("\n")
    assert len(caret) <= cell_len(line) <= 78
    assert cell_len(line) > 70
    assert set_cell_size(line, caret.index("^") + len("colour")).endswith("colour")


def test_wide_characters_do_not_move_the_caret(one_error: OneError) -> None:
    found = one_error(label("name: 冷たい, ‸colour: red"), "unknown-key")
    line, caret = found.excerpt.split("\n")
    assert caret.index("^") == line.index("colour") + 3
