"""A third kind, lost reasons, without a change elsewhere. As a program, this file takes it through every command."""

import importlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from pydantic import Field

from leadstate.kinds import register
from leadstate.kinds.named import NamedOverride, NamedSpec, WireNamed, named_kind
from leadstate.pipedrive.operations import Operation
from tests.harness.cli_process import python

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


def take_through_every_command(url: str) -> None:
    """Run the commands in this process and this folder, once the kind is registered."""
    models = (ReasonSpec, ReasonOverride, WireReason)
    about = ("lost_reason", "lost_reasons", "Why deals are lost.")
    register(named_kind(*about, models, OPERATIONS, columns=("name", "team", "id")))
    # The models of the configuration are made of the kinds that are there by then.
    invoke = importlib.import_module("tests.harness.cli_in_process").invoke
    runtime = importlib.import_module("leadstate.api.session").Runtime(environ={"TOKEN": "t" * 40})
    file = Path("leadstate.yaml")

    def leadstate(*words: str, code: int = 0) -> Any:
        ended, out, err = invoke(runtime, *words)
        assert ended == code, f"{words}\n{out}{err}"
        return out

    def declare(prune: str = "none", team: str = "service") -> None:
        file.write_text(FILE.format(url=url, prune=prune, team=team))

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
    assert "# of sales\n  - {name: No answer, team: sales, previously" in file.read_text()
    assert "- {name: Odd, team: sales}" in file.read_text()
    assert "No changes" in leadstate("plan", "--detailed-exitcode")
    leadstate("lock")
    assert f'"lost_reason:Odd": "{odd}"' in Path("leadstate.lock.json").read_text()
    declare(prune="locked", team="sales")
    leadstate("apply", "--auto-approve")
    assert odd not in Stub.reasons
    leadstate("restore", "--auto-approve")
    assert "Odd" in leadstate("get", "lost_reasons")


def main() -> None:
    Stub.reasons = {(known := str(uuid4())): {"id": known, "name": "Silent", "team": "sales"}}
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        take_through_every_command(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_third_kind_works_in_every_command(tmp_path: Path) -> None:
    """Kinds are registered for a whole process, so this takes one of its own."""
    environ = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = python(__file__, cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    main()
