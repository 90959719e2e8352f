"""Pictures and pages that a command writes: to a file, whole or not at all, or to its output."""

from __future__ import annotations

import os
from pathlib import Path

import click

from lading.bundle.stores.files import reported
from lading.bundle.stores.whole_file import whole_file
from lading.cli.documents import STANDARD


def write_text(path: str, text: str) -> None:
    """Write a text to a file, which is replaced, or to standard output.

    Raises ``BundleError`` if the file can't be written.

    Args:
        path: The file's path, or ``-``.
        text: What is written, in UTF-8.
    """
    if path == STANDARD:
        click.echo(text, nl=False)
        return
    place = Path(path)
    with reported(place, "written"), whole_file(place) as file:
        file.write(text.encode())


def readable(name: str) -> str:
    """Return the name of a file as text; bytes of it that aren't UTF-8 are replaced."""
    return os.fsencode(name).decode(errors="replace")
