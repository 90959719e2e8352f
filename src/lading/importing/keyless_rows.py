"""Refuses new records of an entity whose key recurs, where rows have no key, as in a circle.

Each such row might be the one that a new record means, and nothing can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import eq
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect
from lading.database.live.base import Database
from lading.exporting.query import having_row_in
from lading.exporting.reader import RecordReader
from lading.model.recursive_keys import recurring
from lading.model.rowsets import RowSet

Columns = Sequence[sa.ColumnElement[Any]]


def refuse_keyless(database: Database, rows: RowSet) -> None:
    """Raise an export's ``TargetError`` if a row is in a circle, or its parent is missing.

    Only a natural key that recurs has no end then.
    """
    if recurring(rows.key) is not None:
        keyless = database.fetch(database.dialect.once(KeylessQuery, rows).sql)
        if keyless:
            RecordReader(database, rows).keys_of([tuple(keyless[0])])


class KeylessQuery:
    """The SELECT of the primary key of a row that is in a circle, or whose parent is missing.

    In every circle, one row comes first in the order of what foreign keys hold.  So it climbs
    only from rows that come before their parents, as long as they come before all that they
    reach; most trees have few such rows.
    """

    def __init__(self, dialect: Dialect, rows: RowSet) -> None:
        own = recurring(rows.key)
        assert own is not None
        #: The primary key, what children's foreign keys hold, and the row's own foreign key.
        self.columns = {"i": rows.identity, "r": own.remote, "f": own.columns}
        self.source = having_row_in(rows, own.remote)
        climb = self._climb()
        at, start = _columns(climb, "a"), _columns(climb, "r")
        ends = sa.or_(at[0].is_(None), sa.tuple_(*at) == sa.tuple_(*start))
        self.sql = f"{dialect.text_of(sa.select(*_columns(climb, 'i')).where(ends))} LIMIT 1"

    def _climb(self) -> sa.CTE:
        """Return the rows to climb from, each with every row that is reached from it."""
        row, above = self._rows("_lading_row"), self._rows("_lading_above")
        start, foreign, at = _columns(row, "r"), _columns(row, "f"), _columns(above, "r")
        comes_first = sa.tuple_(*at) >= sa.tuple_(*start)
        climb = (
            sa.select(*_columns(row, "i"), *start, *_labelled(above))
            .select_from(row.outerjoin(above, _equal(at, foreign)))
            .where(*(c.is_not(None) for c in foreign), sa.or_(at[0].is_(None), comes_first))
            .cte("_lading_climb", recursive=True)
        )
        start = _columns(climb, "r")
        goes_on = sa.tuple_(*_columns(climb, "a")) != sa.tuple_(*start)
        comes_first = sa.tuple_(*at) >= sa.tuple_(*start)
        return climb.union(
            sa.select(*_columns(climb, "i"), *start, *_labelled(above))
            .select_from(climb.join(above, _equal(at, _columns(climb, "u"))))
            .where(goes_on, comes_first)
        )

    def _rows(self, name: str) -> sa.Subquery:
        columns = [
            column.label(f"{part}{place}")
            for part, part_columns in self.columns.items()
            for place, column in enumerate(part_columns)
        ]
        return sa.select(*columns).select_from(self.source).subquery(name)


def _columns(source: sa.FromClause, part: str) -> list[sa.ColumnElement[Any]]:
    return [column for column in source.c if column.name.startswith(part)]


def _labelled(above: sa.FromClause) -> Iterator[sa.Label[Any]]:
    """Return what a row that is reached is called, and what leads on from it."""
    for part, label in ("r", "a"), ("f", "u"):
        for place, column in enumerate(_columns(above, part)):
            yield column.label(f"{label}{place}")


def _equal(columns: Columns, others: Columns) -> sa.ColumnElement[bool]:
    return sa.and_(*map(eq, columns, others))
