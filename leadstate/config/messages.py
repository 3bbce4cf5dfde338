"""Messages for values that the models refuse: a code, pydantic's sentence about the key, and what to write instead.

Near misses, keys and forms in hints come from the JSON schema of the models. What stands under `token` is
never repeated, whatever it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic_core import ErrorDetails

from leadstate.config.yaml.diagnostics import cut
from leadstate.config.yaml.masking import CUT, TOKEN_LIKE
from leadstate.config.yaml.nodes import Node, is_words
from leadstate.kinds.base import is_tag
from leadstate.model.escape import quoted

Loc: TypeAlias = tuple[str | int, ...]

_SECRETS: Final = ("token", "client_id", "client_secret", "refresh_token")
"""Keys under which a source stands; a literal there is a secret that people have read."""
_TYPES: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping of keys to values"),
}
"""What has to stand there, for errors of type; pydantic names types of Python."""
_NAME: Final = "begin with a letter or digit, then also `.`, `_` and `-`"
_KEY: Final = "begin with a-z or 0-9, then also `.`, `_` and `-`"
_VARIABLE: Final = "write the variable's name, without `$`: letters, digits and `_`"
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "color": ("unknown-color", "write one of these"),
    "version": ("unsupported-version", "write `version: 1`"),
    "namespace": ("bad-namespace", _KEY),
    "key": ("bad-key", _KEY),
    "email": ("bad-email", "write an address, as in jane@acme.test"),
    "currency": ("bad-currency", "write its code in capitals, as in EUR"),
    "env": ("bad-variable-name", _VARIABLE),
    "vars": ("bad-variable-name", _VARIABLE),
    "tags": ("bad-tag", _NAME),
    "accounts": ("bad-account-name", _NAME),
    "domain": ("bad-domain", "write the part before .pipedrive.com, as in acme-emea; another address goes under `url`"),
}
"""Code and hint for a value of a field that takes certain words or characters only."""
_RULES: Final[Mapping[str, tuple[str, str]]] = {
    # pydantic's types of error
    "literal_error": ("unknown-value", "write one of these"),
    "string_pattern_mismatch": ("bad-value", "use letters and digits"),
    "string_too_long": ("too-long", "shorten it"),
    "too_long": ("too-long", "shorten it"),
    **dict.fromkeys(("string_too_short", "too_short"), ("empty-value", "write something, or leave it out")),
    **dict.fromkeys(
        ("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        ("out-of-range", "write a number within the limit"),
    ),
    # our own
    "empty_text": ("empty-text", "write some text, or leave it out"),
    "control_character": ("control-character", "write one line"),
    "same_name": ("duplicate-key", "keep one of the two"),
    "label_color": ("missing-color", "add `color: …`, a word and no `#` number, or `state: absent`"),
    "cannot_unset": ("cannot-unset", "leave it out, or write a value; `[]` means no labels"),
    "only_absent": ("only-absent", "add `state: absent`, or take them out"),
    "only_present": ("only-present", "put `merge_from` into the label that stays"),
    "person_ref": ("person-unclear", "write one of the two, or the person's id"),
    **dict.fromkeys(("amount_type", "amount_finite"), ("bad-amount", "write digits without quotes, as in 1200.50")),
    "amount_digits": ("bad-amount", "write fewer digits"),
    "custom_value": ("bad-custom-value", "write text in quotes, or null to unset it"),
    **dict.fromkeys(("date_type", "date_value"), ("bad-date", "write it like 2026-12-31")),
    "token_sources": ("token-sources", "write one of `env`, `file`, `command`, `keyring` and `oauth`"),
    "secret_sources": ("token-sources", "write one of `env`, `file`, `command` and `keyring`"),
    "account_address": ("account-address", "write `domain: acme-emea` for https://acme-emea.pipedrive.com"),
    "bad_url": ("bad-url", ""),
}
"""Type of error → code and hint; the `fix` of an error, where it has one, stands in place of the hint."""
_SENTENCES: Final = {
    "missing": "is missing",
    **{type_: f"should be {words}" for type_, words in _TYPES.items()},
    **dict.fromkeys(("too_short", "string_too_short"), "is empty"),
    "string_pattern_mismatch": "should have another form",
}
_INPUT: Final = re.compile(r"^(?:Input|String|List|Value) (?=should )")
_VERBS: Final = ("should ", "is ", "has ", "holds ", "cannot ")
_REPEATED: Final = 30
"""Characters of a value that a summary repeats."""
_SHOWN: Final = 12
"""Candidates that a hint lists."""
EXAMPLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(_SECRETS, "{env: NAME_OF_A_VARIABLE}"),
    "person": "its id, {email: jane@acme.test} or {name: Jane Doe}",
    "organization": "its id or {name: Acme Inc}",
    "owner": "the user's id or {email: sam@acme.test}",
    "value": "{amount: 1200.50, currency: EUR}",
    "currency": "EUR",
    "at_least": "[LABEL]",
}
"""Key → how to write its value, where that is more than its type."""
_WORDS: Final = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


class Message(NamedTuple):
    """What is shown of a mistake."""

    code: str
    summary: str
    hint: str


def message_of(error: ErrorDetails, node: Node, *, in_cell: bool = False) -> Message:
    """Return the message for an error of the models.

    Args:
        error: the error, without its input.
        node: the node that it is about, or the nearest one above.
        in_cell: whether the value stands in a cell of a CSV file.
    """
    type_, loc = error["type"], error["loc"]
    name = _names(loc)[-1] if _names(loc) else "the file"
    secret = loc[:1] == ("accounts",) and "token" in loc[2:]
    if secret and _is_literal(type_, loc, node):
        key = next(step for step in reversed(loc) if step in _SECRETS)
        summary = f"`{key}` contains the secret itself; secrets do not belong in the file"
        if node.text is not None:
            summary = f"`{key}` is text; secrets do not belong in the file, and variables are not expanded"
        hint = (
            f"write `{key}: {{env: NAME}}` and set that variable; a secret that stood here is known, so make a new one"
        )
        return Message("literal-token", summary, hint)
    if type_ == "extra_forbidden":
        what = "allowed here" if len(loc) > 1 else "allowed here, besides keys that begin with `x-`"
        summary = "an unknown key under `token`" if secret else f"unknown key `{name}`"
        return Message("unknown-key", summary, choice(str(loc[-1]), keys_at(loc[:-1]), what=what))
    written = "" if secret else cut(node.text or "")
    summary = _summary(error, name, written if len(node.text or "") <= _REPEATED else "")
    if type_ == "missing":
        column = ".".join(_names(loc)[1:])
        hint = f"fill the cell in the column `{column}`" if in_cell else f"add `{name}: {EXAMPLES.get(name, '…')}`"
        return Message("missing-key", summary, hint)
    if type_ in _TYPES:
        return Message("wrong-type", summary, _form(error, node, written, in_cell=in_cell))
    code, hint = _RULES.get(type_, ("bad-value", "write another value"))
    if type_ in {"literal_error", "string_pattern_mismatch"}:
        # What a key may be is a matter of what holds it: a variable's name of `vars`.
        field = _names(loc[:-2] if loc[-1] == "[key]" else loc)[-1]
        code, hint = _FIELDS.get(field, (code, hint))
    context = error.get("ctx", {})
    if type_ == "literal_error":
        allowed = [word or number for word, number in re.findall(r"'([^']*)'|(\d+)", str(context["expected"]))]
        near = did_you_mean(written, allowed)
        hint = f"write {written} without quotes" if written in allowed else f"did you mean `{near}`?" if near else hint
    return Message(code, summary, str(context.get("fix", hint)))


def _names(loc: Loc) -> list[str]:
    return [cut(step) for step in loc if isinstance(step, str) and step != "[key]" and not is_tag(step)]


def _is_literal(type_: str, loc: Loc, node: Node) -> bool:
    """Return whether this is about a secret in place of its source."""
    in_place = loc[-1] in _SECRETS and type_ in _TYPES and bool(node.text) and node.value is not None
    return in_place or type_ == "literal_token" or bool(TOKEN_LIKE.fullmatch(node.text or ""))


def _summary(error: ErrorDetails, name: str, written: str) -> str:
    type_, loc = error["type"], error["loc"]
    if "token" in loc[2:] and type_ not in _RULES and type_ not in _SENTENCES:
        return f"`{name}` has a value that cannot be used"
    message = sentence_of(error)
    if written and message.startswith("should ") and loc[-1] != "[key]":
        message += f", not `{written}`"
    is_item = isinstance(loc[-1], int)
    if message.startswith(_VERBS):
        return f"an item of `{name}` {message}" if is_item else f"`{name}` {message}"
    # A whole sentence about an item names the item itself.
    return message if is_item else f"`{name}`: {message}"


def sentence_of(error: ErrorDetails) -> str:
    """Return what is wrong as a sentence about the value, in most cases without its subject."""
    return _SENTENCES.get(error["type"]) or _INPUT.sub("", error["msg"])


def _form(error: ErrorDetails, node: Node, written: str, *, in_cell: bool) -> str:
    """Return the hint for a value of another type."""
    type_, loc, text = error["type"], error["loc"], node.text or ""
    path = tuple(step for step in loc if not is_tag(step))
    if len(text) > CUT:
        written = ""
    if in_cell and (parts := keys_at(path)):
        return "use the column " + " or ".join(f"`{'.'.join(_names(path)[1:])}.{part}`" for part in parts)
    if node.value is None:
        needed = not path or path[-1] in required_at(path[:-1])
        hint = "" if needed else ", or leave it out"
        return f"write {form_at(path)}{hint}" + ("" if node.text else "; text that begins with `#` needs quotes")
    if written and not in_cell and type_ == "string_type":
        return f'write it in quotes: "{written}"'
    if written and type_ == "list_type" and any(item.get("type") == "string" for item in shapes_at((*path, 0))):
        return f"write it in brackets: [{written if is_words(text) else quoted(text)}]"
    if isinstance(node.value, str) and type_ == "int_type" and written.isdigit():
        return "write it without quotes"
    return f"write {form_at(path)}"


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most like the word, case aside; None if no candidate is alike."""
    known = {candidate.casefold(): candidate for candidate in reversed(list(candidates))}
    found = get_close_matches(word[:200].casefold(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else None


def choice(word: str, candidates: Sequence[str], *, what: str) -> str:
    """Return a hint: the near miss, or what there is to choose from."""
    near = did_you_mean(word, candidates)
    if near is not None:
        return f"did you mean `{near}`?"
    if not candidates:
        return "remove it"
    more = f", … ({len(candidates)} in all)" if len(candidates) > _SHOWN else ""
    return f"{what}: " + ", ".join(f"`{candidate}`" for candidate in candidates[:_SHOWN]) + more


def form_at(loc: Sequence[str | int]) -> str:
    """Return how to write what may stand at this path: an example, the keys of a mapping, or the type in words."""
    if loc and loc[-1] in EXAMPLES:
        return EXAMPLES[str(loc[-1])]
    keys = (required_at(loc) or keys_at(loc))[:3]
    if keys:
        return "{" + ", ".join(f"{key}: {EXAMPLES.get(key, '…')}" for key in keys) + "}"
    types = [shape.get("type") for shape in shapes_at(loc)]
    if "array" in types:
        return f"a list of {form_at((*loc, 0))}" if keys_at((*loc, 0)) else "a list in brackets"
    return next((_WORDS[type_] for type_ in types if type_ in _WORDS), "keys and values")


def keys_at(loc: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand in the mapping at this path."""
    return list(dict.fromkeys(key for shape in shapes_at(loc) for key in shape.get("properties", ())))


def required_at(loc: Sequence[str | int]) -> list[str]:
    """Return the keys that the mapping at this path must have, usually."""
    shapes = (part for shape in shapes_at(loc) for part in (shape, shape.get("else", {})))
    return list(dict.fromkeys(key for shape in shapes for key in shape.get("required", ())))


def shapes_at(loc: Sequence[str | int]) -> list[dict[str, Any]]:
    """Return what may stand at this path: each alternative as a JSON schema."""
    schemas = [_schema()]
    for step in loc:
        if is_tag(step):
            continue
        schemas = [found for schema in schemas for found in _step(schema, step)]
    return [alternative for schema in schemas for alternative in _alternatives(schema)]


def _step(schema: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    for alternative in _alternatives(schema):
        if isinstance(step, int):
            found = alternative.get("items")
        else:
            found = alternative.get("properties", {}).get(step, alternative.get("additionalProperties"))
            found = found or next(iter(alternative.get("patternProperties", {}).values()), None)
        if isinstance(found, dict):
            yield found


def _alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    yield schema
    for word in ("anyOf", "oneOf", "allOf"):
        for alternative in schema.get(word, ()):
            yield from _alternatives(alternative)


@cache
def _schema() -> dict[str, Any]:
    from leadstate.config.schema.document import Document  # noqa: PLC0415  only an error needs it

    return Document.model_json_schema()
