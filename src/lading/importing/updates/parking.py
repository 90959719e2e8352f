"""Gives rows other values for a time, so that others may take their unique values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.exporting.reader import RecordReader
from lading.importing.context import LoadContext
from lading.importing.folding import folded
from lading.importing.journal import WriteLog
from lading.importing.reference_values import ReferenceValue
from lading.importing.savepoints import attempt
from lading.importing.updates.index_exits import exits, indexed_rows
from lading.importing.updates.row_changes import RowChanges
from lading.importing.updates.taken_values import TakenValues, text_of
from lading.importing.updates.unique_values import Contended, UniqueGroup
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Column, Member, Reference, RowSet, Value
from lading.model.uniqueness import nulls_collide
from lading.records.key_source import named_key
from lading.records.layout import Key
from lading.samples.constraints import constraints_of
from lading.samples.styles import NoSample, sample
from lading.scratch.pool import Pool
from lading.scratch.sort import CHUNK
from lading.values.arrays import Array
from lading.values.scalars import Integer

#: Unused values are numbered from here: far from those that applications count, then nearer,
#: for narrow columns, and then from the first on, for fields that take few values.
STARTS = (1_000_003, 20_011, 101, 0)
#: How often values are made before a field is thought to have no unused ones.
TRIES = 3
#: How many more values are made than are needed, as some may be used.
SPARE = 50
#: How many rows are parked by themselves where values are scarce, on how many values each is
#: tried, and how many attempts that may take.
FEW = 12
MOST_ATTEMPTS = 40
#: Returns the values of parked columns for some rows; ``None`` where there are not enough.
MakeValues = Callable[[Database, int], list[Row] | None]


class ParkedRows:
    """Which fields rows were parked on: these must be written, whether they change or not."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.is_empty = True

    def add(self, rows: RowSet, identities: Sequence[Row], field: str) -> None:
        """Note that rows of a row set were parked on a field."""
        self.is_empty = False
        for identity in identities:
            self.pool.add(rows.name, repr(identity).encode(), field)

    def complete(self, root: RowSet, changes: RowChanges) -> None:
        """Add the fields that rows were parked on to those that are written."""
        for rows, nested in changes.walk(root) if not self.is_empty else ():
            for place, identity in enumerate(nested.identities):
                names = self.pool.all(rows.name, repr(identity).encode())
                nested.fields[place] = {**dict.fromkeys(names, True), **nested.fields[place]}


