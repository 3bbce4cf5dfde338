"""YAML text to the events of libyaml; the only place that calls ruamel.yaml to read.

Events and not ruamel's nodes: composing nodes recurses in C, so that deep nesting crashes the process, and takes five
times as long. Nothing here judges what the text means.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

MAX_DEPTH: Final = 64
"""Mappings and lists within each other; a configuration needs 6. Also bounds libyaml, which is quadratic in depth."""

SCALAR: Final = "scalar"
ALIAS: Final = "alias"
SEQUENCE: Final = "sequence"
MAPPING: Final = "mapping"
END: Final = "end"
DOCUMENT: Final = "document"
OTHER: Final = "other"

_WITHIN_PLAIN = re.compile(r""":(?<=[^\s\[\]{},"']:)(?=[^\s\[\]{},])|\?(?<=[^\s\[\]{},]\?)""")


class NotYamlError(Exception):
    """The text is no YAML: the message of libyaml, and the place (from 0)."""

    def __init__(self, problem: str, context: str, at: tuple[int, int] | None, begun: tuple[int, int] | None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.context = context
        self.at = at
        self.begun = begun


def events_of(text: str) -> Iterator[tuple[str, Any]]:
    """Return the kind of each event, and the event as ruamel gives it; raise NotYamlError if the text is no YAML."""
    from ruamel.yaml import YAML, events  # noqa: PLC0415  takes 50 ms, and only reading needs it
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    what = {
        events.ScalarEvent: SCALAR,
        events.AliasEvent: ALIAS,
        events.SequenceStartEvent: SEQUENCE,
        events.MappingStartEvent: MAPPING,
        events.SequenceEndEvent: END,
        events.MappingEndEvent: END,
        events.DocumentStartEvent: DOCUMENT,
    }
    text, colon, question = _stand_in(text)
    try:
        for event in YAML(typ="safe", pure=False).parse(text):
            kind = what.get(type(event), OTHER)
            if kind is SCALAR and (colon in event.value or question in event.value):
                event.value = event.value.replace(colon, ":").replace(question, "?")
            yield kind, event
    except MarkedYAMLError as error:
        raise NotYamlError(
            str(error.problem or ""), str(error.context or ""), _at(error.problem_mark), _at(error.context_mark)
        ) from None
    except YAMLError as error:
        raise NotYamlError(str(getattr(error, "reason", "")), "", None, None) from None


def _stand_in(text: str) -> tuple[str, str, str]:
    """Return the text with `:` and `?` within plain scalars replaced by two characters that it does not hold.

    The libyaml that ruamel.yaml.clib carries refuses `[tag:prod]`, `{url: http://x}` and `{title: Why?}`, which
    YAML 1.2 (section 7.3.3) allows. One character for another, so that every place stays.
    """
    colon, question = "\ue000", "\ue001"
    if colon in text or question in text:
        used = set(text)
        free = [char for char in map(chr, range(0xE000, 0xF900)) if char not in used]
        if len(free) < 2:  # noqa: PLR2004  one for each
            return text, ":", "?"
        colon, question = free[:2]
    return _WITHIN_PLAIN.sub(lambda found: colon if found[0] == ":" else question, text), colon, question


def _at(mark: Any) -> tuple[int, int] | None:
    return None if mark is None else (mark.line, mark.column)
