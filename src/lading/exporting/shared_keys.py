"""Refuses references by a key that several rows of the target's whole table have.

A reference is written as its target's key.  If another row has the same key, exported
or not, a restore could link the record to that row.  Keys that a constraint guards need no check,
and neither do the natural keys of entities that are written whole, for the
reader compares each with the one before.  Every other key costs one statement, which
reads it from the whole table in key order; only where rows share one, each reference to
that target is looked at, by the chunk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.database.lookup import keys_at
from lading.errors import TargetError
from lading.exporting.query import Selection
from lading.exporting.reader import CompiledReader
from lading.exporting.reading import Reading
from lading.exporting.selection import Scope, chain
from lading.messages import Message, shown
from lading.model.hidden import HIDDEN, hides
from lading.model.recursive_keys import Parts
from lading.model.rowsets import Column, Reference, RowSet, references_of
from lading.model.uniqueness import is_guarded, leads_to_one
from lading.records.describe import masked_key
from lading.records.layout import Key
from lading.scratch.sort import CHUNK, chunked, externally_sorted


@dataclass(frozen=True, slots=True)
class Referrer:
    """A reference of an entity's records: the entity's row set, its own, and itself."""

    root: RowSet
    rows: RowSet
    reference: Reference


@dataclass(frozen=True, slots=True)
class Sharing:
    """A row, by its primary key, whose key another row has as well."""

    identity: Row
    other: Row
    key: Key


def refuse_shared_keys(database: Database, scope: Scope) -> None:
    """Raise ``TargetError`` for an exported record that refers to one of several rows of a key."""
    by_key: dict[tuple[sa.Table, Parts], list[Referrer]] = defaultdict(list)
    for name in scope.entities.roots:
        if name not in scope.names:
            continue
        root = scope.entities[name]
        for _, rows, reference in references_of(root):
            referrer = Referrer(root, rows, reference)
            if not leads_to_one(reference.remote):
                _refuse_several_targets(database, scope, referrer)
            if not _is_sure(database, scope, reference):
                by_key[reference.target.table, reference.parts].append(referrer)
    for (_, parts), referrers in by_key.items():
        keys = KeyReader(database, referrers[0].reference.target, parts)
        for part in chunked(keys.sharing(), CHUNK):
            for referrer in referrers:
                _refuse_among(database, scope, referrer, keys, part)


def _is_sure(database: Database, scope: Scope, reference: Reference) -> bool:
    """Tell whether a constraint, or the export itself, keeps a reference's key unique."""
    target = reference.target
    is_compared = reference.by is None and not target.is_owned and scope.is_whole(target.entity)
    return is_compared or is_guarded(
        target,
        reference.parts,
        exact=lambda value: database.dialect.codecs.tells_apart(value.carrier, value.kind),
    )


class KeyReader:
    """Reads one key of every row of a table, in the key's order."""

    def __init__(self, database: Database, rows: RowSet, parts: Parts) -> None:
        self.database = database
        self.compiled = database.dialect.once(_key_reader, rows, parts)
        self.reader = self.compiled.reader
        self.rows = self.reader.rows

    def sharing(self) -> Iterator[Sharing]:
        """Yield every row that shares its key, with another row that has the same key."""
        is_sorted = self.compiled.order is not None
        with closing(self.database.stream(self.compiled.statement, CHUNK)) as stream:
            complete = partial(self.reader.selection.completed, self.database)
            pairs = (pair for rows in map(complete, stream) for pair in self._ordered(rows))
            ordered = pairs if is_sorted else externally_sorted(pairs)
            for _, group in groupby(ordered, key=itemgetter(0)):
                yield from _sharing(identity_and_key for _, identity_and_key in group)

    def named(self, identity: Row) -> Any:
        """Return the key of one row in portable form."""
        rows = self.reader.among(Reading(self.database), self.rows.identity, [identity])
        return self.portable(self._ordered(rows)[0][1][1])

    def portable(self, key: Key) -> Any:
        """Return a key in portable form."""
        return masked_key(self.rows.key, key)

    def _ordered(self, rows: Sequence[Row]) -> list[tuple[Any, tuple[Row, Key]]]:
        """Return what each row's key sorts by, with the row's primary key and the key itself."""
        encoder = self.reader.encoder
        keys = encoder.keys(self.reader.records(Reading(self.database), rows))
        identities = keys_at(rows, self.reader.identity)
        return list(zip(encoder.order(keys), zip(identities, keys, strict=True), strict=True))


def _key_reader(dialect: Dialect, rows: RowSet, parts: Parts) -> CompiledReader:
    """Return what reads one key of a table's rows, as records that hold nothing else."""
    keyed = replace(rows, members=list(parts), key=parts, discriminator=None, extensions=())
    return CompiledReader(dialect, keyed)


def _sharing(group: Iterator[tuple[Row, Key]]) -> Iterator[Sharing]:
    """Pair the rows of one key, however many they are; a lone one yields nothing."""
    first, key = next(group)
    for number, (identity, _) in enumerate(group):
        if not number:
            yield Sharing(first, identity, key)
        yield Sharing(identity, first, key)


