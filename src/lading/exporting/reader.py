"""Reads the records of an entity: its rows in key order, with all that they nest.

One statement streams the entity's rows; each owned table and each link table
costs one more per chunk of parents, whatever the number of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter, lt
from typing import Any

import msgspec
import sqlalchemy as sa

from lading.codegen import Source
from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.database.lookup import keys_at, rows_among
from lading.errors import TargetError
from lading.exporting.ancestors import ancestors_of
from lading.exporting.encode import RowEncoder
from lading.exporting.query import ReferenceSlot, Selection, ValueSlot, identity_of
from lading.mapping.columns import kind_of
from lading.messages import shown
from lading.model.rowsets import Children, Column, Links, RowSet
from lading.records.describe import told_key
from lading.records.key_source import order_source, reference_source
from lading.records.layout import Key, KeyLayout, RecordLayout
from lading.records.lines import encode_lines
from lading.scratch.sort import CHUNK, chunked, externally_sorted


@dataclass(slots=True)
class Tally:
    """What was read: rows per table, links per reference (by its dotted path), rounded cells."""

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rounded: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    links: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class RowReader:
    """Makes encoded structs of a row set's rows, with everything nested in them."""

    def __init__(
        self, database: Database, rows: RowSet, tally: Tally, *, ids: bool, path: str = ""
    ) -> None:
        self.database = database
        self.rows = rows
        self.tally = tally
        self.path = path
        self.selection = Selection(database.dialect, rows.table)
        self.selection.extend(rows)
        self.layout = RecordLayout(rows, ids=ids)
        self.encoder = RowEncoder(rows, self.selection, self.layout, ids=ids, rounded=tally.rounded)
        self.identity = identity_of(self.selection, rows)
        self.ancestors = ancestors_of(database, self.selection)
        self.nested: list[LinkReader | ChildReader] = [
            *(LinkReader(database, self, links) for links in rows.links),
            *(ChildReader(database, self, children, tally, ids=ids) for children in rows.children),
        ]

    def ready(self) -> None:
        """Compile, once everything is selected."""
        self.encoder.ready(len(self.selection.columns))

    def records(self, rows: Sequence[Row]) -> list[Any]:
        """Make the structs of one chunk of rows."""
        nested = [reader.fetch(rows) for reader in self.nested]
        for ancestors in self.ancestors:
            ancestors.fetch(rows)
        records = self.encoder.records(rows, nested)
        self._count_rows(records)
        for reference in self.rows.references:
            place = self.layout.place[reference.name]
            held = len(records)
            if reference.nullable or reference.classes is not None:
                none = (None, msgspec.UNSET)
                held = sum(1 for record in records if getattr(record, place) not in none)
            self.tally.links[f"{self.path}{reference.written}"] += held
        return records

    def _count_rows(self, records: list[Any]) -> None:
        self.tally.rows[self.rows.table.fullname] += len(records)
        if self.rows.discriminator is not None:
            place = self.layout.place[self.rows.discriminator.name]
            for extension in self.rows.extensions:
                held = sum(1 for record in records if getattr(record, place) in extension.classes)
                self.tally.rows[extension.table.fullname] += held

    def completed(self, rows: list[Row]) -> list[Row]:
        """Return rows of the SELECT with what further statements read for them."""
        return self.selection.completed(self.database, rows)

    def text(self) -> str:
        """Return the SELECT without order or condition, as SQL of the driver."""
        return self.database.dialect.text_of(self.selection.statement())

    def qualified(self, columns: Sequence[Column]) -> list[str]:
        """Name columns of the row set's own tables in that SELECT."""
        return self.database.dialect.qualified(columns)


