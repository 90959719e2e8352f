"""What all commands have in common: ``--json``, and two examples in their help."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from lading.cli.output import Output
from lading.cli.paths import refuse_database_files


class ExampleCommand(click.Command):
    """A command whose help ends with examples of its use, one a line, verbatim."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")


def command(
    name: str, *, examples: tuple[str, ...], **settings: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a command with ``--json``.

    The function gets an ``Output`` as its first argument, and then what its options say; its
    docstring is the command's help, which describes each of these arguments by its option.

    Args:
        name: The command's name.
        examples: At least two lines that are worth copying.
        settings: What ``click.command`` takes besides.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, **options: Any) -> Any:
            refuse_database_files(click.get_current_context())
            return function(Output(as_json), **options)

        make = click.command(name, cls=ExampleCommand, examples=examples, **settings)
        new: click.Command = make(run)
        text = f"Print JSON by the schema of: lading schema --output-of {name}"
        new.params.append(click.Option(["--json", "as_json"], is_flag=True, help=text))
        return new

    return decorate
