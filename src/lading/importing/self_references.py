"""Rows that refer to others of their own table, inserted parents first.

What a row refers to may be in the database already, or in its own batch; else it waits, or
has the reference set later where it may be null for a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch, ResolvedBatch
from lading.importing.context import LoadContext
from lading.importing.parents_first import NOTHING, parents_first
from lading.importing.recent_rows import RecentRows
from lading.importing.references import ReferenceResolver
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.shared_columns import deferred_carriers
from lading.importing.writer import RowWriter
from lading.mapping.load_order import LoadOrder
from lading.messages import Message
from lading.model.rowsets import Column, Reference, RowSet, Value
from lading.records.describe import described
from lading.records.layout import Key


@dataclass(frozen=True, slots=True)
class SelfTargets:
    """The targets of one self reference, for each row of a batch.

    ``keys`` are the keys referred to, by place; ``stored`` are the rows that the database has,
    as far as they matter, ``own`` the places of the batch's own rows, by key.
    """

    reference: Reference
    keys: list[Key | None]
    stored: dict[Key, Row]
    own: dict[Key | None, int]

    def is_settled(self, place: int) -> bool:
        """Tell whether a row refers to nothing, or to a row that the database has."""
        key = self.keys[place]
        if key is None:
            return True
        row = self.stored.get(key)
        return row is not None and row is not AMBIGUOUS

    def place_needed(self, place: int) -> int | None:
        """Return the place of the batch's own row that a row must follow, if there is one."""
        key = self.keys[place]
        if self.stored.get(key) is AMBIGUOUS:  # type: ignore[arg-type]
            return None
        return self.own.get(key)

    def place_preferred(self, place: int) -> int | None:
        """Return the place of the batch's own row that a row should follow, if there is one."""
        key = self.keys[place]
        return None if key is None or key in self.stored else self.own.get(key)