class Parking:
    """Parks rows of one unique group: on a null if there may be one, else on unused values.

    Where the database takes neither, rows stay as they are, and are written one after another.
    ``fixed`` are members that keep their values.
    """

    def __init__(
        self,
        context: LoadContext,
        group: UniqueGroup,
        parked: ParkedRows,
        taken: TakenValues,
        fixed: Collection[Member] = (),
    ) -> None:
        self.context = context
        self.parked = parked
        self.fixed = fixed
        self.group = group
        self.taken = taken
        own = set(group.rows.identity)
        self.parts = [
            part
            for part in group.parts
            if own.isdisjoint(_columns(part))
            and part is not group.rows.discriminator
            and not isinstance(part, ReferenceValue)
            and part not in fixed
        ]
        # References find rows by their keys, so these come last.
        self.parts.sort(key=lambda part: part in (group.rows.whole_key or group.rows.key))
        self.options = list(self._options())

    def park(self, contended: Contended) -> None:
        """Park rows of the group: all at once or, where values are scarce, a few by themselves.

        One of each circle is enough, for the others then follow one another.
        """
        if self._leaves_index(contended):
            return
        for part, make in self.options:
            rows = make(self.context.database, len(contended.identities))
            if rows is not None and self._write(part, contended, rows):
                return
        attempts = iter(range(MOST_ATTEMPTS))
        for identity in contended.identities[:FEW]:
            self._park_one(replace(contended, identities=[identity]), attempts)

    def _leaves_index(self, contended: Contended) -> bool:
        """Take the rows out of a partial index, if that is what they collide in."""
        condition, database, rows = self.group.condition, self.context.database, self.group.rows
        if condition is None or not all(map(_is_plain, condition.columns.values())):
            return False
        indexed = indexed_rows(database, rows, condition, contended.identities)
        if not indexed:
            return True
        contended = replace(contended, identities=[row.identity for row in indexed])
        return any(
            self._write(part, contended, [row] * len(indexed))
            for part, row in exits(database, rows, condition, indexed, self._samples)
            if part not in self.fixed
        )

    def _samples(self, value: Value) -> list[Row]:
        return _UnusedValues(value, STARTS[0], self.taken).rows(self.context.database, FEW)

    def _park_one(self, contended: Contended, attempts: Iterator[int]) -> None:
        """Try to park one row on any other value of a field, until attempts run out."""
        for part in self.parts:
            now = self._stored(part, contended.identities)
            for row in self._few_values(part):
                if row in now:
                    continue
                if next(attempts, None) is None or self._write(part, contended, [row]):
                    return

    def _stored(self, part: Value | Reference, identities: Sequence[Row]) -> list[Row]:
        """Return what a few rows hold in a field."""
        columns, database = _columns(part), self.context.database
        key = self.group.rows.identity_in(columns[0].table)
        sql = database.dialect.text_of(sa.select(*columns))
        names = database.dialect.qualified(key)
        return [tuple(row) for row in rows_among(database, sql, key, names, identities)]

    def _few_values(self, part: Value | Reference) -> list[Row]:
        if isinstance(part, Value) and isinstance(part.kind, Integer):
            small = {text_of(n): (n,) for n in range(1, FEW + 1)}  # a CHECK may bound them
            return self.taken.free(part, small, by_new=True)
        if isinstance(part, Value):
            return _UnusedValues(part, 0, self.taken).rows(self.context.database, FEW)
        return self._unused_targets(part, FEW)

    def _unused_targets(self, reference: Reference, count: int) -> list[Row]:
        """Return what a reference may hold that no row holds, nor a new one will, if it is known.

        Those that a changed row will hold come last.
        """
        if reference.columns != reference.carried_columns or recurring(reference.parts):
            return []
        best: dict[Row, None] = {}
        others: dict[Row, None] = {}
        database, keys_of = self.context.database, self._keys_of(reference)
        statement = unused_targets(reference).limit(count + self.taken.wanted.count)
        with closing(database.stream(statement, CHUNK)) as stream:
            for part in stream:
                rows = list(map(tuple, part))
                keys = keys_of(rows)
                known = {self._key_text(reference, keys[row]): row for row in rows if row in keys}
                best |= dict.fromkeys(self.taken.free(reference, known))
                others |= dict.fromkeys(self.taken.free(reference, known, by_new=True))
                others |= dict.fromkeys(row for row in rows if row not in keys)
                if len(best) >= count:
                    break
                others = dict.fromkeys([*others][:count])
        return [*(best | others)][:count]

    def _keys_of(self, reference: Reference) -> Callable[[list[Row]], Mapping[Row, Key]]:
        """Return what maps rows that a reference may lead to to their keys, where these are known.

        Those of a large table are read with the rows, unless it goes by other fields or columns.
        """
        resolver, target = self.context.resolvers.of(reference), reference.target
        resolver.forget()
        keys_by_row = {row: key for key, row in (resolver.all_rows() or {}).items()}
        ways = (target.parent, reference.parts, reference.remote)
        if keys_by_row or ways != (None, target.key, target.identity):
            return lambda _: keys_by_row
        return RecordReader(self.context.database, target).keys_of

    def _key_text(self, reference: Reference, key: Key) -> bytes:
        return text_of(key[0] if reference.flat else named_key(reference.parts, key))

    def _enough_targets(
        self, reference: Reference, database: Database, count: int
    ) -> list[Row] | None:
        rows = self._unused_targets(reference, count)
        return rows if len(rows) == count else None

    def _write(self, part: Value | Reference, contended: Contended, rows: Sequence[Row]) -> bool:
        columns = _columns(part)
        table: Any = columns[0].table
        key = self.group.rows.identity_in(table)
        pairs = zip(contended.identities, rows, strict=True)
        parameters = [(*identity, *row) for identity, row in pairs]

        def write(log: WriteLog) -> None:
            self.context.database.update(table, key, columns, parameters)
            if contended.are_doomed and isinstance(part, Reference) and None in rows[0]:
                log.link_counts[columns[0]] -= len(rows)  # no longer there when they are deleted

        is_parked = attempt(self.context.database, self.context.journal, write) is None
        if is_parked and not contended.are_doomed:
            self.parked.add(self.group.rows, contended.identities, part.name)
        return is_parked

    def _options(self) -> Iterator[tuple[Value | Reference, MakeValues]]:
        """Yield the fields that may be parked, with what makes their values; nulls first."""
        for part in self.parts:
            columns = tuple(_columns(part))
            is_nullable = bool(columns) and all(column.nullable for column in columns)
            if is_nullable and not nulls_collide(columns[0].table, columns):
                yield part, _nulls(len(columns))
        for start in STARTS:
            for part in self.parts:
                if isinstance(part, Value):
                    yield part, _UnusedValues(part, start, self.taken)
        for part in self.parts:
            if isinstance(part, Reference) and part.columns == part.carried_columns:
                yield part, partial(self._enough_targets, part)


