"""Markdown for a pull request comment or a job summary: short enough for GitHub, and every foreign word inert in it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final

from leadstate.model.diagnostics import counted, some
from leadstate.model.escape import visible
from leadstate.report.document import Account, Report
from leadstate.report.formats.grouping import Block, ChangeGroup, DiagnosticGroup, Grouped, gravest_first, group_report
from leadstate.report.formats.wording import (
    FEW,
    SIGN,
    clip,
    headline,
    is_all,
    local_name,
    names,
    note,
    places,
    remarks,
    shown_fields,
    spent,
    untouched_lines,
    where,
    why_deleted,
)

LIMIT: Final = 65_536
"""What GitHub takes as a comment, in characters. We count bytes, of which there are never fewer, however one counts."""

_RESERVE: Final = 1_000
"""Bytes kept for the counts of what did not fit."""

_DIAGNOSTICS_SHARE: Final = LIMIT // 3
_UNFOLDED: Final = 5
"""Diagnostics that stand above the changes; more are folded."""

_FOLDED_FROM: Final = 25
"""Changes of an account from which on they are folded."""

_LONGEST_NAME: Final = 120
_LONGEST_LINE: Final = 1_000
_TABLE: Final = "| | Object | Change | Declared at | Note |\n|:-:|---|---|---|---|\n"
_ICON: Final = {"error": "❌", "guard": "⛔", "warning": "⚠️"}

# Escaping is not enough: GitHub looks for `@name` and `#1` in the finished page, where an escape is gone. It does not
# look into code, so what is not plainly a word stands in code.
_PLAIN_CODE: Final = re.compile(r"(?! )[^`|\\\n]*[^`|\\\n ]")
_WORD: Final = re.compile(
    r"""[("]?[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*[).,:;?!"]*|\(?\d+(?:[,.]\d+)*[,:;?!]*|[%→—][).,:;?!]*"""
)
_COMMIT: Final = re.compile(r"\W?[0-9a-f]{7,}\W*", re.IGNORECASE)


def code(text: str) -> str:
    """Return the text as code on one line, also within a table."""
    shown = visible(text)
    if _PLAIN_CODE.fullmatch(shown):
        return f"`{shown}`"
    entities = (char if char.isalnum() or char == " " or not char.isascii() else f"&#{ord(char)};" for char in shown)
    return f"<code>{''.join(entities)}</code>"


def prose(text: str, names: Iterable[str] = ()) -> str:
    """Return the text with whatever is not plainly a word or a number as code.

    What stands between backticks or quotation marks, and a name with spaces in it, is one piece of code.

    Args:
        text: the text.
        names: what it may name.
    """
    shown = _on_one_line(text)
    known = sorted({_on_one_line(name) for name in names if " " in name.strip()}, key=len, reverse=True)
    named = "".join(f"|{re.escape(name)}" for name in known)
    # What comes before it, what backticks hold, what has quotation marks or is a name, and what comes after it.
    piece = rf"""(?:(?<= )|^)(\(?)(?:`([^`]+)`|('[^'`]+'|"[^"`]+"{named}))([).,:;?!]*)(?= |$)"""
    made: list[str] = []
    at = 0
    for found in re.finditer(piece, shown):
        made += map(_token, shown[at : found.start()].split())
        before, quoted, name, after = found.groups()
        made.append(f"{before}{code(quoted or name)}{after}")
        at = found.end()
    return " ".join([*made, *map(_token, shown[at:].split())])


def _on_one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _token(token: str) -> str:
    if _WORD.fullmatch(token) and not _COMMIT.fullmatch(token):
        return token
    word = token.rstrip(",.;:")
    return code(word) + token[len(word) :] if word else code(token)


def _name(text: str) -> str:
    return code(clip(visible(text), _LONGEST_NAME))


class _Room:
    """What may still be written."""

    def __init__(self, size: int) -> None:
        self.left = size

    def takes(self, text: str) -> bool:
        """Return whether the text fits; then its room is taken."""
        size = len(text.encode())
        if size <= self.left:
            self.left -= size
            return True
        return False


def to_markdown(report: Report, *, verbose: bool = False) -> str:
    """Return the report for GitHub: under 65,536 characters, with a true count of what did not fit."""
    room = _Room(LIMIT - _RESERVE)
    view = group_report(report, verbose=verbose)
    head = f"## leadstate {report.command}: {headline(report).text.removesuffix('.')}\n\n"
    tail = "".join(f"**{prose(str(line))}**\n\n" for line in remarks(report))
    if cost := spent(report):
        tail += f"{report.summary.unchanged:,} up to date, {report.summary.untouched:,} untouched. {cost}\n"
    room.takes(head + tail)
    diagnostics = _diagnostics(gravest_first(view.diagnostics), room)
    sections = list(_sections(report, view, room))
    return "".join([head, diagnostics, *sections, tail]).rstrip() + "\n"


