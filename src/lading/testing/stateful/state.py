"""What a database that changes holds at one moment, told in memory."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any, Self

from lading.messages import shown
from lading.model.rowsets import Member
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import FOLDING, Dataset, Instance, Resolved, Varying
from lading.testing.datasets.draw import allowed
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.table_plan import Foreign, Plan


class State:
    """The rows of one database; ``engine`` is the name of what holds it.

    ``instances`` stand in an order in which required references lead to earlier ones.
    ``origin`` maps the rows of a copy to those that they are copies of.
    """

    def __init__(self, plans: Plans, engine: str, instances: Iterable[Instance] = ()) -> None:
        self.plans = plans
        self.engine = engine
        self.instances = list(instances)
        self.origin: dict[Instance, Instance] = {}

    def copy(self) -> Self:
        """Return a copy that may be changed; its rows' ids are the same objects."""
        made = {
            old: Instance(
                old.plan,
                old.number,
                old.kind,
                {table: dict(row) for table, row in old.rows.items()},
            )
            for old in self.instances
        }
        for old, new in made.items():
            new.led = {item: None if far is None else made[far] for item, far in old.led.items()}
        copied = type(self)(self.plans, self.engine, made.values())
        copied.origin = {new: old for old, new in made.items()}
        return copied

    def of(self, plan: Plan) -> list[Instance]:
        """Return the rows of one plan."""
        return [item for item in self.instances if item.plan is plan]

    def resolved(self) -> Resolved:
        """Return the rows as the engine holds them."""
        return Dataset(self.plans, self.instances).resolved({self.engine})

    def written(self) -> Written:
        """Return the records that the rows make."""
        return Written(self.resolved())

    def named(self, instance: Instance) -> str:
        """Name a row for people: ``products {"slug": "a"}``."""
        rows = instance.plan.rows
        if rows is None or not rows.key:
            return f"{instance.plan.name} #{instance.number}"
        return f"{instance.plan.name} {key_text(self.written(), rows.key, instance)}"

    def settle(self, instances: Iterable[Instance]) -> None:
        """Give new rows the values that this database's engine holds.

        Where a collation may hold different texts for equal, what is unique becomes harmless:
        nobody could foretell which of them clash.
        """
        new = list(instances)
        spared: set[Varying] = set()
        if self.engine == FOLDING:
            for instance in new:
                for unique in instance.plan.uniques:
                    cells = instance.cells(unique.columns)
                    spared.update(cell for cell in cells if isinstance(cell, Varying))
        for instance in new:
            drawn = instance.rows
            instance.rows = {
                table: {name: self._held(cell, spared) for name, cell in row.items()}
                for table, row in drawn.items()
            }
            if not allowed(instance):
                harmless = {
                    cell
                    for row in drawn.values()
                    for cell in row.values()
                    if isinstance(cell, Varying)
                }
                instance.rows = {
                    table: {name: self._held(cell, harmless) for name, cell in row.items()}
                    for table, row in drawn.items()
                }

    def _held(self, cell: Any, harmless: set[Varying]) -> Any:
        """Return what the engine holds of a cell."""
        if not isinstance(cell, Varying):
            return cell
        return cell.fallback if cell in harmless else cell.on({self.engine})

    def referring(self, targets: Collection[Instance]) -> list[tuple[Instance, Foreign]]:
        """List the other rows' foreign keys that lead to some rows."""
        return [
            (near, item)
            for near in self.instances
            if near not in targets
            for item, far in near.led.items()
            if far in targets
        ]

    def remove(self, instances: Collection[Instance]) -> None:
        """Take rows out."""
        self.instances = [item for item in self.instances if item not in instances]


class Change:
    """A change to one database: what it holds afterwards, and a text that says what is done."""

    def __init__(self, where: str, state: State, text: str) -> None:
        self.where = where
        self.state = state
        self.text = text

    def __repr__(self) -> str:
        return f"<{self.where}: {self.text}>"


def key_text(written: Written, parts: Iterable[Member], instance: Instance) -> str:
    """Return what an object holds in its natural key as one text; equal keys, equal texts."""
    return plain_text(written.key(parts, instance))


def plain_text(value: Any) -> str:
    """Return a written value as one text, whatever the order of its fields."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=repr)


def cells_text(before: Instance, after: Instance) -> str:
    """Say which cells of a row have changed."""
    found = []
    for table, row in after.rows.items():
        was = before.rows.get(table, {})
        found += [
            f"{name} {shown(was.get(name))} -> {shown(cell)}"
            for name, cell in row.items()
            if cell is not was.get(name) and repr(cell) != repr(was.get(name))
        ]
    return ", ".join(dict.fromkeys(found)) or "nothing"
