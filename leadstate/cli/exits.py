"""Exit codes, the same in every output format (spec section 5)."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit code of a command."""

    FINE = 0
    ERROR = 1
    CHANGES = 2
    REFUSED = 3
    IN_PART = 4
    USAGE = 64
    INTERRUPTED = 130