def _diagnostics(groups: Sequence[DiagnosticGroup], room: _Room) -> str:
    """Return the gravest, then the others folded, so that they do not push the changes off the screen."""
    texts = list(takewhile(_Room(_DIAGNOSTICS_SHARE).takes, map(_diagnostic, groups)))
    left_out = len(groups) - len(texts)
    more = "".join(texts[_UNFOLDED:]) + (f"- … and {left_out:,} more.\n" if left_out else "")
    if len(groups) > _UNFOLDED:
        folded = counted(len(groups) - _UNFOLDED, "more diagnostic")
        more = f"\n<details><summary>{folded}</summary>\n\n{more}\n</details>\n"
    text = f"{''.join(texts[:_UNFOLDED])}{more}\n" if groups else ""
    room.takes(text)
    return text


def _diagnostic(group: DiagnosticGroup) -> str:
    first = group.first
    place = f" {code(str(group.sources[0]))}" if len(group.sources) == 1 else ""
    about = f" {some([*map(_name, group.about)], FEW)}" if group.about else ""
    known = [address.partition("/")[2] for address in group.about[:FEW]]
    lines = [f"- {_ICON[first.severity]} **{first.severity}** {code(first.code)}{about}{place}"]
    lines += [prose(clip(first.summary, _LONGEST_LINE), known)]
    lines += [code(clip(line, _LONGEST_LINE)) for line in first.detail.splitlines() if line.strip()]
    lines += [f"→ {prose(clip(first.hint, _LONGEST_LINE), known)}"] if first.hint else []
    return "<br>\n  ".join(lines) + "\n"


def _sections(report: Report, view: Grouped, room: _Room) -> Iterator[str]:
    """Yield one section a block until there is no more room; then what was left out, and what does not change."""
    changes_out, accounts_out = 0, set[str]()
    for block in view.blocks:
        rows: list[str] = []
        if block.groups and not changes_out:
            head, foot = _head(block, view.total)
            known = [group.name for group in block.groups]
            if room.takes(head + foot):
                rows += takewhile(room.takes, (_row(group, known) for group in block.groups))
            if rows:
                yield "".join([head, *rows, foot])
        missing = len(block.groups) - len(rows)
        changes_out += missing * len(block.accounts)
        accounts_out |= set(names(block.accounts)) if missing else set()
        left = _listed(block.untouched, block.accounts) if rows and not missing else ""
        if room.takes(left):
            yield left
    if changes_out:
        yield f"**… and {counted(changes_out, 'more change')} in {counted(len(accounts_out), 'account')}.**\n\n"
    quiet = [block for block in view.blocks if not (block.groups or block.accounts[0].diagnostics)]
    unchanged = [*view.unchanged, *(block.accounts[0] for block in quiet)]
    says = unchanged and not is_all(unchanged, view.total)
    rest = [f"No changes in {where(unchanged, view.total, _name)}.\n\n"] if says else []
    lines = list(view.untouched)
    for block in quiet if view.total > 1 else ():
        lines += untouched_lines(block.accounts, view.total)
    yield from filter(room.takes, [*rest, _listed(lines, report.accounts)])


def _head(block: Block, total: int) -> tuple[str, str]:
    """Return what stands above and below the changes of a block."""
    account, *others = block.accounts
    head = (
        f"In {where(block.accounts, total, _name)}" if others else f"{_name(account.account)} {_name(account.company)}"
    )
    if len(block.groups) <= _FOLDED_FROM:
        return f"### {head}\n\n{_TABLE}", "\n"
    count = counted(len(block.groups), "change")
    return f"### {head}\n\n<details><summary>{count}</summary>\n\n{_TABLE}", "\n</details>\n\n"


def _listed(lines: Sequence[str], accounts: Sequence[Account]) -> str:
    known = {
        local_name(account, left.address)
        for account in accounts
        for left in account.untouched
        if left.detail and left.address
    }
    return "".join(f"- {prose(line, known)}\n" for line in lines) + ("\n" if lines else "")


def _row(group: ChangeGroup, known: Sequence[str]) -> str:
    change = group.change
    place = code(text) if (text := places(group.places)) else ""
    about = note(change)
    if change.result:
        detail = clip(change.result.detail, _LONGEST_LINE)
        why = f": {prose(detail, [name for name in known if name in detail])}" if detail else ""
        about = "<br>".join(filter(None, (about, f"**{change.result.status}**{why}")))
    lines = [prose(why_deleted(change), [change.moves_to or ""])] if change.action == "delete" else []
    for path, before, after in shown_fields(change, group.known):
        old = f"{code(before)} → " if change.action == "update" else ""
        lines.append(f"{_name(path)} {old}{code(after)}")
    return f"| {code(SIGN[change.action])} | {_name(group.name)} | {'<br>'.join(lines)} | {place} | {about} |\n"
