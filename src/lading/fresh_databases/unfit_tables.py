"""Tables of one engine's models that another engine can't have, and what to say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from lading.driver_errors.explanations import code_of, registration
from lading.errors import TargetError
from lading.messages import Message

#: How SQLite says that it can't carry out some SQL.
SQLITE_ERROR = ("sqlite", 1)


@contextmanager
def unfit_explained(dialect: sa.Dialect, tables: Iterable[sa.Table]) -> Iterator[None]:
    """Say of tables that an engine can't have why it can't, and what to do."""
    try:
        yield
    except (sa.exc.CompileError, sa.exc.OperationalError, AttributeError) as error:
        columns = (column for table in tables for column in table.columns)
        column = next((column for column in columns if lacks(dialect, column.type)), None)
        if column is not None:
            problem = f"has no type {column.type!r}, which column {column} is of"
        elif (orig := getattr(error, "orig", None)) and code_of(orig) == SQLITE_ERROR:
            problem = f"can't have the models' tables: {orig}"
        else:
            raise
        raise TargetError(
            Message("restore-failed", f"{dialect.name} {problem}"),
            _remedy(registration(str(getattr(error, "orig", "")))),
            entity=None if column is None else column.table.fullname,
        ) from error


def _remedy(registered: str | None) -> str:
    """Say how to get databases that have it; an application may register what SQLite lacks."""
    factory = (
        "engine_factory=, a function that gives databases of the models' own engine, such as the "
        "kit's fixtures lading_postgresql and lading_mariadb (restore= of verify)."
    )
    if registered is None:
        return f"Pass {factory}"
    rest = f"{registered[0].lower()}{registered[1:]}"
    return f"If another engine has it, pass {factory} Otherwise, {rest}"


def lacks(dialect: sa.Dialect, type_: TypeEngine[Any]) -> bool:
    """Tell whether a dialect has no such type as a column's."""
    try:
        dialect.type_compiler_instance.process(type_)
    except (sa.exc.CompileError, AttributeError):
        return True
    return False
