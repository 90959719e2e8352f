"""What a database holds at one moment: its rows as SQLAlchemy reads them, and their records."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import sqlalchemy as sa

from lading.fresh_databases.factories import engine_name
from lading.testing.compare.records import Who, key_text
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Instance, Resolved
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.reading import read_rows

#: A row: its table and its primary key.
Place = tuple[str, str]


class State:
    """The rows of one database; ``engine`` is the name of what holds it.

    ``instances`` stand in an order in which required references lead to earlier ones.
    """

    def __init__(self, plans: Plans, engine: str, instances: list[Instance]) -> None:
        self.plans = plans
        self.engine = engine
        self.instances = instances

    @classmethod
    def read(cls, engine: sa.Engine, plans: Plans) -> Self:
        """Read what a database holds now."""
        return cls(plans, engine_name(engine), read_rows(engine, plans))

    @cached_property
    def resolved(self) -> Resolved:
        """The rows as the engine holds them."""
        return Resolved(Dataset(self.plans, self.instances), {self.engine})

    @cached_property
    def written(self) -> Written:
        """The records that the rows make."""
        return Written(self.resolved)

    @cached_property
    def document(self) -> dict[str, list[Any]]:
        """The records that the rows make, by entity."""
        return self.written.document()

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
