from collections.abc import Callable
from pathlib import Path

import pytest

from leadstate.api.configuration import load
from leadstate.config.configuration import Configuration
from leadstate.model.diagnostics import ConfigurationError, Diagnostic

MARK = "‸"

ACCOUNTS = """\
version: 1
namespace: ns
accounts:
  emea: {domain: acme-emea, token: {env: T}, plan: premium, tags: [prod], vars: {region: EMEA}}
  us: {domain: acme-us, token: {env: T}, vars: {region: US}}
labels:
  - {name: Hot, color: red}
  - {name: "A|B", color: blue}
"""
WITH_TABLE = ACCOUNTS + "leads_from: seeds.csv\n"

Load = Callable[..., Configuration]
LoadTable = Callable[..., Configuration]
Errors = Callable[..., list[Diagnostic]]


@pytest.fixture(name="load_text")
def _load_text(tmp_path: Path) -> Load:
    def run(*texts: str, accounts: tuple[str, ...] = ()) -> Configuration:
        paths = [tmp_path / f"{index}.yaml" for index in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8", newline="")
        return load(paths, accounts)

    return run


@pytest.fixture(name="errors_of")
def _errors_of(load_text: Load) -> Errors:
    """The errors of the given files, each of which has been seen to have a hint."""

    def run(*texts: str, accounts: tuple[str, ...] = ()) -> list[Diagnostic]:
        with pytest.raises(ConfigurationError) as caught:
            load_text(*texts, accounts=accounts)
        found = list(caught.value.diagnostics)
        assert found
        for diagnostic in found:
            assert diagnostic.hint
            assert diagnostic.summary
            for word in ("pydantic", "validation error", "Traceback"):
                assert word not in diagnostic.summary + diagnostic.hint
        return found

    return run


@pytest.fixture(name="one_error")
def _one_error(errors_of: Errors) -> Callable[[str, str], Diagnostic]:
    """The only error of a text, which stands where the text has a marker and has the given code."""

    def run(text: str, code: str) -> Diagnostic:
        before, marker, after = text.partition(MARK)
        found = errors_of(before + after)
        assert [diagnostic.code for diagnostic in found] == [code], [
            (str(diagnostic.span), diagnostic.code, diagnostic.summary) for diagnostic in found
        ]
        assert found[0].span is not None
        if marker:
            line = before.count("\n") + 1
            column = len(before) - before.rfind("\n")
            assert (found[0].span.line, found[0].span.column) == (line, column), str(found[0].span)
        return found[0]

    return run


@pytest.fixture(name="load_table")
def _load_table(tmp_path: Path) -> LoadTable:
    """What a YAML file and `seeds.csv` beside it declare."""

    def run(table: str | bytes, yaml: str = WITH_TABLE) -> Configuration:
        (tmp_path / "leadstate.yaml").write_text(yaml, encoding="utf-8")
        raw = table.encode() if isinstance(table, str) else table
        (tmp_path / "seeds.csv").write_bytes(raw)
        return load([tmp_path / "leadstate.yaml"])

    return run


@pytest.fixture(name="errors_of_table")
def _errors_of_table(load_table: LoadTable) -> Errors:
    """The errors of a configuration, each of which has a hint."""

    def run(table: str | bytes, yaml: str = WITH_TABLE) -> list[Diagnostic]:
        with pytest.raises(ConfigurationError) as caught:
            load_table(table, yaml)
        assert all(diagnostic.hint and diagnostic.span for diagnostic in caught.value.diagnostics)
        return list(caught.value.diagnostics)

    return run
