"""A drawn dataset: rows of every table, what is unique of them, and what each engine gets."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, product
from typing import Any

import sqlalchemy as sa

from lading.model.rowsets import Classes, Column
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
        """Return a copy with rows of its own."""
        rows = {table: dict(row) for table, row in self.rows.items()}
        return Instance(self.plan, self.number, self.kind, rows, dict(self.led))

    def has(self, kinds: Classes) -> bool:
        """Tell whether the object's class is one of these (``None`` for all)."""
        return kinds is None or self.kind in kinds

    def suits(self, foreign: Foreign) -> bool:
        """Tell whether a foreign key may lead to the object."""
        return foreign.target in self.rows and self.has(foreign.wanted)

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
        for near, remote in foreign.pairs():
            self.put(near, None if far is None else far.cell(remote))

    def join(self) -> None:
        """Give the rows in subclasses' tables their base's primary key."""
        for extension in self.plan.extensions:
            if extension.table in self.rows:
                for own, base in extension.pairs:
                    self.put(own, self.cell(base))

    def is_allowed(self) -> bool:
        """Tell whether the CHECKs take the row, with what is drawn and with what is harmless."""
        for table, row in self.rows.items():
            checks = self.plan.checks[table]
            for side in range(2) if checks.known else ():
                values = {name: both(cell)[side] for name, cell in row.items()}
                numbers = {n: v.number + 1 for n, v in values.items() if isinstance(v, MadeUp)}
                if not checks.holds(values | numbers):
                    return False
        return True

    def forms(self, column: Column) -> list[Any]:
        """Return all that may stand in a column, on one engine or another."""
        values, cells = both(self.cell(column)), self.plan.cells.get(column)
        return [*chain(*map(cells.forms, values))] if cells is not None else [*values]


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

    def __repr__(self) -> str:
        lines: dict[str, list[str]] = {}
        for instance in self.instances:
            for table, row in instance.rows.items():
                lines.setdefault(table.fullname, []).append(f"    {row!r},\n")
        tables = "".join(f"  {name}=[\n{''.join(rows)}  ],\n" for name, rows in lines.items())
        return f"Dataset(\n{tables})" if tables else "Dataset()"


class Claims:
    """Remembers what rows hold in each unique set of columns.

    With ``folds`` texts count as equal that any collation holds for equal.
    """

    def __init__(self, *, folds: bool = False) -> None:
        self.folds = folds
        self.claimed: set[Any] = set()

    def take(self, instance: Instance) -> bool:
        """Claim what a row has for itself alone; ``False`` if another row has it already."""
        keys = self._keys_of(instance)
        is_free = self.claimed.isdisjoint(keys)
        self.claimed.update(keys if is_free else ())
        return is_free

    def release(self, instance: Instance) -> None:
        """Give up what a row has claimed, before it is changed."""
        self.claimed.difference_update(self._keys_of(instance))

    def is_free(self, instance: Instance) -> bool:
        """Tell whether nobody has what the cells that a row has so far would claim."""
        return self.claimed.isdisjoint(self._keys_of(instance))

    def _keys_of(self, instance: Instance) -> list[Any]:
        """Return every key that a row's unique sets may hold, on one engine or another.

        Of a row that isn't whole yet, only the sets whose cells are all there count.  Of a type
        that changes values, what it stores and what it gives back count both.
        """
        keys: list[Any] = []
        for unique in instance.plan.uniques:
            is_whole = all(c.name in instance.rows.get(c.table, ()) for c in unique.columns)
            if is_whole and (unique.nulls_equal or None not in instance.cells(unique.columns)):
                folds = self.folds or unique.folds
                forms = [
                    {_comparable(form, folds=folds) for form in instance.forms(column)}
                    for column in unique.columns
                ]
                keys += product([unique], *forms)
        return keys


class Resolved:
    """A dataset as databases of certain engines hold it: one Python value per cell.

    ``at`` is the engine that the rows are read from, by default the first; ``other`` ids mean the
    same data.
    """

    def __init__(
        self, dataset: Dataset, engines: Collection[str], at: str = "", *, other: bool = False
    ) -> None:
        self.dataset = dataset
        self.engines = engines
        self.at = at or next(iter(engines))
        self.other = other
        #: The cells that a collation could take for another row's in the same unique set.
        self.folded: set[Any] = set()
        claims = Claims(folds=True)
        for instance in dataset.instances if FOLDING in engines else ():
            if not claims.take(instance):
                columns = {c for unique in instance.plan.uniques for c in unique.columns}
                self.folded.update(map(id, instance.cells(columns)))

    def value(self, cell: Any) -> Any:
        """Return a cell's value."""
        if isinstance(cell, Varying):
            is_held = all(cell.holds(cell.value, engine) for engine in self.engines)
            return cell.value if is_held and id(cell) not in self.folded else cell.fallback
        return self._id(cell) if isinstance(cell, MadeUp) else cell

    def returned(self, instance: Instance, column: Column) -> Any:
        """Return what a column's type gives back of what an object's row is given."""
        value, cells = self.value(instance.cell(column)), instance.plan.cells.get(column)
        return value if value is None or cells is None else cells.returned(value, self.at)

    def _id(self, cell: MadeUp) -> Any:
        """Ids run up with the rows; the others down, unless a list is ordered by them."""
        number, count = cell.number, len(self.dataset.of(cell.plan))
        if self.other:
            number = 1000 + 3 * (number if cell.plan.is_sequence else count - number)
        return cell.plan.ids(number) if cell.value is None else cell.value

    def row(self, instance: Instance, table: sa.Table) -> dict[str, Any]:
        """Return an object's row in one of its tables."""
        return {name: self.value(cell) for name, cell in instance.rows[table].items()}


def both(cell: Any) -> tuple[Any, Any]:
    """Return what stands in a cell: where engines hold what was drawn, and elsewhere."""
    return (cell.value, cell.fallback) if isinstance(cell, Varying) else (cell, cell)


def _comparable(value: Any, *, folds: bool) -> Any:
    """Return what values have in common that count as equal, with ``folds`` to some collation.

    Collations ignore case, accents, blanks at the end and control characters, and some take all
    characters beyond the BMP for one: only the letters and digits of ASCII surely differ.
    """
    if folds and isinstance(value, str):
        bare = unicodedata.normalize("NFKD", value).casefold()
        return "".join(letter for letter in bare if letter.isascii() and letter.isalnum())
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value) is bool, value)