class Referring:
    """Finds an exported record that refers to one of some rows."""

    def __init__(self, database: Database, scope: Scope, referrer: Referrer) -> None:
        self.database = database
        self.scope = scope
        self.referrer = referrer
        self.reference = reference = referrer.reference
        self.source: Any = reference.columns[0].table
        self.selection = Selection(database.dialect, self.source)
        self.selection.joined = chain(referrer.rows, reference.columns[0].table)
        self.target = self.selection.join(reference, self.source)
        self.root_places = [self.selection.raw(column) for column in referrer.root.identity]
        self.target_places = [self.selection.raw(column) for column in self._target_identity()]

    def among(self, identities: Iterable[Row]) -> tuple[Row, Row] | None:
        """Return the primary keys of a record and of the row that it refers to, of some rows."""
        columns = self._target_identity()
        for part in self.database.portions(list(identities), len(columns)):
            row = self._first(sa.tuple_(*map(_raw, columns)).in_(part))
            if row is not None:
                return keys_at([row], self.root_places)[0], keys_at([row], self.target_places)[0]
        return None

    def of_several(self) -> tuple[Row, Row, Row] | None:
        """Return the primary keys of a record and of two rows that its foreign key leads to."""
        target, remote = self.reference.target, self.reference.remote
        own = target.identity_in(remote[0].table)
        second: Any = remote[0].table.alias("_lading_second")
        pairs = zip(self.reference.columns, remote, strict=True)
        match = [
            self.database.dialect.same(self.source.c[near.key], second.c[far.key])
            for near, far in pairs
        ]
        self.selection.joined = self.selection.joined.join(second, sa.and_(*match))
        places = [self.selection.raw(second.c[column.key]) for column in own]
        others = zip(own, self._target_identity(), strict=True)
        row = self._first(sa.or_(*(second.c[column.key] != base for column, base in others)))
        if row is None:
            return None
        return _at(row, self.root_places), _at(row, self.target_places), _at(row, places)

    def _target_identity(self) -> list[Column]:
        return [self.target.c[column.key] for column in self.reference.target.identity]

    def _first(self, condition: sa.ColumnElement[bool]) -> Row | None:
        """Return the first row under a condition that belongs to an exported record."""
        name = self.referrer.root.name
        identities, where = self.scope.identities.get(name), self.scope.where.get(name)
        statement = self.selection.statement().where(condition)
        if identities is None:
            statement = statement.limit(1) if where is None else statement.where(where).limit(1)
        with closing(self.database.stream(statement, CHUNK)) as stream:
            for rows in stream:
                for row, identity in zip(rows, keys_at(rows, self.root_places), strict=True):
                    if identities is None or identity in identities:
                        return row
        return None


def _at(row: Row, places: Sequence[int]) -> Row:
    return keys_at([row], places)[0]


def _raw(column: Column) -> sa.ColumnElement[Any]:
    """Compare a column with values as the driver gives them."""
    return sa.type_coerce(column, sa.types.NullType())


def _refuse_among(
    database: Database,
    scope: Scope,
    referrer: Referrer,
    keys: KeyReader,
    sharing: Sequence[Sharing],
) -> None:
    """Raise if a record of the export refers to one of the rows that share a key."""
    by_identity = {row.identity: row for row in sharing}
    record_and_target = Referring(database, scope, referrer).among(by_identity)
    if record_and_target is None:
        return
    record, target = record_and_target
    row = by_identity[target]
    by = referrer.reference.by
    remedy = (
        f"declare a natural_key of {referrer.reference.target.name} that tells them apart"
        if by is None
        else f"remove by={by!r}, so that the reference is written by the natural key"
    )
    raise _ambiguous(
        database,
        referrer,
        _key_text(keys.portable(row.key)),
        (record, target, row.other),
        f"Change or remove one of the two rows, or {remedy}.",
    )


def _refuse_several_targets(database: Database, scope: Scope, referrer: Referrer) -> None:
    """Raise if a foreign key to columns that no constraint makes unique leads to several rows."""
    identities = Referring(database, scope, referrer).of_several()
    if identities is not None:
        names = " and ".join(str(column.name) for column in referrer.reference.remote)
        raise _ambiguous(
            database,
            referrer,
            f"one {names}",
            identities,
            f"Make {names} unique in {referrer.reference.target.table.fullname}.",
        )


def _ambiguous(
    database: Database,
    referrer: Referrer,
    shared: str,
    identities: tuple[Row, Row, Row],
    remedy: str,
) -> TargetError:
    target = referrer.reference.target
    record = _identified(referrer.root, identities[0])
    first, other = (_identified(target, row) for row in identities[1:])
    key = KeyReader(database, referrer.root, referrer.root.key).named(identities[0])
    return TargetError(
        Message(
            "reference-ambiguous",
            f"several {target.name} have {shared}: the rows with the primary keys {first} and "
            f"{other}. The record with {_key_text(key)} (primary key {record}) refers to {first}, "
            "and a restore could take the other",
        ),
        remedy,
        entity=referrer.rows.name,
        field=referrer.reference.written,
        key=key,
    )


def _identified(rows: RowSet, identity: Row) -> str:
    """Return a row's primary key as it may be shown."""
    if any(value.column in rows.identity and hides(value) for value in rows.values):
        return HIDDEN
    return shown(identity[0] if len(identity) == 1 else identity)


def _key_text(key: Any) -> str:
    return " and ".join(f"{name} {shown(value)}" for name, value in key.items())
