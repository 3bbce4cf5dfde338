"""Whatever a server answers: a diagnostic or an outcome, never a traceback and never a hang."""

import copy
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadstate.model.plan import Status
from tests.faults.conftest import Counted
from tests.harness.disturbed_company import (
    LONG,
    TOKEN,
    check_nothing_twice,
    converge,
    image,
    leaks,
    plan_and_apply,
    state,
)
from tests.harness.forgery import places_of
from tests.harness.plan_cases import BOTH, CASES, LABELS, LEADS, Case

EXAMPLES = 3_000 if LONG else 250
DEEP = b"[" * 100_000
STATUSES = (*(200, 201, 202, 204, 206), *(300, 301, 302, 304, 307, 308), *(400, 401, 402, 403, 404, 405, 409, 410, 413))
MORE_STATUSES = (415, 418, 422, 423, 429, 451, 499, 500, 501, 502, 503, 504, 520, 599, 999)

WEIRD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**53, 2**64, 10**400, -(10**4000), 0.1, 1e308),
    *("", " ", "x", "\x00", "\ud800", "\u202e", "é", "12", "NaN", "../..", "%2e%2e", "?a=b#c", "a" * 10_000),
    *([], [[]], [None], {}, {"id": None}, {"id": []}, [{}] * 3, {"amount": None}, "2026-13-45"),
)
"""What a value of an answer can be in place of what it should be."""

BODIES = (
    *(
        b"",
        b" ",
        b"null",
        b"true",
        b"0",
        b"[]",
        b"{}",
        b'""',
        b"NaN",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"\x00" * 9,
        DEEP,
    ),
    *(b'{"success": true}', b'{"success": true, "data": null}', b'{"success": 1, "data": []}', b'{"success": false}'),
    *(b'{"success": true, "data": []}', b'{"success": true, "data": {}}', b'{"success": true, "data": "x"}'),
    b'{"success": true, "data": [{"id": 1e400, "name": 1e-400, "color": -0}]}',
    b'{"success": true, "data": [' + b'{"id": "1", "name": "n", "color": "c", "x":' * 90 + b"1" + b"}" * 90 + b"]}",
    b'{"success": true, "data": ' + b"9" * 5_000 + b"}",
    b'{"success": true, "data": ' + DEEP,
    b'{"success": true, "data": [], "additional_data": {"pagination": {"more_items_in_collection": true}}}',
    b'{"success": true, "data": [], "additional_data": {"more_items_in_collection": false, "limit": -1}}',
    b'{"success": false, "error": "\\ud800 \\u0007 \\u202e", "error_info": {}, "code": 1e999}',
    b'{"success": false, "error": ' + b"7" * 300 + b"}",
    b'{"error": "daily"}',
    f'{{"success": false, "error": "{TOKEN}", "error_info": "{TOKEN}", "code": "{TOKEN}"}}'.encode(),
    b"<!DOCTYPE html><html><body><h1>403</h1></body></html>",
    b'HTTP/1.1 200 OK\r\n\r\n{"success": true, "data": []}',
)

HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "location"),
            *("x-daily-ratelimit-token-remaining", "x-daily-ratelimit-token-limit", "content-type", "set-cookie"),
            *("content-encoding", "x-correlation-id", "date"),
        ]
    ),
    st.sampled_from(
        [
            *("", "0", "1", "-1", "1.5", "1e999", "nan", "inf", "9" * 400, "9" * 5_000, "٣", "²", "x", "0x1", " 7 "),
            *("http://[", "//evil.test/x", "https://evil.test\\@acme", "Wed, 21 Oct 2026 07:28:00 GMT", "99999"),
            *("gzip", "br", "identity", "text/html; charset=\x00", "a=b; Domain=.pipedrive.com", TOKEN),
        ]
    ),
    max_size=4,
)

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
SENT = (
    *(httpx.ReadTimeout, httpx.WriteTimeout),
    *(httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError, httpx.LocalProtocolError),
    *(httpx.DecodingError, httpx.UnsupportedProtocol, httpx.ProxyError, httpx.TooManyRedirects),
)


@dataclass(frozen=True)
class Answer:
    """What comes instead of the answer that is due."""

    status: int
    content: bytes
    headers: dict[str, str]

    def __call__(self, _real: httpx.Response) -> httpx.Response:
        # A server can send any bytes in a header.
        raw = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        return httpx.Response(self.status, content=self.content, headers=raw)


