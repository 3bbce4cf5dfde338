"""Markdown for a pull request comment or a job summary: short enough for GitHub, and every foreign word inert in it."""

import re
from collections.abc import Iterable, Iterator

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, Diagnostic, Report
from leadstate.report.formats.wording import (
    SIGN,
    clipped,
    gravest_first,
    headline,
    local,
    note,
    remarks,
    shown_fields,
    spent,
    untouched_lines,
    value,
    why_deleted,
)

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


def to_markdown(report: Report, *, color: bool = False, width: int = 0) -> str:  # noqa: ARG001  every renderer has this form
    """The report for GitHub: under 65,536 characters, with a true count of what did not fit."""
    room = _Room(LIMIT - _RESERVE)
    first, cost = headline(report), spent(report)
    head = f"## leadstate {report.command}: {first.text.removesuffix('.')}\n\n"
    room.takes(head)
    diagnostics = _diagnostics(gravest_first(report), room)
    sections = _sections(report, room)
    tail = [f"**{line}**" for line in remarks(report)]
    if cost:
        tail.append(f"{report.summary.unchanged:,} up to date, {report.summary.untouched:,} untouched. {cost}")
    return "".join([head, *diagnostics, *sections, *(f"{line}\n\n" for line in tail)]).rstrip() + "\n"


def _diagnostics(diagnostics: Iterable[Diagnostic], room: _Room) -> Iterator[str]:
    share, left_out = _Room(_FINDINGS_SHARE), 0
    texts = [_diagnostic(diagnostic) for diagnostic in diagnostics]
    for text in texts:
        if left_out or not share.takes(text):
            left_out += 1
        else:
            room.takes(text)
            yield text
    if left_out:
        yield f"- … and {left_out:,} more.\n"
    if texts:
        yield "\n"


def _diagnostic(diagnostic: Diagnostic) -> str:
    about = diagnostic.address or diagnostic.account
    place = f" {code(f'{diagnostic.source}:{diagnostic.source.column}')}" if diagnostic.source else ""
    named = f" {_name(about)}" if about else ""
    lines = [f"- {_ICON[diagnostic.severity]} **{diagnostic.severity}** {code(diagnostic.code)}{named}{place}"]
    names = spans(_forms(about or ""))
    lines += [prose(clipped(diagnostic.summary, _LONGEST_LINE), names)]
    lines += [code(clipped(line, _LONGEST_LINE)) for line in diagnostic.detail.splitlines() if line.strip()]
    lines += [f"→ {prose(clipped(diagnostic.hint, _LONGEST_LINE), names)}"] if diagnostic.hint else []
    return "<br>\n  ".join(lines) + "\n"


def _sections(report: Report, room: _Room) -> Iterator[str]:
    """One section an account, those with changes first, until there is no more room; then what was left out."""
    changed = [account for account in report.accounts if account.changes]
    others = [account for account in report.accounts if not account.changes and not account.diagnostics]
    changes_out = accounts_out = 0
    for account in changed:
        section, missing = ("", len(account.changes)) if changes_out else _section(account, room)
        yield section
        changes_out += missing
        accounts_out += bool(missing)
    if changes_out:
        yield f"**… and {counted(changes_out, 'more change')} in {counted(accounts_out, 'account')}.**\n\n"
    if others:
        yield from _unchanged(others, room)


def _section(account: Account, room: _Room) -> tuple[str, int]:
    """An account's changes, as many as there is room for, and how many there was none for."""
    total = len(account.changes)
    folded = total > _FOLDED_FROM
    head = f"### {_name(account.account)} {_name(account.company)}\n\n"
    head += f"<details><summary>{counted(total, 'change')}</summary>\n\n" if folded else ""
    foot = ("\n</details>\n" if folded else "") + "\n"
    if not room.takes(head + _TABLE + foot):
        return "", total
    rows = []
    named = [*(change.address for change in account.changes), *(group.address or "" for group in account.untouched)]
    names = spans(form for address in named for form in _forms(address))
    for change in account.changes:
        row = _row(account, change, names)
        if not room.takes(row):
            break
        rows.append(row)
    if not rows:
        return "", total
    left = "".join(f"- {prose(line, names)}\n" for line in untouched_lines(account))
    after = f"{left}\n" if left and len(rows) == total and room.takes(f"{left}\n") else ""
    return "".join([head, _TABLE, *rows, foot, after]), total - len(rows)


def _row(account: Account, change: Change, names: re.Pattern[str]) -> str:
    place = code(str(change.source)) if change.source else ""
    said = note(change)
    if change.result:
        why = f": {prose(clipped(change.result.detail, _LONGEST_LINE), names)}" if change.result.detail else ""
        said = "<br>".join(filter(None, (said, f"**{change.result.status}**{why}")))
    name = _name(local(account, change.address))
    return f"| {code(SIGN[change.action])} | {name} | {_fields(change)} | {place} | {said} |\n"


def _fields(change: Change) -> str:
    if change.action == "delete":
        return prose(why_deleted(change), spans(_forms(change.moves_to or "")))
    lines = []
    for field in shown_fields(change):
        before = "" if change.action == "add" else f"{code(value(field.before))} → "
        lines.append(f"{_name(field.path)} {before}{code(value(field.after))}")
    return "<br>".join(lines)


def _unchanged(accounts: list[Account], room: _Room) -> Iterator[str]:
    names, left_out = [], 0
    for account in accounts:
        name = _name(account.account)
        if left_out or not room.takes(f"{name}, "):
            left_out += 1
        else:
            names.append(name)
    more = [f"{left_out:,} more"] if left_out else []
    yield f"No changes in {', '.join([*names, *more])}.\n\n"


def _forms(address: str) -> Iterator[str]:
    """What an address is called in messages: as it is, within its account, and the name alone."""
    yield address
    local = address.partition("/")[2]
    yield local or address
    yield (local or address).partition(":")[2]


def _name(text: str) -> str:
    return code(clipped(visible(text), _LONGEST_NAME))
