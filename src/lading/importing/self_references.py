"""Rows that refer to others of their own table, inserted parents first.

What a row refers to may be in the database already, or in its own batch; else it waits, or
has the reference set later where it may be null for a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.importing.loader import Loader
from lading.importing.resolved_batch import ResolvedBatch
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.shared_columns import deferred_carriers
from lading.importing.writer import RowWriter
from lading.mapping.load_order import Order
from lading.model.rowsets import Column, Reference, RowSet, Value
from lading.records.describe import described
from lading.records.layout import Key


class SelfReferences:
    """The self references of one row set.

    ``references`` are those that rows wait for; ``wished`` may be null for a time, and are
    set with the row where what they refer to is there or can come before it.
    """

    def __init__(self, loader: Loader, rows: RowSet, writer: RowWriter) -> None:
        self.loader = loader
        self.rows = rows
        self.writer = writer
        order = loader.state.order
        self.references = [
            item for item in rows.references if (rows.name, item.name) in order.waves
        ]
        self.wished = [item for item in rows.references if _is_wished(rows, item, order)]
        #: Whether rows wait for what they wish as well: triggers may fire where it is set later.
        self.is_patient = loader.state.reads_back and bool(self.wished)
        self.columns = [value.column for value in rows.values if value.writable]
        self.known: dict[Column, Reference | None] = dict.fromkeys(self.columns)
        for reference in rows.references:
            deferred = (rows.name, reference.name) in order.updated
            if reference not in self.references and not deferred:
                self.known |= dict.fromkeys(reference.own, reference)
        #: What the rows' owners give, as it is and made up.
        self.known |= dict.fromkeys(rows.own)
        if rows.surrogate is not None:
            self.known[rows.surrogate] = None

    def settle(
        self, resolved: ResolvedBatch, given: Sequence[Row] = (), ids: Sequence[Any] | None = None
    ) -> tuple[list[int], list[Any] | None]:
        """Return the places that can be inserted now, parents first, and their ids.

        ``given`` holds what their owners give to owned rows, ``ids`` the ids of all rows, where
        they have some already.
        """
        batch = resolved.batch
        references = [*self.references, *self.wished]
        own = {item.name: self._own(item, batch) for item in references}
        found = {
            item.name: self.loader.found(item, batch.references[item.name]) for item in references
        }
        needs = [self._needs(batch, place, own, found) for place in range(len(batch))]
        wishes = [self._wishes(batch, place, own, found) for place in range(len(batch))]
        ready = parents_first(needs, wishes)
        if ids is not None:
            made = {place: ids[place] for place in ready}
        elif self.rows.surrogate is not None:
            made = dict(zip(ready, self.writer.allocate(len(ready)), strict=True))
        else:
            made = {}
        turn = {place: n for n, place in enumerate(ready)}
        for reference in references:
            rows: list[Row | None] = []
            for child, key in enumerate(batch.references[reference.name]):
                row = None if key is None else found[reference.name].get(key)
                place = own[reference.name].get(key)
                if row is None and place in turn and turn[place] <= turn.get(child, -1):
                    row = self._row_of(reference, resolved, place, made, given)
                rows.append(None if row is AMBIGUOUS else row)
            resolved.foreign[reference.name] = rows
        return ready, list(made.values()) or None

    def without_wishes(self, resolved: ResolvedBatch) -> ResolvedBatch:
        """Return rows whose references that may be null for a time are all set later.

        So each can be tried without the others.
        """
        kept = {
            name: rows
            for name, rows in resolved.foreign.items()
            if name not in {item.name for item in self.wished}
        }
        return replace(resolved, foreign=kept)

    def orphans(
        self, resolved: ResolvedBatch, waiting: dict[str, set[Any]]
    ) -> Iterator[tuple[int, str, str]]:
        """Say what rows that can't be placed refer to: nothing, or each other.

        Yields the place, the field and the message of each; ``waiting`` is what ``held`` returns
        of all of these rows.
        """
        for reference in self.references:
            held = resolved.batch.references[reference.name]
            found = self.loader.found(reference, held)
            for place, key in enumerate(held):
                row = found.get(key) if key is not None else None
                if key is None or (row is not None and row is not AMBIGUOUS):
                    continue
                message = self.loader.missing(reference, key, row)
                if row is None and self._asked(reference, key) in waiting[reference.name]:
                    text = described(reference.parts, key)
                    message = (
                        f"the record with {text} can't be placed before it: what that one "
                        "refers to is missing, or refers back to it. Add what is missing, or break "
                        "the circle"
                    )
                yield place, reference.written, message

    def held(self, batches: Iterable[Batch]) -> dict[str, set[Any]]:
        """Return what rows hold by which each reference would find them."""
        found: dict[str, set[Any]] = {reference.name: set() for reference in self.references}
        for batch in batches:
            for reference in self.references:
                is_own = reference.parts == reference.target.key
                values = batch.keys if is_own else self._values_by(reference, batch)
                found[reference.name].update(values)
        return found

    def _values_by(self, reference: Reference, batch: Batch) -> list[Any]:
        """Return what a batch's rows hold in the field that a reference's ``by`` names."""
        part = reference.parts[0]
        assert isinstance(part, Value)
        place = self.columns.index(part.column)
        return [row[place] for row in batch.values]

    def _asked(self, reference: Reference, key: Key) -> Any:
        """Return what a row must hold to be found by a key; ``None`` if none can."""
        part = reference.parts[0]
        if reference.parts == reference.target.key or not isinstance(part, Value):
            return key
        try:
            return self.loader.database.dialect.binder(part.carrier, part.kind).function()(key[0])
        except (ValueError, TypeError, KeyError):
            return None

    def _needs(
        self,
        batch: Batch,
        place: int,
        own: dict[str, dict[Key | None, int]],
        found: dict[str, dict[Key, Row]],
    ) -> set[int] | None:
        """Return the places in the batch that a row needs first, or ``None`` if it must wait."""
        needed = set()
        for reference in (*self.references, *(self.wished if self.is_patient else ())):
            key = batch.references[reference.name][place]
            row = found[reference.name].get(key) if key is not None else None
            if key is None or (row is not None and row is not AMBIGUOUS):
                continue
            if row is AMBIGUOUS or key not in own[reference.name]:
                return None
            needed.add(own[reference.name][key])
        return needed - {place}

    def _wishes(
        self,
        batch: Batch,
        place: int,
        own: dict[str, dict[Key | None, int]],
        found: dict[str, dict[Key, Row]],
    ) -> set[int]:
        """Return the places in the batch that a row had better follow."""
        wished = set()
        for reference in self.wished:
            key = batch.references[reference.name][place]
            if key is not None and key not in found[reference.name] and key in own[reference.name]:
                wished.add(own[reference.name][key])
        return wished - {place}

    def _own(self, reference: Reference, batch: Batch) -> dict[Key | None, int]:
        """Map the keys by which a reference finds the batch's own rows to their places.

        Rows are left out that several share a key, whose referred columns aren't known
        before they are inserted, or that aren't of the class referred to.
        """
        if not all(self.rows.in_base(column) in self.known for column in reference.remote):
            return {}
        found: dict[Key | None, int] = {key: place for place, key in enumerate(batch.keys)}
        if reference.parts != reference.target.key:
            found = self._own_by(reference, batch)
        return {
            key: place for key, place in found.items() if self._is_of_class(reference, batch, place)
        }

    def _own_by(self, reference: Reference, batch: Batch) -> dict[Key | None, int]:
        """Map what a reference's ``by`` holds of the batch's own rows to their places."""
        part = reference.parts[0]
        assert isinstance(part, Value)
        held = self._values_by(reference, batch)
        bind = self.loader.database.dialect.binder(part.carrier, part.kind).function()
        counts = Counter(held)
        once = {value: place for place, value in enumerate(held) if counts[value] == 1}
        own: dict[Key | None, int] = {}
        for key in set(batch.references[reference.name]) - {None}:
            with suppress(ValueError, TypeError, KeyError):  # a key that no row can have
                own[key] = once[bind(key[0])]  # type: ignore[index]
        return own

    def _is_of_class(self, reference: Reference, batch: Batch, place: int) -> bool:
        """Tell whether a row has a row in the subclass's table that a reference points to."""
        extension = self.rows.extension_of(reference.remote[0].table)
        return extension is None or batch.kinds[place] in extension.classes

    def _row_of(
        self,
        reference: Reference,
        resolved: ResolvedBatch,
        place: int,
        made: dict[int, Any],
        given: Sequence[Row],
    ) -> Row:
        row: list[Any] = []
        for column in map(self.rows.in_base, reference.remote):
            holder = self.known[column]
            if column is self.rows.surrogate:
                row.append(made[place])
            elif column in self.rows.own:
                row.append(given[place][self.rows.own.index(column)])
            elif holder is None:
                row.append(resolved.batch.values[place][self.columns.index(column)])
            else:
                held = resolved.foreign[holder.name][place]
                row.append(None if held is None else held[holder.columns.index(column)])
        return tuple(row)


