"""Reads the records of an entity: its rows in key order, with all that they nest.

One statement streams the entity's rows; each owned table and each link table
costs one more per chunk of parents, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from operator import lt
from typing import Any, NamedTuple

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.database.lookup import keys_at
from lading.errors import TargetError
from lading.exporting.reading import BareRows, Reading, StoredRow, Tally
from lading.exporting.row_reader import RowReader
from lading.messages import Message, shown
from lading.model.rowsets import RowSet
from lading.records.describe import masked_key
from lading.records.layout import Key
from lading.records.lines import encode_lines
from lading.scratch.sort import CHUNK, chunked, externally_sorted


class StoredRecords(NamedTuple):
    """Records as lines, and their rows with those that they nest."""

    lines: list[bytes]
    rows: Sequence[StoredRow]


class KeyedRecords(NamedTuple):
    """Stored records in key order, with their keys and what these sort by."""

    keys: list[Key]
    orders: list[Any]
    lines: list[bytes]
    rows: Sequence[StoredRow]

    def __add__(self, other: Any) -> KeyedRecords:
        return KeyedRecords(
            self.keys + other.keys,
            self.orders + other.orders,
            self.lines + other.lines,
            [*self.rows, *other.rows],
        )

    def part(self, start: int, end: int | None) -> KeyedRecords:
        """Return the records from a place up to another."""
        columns: Any = (column[start:end] for column in self)
        return KeyedRecords(*columns)


class CompiledReader:
    """The compiled SELECT and encoder of an entity's records, shared by all exports."""

    def __init__(self, dialect: Dialect, rows: RowSet, ids: bool = False) -> None:
        self.reader = RowReader(dialect, rows, ids=ids)
        self.order = self.reader.selection.order(rows.key, rows.table)
        self.reader.ready()
        self.statement = self.reader.selection.statement()
        if self.order is not None:
            self.statement = self.statement.order_by(*self.order)


