"""What a run is about: the configuration, what its lock file remembers, and what another revision declares.

Opens no connection.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from pathlib import Path
from types import UnionType

from leadstate.config import Configuration, DeclaredAccount, Trust, read_lock
from leadstate.config.git import Revision, read_revision
from leadstate.config.loader import understand
from leadstate.config.lockfile import NAME
from leadstate.config.rules.trust import EVERYTHING
from leadstate.config.yaml.diagnostics import Diagnostics
from leadstate.config.yaml.files import read_sources
from leadstate.model.account import Account
from leadstate.model.diagnostics import (
    ConfigurationError,
    Diagnostic,
    LeadstateError,
    ReportError,
    Severity,
    counted,
    some,
)
from leadstate.model.rollout import Limit, Shard
from leadstate.report import document as doc
from leadstate.report.document import Report
from leadstate.report.journal import receipt_of

DEFAULT = Path("leadstate.yaml")
MANY_ERRORS = 5
"""How many mistakes of a broken base a message names."""


class UnknownAccount(LeadstateError):
    """No account of the configuration has this name or tag."""

    code = "unknown-account"


def check_texts(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return an argument that takes several texts; TypeError for one text, whose letters would be taken for them."""
    found = values if isinstance(values, str) else tuple(values)
    if isinstance(found, str) or not all(isinstance(value, str) for value in found):
        raise TypeError(f"`{name}` takes a list of texts, not {values!r}")
    return found


def check_type(name: str, value: object, kinds: type | UnionType, takes: str) -> None:
    """Raise TypeError for an argument of another type."""
    if not isinstance(value, kinds):
        raise _wrong_type(name, value, takes)


def check_function(name: str, value: Callable[..., object] | None) -> None:
    """Raise TypeError for an argument that cannot be called, or whose result would have to be awaited."""
    if value is not None and (not callable(value) or any(map(iscoroutinefunction, (value, type(value).__call__)))):
        raise _wrong_type(name, value, "a function that is not `async`")


def _wrong_type(name: str, value: object, takes: str) -> TypeError:
    """Return the error of a wrong argument; its parts may hold secrets, so only a plain value is shown."""
    given = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return TypeError(f"`{name}` takes {takes}, not {given}")


def load(
    paths: str | Path | Sequence[str | Path] = DEFAULT, accounts: Sequence[str] = (), trust: Trust | None = None
) -> Configuration:
    """Read a configuration and its lock file (spec section 2).

    Args:
        paths: a file, a folder of *.yaml files, or several of them, which are one configuration.
        accounts: which accounts to keep, by name or `tag:TAG`; none means all. All are checked anyway.
        trust: which hosts and token sources are allowed; unless given, all. `Trust.of(os.environ)` reads what the
            command line obeys.

    Raises:
        ConfigurationError: with every error in it.
        LockError: the lock file is malformed.
        TypeError: an argument has the wrong type.
    """
    check_type("trust", trust, Trust | None, "a `leadstate.Trust`")
    several = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    kept, diagnostics = check_texts("accounts", accounts), Diagnostics()
    sources = read_sources(several, diagnostics)
    return with_lock(understand(sources, kept, diagnostics, trust=trust or EVERYTHING), lock_file(several))


def with_lock(configuration: Configuration, path: Path) -> Configuration:
    """Return the configuration with what a lock file remembers, which may not exist; LockError if it is malformed."""
    lock = read_lock(path)
    locked = (
        replace(declared, account=replace(declared.account, lock=lock.get(declared.account.name, {})))
        for declared in configuration.accounts
    )
    return replace(configuration, accounts=tuple(locked) if lock else configuration.accounts, lock_file=path)


def lock_file(paths: Sequence[Path]) -> Path:
    """Return where the lock file of a configuration is: in the first of its paths, or beside it if that is a file."""
    first = next(iter(paths), DEFAULT)
    return (first if first.is_dir() else first.parent) / NAME


def select(configuration: Configuration, accounts: Sequence[str], shard: str | None = None) -> Configuration:
    """Return the configuration with some of its accounts.

    Args:
        configuration: the configuration, which may hold a part of all accounts already.
        accounts: which of them, by name or `tag:TAG`; none means all.
        shard: K/N; of those accounts, the ones of a shard.

    Raises:
        UnknownAccount: a name or tag that no account has.
    """
    chosen: set[str] = set()
    for selector in accounts:
        tag = selector.removeprefix("tag:") if selector.startswith("tag:") else None
        named = {
            declared.account.name
            for declared in configuration.accounts
            if (declared.account.name == selector if tag is None else tag in declared.tags)
        }
        if not named:
            known = ", ".join(declared.account.name for declared in configuration.accounts)
            raise UnknownAccount(f"no account is called or tagged {selector!r}", hint=f"the accounts are {known}")
        chosen |= named
    part, before = None if shard is None else Shard.parse(shard), configuration.limit
    names = chosen if accounts else {declared.account.name for declared in configuration.accounts}
    names = {name for name in names if part is None or part.holds(name)}
    kept = (declared for declared in configuration.accounts if declared.account.name in names)
    # Where the configuration was limited before, a tag may stand for more accounts than those.
    limit = Limit(tuple(sorted(chosen) if before.accounts else accounts) or before.accounts, shard or before.shard)
    return replace(configuration, accounts=tuple(kept), limit=limit)


