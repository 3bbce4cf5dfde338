"""`--base REF`: what another revision of the configuration declares of the accounts of this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leadstate.api.configuration import DEFAULT
from leadstate.config import Configuration
from leadstate.config.git import Revision, read_revision
from leadstate.config.loader import understand
from leadstate.config.yaml.diagnostics import Diagnostics
from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.errors import ConfigurationError

MANY_ERRORS = 5
"""How many mistakes of a broken base a message names."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What plans are compared with.

    Attributes:
        revision: its name, as the user gave it.
        commit: the full id of its commit.
        accounts: account → the same one as the base declares it; None where the base is no valid configuration, so
            that nothing can be said.
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
        paths: where the configuration is; none means the default.
        configuration: what it is now.

    Raises:
        RevisionError: git cannot give it.
    """
    diagnostics = Diagnostics()
    revision = read_revision(list(paths) or [DEFAULT], name, diagnostics)
    if not revision.sources and not diagnostics.any_error:
        return Baseline(name, revision.commit, {}, (_none(name),))
    try:
        base = understand(revision.sources, (), diagnostics, revision.table)
    except ConfigurationError as failure:
        return Baseline(name, revision.commit, None, (_invalid(revision, failure),))
    there = {account.account.name: account.account for account in base.accounts}
    here = [account.account for account in configuration.accounts]
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


def _none(name: str) -> Diagnostic:
    return Diagnostic(
        "base-empty",
        Severity.WARNING,
        f"there is no configuration at {name}, so every change is from this revision",
        hint="if it had another path there, this is to be expected",
    )


def _invalid(revision: Revision, failure: ConfigurationError) -> Diagnostic:
    errors = failure.diagnostics
    lines = [f"{error.span or revision.name} at {revision.name}: {error.summary}" for error in errors[:MANY_ERRORS]]
    more = [f"and {len(errors) - MANY_ERRORS} more"] if len(errors) > MANY_ERRORS else []
    return Diagnostic(
        "base-invalid",
        Severity.WARNING,
        f"the configuration at {revision.name} has {counted(len(errors), 'error')}: no change says where it comes from",
        detail="\n".join([*lines, *more]),
        hint="nothing to do, where this revision mends it",
    )
