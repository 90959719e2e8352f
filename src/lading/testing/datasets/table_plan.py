"""What is drawn of one table: its columns, its foreign keys, and what is unique.

A *plan* stands for the rows of one table, with the rows that subclasses add in tables of
their own; a *foreign key* here is one of the database's or of a declared reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from hypothesis.errors import FailedHealthCheck
from sqlalchemy.orm import Mapper

from lading.errors import DeclarationError
from lading.model.rowsets import Classes, Column, Extension, RowSet, Value
from lading.model.uniqueness import in_check, unique_columns
from lading.testing.cell_values.cells import Cells
from lading.testing.cell_values.checks import Checks


class ChecksUnmetError(DeclarationError, FailedHealthCheck):
    """No row that was drawn meets its table's CHECKs: a test would pass, and prove nothing.

    Hypothesis ends a test at once when a health check fails, where it would try to make anything
    else smaller.
    """


@dataclass(frozen=True)
class Unique:
    """Columns that no two rows may share.

    Nulls differ in a database's own constraint, and are equal in a natural key; ``folds``
    says that texts are to differ by more than case, for an expression decides.
    """

    columns: tuple[Column, ...]
    nulls_equal: bool = False
    folds: bool = False


def constraints_of(table: sa.Table) -> list[Unique]:
    """Return the sets of columns that a database keeps unique, by constraint or index."""
    groups = [tuple(table.primary_key.columns), *unique_columns(table)]
    uniques = [Unique(columns) for columns in groups if columns]
    for index in sorted(filter(attrgetter("unique"), table.indexes), key=lambda i: str(i.name)):
        is_plain = all(isinstance(part, sa.Column) for part in index.expressions)
        uniques.append(Unique(tuple(index.columns), folds=not is_plain))
    return list(dict.fromkeys(uniques))


def identities(mapper: Mapper[Any]) -> list[Any]:
    """List the discriminators of a class and its subclasses, as Python has them."""
    known = [member.polymorphic_identity for member in mapper.self_and_descendants]
    return [identity for identity in known if identity is not None]


@dataclass(eq=False)
class Foreign:
    """A foreign key: ``columns`` hold the ``remote`` ones of a row in ``target``.

    ``kinds`` are the classes whose rows have it, ``wanted`` those of the rows that it may
    lead to, and ``own`` are the columns that only it holds.  ``hard`` ones are settled with the
    row itself, because its identity or a CHECK waits for them; the others once all rows are there.
    """

    columns: tuple[Column, ...]
    remote: tuple[Column, ...]
    kinds: Classes = None
    wanted: Classes = None
    own: tuple[Column, ...] = ()
    hard: bool = True

    @property
    def optional(self) -> bool:
        """Whether it may be null."""
        return bool(self.own) and all(column.nullable for column in self.own)

    @property
    def table(self) -> Any:
        """The table that has it."""
        return self.columns[0].table

    @property
    def target(self) -> Any:
        """The table that it leads to."""
        return self.remote[0].table

    def pairs(self) -> Iterator[tuple[Column, Column]]:
        """Yield each column with the one that it holds."""
        return zip(self.columns, self.remote, strict=True)

    @property
    def on_delete(self) -> str | None:
        """What the database does to a row whose target is deleted."""
        constraints = self.table.foreign_key_constraints
        own = [c.ondelete for c in constraints if set(c.columns) == set(self.columns)]
        return next((action.upper() for action in own if action), None)


@dataclass(eq=False)
class Plan:
    """What one table's rows consist of; ``rows`` is ``None`` for link tables.

    ``tables`` are those that the rows stand in, with the classes whose rows have a row there.
    ``is_hopeless`` says whether CHECKs took none of the rows that were drawn for it alone;
    ``None`` where that wasn't asked.
    """

    table: sa.Table
    rows: RowSet | None
    tables: dict[sa.Table, Classes]
    extensions: tuple[Extension, ...] = ()
    discriminator: Value | None = None
    made_up: Column | None = None
    cells: dict[Column, Cells] = field(default_factory=dict)
    foreign: list[Foreign] = field(default_factory=list)
    owners: list[Foreign] = field(default_factory=list)
    uniques: list[Unique] = field(default_factory=list)
    is_sequence: bool = False
    checks: dict[sa.Table, Checks] = field(default_factory=dict)
    is_hopeless: bool | None = None

    def checks_unmet(self) -> ChecksUnmetError:
        """Return the error for a plan of whose rows CHECKs take none."""
        texts = "; ".join(text for checks in self.checks.values() for text in checks.known)
        wanted = ", ".join(
            f"'{self.name}.{column.name}': strategy"
            for column in self.cells
            if in_check(column.table, (column,))
        )
        return ChecksUnmetError(
            "overrides-needed",
            f"{self.name}: its CHECKs took none of the rows that were drawn ({texts}); say what "
            f"draws such values, overrides={{{wanted}}}",
        )

    @property
    def name(self) -> str:
        """What the rows are called: the entity, or the table."""
        return self.rows.name if self.rows is not None else self.table.fullname

    def way(self, columns: Iterable[Column]) -> Foreign:
        """Return the foreign key that some columns are."""
        wanted = set(columns)
        return next(foreign for foreign in self.foreign if set(foreign.columns) == wanted)

    @cached_property
    def ids(self) -> Callable[[int], Any]:
        """Returns primary keys by number, as any database could have made them."""
        assert self.made_up is not None
        is_number = isinstance(self.made_up.type, sa.Integer)
        return (lambda number: number + 1) if is_number else Cells(self.made_up).plain
