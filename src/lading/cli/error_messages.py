"""Which exit code and message each error ends with, instead of a traceback."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from lading.cli.exit_codes import ExitCode, failure_result, json_line
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
NOTHING_LEFT = "nothing is left behind; a database is as it was, and so is a bundle"
#: How writing fails where there is no room.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Arguments as the library's messages name them.
_ARGUMENT = re.compile(
    r"\b(catalog|cascade|closure|dry_run|expect|goldens|include_ids|lock|max_bytes|on_conflict"
    r"|on_error|only|overwrite|restore|source)=('[\w ]+'|True|\.\.\.|…|)(?=[\s.,;:)]|$)"
)


class Terminated(KeyboardInterrupt):
    """Whoever runs the command has sent SIGTERM."""


def exit_code_of(error: LadingError) -> ExitCode:
    """Return the exit code of an error of lading's."""
    return next((code for cls, code in CODES.items() if isinstance(error, cls)), ExitCode.BUG)


@contextmanager
def failures_reported(*, as_json: bool) -> Iterator[None]:
    """Turn whatever a command raises into a message on standard error and an exit code.

    With ``as_json`` standard output gets it as a document as well.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal can't show
    try:
        with warnings_shown():
            yield
    except click.ClickException as error:
        if as_json:
            text, code = without_passwords(error.format_message()), ExitCode(error.exit_code)
            click.echo(json_line(failure_result(error, text, code)))
        raise
    except click.exceptions.Exit:
        raise
    except LadingError as error:
        _end(exit_code_of(error), error, in_words_of_options(str(error)), as_json=as_json)
    except (KeyboardInterrupt, click.Abort) as error:
        _end_interrupted(error, as_json=as_json)
    except Exception as error:
        if isinstance(error, OSError):
            _end_unwritten(error)
        _end(ExitCode.BUG, error, _bug_text(error), as_json=as_json)


def _end_interrupted(error: BaseException, *, as_json: bool) -> NoReturn:
    """End as interrupted or terminated; at a prompt, Click raises ``Abort`` in place of that."""
    error = error.__context__ or error if isinstance(error, click.Abort) else error
    code = ExitCode.TERMINATED if isinstance(error, Terminated) else ExitCode.INTERRUPTED
    _end(code, error, f"{code.name.lower()}: {NOTHING_LEFT}", as_json=as_json)


def _end(code: ExitCode, error: BaseException, text: str, *, as_json: bool) -> NoReturn:
    text = without_passwords(text)
    if as_json:
        click.echo(json_line(failure_result(error, text, code)))
    click.echo(f"Error: {text}", err=True)
    raise click.exceptions.Exit(code)


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Show warnings as lines on standard error, without the source that they come from."""

    def show(message: Warning | str, *_: object) -> None:
        text = in_words_of_options(str(message))
        click.echo(f"Warning: {without_passwords(text)}", err=True)

    with warnings.catch_warnings():
        for category in (UserWarning, RuntimeWarning):  # lading's own, and SQLAlchemy's
            warnings.simplefilter("always", category)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def in_words_of_options(text: str) -> str:
    """Return a message of the library's with options where it names arguments."""
    text = text.replace("lading.lock(catalog)", "lading lock")
    return _ARGUMENT.sub(lambda match: f"--{match[1].replace('_', '-')}{_value(match[2])}", text)


def _value(text: str) -> str:
    value = text.strip("'")
    return "" if value in ("", "True", "...", "…") else f" {value}"


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


def _end_unwritten(error: OSError) -> None:
    """End quietly where the output's reader has gone, as ``head`` does; say where no room is."""
    if error.errno != errno.EPIPE and error.errno not in FULL:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        raise click.exceptions.Exit(ExitCode.CLOSED_PIPE)
    place = error.filename or "standard output"
    text = f"{place}: can't be written: {error.strerror}. Make room, and run the command again."
    _end(ExitCode.BUNDLE, error, text, as_json=False)


@contextmanager
def termination_raised() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, which rolls back and removes what is half done."""
    is_default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_default or threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(*_: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
