"""Files in, validated accounts out: read, check each file, merge, check the whole, or report everything that is wrong.

Reads no token and opens no connection.
"""

from collections.abc import Sequence

from leadstate.config.configuration import Configuration, DeclaredAccount
from leadstate.config.csv_leads import read_tables
from leadstate.config.rules.accounts import declare_accounts
from leadstate.config.rules.trust import EVERYTHING, Trust
from leadstate.config.validate import check, merge
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.files import ReadTable, read_source
from leadstate.config.yaml.nodes import read_nodes
from leadstate.model.diagnostics import ConfigurationError, Severity
from leadstate.model.rollout import Limit


def understand(
    sources: Sequence[Source],
    accounts: Sequence[str],
    diagnostics: Diagnostics,
    read: ReadTable = read_source,
    trust: Trust = EVERYTHING,
) -> Configuration:
    """Read a configuration from texts (spec section 2).

    Args:
        sources: the texts, in order.
        accounts: which accounts to return, by name or `tag:TAG`; none means all. All are checked anyway.
        diagnostics: what was found already, while the texts were fetched; this adds to it.
        read: reads the CSV files that they name.
        trust: which hosts and token sources whoever runs it allows.

    Raises:
        ConfigurationError: with every error in it.
    """
    all_read = not diagnostics.any_error
    roots = [read_nodes(source, diagnostics) for source in sources]
    files = [check(root, diagnostics) for root in roots if root is not None]
    tables = [table for file in files if file.document.leads_from for table in read_tables(file, diagnostics, read)]
    namespace: str | None = None
    declared: tuple[DeclaredAccount, ...] = ()
    # The rules need the whole: what an unreadable file declares would be missed everywhere.
    if all_read and len(files) == len(sources) > 0:
        merged = merge([*files, *tables], diagnostics)
        namespace, declared = merged.namespace, declare_accounts(merged, accounts, diagnostics, trust)
    if not sources and all_read:
        diagnostics.error("no-files", "no configuration file is named", None, hint="name a file or folder with -c")
    if diagnostics.any_error:
        raise ConfigurationError(diagnostics.sorted(Severity.ERROR))
    warnings = diagnostics.sorted(Severity.WARNING)
    return Configuration(namespace, declared, warnings, limit=Limit(tuple(accounts)))
