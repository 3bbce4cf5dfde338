"""The sandbox on a real loopback port."""

import ast
import errno
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from leadstate import sandbox as package
from leadstate.sandbox import PortError, running, serve
from tests.harness.cli_process import serving
from tests.harness.sandbox_driver import TOKEN, World

PACKAGE = Path(package.__file__).parent


def test_a_client_is_served_over_a_port() -> None:
    world = World()
    with running(world.sandbox.app) as url:
        assert url.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=f"{url}/api/v1", headers={"x-api-token": TOKEN}) as client:
            created = client.post("/leads", json={"title": "Über", "person_id": 1}).json()["data"]
            assert client.get(f"/leads/{created['id']}").json()["data"] == created
            assert client.get("/leadLabels").headers["x-leadstate-sandbox"] == "1"
    assert world.listed() == ["Über"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_client_that_leaves_in_the_middle_of_a_request_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    world = World()
    head = f"POST /api/v1/leads HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-token: {TOKEN}\r\nContent-Length: 50\r\n\r\n"
    with running(world.sandbox.app) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(head.encode())
        httpx.get(f"{url}/api/v1/leads", headers={"x-api-token": TOKEN}).raise_for_status()
    assert capfd.readouterr().err == ""
    assert world.listed() == []


def test_two_servers_run_side_by_side_and_stop_on_an_error() -> None:
    left, right = World(), World()
    urls: list[str] = []

    def use() -> None:
        with running(left.sandbox.app) as first, running(right.sandbox.app) as second:
            urls.extend((first, second))
            raise KeyError

    with pytest.raises(KeyError):
        use()
    assert urls[0] != urls[1]
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])  # noqa: S104 (refused)
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        serve(World().sandbox.app, host, 0)
    with pytest.raises(ValueError, match="loopback only"), running(World().sandbox.app, host):
        pass


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8765", 200),
        ("127.0.0.1", 200),
        ("127.8.8.8:1", 200),
        ("[::1]:8765", 200),
        ("evil.test", 421),
        ("127.0.0.1.evil.test", 421),
        ("localhost.evil.test:80", 421),
        ("192.0.2.1", 421),
        ("", 421),
        ("[", 421),
        ("user@evil.test", 421),
    ],
)
def test_only_requests_for_loopback_are_answered(host: str, status: int) -> None:
    with running(World().sandbox.app) as url:
        answer = httpx.get(f"{url}/api/v1/leadLabels", headers={"x-api-token": TOKEN, "host": host})
    assert answer.status_code == status
    assert ("Hot" in answer.text) is (status == 200)


def test_a_taken_port_is_an_os_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"^port {port} is taken$"):
            serve(World().sandbox.app, "127.0.0.1", port)


def test_a_port_that_cannot_be_had_is_an_error_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(PortError, match=r"^port 80 cannot be used: Permission denied$"):
        serve(World().sandbox.app, "127.0.0.1", 80)


def test_small_answers_are_sent_without_delay() -> None:
    from leadstate.sandbox.server import _bound

    with _bound("localhost", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP, "asyncio sets TCP_NODELAY only on such sockets"


SERVE = """
from leadstate.sandbox import Sandbox, serve
serve(Sandbox("fresh").app, "localhost", 0, ready=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


def test_ctrl_c_ends_a_blocking_server_quietly() -> None:
    with serving("-c", SERVE) as (process, url):
        assert httpx.get(f"{url}/").json()["is_pipedrive"] is False
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("stopped\n", "", 0)


WITHOUT_STARLETTE = """
import sys
sys.modules["starlette"] = None
try:
    import leadstate.sandbox
except ImportError as error:
    print(error.name, error)
"""


def test_a_missing_starlette_is_an_error_that_names_the_extra() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_STARLETTE], cwd=PACKAGE.parents[1], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "starlette the sandbox needs starlette: install leadstate with its extra, leadstate[sandbox]\n"


def test_the_sandbox_imports_nothing_else_of_leadstate() -> None:
    allowed = sys.stdlib_module_names | {"starlette", "uvicorn"}
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                own = name.startswith("leadstate.sandbox")
                assert own or name.partition(".")[0] in allowed, f"{file.name} imports {name}"
