"""What an apply left is read again: an error, a difference and an account that cannot be read have their own words."""

from pathlib import Path

from leadstate.api.session import Runtime
from tests.harness.cli_in_process import invoke
from tests.harness.fake_api import Fake, failed

CONFIGURATION = """\
version: 1
accounts:
  emea: {url: "http://127.0.0.1:1", token: {env: TOKEN}}
labels:
  - {name: Hot, color: red}
"""


def apply(fake: Fake, folder: Path) -> tuple[int, str]:
    (folder / "leadstate.yaml").write_text(CONFIGURATION)
    runtime = Runtime(
        {"TOKEN": "t" * 40},
        transport=fake,
        receipts=folder / "receipts",
        cache=folder / "cache",
        state=folder / "state",
    )
    code, out, _ = invoke(runtime, "apply", "--auto-approve", "-c", str(folder / "leadstate.yaml"))
    return code, out


def test_a_namesake_created_meanwhile_is_shown_and_sets_the_exit_code(tmp_path: Path) -> None:
    fake = Fake()
    fake.before["POST leadLabels", 0] = lambda: fake.label("theirs", "Hot", "blue")
    code, out = apply(fake, tmp_path)
    assert code == 4
    assert "error[ambiguous]" in out
    assert "Read again: 1 error. The apply did not converge." in out
    assert "no differences" not in out


def test_a_remaining_error_exits_4_without_changes_too(tmp_path: Path) -> None:
    fake = Fake()

    def twins() -> None:
        fake.label("theirs", "Hot", "blue")
        fake.label("others", "Hot", "blue")

    fake.before["GET leadLabels", 1] = twins
    code, out = apply(fake, tmp_path)
    assert code == 4
    assert "conflict" in out
    assert "Read again: 1 error" in out


def test_an_account_that_cannot_be_read_again_names_the_cause(tmp_path: Path) -> None:
    fake = Fake()
    fake.before["GET leadLabels", 2] = lambda: failed(401, "revoked")
    code, out = apply(fake, tmp_path)
    assert code == 4
    assert "1 account could not be read again (getLeadLabels: " in out
    assert "revoked" in out
    assert "no differences" not in out
