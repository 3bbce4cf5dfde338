"""How each value is written: in quotes only where needed, and escaped where it cannot be seen."""

from decimal import Decimal

import pytest

from leadstate.edit.spelling import UnwritableError, spell


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (Decimal("1E+2"), "100"),
        (Decimal("1.50"), "1.50"),
        # Within brackets a dash may begin a plain text; a question mark and a colon may not.
        ("-5%", "-5%"),
        ("- a", '"- a"'),
        ("\xa0", '"\xa0"'),
        ("a\u3000", '"a\u3000"'),
        ("?a", '"?a"'),
        ("a?", "a?"),
        ("-", '"-"'),
        ("a:", '"a:"'),
        ("aX", "aX"),
    ],
)
def test_a_value_in_brackets_is_quoted_if_needed(value: object, expected: str) -> None:
    assert spell(value) == expected


@pytest.mark.parametrize("text", [":a", "?a", "a?", "-a"])
def test_an_indicator_outside_brackets_needs_no_quotes_before_a_letter(text: str) -> None:
    assert spell(text, flow=False) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u200bb", '"a\\u200bb"'),
        ("a\x85b", '"a\\x85b"'),
        ("\ufeffa", '"\\ufeffa"'),
        ("a\U000e0001", '"a\\U000e0001"'),
    ],
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_an_invisible_character_is_escaped(text: str, expected: str, quote: str) -> None:
    assert spell(text, quote=quote) == expected


def test_the_joiner_within_an_emoji_is_not_escaped() -> None:
    text = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"
    assert spell(text) == text


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(UnwritableError, match=r"^Decimal\('NaN'\) cannot be written into a YAML file$"):
        spell(Decimal("NaN"))
