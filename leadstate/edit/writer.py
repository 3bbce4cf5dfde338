"""New values into a YAML text, in place: what is not touched stays as it is to the byte, comments included.

The text is cut where values begin and end, never printed anew. The result is read again and has to mean exactly what
was asked for. Refuses to change what an alias stands for elsewhere, and whatever does not come out as it should.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import Node, read_nodes
from leadstate.config.yaml.spans import Entry, Lines, Spot, read_spots
from leadstate.edit.spelling import written
from leadstate.model.errors import LeadstateError
from leadstate.model.escape import visible

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Give the value at a path; keys that are not there yet, those on the way included, are made."""

    path: Path
    value: object


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the key at the end of a path away."""

    path: Path


@dataclass(frozen=True, slots=True)
class Append:
    """Add items to the end of a list at the top of the file, which is made where there is none."""

    key: str
    items: tuple[object, ...]


Edit: TypeAlias = Set | Remove | Append


def edited(data: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """The values after the edits, one after the other; what was given stays as it was."""
    result: dict[str, Any] = dict(data)
    for edit in edits:
        match edit:
            case Set():
                result = _put(result, edit.path, edit.value)
            case Remove():
                result = _drop(result, edit.path)
            case Append():
                result[edit.key] = [*(result.get(edit.key) or ()), *edit.items]
    return result


def _put(data: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        return [*data[:step], _put(data[step], tuple(rest), value), *data[step + 1 :]]
    below: Mapping[str, Any] = {} if data is None else data
    return {**below, step: _put(below.get(step), tuple(rest), value)}


def _drop(data: Any, path: Path) -> Any:
    step, *rest = path
    if rest:
        return _put(data, (step,), _drop(data[step], tuple(rest)))
    return {key: value for key, value in data.items() if key != step}


def same(this: object, other: object) -> bool:
    """Whether two values are the same in a YAML file, where `1`, `1.0` and `true` are three."""
    if isinstance(this, dict) and isinstance(other, dict):
        return this.keys() == other.keys() and all(same(value, other[key]) for key, value in this.items())
    if isinstance(this, list) and isinstance(other, list):
        return len(this) == len(other) and all(map(same, this, other))
    if isinstance(this, Decimal) and isinstance(other, Decimal):
        return str(this) == str(other)
    return type(this) is type(other) and this == other


_COMMENT: Final = re.compile(r"^\s*#", re.MULTILINE)
_TO_COMMA: Final = re.compile(r"\s*,")


class EditError(LeadstateError):
    """A text that cannot be edited in place as asked."""

    code = "edit"


class _Splice(NamedTuple):
    """Text in place of what stands from one index to another."""

    begin: int
    end: int
    text: str


def rewritten(source: Source, root: Node, edits: Sequence[Edit]) -> str:
    """Return the text with the edits in it, after reading it back and comparing.

    Args:
        source: the text.
        root: its nodes.
        edits: what to do, one after the other. Items are added to a list in a run of their own: an item goes below the
            last one, of which a line may go.

    Raises:
        EditError: it cannot be done in place.
        UnwritableError: a value cannot be written.
    """
    wanted = edited(root.value, edits)
    writer = _Writer(source)
    splices = sorted(writer.changes(read_spots(source.text), root.value, wanted), key=lambda change: change[:2])
    pieces, at = [], 0
    for splice in splices:
        pieces += [source.text[at : splice.begin], splice.text]
        at = splice.end
    text = "".join([*pieces, source.text[at:]])
    diagnostics = Diagnostics()
    after = read_nodes(Source(source.name, text, source.folder), diagnostics)
    if after is None or diagnostics.any_error or not same(after.value, wanted):
        raise _refused(source, splices[0].begin, "the text does not come out as it should")
    return text


def _refused(source: Source, at: int, why: str) -> EditError:
    place = source.place_of(at).span
    return EditError(
        f"{visible(str(place))}: {why}, so nothing was written",
        hint="edit this place by hand, or write it in another way, and run the command again",
    )


class _Writer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.lines = Lines(source.text)

    def changes(self, spot: Spot, old: Any, new: Any) -> Iterator[_Splice]:
        """What to splice in so that the value at a spot becomes another; within an entry, deeper ones first."""
        if same(old, new):
            return
        if spot.shared:
            raise _refused(self.source, spot.begin, f"an alias (*{spot.anchor}) stands for this value elsewhere")
        if spot.is_mapping and spot.entries and isinstance(new, dict):
            yield from self._mapping(spot, spot.entries, old, new)
        elif spot.entries and isinstance(new, list) and not spot.is_mapping:
            yield from self._list(spot, spot.entries, old, new)
        else:
            yield _Splice(spot.begin, spot.end, written(new, quote=spot.quote))

    def _mapping(self, spot: Spot, entries: list[Entry], old: Any, new: Any) -> Iterator[_Splice]:
        kept = [index for index, entry in enumerate(entries) if entry.name in new]
        for index in kept:
            entry = entries[index]
            yield from self._entry(spot, entry, old[entry.name], new[entry.name])
        added = [name for name in new if name not in old]
        if spot.flow:
            yield from self._in_brackets(
                spot, entries, kept, [f"{written(name)}: {written(new[name])}" for name in added]
            )
            return
        lines: list[str] = []
        for name in added:
            lines += self._key(name, new[name], spot.column)
        yield from self._in_lines(spot, entries, kept, lines)

    def _entry(self, spot: Spot, entry: Entry, old: Any, new: Any) -> Iterator[_Splice]:
        """The value of a key that stays."""
        value, at = entry.value, entry.key_end or entry.begin
        if same(old, new):
            return
        top = spot.column == 0 and not spot.flow
        if top and isinstance(new, list) and new and not (value.entries or value.shared):
            # An empty list becomes one of lines; a comment beside it stays where it is.
            colon = self.lines.after_colon(at)
            yield _Splice(colon, max(colon, value.end), "")
            end = self.lines.end(max(colon, value.end))
            yield _Splice(end, end, "".join(self.lines.newline + line for line in self._items(new, "  ")))
        elif value.begin == value.end:
            colon = self.lines.after_colon(at)
            yield _Splice(colon, colon, " " + written(new, flow=spot.flow))
        elif value.entries and not value.flow and not value.shared and _becomes_another(value, old, new):
            colon = self.lines.after_colon(at)
            if _COMMENT.search(self.text[colon : value.end]) or "#" in self.text[colon : self.lines.end(colon)]:
                raise _refused(self.source, value.begin, "a comment would be lost with this value")
            yield _Splice(colon, value.end, " " + written(new, flow=spot.flow))
        elif value.entries is None and not value.shared:
            yield _Splice(value.begin, value.end, written(new, quote=value.quote, flow=spot.flow))
        else:
            yield from self.changes(value, old, new)

    def _list(self, spot: Spot, entries: list[Entry], old: list[Any], new: list[Any]) -> Iterator[_Splice]:
        kept = _kept(old, new)
        if kept and not same([old[index] for index in kept], new[: len(kept)]):
            for index in kept:
                yield from self.changes(entries[index].value, old[index], new[index])
        added = new[len(kept) :]
        if not spot.flow:
            yield from self._in_lines(spot, entries, kept, self._items(added, " " * spot.column, entries, old))
        elif added and len(kept) == len(old) and "\n" in self.text[entries[-1].value.end : spot.end]:
            yield from self._on_own_lines(entries, [written(item) for item in added])
        else:
            yield from self._in_brackets(spot, entries, kept, [written(item) for item in added])

    def _in_brackets(
        self, spot: Spot, entries: list[Entry], kept: Sequence[int], added: Sequence[str]
    ) -> Iterator[_Splice]:
        if not kept:
            around = "{}" if spot.is_mapping else "[]"
            yield _Splice(spot.begin, spot.end, around[0] + ", ".join(added) + around[1])
            return
        first, last, staying = kept[0], entries[kept[-1]], set(kept)
        if first > 0:
            yield _Splice(entries[0].begin, entries[first].begin, "")
        for index in range(first + 1, len(entries)):
            if index not in staying:
                yield _Splice(entries[index - 1].value.end, entries[index].value.end, "")
        if added:
            yield _Splice(last.value.end, last.value.end, "".join(f", {text}" for text in added))

    def _on_own_lines(self, entries: list[Entry], added: Sequence[str]) -> Iterator[_Splice]:
        """More items of a list in brackets that has its last bracket on a line of its own."""
        last = entries[-1]
        at = last.value.end
        if not _TO_COMMA.match(self.text, at):
            yield _Splice(at, at, ",")
        indent = self.lines.newline + " " * (last.begin - self.lines.begin(last.begin))
        end = self.lines.end(at)
        yield _Splice(end, end, indent + f",{indent}".join(added))

    def _in_lines(self, spot: Spot, entries: list[Entry], kept: Sequence[int], lines: list[str]) -> Iterator[_Splice]:
        """Entries that stand on lines of their own: those that go, and the lines of those that come."""
        if not kept:
            raise _refused(self.source, spot.begin, "all entries of a list or mapping that stands on lines would go")
        for index in sorted(set(range(len(entries))) - set(kept)):
            entry = entries[index]
            begin, end = self.lines.begin(entry.begin), self.lines.end(entry.value.end)
            before = self.text[begin : entry.begin]
            if before.strip() and (spot.is_mapping or before.strip() != "-"):
                begin, end = entry.begin, entries[index + 1].begin
                if self.text[entry.value.end : end].strip():
                    raise _refused(self.source, entry.begin, "a comment would be lost with this key")
            else:
                end = self.lines.next(end)
            yield _Splice(begin, end, "")
        if lines:
            end = self.lines.below(entries[kept[-1]].value.end, spot.column + (not spot.is_mapping))
            yield _Splice(end, end, "".join(self.lines.newline + line for line in lines))

    def _key(self, name: str, value: object, column: int) -> list[str]:
        """A new key of a mapping that stands on lines; a list at the top of a file has a blank line above."""
        key = " " * column + written(name, flow=False) + ":"
        if column == 0 and isinstance(value, list) and value:
            return ["", key, *self._items(value, "  ")]
        return [f"{key} {written(value, flow=False)}"]

    def _items(
        self, items: Sequence[object], indent: str, entries: Sequence[Entry] = (), old: Sequence[object] = ()
    ) -> list[str]:
        """New items of a list that stands on lines, in the style of the last one."""
        like = entries[-1].value if entries else None
        in_lines = like is not None and like.is_mapping and not like.flow and old and isinstance(old[-1], dict)
        gap = [""] if len(entries) > 1 and not self.lines.above(entries[-1].begin).strip() else []
        lines: list[str] = []
        for item in items:
            lines += gap
            if in_lines and isinstance(item, Mapping):
                keys = [line for name, value in item.items() for line in self._key(name, value, len(indent) + 2)]
                lines += [f"{indent}- {keys[0].lstrip()}", *keys[1:]]
            else:
                lines.append(f"{indent}- {written(item, flow=isinstance(item, Mapping | list))}")
        return lines


def _becomes_another(value: Spot, old: Any, new: Any) -> bool:
    """Whether nothing stays of a list or mapping that stands on lines."""
    if value.is_mapping:
        return not isinstance(new, dict) or not any(name in new for name in old)
    return not isinstance(new, list) or not _kept(old, new)


def _kept(old: Sequence[object], new: Sequence[object]) -> list[int]:
    """Which items stay, changed within perhaps: of mappings all; else as many new ones as stand in the old list so."""
    if any(isinstance(item, dict) for item in old) and len(new) >= len(old):
        return list(range(len(old)))
    kept: list[int] = []
    for item in new:
        at = next((index for index in range(kept[-1] + 1 if kept else 0, len(old)) if same(old[index], item)), None)
        if at is None:
            break
        kept.append(at)
    return kept
