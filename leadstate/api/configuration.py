"""What a run is about: the configuration, and what its lock file remembers. Opens no connection."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from leadstate.config import Configuration, DeclaredAccount, Trust, lock_path, read_lock
from leadstate.config import load as read_files
from leadstate.model.errors import LeadstateError, ReportError
from leadstate.report.document import Account, Report
from leadstate.report.touches import receipt_of

DEFAULT = Path("leadstate.yaml")


class UnknownAccount(LeadstateError):
    """No account of the configuration has this name or tag."""

    code = "unknown-account"


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
        LockError: the lock file is none.
    """
    several = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    configuration = read_files(several, accounts, trust or Trust())
    lock = read_lock(lock_file(several))
    if not lock:
        return configuration
    locked = (
        replace(declared, account=replace(declared.account, lock=lock.get(declared.account.name, {})))
        for declared in configuration.accounts
    )
    return replace(configuration, accounts=tuple(locked))


def lock_file(paths: Sequence[Path]) -> Path:
    """Return where the lock file of a configuration is: beside the first of its paths."""
    return lock_path(next(iter(paths), DEFAULT))


def select(configuration: Configuration, accounts: Sequence[str]) -> Configuration:
    """Return the configuration with some of its accounts.

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
    kept = (declared for declared in configuration.accounts if declared.account.name in chosen)
    return replace(configuration, accounts=tuple(kept))


def is_receipt(report: Report) -> bool:
    """Return whether a report is the receipt of an apply."""
    return report.command == "apply" and all(account.touched is not None for account in report.accounts)


def rollback(configuration: Configuration, receipt: Report, file: str) -> Configuration:
    """Return a configuration of which a plan is the rollback of an apply.

    Args:
        configuration: the configuration that was applied; its accounts say where and with which token.
        receipt: what was done.
        file: where the receipt is, for messages.

    Raises:
        ReportError: the report is not a receipt, or of another account or company.
    """
    if not is_receipt(receipt):
        raise ReportError(f"{file} is not a receipt", hint="receipts are in .leadstate/receipts")
    about = {account.account: account for account in receipt.accounts if account.changes}
    declared = {account.account.name: account for account in configuration.accounts}
    missing = sorted(about.keys() - declared.keys())
    if missing and not set(about) & set(declared):
        names = ", ".join(missing)
        raise ReportError(
            f"the configuration has no account {names}, which the receipt is about",
            hint="use the configuration that was applied",
        )
    chosen = (_undone(declared[name], about[name], file) for name in sorted(about.keys() & declared.keys()))
    return replace(configuration, accounts=tuple(chosen), diagnostics=())


def _undone(declared: DeclaredAccount, done: Account, file: str) -> DeclaredAccount:
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
