"""Writes a dataset to a database with SQLAlchemy Core, past everything that lading does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import networkx as nx
import sqlalchemy as sa

from lading.fresh_databases.factories import engine_name
from lading.testing.datasets.dataset import Dataset, Instance, Resolved
from lading.testing.datasets.table_plan import Foreign

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
    resolved = dataset.resolved(frozenset(engines), at=engine_name(engine), other=other)
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
        self.later: list[tuple[Instance, Foreign]] = []

    def write(self, instances: Iterable[Instance]) -> None:
        """Insert all rows, then set what had to wait."""
        for (table, _), rows in groupby(self._rows(instances), key=lambda pair: pair[0]):
            self._insert(table, [row for _, row in rows])
        for instance, foreign in self.later:
            self.update(instance, foreign.table)

    def _rows(self, instances: Iterable[Instance]) -> Iterator[tuple[tuple[sa.Table, Any], Row]]:
        """Yield each row with its table and the columns that it has."""
        for instance in instances:
            waiting = self._waiting(instance)
            self.there.add(instance)
            for table in instance.rows:
                row = self._row(instance, table, waiting)
                yield (table, tuple(row)), row

    def _row(self, instance: Instance, table: sa.Table, waiting: set[tuple[sa.Table, str]]) -> Row:
        row = self._bound(table, self.resolved.row(instance, table))
        row.update({name: None for owner, name in waiting if owner is table})
        return row

    def _waiting(self, instance: Instance) -> set[tuple[sa.Table, str]]:
        waiting_columns = set()
        for foreign, far in instance.led.items():
            if not foreign.hard and far is not None and far not in self.there:
                self.later.append((instance, foreign))
                waiting_columns |= {(foreign.table, column.name) for column in foreign.columns}
        return waiting_columns

    def _bound(self, table: sa.Table, row: Row) -> Row:
        """Say SQL's NULL where a plain ``None`` would be JSON's own null."""
        dialect = self.connection.dialect
        return {
            name: sa.null()
            if value is None and isinstance(table.c[name].type.dialect_impl(dialect), sa.JSON)
            else value
            for name, value in row.items()
        }

    def _insert(self, table: sa.Table, rows: list[Row]) -> None:
        """Insert rows that hold their ids."""
        statement: Any = sa.insert(self.as_stored(table))
        # SQLAlchemy calls none an autoincrement column that is in a foreign key as well.
        is_always = any(c.identity is not None and c.identity.always for c in table.columns)
        if is_always and self.connection.dialect.name == "postgresql":
            self._overriding(statement, rows)
        else:
            self.connection.execute(statement, rows)

    def _overriding(self, statement: Any, rows: list[Row]) -> None:
        """GENERATED ALWAYS takes a value only where the statement insists."""
        for row in rows:
            compiled = statement.values(row).compile(self.connection)
            text = str(compiled).replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)
            processors = compiled._bind_processors
            values = {
                name: processors[name](value) if name in processors else value
                for name, value in compiled.params.items()
            }
            self.connection.exec_driver_sql(text, values)

    def update(self, instance: Instance, table: sa.Table) -> None:
        """Say a whole row again, lest an ``onupdate`` has its say."""
        row = self._bound(table, self.resolved.row(instance, table))
        key = self._identified(table, row)
        values = {name: v for name, v in row.items() if not table.c[name].primary_key}
        self.connection.execute(sa.update(self.as_stored(table)).where(*key).values(values))

    def delete(self, instance: Instance) -> None:
        """Delete a row from each of its tables."""
        for table in reversed(instance.rows):
            key = self._identified(table, self.resolved.row(instance, table))
            self.connection.execute(sa.delete(self.as_stored(table)).where(*key))

    def _identified(self, table: sa.Table, row: Row) -> list[Any]:
        columns = self.as_stored(table).primary_key.columns
        return [column == row[column.name] for column in columns]


def ordered(instances: Iterable[Instance]) -> list[Instance]:
    """Return objects in the order given, as far as required references allow."""
    targets = nx.DiGraph(
        {
            instance: [far for key, far in instance.led.items() if key.hard and far is not None]
            for instance in instances
        }
    )
    return list(nx.dfs_postorder_nodes(targets))
