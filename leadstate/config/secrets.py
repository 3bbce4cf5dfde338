"""Token sources to tokens. No message holds what a source gave, and no shell is involved (spec section 2).

Reads when asked, one source at a time; a configuration can be checked without any of its secrets.
"""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from leadstate.config.configuration import CommandToken, EnvToken, FileToken, KeyringToken, SecretSource
from leadstate.config.yaml.diagnostics import visible
from leadstate.config.yaml.files import read_bounded
from leadstate.config.yaml.masking import LONG_ENOUGH, STARS, TOKEN_LIKE, is_secret_key
from leadstate.model.errors import SecretError
from leadstate.pipedrive.secrets import Secrets, Token

TIMEOUT: Final = 30.0
LONGEST: Final = 4096
"""Characters of a token; Pipedrive's have 40."""
_SHOWN: Final = 500
"""Characters of what a failed command said."""


class Finished(Protocol):
    """What is known of a command that has ended; `subprocess.CompletedProcess` is one."""

    @property
    def returncode(self) -> int:
        """Its exit code."""

    @property
    def stdout(self) -> bytes:
        """What it printed."""

    @property
    def stderr(self) -> bytes:
        """What it wrote to its standard error."""


class Run(Protocol):
    """Runs a command to its end; raises OSError or subprocess.TimeoutExpired."""

    def __call__(self, command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> Finished:
        """Run it in a folder, with these environment variables."""


def run_command(command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> Finished:
    """Run a command without a shell, without input, for 30 seconds at most."""
    return subprocess.run(  # noqa: S603  a list from the user's own file, no shell
        list(command),
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )


def read_token(
    source: SecretSource, *, environ: Mapping[str, str], base: Path | None = None, run: Run = run_command
) -> Token:
    """Return the token, or other secret, that a source gives.

    Args:
        source: where it is.
        environ: the environment variables.
        base: the folder that relative paths count from, and that commands run in; by default that of the file which
            declares the source.
        run: runs a command.

    Raises:
        SecretError: where there is none, or what is there is none.
    """
    try:
        return _read(source, environ, base, run)
    except SecretError as failure:
        failure.span = source.at
        raise


def _read(source: SecretSource, environ: Mapping[str, str], base: Path | None, run: Run) -> Token:
    match source:
        case EnvToken(name):
            raw, what = _from_environment(name, environ), f"the environment variable {visible(name)}"
        case FileToken(path, folder):
            file = (base or folder) / path
            raw, what = _from_file(file), f"the file {visible(str(file))}"
        case CommandToken(command, folder):
            what = f"the command {visible(Path(command[0]).name)}"
            raw = _from_command(command, base or folder, environ, run, what)
        case KeyringToken(service, user):
            what = f"the keyring entry {visible(service)} of {visible(user)}"
            raw = _from_keyring(service, user, what)
    return _checked(raw, what)


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    raw = environ.get(name)
    if not raw:
        state = "is not set" if raw is None else "is empty"
        hint = f"put the token into it: export {visible(name)}=…; in CI, map a secret to it"
        raise SecretError(f"the environment variable {visible(name)} {state}", hint=hint)
    return raw


def _from_file(file: Path) -> str:
    shown = visible(str(file))
    try:
        raw = read_bounded(file, LONGEST + 2)
    except (OSError, ValueError) as problem:
        why = (problem.strerror if isinstance(problem, OSError) else None) or "it is no usable path"
        hint = "check the path and who may read it; a relative path counts from the configuration file's folder"
        raise SecretError(f"the token file {shown} cannot be read: {why.lower()}", hint=hint) from None
    return raw.decode("utf-8", "replace")


def _from_command(command: Sequence[str], folder: Path, environ: Mapping[str, str], run: Run, what: str) -> str:
    try:
        done = run(command, folder=folder, environ=environ)
    except subprocess.TimeoutExpired:
        hint = "run it by hand; it must print the token and ask for nothing"
        raise SecretError(f"{what} did not end within {TIMEOUT:.0f} seconds", hint=hint) from None
    except (OSError, ValueError) as problem:
        why = (problem.strerror if isinstance(problem, OSError) else None) or "it is no usable command"
        hint = "check that the program is installed and on PATH; there is no shell, so no `~`, `$` or `|`"
        raise SecretError(f"{what} cannot be started: {why.lower()}", hint=hint) from None
    if done.returncode != 0:
        said = _without_secrets(done, environ)
        summary = f"{what} failed with exit code {done.returncode}" + (f": {said}" if said else "")
        raise SecretError(summary, hint="run it by hand; it must print the token and exit with 0")
    return done.stdout[: LONGEST + 3].decode("utf-8", "replace")


def _from_keyring(service: str, user: str, what: str) -> str:
    try:
        import keyring  # noqa: PLC0415  an extra, and slow to import
        from keyring import errors  # noqa: PLC0415  as above
    except ImportError:
        hint = "install leadstate with its extra, leadstate[keyring], or use another token source"
        raise SecretError(f"{what} needs the library `keyring`, which is not installed", hint=hint) from None
    try:
        raw = keyring.get_password(service, user)
    except errors.KeyringLocked:
        hint = "unlock it and run again; where nobody can, as in CI, use another token source"
        raise SecretError(f"{what} cannot be read: the keyring is locked", hint=hint) from None
    except errors.NoKeyringError:
        hint = "use another token source here; `keyring diagnose` tells what is looked for"
        raise SecretError(f"{what} cannot be read: this system has no keyring", hint=hint) from None
    except Exception as failure:  # noqa: BLE001  a keyring is a plug-in and raises what it likes
        hint = "`keyring get` with the same two words shows what is wrong"
        raise SecretError(f"{what} cannot be read ({type(failure).__name__})", hint=hint) from None
    if raw is None:
        hint = f"put the token into it: keyring set {shlex.quote(visible(service))} {shlex.quote(visible(user))}"
        raise SecretError(f"{what} is not there", hint=hint)
    return raw


def _without_secrets(done: Finished, environ: Mapping[str, str]) -> str:
    """Return the error of a command on one line, without what it printed or was given."""
    # What it printed or was given may be the token.
    printed = done.stdout.decode("utf-8", "replace").split()
    given = [text for name, text in environ.items() if is_secret_key(name) and len(text) >= LONG_ENOUGH]
    said = Secrets(map(Token, [*printed, *given])).scrub(done.stderr.decode("utf-8", "replace"))
    return visible(" ".join(TOKEN_LIKE.sub(STARS, said).split()))[:_SHOWN]


def _checked(raw: str, what: str) -> Token:
    value = raw.strip()
    if not value:
        raise SecretError(f"{what} gives no token, it is empty", hint="put the token into it")
    if len(value) > LONGEST:
        raise SecretError(f"{what} gives more than a token", hint="it must give the token and nothing else")
    if not all("!" <= char <= "~" for char in value):
        summary = f"{what} gives text with spaces, line breaks or other characters that no token has"
        raise SecretError(summary, hint="it must give the token and nothing else")
    return Token(value)
