"""Asks MariaDB's catalog tables about some tables, in one statement."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.dialects.mariadb_columns import Stored
from lading.database.dialects.real_columns import Tables
from lading.database.live.base import Database

#: Stands in SQL for the condition that a row is about one of some tables.
PLACES = "table_schema IS PLACES"


class CatalogTables:
    """The ``information_schema`` of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        #: The session's database, and whether names of tables fold case.
        self.server: tuple[str, bool] | None = None

    def columns(self, tables: Sequence[sa.Table]) -> Tables:
        """Return what the columns of some tables really are, in one statement."""
        place = self.database.dialect.place
        columns: dict[Any, dict[str, Stored]] = {place(table): {} for table in tables}
        for table, row in self.ask(
            "SELECT table_schema, table_name, column_name, data_type, column_type, "
            "character_maximum_length, character_octet_length, numeric_precision, numeric_scale, "
            "datetime_precision, character_set_name, collation_name, extra "
            f"FROM information_schema.columns WHERE {PLACES}",
            tables,
        ):
            stored = Stored(*row)
            columns[place(table)][stored.name.lower()] = stored
        self._refuse_broken_views([table for table in tables if not columns[place(table)]])
        return columns

    def _refuse_broken_views(self, tables: Sequence[sa.Table]) -> None:
        """Raise the server's own error for a view of what isn't there: it has no columns."""
        for table in self.views(tables):
            self.database.fetch(f"SELECT 1 FROM {self.database.dialect.table(table)} LIMIT 0")

    def views(self, tables: Sequence[sa.Table]) -> list[sa.Table]:
        """Return which of some tables are views."""
        sql = (
            "SELECT table_schema, table_name FROM information_schema.tables "
            f"WHERE table_type LIKE '%%VIEW' AND {PLACES}"
        )
        return [table for table, _ in self.ask(sql, tables)]

    def ask(self, sql: str, tables: Sequence[sa.Table]) -> Iterator[tuple[sa.Table, Row]]:
        """Ask a catalog table about some tables, in one statement; yield what it says of each.

        ``sql`` selects the schema and the table first, and has ``PLACES`` in place of the
        condition.
        In the catalog tables their names fold case, so tables that differ in it alone are
        asked for one after the other.
        """
        by_place: dict[tuple[str, str], list[sa.Table]] = defaultdict(list)
        for table in tables:  # two may be one table, with its schema and without
            by_place[self.real(*self.database.dialect.place(table))].append(table)
        parts: dict[int, list[tuple[str, str]]] = defaultdict(list)
        times: Counter[tuple[str, str]] = Counter()
        for schema, name in by_place:
            folded = schema.lower(), name.lower()
            parts[times[folded]].append((schema, name))
            times[folded] += 1
        for places in parts.values():
            group = f"({self.database.dialect.mark}, {self.database.dialect.mark})"
            condition = f"(table_schema, table_name) IN ({','.join([group] * len(places))})"
            values = tuple(name for place in places for name in place)
            for schema, name, *row in self.database.fetch(sql.replace(PLACES, condition), values):
                for table in by_place.get(self.real(schema, name), ()):
                    yield table, tuple(row)

    def real(self, schema: str | None, table: str) -> tuple[str, str]:
        """Return the schema and name that tell a table from all others.

        Whether they fold case is a setting of the server's.
        """
        if self.server is None:
            ((current, folds),) = self.database.fetch("SELECT database(), @@lower_case_table_names")
            self.server = current or "", bool(folds)
        current, folds = self.server
        place = current if schema is None else schema, table
        return (place[0].lower(), place[1].lower()) if folds else place
