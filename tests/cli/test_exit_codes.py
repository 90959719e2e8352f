"""How commands end: a code and one clear message, and never a traceback."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import click
import pytest

from cli.conftest import DECLARED, query
from lading import errors
from lading.cli import error_messages
from lading.cli.error_messages import (
    CODES,
    exit_code_of,
    failures_reported,
    in_words_of_options,
    termination_raised,
)
from lading.cli.exit_codes import ExitCode
from lading.cli.main import main
from lading.report import ImportReport

LADING = [sys.executable, "-m", "lading"]
SLOW = f"""
import time
from pathlib import Path
from marshmallow import post_dump
{DECLARED}
    @post_dump
    def wait(self, data, **_):
        Path("waiting").touch()
        time.sleep(60)
        return data
"""


def lading(*args: str, **settings) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run([*LADING, *args], capture_output=True, text=True, check=False, **settings)


def test_a_process_ends_with_the_code(shop, folder) -> None:
    """The real command: results on standard output, all else on standard error."""
    result = lading("export", shop, "backup", "--json")
    assert (result.returncode, json.loads(result.stdout)["records"]) == (0, 5)
    result = lading("export", shop, "backup")
    assert (result.returncode, result.stdout) == (3, "")


def test_every_error_has_its_code() -> None:
    """Each class of lading's errors has one, by the table."""
    made = {
        errors.ArgumentError("only", 1, "names"): 2,
        errors.DeclarationError("key-undecided", "x"): 2,
        errors.BundleError("x"): 3,
        errors.ChecksumError("x", expected="a", found="b"): 3,
        errors.VersionError("x"): 3,
        errors.ImportFailed(ImportReport()): 3,
        errors.TargetError("x"): 4,
        errors.OutcomeUnknown("x"): 5,
        errors.PlanChanged(["x"]): 1,
    }
    assert {error: exit_code_of(error) for error in made} == made
    public = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.LadingError)
    }
    covered = {type(error) for error in made}
    assert public - {errors.LadingError} == covered
    assert all(any(issubclass(cls, known) for known in CODES) for cls in covered)


@pytest.fixture
def fake(monkeypatch):
    """Put a command in the place of ``inspect``."""

    def put(function) -> None:
        command = click.Command(
            "inspect",
            callback=lambda as_json: function(),
            params=[click.Option(["--json", "as_json"], is_flag=True)],
        )
        monkeypatch.setattr(type(main), "get_command", lambda *_: command)

    return put


def test_a_foreign_exception_is_a_bug(run, fake, monkeypatch) -> None:
    """It says so, where, and how to report it; its text, which may hold values, isn't shown."""

    def fail() -> None:
        raise KeyError("secret value")

    fake(fail)
    stderr = run("inspect", code=70).stderr
    assert "this is a bug in lading: KeyError in test_exit_codes.py, line" in stderr
    assert "lading --version" in stderr
    assert "secret value" not in stderr
    failure = json.loads(run("inspect", "--json", code=70).stdout)
    assert failure["error"] == "bug"
    monkeypatch.setenv(error_messages.TRACEBACK, "1")
    assert "secret value" in run("inspect", code=70).stderr


def test_an_interruption_says_that_nothing_is_left(run, fake) -> None:
    """Its code is the shell's for Ctrl-C."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    fake(interrupt)
    assert "nothing is left behind" in run("inspect", code=130).stderr


def test_an_unknown_outcome_has_a_code_of_its_own(run, fake) -> None:
    """Whoever runs imports by a script must tell it from a refusal."""

    def lose() -> None:
        raise errors.OutcomeUnknown(
            "the connection was lost", "Import again with on_conflict='skip'."
        )

    fake(lose)
    assert "Import again with --on-conflict skip." in run("inspect", code=5).stderr


def test_warnings_are_lines_without_source(run, fake) -> None:
    """They say what the library's say, in words of options, also where warnings are errors."""

    def warn() -> None:
        warnings.warn("pass overwrite=True", errors.LeftOutWarning, stacklevel=1)

    fake(warn)
    assert run("inspect").stderr == "Warning: pass --overwrite\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Pass overwrite=True to replace it", "Pass --overwrite to replace it"),
        ("Pass catalog=.", "Pass --catalog."),
        ("pass catalog=…", "pass --catalog"),
        ("with on_conflict='skip'", "with --on-conflict skip"),
        ("Make a new plan by dry_run=True, and", "Make a new plan by --dry-run, and"),
        ("slug=True is data, only='x' is not", "slug=True is data, --only x is not"),
    ],
)
def test_messages_name_options(text, words) -> None:
    """The library speaks of arguments, the command of options."""
    assert in_words_of_options(text) == words


