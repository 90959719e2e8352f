"""Where a command's words go: results to standard output, all else to standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from lading.cli.exit_codes import json_line
from lading.cli.secrets import without_passwords


@dataclass(frozen=True, slots=True)
class Output:
    """What a command prints.

    A command says what it found both ways: ``result`` prints the text, or with ``--json`` the
    document.  ``note`` says beside it what goes on, on standard error.
    """

    as_json: bool

    def result(self, text: Any, document: Any) -> None:
        """Print a result as text, or as a document on one line."""
        click.echo(json_line(document) if self.as_json else without_passwords(str(text)))

    def note(self, text: str) -> None:
        """Say something that isn't the result, such as the target before it is written to."""
        click.echo(without_passwords(text), err=True)
