"""Errors as problems, which a verification lists."""

from __future__ import annotations

from lading.errors import LadingError
from lading.messages import sentence
from lading.report import Problem


def problem_of(error: LadingError, file: str) -> Problem:
    """Return an error as a problem; ``file`` is its place if it names none."""
    text = sentence("", error.problem, error.remedy).removesuffix(".")
    place = error.file or error.entity or file
    return Problem(place, error.record, error.key, error.field, text)
