"""Ten mistakes are planted in the sandbox, one at a time: which judge that is not ours finds which.

docs/explanation/trust.md shows the same table, and what no judge finds.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.outside_judges import JUDGES, Objection
from tests.harness.plants import MISTAKES, UNSEEN, Mistake, all_of, planted

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "trust.md"

FOUND_BY: Mapping[str, set[str]] = {
    "a colour is refused": {"Schemathesis", "the vendor's client", "api-pipedrive-python"},
    "label_ids are merged, not replaced": {"api-pipedrive-python"},
    "a page begins with the last row of the one before": {"the vendor's client", "Airbyte", "pypipedrive-client"},
    "reading one lead costs 20 tokens, not 2": {"the vendor's costs"},
    "a new lead is answered with 200, not 201": {"Schemathesis"},
    "leads in a list lack a field": {"Schemathesis", "the vendor's client", "Airbyte", "pypipedrive-client"},
    "more_items_in_collection is always false": {"the vendor's client", "pypipedrive-client"},
    "a PATCH of a lead resets its close date": {"the vendor's client", "api-pipedrive-python"},
    "an archived lead is in the live list": {"Airbyte", "api-pipedrive-python", "pypipedrive-client"},
    "the ids of labels have no hyphens": {"Schemathesis", "Airbyte", "pypipedrive-client"},
}


def _finds(judge: str, mistake: Mistake) -> bool:
    try:
        JUDGES[judge](planted(mistake))
    except Objection:
        return True
    return False


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_judge_finds_the_mistakes_of_the_table_and_no_other(mistake: str, judge: str) -> None:
    assert _finds(judge, MISTAKES[mistake]) is (judge in FOUND_BY[mistake])


@pytest.mark.parametrize("judge", JUDGES)
def test_mistakes_that_no_judge_finds_are_known(judge: str) -> None:
    assert not _finds(judge, all_of(UNSEEN.values())), "one is found by now: move it into the table"


def test_nine_of_ten_are_found() -> None:
    assert len(MISTAKES) == 10
    assert FOUND_BY.keys() == MISTAKES.keys()
    assert sum(bool(judges) for judges in FOUND_BY.values()) >= 9


def test_the_page_shows_the_table_and_its_limits() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", text.replace("`", ""), re.MULTILINE))
    shown = {mistake: set(rows[mistake].split(", ")) for mistake in FOUND_BY}
    assert shown == FOUND_BY
    for mistake in UNSEEN:
        assert f"- {mistake}" in text