class SelfReferences:
    """The self references of one row set, which are settled before its rows are inserted.

    ``required`` are those that rows wait for; ``preferred`` may be null for a time, and are
    set with the row where what they refer to is there or can come before it.
    """

    def __init__(
        self, context: LoadContext, resolver: ReferenceResolver, writer: RowWriter
    ) -> None:
        self.dialect = context.database.dialect
        self.resolver = resolver
        self.writer = writer
        self.rows = rows = writer.rows
        order = context.order
        self.required = [
            reference
            for reference in rows.references
            if (rows.name, reference.name) in order.parents_first
        ]
        self.preferred = [
            reference for reference in rows.references if _is_preferred(rows, reference, order)
        ]
        #: Whether rows wait for what they prefer as well.
        self.is_patient = bool(self.preferred)
        self.columns = [value.column for value in rows.values if value.writable]
        self.known = self._known(order)
        self.recent = {
            reference: RecentRows(self._remote_places(reference))
            for reference in (*self.required, *self.preferred)
            if self._is_predictable(reference) and not context.journal.reads_back
        }

    def __bool__(self) -> bool:
        return bool(self.required or self.preferred)

    def _known(self, order: LoadOrder) -> dict[Column, Reference | None]:
        """Map each column whose value is known before an insert to its reference."""
        rows = self.rows
        known: dict[Column, Reference | None] = dict.fromkeys(self.columns)
        for reference in rows.references:
            is_deferred = (rows.name, reference.name) in order.updated
            if reference not in self.required and not is_deferred:
                known |= dict.fromkeys(reference.carried_columns, reference)
        known |= dict.fromkeys(rows.owner_columns)
        if rows.surrogate is not None:
            known[rows.surrogate] = None
        return known

    def _remote_places(self, reference: Reference) -> list[int]:
        return [self.writer.place[self.rows.in_base(column)] for column in reference.remote]

    def _is_predictable(self, reference: Reference) -> bool:
        """Tell whether what a reference finds of a new row is known: its key, and its columns."""
        return (
            reference.parts == reference.target.key
            and self.rows.extension_of(reference.remote[0].table) is None
            and all(self.rows.in_base(column) in self.known for column in reference.remote)
        )

    def hashes(self, batch: Batch) -> tuple[list[int], list[int | None]]:
        """Return what tells which rows of an entity should be inserted before which others.

        These are hashes of what a batch's rows are found by, and of what they search by, for the
        first reference; another row with an equal one is inserted too early at worst.
        """
        reference = (*self.required, *self.preferred)[0]
        is_own = reference.parts == reference.target.key
        names = batch.keys if is_own else self._values_by(reference, batch)
        searched = [
            None if key is None else hash(self._searched(reference, key))
            for key in batch.references[reference.name]
        ]
        return list(map(hash, names)), searched

    def remember(self, batch: Batch, rows: Sequence[Row]) -> None:
        """Remember rows that were inserted: those that refer to them are often the next."""
        for recent in self.recent.values():
            recent.add(batch.keys, rows)

    def settle(self, resolved: ResolvedBatch) -> tuple[ResolvedBatch, ResolvedBatch]:
        """Return the rows that can be inserted now, parents first, and those that must wait."""
        batch = resolved.batch
        places = range(len(batch))
        required = [self._targets(reference, batch) for reference in self.required]
        preferred = [self._targets(reference, batch) for reference in self.preferred]
        awaited = [*required, *preferred] if self.is_patient else required
        order = parents_first(
            [_places_needed(awaited, place) for place in places],
            [_places_preferred(preferred, place) for place in places],
        )
        ids = self._ids(resolved, order)
        turns = {place: turn for turn, place in enumerate(order)}
        for targets in (*required, *preferred):
            self._set_foreign(resolved, targets, turns, ids)
        ready = replace(resolved.take(order), ids=list(ids.values()) or None)
        return ready, resolved.take([place for place in places if place not in turns])

    def without_preferred(self, resolved: ResolvedBatch) -> ResolvedBatch:
        """Return rows whose references that may be null for a time are all set later.

        So each can be tried without the others.
        """
        names = {reference.name for reference in self.preferred}
        foreign = {name: rows for name, rows in resolved.foreign.items() if name not in names}
        return replace(resolved, foreign=foreign)

    def orphans(
        self, resolved: ResolvedBatch, waiting_keys: dict[str, set[Any]]
    ) -> Iterator[tuple[int, str, Message]]:
        """Report what rows that can't be placed refer to: nothing, or each other.

        Yields the place, the field and the message of each; ``waiting_keys`` is what
        ``keys_of`` returns of all of these rows.
        """
        for reference in self.required:
            keys = resolved.batch.references[reference.name]
            stored = self.resolver.find(reference, keys)
            for place, key in enumerate(keys):
                row = stored.get(key) if key is not None else None
                if key is None or (row is not None and row is not AMBIGUOUS):
                    continue
                message = self.resolver.missing(reference, key, row)
                if row is None and self._searched(reference, key) in waiting_keys[reference.name]:
                    text = described(reference.parts, key)
                    message = Message(
                        "reference-circle",
                        f"the record with {text} can't be placed before it: what that one "
                        "refers to is missing, or refers back to it. Add what is missing, or break "
                        "the circle",
                    )
                yield place, reference.written, message

    def keys_of(self, batches: Iterable[Batch]) -> dict[str, set[Any]]:
        """Return what rows hold by which each required reference would find them."""
        keys: dict[str, set[Any]] = {reference.name: set() for reference in self.required}
        for batch in batches:
            for reference in self.required:
                is_own = reference.parts == reference.target.key
                values = batch.keys if is_own else self._values_by(reference, batch)
                keys[reference.name].update(values)
        return keys

    def _values_by(self, reference: Reference, batch: Batch) -> list[Any]:
        """Return what a batch's rows hold in the field that a reference's ``by`` names."""
        part = reference.parts[0]
        assert isinstance(part, Value)
        place = self.columns.index(part.column)
        return [row[place] for row in batch.values]

    def _searched(self, reference: Reference, key: Key) -> Any:
        """Return what a row must hold to be found by a key; ``None`` if none can."""
        part = reference.parts[0]
        if reference.parts == reference.target.key or not isinstance(part, Value):
            return key
        try:
            return self.dialect.binder(part.carrier, part.kind).function()(key[0])
        except (ValueError, TypeError, KeyError):
            return None

    # What rows refer to

    def _targets(self, reference: Reference, batch: Batch) -> SelfTargets:
        keys = batch.references[reference.name]
        own = self._own(reference, batch)
        recent = self.recent.get(reference)
        if recent is None:
            return SelfTargets(reference, keys, self.resolver.find(reference, keys), own)
        # A record with a key that the database has isn't inserted, so own keys aren't there.
        stored = recent.find(keys)
        unknown = set(keys) - stored.keys() - own.keys() - {None}
        if unknown:
            stored |= self.resolver.find(reference, unknown)
        return SelfTargets(reference, keys, stored, own)

    def _own(self, reference: Reference, batch: Batch) -> dict[Key | None, int]:
        """Map the keys by which a reference finds the batch's own rows to their places.

        Rows are left out that several share a key, whose referred columns aren't known
        before they are inserted, or that aren't of the class referred to.
        """
        if not all(self.rows.in_base(column) in self.known for column in reference.remote):
            return {}
        places: dict[Key | None, int] = {key: place for place, key in enumerate(batch.keys)}
        if reference.parts != reference.target.key:
            places = self._own_by(reference, batch)
        extension = self.rows.extension_of(reference.remote[0].table)
        if extension is None:
            return places
        return {
            key: place for key, place in places.items() if batch.classes[place] in extension.classes
        }

    def _own_by(self, reference: Reference, batch: Batch) -> dict[Key | None, int]:
        """Map what a reference's ``by`` finds of the batch's own rows to their places."""
        part = reference.parts[0]
        assert isinstance(part, Value)
        values = self._values_by(reference, batch)
        bind = self.dialect.binder(part.carrier, part.kind).function()
        counts = Counter(values)
        unique = {value: place for place, value in enumerate(values) if counts[value] == 1}
        own: dict[Key | None, int] = {}
        for key in set(batch.references[reference.name]) - {None}:
            with suppress(ValueError, TypeError, KeyError):  # a key that no row can have
                own[key] = unique[bind(key[0])]  # type: ignore[index]
        return own

    # What foreign keys hold

    def _ids(self, resolved: ResolvedBatch, order: list[int]) -> dict[int, Any]:
        """Return the ids of the rows that can be inserted now, by place in that order."""
        if resolved.ids is not None:
            return {place: resolved.ids[place] for place in order}
        if self.rows.surrogate is None:
            return {}
        return dict(zip(order, self.writer.allocate(len(order)), strict=True))

    def _set_foreign(
        self,
        resolved: ResolvedBatch,
        targets: SelfTargets,
        turns: dict[int, int],
        ids: dict[int, Any],
    ) -> None:
        """Set what a reference's foreign keys hold; ``None`` for a row that isn't there in time."""
        foreign: list[Row | None] = []
        for child, key in enumerate(targets.keys):
            row = None if key is None else targets.stored.get(key)
            parent = targets.own.get(key, -1)
            if row is None and parent in turns and turns[parent] <= turns.get(child, -1):
                row = self._row_of(targets.reference, resolved, parent, ids)
            foreign.append(None if row is AMBIGUOUS else row)
        resolved.foreign[targets.reference.name] = foreign

    def _row_of(
        self, reference: Reference, resolved: ResolvedBatch, place: int, ids: dict[int, Any]
    ) -> Row:
        """Return what a reference's foreign key holds of the batch's own row at a place."""
        row: list[Any] = []
        for column in map(self.rows.in_base, reference.remote):
            carrier = self.known[column]
            if column is self.rows.surrogate:
                row.append(ids[place])
            elif column in self.rows.owner_columns:
                row.append(resolved.owner_values[place][self.rows.owner_columns.index(column)])
            elif carrier is None:
                row.append(resolved.batch.values[place][self.columns.index(column)])
            else:
                target = resolved.foreign[carrier.name][place]
                row.append(None if target is None else target[carrier.columns.index(column)])
        return tuple(row)