def is_receipt(report: Report) -> bool:
    """Return whether a report is the receipt of an apply."""
    return report.command == "apply" and all(account.touched is not None for account in report.accounts)


def rollback(
    configuration: Configuration, receipt: Report, file: str | Path, *, limited: bool = False
) -> Configuration:
    """Return a configuration of which a plan is the rollback of an apply.

    Args:
        configuration: the configuration that was applied; its accounts say where and with which token.
        receipt: what was done.
        file: where the receipt is, for messages.
        limited: whether the configuration was limited to some of its accounts; otherwise a warning names the accounts
            of the receipt that it does not have.

    Raises:
        ReportError: the report is not a receipt, or of another account or company.
        TypeError: an argument has the wrong type.
    """
    check_type("configuration", configuration, Configuration, "what `leadstate.load` returns")
    check_type("receipt", receipt, Report, "what `leadstate.read_report` returns")
    check_type("file", file, str | Path, "a path")
    file = str(file)
    if not is_receipt(receipt):
        raise ReportError(f"{file} is not a receipt", hint="receipts are in .leadstate/receipts")
    about = {account.account: account for account in receipt.accounts if account.changes}
    declared = {account.account.name: account for account in configuration.accounts}
    missing = sorted(about.keys() - declared.keys())
    diagnostics = []
    if missing:
        summary = f"the configuration has no account {some(missing)}, which the receipt is about"
        hint = "use the configuration that was applied"
        if len(missing) == len(about) and limited:
            raise ReportError(f"the receipt is about {some(missing)}, and about none of the chosen accounts")
        if len(missing) == len(about):
            raise ReportError(summary, hint=hint)
        summary += ": nothing is restored there"
        diagnostics = [Diagnostic("account-not-restored", Severity.WARNING, summary, hint=hint)]
    chosen = (_undo(declared[name], about[name], file) for name in sorted(about.keys() & declared.keys()))
    return replace(configuration, accounts=tuple(chosen), diagnostics=() if limited else tuple(diagnostics))


def _undo(declared: DeclaredAccount, done: doc.Account, file: str) -> DeclaredAccount:
    account = declared.account
    if done.origin != account.origin:
        raise ReportError(
            f"{file} is of {done.origin}, while {account.name} is {account.origin}",
            hint="use the configuration that was applied, or the receipt of this account",
        )
    if None not in (done.company_id, account.company_id) and done.company_id != account.company_id:
        raise ReportError(
            f"{file} is of company {done.company_id}, while {account.name} is company {account.company_id}",
            hint="use the configuration that was applied, or the receipt of this company",
        )
    return replace(declared, account=replace(account, desired=(), receipt=receipt_of(done, file)))


@dataclass(frozen=True, slots=True)
class Baseline:
    """What plans are compared with.

    Attributes:
        revision: its name, as the user gave it.
        commit: the full id of its commit.
        accounts: account → the same one as the base declares it; None if the base is not a valid configuration.
        diagnostics: what there is to know about it.
    """

    revision: str
    commit: str
    accounts: Mapping[str, Account] | None
    diagnostics: tuple[Diagnostic, ...] = ()


def read_baseline(name: str, paths: Sequence[Path], configuration: Configuration) -> Baseline:
    """Read the base of a configuration. Its tokens are never asked for.

    Args:
        name: the git revision.
        paths: where the configuration is.
        configuration: what it is now.

    Raises:
        RevisionError: git cannot give it.
    """
    diagnostics = Diagnostics()
    revision = read_revision(paths, name, diagnostics)
    if not revision.sources and not diagnostics.any_error:
        summary = f"there is no configuration at {name}, so every change is from this revision"
        hint = "this is expected if it had another path there"
        return Baseline(name, revision.commit, {}, (Diagnostic("base-empty", Severity.WARNING, summary, hint=hint),))
    try:
        base = understand(revision.sources, (), diagnostics, revision.table)
    except ConfigurationError as failure:
        return Baseline(name, revision.commit, None, (_describe_errors(revision, failure),))
    there = {account.account.name: account.account for account in base.accounts}
    here = (account.account for account in configuration.accounts)
    return Baseline(
        name,
        revision.commit,
        {
            # The lock file remembers what was, and so it is the same for both; which company it is, was seen already.
            account.name: replace(there[account.name], lock=account.lock, company_id=account.company_id)
            for account in here
            if account.name in there and there[account.name].origin == account.origin
        },
    )


def _describe_errors(revision: Revision, failure: ConfigurationError) -> Diagnostic:
    errors = failure.diagnostics
    lines = [f"{error.span or revision.name} at {revision.name}: {error.summary}" for error in errors[:MANY_ERRORS]]
    more = [f"and {len(errors) - MANY_ERRORS} more"] if len(errors) > MANY_ERRORS else []
    return Diagnostic(
        "base-invalid",
        Severity.WARNING,
        f"the configuration at {revision.name} has {counted(len(errors), 'error')}: no change says where it comes from",
        detail="\n".join([*lines, *more]),
        hint="no action is needed if this revision fixes it",
    )
