"""Has SQLAlchemy read a table's own rows, and not those of tables that inherit from it."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from typing import Any

from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.engine import Dialect

from lading.database.dialects.real_columns import Place


def reading_own_rows(dialect: Dialect, parents: Collection[Place]) -> Dialect:
    """Return a dialect like another that writes ``FROM ONLY`` before these tables.

    Args:
        dialect: SQLAlchemy's dialect.
        parents: The tables that others inherit from.
    """

    class OwnRows(PGCompiler):
        def visit_table(self, table: Any, asfrom: Any = False, *rest: Any, **options: Any) -> str:
            text = str(super().visit_table(table, asfrom, *rest, **options))  # type: ignore[no-untyped-call]
            schema = (self.schema_translate_map or {}).get(table.schema, table.schema)
            return f"ONLY {text}" if asfrom and (schema, str(table.name)) in parents else text

    own = copy(dialect)
    own.statement_compiler = OwnRows
    return own
