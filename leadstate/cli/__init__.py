"""The command line: the only room with print, the environment, exit codes and `asyncio.run`. One file a command."""
