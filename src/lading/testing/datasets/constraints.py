"""What a table's rows must not share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.model.rowsets import Column


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
    uniques = [Unique(tuple(table.primary_key.columns))]
    uniques += [
        Unique(tuple(constraint.columns))
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    for index in table.indexes:
        if index.unique:
            columns = tuple(dict.fromkeys(_columns_in(index.expressions)))
            is_plain = all(isinstance(expression, sa.Column) for expression in index.expressions)
            uniques.append(Unique(columns, folds=not is_plain))
    uniques = [unique for unique in uniques if unique.columns]
    return sorted(
        uniques, key=lambda unique: [list(table.columns).index(c) for c in unique.columns]
    )


def _columns_in(expressions: Iterable[Any]) -> Iterator[Column]:
    for expression in expressions:
        for element in sa.sql.visitors.iterate(expression):
            if isinstance(element, sa.Column):
                yield element
