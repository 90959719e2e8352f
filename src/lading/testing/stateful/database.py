"""A database that lives through changes, made by plain Core statements past lading."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lading.database.live import database_for
from lading.fresh_databases.factories import engine_name
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Instance, MadeUp, made_up_id
from lading.testing.datasets.insert import RowInserter
from lading.testing.datasets.reading import read_rows
from lading.testing.stateful.edits import Edit
from lading.testing.stateful.state import State


class Live:
    """A database, and what it holds."""

    def __init__(self, name: str, engine: sa.Engine, plans: Plans) -> None:
        self.name = name
        self.engine = engine
        self.plans = plans
        self.state = State(plans, engine_name(engine), [])

    def read(self) -> None:
        """Read what the database holds now."""
        self.state = State(self.plans, self.state.engine, read_rows(self.engine, self.plans))

    def apply(self, edit: Edit) -> None:
        """Make a change, unless the database refuses it; ids are those that it makes."""
        rows = Dataset(self.plans, [*self.state.instances, *edit.added])
        resolved = rows.resolved({self.state.engine})
        try:
            with self.engine.begin() as connection:
                inserter = RowInserter(connection, resolved)
                inserter.there.update(self.state.instances)
                for row in edit.changed:
                    for table in row.rows:
                        inserter.update(row, table)
                for row in reversed(edit.gone):
                    _delete(inserter, row)
                for row in edit.added:
                    _insert(inserter, row)
                for row, foreign in inserter.later:
                    inserter.update(row, foreign.table)
        except sa.exc.IntegrityError:
            pass  # other rows need what would be gone
        self.read()


def _insert(inserter: RowInserter, row: Instance) -> None:
    """Insert a row into each of its tables, and take the id that was made for it."""
    own = row.plan.made_up
    made_up = row.cell(own) if own is not None else None
    if isinstance(made_up, MadeUp) and any(
        far is row for foreign, far in row.led.items() if foreign.hard
    ):
        made_up.value = _id_ahead(inserter.connection, row)
    for table in row.rows:
        values = inserter.values(row, table)
        if isinstance(made_up, MadeUp) and made_up.value is None:
            del values[own.name]  # type: ignore[union-attr]
            statement = sa.insert(inserter.as_stored(table)).values(values)
            key = inserter.connection.execute(statement).inserted_primary_key
            assert key is not None
            made_up.value = key[0]
        else:
            inserter.insert(table, [values])
    inserter.there.add(row)


def _delete(inserter: RowInserter, row: Instance) -> None:
    for table in reversed(row.rows):
        values = inserter.resolved.row(row, table)
        there = inserter.as_stored(table)
        key = [column == values[column.name] for column in there.primary_key.columns]
        inserter.connection.execute(sa.delete(there).where(*key))


def _id_ahead(connection: sa.Connection, row: Instance) -> Any:
    """Return an id for a row that must refer to itself, so that it is known beforehand."""
    plan = row.plan
    assert plan.made_up is not None
    if isinstance(plan.made_up.type, sa.Integer):
        database = database_for(connection)
        database.look_up_columns([plan.table])
        return database.allocate(plan.table, plan.made_up, 1)[0]
    return made_up_id(plan, row.number)
