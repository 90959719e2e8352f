"""SQLite's dialect as the models say, for what needs to know a column and no database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from lading.database.dialects.base import ServerFacts
from lading.database.dialects.sqlite import SQLite
from lading.database.dialects.sqlite_columns import DeclaredSQLiteColumns


def sqlite_dialect(metadata: sa.MetaData) -> SQLite:
    """Return the dialect of a database whose tables the models made."""
    dialect = sqlite.dialect()
    declared = DeclaredSQLiteColumns(dialect)
    tables = {
        (table.schema, table.name): {column.name.lower(): declared(column) for column in table.c}
        for table in metadata.tables.values()
    }
    return SQLite(dialect, tables, translate={}, facts=ServerFacts())
