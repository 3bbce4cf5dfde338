"""A rich console that writes what it is given and nothing more: no markup, no emoji codes, no guessing at styles."""

import io
from collections.abc import Callable

from rich.console import Console


def drawn(draw: Callable[[Console], None], *, color: bool, width: int) -> str:
    """What `draw` prints, without white space at line ends.

    Args:
        draw: prints to the console it is given.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
    """
    out = io.StringIO()
    draw(
        Console(
            file=out,
            width=width,
            force_terminal=color,
            no_color=not color,
            color_system="standard" if color else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
    )
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())
