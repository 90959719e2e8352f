"""What pages show of the program itself.

Files are written by ``make generated``, and a test holds them current.  The commands are put into
their page whenever it is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from bakery import bakery
from lading import formats
from lading.cli.main import main
from lading.drawing import around, drawn, graph_of_catalog

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
#: What `make bench` measured, and where the README shows some of it.
FIGURES = DOCS / "benchmarks" / "figures.json"
PLACE = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
#: The rivals that the README names, and what it calls them.
RIVALS = {
    "hand": "by hand",
    "orm": "ORM and `json`",
    "marshmallow": "marshmallow-sqlalchemy",
    "django": "Django",
}


def files() -> Iterator[tuple[Path, str]]:
    """Yield each generated file and its text."""
    yield from schema_files()
    yield from pictures()
    yield README, with_figures(README.read_text(encoding="utf-8"))


def schema_files() -> Iterator[tuple[Path, str]]:
    """Yield the JSON Schemas of the files of a fixed form."""
    for name in ("manifest", "entity_file", "plan", "lock", "verification"):
        schema = getattr(formats, f"{name}_schema")()
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        yield DOCS / "_static" / "schemas" / f"{name}.schema.json", text


def pictures() -> Iterator[tuple[Path, str]]:
    """Yield the bakery's graph, and the part of it around recipes, as SVG."""
    whole = graph_of_catalog(bakery)
    yield DOCS / "_static" / "bakery.svg", drawn(whole, "svg")
    yield DOCS / "_static" / "recipes.svg", drawn(around(whole, "recipes"), "svg")


def with_figures(readme: str) -> str:
    """Return the README with what the benchmark measured: ratios on a wide table in SQLite.

    All stand for one number of records, the largest that every rival was measured with.
    """
    figures = [
        figure
        for figure in json.loads(FIGURES.read_bytes())["figures"]
        if (figure["workload"], figure["engine"]) == ("wide", "sqlite")
    ]
    ratios = {
        (figure["job"], figure["rival"], figure["records"]): f"{figure['ratio']:.2g}"
        for figure in figures
    }
    jobs = ("export", "import")
    records = max(
        size
        for size in {figure["records"] for figure in figures}
        if all((job, name, size) in ratios for job in jobs for name in RIVALS)
    )
    rows = [[f"{records:,} records", *RIVALS.values()], ["---"] * (len(RIVALS) + 1)]
    rows += [[job, *(ratios[job, name, records] for name in RIVALS)] for job in jobs]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return PLACE.sub(lambda match: f"{match[1]}{table}{match[2]}", readme)


def commands_page() -> str:
    """Return all commands as Markdown."""
    with click.Context(main, info_name="lading", **main.context_settings) as context:
        parts = [
            _command(main.get_command(context, name), name, context) for name in _names(context)
        ]
    return "\n".join(parts)


def _names(context: click.Context) -> list[str]:
    return main.list_commands(context)


def _command(command: click.Command | None, name: str, parent: click.Context) -> str:
    """Return the section of one command: usage, help, options, examples."""
    assert command is not None
    with click.Context(command, info_name=name, parent=parent) as context:
        usage = " ".join(["lading", name, *command.collect_usage_pieces(context)])
        options = [
            record
            for option in command.get_params(context)
            if isinstance(option, click.Option)
            if (record := option.get_help_record(context))
        ]
    text = [f"(command-{name})=", f"### `lading {name}`", f"```text\n{usage}\n```"]
    text += [_paragraph(paragraph) for paragraph in (command.help or "").split("\n\n")]
    rows = [f"| `{_cell(flags)}` | {_cell(_paragraph(meaning))} |" for flags, meaning in options]
    text.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    examples = getattr(command, "examples", ())
    if examples:
        text.append("\n".join(["```text", *examples, "```"]))
    return "\n\n".join(text) + "\n"


def _paragraph(text: str) -> str:
    """Return a help's text as Markdown, in which nothing but options is marked."""
    plain = re.sub(r"([*_<`\\])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<![\w-])(--[\w-]+)", r"`\1`", plain)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