class RecordReader:
    """Reads an entity's records in key order, as lines of canonical JSON."""

    def __init__(self, database: Database, rows: RowSet, *, ids: bool = False) -> None:
        self.rows = rows
        self.reading = Reading(database)
        self.compiled = database.dialect.once(CompiledReader, rows, ids)
        self.reader = self.compiled.reader

    @property
    def tally(self) -> Tally:
        """Counts of what was read."""
        return self.reading.tally

    def chunks(self, where: Any = None, size: int = CHUNK) -> Generator[list[bytes], None, None]:
        """Yield the records' lines in key order; two with one key are a ``TargetError``."""
        database, is_sorted = self.reading.database, self.compiled.order is not None
        statement = self.compiled.statement
        if where is not None:
            statement = statement.where(where)
        with closing(database.stream(statement, size)) as stream:
            rows = (self.reader.selection.completed(database, part) for part in stream)
            parts: Iterator[Any] = map(self._chunk, rows)
            yield from self._lines(parts if is_sorted else _resorted(parts, size))

    def keyed_records(
        self, size: int = CHUNK, *, nested_rows: bool = True
    ) -> Generator[KeyedRecords, None, None]:
        """Yield all records in key order, where the database can sort so, by the chunk.

        Their rows are without those that they nest unless ``nested_rows`` asks for these.
        """
        database, last = self.reading.database, None
        with closing(database.stream(self.compiled.statement, size)) as stream:
            for part in stream:
                rows = self.reader.selection.completed(database, part)
                nested: dict[str, list[list[StoredRow]]] | None = {} if nested_rows else None
                keys, orders, lines = self._chunk(rows, nested)
                self._check_ascending(keys, orders, last)
                last = keys[-1], orders[-1]
                bare = BareRows(keys_at(rows, self.reader.identity))
                stored = bare if nested is None else self.reader.stored_rows(nested, rows)
                yield KeyedRecords(keys, orders, lines, stored)

    def chunks_of(
        self, identities: Sequence[Row], size: int = CHUNK
    ) -> Generator[list[bytes], None, None]:
        """Yield the lines of the rows with these primary keys, in key order."""
        slices = (identities[start : start + size] for start in range(0, len(identities), size))
        parts = (self._chunk(self._rows_of(part)) for part in slices)
        yield from self._lines(_resorted(parts, size))

    def _lines(self, parts: Iterable[Any]) -> Generator[list[bytes], None, None]:
        last: Any = None
        for keys, orders, lines in parts:
            self._check_ascending(keys, orders, last)
            last = (keys[-1], orders[-1])
            yield lines

    def _rows_of(self, identities: Sequence[Row]) -> list[Row]:
        return self.reader.among(self.reading, self.rows.identity, identities)

    def _chunk(
        self, rows: Sequence[Row], nested: dict[str, list[list[StoredRow]]] | None = None
    ) -> tuple[list[Key], list[Any], list[bytes]]:
        records = self.reader.records(replace(self.reading, nested=nested), rows)
        keys = self.reader.encoder.keys(records)
        return keys, self.reader.encoder.order(keys), encode_lines(records)

    def _check_ascending(self, keys: list[Key], orders: list[Any], last: Any) -> None:
        if last is not None:
            keys, orders = [last[0], *keys], [last[1], *orders]
        if all(map(lt, orders, orders[1:])):
            return
        for first, second, key in zip(orders, orders[1:], keys[1:], strict=False):
            if first == second:
                raise self._twins(key)
            if not first < second:
                raise TargetError(
                    Message(
                        "rows-unordered",
                        f"rows came out of order at {shown(masked_key(self.rows.key, key))}; "
                        "this is a fault of lading's, and nothing was written",
                    ),
                    entity=self.rows.name,
                )

    def _twins(self, key: Key) -> TargetError:
        named = masked_key(self.rows.key, key)
        return TargetError(
            Message(
                "key-repeated", f"two rows have the natural key {shown(named)}; it must be unique"
            ),
            "Remove or rename one, or declare a natural_key that tells them apart.",
            entity=self.rows.name,
            key=named,
        )

    def keyed_lines(self, identities: Sequence[Row]) -> list[tuple[Key, bytes]]:
        """Return the records with these primary keys in key order, each with its natural key."""
        keys, orders, lines = self._chunk(self._rows_of(identities))
        in_order = sorted(range(len(keys)), key=orders.__getitem__)
        return [(keys[place], lines[place]) for place in in_order]

    def keys_of(self, identities: Sequence[Row]) -> dict[Row, Key]:
        """Return the natural keys of the records with these primary keys."""
        rows = self._rows_of(identities)
        keys = self.reader.encoder.keys(self.reader.records(self.reading, rows))
        return dict(zip(keys_at(rows, self.reader.identity), keys, strict=True))

    def lines_of(self, identities: Sequence[Row]) -> dict[Row, bytes]:
        """Return the records with these primary keys, as lines."""
        rows = self._rows_of(identities)
        lines = encode_lines(self.reader.records(self.reading, rows))
        return dict(zip(keys_at(rows, self.reader.identity), lines, strict=True))

    def stored_records(self, identities: Sequence[Row]) -> StoredRecords:
        """Return the records with these primary keys that are there, in the same order."""
        nested: dict[str, list[list[StoredRow]]] = {}
        reading = Reading(self.reading.database, self.tally, nested)
        rows = self._rows_of(identities)
        lines = encode_lines(self.reader.records(reading, rows))
        stored = self.reader.stored_rows(nested, rows)
        places = {row.identity: place for place, row in enumerate(stored)}
        order = [places[identity] for identity in identities if identity in places]
        return StoredRecords([lines[place] for place in order], [stored[place] for place in order])


def _resorted(parts: Any, size: int) -> Iterator[tuple[list[Key], list[Any], list[bytes]]]:
    """Sort records that the database can't sort."""
    items = ((order, (key, line)) for part in parts for key, order, line in zip(*part, strict=True))
    # A key that recurs is as long as its row is deep, and so is its line.
    yield from map(_columns, chunked(externally_sorted(items, size=lambda i: len(i[1][1])), size))


def _columns(chunk: list[Any]) -> tuple[list[Key], list[Any], list[bytes]]:
    return (
        [key for _, (key, _) in chunk],
        [order for order, _ in chunk],
        [line for _, (_, line) in chunk],
    )


def count_rows(database: Database, table: sa.Table, where: Any = None) -> int:
    """Return ``COUNT(*)`` of a table."""
    if where is None:
        return int(database.fetch(database.dialect.counting(table))[0][0])
    statement = sa.select(sa.func.count()).select_from(table).where(where)
    return int(database.execute(statement).scalar_one())
