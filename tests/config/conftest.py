from collections.abc import Callable
from pathlib import Path

import pytest

from leadstate.config.configuration import Configuration
from leadstate.config.loader import load
from leadstate.core.diagnostics import Diagnostic
from leadstate.core.errors import ConfigurationError

MARK = "‸"

Load = Callable[..., Configuration]
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
        for one in found:
            assert one.hint
            assert one.summary
            for word in ("Input should", "pydantic", "validation error", "Traceback"):
                assert word not in one.summary + one.hint
        return found

    return run


@pytest.fixture(name="one_error")
def _one_error(errors_of: Errors) -> Callable[[str, str], Diagnostic]:
    """The only error of a text, which stands where the text has a mark and has the given code."""

    def run(text: str, code: str) -> Diagnostic:
        before, mark, after = text.partition(MARK)
        found = errors_of(before + after)
        assert [one.code for one in found] == [code], [(str(one.span), one.code, one.summary) for one in found]
        assert found[0].span is not None
        if mark:
            line = before.count("\n") + 1
            column = len(before) - before.rfind("\n")
            assert (found[0].span.line, found[0].span.column) == (line, column), str(found[0].span)
        return found[0]

    return run
