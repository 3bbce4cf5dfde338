"""New values into a YAML text, in place: what is not touched stays as it is to the byte, comments included.

The text is cut where values begin and end, never printed anew. The result is read again and has to mean exactly what
was asked for. Refuses to change what an alias stands for elsewhere, and whatever does not come out as it should.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias

from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import Node, read_nodes
from leadstate.edit.spans import Entry, Lines, Spot, read_spots
from leadstate.edit.spelling import spell
from leadstate.model.address import Span
from leadstate.model.diagnostics import LeadstateError
from leadstate.model.escape import visible

Steps: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Give the value at a path; keys that are not there yet, those on the way included, are made."""

    path: Steps
    value: object


@dataclass(frozen=True, slots=True)
class Append:
    """Add items to the end of a list at the top of the file; the list is created if it does not exist."""

    key: str
    items: tuple[object, ...]


Edit: TypeAlias = Set | Append


def apply_edits(data: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """Return the values after the edits, one after the other; what was given stays as it was."""
    result: dict[str, Any] = dict(data)
    for edit in edits:
        if isinstance(edit, Append):
            result[edit.key] = [*(result.get(edit.key) or ()), *edit.items]
        else:
            result = _put(result, edit.path, edit.value)
    return result


def _put(data: Any, path: Steps, value: object) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [*data[:step], _put(data[step], rest, value), *data[step + 1 :]]
    below: Mapping[str, Any] = {} if data is None else data
    return {**below, step: _put(below.get(step), rest, value)}


def same(this: object, other: object) -> bool:
    """Return whether two values are the same in a YAML file, where `1`, `1.0` and `true` are three."""
    if this is other:
        return True
    if isinstance(this, dict) and isinstance(other, dict):
        return this.keys() == other.keys() and all(same(value, other[key]) for key, value in this.items())
    if isinstance(this, list) and isinstance(other, list):
        return len(this) == len(other) and all(map(same, this, other))
    if isinstance(this, Decimal) and isinstance(other, Decimal):
        return str(this) == str(other)
    return type(this) is type(other) and this == other


_COMMENT: Final = re.compile(r"\s#")
_BLOCK_HEADER: Final = re.compile(r"[|>][-+0-9]*")
_TO_COMMA: Final = re.compile(r"\s*,")


class EditError(LeadstateError):
    """A text that cannot be edited in place as asked: where, and why."""

    code = "edit"

    def __init__(self, span: Span, why: str) -> None:
        hint = "edit this place by hand, or write it in another way, and run the command again"
        super().__init__(f"{visible(str(span))}: {why}, so nothing was written", hint=hint)
        self.span = span
        self.why = why


class _Splice(NamedTuple):
    """Text in place of what stands from one index to another."""

    begin: int
    end: int
    text: str


class Writer:
    """Makes edits of the text of one file."""

    def __init__(self, source: Source, root: Node) -> None:
        self.source = source
        self.text = source.text
        self.root = root
        self.lines = Lines(source.text)

    @cached_property
    def _spot(self) -> Spot:
        return read_spots(self.text)

    def rewrite(self, edits: Sequence[Edit]) -> str:
        """Return the text with the edits in it, after reading it back and comparing.

        Args:
            edits: what to do, one after the other. Items are added to a list in a run of their own: an item goes below
                the last one, of which a line may go.

        Raises:
            EditError: it cannot be done in place.
            UnwritableError: a value cannot be written.
        """
        wanted = apply_edits(self.root.value, edits)
        splices = sorted(self._changes(self._spot, self.root.value, wanted), key=lambda change: change[:2])
        pieces, at = [], 0
        for splice in splices:
            pieces += [self.text[at : splice.begin], splice.text]
            at = splice.end
        text = "".join([*pieces, self.text[at:]])
        diagnostics = Diagnostics()
        after = read_nodes(replace(self.source, text=text), diagnostics)
        if after is None or diagnostics.any_error or not same(after.value, wanted):
            raise self._refused(splices[0].begin, "the text does not come out as it should")
        return text

    def refusal(self, edits: Sequence[Edit]) -> EditError | None:
        """Return why edits cannot be made in place; None if they can."""
        try:
            list(self._changes(self._spot, self.root.value, apply_edits(self.root.value, edits)))
        except EditError as failure:
            return failure
        return None

    def _refused(self, at: int, why: str) -> EditError:
        return EditError(self.source.place_of(at).span, why)

    def _changes(
        self, spot: Spot, old: Any, new: Any, *, key_end: int | None = None, flow: bool = True, top: bool = False
    ) -> Iterator[_Splice]:
        """Yield what to splice in so that the value at a spot becomes another; within an entry, deeper ones first.

        Args:
            spot: where the value stands.
            old: the value.
            new: what it becomes.
            key_end: where its key ends; None for an item of a list.
            flow: whether it stands within brackets.
            top: whether it belongs to a key at the top of the file.
        """
        if same(old, new):
            return
        if spot.shared:
            raise self._refused(spot.begin, f"an alias (*{spot.anchor}) stands for this value elsewhere")
        entries = spot.entries or []
        if spot.is_mapping and entries and isinstance(new, dict) and old.keys() <= new.keys():
            for entry in entries:
                yield from self._changes(
                    entry.value,
                    old[entry.name],
                    new[entry.name],
                    key_end=entry.key_end,
                    flow=spot.flow,
                    top=spot.column == 0 and not spot.flow,
                )
            added = {name: value for name, value in new.items() if name not in old}
            if spot.flow:
                end = entries[-1].value.end
                yield _Splice(end, end, "".join(f", {spell({name: added[name]})[1:-1]}" for name in added))
            else:
                lines = [line for name, value in added.items() for line in self._key(name, value, spot.column)]
                yield self._below(entries[-1], spot.column, lines)
        elif not spot.is_mapping and entries and isinstance(new, list) and (kept := _kept(old, new, spot)):
            yield from self._list(spot, entries, kept, old, new)
        else:
            yield from self._whole(spot, new, key_end, flow=flow, top=top)

    def _whole(self, spot: Spot, new: Any, key_end: int | None, *, flow: bool, top: bool) -> Iterator[_Splice]:
        """Replace a value of which nothing stays."""
        colon = spot.begin if key_end is None else self.lines.after_colon(key_end)
        in_lines, block = top and isinstance(new, list) and new and not spot.entries, spot.entries and not spot.flow
        if self._has_comment(spot, colon if in_lines or block else spot.begin):
            raise self._refused(spot.begin, "a comment would be lost with this value")
        if in_lines:
            # An empty list becomes one of lines; a comment beside it stays where it is.
            yield _Splice(colon, max(colon, spot.end), "")
            end = self.lines.end(max(colon, spot.end))
            yield _Splice(end, end, "".join(self.lines.newline + line for line in self._items(new, "  ")))
        elif spot.begin == spot.end:
            yield _Splice(colon, colon, " " + spell(new, flow=flow))
        elif block:
            yield _Splice(colon, spot.end, " " + spell(new, flow=flow))
        elif header := _BLOCK_HEADER.match(self.text, spot.begin, spot.end):
            yield _Splice(spot.begin, header.end(), spell(new, flow=flow))
            yield _Splice(self.lines.end(spot.begin), spot.end, "")
        else:
            yield _Splice(spot.begin, spot.end, spell(new, quote=spot.quote, flow=flow))

    def _has_comment(self, spot: Spot, begin: int) -> bool:
        """Return whether a comment stands between a place and the end of a value, outside of its texts."""
        at = begin
        for text_begin, text_end in self._texts(spot):
            if _COMMENT.search(self.text, at, text_begin):
                return True
            at = max(at, text_end)
        return _COMMENT.search(self.text, at, spot.end) is not None

    def _texts(self, spot: Spot) -> Iterator[tuple[int, int]]:
        """Yield where each scalar in a value begins and ends, keys included."""
        if spot.entries is None:
            yield spot.begin, spot.end
        for entry in spot.entries or ():
            if entry.key_end is not None:
                yield entry.begin, entry.key_end
            value = entry.value
            header = _BLOCK_HEADER.match(self.text, value.begin, value.end)
            yield from [(self.lines.end(value.begin), value.end)] if header else self._texts(value)

    def _list(
        self, spot: Spot, entries: list[Entry], kept: Sequence[int], old: list[Any], new: list[Any]
    ) -> Iterator[_Splice]:
        for place, index in enumerate(kept):
            yield from self._changes(entries[index].value, old[index], new[place])
        added, last = new[len(kept) :], entries[kept[-1]]
        if not spot.flow:
            for index in sorted({*range(len(old))} - {*kept}):
                end = self.lines.next(self.lines.end(entries[index].value.end))
                yield _Splice(self.lines.begin(entries[index].begin), end, "")
            yield self._below(last, spot.column + 1, self._items(added, " " * spot.column, entries))
        elif added and "\n" in self.text[last.value.end : spot.end]:
            yield from self._on_own_lines(last, [spell(item) for item in added])
        else:
            yield _Splice(last.value.end, last.value.end, "".join(f", {spell(item)}" for item in added))

    def _on_own_lines(self, last: Entry, added: Sequence[str]) -> Iterator[_Splice]:
        """Add items to a list in brackets that has its last bracket on a line of its own."""
        at = last.value.end
        if not _TO_COMMA.match(self.text, at):
            yield _Splice(at, at, ",")
        indent = self.lines.newline + " " * (last.begin - self.lines.begin(last.begin))
        end = self.lines.end(at)
        yield _Splice(end, end, indent + f",{indent}".join(added))

    def _below(self, last: Entry, column: int, lines: Sequence[str]) -> _Splice:
        """Add lines below the last entry and the comments that belong to it."""
        end = self.lines.below(last.value.end, column)
        return _Splice(end, end, "".join(self.lines.newline + line for line in lines))

    def _key(self, name: str, value: object, column: int) -> list[str]:
        """Return the lines of a new key of a mapping; a list at the top of a file has a blank line above."""
        key = " " * column + spell(name, flow=False) + ":"
        if column == 0 and isinstance(value, list) and value:
            return ["", key, *self._items(value, "  ")]
        return [f"{key} {spell(value, flow=False)}"]

    def _items(self, items: Sequence[object], indent: str, entries: Sequence[Entry] = ()) -> list[str]:
        """Return the lines of new items of a list, in the style of the last one."""
        like = entries[-1].value if entries else None
        in_lines = like is not None and like.is_mapping and not like.flow
        gap = [""] if len(entries) > 1 and not self.lines.above(entries[-1].begin).strip() else []
        lines: list[str] = []
        for item in items:
            lines += gap
            if in_lines and isinstance(item, Mapping):
                keys = [line for name, value in item.items() for line in self._key(name, value, len(indent) + 2)]
                lines += [f"{indent}- {keys[0].lstrip()}", *keys[1:]]
            else:
                lines.append(f"{indent}- {spell(item, flow=isinstance(item, Mapping | list))}")
        return lines


def _kept(old: Sequence[object], new: Sequence[object], spot: Spot) -> Sequence[int]:
    """Return which items of a list stay, changed within perhaps: of mappings all; else as many as begin the new list.

    A list in brackets stays as a whole or not at all.
    """
    if any(isinstance(item, dict) for item in old) and len(new) >= len(old):
        return range(len(old))
    kept: list[int] = []
    for item in new:
        at = next((index for index in range(kept[-1] + 1 if kept else 0, len(old)) if same(old[index], item)), None)
        if at is None:
            break
        kept.append(at)
    return kept if len(kept) == len(old) or not spot.flow else ()
