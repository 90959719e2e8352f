"""Reads rows with all that they nest: compiled once, for any number of exports.

Each owned table and each link table costs one statement per chunk of parents, whatever the
number of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

import msgspec

from lading.database.dialects.base import Dialect, Row
from lading.database.lookup import keys_at, rows_among
from lading.errors import TargetError
from lading.exporting.ancestors import ancestors_of
from lading.exporting.encode import RowEncoder
from lading.exporting.link_reader import LinkReader, refuse_strangers
from lading.exporting.query import Selection, identity_of
from lading.exporting.reading import BareRows, Reading, StoredRow, Tally
from lading.mapping.columns import kind_of
from lading.messages import Message
from lading.model.hidden import hides_columns
from lading.model.rowsets import Children, Column, RowSet
from lading.records.layout import RecordLayout
from lading.records.lines import encode_lines


class RowReader:
    """Makes encoded structs of a row set's rows, with everything nested in them.

    Args:
        dialect: whose SQL and values are read.
        rows: the row set.
        ids: whether records carry surrogate ids, for people who debug.
        path: the dotted path that leads to the rows from their entity.
    """

    def __init__(
        self, dialect: Dialect, rows: RowSet, *, ids: bool = False, path: str = ""
    ) -> None:
        self.dialect = dialect
        self.rows = rows
        self.path = path
        self.selection = Selection(dialect, rows.table)
        self.selection.extend(rows)
        self.layout = RecordLayout(rows, ids=ids)
        self.encoder = RowEncoder(rows, self.selection, self.layout, ids=ids)
        self.identity = identity_of(self.selection, rows)
        self.ancestors = ancestors_of(self.selection)
        self.nested: list[LinkReader | ChildReader] = [
            *(LinkReader(rows, links, self.selection, self.layout, path) for links in rows.links),
            *(ChildReader(self, children, ids=ids) for children in rows.children),
        ]

    def ready(self) -> None:
        """Compile, once everything is selected."""
        self.encoder.ready(len(self.selection.columns))

    def records(self, reading: Reading, rows: Sequence[Row]) -> list[Any]:
        """Make the structs of one chunk of rows."""
        nested = [reader.fetch(reading, rows) for reader in self.nested]
        keys = [ancestors.fetch(reading, rows) for ancestors in self.ancestors]
        records = self.encoder.records(rows, nested, keys, reading.tally.rounded)
        self._count_rows(reading.tally, records)
        for reference in self.rows.references:
            place = self.layout.place[reference.name]
            count = len(records)
            if reference.nullable or reference.classes is not None:
                none = (None, msgspec.UNSET)
                count = sum(1 for record in records if getattr(record, place) not in none)
            reading.tally.links[f"{self.path}{reference.written}"] += count
        return records

    def stored_rows(
        self, nested: dict[str, list[list[StoredRow]]], rows: Sequence[Row]
    ) -> Sequence[StoredRow]:
        """Return which rows were read, with those that they nest.

        ``nested`` is what the reading noted when ``records`` was called with these rows.
        """
        identities = keys_at(rows, self.identity)
        if not self.rows.children:
            return BareRows(identities)
        lists = {children.name: nested.pop(children.rows.name) for children in self.rows.children}
        return [
            StoredRow(identity, {name: lists[name][n] for name in lists})
            for n, identity in enumerate(identities)
        ]

    def _count_rows(self, tally: Tally, records: list[Any]) -> None:
        tally.rows[self.rows.table.fullname] += len(records)
        if self.rows.discriminator is not None:
            place = self.layout.place[self.rows.discriminator.name]
            for extension in self.rows.extensions:
                count = sum(1 for record in records if getattr(record, place) in extension.classes)
                tally.rows[extension.table.fullname] += count

    def among(self, reading: Reading, columns: Sequence[Column], keys: Sequence[Row]) -> list[Row]:
        """Read the rows whose columns hold one of the keys."""
        names = self.dialect.qualified(columns)
        rows = rows_among(reading.database, self.sql, columns, names, keys)
        return self.selection.completed(reading.database, rows)

    @cached_property
    def sql(self) -> str:
        """The SELECT without order or condition, as SQL of the driver."""
        return self.dialect.text_of(self.selection.statement())


class ChildReader:
    """Reads the owned rows of a chunk of parents, and hands them out in order."""

    def __init__(self, parent: RowReader, children: Children, *, ids: bool) -> None:
        self.children = children
        path = f"{parent.path}{children.written}."
        self.reader = RowReader(parent.dialect, children.rows, ids=ids, path=path)
        self.parent_places = [parent.selection.raw(up) for _, up in children.pairs]
        selection = self.reader.selection
        self.own_places = [selection.raw(down) for down, _ in children.pairs]
        self.hides_owner = hides_columns(children.rows.parent, (up for _, up in children.pairs))
        self.other_places = [[selection.raw(column) for column in g] for g in children.others]
        # The columns that refer to the owner are the same in all rows of a list.
        self.sorts = [
            self._sort(column, down)
            for column, down in children.sequence
            if column not in children.rows.owner_columns
        ]
        self.reader.ready()

    def _sort(self, column: Column, descending: bool) -> tuple[Any, bool]:
        values = {value.column: value for value in self.children.rows.values}
        carried = values.get(column)
        kind = kind_of(column.type) if carried is None else carried.kind
        assert kind is not None  # a list is ordered by carried columns and generated ids
        column = column if carried is None else carried.carrier
        selection = self.reader.selection
        place = selection.add(column, kind)
        read, order = selection.dialect.reader(column, kind).function(), kind.order

        def key(read_row: Any) -> Any:
            value = read_row[1][place]
            return (False,) if value is None else (True, order(read(value)))

        return key, descending

    def fetch(self, reading: Reading, parents: Sequence[Row]) -> list[list[Any]]:
        """Return each parent's children as JSON texts, sorted."""
        down = [column for column, _ in self.children.pairs]
        owners = keys_at(parents, self.parent_places)
        rows = self.reader.among(reading, down, owners)
        self._refuse_shared(rows)
        groups: dict[Row, list[Any]] = defaultdict(list)
        lines = encode_lines(self.reader.records(reading, rows))
        stored: Sequence[StoredRow | None] = [None] * len(rows)
        if reading.nested is not None:
            stored = self.reader.stored_rows(reading.nested, rows)
        for owner, *row in zip(keys_at(rows, self.own_places), lines, rows, stored, strict=True):
            groups[owner].append(row)
        owned = self.children.rows
        refuse_strangers(groups, owners, owned.table, owned.name, hides=self.hides_owner)
        for items in groups.values():
            items.sort(key=itemgetter(0))
            for key, descending in reversed(self.sorts):
                items.sort(key=key, reverse=descending)
        if reading.nested is not None:
            reading.nested[self.children.rows.name] = [
                [row for *_, row in groups.get(owner, ())] for owner in owners
            ]
        raw = msgspec.Raw
        return [[raw(line) for line, *_ in groups.get(owner, ())] for owner in owners]

    def _refuse_shared(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for places in self.other_places:
                if all(row[place] is not None for place in places):
                    table = self.children.rows.table.fullname
                    raise TargetError(
                        Message(
                            "rows-shared",
                            f"a row of {table} belongs to two parents; each is in one record "
                            "exactly",
                        ),
                        "Set all of its foreign keys to owners but one to null.",
                        entity=self.children.rows.name,
                    )
