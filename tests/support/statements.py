"""Which statements a block of code really runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import sqlalchemy as sa

from lading.database.live.postgresql import PostgreSQLDatabase


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """Yield the list of statements that the block runs on an engine, in order.

    A bulk statement counts once however many rows it has, and so does a COPY, which
    goes past SQLAlchemy.
    """
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    copy = PostgreSQLDatabase._copy

    def noted_copy(self: PostgreSQLDatabase, sql: str, rows: Sequence[Any]) -> None:
        if self.connection.engine is engine:
            seen.append(sql)
        copy(self, sql, rows)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        with mock.patch.object(PostgreSQLDatabase, "_copy", noted_copy):
            yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def run_sql(engine: sa.Engine, *sql: str) -> None:
    """Run statements in one transaction."""
    with engine.begin() as connection:
        for statement in sql:
            connection.exec_driver_sql(statement)
