"""Finds planned records whose plain fields would refer to rows which a mirror deletes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.live_keys import RealPlace
from lading.database.lookup import keys_at, rows_among
from lading.database.tables import tables_of
from lading.importing.batch import Batch
from lading.importing.context import LoadContext
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.plain_keys import PlainKey, plain_keys
from lading.importing.nested_records import NestedRecords
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import places_of_records
from lading.importing.row_marks import RowMarks
from lading.messages import Message, shown
from lading.model.hidden import HIDDEN
from lading.model.rowsets import Column, RowSet


class PlainTarget:
    """The rows of a catalog's table that the plain fields of a foreign key lead to."""

    def __init__(self, context: LoadContext, plain: PlainKey, rows: RowSet, table: sa.Table):
        self.database = context.database
        self.plain = plain
        self.rows = rows
        known_as = self.database.dialect.columns.known_as
        columns = {known_as(column.name): column for column in table.columns}
        self.columns: list[Column] = [columns[known_as(name)] for name in plain.key.target_columns]
        identity = rows.identity_in(table)
        natural = {column for part in rows.whole_key or rows.key for column in part.columns}
        self.is_by_key = set(self.columns) in (set(identity), natural)
        selected = [c.label(f"c{n}") for n, c in enumerate((*self.columns, *identity))]
        self.sql = self.database.dialect.text_of(sa.select(*selected))

    def doomed(self, keys: Sequence[Row], doomed: RowMarks) -> list[Row]:
        """Return those of some keys by which doomed rows are referred to."""
        rows = self._among(keys, doomed)
        referred = set(keys_at(rows, range(len(self.columns)))) if rows else set()
        if referred.issubset(keys):
            return [key for key in keys if key in referred]
        # The database takes other values for equal, so it is asked for each.
        return [key for key in keys if self._among([key], doomed)]

    def _among(self, keys: Sequence[Row], doomed: RowMarks) -> list[Row]:
        """Return the doomed rows that have one of some keys."""
        names = self.database.dialect.qualified(self.columns)
        near = [value.carrier for value in self.plain.values]
        rows = list(map(tuple, rows_among(self.database, self.sql, near, names, keys)))
        marks = [(self.rows.table.fullname, *row[len(self.columns) :]) for row in rows]
        staying = set(doomed.without(marks))
        return [row for place, row in enumerate(rows) if place not in staying]


class PlainTargets:
    """Reports the records of planned batches whose plain fields lead to doomed rows.

    Only by primary keys and natural keys, as new records may take other unique values over.
    """

    def __init__(self, context: LoadContext, trees: Iterable[DoomedTree]) -> None:
        database, tables = context.database, tables_of(context.entities)
        #: The targets in the catalog's tables, by row set.
        self.targets: dict[RowSet, list[PlainTarget]] = {}
        #: The names of the plain fields that are foreign keys, by row set.
        self.fields: dict[RowSet, set[str]] = {}
        if any(tree.counts[tree.root] for tree in trees):
            places = database.real_places(tables)
            known_as = database.dialect.columns.known_as
            for plain in plain_keys(context.entities, database.live_keys(), places, known_as):
                self.fields.setdefault(plain.rows, set()).update(v.name for v in plain.values)
                self._add(context, plain, places)
        #: The tables of the records that plain fields lead to.
        self.tables = {target.rows.table for targets in self.targets.values() for target in targets}

    def _add(
        self, context: LoadContext, plain: PlainKey, places: Mapping[sa.Table, RealPlace]
    ) -> None:
        for rows in context.entities.all_rows():
            for table in (t for t in rows.tables if places.get(t) == plain.key.target):
                target = PlainTarget(context, plain, rows, table)
                if target.is_by_key:
                    self.targets.setdefault(plain.rows, []).append(target)
                return  # other row sets of the table are known by the same primary key

    def check(self, root: RowSet, batch: Batch, outcome: EntityOutcome, doomed: RowMarks) -> None:
        """Report the records of a batch that would refer to doomed rows.

        Args:
            root: the entity.
            batch: its records.
            outcome: takes the problems.
            doomed: the rows that go with doomed records, by table and primary key.
        """
        if any(rows in self.targets for rows in root.tree()):
            for rows in NestedRecords(root, batch, (), places_of_records(outcome, batch)).walk():
                for target in self.targets.get(rows.rows, ()):
                    self._check(target, rows, outcome, doomed)

    def _check(
        self, target: PlainTarget, rows: NestedRecords, outcome: EntityOutcome, doomed: RowMarks
    ) -> None:
        keys = dict(_keys(target.plain, rows.batch))
        refused = set(target.doomed(list(dict.fromkeys(keys.values())), doomed)) if keys else set()
        for place, key in keys.items():
            if key in refused:
                field = f"{rows.places.path(place)}{target.plain.values[0].written}"
                number = rows.batch.numbers[place]
                outcome.fail(number, rows.places.key(number), field, _message(target, key))


def _keys(plain: PlainKey, batch: Batch) -> Iterator[tuple[int, Row]]:
    """Yield what a foreign key would hold in each row of a batch, where nothing of it is null."""
    places = {v.name: n for n, v in enumerate(v for v in plain.rows.values if v.writable)}
    keys = keys_at(batch.values, [places[value.name] for value in plain.values])
    yield from ((place, key) for place, key in enumerate(keys) if None not in key)


def _message(target: PlainTarget, key: Row) -> Message:
    """Say that a target would be deleted, and what to do."""
    texts = (
        f"{column.name} {HIDDEN if value.hidden else shown(part)}"
        for column, value, part in zip(target.columns, target.plain.values, key, strict=True)
    )
    return Message(
        "record-held",
        f"{target.rows.name}: the bundle lacks the record of the row with {' and '.join(texts)}, "
        "so it would be deleted. Add it to the bundle, or correct the field",
    )
