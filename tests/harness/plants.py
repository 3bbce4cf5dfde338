"""Mistakes to plant in the sandbox, one at a time and from the outside: the sandbox itself has no switch for them.

`planted(mistake)` serves a sandbox behind an application that changes requests on their way in, or answers on their way
out. Each mistake is one that a server, or our idea of it, could well have.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadstate.sandbox import Sandbox, running
from tests.harness.outside_judges import Serve

REMAINING = b"x-daily-ratelimit-token-remaining"


@dataclass
class Exchange:
    """A request and its answer, each of which a mistake may change.

    Attributes:
        sandbox: what they are about.
        charged: tokens that were taken too many, since the start.
        method: of the request.
        path: below the version.
        query: of the request.
        body: the JSON of the request, None where there is none.
        status: of the answer; 0 before there is one. A mistake that sets it answers in place of the sandbox.
        answer: the JSON of the answer.
        headers: of the answer.

    """

    sandbox: Sandbox
    charged: list[int]
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int = 0
    answer: Any = None
    headers: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def rows(self) -> list[Any]:
        """The objects of the answer."""
        data = self.answer.get("data") if isinstance(self.answer, dict) else None
        return data if isinstance(data, list) else [data] if isinstance(data, dict) else []

    @property
    def page(self) -> dict[str, Any]:
        """The pagination of the answer."""
        found: dict[str, Any] = (self.answer.get("additional_data") or {}).get("pagination", {})
        return found

    @property
    def one_lead(self) -> str | None:
        """The id of the lead that the path names."""
        return self.path.removeprefix("/leads/") if self.path.startswith("/leads/") else None


Change = Callable[[Exchange], None]


def _nothing(_exchange: Exchange) -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Mistake:
    """What is changed on the way in, and on the way out."""

    request: Change = _nothing
    answer: Change = _nothing


def _refuse_a_colour(exchange: Exchange) -> None:
    if exchange.path.startswith("/leadLabels") and (exchange.body or {}).get("color") == "dark-gray":
        exchange.status = 400
        exchange.answer = {
            "success": False,
            "error": "color must be one of [blue, gray, green, orange, purple, red, yellow]",
            "error_info": "",
            "data": None,
            "additional_data": None,
        }


def _merge_labels(exchange: Exchange) -> None:
    if exchange.method == "PATCH" and exchange.one_lead and "label_ids" in (exchange.body or {}):
        leads = {lead.id: lead for lead in exchange.sandbox.companies[0].tables().leads}
        if exchange.one_lead in leads:
            known = [*leads[exchange.one_lead].label_ids, *exchange.body["label_ids"]]
            exchange.body["label_ids"] = list(dict.fromkeys(known))


def _begin_a_row_too_early(exchange: Exchange) -> None:
    if exchange.path == "/leads" and exchange.query.get("start", "0") not in ("", "0"):
        exchange.query["start"] = str(int(exchange.query["start"]) - 1)


def _say_the_page_that_was_asked_for(exchange: Exchange) -> None:
    if exchange.path == "/leads" and exchange.method == "GET" and exchange.page.get("start"):
        exchange.page["start"] += 1
        if "next_start" in exchange.page:
            exchange.page["next_start"] += 1


def _charge_too_much(exchange: Exchange) -> None:
    if exchange.method == "GET" and exchange.one_lead not in (None, "archived"):
        exchange.charged.append(18)
    if REMAINING in exchange.headers:
        exchange.headers[REMAINING] = str(int(exchange.headers[REMAINING]) - sum(exchange.charged)).encode()


def _answer_another_status(exchange: Exchange) -> None:
    if exchange.status == 201:
        exchange.status = 200


def _leave_out_a_field(exchange: Exchange) -> None:
    if exchange.path == "/leads" and exchange.method == "GET":
        for lead in exchange.rows:
            del lead["was_seen"]


def _say_that_nothing_follows(exchange: Exchange) -> None:
    if exchange.path == "/leads" and exchange.method == "GET" and exchange.page:
        exchange.page["more_items_in_collection"] = False


def _reset_a_field(exchange: Exchange) -> None:
    if exchange.method == "PATCH" and exchange.one_lead and "is_archived" not in (exchange.body or {"is_archived": 0}):
        exchange.body.setdefault("expected_close_date", None)


def _list_an_archived_lead(exchange: Exchange) -> None:
    if exchange.path == "/leads" and exchange.method == "GET" and exchange.status == 200:
        company = exchange.sandbox.companies[0]
        archived = [lead for lead in company.tables().leads if lead.is_archived]
        exchange.answer["data"][:0] = [company.shown(lead) for lead in archived[:1] if not exchange.page["start"]]


def _read_ids_without_hyphens(exchange: Exchange) -> None:
    if exchange.path.startswith("/leadLabels/"):
        exchange.path = "/leadLabels/" + _hyphenated(exchange.path.removeprefix("/leadLabels/"))
    if isinstance(exchange.body, dict) and isinstance(exchange.body.get("label_ids"), list):
        exchange.body["label_ids"] = [_hyphenated(label) for label in exchange.body["label_ids"]]


def _write_ids_without_hyphens(exchange: Exchange) -> None:
    for row in exchange.rows:
        if exchange.path.startswith("/leadLabels"):
            row["id"] = row["id"].replace("-", "")
        if "label_ids" in row and exchange.path.startswith("/leads"):
            row["label_ids"] = [label.replace("-", "") for label in row["label_ids"]]


def _hyphenated(label: Any) -> Any:
    try:
        return str(UUID(label))
    except (ValueError, AttributeError):
        return label


MISTAKES: Mapping[str, Mistake] = {
    "a colour is refused": Mistake(request=_refuse_a_colour),
    "label_ids are merged, not replaced": Mistake(request=_merge_labels),
    "a page begins with the last row of the one before": Mistake(
        _begin_a_row_too_early, _say_the_page_that_was_asked_for
    ),
    "reading one lead costs 20 tokens, not 2": Mistake(answer=_charge_too_much),
    "a new lead is answered with 200, not 201": Mistake(answer=_answer_another_status),
    "leads in a list lack a field": Mistake(answer=_leave_out_a_field),
    "more_items_in_collection is always false": Mistake(answer=_say_that_nothing_follows),
    "a PATCH of a lead resets its close date": Mistake(request=_reset_a_field),
    "an archived lead is in the live list": Mistake(answer=_list_an_archived_lead),
    "the ids of labels have no hyphens": Mistake(_read_ids_without_hyphens, _write_ids_without_hyphens),
}


def _ignore_filters_and_order(exchange: Exchange) -> None:
    if exchange.path in ("/leads", "/leads/archived") and exchange.method == "GET":
        for name in ("sort", "owner_id", "person_id", "organization_id", "updated_since"):
            exchange.query.pop(name, None)


def _give_to_another_owner(exchange: Exchange) -> None:
    if exchange.path == "/leads" and exchange.method == "POST" and isinstance(exchange.body, dict):
        exchange.body.setdefault("owner_id", exchange.sandbox.companies[0].users[-1].id)


def _cut_long_titles(exchange: Exchange) -> None:
    if isinstance(exchange.body, dict) and len(str(exchange.body.get("title", ""))) > 60:
        exchange.body["title"] = exchange.body["title"][:60]


UNSEEN: Mapping[str, Mistake] = {
    "lists of leads ignore every filter, and the order that is asked for": Mistake(request=_ignore_filters_and_order),
    "a lead without an owner belongs to somebody else than the token's user": Mistake(request=_give_to_another_owner),
    "a long title is cut": Mistake(request=_cut_long_titles),
}
"""Mistakes that no judge finds."""


def all_of(mistakes: Iterable[Mistake]) -> Mistake:
    """Return several mistakes as one."""
    known = list(mistakes)

    def request(exchange: Exchange) -> None:
        for mistake in known:
            mistake.request(exchange)

    def answer(exchange: Exchange) -> None:
        for mistake in known:
            mistake.answer(exchange)

    return Mistake(request, answer)


def planted(mistake: Mistake) -> Serve:
    """Return how to serve a sandbox that makes a mistake."""

    def serve(sandbox: Sandbox) -> AbstractContextManager[str]:
        return running(_Mistaken(sandbox, mistake))

    return serve


class _Mistaken:
    def __init__(self, sandbox: Sandbox, mistake: Mistake) -> None:
        self._sandbox, self._mistake, self._charged = sandbox, mistake, list[int]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = next((prefix for prefix in ("/api/v1", "/v1") if scope.get("path", "").startswith(prefix)), None)
        if scope["type"] != "http" or prefix is None:
            await self._sandbox.app(scope, receive, send)
            return
        text = await _read(receive)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        path = scope["path"].removeprefix(prefix)
        exchange = Exchange(self._sandbox, self._charged, scope["method"], path, query, _json(text))
        before = (path, dict(query), json.dumps(exchange.body))
        self._mistake.request(exchange)
        if not exchange.status:
            if before != (exchange.path, exchange.query, json.dumps(exchange.body)):
                # What no mistake touches goes on byte for byte.
                text = json.dumps(exchange.body).encode()
                changed = prefix + exchange.path
                query_string = urlencode(exchange.query).encode()
                scope = {**scope, "path": changed, "raw_path": changed.encode(), "query_string": query_string}
            await _ask(self._sandbox.app, scope, text, exchange)
        if isinstance(exchange.answer, dict):
            self._mistake.answer(exchange)
        await _tell(exchange, send)


async def _read(receive: Receive) -> bytes:
    text, more = b"", True
    while more:
        message = await receive()
        text, more = text + message.get("body", b""), message.get("more_body", False)
    return text


async def _ask(app: ASGIApp, scope: Scope, text: bytes, exchange: Exchange) -> None:
    """Let the sandbox answer."""
    parts = []

    async def receive() -> Message:
        return {"type": "http.request", "body": text, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status, exchange.headers = message["status"], dict(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    exchange.answer = _json(b"".join(parts)) or b"".join(parts)


async def _tell(exchange: Exchange, send: Send) -> None:
    text = exchange.answer if isinstance(exchange.answer, bytes) else json.dumps(exchange.answer).encode()
    fixed = {b"content-type": b"application/json", b"content-length": str(len(text)).encode()}
    headers = list({**exchange.headers, **fixed}.items())
    await send({"type": "http.response.start", "status": exchange.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