def _columns(part: Value | Reference) -> Sequence[Column]:
    return (part.column,) if isinstance(part, Value) else part.carried_columns


def _is_plain(member: Member) -> bool:
    """Tell whether drivers read a member as something that can be compared at once."""
    return not isinstance(member, Value) or not (
        member.kind.is_json or isinstance(member.kind, Array)
    )


def _nulls(width: int) -> MakeValues:
    return lambda _, count: [(None,) * width] * count


def unused_targets(reference: Reference) -> sa.Select[Any]:
    """Return the SELECT of what a foreign key may hold that no row of its table holds."""
    near = reference.columns[0].table.alias()
    pairs = zip(reference.columns, reference.remote, strict=True)
    is_used = sa.exists().where(*(near.c[own.key] == far for own, far in pairs))
    return sa.select(*reference.remote).where(~is_used)


class _UnusedValues:
    """Makes values of one field, from a number on, that its column takes and no row has.

    Nor are those among them that rows will have: the first start is too far off for that.
    """

    def __init__(self, value: Value, start: int, taken: TakenValues) -> None:
        self.value = value
        self.next = start
        self.taken = None if start == STARTS[0] else taken

    def __call__(self, database: Database, count: int) -> list[Row] | None:
        unused: list[Row] = []
        for _ in range(TRIES):
            rows = self.rows(database, count + SPARE)
            used = self._used(database, rows)
            unused += [row for row in rows if folded(row[0]) not in used]
            if len(unused) >= count:
                return unused[:count]
        return None

    def rows(self, database: Database, count: int) -> list[Row]:
        """Return new values, as many as the field takes."""
        limits = constraints_of(self.value)
        bind = database.dialect.binder(self.value.carrier, self.value.kind).function()
        values: dict[Any, Any] = {}
        with suppress(NoSample, ValueError, TypeError, OverflowError):
            for n in range(self.next, self.next + count):
                written = sample(self.value, limits, n, used=values)
                values[written] = bind(written)
        self.next += count
        rows = {text_of(written): (value,) for written, value in values.items()}
        return [*rows.values()] if self.taken is None else self.taken.free(self.value, rows)

    def _used(self, database: Database, rows: Sequence[Row]) -> set[str]:
        """Return what some collation takes for values that are there."""
        column = self.value.column
        sql = database.dialect.text_of(sa.select(column).select_from(column.table))
        names = database.dialect.qualified([column])
        return {folded(row[0]) for row in rows_among(database, sql, [column], names, rows)}
