"""What ``--json`` prints of a command that fails, and how every document is printed."""

from __future__ import annotations

from typing import Any

import msgspec

from lading.report import ImportReport, Problem


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that a command prints."""


class FailureResult(Result, frozen=True):
    """What any command prints that can't do its work.

    ``error`` is the name of lading's exception, ``message`` what standard error says as well,
    ``exit_code`` what the command ends with, ``problems`` are those of records, and
    ``differences`` those from an expected plan.
    """

    error: str
    message: str
    exit_code: int
    problems: tuple[Problem, ...] = ()
    differences: tuple[str, ...] = ()


def failure_result(error: BaseException, message: str, exit_code: int) -> FailureResult:
    """Return what is said of an error."""
    report = getattr(error, "report", None)
    return FailureResult(
        error=type(error).__name__,
        message=message,
        exit_code=exit_code,
        problems=tuple(report.problems) if isinstance(report, ImportReport) else (),
        differences=tuple(getattr(error, "differences", ())),
    )


def json_line(result: Any) -> str:
    """Return a document on one line."""
    return msgspec.json.encode(result).decode()
