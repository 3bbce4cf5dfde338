"""Token sources to tokens. No message holds what a source gave, and no shell is involved (spec section 2).

Reads when asked, one source at a time; a configuration can be checked without any of its secrets.
"""

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from leadstate.config.configuration import SecretSource
from leadstate.config.yaml.diagnostics import visible_in_line
from leadstate.config.yaml.files import read_bounded
from leadstate.config.yaml.masking import LONG_ENOUGH, TOKEN_LIKE, is_secret_key
from leadstate.model.diagnostics import SecretError, reason_of
from leadstate.pipedrive.secrets import STARS, Secrets, Token

TIMEOUT: Final = 30.0
"""Seconds that a command may take."""
LONGEST: Final = 4096
"""Characters of a token; Pipedrive's have 40."""
_SHOWN: Final = 500
"""Characters of the error output of a failed command."""


def read_token(source: SecretSource, *, environ: Mapping[str, str]) -> Token:
    """Return the token, or other secret, that a source gives.

    Args:
        source: where it is.
        environ: the environment variables.

    Raises:
        SecretError: the source gives nothing, or something that is not a token.
    """
    try:
        match source.kind:
            case "env":
                raw, what = _from_environment(source.name, environ), f"the environment variable {_shown(source.name)}"
            case "file":
                raw, what = _from_file(Path(source.name)), f"the file {_shown(source.name)}"
            case "command":
                what = f"the command {_shown(Path(source.name).name)}"
                raw = _from_command(source, environ, what)
            case "keyring":
                service, user = source.words
                what = f"the keyring entry {_shown(service)} of {_shown(user)}"
                raw = _from_keyring(service, user, what)
        return _checked(raw, what)
    except SecretError as failure:
        failure.span = source.at
        raise


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    raw = environ.get(name)
    if not raw:
        state = "is not set" if raw is None else "is empty"
        hint = f"put the token into it: export {_shown(name)}=…; in CI, map a secret to it"
        raise SecretError(f"the environment variable {_shown(name)} {state}", hint=hint)
    return raw


def _from_file(file: Path) -> str:
    shown = _shown(str(file))
    try:
        raw = read_bounded(file, LONGEST + 2)
    except (OSError, ValueError) as problem:
        why = reason_of(problem, "the path cannot be used")
        hint = "check the path and who may read it; a relative path counts from the configuration file's folder"
        raise SecretError(f"the token file {shown} cannot be read: {why}", hint=hint) from None
    return raw.decode("utf-8", "replace")


def _from_command(source: SecretSource, environ: Mapping[str, str], what: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  a list from the user's own file, no shell
            source.words,
            cwd=source.folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        hint = "run it by hand; it must print the token and ask for nothing"
        raise SecretError(f"{what} did not end within {TIMEOUT:.0f} seconds", hint=hint) from None
    except (OSError, ValueError) as problem:
        why = reason_of(problem, "the command cannot be used")
        hint = "check that the program is installed and on PATH; there is no shell, so no `~`, `$` or `|`"
        raise SecretError(f"{what} cannot be started: {why}", hint=hint) from None
    if done.returncode != 0:
        output = _error_output(done, environ)
        summary = f"{what} failed with exit code {done.returncode}" + (f": {output}" if output else "")
        raise SecretError(summary, hint="run it by hand; it must print the token and exit with 0")
    return done.stdout[: LONGEST + 3].decode("utf-8", "replace")


def _from_keyring(service: str, user: str, what: str) -> str:
    try:
        import keyring  # noqa: PLC0415  an extra, and slow to import
    except ImportError:
        hint = "install leadstate with its extra, leadstate[keyring], or use another token source"
        raise SecretError(f"{what} needs the library `keyring`, which is not installed", hint=hint) from None
    try:
        raw = keyring.get_password(service, user)
    except Exception as failure:  # noqa: BLE001  a keyring is a plug-in and raises what it likes
        hint = "unlock it, or use another token source where nobody can, as in CI; `keyring get` shows what is wrong"
        raise SecretError(f"{what} cannot be read ({type(failure).__name__})", hint=hint) from None
    if raw is None:
        hint = f"put the token into it: keyring set {shlex.quote(_shown(service))} {shlex.quote(_shown(user))}"
        raise SecretError(f"{what} does not exist", hint=hint)
    return raw


def _error_output(done: subprocess.CompletedProcess[bytes], environ: Mapping[str, str]) -> str:
    """Return the error output of a command on one line, without what it printed or was given."""
    # What it printed or was given may be the token.
    printed = done.stdout.decode("utf-8", "replace").split()
    given = [text for name, text in environ.items() if is_secret_key(name) and len(text) >= LONG_ENOUGH]
    output = _shown(
        " ".join(Secrets(map(Token, [*printed, *given])).scrub(done.stderr.decode("utf-8", "replace")).split())
    )
    # Half a word may be half of a secret that is read later, and would not be known again.
    return output if len(output) <= _SHOWN else f"{output[:_SHOWN].rpartition(' ')[0]} …"


def _shown(text: str) -> str:
    """Return a text for a message; what looks like a token, which somebody put in the place of a name, is masked."""
    return visible_in_line(TOKEN_LIKE.sub(STARS, text))


def _checked(raw: str, what: str) -> Token:
    value = raw.strip()
    if not value:
        raise SecretError(f"{what} is empty", hint="put the token into it")
    if len(value) > LONGEST or not all("!" <= char <= "~" for char in value):
        summary = f"{what} gives more than a token: spaces, line breaks, other characters, or too many of them"
        raise SecretError(summary, hint="it must give the token and nothing else")
    return Token(value)
