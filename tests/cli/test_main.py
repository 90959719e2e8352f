"""The group of commands: help, versions, examples, completion, and what starts fast."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import lading
from lading.cli.main import COMMANDS, main
from lading.cli.schemas import OUTPUTS

PROJECT = Path(lading.__file__).parents[2] / "pyproject.toml"
COMMAND_NAMES = list(COMMANDS)


def command(name: str) -> click.Command:
    """Return a command by its name."""
    return main.get_command(click.Context(main), name)


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_the_list_says_what_a_command_says_of_itself(name) -> None:
    """The list of commands imports none of them, so it has its own copy of each first line."""
    assert command(name).help.split("\n\n")[0].replace("\n", " ") == COMMANDS[name].summary


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_every_help_has_two_examples_that_parse(name, run) -> None:
    """Examples are commands of lading's with options that there are."""
    examples = command(name).examples
    assert len(examples) >= 2
    assert all(example in run(name, "--help").stdout for example in examples)
    for example in examples:
        program, called, *args = shlex.split(example.partition(" | ")[0])
        assert (program, called) == ("lading", name)
        command(name).make_context(name, args, resilient_parsing=False).close()


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_every_command_and_option_says_what_it_does(name) -> None:
    """A help without a text helps nobody."""
    silent = [
        option.name
        for option in command(name).params
        if isinstance(option, click.Option) and not option.help
    ]
    assert not silent


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_every_command_has_json_with_a_schema(name) -> None:
    """--json is everywhere, and its schema is published."""
    assert "as_json" in [option.name for option in command(name).params]
    assert name in OUTPUTS


def test_the_help_lists_commands_and_codes(run) -> None:
    """Whoever asks for help is told what there is."""
    for args in (["--help"], ["-h"]):
        text = run(*args).stdout
        assert all(f"  {name} " in text for name in COMMANDS)
        assert "5 the outcome is unknown" in " ".join(text.split())


def test_a_misspelt_command_is_told_the_right_one(run) -> None:
    """It is wrong usage."""
    assert "export" in run("exprot", code=2).stderr


def test_the_versions_are_those_of_what_matters(run) -> None:
    """A report of a bug begins with them."""
    lines = run("--version").stdout.splitlines()
    assert lines[0] == f"lading {lading.__version__}"
    assert {line.split()[0] for line in lines} >= {
        "Python",
        "SQLAlchemy",
        "marshmallow",
        "click",
        "SQLite",
    }


def test_the_executable_is_the_group() -> None:
    """What is installed as ``lading`` is what ``python -m lading`` runs."""
    module, _, attribute = tomllib.loads(PROJECT.read_text())["project"]["scripts"][
        "lading"
    ].partition(":")
    assert getattr(import_module(module), attribute) is main


def test_commands_are_completed_without_being_imported() -> None:
    """Completion answers at each key press."""
    items = main.shell_complete(click.Context(main), "ex")
    assert [(item.value, item.help) for item in items] == [("export", COMMANDS["export"].summary)]


def test_nothing_completes_a_misspelt_command(run, monkeypatch) -> None:
    """An error would stand in the middle of the line that somebody types."""
    monkeypatch.setenv("_MAIN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", "2")
    for words, completed in (("main exprt --", False), ("main export --js", True)):
        monkeypatch.setenv("COMP_WORDS", words)
        result = CliRunner().invoke(main, prog_name="main")
        assert not isinstance(result.exception, click.ClickException)
        assert ("--json" in result.output) is completed


def test_the_shell_asks_by_clicks_own_means() -> None:
    """The script that bash sources is Click's."""
    program = "import sys; sys.argv[0] = 'lading'; from lading.cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "_LADING_COMPLETE": "bash_source"},
    )
    assert "_lading_completion" in result.stdout


def test_help_imports_nothing_that_takes_time() -> None:
    """Neither SQLAlchemy nor rich, which a list of commands has no need of."""
    program = (
        "import sys; from click.testing import CliRunner; from lading.cli.main import main; "
        "print(CliRunner().invoke(main, ['--help']).exit_code, "
        "*{'sqlalchemy', 'rich', 'marshmallow', 'networkx', 'graphlay'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "0\n"
