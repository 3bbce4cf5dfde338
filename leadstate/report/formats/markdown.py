"""Markdown for a pull request comment or a job summary: short enough for GitHub, and every foreign word inert in it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import Account, Report
from leadstate.report.formats.wording import (
    FEW,
    SIGN,
    clipped,
    gravest_first,
    headline,
    how_many,
    is_all,
    local,
    names,
    note,
    places,
    remarks,
    shown_fields,
    side,
    spent,
    untouched_lines,
    why_deleted,
)
from leadstate.report.grouping import Block, ChangeGroup, DiagnosticGroup, Grouped, grouped

# Escaping is not enough: GitHub looks for `@name` and `#1` in the finished page, where an escape is gone. It does not
# look into code, so what is not plainly a word stands in code.
_PLAIN_CODE = re.compile(r"(?! )[^`|\\\n]*[^`|\\\n ]")
_WORD = re.compile(r"""[("]?[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*[).,:;?!"]*|\(?\d+(?:[,.]\d+)*[,:;?!]*|[%→—][).,:;?!]*""")
_COMMIT = re.compile(r"\W?[0-9a-f]{7,}\W*", re.IGNORECASE)


def code(text: str) -> str:
    """The text as code on one line, also within a table."""
    shown = visible(text)
    if _PLAIN_CODE.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{''.join(map(_entity, shown))}</code>"


def spans(names: Iterable[str] = ()) -> re.Pattern[str]:
    """Return what finds the pieces of a message that are one piece of code each.

    These are what stands between backticks or quotation markers, and those of the names that have spaces in them.
    """
    known = sorted({_on_one_line(name) for name in names if " " in name.strip()}, key=len, reverse=True)
    named = "".join(f"|{re.escape(name)}" for name in known)
    # What comes before it, what backticks hold, what has quotation markers or is a name, and what comes after it.
    return re.compile(rf"""(?:(?<= )|^)(\(?)(?:`([^`]+)`|('[^'`]+'|"[^"`]+"{named}))([).,:;?!]*)(?= |$)""")


NO_NAMES = spans()


def prose(text: str, pieces: re.Pattern[str] = NO_NAMES) -> str:
    """Return the text with whatever is not plainly a word or a number as code; `pieces` are those of `spans`."""
    shown = _on_one_line(text)
    made: list[str] = []
    at = 0
    for found in pieces.finditer(shown):
        made += map(_token, shown[at : found.start()].split())
        before, quoted, named, after = found.groups()
        made.append(f"{before}{code(quoted or named)}{after}")
        at = found.end()
    return " ".join([*made, *map(_token, shown[at:].split())])


def _on_one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _token(token: str) -> str:
    if _WORD.fullmatch(token) and not _COMMIT.fullmatch(token):
        return token
    word = token.rstrip(",.;:")
    return code(word) + token[len(word) :] if word else code(token)


def _entity(char: str) -> str:
    return char if char.isalnum() or char == " " or not char.isascii() else f"&#{ord(char)};"


LIMIT = 65_536
"""What GitHub takes as a comment, in characters. We count bytes, of which there are never fewer, however one counts."""

_RESERVE = 1_000
"""Bytes kept for the sentences at the end."""

_FINDINGS_SHARE = LIMIT // 3
_UNFOLDED = 5
"""Diagnostics that stand above the changes; more are folded."""

_FOLDED_FROM = 25
"""Changes of an account from which on they are folded."""

_LONGEST_NAME = 120
_LONGEST_LINE = 1_000
_TABLE = "| | Object | Change | Declared at | Note |\n|:-:|---|---|---|---|\n"
_ICON = {"error": "❌", "guard": "⛔", "warning": "⚠️"}


class _Room:
    """What may still be written."""

    def __init__(self, size: int) -> None:
        self.left = size

    def takes(self, text: str) -> bool:
        """Whether the text fits; then its room is taken."""
        size = len(text.encode())
        if size <= self.left:
            self.left -= size
            return True
        return False


def to_markdown(report: Report, *, color: bool = False, width: int = 0, verbose: bool = False) -> str:  # noqa: ARG001  every renderer has this form
    """The report for GitHub: under 65,536 characters, with a true count of what did not fit."""
    room = _Room(LIMIT - _RESERVE)
    view = grouped(report, verbose=verbose)
    first, cost = headline(report), spent(report)
    head = f"## leadstate {report.command}: {first.text.removesuffix('.')}\n\n"
    room.takes(head)
    diagnostics = _diagnostics(gravest_first(view.diagnostics), room)
    sections = _sections(view, room)
    tail = [f"**{line}**" for line in remarks(report)]
    if cost:
        tail.append(f"{report.summary.unchanged:,} up to date, {report.summary.untouched:,} untouched. {cost}")
    return "".join([head, *diagnostics, *sections, *(f"{line}\n\n" for line in tail)]).rstrip() + "\n"


def _diagnostics(diagnostics: Sequence[DiagnosticGroup], room: _Room) -> Iterator[str]:
    """The gravest, then the others folded, so that they do not push the changes off the screen."""
    share, left_out = _Room(_FINDINGS_SHARE), 0
    texts = [_diagnostic(diagnostic) for diagnostic in diagnostics]
    folds = len(texts) > _UNFOLDED
    for number, text in enumerate(texts):
        if folds and number == _UNFOLDED:
            more = counted(len(texts) - _UNFOLDED, "more diagnostic")
            yield f"\n<details><summary>{more}</summary>\n\n"
        if left_out or not share.takes(text):
            left_out += 1
        else:
            room.takes(text)
            yield text
    if left_out:
        yield f"- … and {left_out:,} more.\n"
    if texts:
        yield "\n</details>\n\n" if folds else "\n"