@dataclass(frozen=True)
class Mutation:
    """The answer that is due, with values in it changed or gone."""

    changes: tuple[tuple[int, int], ...]

    def __call__(self, real: httpx.Response) -> httpx.Response:
        body = json.loads(real.content)
        for where, what in self.changes:
            places = list(places_of(body))
            if not places:
                break
            holder, key = places[where % len(places)]
            if what < len(WEIRD):
                holder[key] = copy.deepcopy(WEIRD[what])
            elif what == len(WEIRD):
                del holder[key]
            elif isinstance(holder, list):
                holder.append(holder[key])
        return httpx.Response(real.status_code, content=json.dumps(body).encode())


@dataclass(frozen=True)
class Broken:
    """No answer."""

    error: type[httpx.HTTPError]

    def __call__(self, real: httpx.Response) -> httpx.Response:
        raise self.error(f"broken instead of {real}")


Spoilt = Answer | Mutation | Broken

ANSWERS = st.builds(
    Answer, st.sampled_from((*STATUSES, *MORE_STATUSES)), st.sampled_from(BODIES) | st.binary(max_size=40), HEADERS
)
MUTATIONS = st.builds(
    Mutation,
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, len(WEIRD) + 1)), min_size=1, max_size=4).map(tuple),
)
DONE = ANSWERS.filter(lambda answer: answer.status != httpx.codes.TOO_MANY_REQUESTS)
HEARD: st.SearchStrategy[Spoilt] = MUTATIONS | DONE | st.builds(Broken, st.sampled_from(SENT))
"""What can come of a request that was done. A 429 says that it was not: no client survives a server that lies there."""
SPOILT = HEARD | ANSWERS | st.builds(Broken, st.sampled_from(UNSENT))


@pytest.mark.parametrize("forever", [False, True], ids=["once", "from then on"])
def test_a_run_ends_with_a_report_after_any_answer(forever: bool, counted: Counted) -> None:  # noqa: FBT001
    cases = {case.name: (case, len(plan_and_apply(case.sandbox(), case.account).steps)) for case in CASES}

    @settings(max_examples=EXAMPLES)
    @given(st.sampled_from(sorted(cases)), st.integers(0, 40), SPOILT)
    @example("leads", 0, Answer(301, b"", {"location": "http://["}))
    def check(name: str, at: int, spoilt: Spoilt) -> None:
        counted("answers", 1)
        case, length = cases[name]
        k = 1 + at % length
        sandbox = case.sandbox()

        def spoil(number: int, _: httpx.Request, real: httpx.Response) -> httpx.Response:
            return spoilt(real) if number == k or (forever and number > k) else real

        run = plan_and_apply(sandbox, case.account, spoil=spoil)
        assert not leaks(run)
        assert not any(step.writes for step in run.reading)
        if not run.plan.complete:
            assert run.plan.diagnostics
            assert not any(step.writes for step in run.steps), "written on doubt"
        elif not forever or k > len(run.reading):
            assert run.applied is not None
            assert run.applied.outcomes.keys() >= (
                {change.address for change in run.plan.changes if run.plan.applyable}
            )

    check()


@pytest.mark.parametrize("case", [LABELS, BOTH, LEADS], ids=lambda case: case.name)
def test_after_any_answer_to_a_write_a_second_run_ends_as_declared(case: Case, counted: Counted) -> None:
    calm = case.sandbox()
    methods = {step.method for step in converge(calm, case.account).writing if step.writes}
    wanted = image(state(calm))

    @settings(max_examples=EXAMPLES // 3)
    @given(st.sampled_from(sorted(methods)), st.integers(1, 9), HEARD)
    def check(method: str, times: int, spoilt: Spoilt) -> None:
        counted("answers to writes", 1)
        sandbox, left = case.sandbox(), [times]

        def spoil(_: int, request: httpx.Request, real: httpx.Response) -> httpx.Response:
            if request.method != method or not left[0]:
                return real
            left[0] -= 1
            return spoilt(real)

        run = plan_and_apply(sandbox, case.account, spoil=spoil)
        assert not leaks(run)
        check_nothing_twice(state(sandbox))
        assert converge(sandbox, case.account).statuses <= {Status.APPLIED}
        assert image(state(sandbox)) == wanted

    check()
