"""Files in, validated accounts out: read, check each file, merge, check the whole, or say everything that is wrong.

Reads no token and opens no connection.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from leadstate.config.checking.validate import check
from leadstate.config.configuration import Configuration, DeclaredAccount
from leadstate.config.csv.reading import read_tables
from leadstate.config.rules.accounts import declare
from leadstate.config.rules.merge import merge
from leadstate.config.rules.trust import Trust
from leadstate.config.yaml.diagnostics import Findings
from leadstate.config.yaml.files import ReadTable, read_source, read_sources
from leadstate.config.yaml.nodes import read_nodes
from leadstate.config.yaml.source import Source
from leadstate.model.diagnostics import Severity
from leadstate.model.errors import ConfigurationError

EVERYTHING: Final = Trust()


def load(paths: Sequence[Path], accounts: Sequence[str] = (), trust: Trust = EVERYTHING) -> Configuration:
    """Read a configuration (spec section 2).

    Args:
        paths: files, or folders of *.yaml and *.yml files; all of them are one configuration.
        accounts: which accounts to return, by name or `tag:TAG`; none means all. All are checked anyway.
        trust: which hosts and token sources whoever runs it allows.

    Raises:
        ConfigurationError: with every error in it.
    """
    findings = Findings()
    return understand(read_sources(paths, findings), accounts, findings, trust=trust)


def understand(
    sources: Sequence[Source],
    accounts: Sequence[str],
    findings: Findings,
    read: ReadTable = read_source,
    trust: Trust = EVERYTHING,
) -> Configuration:
    """Read a configuration from texts.

    Args:
        sources: the texts, in order.
        accounts: which accounts to return; none means all.
        findings: what was found already, while the texts were fetched; this adds to it.
        read: how the CSV files are had that they name.
        trust: which hosts and token sources whoever runs it allows.

    Raises:
        ConfigurationError: with every error in it.
    """
    all_read = not findings.any_error
    roots = [read_nodes(source, findings) for source in sources]
    files = [check(root, source, findings) for root, source in zip(roots, sources, strict=True) if root is not None]
    tables = [table for file in files for table in read_tables(file, findings, read)]
    namespace: str | None = None
    declared: tuple[DeclaredAccount, ...] = ()
    # The rules need the whole: what an unreadable file declares would be missed everywhere.
    if all_read and len(files) == len(sources) > 0:
        merged = merge([*files, *tables], findings)
        namespace, declared = merged.namespace, declare(merged, accounts, findings, trust)
    if not sources and all_read:
        findings.error("no-files", "no configuration file is named", None, hint="name a file or folder with -c")
    if findings.any_error:
        raise ConfigurationError(findings.sorted(Severity.ERROR))
    names = tuple(source.name for source in sources)
    return Configuration(namespace, declared, findings.sorted(Severity.WARNING), names)
