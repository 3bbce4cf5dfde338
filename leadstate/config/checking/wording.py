"""The models' complaints in our own words: code, summary, hint. Pydantic's words never reach a user.

What stands under `token` is never repeated, whatever it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from leadstate.config.checking.intentions import comment_meant, day_meant, key_meant, quoted, variable_meant
from leadstate.config.checking.phrases import (
    ADD,
    IN_CELLS,
    KNOWN_BY,
    LIMITS,
    LITERALS,
    MAKE_NEW,
    PATTERNS,
    SECRETS,
    SELF_MADE,
    TYPES,
)
from leadstate.config.checking.shapes import shape_meant
from leadstate.config.checking.suggest import choice, keys_at
from leadstate.config.yaml.diagnostics import visible
from leadstate.config.yaml.masking import TOKEN_LIKE
from leadstate.config.yaml.nodes import Node
from leadstate.kinds.base import is_tag

Loc = tuple[str | int, ...]


class Wording(NamedTuple):
    """What to say."""

    code: str
    summary: str
    hint: str


class Complaint(NamedTuple):
    """One error of the models: its type, path and context, and the node it is about (or the nearest one above)."""

    type: str
    loc: Loc
    ctx: Mapping[str, Any]
    node: Node
    rest: str = ""
    """What follows on its line: the node itself, after its key; for a label without a colour, what follows `color`."""

    @property
    def name(self) -> str:
        """The key it is about, as written."""
        names = [one for one in self.loc if isinstance(one, str) and one != "[key]" and not is_tag(one)]
        return visible(names[-1][:60]) if names else "the file"

    @property
    def subject(self) -> str:
        """What it is about, for a sentence."""
        return f"an item of `{self.name}`" if isinstance(self.loc[-1], int) else f"`{self.name}`"

    @property
    def secret(self) -> bool:
        """Whether it is about something that must not be repeated."""
        return self.loc[:1] == ("accounts",) and "token" in self.loc[2:]

    @property
    def written(self) -> str:
        """The scalar as written, short enough to be repeated."""
        return "" if self.secret else visible((self.node.text or "")[:60])


def word(complaint: Complaint) -> Wording:
    """What to say about it."""
    return _literal_token(complaint) or _comment(complaint) or _by_type(complaint)


def _literal_token(complaint: Complaint) -> Wording | None:
    if not _is_literal_token(complaint):
        return None
    name = next(one for one in reversed(complaint.loc) if one in SECRETS)
    if (meant := variable_meant(complaint.node.text or "")) is not None:
        hint = f"write `{name}: {{env: {meant}}}`; in CI, set that variable from a secret"
        return Wording("literal-token", f"`{name}` is text, and variables are not expanded in it", hint)
    what = "the token" if name == "token" else f"the value of `{name}`"
    return Wording("literal-token", f"{what} itself stands in the file", MAKE_NEW.format(name=name))


def _comment(complaint: Complaint) -> Wording | None:
    """A value that is nothing, for its text begins with `#`."""
    is_color, node = complaint.type == "label_color", complaint.node
    is_nothing = node.value is None and not node.text and complaint.type in TYPES
    text = comment_meant(complaint.rest) if (is_color or is_nothing) and not complaint.secret else ""
    if not text:
        return None
    name, code = ("color", "missing-color") if is_color else (complaint.name, "wrong-type")
    hint = f"`#` begins a comment; put the text in quotes: {quoted(text, always=True)}"
    if is_color:
        hint = "`#` begins a comment, and a colour is a word, as in `color: red`"
    return Wording(code, f"`{name}` has no value, for `#` follows it", hint)


def _by_type(complaint: Complaint) -> Wording:
    kind, ctx = complaint.type, complaint.ctx
    if kind in SELF_MADE:
        code, summary, hint = SELF_MADE[kind]
        if kind in _DATES and (day := day_meant(complaint.written)):
            hint = f"write {day}"
        return Wording(code, summary.format(subject=complaint.subject), hint)
    if kind in TYPES:
        return _wrong_type(complaint)
    if kind in LIMITS:
        key, words = LIMITS[kind]
        limit = f"{words} {ctx[key]}" if kind != "less_than" else "less than 2^53"
        return Wording("out-of-range", f"{complaint.subject} must be {limit}", f"write a whole number, {limit}")
    said = _SAID.get(kind)
    if said is None:
        return Wording("bad-value", f"{complaint.subject} has a value that cannot be used", "write another value")
    return said(complaint)


def word_in_table(complaint: Complaint) -> Wording:
    """The same for a cell of a CSV file."""
    code, summary, hint = word(complaint)
    if hint.startswith("write {"):
        part = hint.removeprefix("write {").partition(":")[0]
        hint = f"put it into a column `{complaint.name}.{part}`"
    elif hint.startswith(("add `", "write `")):
        column = ".".join(step for step in complaint.loc[2:] if isinstance(step, str) and not is_tag(step))
        hint = f"fill the cell in the column `{column}`"
    return Wording(code, summary, IN_CELLS.get(hint, hint).replace("leave the line out", "leave the cell empty"))


_DATES = ("date_type", "date_value")


def _is_literal_token(complaint: Complaint) -> bool:
    if not complaint.secret:
        return False
    node = complaint.node
    at_token = (
        complaint.loc[-1] in SECRETS and complaint.type in TYPES and node.text is not None and node.value is not None
    )
    return at_token or complaint.type == "literal_token" or bool(TOKEN_LIKE.fullmatch(node.text or ""))


def _wrong_type(complaint: Complaint) -> Wording:
    node, name = complaint.node, complaint.subject
    summary = f"{name} must be {TYPES[complaint.type]}, and this is {describe(node)}"
    hint = _type_hint(complaint)
    if complaint.name in KNOWN_BY and isinstance(node.value, str) and not node.value.isdigit():
        summary, hint = f"{name} is neither an id nor a description", KNOWN_BY[complaint.name]
    meant = "" if complaint.secret else shape_meant(complaint.loc, node)
    return Wording("wrong-type", summary, f"write {meant}" if meant else hint)


def _type_hint(complaint: Complaint) -> str:
    wanted, node = TYPES[complaint.type], complaint.node
    if node.value is None:
        known = complaint.name in ADD
        return ADD[complaint.name].replace("add", "write", 1) if known else f"write {wanted}, or leave the line out"
    if node.text is not None and complaint.type in _SCALAR_HINTS:
        return _SCALAR_HINTS[complaint.type](complaint)
    if complaint.type == "string_type" and complaint.rest[:1] in {"[", "{"}:
        return f"write text; text cannot begin with `{complaint.rest[:1]}`, unless it is in quotes"
    if "mapping" in wanted:
        keys = keys_at(complaint.loc)
        return "write keys and values" + (f", with keys such as {_listed(keys)}" if keys else "")
    return f"write {wanted}"


def _list_hint(complaint: Complaint) -> str:
    if complaint.name in {"accounts", "except"} and complaint.written in _EVERYONE:
        return f"leave `{complaint.name}` out for every account, or write a list of names"
    return f"write it in brackets: [{complaint.written}]" if complaint.written else "write it in brackets"


def _bool_hint(complaint: Complaint) -> str:
    return f"write {_SWITCHES.get(complaint.written.lower(), 'true or false, without quotes')}"


def _int_hint(complaint: Complaint) -> str:
    digits = complaint.written.strip("+-").isdigit() and isinstance(complaint.node.value, str)
    return "write a whole number" + (", without quotes" if digits else "")


_EVERYONE = ("all", "*", "everyone", "everywhere", "any")
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_SCALAR_HINTS: Mapping[str, Callable[[Complaint], str]] = {
    "string_type": lambda it: f'write it in quotes: "{it.written}"' if it.written else "write it in quotes",
    "list_type": _list_hint,
    "bool_type": _bool_hint,
    "int_type": _int_hint,
}


def describe(node: Node) -> str:
    """What a person sees there."""
    match node.value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return "a number"


def _unknown_key(complaint: Complaint) -> Wording:
    keys = keys_at(complaint.loc[:-1])
    key = str(complaint.loc[-1])
    hint = choice(key, keys, what="allowed here")
    name, colon, value = key.partition(":")
    if colon and name in keys and value and not complaint.secret:
        hint = f"write a space after the colon: `{name}: {visible(value[:60])}`"
    if complaint.secret:
        return Wording("unknown-key", "an unknown key under `token`", hint)
    return Wording("unknown-key", f"unknown key `{visible(key[:60])}`", hint)


def _missing_key(complaint: Complaint) -> Wording:
    key = str(complaint.loc[-1])
    return Wording("missing-key", f"`{key}` is missing", ADD.get(key, f"add `{key}: …`"))


def _unknown_literal(complaint: Complaint) -> Wording:
    allowed = [quoted or number for quoted, number in re.findall(r"'([^']*)'|(\d+)", str(complaint.ctx["expected"]))]
    code, what = LITERALS.get(complaint.name, ("unknown-value", f"value of `{complaint.name}`"))
    node, written = complaint.node, complaint.written
    if node.text is None:
        summary = f"`{complaint.name}` must be one of its words, and this is {describe(node)}"
    else:
        summary = f"`{written}` is no {what}" if written else f"`{complaint.name}` has no value"
    if written in allowed:
        fix = f"write {written} without quotes" if written.isdigit() else f'write it in quotes: "{written}"'
        return Wording(code, summary, fix)
    if len(allowed) == 1:
        return Wording(code, summary, f"write `{complaint.name}: {allowed[0]}`")
    return Wording(code, summary, choice(written, allowed, what="allowed"))


def _bad_pattern(complaint: Complaint) -> Wording:
    names = [one for one in complaint.loc if isinstance(one, str)]
    field = next((one for one in reversed(names) if one in PATTERNS), "")
    code, hint = PATTERNS.get(field, ("bad-value", "use letters and digits"))
    what = f"`{complaint.written}`" if complaint.written else f"`{complaint.name}`"
    if field == "currency" and re.fullmatch(r"[A-Za-z]{3}", complaint.written):
        hint = f"write {complaint.written.upper()}"
    elif field == "env" and "$" in (complaint.node.text or ""):
        hint = "write the variable's name without `$`: letters, digits and `_`"
    elif field == "key" and (key := key_meant(complaint.written)):
        hint = f"write {key}, or another key that begins with a-z or 0-9 and goes on with these, `.`, `_` and `-`"
    return Wording(code, f"{what} has characters that cannot stand there", hint)


def _too_long(complaint: Complaint) -> Wording:
    limit = complaint.ctx["max_length"]
    length = len(complaint.node.text or "")
    hint = f"write {limit} characters at most" + (f"; these are {length:,}" if length > limit else "")
    return Wording("too-long", f"{complaint.subject} is longer than {limit} characters", hint)


def _too_short(complaint: Complaint) -> Wording:
    return Wording("empty-value", f"{complaint.subject} is empty", "write something, or leave the line out")


def _with_cure(code: str) -> Callable[[Complaint], Wording]:
    def said(complaint: Complaint) -> Wording:
        problem = complaint.ctx.get("problem")
        summary = f"the `{complaint.name}` {problem or 'is not just the part before .pipedrive.com'}"
        return Wording(code, summary, str(complaint.ctx["fix"]))

    return said


def _cannot_unset(complaint: Complaint) -> Wording:
    return Wording("cannot-unset", f"`{complaint.ctx['field']}` cannot be unset", str(complaint.ctx["fix"]))


def _listed(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys[:5])


_SAID: Mapping[str, Callable[[Complaint], Wording]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "literal_error": _unknown_literal,
    "string_pattern_mismatch": _bad_pattern,
    "string_too_long": _too_long,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "bad_domain": _with_cure("bad-domain"),
    "bad_url": _with_cure("bad-url"),
    "cannot_unset": _cannot_unset,
}
