"""Writes what the pages take from the code: `python -m docs.generate` (part of `make fix`).

docs/reference/commands.md is made from the command line itself. In reference/configuration.md, json-report.md and
action.md the lists between markers, such as `<!-- keys of MODEL -->` and `<!-- end -->`, are made from the models and
from action.yml; the picture of a plan from the demo's. The rest is by hand.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from docs.picture import picture
from leadstate.cli.main import COMMANDS, GROUPS, cli
from leadstate.config.schema.json_schema import document_schema
from leadstate.report.formats.json import report_schema

DOCS = Path(__file__).parent
COMMANDS_PAGE = DOCS / "reference" / "commands.md"
CONFIGURATION_PAGE = DOCS / "reference" / "configuration.md"
REPORT_PAGE = DOCS / "reference" / "json-report.md"
ACTION_PAGE = DOCS / "reference" / "action.md"
ACTION = DOCS.parent / "action.yml"
PICTURE = DOCS / "_static" / "plan.svg"

FLAT = frozenset(("PruneSpec", "GuardsSpec"))
"""Models whose keys stand among those of the model above them, with a dot."""
SECTIONS = {
    "AccountSpec": "[account](#accounts)",
    "TokenSpec": "[token source](#token)",
    "SecretSpec": "[any but `oauth`](#token)",
    "OAuthSpec": "[OAuth client](#oauth)",
    "TableSpec": "[CSV file](#leads-in-csv-files)",
    "PolicySpec": "[policy](#policy)",
    "LabelSpec": "[label](#labels)",
    "LeadSpec": "[lead](#leads)",
    "LabelOverride": "`name`, `color`",
    "LeadFields": "any of these but `key`, `mode`, `if_gone`, `keep` and `adopted`",
}
"""Models that are described at another place; any other is written out as `{key: …}`."""
_KEYS = re.compile(r"(<!-- keys of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MEMBERS = re.compile(r"(<!-- members of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PORTS = re.compile(r"(<!-- (inputs|outputs) of the action -->\n).*?(<!-- end -->)", re.DOTALL)

_MARKUP = re.compile(r"(?<![\w`])(--?[a-z][\w-]*|\S*[<>*_|\[\]]\S*?)(?=[.,;:]*(?:\s|$))")
"""Options, and words with a character that Markdown takes for its own."""


def configuration_page() -> str:
    """The page of the configuration with its lists of keys as the models have them now."""
    schema = document_schema()
    written = CONFIGURATION_PAGE.read_text(encoding="utf-8")
    return _KEYS.sub(lambda found: f"{found[1]}{keys_list(found[2], schema)}{found[3]}", written)


def keys_list(model: str, schema: Mapping[str, Any]) -> str:
    """The keys of a model of the configuration as a definition list, which fits a phone."""
    return "\n".join(_entries(_model(model, schema), schema, ""))


def _model(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema if name == "Document" else schema["definitions"][name]
    return found


def _entries(model: Mapping[str, Any], schema: Mapping[str, Any], prefix: str) -> Iterator[str]:
    required = model.get("required", ())
    for key, value in sorted(model["properties"].items(), key=lambda row: row[0] not in required):
        target = _ref(value)
        if target in FLAT:
            yield from _entries(_model(target, schema), schema, f"{prefix}{key}.")
            continue
        facts = [_takes(value, schema)]
        if "default" in value and "const" not in value:
            facts.append(f"default `{_yaml(value['default'])}`")
        meaning = value.get("description") or _inner(value, "description") or _model(target, schema)["description"]
        needed = " (required)" if key in required else ""
        yield f"`{prefix}{key}`{needed}\n: {meaning}\n  Type: {'; '.join(facts)}.\n"


def _ref(one: Mapping[str, Any]) -> str:
    ref = one.get("$ref") or next((inner["$ref"] for inner in one.get("allOf", ()) if "$ref" in inner), "")
    return str(ref).rpartition("/")[2]


def _inner(one: Mapping[str, Any], key: str) -> Any:
    return next((inner[key] for inner in one.get("anyOf", ()) if key in inner), None)


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _takes(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What may be written there, in words."""
    if target := _ref(one):
        return SECTIONS.get(target) or _written_out(_model(target, schema))
    alternatives = one.get("anyOf") or one.get("oneOf")
    if alternatives is None:
        return _alone(one, schema)
    words = [word for inner in alternatives for word in _takes(inner, schema).split(_OR)]
    return _OR.join(dict.fromkeys(words))


