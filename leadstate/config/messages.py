"""The message of a value that a model refuses: pydantic's sentence, a code, and a hint that says what to write.

What stands under `token` is never repeated, whatever it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from leadstate.config.hints import (
    choice,
    comment_meant,
    day_meant,
    did_you_mean,
    key_meant,
    keys_at,
    part_meant,
    quoted,
    shape_meant,
    variable_meant,
)
from leadstate.config.yaml.diagnostics import visible
from leadstate.config.yaml.masking import TOKEN_LIKE
from leadstate.config.yaml.nodes import Node
from leadstate.kinds.base import is_tag

Loc: TypeAlias = tuple[str | int, ...]


class Mistake(NamedTuple):
    """One error of the models.

    Attributes:
        type: pydantic's type of error, or one of ours.
        loc: the path.
        message: pydantic's sentence, or that of the model.
        ctx: what the sentence is made of.
        node: the node it is about, or the nearest one above.
        rest: what follows the key on its line; for a label without a colour, what follows `color`.
        in_cell: whether it stands in a cell of a CSV file.
    """

    type: str
    loc: Loc
    message: str
    ctx: Mapping[str, Any]
    node: Node
    rest: str = ""
    in_cell: bool = False

    @property
    def name(self) -> str:
        """The key it is about, as written."""
        names = [step for step in self.loc if isinstance(step, str) and step != "[key]" and not is_tag(step)]
        return visible(names[-1][:60]) if names else "the file"

    @property
    def secret(self) -> bool:
        """Whether it is about something that must not be repeated."""
        return self.loc[:1] == ("accounts",) and "token" in self.loc[2:]

    @property
    def written(self) -> str:
        """The scalar as written, short enough to be repeated; nothing of a secret."""
        return "" if self.secret else visible((self.node.text or "")[:60])


class Message(NamedTuple):
    """What is shown of a mistake."""

    code: str
    summary: str
    hint: str


def message_of(mistake: Mistake) -> Message:
    """Return the message."""
    message = _literal_token(mistake) or _comment(mistake)
    if message is not None:
        return message
    code, rule = _RULES.get(mistake.type, _ANYTHING)
    if mistake.type in {"literal_error", "string_pattern_mismatch"}:
        field = next((str(step) for step in reversed(mistake.loc) if step in _CODES_OF_FIELDS), "")
        code = _CODES_OF_FIELDS.get(field, code)
    hint = (mistake.in_cell and _cell_hint(mistake)) or (rule if isinstance(rule, str) else rule(mistake))
    if mistake.in_cell:
        hint = hint.replace("leave the line out", "leave the cell empty")
    return Message(code, _summary(mistake), hint)


_SECRETS: Final = ("token", "client_id", "client_secret", "refresh_token")
"""Keys under which a source stands; a literal there is a secret that people have read."""


def _literal_token(mistake: Mistake) -> Message | None:
    node = mistake.node
    is_literal = (
        (mistake.loc[-1] in _SECRETS and mistake.type in _TYPES and node.text is not None and node.value is not None)
        or mistake.type == "literal_token"
        or TOKEN_LIKE.fullmatch(node.text or "")
    )
    if not mistake.secret or not is_literal:
        return None
    name = next(step for step in reversed(mistake.loc) if step in _SECRETS)
    if (variable := variable_meant(node.text or "")) is not None:
        hint = f"write `{name}: {{env: {variable}}}`; in CI, set that variable from a secret"
        return Message("literal-token", f"`{name}` is text, and variables are not expanded in it", hint)
    what = "the token" if name == "token" else f"the value of `{name}`"
    hint = f"write `{name}: {{env: NAME}}` and put it into that variable; then make a new one, for this one is known"
    return Message("literal-token", f"{what} itself stands in the file", hint)


def _comment(mistake: Mistake) -> Message | None:
    """Return the message for a value that is nothing because its text begins with `#`."""
    is_color = mistake.type == "label_color"
    is_nothing = mistake.node.value is None and not mistake.node.text and mistake.type in _TYPES
    text = comment_meant(mistake.rest) if (is_color or is_nothing) and not mistake.secret else ""
    if not text:
        return None
    if is_color:
        hint = "`#` begins a comment, and a colour is a word, as in `color: red`"
        return Message("missing-color", "`color` has no value, for `#` follows it", hint)
    hint = f"`#` begins a comment; put the text in quotes: {quoted(text, always=True)}"
    return Message("wrong-type", f"`{mistake.name}` has no value, for `#` follows it", hint)


def _summary(mistake: Mistake) -> str:
    if mistake.type == "missing":
        return f"`{mistake.name}` is missing"
    if mistake.type == "extra_forbidden":
        return "an unknown key under `token`" if mistake.secret else f"unknown key `{mistake.name}`"
    subject = f"an item of `{mistake.name}`" if isinstance(mistake.loc[-1], int) else f"`{mistake.name}`"
    if mistake.secret and mistake.type not in _RULES:
        return f"{subject} has a value that cannot be used"
    message = _SENTENCES.get(mistake.type) or _INPUT.sub("", mistake.message)
    if message.startswith("should ") and mistake.loc[-1] != "[key]" and len(mistake.node.text or "") <= _REPEATED:
        message += f", not `{mistake.written}`" if mistake.written else ""
    if message.startswith(_VERBS):
        return f"{subject} {message}"
    # A whole sentence about an item says itself what it is about.
    return message if isinstance(mistake.loc[-1], int) else f"{subject}: {message}"


def _cell_hint(mistake: Mistake) -> str:
    """Return what to write into a cell of a CSV file, where that is not what to write in YAML."""
    name, type_ = mistake.name, mistake.type
    if type_ == "missing":
        column = ".".join(step for step in mistake.loc[2:] if isinstance(step, str) and not is_tag(step))
        return f"fill the cell in the column `{column}`"
    if type_.startswith("amount_"):
        return "write it like 1200.50, with a point and nothing between thousands"
    if type_ == "bool_type":
        return f"write {_SWITCHES.get(mistake.written.lower(), 'true or false')}"
    if type_ in _TYPES and (part := part_meant(name, mistake.node)):
        return f"put it into a column `{name}.{part}`"
    if type_ in _TYPES and name == "value":
        return "put it into a column `value.amount`"
    return "put it into a column `owner.email`, or write the user's id" if type_ in _TYPES and name == "owner" else ""


def _wrong_type(mistake: Mistake) -> str:
    node, name = mistake.node, mistake.name
    if not mistake.secret and (meant := shape_meant(mistake.loc, node)):
        return f"write {meant}"
    if name in _KNOWN_BY and isinstance(node.value, str) and not node.value.isdigit():
        return _KNOWN_BY[name]
    if node.value is None:
        return f"write {_FORMS[name]}" if name in _FORMS else f"write {_words(mistake)}, or leave the line out"
    hint = _SCALARS.get(mistake.type, _words)(mistake) if node.text is not None else ""
    if mistake.type == "string_type" and mistake.rest[:1] in {"[", "{"}:
        hint = f"text; text cannot begin with `{mistake.rest[:1]}`, unless it is in quotes"
    return f"write {hint or _words(mistake)}"


def _as_list(mistake: Mistake) -> str:
    if mistake.name in {"accounts", "except"} and mistake.written in _EVERYONE:
        return f"a list of names, or leave `{mistake.name}` out for every account"
    return f"it in brackets: [{mistake.written}]" if mistake.written else "it in brackets"


def _as_number(mistake: Mistake) -> str:
    digits = mistake.written.strip("+-").isdigit() and isinstance(mistake.node.value, str)
    return "a whole number" + (", without quotes" if digits else "")


def _words(mistake: Mistake) -> str:
    """Return what has to stand there."""
    words = {"string_type": "text", "int_type": "a whole number", "bool_type": "true or false", "list_type": "a list"}
    if mistake.type in words:
        return words[mistake.type]
    keys = ", ".join(f"`{key}`" for key in keys_at(mistake.loc)[:5])
    return "keys and values" + (f", with keys such as {keys}" if keys else "")


def _unknown_key(mistake: Mistake) -> str:
    keys = keys_at(mistake.loc[:-1])
    name, colon, value = str(mistake.loc[-1]).partition(":")
    if colon and name in keys and value and not mistake.secret:
        return f"write a space after the colon: `{name}: {visible(value[:60])}`"
    hint = choice(name, keys, what="allowed here")
    if len(mistake.loc) == 1 and hint.startswith("allowed"):
        hint += ", and keys that begin with `x-`, which are ignored"
    return hint


def _missing_key(mistake: Mistake) -> str:
    return f"add {_FORMS.get(mistake.name, f'`{mistake.name}: …`')}"


def _unknown_word(mistake: Mistake) -> str:
    written, expected = mistake.written, str(mistake.ctx["expected"])
    allowed = [word or number for word, number in re.findall(r"'([^']*)'|(\d+)", expected)]
    if written in allowed:
        return f"write {written} without quotes" if written.isdigit() else f'write it in quotes: "{written}"'
    if len(allowed) == 1:
        return f"write `{mistake.name}: {allowed[0]}`"
    near = did_you_mean(written, allowed)
    return f"did you mean `{near}`?" if near else "write one of these"


def _wrong_characters(mistake: Mistake) -> str:
    field = next((str(step) for step in reversed(mistake.loc) if step in _CHARACTERS), "")
    if field == "currency" and re.fullmatch(r"[A-Za-z]{3}", mistake.written):
        return f"write {mistake.written.upper()}"
    if field == "env" and "$" in (mistake.node.text or ""):
        return "write the variable's name without `$`: letters, digits and `_`"
    if field == "key" and (key := key_meant(mistake.written)):
        return f"write {key}, or another key that begins with a-z or 0-9 and goes on with these, `.`, `_` and `-`"
    return _CHARACTERS.get(field, "use letters and digits")


def _too_long(mistake: Mistake) -> str:
    limit, length = mistake.ctx["max_length"], len(mistake.node.text or "")
    return f"write {limit} characters at most" + (f"; these are {length:,}" if length > limit else "")


def _date(mistake: Mistake) -> str:
    day = day_meant(mistake.written)
    return f"write {day}" if day else "write it like 2026-12-31"


_CODES_OF_FIELDS: Final = {
    "color": "unknown-color",
    "version": "unsupported-version",
    "namespace": "bad-namespace",
    "key": "bad-key",
    "email": "bad-email",
    "currency": "bad-currency",
    "env": "bad-variable-name",
    "vars": "bad-variable-name",
    "tags": "bad-tag",
    "accounts": "bad-account-name",
}
"""Codes for a value of a field that takes certain words or characters only."""
_CHARACTERS: Final = {
    "namespace": "begin with a-z or 0-9, then also `.`, `_` and `-`",
    "key": "begin with a-z or 0-9, then also `.`, `_` and `-`",
    "email": "write an address, as in jane@acme.test",
    "currency": "write its code in capitals, as in EUR",
    "env": "write the variable's name: letters, digits and `_`",
    "tags": "write letters and digits, then also `.`, `_` and `-`",
    "accounts": "write letters and digits, then also `.`, `_` and `-`",
    "vars": "write letters, digits and `_`",
}
_KNOWN_BY: Final = {
    "person": "write its id, {email: …} or {name: …}",
    "organization": "write its id, or {name: …}",
    "owner": "write the user's id, or {email: …}",
}
_FORMS: Final = {
    **{name: f"`{name}: {{env: NAME_OF_A_VARIABLE}}`" for name in _SECRETS},
    "key": "`key: …`, a short identity that never changes",
    "currency": "`currency: …`, as in EUR",
    "at_least": "`at_least: [LABEL]`",
    **{name: f"`{name}: …`" for name in ("name", "title", "amount")},
}
"""Keys that have to be there, and how to write them."""
_TYPES: Final = {
    "string_type": "should be text",
    "int_type": "should be a whole number",
    "bool_type": "should be true or false",
    "list_type": "should be a list",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "should be a mapping of keys to values"),
}
"""What has to stand there, for errors of type."""
_SENTENCES: Final = {**_TYPES, **dict.fromkeys(("too_short", "string_too_short"), "is empty")}
"""Where those of pydantic name types of Python, or its own steps."""
_INPUT: Final = re.compile(r"^(?:Input|String|List|Value) (?=should )")
_REPEATED: Final = 30
"""Characters of a value that a summary repeats."""
_VERBS: Final = ("should ", "is ", "has ", "holds ")
_EVERYONE: Final = ("all", "*", "everyone", "everywhere", "any")
_SWITCHES: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_SCALARS: Final[Mapping[str, Callable[[Mistake], str]]] = {
    "string_type": lambda mistake: f'it in quotes: "{mistake.written}"' if mistake.written else "it in quotes",
    "list_type": _as_list,
    "bool_type": lambda mistake: _SWITCHES.get(mistake.written.lower(), "true or false, without quotes"),
    "int_type": _as_number,
}
"""How to write a scalar that is of another type."""
_Rule: TypeAlias = tuple[str, str | Callable[[Mistake], str]]
_ANYTHING: Final[_Rule] = ("bad-value", "write another value")
_RULES: Final[Mapping[str, _Rule]] = {
    # pydantic's types of error
    **dict.fromkeys(_TYPES, ("wrong-type", _wrong_type)),
    "extra_forbidden": ("unknown-key", _unknown_key),
    "missing": ("missing-key", _missing_key),
    "literal_error": ("unknown-value", _unknown_word),
    "string_pattern_mismatch": ("bad-value", _wrong_characters),
    "string_too_long": ("too-long", _too_long),
    "string_too_short": ("empty-value", "write something, or leave the line out"),
    "too_short": ("empty-value", "write something, or leave the line out"),
    **dict.fromkeys(
        ("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        ("out-of-range", "write a number within the limit"),
    ),
    # our own
    "empty_text": ("empty-text", "write some text, or leave the line out"),
    "control_character": ("control-character", "write one line"),
    "label_color": ("missing-color", "add `color: …`, or `state: absent`"),
    "label_unset": ("cannot-unset", "leave the line out, or write a value"),
    "cannot_unset": ("cannot-unset", lambda mistake: str(mistake.ctx["fix"])),
    "only_absent": ("only-absent", "add `state: absent`, or take them out"),
    "only_present": ("only-present", "put `merge_from` into the label that stays"),
    "person_ref": ("person-unclear", "write one of the two, or the person's id"),
    "amount_type": ("bad-amount", "write it without quotes, as in 1200.50"),
    "amount_finite": ("bad-amount", "write it in digits, as in 1200.50"),
    "amount_digits": ("bad-amount", "write fewer digits"),
    "custom_value": ("bad-custom-value", "write text in quotes, or null to unset it"),
    "date_type": ("bad-date", _date),
    "date_value": ("bad-date", _date),
    "token_sources": ("token-sources", "write one of `env`, `file`, `command`, `keyring` and `oauth`"),
    "secret_sources": ("token-sources", "write one of `env`, `file`, `command` and `keyring`"),
    "account_address": (
        "account-address",
        "write `domain: acme-emea` for https://acme-emea.pipedrive.com, and no `url`",
    ),
    "bad_domain": ("bad-domain", lambda mistake: str(mistake.ctx["fix"])),
    "bad_url": ("bad-url", lambda mistake: str(mistake.ctx["fix"])),
}
"""Type of error → code, and the hint or what makes it."""
