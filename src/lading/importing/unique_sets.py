"""What a database keeps unique among the rows of a row set, by its own indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from lading.database.dialects.base import Dialect
from lading.database.live.base import Database
from lading.database.live.live_indexes import UniqueIndex
from lading.database.live.unique_indexes import UniqueIndexes
from lading.importing.batch import Batch
from lading.importing.folding import folded
from lading.importing.reference_values import Parts, unique_parts, value_in
from lading.mapping.natural_keys import covering
from lading.model.entities import Entities
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Column, Member, Reference, RowSet, Value
from lading.model.uniqueness import unique_columns
from lading.records.comparison import Content
from lading.records.layout import Key

TEXT = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Condition:
    """The SQL that says which rows of a table an index holds, and the columns that it reads.

    Each comes with the member that gives its value; ``by_null`` are those of which it asks only
    whether they are null, as they may be a foreign key's.
    """

    sql: str
    table: sa.Table
    columns: Mapping[Column, Member]
    by_null: frozenset[Column]

    def places(self, database: Database, rows: RowSet, batch: Batch) -> list[int]:
        """Return the places of a batch's rows that an index holds, as the database decides."""
        place = {v.name: n for n, v in enumerate(v for v in rows.values if v.writable)}
        columns = []
        for column, member in self.columns.items():
            if isinstance(member, Reference):
                columns.append(
                    [None if key is None else 1 for key in batch.references[member.name]]
                )
            else:
                values = [row[place[member.name]] for row in batch.values]
                is_asked = column in self.by_null
                columns.append([None if v is None else 1 for v in values] if is_asked else values)
        cells = list(zip(*columns, strict=True)) if columns else [()] * len(batch)
        sql = database.dialect.escaped(self.sql)
        satisfying = database.satisfying(self.table, list(self.columns), self.by_null, sql, cells)
        return [n for n, row in enumerate(cells) if row in satisfying]

    def of_stored(self, database: Database, rows: RowSet) -> str:
        """Return the condition as SQL on a row set's stored rows, whatever is joined to them."""
        names = database.dialect.qualified(rows.identity_in(self.table))
        inner = [database.dialect.name(column) for column in rows.identity_in(self.table)]
        same = " AND ".join(
            f"lading_row.{own} = {name}" for own, name in zip(inner, names, strict=True)
        )
        table, sql = database.dialect.own_rows(self.table), database.dialect.escaped(self.sql)
        return f"EXISTS (SELECT 1 FROM {table} AS lading_row WHERE {same} AND ({sql}))"


@dataclass(frozen=True, eq=False, slots=True)
class UniqueMembers:
    """Members whose values no two rows of a row set share.

    Args:
        rows: the row set.
        name: the index's.
        columns: the columns.
        parts: the members that carry them, but an owner's; there are none where an owner may have
            one row alone.
        nulls_equal: whether nulls collide.
        folds: whether the index takes different texts for equal.
        condition: which rows must differ, if not all.
    """

    rows: RowSet
    name: str
    columns: tuple[Column, ...]
    parts: Parts
    nulls_equal: bool = False
    folds: bool = False
    condition: Condition | None = None

    @property
    def by_owner(self) -> bool:
        """Whether rows of different owners may share the values."""
        return not set(self.rows.owner_columns).isdisjoint(self.columns)

    @property
    def by_part_of_owner(self) -> bool:
        """Whether owners that share a part of their key, such as a tenant, share the values."""
        lists = self.rows.parent.children if self.rows.parent is not None else ()
        own = {down for each in lists if each.rows is self.rows for down, _ in each.pairs}
        return self.by_owner and not own.issubset(self.columns)

    @property
    def identifies(self) -> bool:
        """Whether the values hold a row's primary key."""
        return set(self.columns) >= set(self.rows.identity)

    def by_collation(self, dialect: Dialect) -> bool:
        """Tell whether different values may clash, as a collation takes them for equal."""
        values = (part for part in self.parts if isinstance(part, Value))
        return self.folds or not all(dialect.tells_apart(value.column) for value in values)

    def text(self, dialect: Dialect, key: Key) -> str:
        """Return a text that all values have which may clash."""
        if not self.by_collation(dialect):
            return repr(key)
        return repr([folded(part) if isinstance(part, str) else part for part in key])

    def are_alike(self, database: Database, key: Key, other: Key) -> bool:
        """Tell whether the database takes two values for equal, of which neither need be there."""
        conditions, bound, other_bound = [], [], []
        columns: list[Column] = []
        for part, value, other_value in zip(self.parts, key, other, strict=True):
            if isinstance(part, Reference):
                if value != other_value:
                    return False
                continue
            bind = database.dialect.binder(part.carrier, part.kind).function()
            columns.append(part.column)
            conditions.append(f"{database.dialect.name(part.column)} = {database.dialect.mark}")
            bound.append(bind(value))
            other_bound.append(bind(other_value))
        if not columns:
            return True
        condition, rows = " AND ".join(conditions), [tuple(other_bound)]
        table = columns[0].table
        return bool(database.satisfying(table, columns, (), condition, rows, parameters=bound))

    @property
    def members(self) -> list[Member]:
        """The members whose changes may make a row collide."""
        return [*self.parts, *(self.condition.columns.values() if self.condition else ())]

    def keys(self, database: Database, batch: Batch, records: Sequence[Content]) -> dict[int, Key]:
        """Map the places of a batch's rows to their values, but of rows that collide with none.

        Args:
            database: decides which rows satisfy a condition.
            batch: the rows.
            records: what they say, in the same order.
        """
        keys = {place: self._key(record, batch, place) for place, record in enumerate(records)}
        keys = {n: key for n, key in keys.items() if self.nulls_equal or None not in key}
        if self.condition is None or not keys:
            return keys
        places = self.condition.places(database, self.rows, batch)
        return {place: keys[place] for place in places if place in keys}

    def _key(self, record: Content, batch: Batch, place: int) -> Key:
        return tuple(
            batch.references[part.name][place]
            if isinstance(part, Reference)
            else value_in(record, part)
            for part in self.parts
        )


