"""A database that lives through changes, made by plain Core statements past lading."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lading.database.live import database_for
from lading.testing.databases.factories import engine_name
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Instance, MadeUp, made_up_id
from lading.testing.datasets.insert import RowInserter
from lading.testing.stateful.state import Edit, State


class Live:
    """A database, and what it must hold."""

    def __init__(self, name: str, engine: sa.Engine, plans: Plans) -> None:
        self.name = name
        self.engine = engine
        self.plans = plans
        self.state = State(plans, engine_name(engine))

    def apply(self, change: Edit) -> None:
        """Make a change in the database; the ids are those that the database makes."""
        new = change.state
        origin = {row: old for row, old in new.origin.items() if row in set(new.instances)}
        kept = set(origin.values())
        gone = [old for old in self.state.instances if old not in kept]
        with self.engine.begin() as connection:
            writer = RowInserter(connection, new.resolved())
            for row, old in origin.items():
                for table, cells in row.rows.items():
                    if any(cells[name] is not old.rows[table][name] for name in cells):
                        writer.update(row, table)
            self._delete(RowInserter(connection, self.state.resolved()), gone)
            added = [row for row in new.instances if row not in origin]
            for row in added:
                self._insert(writer, row)
                writer.there.add(row)
            for row, item in writer.later:
                writer.update(row, item.table)
        self.state = new

    def _insert(self, writer: RowInserter, row: Instance) -> None:
        """Insert a row into each of its tables, and take the id that was made for it."""
        own = row.plan.made_up
        made = row.cell(own) if own is not None else None
        if isinstance(made, MadeUp) and any(
            far is row for item, far in row.led.items() if item.hard
        ):
            made.value = _id_ahead(writer.connection, row)
        for table in row.rows:
            values = writer.values(row, table)
            if isinstance(made, MadeUp) and made.value is None:
                del values[own.name]  # type: ignore[union-attr]
                result = writer.connection.execute(
                    sa.insert(writer.as_stored(table)).values(values)
                )
                key = result.inserted_primary_key
                assert key is not None
                made.value = key[0]
            else:
                writer.insert(table, [values])

    def _delete(self, writer: RowInserter, gone: list[Instance]) -> None:
        """Delete rows, the last first; what leads round in a circle is opened before."""
        for row in gone:
            for item, far in row.led.items():
                if far in gone and not item.hard:
                    row.rows[item.table].update({column.name: None for column in item.columns})
                    writer.update(row, item.table)
        for row in reversed(gone):
            for table in reversed(row.rows):
                values = writer.resolved.row(row, table)
                there = writer.as_stored(table)
                key = [column == values[column.name] for column in there.primary_key.columns]
                writer.connection.execute(sa.delete(there).where(*key))


def _id_ahead(connection: sa.Connection, row: Instance) -> Any:
    """Return an id for a row that must refer to itself, so that it is known beforehand."""
    plan = row.plan
    assert plan.made_up is not None
    if isinstance(plan.made_up.type, sa.Integer):
        return database_for(connection).allocate(plan.table, plan.made_up, 1)[0]
    return made_up_id(plan, row.number)
