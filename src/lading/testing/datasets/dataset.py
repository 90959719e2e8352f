"""A drawn dataset: rows of every table, and what each engine gets of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from lading.model.rowsets import Classes, Column
from lading.testing.cell_values.storable import Fits
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.table_plan import Foreign, Plan

#: The engines that a value is drawn for.
ENGINES = ("sqlite", "postgresql", "mariadb")
#: The engine whose usual collations hold texts for equal that differ.
FOLDING = "mariadb"


@dataclass(eq=False, repr=False)
class Varying:
    """A cell that not every engine holds, or not beside the others: there, the fallback stands."""

    value: Any
    fallback: Any
    holds: Callable[[Any, str], bool]

    def on(self, engines: Collection[str]) -> Any:
        """Return what stands in a database of each of these engines."""
        is_held = all(self.holds(self.value, engine) for engine in engines)
        return self.value if is_held else self.fallback

    def __repr__(self) -> str:
        return repr(self.value)


@dataclass(eq=False, repr=False)
class MadeUp:
    """A primary key that means nothing outside its database: any other would do as well.

    ``value`` is what a database has made of it, once that is known.
    """

    plan: Plan
    number: int
    value: Any = None

    def __repr__(self) -> str:
        return f"<id {self.number + 1}>"


@dataclass(eq=False, repr=False)
class Instance:
    """A drawn object: its row in each of its tables, and where its foreign keys lead."""

    plan: Plan
    number: int
    kind: Any = None
    rows: dict[sa.Table, dict[str, Any]] = field(default_factory=dict)
    led: dict[Foreign, Instance | None] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.plan.name} {self.number + 1}>"

    def copy(self) -> Instance:
        """Return a copy with rows of its own, which leads nowhere yet."""
        rows = {table: dict(row) for table, row in self.rows.items()}
        return Instance(self.plan, self.number, self.kind, rows)

    def has(self, kinds: Classes) -> bool:
        """Tell whether the object's class is one of these (``None`` for all)."""
        return kinds is None or self.kind in kinds

    def cell(self, column: Column) -> Any:
        """Return what stands in a column; ``None`` where the object's class doesn't have it."""
        return self.rows.get(column.table, {}).get(column.name)

    def cells(self, columns: Collection[Column]) -> list[Any]:
        """Return what stands in some columns."""
        return [self.cell(column) for column in columns]

    def put(self, column: Column, cell: Any) -> None:
        """Set what stands in a column."""
        self.rows[column.table][column.name] = cell

    def lead(self, foreign: Foreign, far: Instance | None) -> None:
        """Let a foreign key lead to an object, or nowhere; its columns hold that one's cells."""
        self.led[foreign] = far
        for near, remote in zip(foreign.columns, foreign.remote, strict=True):
            self.put(near, None if far is None else far.cell(remote))

    def fits(self, column: Column) -> Fits | None:
        """Return what a column's type makes of its values, where these are its own."""
        cells = self.plan.cells.get(column)
        return None if cells is None else cells.fits

    def forms(self, column: Column) -> list[Any]:
        """Return all that may stand in a column, on one engine or another."""
        values, fits = both(self.cell(column)), self.fits(column)
        return [
            form for value in values for form in ([value] if fits is None else fits.forms(value))
        ]


class Dataset:
    """Consistent rows for all tables of a catalog.

    ``instances`` stand in an order in which each row's required references lead to earlier
    ones (or to itself).  Print one to read its rows.
    """

    def __init__(self, plans: Plans, instances: list[Instance]) -> None:
        self.plans = plans
        self.instances = instances

    def of(self, plan: Plan) -> list[Instance]:
        """Return the objects of one plan, in the order in which they were drawn."""
        return self._by_plan.get(plan, [])

    @cached_property
    def _by_plan(self) -> dict[Plan, list[Instance]]:
        instances_by_plan: dict[Plan, list[Instance]] = {}
        for instance in self.instances:
            instances_by_plan.setdefault(instance.plan, []).append(instance)
        return instances_by_plan

    def counts(self) -> dict[str, int]:
        """Count the rows.

        Returns:
            How many there are of each entity, owned list and link table, by name.
        """
        return {plan.name: len(items) for plan, items in self._by_plan.items()}

    def resolved(
        self, engines: Collection[str], *, at: str | None = None, other: bool = False
    ) -> Resolved:
        """Return what databases of these engines get; ``other`` ids mean the same data.

        ``at`` is the engine that the rows are read from (by default the first).
        """
        return Resolved(self, engines, at=at or next(iter(engines)), other=other)

    def __repr__(self) -> str:
        lines = []
        for plan, instances in self._by_plan.items():
            for table, _ in plan.tables():
                rows = [instance.rows[table] for instance in instances if table in instance.rows]
                if rows:
                    lines.append(f"  {table.fullname}=[")
                    lines += [f"    {row!r}," for row in rows]
                    lines.append("  ],")
        return "Dataset(\n" + "\n".join(lines) + "\n)" if lines else "Dataset()"


