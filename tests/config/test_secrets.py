import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from leadstate.config.configuration import SecretSource, SourceKind
from leadstate.config.secrets import read_token
from leadstate.model.address import Span
from leadstate.model.diagnostics import SecretError, diagnostic_of

HERE = Path()
VALUE = "t0ken-Value"


def env(name: str) -> SecretSource:
    return SecretSource("env", (name,), HERE)


def file(path: str, folder: Path) -> SecretSource:
    return SecretSource("file", (path,), folder)


def failure(source: SecretSource, environ: Mapping[str, str] | None = None) -> SecretError:
    with pytest.raises(SecretError) as caught:
        read_token(source, environ=environ or {})
    assert caught.value.hint
    assert caught.value.__cause__ is None
    assert VALUE not in str(caught.value) + caught.value.hint
    return caught.value


def test_token_is_read_from_an_environment_variable() -> None:
    token = read_token(env("T"), environ={"T": f" {VALUE}\n"})
    assert token.reveal() == VALUE
    assert VALUE not in f"{token} {token!r}"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "is not set"),
        ({"T": ""}, "is empty"),
        ({"T": " \n"}, "is empty"),
        ({"T": f"{VALUE} {VALUE}"}, "spaces"),
        ({"T": f"{VALUE}\nX-Evil: 1"}, "line breaks"),
        ({"T": f"{VALUE}é"}, "other characters"),
        ({"T": f"{VALUE}\x00"}, "other characters"),
        ({"T": VALUE * 1000}, "more than a token"),
    ],
)
def test_unusable_environment_variable_is_named(environ: dict[str, str], said: str) -> None:
    assert said in str(failure(env("T"), environ))


def test_token_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(VALUE + "\r\n")
    assert read_token(file("t", tmp_path), environ={}).reveal() == VALUE
    assert read_token(file(str(tmp_path / "t"), HERE), environ={}).reveal() == VALUE


def test_unusable_token_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in str(failure(file("none", tmp_path)))
    assert "directory" in str(failure(file(".", tmp_path)))
    assert "path cannot be used" in str(failure(file("a\0b", tmp_path)))
    (tmp_path / "empty").write_text("\n")
    assert "empty" in str(failure(file("empty", tmp_path)))
    (tmp_path / "large").write_text(VALUE * 100_000)
    assert "more than a token" in str(failure(file("large", tmp_path)))
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + VALUE.encode())
    assert "other characters" in str(failure(file("binary", tmp_path)))


def command(program: str, folder: Path = HERE) -> SecretSource:
    return SecretSource("command", (sys.executable, "-c", program), folder)


def test_token_is_read_from_a_command(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(VALUE)
    token = read_token(
        command("import os; print(open('t').read(), end=os.environ['END'])", tmp_path), environ={"END": "\n"}
    )
    assert token.reveal() == VALUE


def test_failing_command_is_named_without_its_output() -> None:
    program = f"import sys; print('{VALUE}'); print('no luck with {VALUE}\\x1b[0m', file=sys.stderr); sys.exit(3)"
    said = str(failure(command(program)))
    assert "exit code 3" in said
    assert "no luck with ***\\x1b[0m" in said


def test_error_of_a_command_is_scrubbed_in_any_case() -> None:
    said = "os.environ['A_SECRET'].swapcase(), os.environ['SHORT_KEY']"
    program = f"import os, sys; print({said}, file=sys.stderr); sys.exit(3)"
    with pytest.raises(SecretError) as caught:
        read_token(command(program), environ={"A_SECRET": "gIven-To-it", "SHORT_KEY": "us"})
    assert str(caught.value).endswith("exit code 3: *** us")


def test_command_that_prints_nothing_is_an_error() -> None:
    assert "empty" in str(failure(command("")))


def test_missing_command_is_an_error() -> None:
    error = failure(SecretSource("command", ("no-such-program-here", VALUE), HERE))
    assert "cannot be started" in str(error)
    assert "no shell" in error.hint


@pytest.mark.parametrize("kind", ["env", "file", "command", "keyring"])
def test_no_message_holds_a_token_that_stands_in_the_place_of_a_name(
    kind: SourceKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    literal = "0123456789abcdef" * 2 + "01234567"
    error = failure(SecretSource(kind, (literal, literal), HERE))
    assert "***" in str(error)
    assert literal not in str(error) + error.hint


def test_command_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: Sequence[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(list(command), timeout, output=VALUE.encode())

    monkeypatch.setattr(subprocess, "run", run)
    assert "30 seconds" in str(failure(command("")))


ENTRY = SecretSource("keyring", ("leadstate", "emea user"), HERE)


@pytest.fixture(name="keep")
def _keep(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the library's keyring hold this for `leadstate` and `emea user`, or raise that."""
    library = pytest.importorskip("keyring")

    def keep(what: str | Exception | None) -> None:
        def get_password(service: str, user: str) -> str | None:
            assert (service, user) == ("leadstate", "emea user")
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr(library, "get_password", get_password)

    return keep


def test_token_is_read_from_the_keyring(keep: Callable[..., None]) -> None:
    keep(VALUE)
    assert read_token(ENTRY, environ={}).reveal() == VALUE


def test_missing_keyring_entry_is_an_error(keep: Callable[..., None]) -> None:
    keep(None)
    error = failure(ENTRY)
    assert "does not exist" in str(error)
    assert error.hint.endswith("keyring set leadstate 'emea user'")


@pytest.mark.parametrize(
    ("raised", "said", "hint"),
    [
        ("KeyringLocked", "KeyringLocked", "unlock it"),
        ("NoKeyringError", "NoKeyringError", "another token source"),
        ("InitError", "InitError", "keyring get"),
    ],
)
def test_locked_or_missing_keyring_is_an_error(keep: Callable[..., None], raised: str, said: str, hint: str) -> None:
    from keyring import errors

    keep(getattr(errors, raised)(f"no luck with {VALUE}"))
    error = failure(ENTRY)
    assert said in str(error)
    assert hint in error.hint


def test_unknown_exception_of_a_keyring_is_an_error(keep: Callable[..., None]) -> None:
    keep(RuntimeError(VALUE))
    assert "RuntimeError" in str(failure(ENTRY))


def test_missing_keyring_library_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    error = failure(ENTRY)
    assert "not installed" in str(error)
    assert "leadstate[keyring]" in error.hint


def test_secret_error_has_the_place_of_its_source() -> None:
    place = Span("leadstate.yaml", 7, 9)
    assert diagnostic_of(failure(SecretSource("env", ("T",), HERE, place)), "emea").span == place
