"""What a database holds at one moment: its rows as SQLAlchemy reads them, and their records."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from lading.exporter import export_document
from lading.fresh_databases.factories import engine_name
from lading.testing.compare.records import Who, cell_differences, key_text, record_differences
from lading.testing.compare.stored import stored_cells
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Instance, Resolved
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.reading import read_rows
from lading.testing.trips.bundles import as_loaded
from lading.testing.trips.failures import RoundTripError, hold_none, noted

#: A row: its table and its primary key.
Place = tuple[str, str]


class State:
    """What one database holds.

    ``instances`` stand in an order in which required references lead to earlier ones; ``cells``
    are what is stored, by the database's own types and texts.

    Args:
        name: What errors call the database.
        engine: Its engine.
        resolved: Its rows.
    """

    def __init__(self, name: str, engine: sa.Engine, resolved: Resolved) -> None:
        self.name = name
        self.engine = engine
        self.resolved = resolved
        self.instances = resolved.dataset.instances
        self.plans = resolved.dataset.plans
        self.written = Written(resolved)
        self.cells = stored_cells(engine, self.plans.of)

    @classmethod
    def fresh(cls, name: str, engine: sa.Engine, plans: Plans) -> Self:
        """Return what a fresh database holds: no row."""
        return cls(name, engine, Resolved(Dataset(plans, []), {engine_name(engine)}))

    def read(self) -> Self:
        """Read what the database holds now."""
        rows = Dataset(self.plans, read_rows(self.engine, self.plans))
        return type(self)(self.name, self.engine, Resolved(rows, {self.resolved.at}))

    @cached_property
    def document(self) -> dict[str, list[Any]]:
        """The records that the rows make, by entity."""
        return self.written.document()

    @cached_property
    def export(self) -> dict[str, Any]:
        """The document that is exported, when it is first asked for."""
        with noted(f"the export of {self.name} as a document"):
            return export_document(self.engine, catalog=self.plans.catalog)

    def named(self, instance: Instance) -> str:
        """Name a row for people: ``products {"slug": "a"}``."""
        rows = instance.plan.rows
        if rows is None or not rows.key:
            return f"{instance.plan.name} #{instance.number}"
        return f"{instance.plan.name} {key_text(rows, self.written.key(rows.key, instance))}"

    @cached_property
    def records(self) -> dict[Instance, Who]:
        """The record that each row is in; without rows that are in none."""
        roots = {root.table: root for root in self.plans.entities.roots.values()}
        whose: dict[Instance, Who] = {}
        for row in self.instances:
            top: Instance | None = row
            while top is not None and top.plan.table not in roots:
                ways = top.plan.foreign[:1] if top.plan.rows is None else top.plan.owners
                top = next((top.led[way] for way in ways if top.led.get(way)), None)
            if top is not None:
                root = roots[top.plan.table]
                whose[row] = root.name, key_text(root, self.written.key(root.key, top))
        return whose

    @cached_property
    def rows(self) -> dict[Place, tuple[Instance, dict[str, Any]]]:
        """What stands in each row of each table, with the object that it is a row of."""
        rows = {}
        for instance in self.instances:
            for table in instance.rows:
                row = self.resolved.row(instance, table)
                identity = [row[column.name] for column in table.primary_key or table.columns]
                rows[table.fullname, repr(identity)] = instance, row
        return rows

    # What must hold

    def hold_cells(self, what: str) -> None:
        """Hold what the database stores now against what it stored then."""
        cells = stored_cells(self.engine, self.plans.of)
        if cells != self.cells:
            differing = cell_differences(self.plans.catalog, self.cells, cells)
            raise RoundTripError(f"{what} changed cells of {self.name}:", differing)

    def hold_export(self, content: Path | dict[str, Any], what: str) -> None:
        """Hold an export's records, and their order, against those that the rows make."""
        entities = self.plans.entities
        records = as_loaded(entities, content)
        differing = record_differences(entities, self.document, records, ordered=True)
        hold_none(differing, f"{what} says otherwise than the rows of {self.name}:")
