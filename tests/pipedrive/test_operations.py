"""Requests as data: what their paths are made of."""

import pytest

from leadstate.pipedrive.operations import GET_LABELS, UPDATE_LEAD, Request


def test_the_path_holds_the_id() -> None:
    assert Request(UPDATE_LEAD, "6f1a-22").path == "/leads/6f1a-22"
    assert Request(UPDATE_LEAD).path == "/leads/{id}"
    assert Request(GET_LABELS).path == "/leadLabels"


@pytest.mark.parametrize("remote_id", ["../users/me", "..", "a/b", "a?b=c", "a#b", "%2e%2e", "a b", "é", "{id}"])
def test_any_id_is_one_quoted_path_segment(remote_id: str) -> None:
    path = Request(UPDATE_LEAD, remote_id).path
    assert path.count("/") == 2
    assert not set(path.removeprefix("/leads/")) & set("/?# {}.")