_OR = ", or "


def _alone(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    values = one.get("enum", [one["const"]] if "const" in one else [])
    words = ", ".join(f"`{value}`" for value in values)
    match one.get("type"):
        case "array":
            words = f"list of {_takes(one['items'], schema)}"
        case "object":
            inner = one.get("additionalProperties") or next(iter(one["patternProperties"].values()))
            words = f"mapping of names to {_takes(inner, schema)}"
        case "boolean":
            words = "`true`, `false`"
        case "integer" | "number" if not words:
            words = _number(one)
        case "null":
            words = "`null`"
    return words or ("`YYYY-MM-DD`" if one.get("format") == "date" else "text")


def _number(one: Mapping[str, Any]) -> str:
    if "exclusiveMinimum" in one:
        return "id"
    if "maximum" in one:
        return f"{one['minimum']} to {one['maximum']}"
    return "number"


def _written_out(model: Mapping[str, Any]) -> str:
    """A small mapping: one of its keys where it takes one, else all of them."""
    keys = list(model["properties"])
    if model.get("maxProperties") == 1:
        return " or ".join(f"`{{{key}: …}}`" for key in keys)
    return "`{" + ", ".join(f"{key}: …" for key in keys) + "}`"


def report_page() -> str:
    """The page of the JSON report with its lists of members as the schema has them now."""
    schema = report_schema()
    written = REPORT_PAGE.read_text(encoding="utf-8")
    return _MEMBERS.sub(lambda found: f"{found[1]}{members_list(found[2], schema)}{found[3]}", written)


def members_list(model: str, schema: Mapping[str, Any]) -> str:
    """The members of an object of the report as a definition list."""
    shape = schema if model == "Report" else schema["$defs"][model]
    return "\n".join(
        f"`{name}`\n: {' '.join([_json_type(member) + '.', member.get('description', '')]).strip()}\n"
        for name, member in shape["properties"].items()
    )


def _json_type(member: Mapping[str, Any]) -> str:
    """The type of a member of the report, in words; objects are linked to where they are described."""
    if "$ref" in member:
        name = member["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in member:
        return ", or ".join(_json_type(inner) for inner in member["anyOf"])
    if "enum" in member:
        return "one of " + ", ".join(f"`{value}`" for value in member["enum"])
    kind = member.get("type", "any JSON value")
    return f"array of {_json_type(member['items'])}" if kind == "array" else str(kind)


def action_page() -> str:
    """The page of the GitHub Action with its inputs and outputs as action.yml has them now."""
    action = YAML(typ="safe").load(ACTION.read_text(encoding="utf-8"))
    written = ACTION_PAGE.read_text(encoding="utf-8")
    return _PORTS.sub(lambda found: f"{found[1]}{_ports(action[found[2]])}{found[3]}", written)


def _ports(ports: Mapping[str, Mapping[str, Any]]) -> str:
    entries = []
    for name, port in ports.items():
        facts = " (required)" if port.get("required") else ""
        default = f" Default: `{port['default']}`." if port.get("default") else ""
        entries.append(f"`{name}`{facts}\n: {' '.join(str(port['description']).split())}{default}\n")
    return "\n".join(entries)


def commands_page() -> str:
    """Every command with its options, defaults, variables and examples."""
    parts = [
        "<!-- Made from the commands by docs/generate.py: python -m docs.generate -->",
        "# Commands",
        _HEAD,
    ]
    with cli.make_context("leadstate", [], resilient_parsing=True) as ctx:
        assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)  # noqa: S101  see GROUPS
        parts += [f"{heading}:\n\n{_overview(names)}" for heading, names in GROUPS.items()]
        plan = cli.get_command(ctx, "plan")
        assert plan is not None  # noqa: S101  for mypy
        common = [_option(option, ctx) for option in _options(plan) if _longest(option) in COMMON]
        parts += ["## Common options", _COMMON, *common]
        for heading, names in GROUPS.items():
            parts.append(f"## {heading}")
            for name in names:
                command = cli.get_command(ctx, name)
                assert command is not None  # noqa: S101  for mypy: it is one of COMMANDS
                parts += _command(command, f"leadstate {name}", ctx)
    return "\n\n".join(parts) + "\n"


def _overview(names: Iterable[str]) -> str:
    return "\n".join(f"- [`{name}`](#leadstate-{name}): {COMMANDS[name]}" for name in names)


COMMON = ("--config", "--account", "--color", "--log-level", "--no-progress")
"""Options of every command that reads accounts; described once."""
_COMMON = "Every command that reads accounts has these; other commands have those that concern them."

_HEAD = """Every option also reads the environment variable that stands beside it: several values are separated by white
space there, and paths as in `PATH`. All commands take `-h` and `--help`."""


def _command(command: click.Command, path: str, parent: click.Context) -> Iterator[str]:
    with click.Context(command, info_name=path.rpartition(" ")[2], parent=parent) as ctx:
        yield f"### {path}"
        yield f"```text\n{path} {' '.join(command.collect_usage_pieces(ctx))}\n```"
        yield from _prose(command.help or "")
        options = _options(command)
        yield from filter(None, (_option(option, ctx) for option in options if _longest(option) not in COMMON))
        if common := [f"`{name}`" for name in COMMON if name in map(_longest, options)]:
            yield f"And [common options](#common-options): {', '.join(common)}."
        if isinstance(command, click.Group):
            for name, inner in sorted(command.commands.items()):
                yield from _command(inner, f"{path} {name}", ctx)


def _prose(text: str) -> Iterator[str]:
    """A command's help as Markdown; what is not wrapped there (after a backspace) is a block here."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            lines = paragraph.removeprefix("\b").strip("\n").splitlines()
            examples = lines[0].startswith("Examples:")
            if examples:
                yield "Examples:"
                lines = [line.removeprefix("Examples:").strip() for line in lines]
            yield "\n".join(["```sh" if examples else "```text", *lines, "```"])
        else:
            yield _markdown(" ".join(paragraph.split()))


def _markdown(text: str) -> str:
    """Plain words as Markdown: what it would take for markup is marked as code, outside of what is code already."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else _MARKUP.sub(r"`\1`", piece) for piece in pieces)


def _options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


def _longest(option: click.Option) -> str:
    return max(option.opts, key=len)


def _option(option: click.Option, ctx: click.Context) -> str:
    """An option as an entry of a definition list; nothing for --help, which all have."""
    record = option.get_help_record(ctx)
    if record is None or "--help" in option.opts:
        return ""
    names, said = record
    said, _, extra = said.partition("  [")
    facts = [_fact(fact) for fact in re.split(r"; |\]  \[", extra.rstrip("]")) if fact]
    variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    facts += [f"`{name}`" for name in variables]
    return f"`{names}`\n: {_markdown(said)}" + (f" ({'; '.join(facts)})" if facts else "")


def _fact(said: str) -> str:
    word, colon, value = said.partition(": ")
    return f"{word} {value if ' ' in value else f'`{value}`'}" if colon else f"`{said}`"


GENERATED: Mapping[Path, Callable[[], str]] = {
    ACTION_PAGE: action_page,
    COMMANDS_PAGE: commands_page,
    CONFIGURATION_PAGE: configuration_page,
    REPORT_PAGE: report_page,
    PICTURE: picture,
}
"""File → what makes its text."""

if __name__ == "__main__":
    for file, made in GENERATED.items():
        file.write_text(made(), encoding="utf-8")
