"""A server of somebody else's: written here from the vendor's description alone, on the standard library's HTTP server.

It pages flatly, as the description says and real accounts do not; it sends no rate-limit headers; it sorts its own way.
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.harness.cli_process import Shell

TOKEN = "of-somebody-else"
LABELS, LEADS = "leadLabels", "leads"


class Handler(BaseHTTPRequestHandler):
    tables: dict[str, dict[str, dict[str, Any]]]

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, status: int, **body: Any) -> None:
        raw = json.dumps({"success": status < 400, **body}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _handle(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
        path, _, query = self.path.partition("?")
        found = re.fullmatch(r"/api/v1/(leadLabels|leads)(?:/([^/]+))?", path)
        if self.headers.get("x-api-token") != TOKEN:
            self._answer(401, error="unauthorized access")
        elif found is None:
            self._answer(404, error="no such path")
        elif found[2] == "archived":
            self._list([])
        elif "sort=" in query:
            self._answer(400, error="sort is not supported")
        else:
            self._object(self.tables[found[1]], found[1], found[2], body)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815  names that http.server looks for

    def _list(self, rows: list[dict[str, Any]]) -> None:
        self._answer(200, data=rows, additional_data={"start": 0, "limit": 500, "more_items_in_collection": False})

    def _object(self, table: dict[str, dict[str, Any]], kind: str, id_: str | None, body: dict[str, Any]) -> None:
        if self.command == "POST":
            new = (
                {"id": str(uuid.uuid4()), "label_ids": [], **body}
                if kind == LEADS
                else {"id": str(uuid.uuid4()), **body}
            )
            table[new["id"]] = new
            self._answer(201, data=new)
        elif id_ is None:
            self._list(list(table.values()))
        elif id_ not in table:
            self._answer(404, error="not found")
        elif self.command == "DELETE":
            del table[id_]
            self._answer(200, data={"id": id_})
        else:
            table[id_].update(body)
            self._answer(200, data=table[id_])


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    hot = {"id": "label-1", "name": "Hot", "color": "orange"}
    cold = {"id": "label-2", "name": "Cold", "color": "blue"}
    lead = {"id": "lead-1", "title": "Theirs", "label_ids": ["label-2"], "person_id": 1}
    tables = {LABELS: {"label-1": hot, "label-2": cold}, LEADS: {"lead-1": lead}}
    made = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"tables": tables}))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_server_that_knows_only_the_vendors_description_converges(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, {"TOKEN": TOKEN})
    shell.write(f"""\
version: 1
namespace: ns
accounts: {{main: {{url: "http://127.0.0.1:{server.server_port}", token: {{env: TOKEN}}}}}}
labels:
  - {{name: Hot, color: red}}
  - {{name: Nurture, color: blue, previously: [Cold]}}
leads:
  - {{key: a, title: A, person: 1, labels: [Hot, Nurture], value: {{amount: 12000.5, currency: EUR}}}}
""")
    done = shell("apply", "--auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    again = shell("plan", "--detailed-exitcode")
    assert again.returncode == 0, again.stdout
    tables = server.RequestHandlerClass.tables  # type: ignore[attr-defined]  # the class made above
    assert {label["id"]: label["name"] for label in tables[LABELS].values()} == {"label-1": "Hot", "label-2": "Nurture"}
    assert tables[LEADS]["lead-1"]["label_ids"] == ["label-2"]
