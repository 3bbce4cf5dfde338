"""Every answer a server can give is data or a typed error; nothing else comes out."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.pipedrive.answers import Answer, read
from leadstate.pipedrive.errors import (
    ApiError,
    BadAnswer,
    Blocked,
    BudgetSpent,
    Forbidden,
    NotFound,
    RateLimited,
    Redirected,
    Rejected,
    ServerFailure,
    Unauthorized,
)
from leadstate.pipedrive.operations import GET_LEADS, UPDATE_LEAD

ERROR = {"success": False, "error": "some reason", "error_info": "more of it", "data": None}


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (401, {"success": False, "error": "unauthorized access", "errorCode": 401}, {}, Unauthorized),
        (403, ERROR, {}, Forbidden),
        (403, "<html>Attention Required!</html>", {"content-type": "text/html"}, Blocked),
        (404, ERROR, {}, NotFound),
        (400, ERROR, {}, Rejected),
        (410, ERROR, {}, Rejected),
        (429, {"success": False, "error": "request over limit"}, {"retry-after": "2"}, RateLimited),
        (429, {"success": False, "error": "daily request budget exceeded"}, {"retry-after": "3939"}, BudgetSpent),
        (429, {"success": False, "error": "no"}, {"retry-after": "3939"}, BudgetSpent),
        (429, {"success": False, "error": "no"}, {"x-daily-ratelimit-token-remaining": "0"}, BudgetSpent),
        (429, {"error": "Daily request budget exceeded"}, {}, BudgetSpent),
        (429, {"success": False}, {"retry-after": "60"}, RateLimited),
        (429, {"success": False}, {"retry-after": "61"}, BudgetSpent),
        (429, "", {}, RateLimited),
        (500, "oops", {}, ServerFailure),
        (503, ERROR, {}, ServerFailure),
        (302, "", {"location": "https://elsewhere.test/x"}, Redirected),
        (200, "<html>hello</html>", {}, BadAnswer),
        (200, {"success": False}, {}, BadAnswer),
        (200, {"success": True}, {}, BadAnswer),
        (200, {"data": []}, {}, BadAnswer),
        (200, {"success": 1, "data": []}, {}, BadAnswer),
        (200, {"success": None, "data": []}, {}, BadAnswer),
        (200, [1], {}, BadAnswer),
        (200, '{"success": true, "data": NaN}', {}, BadAnswer),
        (200, "[" * 100_000, {}, BadAnswer),
        (204, "", {}, BadAnswer),
    ],
)
def test_a_failed_answer_becomes_a_typed_error(
    status: int, body: Any, headers: dict[str, str], kind: type[ApiError]
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(ApiError) as caught:
        read(GET_LEADS, httpx.Response(status, text=text, headers=headers))
    assert type(caught.value) is kind
    assert str(caught.value).startswith("getLeads: ")


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (403, "feature_capping_deals_limit", "archive or delete open leads or deals"),
        (403, "other", "use the token of a user who may do it"),
        (403, None, "use the token of a user who may do it"),
        (402, None, "correct what Pipedrive objects to"),
    ],
)
def test_a_refusal_says_how_to_fix_it(status: int, code: str | None, hint: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(GET_LEADS, httpx.Response(status, json={**ERROR, "code": code}))
    assert caught.value.hint.startswith(hint)


def test_an_error_message_holds_only_the_helpful_parts() -> None:
    reply = httpx.Response(400, json=ERROR, headers={"x-correlation-id": "abc-1"})
    with pytest.raises(Rejected, match=r"getLeads: 400, some reason, more of it, correlation id abc-1"):
        read(GET_LEADS, reply)


def test_amounts_keep_every_digit() -> None:
    reply = httpx.Response(200, text='{"success": true, "data": {"amount": 12000.10}}')
    assert read(GET_LEADS, reply).data == {"amount": Decimal("12000.10")}


@pytest.mark.parametrize(
    ("status", "body", "headers", "message"),
    [
        (400, '{"error": "", "error_info": "more", "code": "ERR_1"}', {}, "400, more, ERR_1"),
        (400, '{"error": "same", "error_info": "same"}', {}, "400, same"),
        (400, '{"error": {"a": 1}}', {}, "400"),
        (400, r'{"error": "\ud800 \u0000 \u202e"}', {}, "400, \ufffd \x00 \u202e"),
        (400, json.dumps({"error": "x" * 999}), {}, "400, " + "x" * 300),
        (500, "oops", {"x-correlation-id": "y" * 999}, "500, correlation id " + "y" * 300),
        (500, "oops", {"x-correlation-id": "a; b (c), d"}, "500, correlation id abcd"),
        (500, "oops", {"x-correlation-id": " ;"}, "500"),
        (200, "{}", {}, "200 without the data it should hold"),
        (302, "", {"location": "https://elsewhere.test/x"}, "redirected to elsewhere.test, not followed"),
        (304, "", {}, "redirected, not followed"),
        (103, "", {"location": "https://elsewhere.test/x"}, "redirected, not followed"),
        (403, "<html>", {}, "403 without a JSON body: the vendor's shield blocks this client"),
        (429, "{}", {}, "429"),
        (429, "{}", {"retry-after": " 2 "}, "429; come back in 2 s"),
        (429, "{}", {"retry-after": "61"}, "daily budget spent, resets in 2 min (429)"),
        (429, "{}", {"retry-after": "3939"}, "daily budget spent, resets in 1 h 6 min (429)"),
        (429, '{"error": "daily"}', {"retry-after": "59"}, "daily budget spent, resets in 59 s (429, daily)"),
        (429, '{"error": "daily"}', {"retry-after": "60"}, "daily budget spent, resets in 1 min (429, daily)"),
        (429, '{"error": "daily"}', {}, "daily budget spent (429, daily)"),
    ],
)
def test_messages_of_each_error(status: int, body: str, headers: dict[str, str], message: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(GET_LEADS, httpx.Response(status, text=body, headers=headers))
    assert str(caught.value) == f"getLeads: {message}"
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("999999999", 999999999.0),
        ("9999999999", None),
        ("1.5", None),
        ("-1", None),
        ("\u00b2", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_whole_seconds_or_ignored(text: str, seconds: float | None) -> None:
    with pytest.raises(ApiError) as caught:
        read(GET_LEADS, httpx.Response(429, headers={b"retry-after": text.encode()}))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\ud83d", "\ufffd"),
        (r"\uDE00!", "\ufffd!"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\uD83D\uDE00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud83d", r"\ud83d"),
        (r"\u00e9\ud83d\n", "\u00e9\ufffd\n"),
    ],
)
def test_a_lone_surrogate_is_replaced(escaped: str, text: str) -> None:
    reply = httpx.Response(200, text=f'{{"success": true, "data": "{escaped}"}}')
    assert read(GET_LEADS, reply).data == text


def _listing(**additional: Any) -> Answer:
    return read(GET_LEADS, httpx.Response(200, json={"success": True, "data": [], "additional_data": additional}))


def test_pagination_is_read_nested_and_flat() -> None:
    page = {"start": 0, "limit": 500, "more_items_in_collection": True}
    assert _listing(pagination=page).page() == (500, True)
    assert _listing(**page).page() == (500, True)


@pytest.mark.parametrize("additional", [{}, {"pagination": {}}, {"pagination": {"more_items_in_collection": "yes"}}])
def test_a_list_without_pagination_is_an_error(additional: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer) as caught:
        _listing(**additional).page()
    assert str(caught.value) == "getLeads: answered a list without saying whether more follows"


@pytest.mark.parametrize("limit", [None, "500", True, 1.5])
def test_an_invalid_page_size_is_ignored(limit: object) -> None:
    assert _listing(limit=limit, more_items_in_collection=False).page() == (None, False)


@pytest.mark.parametrize(("found", "cursor"), [("abc", "abc"), ("", None), (None, None), (5, None), ({"a": 1}, None)])
def test_only_a_text_is_a_cursor(found: object, cursor: str | None) -> None:
    assert _listing(next_cursor=found).cursor() == cursor


def test_unknown_parts_of_an_answer_are_ignored() -> None:
    body = {"success": True, "data": {}, "additional_data": ["no", "object"]}
    answer = read(GET_LEADS, httpx.Response(200, json=body))
    assert answer.additional == {}
    with pytest.raises(BadAnswer) as caught:
        answer.rows()
    assert str(caught.value) == "getLeads: answered no list"


@given(
    st.integers(200, 599),
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode),
    st.dictionaries(
        st.sampled_from(["retry-after", "location", "x-correlation-id", "x-daily-ratelimit-token-remaining"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    ),
)
def test_any_answer_is_data_or_an_api_error(status: int, body: bytes, headers: dict[str, str]) -> None:
    try:
        answer = read(UPDATE_LEAD, httpx.Response(status, content=body, headers=headers))
    except ApiError:
        return
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("location", ["http://a:b/", "https://xn--/"])
def test_an_invalid_redirect_location_is_not_shown(location: str) -> None:
    with pytest.raises(Redirected, match="redirected, not followed"):
        read(GET_LEADS, httpx.Response(302, headers={"location": location}))
