import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from leadstate.config.schema.json_schema import document_schema, schema_text
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import read_nodes
from tests.config.conftest import MARK
from tests.config.test_messages import BAD as REFUSED
from tests.config.test_messages import MISTAKES

STORED = Path(__file__).parents[3] / "schemas" / "leadstate.schema.json"
GOOD = """
# yaml-language-server: $schema=schemas/leadstate.schema.json
version: 1
namespace: acme-seeds
accounts:
  emea:
    domain: acme-emea
    token: {env: PIPEDRIVE_TOKEN_EMEA}
    tags: [prod]
    vars: {region: EMEA}
  us:
    url: http://127.0.0.1:8765
    token: {file: /run/secrets/pipedrive-us}
    vars: {region: US}
    policy: {prune: {labels: none}}
  apac:
    domain: acme-apac
    vars: {region: APAC}
    token:
      oauth:
        client_id: {env: CLIENT_ID}
        client_secret: {keyring: {service: leadstate, user: apac}}
        refresh_token: {file: refresh-token}
        save_to: refresh-token
        token_url: https://proxy.example/oauth/token
policy:
  prune: {labels: none, leads: none}
  guards: {max_deletes: 10, max_delete_percent: 30, max_tokens: null}
  in_use: refuse
labels:
  - {name: Hot, color: red}
  - name: Nurture
    color: blue
    previously: [Cold]
  - name: Warm
    color: yellow
    overrides: {us: {color: orange}}
  - name: Partner
    color: green
    accounts: [emea, tag:prod]
  - name: Old campaign
    state: absent
leads:
  - key: acme-renewal
    title: "Acme renewal ${region}"
    person: 123
    organization: null
    owner: 7
    labels: [Hot]
    value: {amount: 12000.5, currency: EUR}
    expected_close_date: 2026-12-31
    visible_to: 3
    mode: seed
  - {key: b, title: B, organization: 1, labels: {at_least: [Hot]}, archived: false, except: [us]}
x-anything: [{name: null}, 1, true]
"""


@pytest.fixture(name="judge", scope="module")
def _judge() -> jsonschema.Draft7Validator:
    schema = document_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def value(text: str) -> Any:
    root = read_nodes(Source("f", text, Path()), Diagnostics())
    assert root is not None
    return json.loads(json.dumps(root.value, default=float))


def test_the_stored_schema_is_the_current_one() -> None:
    fix = 'python -c "from leadstate.config.schema.json_schema import schema_text; print(schema_text(), end=str())"'
    assert STORED.read_text(encoding="utf-8") == schema_text(), f"run: {fix} > schemas/leadstate.schema.json"


def test_the_examples_pass_both_judges(judge: jsonschema.Draft7Validator, load_text: Any) -> None:
    judge.validate(value(GOOD))
    assert [len(account.account.desired) for account in load_text(GOOD).accounts] == [6, 7, 5]


BAD = {
    "literal token": ("{env: PIPEDRIVE_TOKEN_EMEA}", "abc123"),
    "keyring unset": ("{service: leadstate, user: apac}", "null"),
    "no refresh token": ("        refresh_token: {file: refresh-token}\n", ""),
    "empty scope": ("accounts: [emea, tag:prod]", "accounts:"),
    "accounts and except": ("accounts: [emea, tag:prod]", "accounts: [emea]\n    except: [us]"),
    "a custom field that is no value": ("mode: seed", "custom_fields: {A: true}"),
}
BEYOND_A_SCHEMA = {
    *(
        "a custom field twice after trimming",
        "a custom field twice in two forms of Unicode",
        "visible_to without a plan",
    ),
    *("a place for anchors is no misspelt key", "empty name", "name of two lines", "colour in hex"),
    *("amount NaN", "amount infinite", "amount 1e400", "amount 1e9999999", "amount 1e-9999999"),
    *("amount huge exponent", "amount with 30 digits", "bad port", "bad IPv6"),
    *("http", "http within the house", "http that begins like loopback", "token endpoint over http"),
}
"""Mistakes that no schema finds: what stands in another place or file, numbers that JSON does not have, and names."""


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_flagged_by_editors_and_by_us(
    name: str, judge: jsonschema.Draft7Validator, errors_of: Any
) -> None:
    old, new = BAD[name]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    assert not judge.is_valid(value(text))
    errors_of(text)


@pytest.mark.parametrize("name", [name for name, (_, code, _) in (REFUSED | MISTAKES).items() if code != "yaml-syntax"])
def test_what_we_refuse_is_flagged_by_editors_if_a_schema_can_express_it(
    name: str, judge: jsonschema.Draft7Validator
) -> None:
    text, _, _ = (REFUSED | MISTAKES)[name]
    assert judge.is_valid(value(text.replace(MARK, ""))) == (name in BEYOND_A_SCHEMA)


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for item in schema.values():
            yield from _schemas(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from _schemas(item)


def test_schema_uses_draft_7_only_and_allows_no_unknown_key() -> None:
    later = {"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired", "dependentSchemas", "discriminator"}
    for schema in _schemas(document_schema()):
        assert not later & set(schema)
        assert "$ref" not in schema or set(schema) == {"$ref"}
        if schema.get("type") == "object" and "properties" in schema:
            assert schema["additionalProperties"] is False
