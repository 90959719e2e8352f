"""Writes a dataset to a database with SQLAlchemy Core, past everything that lading does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import networkx as nx
import sqlalchemy as sa

from lading.fresh_databases.factories import engine_name
from lading.mapping.columns import underlying
from lading.testing.datasets.dataset import Dataset, Instance, Resolved

Row = dict[str, Any]


def write(dataset: Dataset, engine: sa.Engine, engines: Iterable[str], *, other: bool) -> Resolved:
    """Insert a dataset's rows, and return them as they are read from the database.

    A reference that leads to a later row is set once that row is there.

    Args:
        dataset: The rows.
        engine: The engine of the database, which has all tables and no rows.
        engines: The names of the engines that must all hold the values.
        other: Whether the same data is written with other ids and in another order.

    Returns:
        The rows with the values that all of these engines hold.
    """
    resolved = Resolved(dataset, frozenset(engines), engine_name(engine), other=other)
    with engine.begin() as connection:
        RowInserter(connection, resolved).write(
            ordered(reversed(dataset.instances)) if other else dataset.instances
        )
    return resolved


class RowInserter:
    """Inserts objects in a given order, and counts on each one's required targets before it."""

    def __init__(self, connection: sa.Connection, resolved: Resolved) -> None:
        self.connection = connection
        self.resolved = resolved
        self.as_stored = resolved.dataset.plans.as_stored
        self.there: set[Instance] = set()
        self.later: dict[tuple[Instance, sa.Table], None] = {}
        if connection.dialect.name == "postgresql":
            sa.event.listen(connection, "before_cursor_execute", _with_ids, retval=True)

    def write(self, instances: Iterable[Instance]) -> None:
        """Insert all rows, then set what had to wait."""
        for (table, _), pairs in groupby(self._rows(instances), key=lambda pair: pair[0]):
            rows, insert = [row for _, row in pairs], sa.insert(self.as_stored(table))
            if any(isinstance(value, sa.Null) for row in rows for value in row.values()):
                self.connection.execute(insert.values(rows))  # NULL in SQL, past any decorator
            else:
                self.connection.execute(insert, rows)
        for instance, table in self.later:
            self.update(instance, table)

    def _rows(self, instances: Iterable[Instance]) -> Iterator[tuple[tuple[sa.Table, Any], Row]]:
        """Yield each row with its table and the columns that it has."""
        for instance in instances:
            waiting = [
                foreign
                for foreign, far in instance.led.items()
                if not foreign.hard and far is not None and far not in self.there
            ]
            self.later |= {(instance, foreign.table): None for foreign in waiting}
            self.there.add(instance)
            for table in instance.rows:
                columns = [c for foreign in waiting for c in foreign.own if c.table is table]
                row = self._row(instance, table) | {column.name: None for column in columns}
                yield (table, tuple(row)), row

    def _row(self, instance: Instance, table: sa.Table) -> Row:
        """Return a row with SQL's NULL where a plain ``None`` would be JSON's own null."""
        row = self.resolved.row(instance, table)
        types = {name: table.c[name].type for name, value in row.items() if value is None}
        nulls = {
            name: sa.null()
            for name, type_ in types.items()
            if isinstance(underlying(type_.dialect_impl(self.connection.dialect)), sa.JSON)
        }
        return row | nulls

    def update(self, instance: Instance, table: sa.Table) -> None:
        """Say a whole row again, lest an ``onupdate`` has its say."""
        row = self._row(instance, table)
        values = {name: v for name, v in row.items() if not table.c[name].primary_key}
        self._execute(sa.update(self.as_stored(table)).values(values), table, row)

    def delete(self, instance: Instance) -> None:
        """Delete a row from each of its tables."""
        for table in reversed(instance.rows):
            row = self._row(instance, table)
            self._execute(sa.delete(self.as_stored(table)), table, row)

    def _execute(self, statement: Any, table: sa.Table, row: Row) -> None:
        """Run a statement for one row, which a link table without a key knows by its cells."""
        key = self.as_stored(table).primary_key or self.as_stored(table).columns
        self.connection.execute(statement.where(*(column == row[column.name] for column in key)))


def _with_ids(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
) -> tuple[str, Any]:
    """Insist on the values of an insert: else GENERATED ALWAYS takes none."""
    values = ") OVERRIDING SYSTEM VALUE VALUES ("
    is_insert = statement.startswith("INSERT")
    return statement.replace(") VALUES (", values, 1) if is_insert else statement, parameters


def ordered(instances: Iterable[Instance]) -> list[Instance]:
    """Return objects in the order given, as far as required references allow."""
    targets = nx.DiGraph(
        {
            instance: [far for key, far in instance.led.items() if key.hard and far is not None]
            for instance in instances
        }
    )
    return list(nx.dfs_postorder_nodes(targets))
