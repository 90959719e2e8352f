"""Plans and diffs on a command line: as text, as lines of JSON, and as files."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import click

from lading.cli.documents import STANDARD
from lading.cli.exits import ExitCode
from lading.cli.output import Output
from lading.planning.plan import Diff, ImportPlan


def report_changes(changes: ImportPlan | Diff, output: Output, file: str | None) -> NoReturn:
    """Print changes and write them to a file; the exit code says whether there are any.

    Args:
        changes: The plan or diff.
        output: Where it is printed: as a summary, or as the lines of its file.
        file: The file's path, ``-`` for standard output, or ``None``.
    """
    if file not in (None, STANDARD):
        changes.write(str(file))
    if output.as_json or file == STANDARD:
        print_lines(changes)
    else:
        output.result(changes, None)
    is_nothing = not changes and not changes.problems
    raise click.exceptions.Exit(ExitCode.DONE if is_nothing else ExitCode.DIFFERENCES)


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
