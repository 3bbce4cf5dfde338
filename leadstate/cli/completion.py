"""What the shell offers after Tab: accounts, addresses, guards, git revisions and receipts.

Reads files and git, never an account. Where the configuration is wrong nothing is offered: a message has no place.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

from leadstate.reconcile.guards import GUARDS

if TYPE_CHECKING:
    from leadstate.config import DeclaredAccount
    from leadstate.model.resource import Desired

MOST = 500
"""Values that are offered; who has more types another letter."""
LOOKED_AT = 20_000
"""Declared objects that are looked at: 5,000 accounts can declare ten million."""


def complete_accounts(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the accounts and tags that begin with what was typed."""
    accounts = _declared(ctx)
    tags = (f"tag:{tag}" for account in accounts for tag in account.tags)
    return _offered((*(account.account.name for account in accounts), *tags), incomplete)


def complete_addresses(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the addresses that begin with what was typed: of every account, or of those whose names do."""
    accounts = _declared(ctx)
    name, slash, _ = incomplete.partition("/")
    meant = [account for account in accounts if account.account.name == name or not slash]
    refs = [] if slash else [str(desired.address.ref) for desired in _objects(accounts)]
    named = [account for account in meant if incomplete and account.account.name.startswith(name)]
    return _offered((*refs, *(str(desired.address) for desired in _objects(named))), incomplete)


def complete_revisions(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the branches and tags that begin with what was typed, the latest commits first."""
    from leadstate.api.configuration import DEFAULT  # noqa: PLC0415  only to complete
    from leadstate.config.git import RevisionError, revisions  # noqa: PLC0415  as above

    try:
        return _offered(("HEAD", *revisions(next(iter(_paths(ctx)), DEFAULT))), incomplete)
    except RevisionError:
        return []


def complete_guards(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return lists of guards that begin with what was typed, with one more guard each."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{guard}" for guard in GUARDS if guard.startswith(last) and guard not in before.split(",")]


def complete_receipts(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the receipts whose paths or names begin with what was typed, newest first."""
    from leadstate.api.receipts import list_receipts  # noqa: PLC0415  as above
    from leadstate.api.session import Runtime  # noqa: PLC0415  only to complete

    paths = list_receipts(Runtime().receipts)
    return _offered((path.name if incomplete[:1].isdigit() else str(path) for path in paths), incomplete)


def _paths(ctx: click.Context) -> Sequence[Path]:
    return [path for path in ctx.params.get("paths") or () if isinstance(path, Path)]


def _declared(ctx: click.Context) -> "Sequence[DeclaredAccount]":
    from leadstate.api.configuration import DEFAULT, load  # noqa: PLC0415  only to complete
    from leadstate.config import Trust  # noqa: PLC0415  as above
    from leadstate.model.diagnostics import LeadstateError  # noqa: PLC0415  as above

    try:
        return load(_paths(ctx) or [DEFAULT], ctx.params.get("accounts") or (), Trust.of(os.environ)).accounts
    except (LeadstateError, OSError):
        return ()


def _objects(accounts: "Sequence[DeclaredAccount]") -> "Iterator[Desired]":
    return islice((desired for account in accounts for desired in account.account.desired), LOOKED_AT)


def _offered(values: Iterable[str], incomplete: str) -> list[str]:
    """Return the first values that begin with what was typed, each once; none with control characters."""
    from leadstate.model.escape import is_visible  # noqa: PLC0415  only to complete

    found = (value for value in values if value.startswith(incomplete) and is_visible(value))
    return list(islice(dict.fromkeys(found), MOST))


class Bash(BashComplete):
    """Complete in bash as click does, with two additions that addresses need.

    bash takes `label:Hot` for three words, since `:` is in COMP_WORDBREAKS: so the whole line is split here, and of a
    value only what follows the last of these characters is returned, which is what readline replaces. And where a value
    has a space, a backslash stands before it.
    """

    source_template = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(env %(complete_var)s=bash_complete COMP_LINE="${COMP_LINE:0:COMP_POINT}" \\
        COMP_WORDBREAKS="$COMP_WORDBREAKS" "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one that it is in."""
        if "COMP_LINE" not in os.environ:  # the script of click, which an earlier version printed
            return super().get_completion_args()
        # With something behind the cursor an empty word is one too.
        *args, incomplete = split_arg_string(os.environ["COMP_LINE"] + "_")[1:] or [""]
        return args, incomplete[:-1]

    def format_completion(self, item: "CompletionItem[Any]") -> str:
        """Return what readline puts into the place of the word's end."""
        if "COMP_LINE" not in os.environ or item.type != "plain":
            return super().format_completion(item)
        typed, value = self.get_completion_args()[1], str(item.value)
        if not value.startswith(typed):  # `--target=label:H` is one word, and its value is another
            value = f"{typed.partition('=')[0]}={value}"
        if self._is_quoted():
            return f"plain,{value}"
        breaks = [typed.rfind(char) for char in os.environ.get("COMP_WORDBREAKS", "") if char in ":="]
        rest = value[max(breaks, default=-1) + 1 :]
        return "plain," + re.sub(r"[^\w@%+=:,./~-]", r"\\\g<0>", rest)

    @staticmethod
    def _is_quoted() -> bool:
        """Return whether the cursor is between quotes, where nothing is taken for a break and nothing is escaped."""
        line = re.sub(r"\\.", "", os.environ["COMP_LINE"])
        return re.fullmatch(r"""(?:[^"']|"[^"]*"|'[^']*')*""", line) is None


def register() -> None:
    """Complete in bash this way."""
    add_completion_class(Bash)