def _is_wished(rows: RowSet, reference: Reference, order: Order) -> bool:
    """Tell whether a reference that may be set later can as well be set with its row.

    It can where it leads to an entity's rows by the natural key, which no row that comes later
    makes ambiguous; and neither column waits for another reference, or for a row of a subclass.
    """
    tables = {column.table for column in (*reference.own, *reference.remote)}
    return (
        (rows.name, reference.name) in order.updated
        and reference.target.table is rows.table
        and not (rows.is_owned or reference.target.is_owned)
        and reference.parts == reference.target.key
        and tables == {rows.table}
        and not deferred_carriers(rows, order, reference)
    )


def parents_first(needs: Sequence[set[int] | None], wishes: Sequence[set[int]]) -> list[int]:
    """Order places so that each follows what it needs; those that never can are left out.

    What it wishes comes first as well, unless that would close a circle.
    """
    waits = {
        place: len(needed | wishes[place])
        for place, needed in enumerate(needs)
        if needed is not None
    }
    followers: dict[int, list[int]] = defaultdict(list)
    for place in waits:
        for other in (needs[place] or set()) | wishes[place]:
            followers[other].append(place)
    ready: list[int] = []
    done: set[int] = set()
    fresh = [place for place, count in waits.items() if not count]
    while fresh or (fresh := _freed(needs, wishes, waits, done)):
        for place in fresh:  # which grows on the way
            done.add(place)
            waits[place] = 0
            for follower in followers[place]:
                waits[follower] -= 1
                if not waits[follower]:
                    fresh.append(follower)
        ready += fresh
        fresh = []
    return ready


def _freed(
    needs: Sequence[set[int] | None],
    wishes: Sequence[set[int]],
    waits: dict[int, int],
    done: set[int],
) -> list[int]:
    """Return a place that only waits for what it wishes, one of a circle where there is one."""
    free = {p: None for p, count in waits.items() if count > 0 and (needs[p] or set()) <= done}
    place = next(iter(free), None)
    passed: set[int] = set()
    while place is not None and place not in passed:
        passed.add(place)
        place = next((other for other in wishes[place] if other in free), place)
    return [] if place is None else [place]
