"""Finds the rows that already have a unique value of a new record.

A database says only that it objects, and each in its own words, so the rows are looked up by
every unique set: one query for a set and a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.lookup import rows_among
from lading.exporting.reader import RecordReader
from lading.importing.batch import Batch
from lading.importing.context import LoadContext
from lading.importing.nested_records import NestedRecords
from lading.importing.reference_values import Parts, ReferenceValue
from lading.importing.references import places_within
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.unique_sets import UniqueMembers
from lading.messages import Message, noted, shown
from lading.model.hidden import masked
from lading.model.rowsets import Column, Reference, RowSet, Value
from lading.model.uniqueness import unique_columns
from lading.records.comparison import RecordComparison
from lading.records.describe import described, described_parts
from lading.records.layout import Key
from lading.records.raw_records import RawReader
from lading.values.json_text import parse_json


@dataclass(frozen=True, slots=True)
class Collision:
    """A field of a record that another row has already, and what to say of it."""

    field: str
    message: Message

    def at(self, path: str) -> Collision:
        """Return the same of an owned row, to which a path leads with a dot at its end."""
        return Collision(f"{path}{self.field}".removesuffix("."), self.message)


class Collisions:
    """Finds what an entity's new records collide with."""

    def __init__(self, context: LoadContext, root: RowSet) -> None:
        self.context = context
        self.root = root
        self.reader: RecordReader | None = None

    @cached_property
    def sets(self) -> list[UniqueMembers]:
        """What is unique among records, but their natural key."""
        own = set(self.root.key)
        return [each for each in self.context.unique.of(self.root) if set(each.parts) != own]

    @cached_property
    def raw(self) -> RawReader:
        """Reads what records say."""
        return RawReader(self.root, RecordComparison(self.root, self.context.database.dialect))

    def among(self, batch: Batch, own: Sequence[Row | None] = ()) -> dict[int, Collision]:
        """Map the places of a batch's records that collide to what they collide with.

        Args:
            batch: the records.
            own: the primary keys of the rows that they update, which are no others.
        """
        collisions: dict[int, Collision] = {}
        records = list(map(self.raw.new_content, batch.lines)) if self.sets else []
        for unique in self.sets:
            keys = unique.keys(self.context.database, batch, records)
            for place, owner in self._owners(unique, keys, own).items():
                holder = (
                    f"{self.root.name} {shown(owner)}" if owner is not None else "another record"
                )
                collisions.setdefault(place, self._collision(unique, keys[place], holder))
            earlier: dict[Key, int] = {}
            for place, key in keys.items():
                first = earlier.setdefault(key, place)
                if first != place:
                    holder = f"record {batch.numbers[first]}"
                    collision = self._collision(unique, key, holder, is_stored=False)
                    collisions.setdefault(place, collision)
        return collisions

    def within(self, batch: Batch, own: Row | None = None) -> Collision | None:
        """Return what the rows that one record nests collide with, if they do.

        Rows of the stored record that it updates (``own``) are no others.
        """
        records = list(map(self.raw.new_content, batch.lines))
        top = NestedRecords(self.root, batch, records, places_within(""))
        for rows in islice(top.walk() if records else (), 1, None):
            for unique in self.context.unique.of(rows.rows):
                keys = unique.keys(self.context.database, rows.batch, rows.records)
                stored = {} if unique.by_owner else self.rows_with(unique, keys.values())
                for place, key in keys.items():
                    identity = stored.get(key)
                    if identity is not None and not self._is_own(unique.rows, identity, own):
                        return self.held(unique, key, identity).at(rows.places.path(place))
                for place, collision in self.repeated(unique, rows, keys):
                    return collision.at(rows.places.path(place))
        return None

    def repeated(
        self, unique: UniqueMembers, rows: NestedRecords, keys: Mapping[int, Key]
    ) -> Iterator[tuple[int, Collision]]:
        """Yield the rows whose values an earlier one has, in the same owner or in any.

        Args:
            unique: What is unique.
            rows: The rows.
            keys: Their values, by place.
        """
        database = self.context.database
        known: dict[tuple[int | None, str], int] = {}
        for place, key in keys.items():
            scope = rows.owners[place] if unique.by_owner else None
            first = known.setdefault((scope, unique.text(database.dialect, key)), place)
            if first != place and keys[first] == key:
                yield place, self.of_record(unique, key, rows.batch.numbers[first])
            elif first != place and unique.are_alike(database, key, keys[first]):
                yield place, collation_clash(unique.parts, key, keys[first])

    def alike(self, batch: Batch, own: Row | None = None) -> Collision | None:
        """Return the row that a collation treats as equal to a batch's only record, if any.

        The stored row that it updates (``own``) is no other.
        """
        records = list(map(self.raw.new_content, batch.lines))
        for unique in self.by_collation:
            keys = unique.keys(self.context.database, batch, records)
            for key, (other, row) in self.rows_alike(unique, keys.values()).items():
                if row != own:
                    return collation_clash(unique.parts, key, other)
        for key, (other, _) in self.context.resolvers.by_key(self.root).alike(batch.keys).items():
            return collation_clash(self.root.key, key, other)
        return None

    @cached_property
    def by_collation(self) -> list[UniqueMembers]:
        """What is unique among records, and may clash though it differs."""
        dialect = self.context.database.dialect
        return [each for each in self.context.unique.of(self.root) if each.by_collation(dialect)]

    def rows_alike(
        self, unique: UniqueMembers, keys: Iterable[Key]
    ) -> Mapping[Key, tuple[Key, Row]]:
        """Map unique values to those that a collation takes for them, and the row that has them."""
        if not unique.by_collation(self.context.database.dialect):
            return {}
        return self.context.resolvers.of_unique(unique).alike([*keys])

    def appeared(self, batch: Batch, message: Message) -> Collision | None:
        """Tell of a row with the key of a batch's only record, which wasn't there at first."""
        resolver = self.context.resolvers.by_key(self.root)
        resolver.forget()
        if batch.keys[0] not in resolver.find(batch.keys[:1]):
            return None
        note = (
            "Such a row is there now: a trigger, or somebody else, wrote it during this import. "
            "Disable the trigger, or import only the other entities"
        )
        return Collision(self.root.key[0].written, noted(message, note))

    def _owners(
        self, unique: UniqueMembers, keys: Mapping[int, Key], own: Sequence[Row | None]
    ) -> dict[int, Any]:
        """Map places to the natural keys of the other rows that have their unique values."""
        identities = self.rows_with(unique, keys.values())
        owner_identities = {
            place: identities[key]
            for place, key in keys.items()
            if key in identities and not (own and identities[key] == own[place])
        }
        owners = self._named({row for row in owner_identities.values() if row is not AMBIGUOUS})
        return {place: owners.get(row) for place, row in owner_identities.items()}

    def held(self, unique: UniqueMembers, key: Key, identity: Row) -> Collision:
        """Return the collision with the row that has unique values.

        Args:
            unique: what is unique.
            key: the values.
            identity: the primary key of the row that has them.
        """
        if unique.rows is not self.root:
            root = None if identity is AMBIGUOUS else self._root_of(unique.rows, identity)
            owner = self._named([root]).get(root) if root is not None else None
            holder = f"a row of {self.root.name} {shown(owner)}" if owner else "another row"
            if owner or identity is AMBIGUOUS:
                return _plain_collision(unique, key, holder)
            return self._elsewhere(unique, key, identity) or _plain_collision(unique, key, holder)
        owner = self._named([identity]).get(identity)
        holder = f"{self.root.name} {shown(owner)}" if owner is not None else "another record"
        return self._collision(unique, key, holder)

    def _elsewhere(self, unique: UniqueMembers, key: Key, identity: Row) -> Collision | None:
        """Return the collision with a row that a record of another entity holds, if one does."""
        for rows in self.context.entities.all_rows():
            if rows.table is not unique.rows.table or rows.entity == self.root.name:
                continue
            entity = Collisions(self.context, self.context.entities[rows.entity])
            root = entity._root_of(rows, identity) if rows.parent is not None else None
            owner = entity._named([root]).get(root) if root is not None else None
            if owner:
                collision = _plain_collision(unique, key, f"a row of {rows.entity} {shown(owner)}")
                note = (
                    "Rows don't move from one entity to another: if that record drops it, import "
                    f"{rows.entity} alone first (only=[{shown(rows.entity)}])"
                )
                return Collision(collision.field, noted(collision.message, note))
        return None

    def of_record(self, unique: UniqueMembers, key: Key, number: int) -> Collision:
        """Return the collision with a record of the same file, or with a row that it holds.

        Args:
            unique: What is unique.
            key: The values that both have.
            number: The other record's.
        """
        if unique.rows is not self.root:
            return _plain_collision(unique, key, f"a row of record {number}")
        return self._collision(unique, key, f"record {number}", is_stored=False)

    def rows_with(self, unique: UniqueMembers, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """Map unique values to the primary keys of the rows that have them now."""
        resolver = self.context.resolvers.of_unique(unique)
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

    def _collision(
        self, unique: UniqueMembers, key: Key, holder: str, *, is_stored: bool = True
    ) -> Collision:
        parts = unique.parts
        is_id = [part.column for part in parts if isinstance(part, Value)] == [*self.root.identity]
        keys = ", ".join(shown(part.name) for part in self.root.key)
        if unique.condition is not None:
            return _plain_collision(unique, key, holder)
        remedy = "Correct one of them"
        if all(map(_may_identify, parts)):
            remedy += f", or declare natural_key = {_declared(parts)} if that is what identifies it"
        also = ", or leave ids out of the records" if is_id else ""
        if is_id and is_stored:
            also += (
                "; or, if the bundle lacks it, delete that record first, which mirrors do where "
                "they can"
            )
        return Collision(
            parts[0].written,
            Message(
                "value-taken",
                f"{_belonging(parts, key, holder)}, which has another natural key ({keys}). "
                f"{remedy}{also}",
            ),
        )

    def _is_own(self, rows: RowSet, identity: Row, own: Row | None) -> bool:
        return own is not None and self._root_of(rows, identity) == own

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


def unique_groups(rows: RowSet) -> Iterator[tuple[Column, ...]]:
    """Yield the columns of each unique set of a row set's tables, as the models declare them."""
    groups = [*unique_columns(rows.table)]
    if rows.surrogate is None and set(rows.identity) not in map(set, groups):
        yield rows.identity
    yield from groups
    for extension in rows.extensions:
        yield from unique_columns(extension.table)


def _plain_collision(unique: UniqueMembers, key: Key, holder: str) -> Collision:
    """Return a collision that no other natural key would settle: of owned rows, or of some rows."""
    if not unique.parts:
        message = Message("value-taken", f"is the second row of {holder}, which may have one alone")
        return Collision("", message)
    text, condition = _belonging(unique.parts, key, holder), unique.condition
    if condition is not None:
        are = "are" if len(described_parts(unique.parts, key)) > 1 else "is"
        text += f", and {are} unique where {condition.sql}"
    text += ". Correct one of them"
    return Collision(unique.parts[0].written, Message("value-taken", text))


def _belonging(parts: Parts, key: Key, holder: str) -> str:
    """Say whose some unique values are."""
    texts = described_parts(parts, key)
    verb = "already belong to" if len(texts) > 1 else "already belongs to"
    return f"{' and '.join(texts)} {verb} {holder}"


def _may_identify(part: Value | Reference) -> bool:
    """Tell whether every record has a member, and it may be part of a natural key."""
    if part.nullable or part.classes is not None or isinstance(part, ReferenceValue):
        return False
    return isinstance(part, Reference) or part.kind.is_key


def _name_or_names(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else tuple(names)


def _declared(parts: Parts) -> str:
    return repr(_name_or_names([part.name for part in parts]))


def collation_clash(parts: Parts, key: Key, other: Key) -> Collision:
    """Return the collision with a row whose unique values a collation takes for a record's."""
    own, stored = (described(parts, values) for values in (key, other))
    return Collision(
        parts[0].written,
        Message(
            "collation-clash",
            f"the database's collation takes {own} for {stored}, which is there already. Correct "
            "one of the two, or give the column a collation that tells them apart",
        ),
    )
