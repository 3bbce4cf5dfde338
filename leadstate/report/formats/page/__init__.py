"""The page that the HTML form is made from: markup, style sheet and script, each as it stands in a file beside this."""

from importlib.resources import files


def part(name: str) -> str:
    """The text of one of the files."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
