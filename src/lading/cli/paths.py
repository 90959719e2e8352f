"""Paths among a command's arguments: a SQLite file is a database only by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

#: What a SQLite file begins with.
_HEADER = b"SQLite format 3\0"


def refuse_database_files(context: click.Context) -> None:
    """Refuse arguments that are SQLite files' paths, and name the URLs to write instead.

    Args:
        context: The call of a command.

    Raises:
        UsageError: An argument is such a path.
    """
    arguments = [param for param in context.command.params if isinstance(param, click.Argument)]
    for argument in arguments:
        value: Any = context.params.get(argument.name or "")
        for place in value if isinstance(value, tuple) else (value,):
            if isinstance(place, str) and _is_database_file(place):
                raise click.UsageError(
                    f"{place!r} is a SQLite file, and a database is named by its URL; write "
                    f"sqlite:///{place}"
                )


def _is_database_file(place: str) -> bool:
    try:
        if not Path(place).is_file():  # opening a pipe would wait for its writer
            return False
        with Path(place).open("rb") as file:
            return file.read(len(_HEADER)) == _HEADER
    except (OSError, ValueError):
        return False