def _places_needed(awaited: Sequence[SelfTargets], place: int) -> AbstractSet[int] | None:
    """Return the places in the batch that a row needs first, or ``None`` if it must wait."""
    needed = NOTHING
    for targets in awaited:
        if not targets.is_settled(place):
            parent = targets.place_needed(place)
            if parent is None:
                return None
            if parent != place:
                needed |= {parent}
    return needed


def _places_preferred(preferred: Sequence[SelfTargets], place: int) -> AbstractSet[int]:
    """Return the places in the batch that a row should follow."""
    places = NOTHING
    for targets in preferred:
        parent = targets.place_preferred(place)
        if parent is not None and parent != place:
            places |= {parent}
    return places


def _is_preferred(rows: RowSet, reference: Reference, order: LoadOrder) -> bool:
    """Tell whether a reference that may be set later can as well be set with its row.

    It can where it leads to an entity's rows by the natural key, which no row that comes later
    makes ambiguous; and neither column waits for another reference, or for a row of a subclass.
    """
    tables = {column.table for column in (*reference.carried_columns, *reference.remote)}
    return (
        (rows.name, reference.name) in order.updated
        and reference.target.table is rows.table
        and not (rows.is_owned or reference.target.is_owned)
        and reference.parts == reference.target.key
        and tables == {rows.table}
        and not deferred_carriers(rows, order, reference)
    )
