"""Every public option has its flag, or a reason why it has none; both are written down once."""

from __future__ import annotations

import inspect

import click
import pytest

import lading
from lading.cli.main import COMMANDS, main
from lading.cli.options import NO_OPTION, argument_texts

#: The commands of public functions.
CALLED_BY = {
    "export_all": "export",
    "export_document": "export",
    "write_bundle": "export",
    "import_all": "import",
    "import_document": "import",
    "verify": "verify",
    "diff": "diff",
    "upgrade": "upgrade",
    "seal": "seal",
    "lock": "lock",
    "check": "check",
    "json_schema": "schema",
}
#: Why a public function has no command.
NO_COMMAND = {
    "change": "declares a change, in Python",
    "import_order": "inspect lists entities in this order",
}
FUNCTIONS = [name for name in lading.__all__ if inspect.isfunction(getattr(lading, name))]


def test_every_public_function_has_a_command_or_a_reason() -> None:
    """A new function needs a line here."""
    assert sorted(FUNCTIONS) == sorted([*CALLED_BY, *NO_COMMAND])
    assert set(CALLED_BY.values()) <= set(COMMANDS)


@pytest.mark.parametrize("name", CALLED_BY)
def test_every_argument_has_its_flag_or_a_reason(name) -> None:
    """A new argument gets its flag by itself, with the text that its docstring has."""
    command = main.get_command(click.Context(main), CALLED_BY[name])
    function = getattr(lading, name)
    texts = argument_texts(function)
    options = {option.name: option for option in command.params}
    for argument in inspect.signature(function).parameters:
        assert argument in options or argument in NO_OPTION, argument
        option = options.get(argument)
        if isinstance(option, click.Option) and argument not in ("catalog", "overwrite", "restore"):
            assert option.help
            assert f"--{argument.replace('_', '-')}" in option.opts
            if CALLED_BY[name] == name or name.endswith("_all"):
                assert option.help == texts[argument]


def test_every_reason_is_needed() -> None:
    """A reason for what isn't an argument would mislead."""
    arguments = {
        argument
        for name in CALLED_BY
        for argument in inspect.signature(getattr(lading, name)).parameters
    }
    assert not set(NO_OPTION) - arguments


def test_defaults_are_the_functions() -> None:
    """What a flag is without being named isn't decided twice."""
    command = main.get_command(click.Context(main), "import")
    context = command.make_context("import", [])
    defaults = inspect.signature(lading.import_all).parameters
    for name in ("on_error", "only", "dry_run", "expect", "cascade", "max_bytes"):
        assert context.params[name] == defaults[name].default, name
    assert context.params["on_conflict"] is None, "an import has no default mode"


def test_texts_are_those_of_docstrings_in_plain_words() -> None:
    """Without markup, and with commands where docstrings name functions."""
    texts = argument_texts(lading.import_document)
    assert texts["cascade"] == argument_texts(lading.import_all)["cascade"]
    assert texts["cascade"].startswith("A mirror, or an update that drops owned rows, may delete")
    assert argument_texts(lading.upgrade)["max_bytes"].endswith("as in lading import.")
    every = [text for name in CALLED_BY for text in argument_texts(getattr(lading, name)).values()]
    assert not [text for text in every if "`" in text]


def test_a_docstring_may_end_with_its_arguments() -> None:
    """Blank lines and continued ones are no arguments."""

    def function() -> None: ...

    function.__doc__ = (
        "Do it.\n\nArgs:\n\n    path: The path,\n        continued.\n    flag: Whether."
    )
    texts = argument_texts(function)
    assert list(texts) == ["path", "flag"]
    assert texts["path"].startswith("The path, continued")
