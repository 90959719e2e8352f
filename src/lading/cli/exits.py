"""What a command ends with: its exit code, and one clear message instead of a traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import click

from lading.cli.results import FailureResult, json_line
from lading.cli.secrets import without_passwords
from lading.errors import (
    ArgumentError,
    BundleError,
    DeclarationError,
    ImportFailed,
    LadingError,
    OutcomeUnknown,
    PlanChanged,
    TargetError,
    VersionError,
)


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    DIFFERENCES = 1
    USAGE = 2
    BUNDLE = 3
    DATABASE = 4
    UNKNOWN = 5
    BUG = 70
    INTERRUPTED = 130
    CLOSED_PIPE = 141


#: The exit codes of lading's errors; the first class that fits counts.
CODES: dict[type[LadingError], ExitCode] = {
    OutcomeUnknown: ExitCode.UNKNOWN,
    PlanChanged: ExitCode.DIFFERENCES,
    TargetError: ExitCode.DATABASE,
    ImportFailed: ExitCode.BUNDLE,
    VersionError: ExitCode.BUNDLE,
    BundleError: ExitCode.BUNDLE,
    ArgumentError: ExitCode.USAGE,
    DeclarationError: ExitCode.USAGE,
}
#: Set to anything, it shows the traceback of a bug.
TRACEBACK = "LADING_TRACEBACK"


def exit_code_of(error: LadingError) -> ExitCode:
    """Return the exit code of an error of lading's."""
    return next((code for cls, code in CODES.items() if isinstance(error, cls)), ExitCode.BUG)


@contextmanager
def failures_reported(*, as_json: bool) -> Iterator[None]:
    """Turn whatever a command raises into a message on standard error and an exit code.

    With ``as_json`` standard output gets it as a document as well.
    """
    try:
        yield
    except click.UsageError as error:
        if as_json:
            click.echo(json_line(FailureResult("UsageError", error.format_message(), 2)))
        raise
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except LadingError as error:
        _end(exit_code_of(error), type(error).__name__, str(error), as_json=as_json)
    except KeyboardInterrupt:
        text = "interrupted; nothing was written, or all of it was rolled back"
        _end(ExitCode.INTERRUPTED, "KeyboardInterrupt", text, as_json=as_json)
    except OSError as error:
        if error.errno == errno.EPIPE:
            _leave_closed_pipe()
        _end(ExitCode.BUG, type(error).__name__, _bug_text(error), as_json=as_json)
    except Exception as error:  # a bug of lading's, which the message asks to report
        _end(ExitCode.BUG, type(error).__name__, _bug_text(error), as_json=as_json)


def _end(code: ExitCode, name: str, text: str, *, as_json: bool) -> None:
    text = without_passwords(text)
    if as_json:
        click.echo(json_line(FailureResult(name, text, code)))
    click.echo(f"Error: {text}", err=True)
    raise click.exceptions.Exit(code)


def _bug_text(error: Exception) -> str:
    """Say that an exception is a bug, and where; its text may hold values, and isn't shown."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if os.environ.get(TRACEBACK):
        click.echo(without_passwords("".join(traceback.format_exception(error))), err=True)
    return (
        f"this is a bug in lading: {type(error).__name__} in {Path(frame.filename).name}, line "
        f"{frame.lineno}. Please report it with this line, the command, and what lading --version "
        f"says; {TRACEBACK}=1 shows the traceback."
    )


def _leave_closed_pipe() -> None:
    """End quietly where the reader of the output has gone, as ``head`` does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    raise click.exceptions.Exit(ExitCode.CLOSED_PIPE)
