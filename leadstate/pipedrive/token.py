"""Tokens that hide themselves."""

from typing import NoReturn


class Token:
    """A secret that no repr, format, pickle or log shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The token itself; for the header of a request and nothing else."""
        return self._value

    def scrub(self, text: str) -> str:
        """The text without the token."""
        return text.replace(self._value, "***") if self._value else text

    def __repr__(self) -> str:
        return "Token(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")
