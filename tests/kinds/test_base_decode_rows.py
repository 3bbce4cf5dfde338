"""A malformed row is described in plain words that repeat nothing of it."""

from typing import Any

import pytest

from leadstate.kinds.base import decode_rows, raising_bad_answer
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.pipedrive.errors import BadAnswer
from leadstate.pipedrive.operations import GET_LABELS, GET_LEADS

LEAD_ROW = {"id": "x", "title": "T"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "x"}, "`title` is missing"),
        ({"id": "x", "title": []}, "`title` is not text"),
        ({**LEAD_ROW, "owner_id": "secret"}, "`owner_id` is not a whole number"),
        ({**LEAD_ROW, "label_ids": "secret"}, "`label_ids` is not a list"),
        ({**LEAD_ROW, "label_ids": ["a", {}]}, "`label_ids.1` is not text"),
        ({**LEAD_ROW, "is_archived": "secret"}, "`is_archived` is not true or false"),
        ({**LEAD_ROW, "value": 7}, "`value` is not an object"),
        ({**LEAD_ROW, "value": {"amount": "secret", "currency": "EUR"}}, "`value.amount` is not a number"),
        ({**LEAD_ROW, "value": {"amount": "1e99", "currency": ["EUR"]}}, "`value.currency` is not text"),
        (7, "it is not an object"),
        (None, "it is not an object"),
    ],
)
def test_a_malformed_lead_is_described_by_its_field(row: Any, words: str) -> None:
    with pytest.raises(BadAnswer) as failure:
        list(decode_rows(LEAD, GET_LEADS, [LEAD_ROW, row]))
    assert str(failure.value).startswith("getLeads: answered a malformed lead: ")
    assert str(failure.value).endswith(words)


def test_a_malformed_label_is_described_by_its_field() -> None:
    with pytest.raises(BadAnswer, match=r"^getLeadLabels: answered a malformed label: `id` is not valid$"):
        list(decode_rows(LABEL, GET_LABELS, [{"id": "", "name": "Hot", "color": "red"}]))


@pytest.mark.parametrize("failure", [ValueError("secret"), OverflowError("secret"), RecursionError("secret")])
def test_an_error_of_no_field_is_a_value_out_of_range(failure: Exception) -> None:
    with pytest.raises(BadAnswer) as raised, raising_bad_answer(LEAD, GET_LEADS):
        raise failure
    assert str(raised.value) == "getLeads: answered a malformed lead: a value in it is out of range"
