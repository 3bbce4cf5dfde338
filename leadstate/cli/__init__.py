"""The command line: the only package with print, the environment, exit codes and `asyncio.run`. One file a command."""

HIDDEN = "leadstate.no-progress"
"""Where `--no-progress` is kept in click's context."""
VERBOSE = "leadstate.verbose"
"""Where `--verbose` is kept in click's context."""
