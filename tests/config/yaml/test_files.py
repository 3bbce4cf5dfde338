"""Which files are read: regular ones, of the repository that names them. Nothing else is waited for or quoted."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from leadstate.api.configuration import load
from leadstate.config.configuration import SecretSource
from leadstate.config.lockfile import LockError, read_lock
from leadstate.config.secrets import read_token
from leadstate.config.yaml.files import folder_link_outwards, link_outwards, read_bounded, repository_of
from leadstate.model.diagnostics import ConfigurationError, Diagnostic, SecretError

GOOD = "version: 1\naccounts: {a: {domain: a, token: {env: T}}}\n"
TABLE = GOOD + "namespace: ns\nleads_from: %s\n"
SECRET = "machine api.example.com password hunter22\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository, and a file outside of it that holds a secret."""
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "conf").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secrets.yaml").write_text(SECRET, encoding="utf-8")
    return root


def errors(*paths: Path) -> list[Diagnostic]:
    with pytest.raises(ConfigurationError) as caught:
        load(paths)
    found = list(caught.value.diagnostics)
    assert all(diagnostic.hint for diagnostic in found)
    assert "hunter22" not in str(found)
    return found


def table_errors(repository: Path, named: str) -> list[str]:
    path = repository / "conf" / "leadstate.yaml"
    path.write_text(TABLE % named, encoding="utf-8")
    found = errors(path)
    assert all(
        diagnostic.span and diagnostic.span.file == str(path) and diagnostic.span.line == 4 for diagnostic in found
    ), found
    return [diagnostic.code for diagnostic in found]


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(path))


