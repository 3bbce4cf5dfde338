"""Files that commands write or use as they are: starter configuration, CI workflow, the demo's configuration."""

from importlib.resources import files


def starter(name: str) -> str:
    """Return the text of one of the files."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
