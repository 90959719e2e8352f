"""Finds the rows that already have a unique value of a new record.

A database says only that it objects, and each in its own words, so the rows are looked up by
every unique set: one query for a set and a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.lookup import rows_among
from lading.exporting.reader import RecordReader
from lading.importing.batch import Batch
from lading.importing.context import LoadContext
from lading.importing.resolved_keys import AMBIGUOUS
from lading.mapping.natural_keys import covering
from lading.messages import Message, shown
from lading.model.hidden import HIDDEN, hides, masked
from lading.model.rowsets import Children, Column, Reference, RowSet, Value
from lading.model.uniqueness import unique_columns
from lading.records.describe import described
from lading.records.layout import Key
from lading.values.json_text import parse_json

Parts = tuple[Value | Reference, ...]


@dataclass(frozen=True, slots=True)
class Collision:
    """A field of a record that another row has already, and what to say of it."""

    field: str
    message: Message


class Collisions:
    """Finds what an entity's new records collide with."""

    def __init__(self, context: LoadContext, root: RowSet) -> None:
        self.context = context
        self.root = root
        self.sets = [parts for parts in unique_sets(root) if set(parts) != set(root.key)]
        self.reader: RecordReader | None = None

    def among(self, batch: Batch, own: Sequence[Row | None] = ()) -> dict[int, Collision]:
        """Map the places of a batch's records that collide to what they collide with.

        Args:
            batch: the records.
            own: the primary keys of the rows that they update, which are no others.
        """
        collisions: dict[int, Collision] = {}
        records = [parse_json(line) for line in batch.lines] if self.sets else []
        for parts in self.sets:
            keys = {
                place: key
                for place, record in enumerate(records)
                if (key := unique_key(parts, record, batch, place)) is not None
            }
            for place, owner in self._owners(parts, keys, own).items():
                holder = (
                    f"{self.root.name} {shown(owner)}" if owner is not None else "another record"
                )
                collisions.setdefault(place, self._collision(parts, keys[place], holder))
            earlier: dict[Key, int] = {}
            for place, key in keys.items():
                first = earlier.setdefault(key, place)
                if first != place:
                    holder = f"record {batch.numbers[first]}"
                    collisions.setdefault(place, self._collision(parts, key, holder))
        return collisions

    def within(self, batch: Batch, own: Row | None = None) -> Collision | None:
        """Return what the rows that one record nests collide with, if they do.

        Rows of the stored record that it updates (``own``) are no others.
        """
        if not batch.lines:
            return None
        return self._nested(self.root, parse_json(batch.lines[0]), "", own)

    def alike(self, batch: Batch, message: str) -> Collision | None:
        """Return the row that a collation treats as equal to a batch's only record, if any."""
        resolver = self.context.resolvers.by_key(self.root)
        for other in resolver.alike(batch.keys[0]):
            own, stored = (described(self.root.key, key) for key in (batch.keys[0], other))
            return Collision(
                self.root.key[0].written,
                Message(
                    "collation-clash",
                    f"{message}; its collation takes {own} for {stored}, which is there already. "
                    "Correct one of the two, or give the column a collation that tells them apart",
                ),
            )
        return None

    def _owners(
        self, parts: Parts, keys: Mapping[int, Key], own: Sequence[Row | None]
    ) -> dict[int, Any]:
        """Map places to the natural keys of the other rows that have their unique values."""
        identities = self.rows_with(self.root, parts, keys.values())
        owner_identities = {
            place: identities[key]
            for place, key in keys.items()
            if key in identities and not (own and identities[key] == own[place])
        }
        owners = self._named({row for row in owner_identities.values() if row is not AMBIGUOUS})
        return {place: owners.get(row) for place, row in owner_identities.items()}

    def held(self, rows: RowSet, parts: Parts, key: Key, identity: Row) -> Collision:
        """Return the collision with the row that has unique values, in one row set.

        Args:
            rows: the row set of both rows.
            parts: the members that are unique together.
            key: the values of these.
            identity: the primary key of the row that has them.
        """
        if rows is not self.root:
            return self._nested_collision(rows, parts, ("", key), identity)
        owner = self._named([identity]).get(identity)
        holder = f"{self.root.name} {shown(owner)}" if owner is not None else "another record"
        return self._collision(parts, key, holder)

    def of_record(self, rows: RowSet, parts: Parts, key: Key, number: int) -> Collision:
        """Return the collision with a record of the same file, or with a row that it holds.

        Args:
            rows: The record's rows, or those of an owned list.
            parts: The members of the unique set.
            key: The values that both have.
            number: The other record's.
        """
        if rows is not self.root:
            return _between_rows(parts, ("", key), f"a row of record {number}")
        return self._collision(parts, key, f"record {number}")

    def rows_with(self, rows: RowSet, parts: Parts, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """Map unique values to the primary keys of the rows that have them now."""
        resolver = self.context.resolvers.by(rows, parts, rows.identity)
        resolver.forget()
        return resolver.find(keys)

    def _named(self, identities: Iterable[Row]) -> dict[Row, Any]:
        """Map primary keys of the entity's rows to their natural keys, in portable form."""
        wanted = list(identities)
        if not wanted:
            return {}
        if self.reader is None:
            self.reader = RecordReader(self.context.database, self.root)
        records = self.reader.lines_of(wanted)
        names = self.root.key_names
        return {
            identity: masked(self.root.key, {name: record[name] for name in names})
            for identity, line in records.items()
            if isinstance(record := parse_json(line), dict)
        }

    def _collision(self, parts: Parts, key: Key, holder: str) -> Collision:
        is_id = [part.column for part in parts if isinstance(part, Value)] == [*self.root.identity]
        keys = ", ".join(shown(part.name) for part in self.root.key)
        remedy = f"Correct one of them, or declare natural_key = {_declared(parts)} if that is what"
        also = ", or leave ids out of the records" if is_id else ""
        return Collision(
            parts[0].written,
            Message(
                "value-taken",
                f"{_values_of(parts, key)} already belongs to {holder}, which has another natural "
                f"key ({keys}). {remedy} identifies it{also}",
            ),
        )

    # Nested rows

    def _nested(self, rows: RowSet, record: Any, path: str, own: Row | None) -> Collision | None:
        for children in rows.children:
            children_records = record.get(children.written) or []
            collision = self._among_children(
                children, children_records, f"{path}{children.written}", own
            )
            for place, child in enumerate(children_records, 1):
                below = f"{path}{children.written}.{place}."
                collision = collision or self._nested(children.rows, child, below, own)
            if collision is not None:
                return collision
        return None

    def _among_children(
        self, children: Children, records: Sequence[Any], path: str, own: Row | None
    ) -> Collision | None:
        for parts in unique_sets(children.rows):
            if not all(isinstance(part, Value) for part in parts):
                continue
            keys = {
                n: tuple(record.get(p.written) for p in parts)
                for n, record in enumerate(records, 1)
            }
            keys = {n: key for n, key in keys.items() if None not in key}
            stored = self.rows_with(children.rows, parts, keys.values())
            for place, key in keys.items():
                if key in stored and not self._is_own(children.rows, stored[key], own):
                    return self._nested_collision(
                        children.rows, parts, (f"{path}.{place}.", key), stored[key]
                    )
        return None

    def _is_own(self, rows: RowSet, identity: Row, own: Row | None) -> bool:
        return own is not None and self._root_of(rows, identity) == own

    def _nested_collision(
        self, rows: RowSet, parts: Parts, place: tuple[str, Key], identity: Row
    ) -> Collision:
        root = self._root_of(rows, identity)
        owner = self._named([root]).get(root) if root is not None else None
        holder = f"a row of {self.root.name} {shown(owner)}" if owner else "another row"
        return _between_rows(parts, place, holder)

    def _root_of(self, rows: RowSet, identity: Row) -> Row | None:
        """Return the primary key of the record that holds an owned row, if it is of this entity."""
        while rows.parent is not None:
            children = next(member for member in rows.parent.children if member.rows is rows)
            near, far = zip(*children.pairs, strict=True)
            parent_key = self._select(rows.table, rows.identity, identity, near)
            above = None if parent_key is None or None in parent_key else parent_key
            if above is not None and far != rows.parent.identity:
                above = self._select(rows.parent.table, far, above, rows.parent.identity)
            if above is None:
                return None
            rows, identity = rows.parent, above
        return identity

    def _select(
        self, table: Any, columns: Sequence[Column], key: Row, wanted: Sequence[Column]
    ) -> Row | None:
        database = self.context.database
        sql = database.dialect.text_of(sa.select(*wanted).select_from(table))
        names = database.dialect.qualified(columns)
        rows = rows_among(database, sql, columns, names, [key])
        return tuple(rows[0]) if rows else None


def unique_sets(rows: RowSet) -> Iterator[Parts]:
    """Yield the members of each set of columns that is unique in one of a row set's tables.

    A primary key that records don't carry isn't among them.
    """
    for group in unique_groups(rows):
        parts = covering(rows, group, every=False)
        if parts:
            yield parts


def unique_groups(rows: RowSet) -> Iterator[tuple[Column, ...]]:
    """Yield the columns of each unique set of a row set's tables, as ``unique_sets`` takes them."""
    groups = [*unique_columns(rows.table)]
    if rows.surrogate is None and set(rows.identity) not in map(set, groups):
        yield rows.identity
    yield from groups
    for extension in rows.extensions:
        yield from unique_columns(extension.table)


def unique_key(parts: Parts, record: Any, batch: Batch, place: int) -> Key | None:
    """Return a record's unique values; ``None`` where one of them is null, which equals nothing.

    Args:
        parts: the members that are unique together.
        record: the record as it is written.
        batch: the batch that it is in.
        place: its place there.
    """
    key = tuple(
        batch.references[part.name][place]
        if isinstance(part, Reference)
        else record.get(part.written)
        for part in parts
    )
    return None if None in key else key


def _between_rows(parts: Parts, place: tuple[str, Key], holder: str) -> Collision:
    """Return the collision of an owned row: no natural key of the record's would settle it."""
    path, key = place
    return Collision(
        f"{path}{parts[0].written}",
        Message(
            "value-taken",
            f"{_values_of(parts, key)} already belongs to {holder}. Correct one of them",
        ),
    )


def _values_of(parts: Parts, key: Key) -> str:
    """Write unique values with the names of their fields."""
    names = " and ".join(part.written for part in parts)
    values = (HIDDEN if hides(p) else shown(v) for p, v in zip(parts, key, strict=True))
    return f"{names} {', '.join(values)}"


def _name_or_names(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else tuple(names)


def _declared(parts: Parts) -> str:
    return repr(_name_or_names([part.name for part in parts]))