IRREGULAR: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "socket": make_socket,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("make", IRREGULAR.values(), ids=IRREGULAR.keys())
def test_irregular_file_is_refused_at_once(make: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "file"
    make(path)
    with pytest.raises(OSError, match="not a regular file"):
        read_bounded(path, 100)


def test_a_file_whose_name_is_not_utf_8_is_refused_and_can_be_reported(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xfcr.yaml"))
    path.write_text("version: 1\n")
    with pytest.raises(ConfigurationError) as caught:
        load([path])
    (told,) = caught.value.diagnostics
    assert (told.code, told.summary) == ("file-unreadable", "the name of the file is not UTF-8")
    assert str(told.span).encode().endswith("f\N{REPLACEMENT CHARACTER}r.yaml:1:1".encode())


def test_a_file_is_read_up_to_a_byte_more_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert [read_bounded(path, limit) for limit in (3, 4, 5, 6)] == [b"1234", b"12345", b"12345", b"12345"]


def test_csv_file_is_below_the_repository(repository: Path) -> None:
    (repository / "seeds.csv").write_text("key,title,person\na,A,1\n", encoding="utf-8")
    (repository / "conf" / "link.csv").symlink_to("../seeds.csv")
    path = repository / "conf" / "leadstate.yaml"
    for named in ("../seeds.csv", "link.csv", str(repository / "seeds.csv")):
        path.write_text(TABLE % named, encoding="utf-8")
        assert len(load([path]).accounts[0].account.desired) == 1


def test_csv_file_elsewhere_is_not_read(repository: Path) -> None:
    (repository / "conf" / "link.csv").symlink_to(repository.parent / "outside" / "secrets.yaml")
    (repository / "conf" / "folder").symlink_to(repository.parent / "outside")
    os.mkfifo(repository / "conf" / "fifo.csv")
    assert table_errors(repository, "/proc/self/environ") == ["file-outside"]
    assert table_errors(repository, "../../outside/secrets.yaml") == ["file-outside"]
    assert table_errors(repository, "../../outside/missing") == ["file-outside"]
    assert table_errors(repository, "link.csv") == ["file-outside"]
    assert table_errors(repository, "folder/secrets.yaml") == ["file-outside"]
    assert table_errors(repository, "/dev/stdin") == ["file-outside"]
    assert table_errors(repository, "fifo.csv") == ["file-unreadable"]


def test_csv_file_is_below_the_folder_without_a_repository(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "seeds.csv").write_text(SECRET, encoding="utf-8")
    assert table_errors(tmp_path, "../seeds.csv") == ["file-outside"]


def test_a_configuration_that_is_a_link_out_of_its_repository_is_not_read(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = repository.parent / "outside" / "secrets.yaml"
    (repository / "leadstate.yaml").symlink_to(secret)
    (repository / "folder").symlink_to(secret.parent)
    monkeypatch.chdir(repository)
    named = [Path("leadstate.yaml"), repository / "leadstate.yaml", Path("folder"), Path("folder/../folder")]
    for path in (*named, Path("folder/secrets.yaml"), Path("conf/../folder/secrets.yaml"), Path()):
        (found,) = errors(path)
        assert found.code == "file-outside"
        assert str(repository.parent) in found.hint


def test_a_link_within_a_repository_and_a_link_that_no_repository_holds_are_followed(repository: Path) -> None:
    (repository / "conf" / "real.yaml").write_text(GOOD, encoding="utf-8")
    (repository / "leadstate.yaml").symlink_to("conf/real.yaml")
    (repository.parent / "way").symlink_to(repository)
    for path in (repository / "leadstate.yaml", repository.parent / "way" / "conf" / "real.yaml"):
        assert load([path]).accounts


def test_a_folder_link_is_told_from_a_file_that_is_a_link(repository: Path) -> None:
    (repository / "file").symlink_to(repository.parent / "outside" / "secrets.yaml")
    (repository / "folder").symlink_to(repository.parent / "outside")
    (repository / "loop").symlink_to("loop")
    assert link_outwards(repository / "file") == repository / "file"
    assert folder_link_outwards(repository / "file") is None
    assert folder_link_outwards(repository / "folder" / "new") == repository / "folder"
    assert folder_link_outwards(repository / "loop" / "new") == repository / "loop"


def test_links_as_a_config_map_has_them(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "leadstate.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "leadstate.yaml").symlink_to("..data/leadstate.yaml")
    assert load([tmp_path]).accounts


def test_circle_of_links_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("a.yaml")
    assert [error.code for error in errors(tmp_path / "a.yaml")] == ["file-unreadable"]


def test_a_fifo_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (found,) = errors(tmp_path)
    assert (found.code, found.summary) == ("file-unreadable", "the file cannot be read: it is not a regular file")


def test_a_pipe_that_the_shell_gives_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    try:
        assert load([Path(f"/dev/fd/{reading}")]).accounts
    finally:
        os.close(reading)


def test_the_nearest_repository_counts(repository: Path) -> None:
    assert repository_of(repository / "conf") == repository.resolve()
    (repository / "conf" / ".git").write_text("gitdir: elsewhere", encoding="utf-8")
    assert repository_of(repository / "conf") == (repository / "conf").resolve()
    (repository / "conf" / "up.yaml").symlink_to("../x.yaml")
    assert link_outwards(repository / "conf" / "up.yaml") == repository / "conf" / "up.yaml"


def test_a_token_file_may_be_anywhere_and_is_a_regular_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("abc\n", encoding="utf-8")
    (tmp_path / "token").symlink_to("data")
    assert read_token(SecretSource("file", ("token",), tmp_path), environ={}).reveal() == "abc"
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "/dev/zero"):
        with pytest.raises(SecretError, match="it is not a regular file"):
            read_token(SecretSource("file", (name,), tmp_path), environ={})


def test_a_lock_file_is_a_regular_file_of_the_repository(repository: Path) -> None:
    path = repository / "leadstate.lock.json"
    path.symlink_to(repository.parent / "outside" / "secrets.yaml")
    with pytest.raises(LockError, match="leads elsewhere") as caught:
        read_lock(path)
    assert caught.value.hint
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(LockError, match="cannot be read"):
        read_lock(path)
