"""The models' complaints in our own words: code, summary, hint. Pydantic's words never reach a user.

What stands under `token` is never repeated, whatever it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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
from leadstate.config.checking.suggest import choice, keys_at
from leadstate.config.text.findings import visible
from leadstate.config.text.masking import TOKEN_LIKE
from leadstate.config.text.nodes import Node
from leadstate.kinds.kind import is_tag

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
    if _is_literal_token(complaint):
        name = next(one for one in reversed(complaint.loc) if one in SECRETS)
        what = "the token" if name == "token" else f"the value of `{name}`"
        return Wording("literal-token", f"{what} itself stands in the file", MAKE_NEW.format(name=name))
    kind, ctx = complaint.type, complaint.ctx
    if kind in SELF_MADE:
        code, summary, hint = SELF_MADE[kind]
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
    if hint.startswith(("add `", "write `")):
        column = ".".join(step for step in complaint.loc[2:] if isinstance(step, str) and not is_tag(step))
        hint = f"fill the cell in the column `{column}`"
    return Wording(code, summary, IN_CELLS.get(hint, hint).replace("leave the line out", "leave the cell empty"))


def _is_literal_token(complaint: Complaint) -> bool:
    if not complaint.secret:
        return False
    node = complaint.node
    at_token = (
        complaint.loc[-1] in SECRETS and complaint.type in TYPES and node.text is not None and node.value is not None
    )
    return at_token or complaint.type == "literal_token" or bool(TOKEN_LIKE.fullmatch(node.text or ""))


def _wrong_type(complaint: Complaint) -> Wording:
    wanted, node, name = TYPES[complaint.type], complaint.node, complaint.subject
    summary = f"{name} must be {wanted}, and this is {describe(node)}"
    if node.value is None and complaint.name in ADD:
        hint = ADD[complaint.name].replace("add", "write", 1)
    elif node.value is None:
        hint = f"write {wanted}, or leave the line out"
    elif complaint.type == "string_type" and node.text is not None:
        hint = f'write it in quotes: "{complaint.written}"' if complaint.written else "write it in quotes"
    elif complaint.type == "list_type" and node.text is not None:
        hint = f"write it in brackets: [{complaint.written}]" if complaint.written else "write it in brackets"
    elif complaint.name in KNOWN_BY and isinstance(node.value, str) and not node.value.isdigit():
        summary, hint = f"{name} is neither an id nor a description", KNOWN_BY[complaint.name]
    elif node.text is not None and complaint.type in {"int_type", "bool_type"}:
        hint = f"write {wanted}, without quotes"
    elif "mapping" in wanted:
        keys = keys_at(complaint.loc)
        hint = "write keys and values" + (f", with keys such as {_listed(keys)}" if keys else "")
    else:
        hint = f"write {wanted}"
    return Wording("wrong-type", summary, hint)


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
        cure = f"write {written} without quotes" if written.isdigit() else f'write it in quotes: "{written}"'
        return Wording(code, summary, cure)
    if len(allowed) == 1:
        return Wording(code, summary, f"write `{complaint.name}: {allowed[0]}`")
    return Wording(code, summary, choice(written, allowed, what="allowed"))


def _bad_pattern(complaint: Complaint) -> Wording:
    names = [one for one in complaint.loc if isinstance(one, str)]
    field = next((one for one in reversed(names) if one in PATTERNS), "")
    code, hint = PATTERNS.get(field, ("bad-value", "use letters and digits"))
    what = f"`{complaint.written}`" if complaint.written else f"`{complaint.name}`"
    return Wording(code, f"{what} has characters that cannot stand there", hint)


def _too_long(complaint: Complaint) -> Wording:
    limit = complaint.ctx["max_length"]
    return Wording("too-long", f"{complaint.subject} is longer than {limit} characters", f"write {limit} at most")


def _too_short(complaint: Complaint) -> Wording:
    return Wording("empty-value", f"{complaint.subject} is empty", "write something, or leave the line out")


def _with_cure(code: str) -> Callable[[Complaint], Wording]:
    def said(complaint: Complaint) -> Wording:
        problem = complaint.ctx.get("problem")
        summary = f"the `{complaint.name}` {problem or 'is not just the part before .pipedrive.com'}"
        return Wording(code, summary, str(complaint.ctx["cure"]))

    return said


def _cannot_unset(complaint: Complaint) -> Wording:
    return Wording("cannot-unset", f"`{complaint.ctx['field']}` cannot be unset", str(complaint.ctx["cure"]))


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
