"""Findings: problems, and errors as problems."""

from __future__ import annotations

from sqlalchemy.sql.elements import quoted_name

from lading.errors import TargetError
from lading.verifying.findings import problem_of


def test_the_place_of_an_error_can_be_written_whatever_named_it() -> None:
    """SQLAlchemy's names of reflected tables are texts that no encoder of JSON takes."""
    error = TargetError("is full", entity=quoted_name("goods", quote=None))
    assert type(problem_of(error, "backup").file) is str