def _diagnostic(group: DiagnosticGroup) -> str:
    first = group.first
    source = group.sources[0] if len(group.sources) == 1 else None
    place = f" {code(f'{source}:{source.column}')}" if source else ""
    named = f" {_few(group.about)}" if group.about else ""
    lines = [f"- {_ICON[first.severity]} **{first.severity}** {code(first.code)}{named}{place}"]
    names = spans(form for about in group.about[:FEW] for form in _forms(about))
    lines += [prose(clipped(first.summary, _LONGEST_LINE), names)]
    lines += [code(clipped(line, _LONGEST_LINE)) for line in first.detail.splitlines() if line.strip()]
    lines += [f"→ {prose(clipped(first.hint, _LONGEST_LINE), names)}"] if first.hint else []
    return "<br>\n  ".join(lines) + "\n"


def _sections(view: Grouped, room: _Room) -> Iterator[str]:
    """One section a block, until there is no more room; then what was left out, and what does not change."""
    changes_out, accounts_out = 0, set[str]()
    blocks = [block for block in view.blocks if block.groups]
    for block in blocks:
        section, missing = ("", block.groups) if changes_out else _section(block, view.total, room)
        yield section
        changes_out += len(missing) * len(block.accounts)
        accounts_out |= set(names(block.accounts)) if missing else set()
    if changes_out:
        yield f"**… and {counted(changes_out, 'more change')} in {counted(len(accounts_out), 'account')}.**\n\n"
    quiet = [block for block in view.blocks if not (block.groups or block.accounts[0].diagnostics)]
    if view.unchanged and not is_all(view.unchanged, view.total):
        yield f"No changes in {_where(view.unchanged, view.total)}.\n\n"
    if quiet:
        yield from _unchanged([account for block in quiet for account in block.accounts], room)
    left = [*view.untouched, *(group for block in quiet for group in block.untouched if view.total > 1)]
    known = spans(form for group in left for form in _forms(group.address or ""))
    listed = "".join(f"- {prose(line, known)}\n" for line in untouched_lines(left, view.total))
    if listed and room.takes(listed):
        yield f"{listed}\n"


def _section(block: Block, total: int, room: _Room) -> tuple[str, Sequence[ChangeGroup]]:
    """The changes of a block, as many as there is room for, and those for which there was none."""
    account, groups = block.accounts[0], block.groups
    folded = len(groups) > _FOLDED_FROM
    if len(block.accounts) == 1:
        head = f"### {_name(account.account)} {_name(account.company)}\n\n"
    else:
        head = f"### In {_where(block.accounts, total)}\n\n"
    head += f"<details><summary>{counted(len(groups), 'change')}</summary>\n\n" if folded else ""
    foot = ("\n</details>\n" if folded else "") + "\n"
    if not room.takes(head + _TABLE + foot):
        return "", groups
    rows = []
    named = [*(group.change.address for group in groups), *(left.address or "" for left in block.untouched)]
    known = spans(form for address in named for form in _forms(address))
    for group in groups:
        row = _row(account, group, known)
        if not room.takes(row):
            break
        rows.append(row)
    if not rows:
        return "", groups
    left = "".join(f"- {prose(line, known)}\n" for line in untouched_lines(block.untouched))
    after = f"{left}\n" if left and len(rows) == len(groups) and room.takes(f"{left}\n") else ""
    return "".join([head, _TABLE, *rows, foot, after]), groups[len(rows) :]


def _where(accounts: Sequence[Account], total: int) -> str:
    if len(accounts) <= FEW:
        return _few(names(accounts))
    return how_many(accounts, total) + ("" if is_all(accounts, total) else f": {_few(names(accounts))}")


def _few(named: Sequence[str]) -> str:
    more = f" and {len(named) - FEW:,} more" if len(named) > FEW else ""
    return ", ".join(map(_name, named[:FEW])) + more


def _row(account: Account, group: ChangeGroup, known: re.Pattern[str]) -> str:
    change = group.change
    place = code(where) if (where := places(group)) else ""
    said = note(change)
    if change.result:
        why = f": {prose(clipped(change.result.detail, _LONGEST_LINE), known)}" if change.result.detail else ""
        said = "<br>".join(filter(None, (said, f"**{change.result.status}**{why}")))
    name = _name(local(account, change.address))
    return f"| {code(SIGN[change.action])} | {name} | {_fields(group)} | {place} | {said} |\n"


def _fields(group: ChangeGroup) -> str:
    change = group.change
    if change.action == "delete":
        return prose(why_deleted(change), spans(_forms(change.moves_to or "")))
    lines = []
    for field in shown_fields(change):
        before = "" if change.action == "add" else f"{code(side(group.known, field, field.before))} → "
        lines.append(f"{_name(field.path)} {before}{code(side(group.known, field, field.after))}")
    return "<br>".join(lines)


def _unchanged(accounts: Sequence[Account], room: _Room) -> Iterator[str]:
    known, left_out = [], 0
    for account in accounts:
        name = _name(account.account)
        if left_out or not room.takes(f"{name}, "):
            left_out += 1
        else:
            known.append(name)
    more = [f"{left_out:,} more"] if left_out else []
    yield f"No changes in {', '.join([*known, *more])}.\n\n"


def _forms(address: str) -> Iterator[str]:
    """What an address is called in messages: as it is, within its account, and the name alone."""
    yield address
    local = address.partition("/")[2]
    yield local or address
    yield (local or address).partition(":")[2]


def _name(text: str) -> str:
    return code(clipped(visible(text), _LONGEST_NAME))
