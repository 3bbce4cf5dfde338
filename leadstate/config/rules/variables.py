"""`${name}` in texts, replaced from an account's `vars`. There is no other templating, and no nesting."""

import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from pydantic_core import PydanticCustomError

from leadstate.config.checking.suggest import choice
from leadstate.config.yaml.diagnostics import Diagnostics, visible
from leadstate.config.yaml.source import Place
from leadstate.kinds.base import LONGEST_TEXT, one_line

_USE = re.compile(r"\$\{([^{}]*)\}?")


def has_variable(text: str | None) -> bool:
    """Whether something in the text is to be replaced."""
    return text is not None and "${" in text


def names_in(text: str) -> list[str]:
    """The names of the variables that a text uses."""
    return [found[1] for found in _USE.finditer(text)]


@dataclass(slots=True)
class Variables:
    """Replaces variables in every account, and says once a place what cannot be replaced."""

    values: Mapping[str, Mapping[str, str]]
    unsure: AbstractSet[str] = frozenset()
    """Accounts of which the variables are not known, for they are wrong by themselves."""
    _unknown: dict[tuple[Place, str], list[str]] = field(default_factory=dict)
    _unfit: dict[tuple[Place, str], list[str]] = field(default_factory=dict)

    def replace(self, text: str, account: str, place: Place) -> str | None:
        """The text in normal form, as this account has it; None where it cannot be made."""
        if "${" not in text:
            return text
        values = self.values[account]
        failed = False

        def value(found: re.Match[str]) -> str:
            nonlocal failed
            if found[1] not in values or not found[0].endswith("}"):
                failed = True
                if account in self.unsure and found[0].endswith("}"):
                    return ""
                self._unknown.setdefault((place, found[0]), []).append(account)
                return ""
            return values[found[1]]

        made = _USE.sub(value, text)
        if failed:
            return None
        try:
            normal = one_line(made)
        except PydanticCustomError as problem:
            self._unfit.setdefault((place, problem.message()), []).append(account)
            return None
        if len(normal) > LONGEST_TEXT:
            self._unfit.setdefault((place, f"is longer than {LONGEST_TEXT} characters"), []).append(account)
            return None
        return normal

    def report(self, diagnostics: Diagnostics, where: Callable[[Iterable[str]], str]) -> None:
        """Add what could not be replaced, each place once; `where` says which accounts that concerns."""
        for (place, used), accounts in self._unknown.items():
            if not used.endswith("}"):
                hint = "add the `}`; a text that holds `${` itself comes from a variable"
                diagnostics.error("bad-variable", "a `${` is not closed", place, hint=hint)
                continue
            name = used[2:-1]
            known = sorted({one for account in accounts for one in self.values[account]})
            near = choice(name, known, what="this account has") + "  Or: " if known else ""
            hint = f"{near}add `vars: {{{visible(name[:60])}: …}}` to the account"
            summary = f"the variable `{visible(name[:60])}` is not set{where(accounts) or ' in any account'}"
            diagnostics.error("unknown-variable", summary, place, hint=hint)
        for (place, problem), accounts in self._unfit.items():
            summary = f"with its variables replaced, this {problem}{where(accounts)}"
            diagnostics.error("bad-text", summary, place, hint="change the account's `vars`, or the text")
