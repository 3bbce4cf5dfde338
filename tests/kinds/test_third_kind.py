"""A third kind, lost reasons, without a change elsewhere. Run as a program, this file is `leadstate` with that kind."""

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest
from pydantic import Field

from leadstate.kinds import register
from leadstate.kinds.named import NamedOverride, NamedSpec, WireNamed, named_kind
from leadstate.pipedrive.operations import Operation

FILE = """\
version: 1
accounts: {{a: {{url: "{url}", token: {{env: TOKEN}}, vars: {{x: Price}}}}}}
policy: {{prune: {{lost_reasons: {prune}}}}}
lost_reasons:
  - {{name: "${{x}} too high", team: sales}}   # of sales
  - {{name: No answer, team: {team}, previously: [Silent]}}
"""


class ReasonOverride(NamedOverride):
    team: str | None = None


class ReasonSpec(NamedSpec):
    team: Annotated[str, Field(max_length=20)]
    overrides: dict[str, ReasonOverride] = Field(default_factory=dict)


class WireReason(WireNamed):
    team: str


OPERATIONS = (
    Operation("getLostReasons", "GET", "/lostReasons", 10),
    Operation("addLostReason", "POST", "/lostReasons", 10),
    Operation("updateLostReason", "PATCH", "/lostReasons/{id}", 10),
    Operation("deleteLostReason", "DELETE", "/lostReasons/{id}", 6),
)


def main() -> None:
    models = (ReasonSpec, ReasonOverride, WireReason)
    about = ("lost_reason", "lost_reasons", "Why deals are lost.")
    register(named_kind(*about, models, OPERATIONS, columns=("name", "team", "id")))
    # The models of the configuration are made of the kinds that are there by then.
    importlib.import_module("leadstate.cli.main").run()


class Stub(BaseHTTPRequestHandler):
    reasons: dict[str, dict[str, Any]]
    lost = False

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")
        known = str(uuid4()) if self.command == "POST" else self.path.rpartition("/")[2]
        if body:
            self.reasons[known] = {**self.reasons.get(known, {}), **body, "id": known}
        if self.command == "POST" and not Stub.lost:
            Stub.lost = True
            return  # the connection ends without an answer
        gone = self.reasons.pop(known) if self.command == "DELETE" else None
        rows = list(self.reasons.values()) if "lostReasons" in self.path else []
        answer = json.dumps({"success": True, "data": gone or self.reasons.get(known) or rows}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  names of http.server
    log_message = lambda *_: None  # noqa: E731  it says nothing


@pytest.fixture
def url() -> Iterator[str]:
    Stub.reasons = {(known := str(uuid4())): {"id": known, "name": "Silent", "team": "sales"}}
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_third_kind_goes_every_way(url: str, tmp_path: Path) -> None:
    def leadstate(*words: str, code: int = 0) -> str:
        environ = {**os.environ, "TOKEN": "t" * 40, "HOME": str(tmp_path)}
        program = [sys.executable, __file__, *words]
        done = subprocess.run(program, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
        return done.stdout

    def declare(prune: str = "none", team: str = "service") -> None:
        Path(tmp_path, "leadstate.yaml").write_text(FILE.format(url=url, prune=prune, team=team))

    declare(team="[]")
    leadstate("validate", code=1)
    declare()
    assert "+ lost_reason:Price too high" in leadstate("plan", "--out", "plan.json")
    for form in ("text", "json", "markdown", "html", "github", "sarif"):
        assert ("Silent" in leadstate("show", "plan.json", "--format", form)) is (form != "sarif"), form
    leadstate("apply", "plan.json", "--lock", "--auto-approve")
    assert sorted(reason["name"] for reason in Stub.reasons.values()) == ["No answer", "Price too high"]
    next(reason for reason in Stub.reasons.values() if reason["name"] == "No answer")["team"] = "sales"
    odd = str(uuid4())
    Stub.reasons[odd] = {"id": odd, "name": "Odd", "team": "sales"}
    leadstate("pull", "--auto-approve")
    leadstate("import", "--auto-approve")
    text = Path(tmp_path, "leadstate.yaml").read_text()
    assert "# of sales\n  - {name: No answer, team: sales, previously" in text
    assert "- {name: Odd, team: sales}" in text
    assert "No changes" in leadstate("plan", "--detailed-exitcode")
    leadstate("lock")
    assert f'"lost_reason:Odd": "{odd}"' in Path(tmp_path, "leadstate.lock.json").read_text()
    declare(prune="locked", team="sales")
    leadstate("apply", "--auto-approve")
    assert odd not in Stub.reasons
    leadstate("restore", str(max(Path(tmp_path, ".leadstate", "receipts").iterdir())), "--auto-approve")
    assert "Odd" in leadstate("get", "lost_reasons")


if __name__ == "__main__":
    main()