@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_leaves_nothing(shop, folder, sent, code, word) -> None:
    """An export that Ctrl-C or SIGTERM ends leaves no bundle and no temporary file."""
    Path("slow.py").write_text(SLOW)
    # A shell's background job ignores Ctrl-C, and so would what it starts.
    before = signal.signal(sent, signal.default_int_handler)
    process = subprocess.Popen(
        [*LADING, "export", shop, "backup", "--catalog", "slow:catalog"],
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(sent, before)
    while not Path("waiting").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(sent)
    _, stderr = process.communicate()
    assert (process.returncode, stderr) == (code, f"Error: {word}: {error_messages.NOTHING_LEFT}\n")
    assert not [path.name for path in folder.iterdir() if "backup" in path.name]


def test_a_reader_that_goes_away_is_no_bug(shop) -> None:
    """As ``lading inspect | head`` does."""
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [*LADING, "inspect", shop], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert result.returncode == 141
    assert "bug" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("arguments", [("inspect",), ("graph", "--json"), ("export", "-")])
def test_a_full_disk_behind_the_output_is_no_bug(shop, arguments) -> None:
    """It says that there is no room, whatever form the result has."""
    command, *rest = arguments
    call = [*LADING, command, shop, *rest]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 3
    assert "standard output: can't be written: No space left on device." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_terminal_is_asked_before_a_mirror_deletes(run, shop, backup) -> None:
    """Yes carries out what was shown; anything else leaves all as it is."""
    query(shop, "INSERT INTO products VALUES (9, 'yeast', 5, NULL)")
    for answer, code, count in ((b"n\n", 1, 4), (b"y\n", 0, 3)):
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            [*LADING, "import", shop, backup, "--on-conflict", "mirror"],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.write(controller, answer)
        _, stderr = process.communicate(timeout=120)
        os.close(controller)
        os.close(terminal)
        assert process.returncode == code, stderr
        assert "- products slug 'yeast'" in stderr
        assert query(shop, "SELECT count(*) FROM products") == [(count,)]


def test_the_group_mounts_as_a_command_of_flask(shop, folder) -> None:
    """Applications that have a command of their own take lading's as one."""
    import flask

    app = flask.Flask("shop")
    app.cli.add_command(main, "lading")
    result = app.test_cli_runner().invoke(args=["lading", "export", shop, "backup"])
    assert result.exit_code == 0, result.output
    assert (folder / "backup").is_dir()
    result = app.test_cli_runner().invoke(args=["lading", "export", shop, "backup"])
    assert result.exit_code == ExitCode.BUNDLE


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (errno.EPIPE, ExitCode.CLOSED_PIPE, ""),
        (errno.ENOSPC, ExitCode.BUNDLE, "standard output: can't be written: no room. Make room"),
        (errno.EIO, ExitCode.BUG, "this is a bug in lading: OSError"),
    ],
)
def test_what_the_output_refuses_is_told_from_a_bug(number, code, text, capfd) -> None:
    """A reader that has gone, a full disk, and anything else that a system may say."""
    with pytest.raises(click.exceptions.Exit) as caught, failures_reported(as_json=False):
        raise OSError(number, "no room")
    assert caught.value.exit_code == code
    assert text in capfd.readouterr().err


def test_an_output_that_is_no_file_is_left_as_it_is(monkeypatch) -> None:
    """Whoever calls a command from Python may have put anything in its place."""
    output = io.StringIO()
    monkeypatch.setattr("sys.stdout", output)
    with failures_reported(as_json=False):
        click.echo("café ☕")
    assert output.getvalue() == "café ☕\n"


def test_a_handler_of_the_application_s_own_stays() -> None:
    """A command within an application is ended as the application ends."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        handler = signal.getsignal(signal.SIGTERM)
        with termination_raised():
            assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
