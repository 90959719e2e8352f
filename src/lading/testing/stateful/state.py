"""What a database that changes holds at one moment, in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Self

from lading.messages import shown
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import (
    FOLDING,
    Dataset,
    Instance,
    MadeUp,
    Resolved,
    Varying,
)
from lading.testing.datasets.draw import allowed
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.table_plan import Foreign, Plan
from lading.testing.stateful.outcome import Who, key_text


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
        copies = {old: old.copy() for old in self.instances}
        for old, new in copies.items():
            new.led = {item: None if far is None else copies[far] for item, far in old.led.items()}
        copied = type(self)(self.plans, self.engine, copies.values())
        copied.origin = {new: old for old, new in copies.items()}
        return copied

    def of(self, plan: Plan) -> list[Instance]:
        """Return the rows of one plan."""
        return [row for row in self.instances if row.plan is plan]

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
        key = self.written().key(rows.key, instance)
        return f"{instance.plan.name} {key_text(rows.key_names, key)}"

    def records(self) -> dict[Instance, Who]:
        """Return the record that each row is in; without rows that are in none."""
        written = self.written()
        roots = {root.table: root for root in self.plans.entities.roots.values()}
        found: dict[Instance, Who] = {}
        for row in self.instances:
            top: Instance | None = row
            while top is not None and top.plan.table not in roots:
                is_link = top.plan in self.plans.links
                ways = top.plan.foreign[:1] if is_link else top.plan.owners
                top = next((top.led[way] for way in ways if top.led.get(way)), None)
            if top is not None:
                root = roots[top.plan.table]
                found[row] = root.name, key_text(root.key_names, written.key(root.key, top))
        return found

    def label_ids(self) -> None:
        """Let made-up ids of equal records count as one, whatever database made them."""
        for row, who in self.records().items():
            made = row.cell(row.plan.made_up) if row.plan.made_up is not None else None
            if isinstance(made, MadeUp) and who[0] == row.plan.name:
                made.label = who

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
            instance.rows = self._held(drawn, spared)
            if not allowed(instance):
                varying = {
                    cell
                    for row in drawn.values()
                    for cell in row.values()
                    if isinstance(cell, Varying)
                }
                instance.rows = self._held(drawn, varying)

    def _held(self, rows: dict[Any, dict[str, Any]], harmless: set[Varying]) -> Any:
        """Return rows with what the engine holds of each cell."""

        def held(cell: Any) -> Any:
            if not isinstance(cell, Varying):
                return cell
            return cell.fallback if cell in harmless else cell.on({self.engine})

        return {
            table: {name: held(cell) for name, cell in row.items()} for table, row in rows.items()
        }

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
        self.instances = [row for row in self.instances if row not in instances]


class Edit:
    """A change to one database: what it holds afterwards, and a text that says what is done."""

    def __init__(self, where: str, state: State, text: str) -> None:
        self.where = where
        self.state = state
        self.text = text

    def __repr__(self) -> str:
        return f"<{self.where}: {self.text}>"


def cells_text(before: Instance, after: Instance) -> str:
    """Say which cells of a row have changed."""
    texts = []
    for table, row in after.rows.items():
        was = before.rows.get(table, {})
        texts += [
            f"{name} {shown(was.get(name))} -> {shown(cell)}"
            for name, cell in row.items()
            if cell is not was.get(name) and repr(cell) != repr(was.get(name))
        ]
    return ", ".join(dict.fromkeys(texts)) or "nothing"
