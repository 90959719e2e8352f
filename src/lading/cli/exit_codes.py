"""The exit codes, and what ``--json`` prints of a command that fails."""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any

import msgspec

from lading.report import ImportReport, Problem


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
    TERMINATED = 143


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that a command prints."""


class FailureResult(Result, frozen=True):
    """What any command prints that can't do its work.

    ``error`` is the code of the class of lading's error, or ``"usage"``, ``"interrupted"``,
    ``"terminated"`` or ``"bug"``, ``code`` that of the situation, which may be the same,
    ``message`` what standard error says as well, ``exit_code`` what the command ends with,
    ``problems`` are those of records, and ``differences`` those from an expected plan.
    """

    error: str
    message: str
    exit_code: int
    code: str
    problems: tuple[Problem, ...] = ()
    differences: tuple[str, ...] = ()


def failure_result(error: BaseException, message: str, exit_code: ExitCode) -> FailureResult:
    """Return what is said of an error."""
    report = getattr(error, "report", None)
    of_class = getattr(type(error), "code", exit_code.name.lower())
    return FailureResult(
        error=of_class,
        message=message,
        exit_code=exit_code,
        code=getattr(error, "code", of_class),
        problems=tuple(report.problems) if isinstance(report, ImportReport) else (),
        differences=tuple(getattr(error, "differences", ())),
    )


def json_line(result: Any) -> bytes:
    """Return a document on one line, in UTF-8 whatever the terminal's encoding."""
    try:
        return msgspec.json.encode(result)
    except UnicodeEncodeError:  # a path of bytes that are no text
        return json.dumps(msgspec.to_builtins(result)).encode()
