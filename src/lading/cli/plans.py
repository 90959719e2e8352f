"""Plans and diffs on a command line: as text, as lines of JSON, and as files."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import click

from lading.cli.documents import STANDARD
from lading.cli.exit_codes import ExitCode
from lading.cli.output import Output
from lading.cli.text_files import write_text
from lading.html.change_page import change_page
from lading.planning.plan import Diff, ImportPlan

#: The option for the page of changes.
page_option = click.option(
    "--html",
    "page",
    metavar="FILE",
    help="Write a page of the changes to look at in a browser, deletes first; - prints it.",
)


def report_changes(
    changes: ImportPlan | Diff,
    output: Output,
    file: str | None,
    *,
    page: str | None = None,
    label: str | None = None,
    keeps_good: bool = False,
) -> NoReturn:
    """Print changes and write them to files; the exit code says whether there are any.

    Where records have problems, it is that of an import, which refuses them.

    Args:
        changes: The plan or diff.
        output: Where it is printed: as a summary, or as the lines of its file.
        file: The file's path, ``-`` for standard output, or ``None``.
        page: The path of their page in HTML, likewise.
        label: What the page says that they are of.
        keeps_good: Whether an import leaves out the records with problems, and goes on.
    """
    if file == page == STANDARD:
        raise click.UsageError("Standard output is either the plan or the page, not both.")
    if page is not None:
        write_text(page, change_page(changes, label=label))
    if file not in (None, STANDARD):
        changes.write(str(file))
    if output.as_json or file == STANDARD:
        print_lines(changes)
    elif page != STANDARD:
        output.result(changes, None)
    code = ExitCode.DIFFERENCES if changes or changes.problems else ExitCode.DONE
    if changes.problems and not keeps_good:
        code = ExitCode.BUNDLE
    raise click.exceptions.Exit(code)


def print_lines(changes: ImportPlan | Diff) -> None:
    """Print what a file of changes holds: one JSON value a line."""
    stream = sys.stdout.buffer
    with TemporaryDirectory(prefix="lading-") as folder:
        path = Path(folder) / "plan"
        changes.write(path)
        with path.open("rb") as lines:
            for line in lines:
                stream.write(line)
    stream.flush()