class UniqueSets:
    """The unique sets of a catalog's row sets, asked for once."""

    def __init__(self, database: Database, entities: Entities) -> None:
        self.database = database
        self.entities = entities
        self._sets: dict[RowSet, list[UniqueMembers]] = {}

    @cached_property
    def indexes(self) -> UniqueIndexes:
        """The unique indexes of all tables; of views those that the models declare."""
        tables = [table for rows in self.entities.all_rows() for table in rows.tables]
        tables = list(dict.fromkeys(tables))
        declared = {
            table: [
                UniqueIndex(".".join(c.name for c in group), frozenset(c.name for c in group))
                for group in unique_columns(table)
            ]
            for table in self.database.stand_ins(tables)
        }
        return {**self.database.unique_indexes(tables), **declared}

    def of(self, rows: RowSet) -> list[UniqueMembers]:
        """Return the unique sets of a row set that records tell the values of."""
        if rows not in self._sets:
            self._sets[rows] = list(self._known(rows))
        return self._sets[rows]

    def _known(self, rows: RowSet) -> Iterator[UniqueMembers]:
        """Yield them once each: models may declare a set twice."""
        known = set()
        for table, index in self._indexes(rows):
            unique = _unique_set(rows, table, index)
            if unique is not None and (unique.columns, index.condition) not in known:
                known.add((unique.columns, index.condition))
                yield unique
        parts = covering(rows, rows.identity, every=False) if rows.surrogate is None else ()
        if parts and (rows.identity, "") not in known:  # SQLite has no index of a row's number
            yield UniqueMembers(rows, "", rows.identity, parts)

    def unknown(self, rows: RowSet) -> Iterator[tuple[sa.Table, str]]:
        """Yield the unique indexes that hold what records tell only in part, and their tables."""
        for table, index in self._indexes(rows):
            unique = _unique_set(rows, table, index)
            is_known = unique is not None and not unique.by_part_of_owner
            if not is_known and _tells(rows, table, index):
                yield table, index.name

    def _indexes(self, rows: RowSet) -> Iterator[tuple[sa.Table, UniqueIndex]]:
        """Yield the indexes in which rows may collide; not those that hold a null of each."""
        for table in rows.tables:
            for index in self.indexes.get(table, ()):
                columns = _named(table, index.columns).values()
                if index.nulls_equal or set(rows.void_columns).isdisjoint(columns):
                    yield table, index


def _named(table: sa.Table, names: frozenset[str]) -> dict[str, Column | None]:
    """Return a table's columns by names of the database, whose case it may not tell apart."""
    folded = {column.name.lower(): column for column in table.columns}
    exact = {column.name: column for column in table.columns}
    return {name: exact.get(name, folded.get(name.lower())) for name in names}


def _unique_set(rows: RowSet, table: sa.Table, index: UniqueIndex) -> UniqueMembers | None:
    """Return what an index keeps unique; ``None`` unless records tell all that it depends on."""
    named = _named(table, index.columns)
    chosen = set(named.values())
    columns = tuple(column for column in table.columns if column in chosen)
    if not columns or len(columns) < len(named) or not chosen.isdisjoint(rows.void_columns):
        return None
    parts = unique_parts(rows, columns)
    if not parts and not set(rows.owner_columns).issuperset(columns):
        return None
    condition = None
    if index.condition:
        condition = _condition(rows, table, index.condition)
        if condition is None or recurring(parts) is not None:
            return None
    return UniqueMembers(
        rows, index.name, columns, parts, index.nulls_equal, index.folds, condition
    )


def _condition(rows: RowSet, table: sa.Table, sql: str) -> Condition | None:
    """Return a condition; ``None`` if it reads what records don't tell."""
    members = _members(rows)
    columns: dict[Column, Member] = {}
    by_null = set()
    for column in _mentioned(table, sql):
        member = members.get(column)
        if member is None:
            return None
        if _asks_for_null(column, sql):
            by_null.add(column)
        elif isinstance(member, Reference):
            return None
        columns[column] = member
    return Condition(sql, table, columns, frozenset(by_null))


def _members(rows: RowSet) -> dict[Column, Value | Reference]:
    """Map columns to the members that give their values."""
    members: dict[Column, Value | Reference] = {v.column: v for v in rows.values if v.writable}
    for reference in rows.references:
        members |= dict.fromkeys(reference.carried_columns, reference)
    return members


def _mentioned(table: sa.Table, sql: str) -> list[Column]:
    """Return the columns that SQL mentions, and maybe others whose names it has."""
    bare = TEXT.sub("", sql)
    words = {word.lower() for word in re.findall(r"\w+", bare)}
    return [c for c in table.columns if c.name.lower() in words or f'"{c.name}"' in bare]


def _asks_for_null(column: Column, sql: str) -> bool:
    """Tell whether SQL asks nothing of a column but whether it is null."""
    name = re.escape(column.name)
    asked = re.compile(rf'"?\b{name}\b"?\s+IS\s+(NOT\s+)?NULL\b', re.IGNORECASE)
    return column not in set(_mentioned(column.table, asked.sub("", sql)))


def _tells(rows: RowSet, table: sa.Table, index: UniqueIndex) -> bool:
    """Tell whether any of an index depends on what records hold: not an id that is made up."""
    named = [column for column in _named(table, index.columns).values() if column is not None]
    carried = {*_members(rows), *rows.owner_columns}
    return not index.columns or any(c in carried or c.computed is not None for c in named)