class ChildReader:
    """Reads the owned rows of a chunk of parents, and hands them out in order."""

    def __init__(
        self, database: Database, parent: RowReader, children: Children, tally: Tally, *, ids: bool
    ) -> None:
        self.children = children
        path = f"{parent.path}{children.written}."
        self.reader = RowReader(database, children.rows, tally, ids=ids, path=path)
        self.parent_places = [parent.selection.raw(up) for _, up in children.pairs]
        selection = self.reader.selection
        self.own_places = [selection.raw(down) for down, _ in children.pairs]
        self.other_places = [[selection.raw(column) for column in g] for g in children.others]
        # What holds whose the rows are is the same in all of a list.
        self.sorts = [
            self._sort(column, down)
            for column, down in children.sequence
            if column not in children.rows.own
        ]
        self.reader.ready()
        self.sql = self.reader.text()
        self.names = self.reader.qualified([down for down, _ in children.pairs])

    def _sort(self, column: Column, descending: bool) -> tuple[Any, bool]:
        values = {value.column: value for value in self.children.rows.values}
        carried = values.get(column)
        kind = kind_of(column.type) if carried is None else carried.kind
        assert kind is not None  # a list is a sequence by what is carried, and by generated ids
        column = column if carried is None else carried.carrier
        selection = self.reader.selection
        place = selection.add(column, kind)
        read, order = selection.dialect.reader(column, kind).function(), kind.order

        def key(item: tuple[bytes, Row]) -> Any:
            value = item[1][place]
            return (False,) if value is None else (True, order(read(value)))

        return key, descending

    def fetch(self, parents: Sequence[Row]) -> list[list[Any]]:
        """Return each parent's children as JSON texts, sorted."""
        down = [column for column, _ in self.children.pairs]
        keys = keys_at(parents, self.parent_places)
        rows = self.reader.completed(
            rows_among(self.reader.database, self.sql, down, self.names, keys)
        )
        self._refuse_shared(rows)
        groups: dict[Row, list[tuple[bytes, Row]]] = defaultdict(list)
        lines = encode_lines(self.reader.records(rows))
        for owner, line, row in zip(keys_at(rows, self.own_places), lines, rows, strict=True):
            groups[owner].append((line, row))
        owners = keys_at(parents, self.parent_places)
        refuse_strangers(groups, owners, self.children.rows.table, self.children.rows.name)
        for items in groups.values():
            items.sort(key=itemgetter(0))
            for key, descending in reversed(self.sorts):
                items.sort(key=key, reverse=descending)
        raw = msgspec.Raw
        return [[raw(line) for line, _ in groups.get(owner, ())] for owner in owners]

    def _refuse_shared(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for places in self.other_places:
                if all(row[place] is not None for place in places):
                    table = self.children.rows.table.fullname
                    raise TargetError(
                        f"a row of {table} belongs to two parents; each is in one record exactly",
                        "Set all of its foreign keys to owners but one to null.",
                        entity=self.children.rows.name,
                    )


class LinkReader:
    """Reads the many-to-many links of a chunk of owners, sorted by key."""

    def __init__(self, database: Database, owner: RowReader, links: Links) -> None:
        self.links = links
        self.owner = owner
        self.database = database
        selection = Selection(database.dialect, links.table, anchor=links.reference.columns)
        slot = selection.reference(links.reference, links.table)
        self.ancestors = ancestors_of(database, selection)
        self.owner_places = [owner.selection.raw(column) for _, column in links.local]
        self.own_places = [selection.raw(links.table.c[near.key]) for near, _ in links.local]
        self.make = self._compile(selection, slot)
        self.selection = selection
        self.sql = database.dialect.text_of(selection.statement())
        table = database.dialect.table(links.table)
        self.names = [f"{table}.{database.dialect.name(near)}" for near, _ in links.local]

    def _compile(self, selection: Selection, slot: ReferenceSlot) -> Any:
        """Return what makes (key struct, sort key) pairs of rows."""
        reference = self.links.reference
        layout = self.owner.layout.keys.get(self.links.name)
        source = Source(f"{self.owner.rows.name}.{self.links.name}")
        struct = key_struct_source(source, self.database.dialect, slot, layout)
        variables = ", ".join(f"c{place}" for place in range(len(selection.columns)))
        key = reference_source(reference, "k")
        order = order_source(source, reference.parts, "t")
        return source.compile(
            f"lambda rows: [(k, {order}) for ({variables},) in rows "
            f"for k in ({struct},) for t in ({key},)]"
        )

    def fetch(self, owners: Sequence[Row]) -> list[list[Any]]:
        """Return each owner's nested keys, sorted."""
        near = [column for column, _ in self.links.local]
        keys = keys_at(owners, self.owner_places)
        rows = rows_among(self.database, self.sql, near, self.names, keys)
        rows = self.selection.completed(self.database, rows)
        for ancestors in self.ancestors:
            ancestors.fetch(rows)
        try:
            made = self.make(rows)
        except Exception as error:
            raise TargetError(
                f"a link of {self.links.table.fullname} refers to no row ({error})",
                "Remove the link, or add the row.",
                entity=self.owner.rows.name,
                field=self.links.written,
            ) from error
        groups: dict[Row, list[tuple[Any, Any]]] = defaultdict(list)
        for owner, item in zip(keys_at(rows, self.own_places), made, strict=True):
            groups[owner].append(item)
        wanted = keys_at(owners, self.owner_places)
        refuse_strangers(groups, wanted, self.links.table, self.owner.rows.name)
        tally = self.owner.tally
        tally.rows[self.links.table.fullname] += len(rows)
        tally.links[f"{self.owner.path}{self.links.written}"] += len(rows)
        for items in groups.values():
            items.sort(key=itemgetter(1))
            if any(first[1] == second[1] for first, second in pairwise(items)):
                raise TargetError(
                    f"{self.links.table.fullname} holds a link twice, and no bundle can",
                    "Remove one of the two rows.",
                    entity=self.owner.rows.name,
                    field=self.links.written,
                )
        return [[struct for struct, _ in groups.get(owner, ())] for owner in wanted]


def refuse_strangers(
    groups: dict[Row, Any], owners: Sequence[Row], table: sa.Table, entity: str
) -> None:
    """Refuse rows whose owner the database takes for equal, by its collation, and which isn't."""
    for stranger in groups.keys() - set(owners):
        raise TargetError(
            f"a row of {table.fullname} refers to {shown(stranger)}, which is its owner's key only "
            "by the database's collation",
            "Write the foreign key exactly as the owner's key is.",
            entity=entity,
        )


def key_struct_source(
    source: Source, dialect: Dialect, slot: ReferenceSlot, layout: KeyLayout | None
) -> str:
    """Return source for a nested key whose parts must all be there.

    One that is flat or recurs is no struct, and needs no layout.
    """
    if slot.identity:
        return slot.held_source(source)
    items = []
    for place, part in enumerate(slot.parts):
        if isinstance(part, ValueSlot):
            x = f"c{part.place}"
            text = source.use(dialect.reader(part.value.carrier, part.value.kind), x)
            items.append(f"(None if {x} is None else {text})" if part.value.nullable else text)
        else:
            nested = None if layout is None else layout.nested.get(place)
            text = key_struct_source(source, dialect, part, nested)
            null = part.is_null()
            items.append(f"(None if {null} else {text})" if part.reference.nullable else text)
    if layout is None:
        return items[0]
    return f"{source.name(layout.struct, 'Key')}({', '.join(items)})"


class RecordReader:
    """Reads an entity's records in key order, as lines of canonical JSON."""

    def __init__(self, database: Database, rows: RowSet, *, ids: bool = False) -> None:
        self.rows = rows
        self.database = database
        self.tally = Tally()
        self.reader = RowReader(database, rows, self.tally, ids=ids)
        self.order = self.reader.selection.order(rows.key, rows.table)
        self.reader.ready()

    def chunks(self, where: Any = None, size: int = CHUNK) -> Generator[list[bytes], None, None]:
        """Yield the records' lines in key order; two with one key are a ``TargetError``."""
        statement = self.reader.selection.statement()
        if where is not None:
            statement = statement.where(where)
        if self.order is not None:
            statement = statement.order_by(*self.order)
        with closing(self.database.stream(statement, size)) as stream:
            parts: Iterator[Any] = map(self._chunk, map(self.reader.completed, stream))
            yield from self._lines(parts if self.order is not None else _resorted(parts, size))

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
        columns = self.rows.identity
        names = self.reader.qualified(columns)
        rows = rows_among(self.database, self.reader.text(), columns, names, identities)
        return self.reader.selection.completed(self.database, rows)

    def _chunk(self, rows: Sequence[Row]) -> tuple[list[Key], list[Any], list[bytes]]:
        records = self.reader.records(rows)
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
                    f"rows came out of order at {shown(told_key(self.rows.key, key))}; "
                    "this is a fault of lading's, and nothing was written",
                    entity=self.rows.name,
                )

    def _twins(self, key: Key) -> TargetError:
        named = told_key(self.rows.key, key)
        return TargetError(
            f"two rows have the natural key {shown(named)}; it must be unique",
            "Remove or rename one, or declare a natural_key that tells them apart.",
            entity=self.rows.name,
            key=named,
        )

    def lines_of(self, identities: Sequence[Row]) -> dict[Row, bytes]:
        """Return the records with these primary keys, as lines."""
        rows = self._rows_of(identities)
        lines = encode_lines(self.reader.records(rows))
        return dict(zip(keys_at(rows, self.reader.identity), lines, strict=True))


def _resorted(parts: Any, size: int) -> Iterator[tuple[list[Key], list[Any], list[bytes]]]:
    """Sort outside of the database what it can't sort."""
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
    statement = sa.select(sa.func.count()).select_from(table)
    if where is not None:
        statement = statement.where(where)
    return int(database.connection.execute(statement).scalar_one())