class Resolved:
    """A dataset as certain engines hold it: one Python value per cell."""

    def __init__(self, dataset: Dataset, engines: Collection[str], *, at: str, other: bool) -> None:
        self.dataset = dataset
        self.engines = engines
        self.at = at
        self.other = other
        self.folded = _folding(dataset) if FOLDING in engines else set()

    def value(self, cell: Any) -> Any:
        """Return a cell's value."""
        if isinstance(cell, Varying):
            return cell.fallback if cell in self.folded else cell.on(self.engines)
        if isinstance(cell, MadeUp):
            return self._id(cell)
        return cell

    def returned(self, instance: Instance, column: Column) -> Any:
        """Return what a column's type gives back of what an object's row is given."""
        value = self.value(instance.cell(column))
        fits = instance.fits(column)
        return value if value is None or fits is None else fits.returned(value, self.at)

    def _id(self, cell: MadeUp) -> Any:
        """Ids run up with the rows; the others down, unless a list is ordered by them."""
        if cell.value is not None:
            return cell.value
        count = len(self.dataset.of(cell.plan))
        number = cell.number
        if self.other:
            number = 1000 + (3 * number if cell.plan.is_sequence else 3 * (count - number))
        return made_up_id(cell.plan, number)

    def row(self, instance: Instance, table: sa.Table) -> dict[str, Any]:
        """Return an object's row in one of its tables."""
        return {name: self.value(cell) for name, cell in instance.rows[table].items()}


def made_up_id(plan: Plan, number: int) -> Any:
    """Return a primary key that any database could have made."""
    column = plan.made_up
    assert column is not None
    if isinstance(column.type, sa.Integer):
        return number + 1
    return plan.ids.plain(number)


def both(cell: Any) -> tuple[Any, Any]:
    """Return what stands in a cell: where engines hold what was drawn, and elsewhere."""
    return (cell.value, cell.fallback) if isinstance(cell, Varying) else (cell, cell)


def _folding(dataset: Dataset) -> set[Varying]:
    """Find the cells that a collation could take for another row's in the same unique set."""
    ambiguous_cells: set[Varying] = set()
    for plan in dataset.plans.plans():
        for unique in plan.uniques:
            known_keys: set[Any] = set()
            for instance in dataset.of(plan):
                drawn, spare = zip(*(_stored(instance, c) for c in unique.columns), strict=True)
                if drawn in known_keys:
                    cells = instance.cells(unique.columns)
                    ambiguous_cells.update(cell for cell in cells if isinstance(cell, Varying))
                known_keys.add(spare if drawn in known_keys else drawn)
    return ambiguous_cells


def _stored(instance: Instance, column: Column) -> tuple[Any, Any]:
    """Return what a collation may leave of what is stored in a column, on either side."""
    fits = instance.fits(column)
    drawn, spare = (
        folded(cell if cell is None or fits is None else fits.stored(cell, FOLDING))
        for cell in both(instance.cell(column))
    )
    return drawn, spare


def folded(value: Any) -> Any:
    """Return what two texts have in common that some collation holds for equal.

    Collations ignore case, accents, blanks at the end and control characters, and some take all
    characters beyond the BMP for one: only the letters and digits of ASCII surely differ.
    """
    if isinstance(value, str):
        bare = unicodedata.normalize("NFKD", value).casefold()
        return "".join(letter for letter in bare if letter.isascii() and letter.isalnum())
    return value if isinstance(value, MadeUp) else repr(value)
