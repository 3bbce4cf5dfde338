"""A file in canonical layout (docs/decisions/0014), made sure of: the result is read again and has to say the same.

Refuses what cannot be read, and what would come out otherwise.
"""

from collections.abc import Iterator
from typing import Any, Final

from leadstate.config.layout.layout import lay_out
from leadstate.config.layout.remarks import find_remarks
from leadstate.config.text.findings import Findings
from leadstate.config.text.nodes import read_nodes
from leadstate.config.text.source import Source
from leadstate.config.text.spans import Spot, read_spots
from leadstate.config.writing.edits import same
from leadstate.core.address import Span
from leadstate.core.diagnostics import Severity, error
from leadstate.core.errors import ConfigurationError

_UNSAFE: Final = "in canonical layout this file would not say the same, so it is left as it is"
_CURE: Final = "this is a mistake in leadstate: please report it, with the file"


def laid_out(source: Source) -> str:
    """The text in canonical layout; that of a text which has it already is the text itself.

    Raises:
        ConfigurationError: the text cannot be read, with every error in it; or it would not mean the same.
    """
    before = _read(source)
    text = lay_out(source.text, before)
    try:
        after = _read(Source(source.name, text, source.folder))
    except ConfigurationError:
        after = None
    if not same(after, before) or _kept(text) != _kept(source.text):
        raise ConfigurationError([error("layout", _UNSAFE, hint=_CURE, span=Span(source.name, 1, 1))])
    return text


def _read(source: Source) -> Any:
    findings = Findings()
    root = read_nodes(source, findings)
    if root is None or findings.any_error:
        raise ConfigurationError(findings.sorted(Severity.ERROR))
    return root.value


def _kept(text: str) -> tuple[list[str], list[str]]:
    """What no value tells and must not get lost: comments and anchors."""
    root = read_spots(text)
    return sorted(one.text for one in find_remarks(text, root) if one.text), sorted(_anchors(root))


def _anchors(spot: Spot) -> Iterator[str]:
    if spot.anchor is not None:
        yield spot.anchor
    for entry in spot.entries or ():
        yield from _anchors(entry.value)
