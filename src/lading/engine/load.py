"""Loads the records of one entity: resolves, inserts, and lets waves wait for their parents."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import Any

from lading.declare.recurring import recurring
from lading.declare.rowsets import Column, Reference, RowSet, Value
from lading.engine.batch import Batch, joined
from lading.engine.describe import described
from lading.engine.dialects.base import Row
from lading.engine.layout import Key
from lading.engine.loader import (
    Loader,
    LoadState,
    RecordKeys,
    Restart,
    field_of,
    in_record,
    objection,
)
from lading.engine.read import CHUNK
from lading.engine.tree import AMBIGUOUS
from lading.engine.write import Later, Resolved, RowWriter


class EntityLoader(Loader):
    """Loads an entity's batches into rows."""

    def __init__(self, state: LoadState, root: RowSet, file: str) -> None:
        super().__init__(state, root, file)
        self.writer = RowWriter(state.dialect, root, state.order)
        self.waves = [
            item for item in root.references if (root.name, item.name) in state.order.waves
        ]
        self.columns = [value.column for value in root.values if value.writable]
        self.known = self._known()
        self.pending = state.spool()
        #: Rows that wait for their parents and whose depth is known, by depth and place.
        self.deeper = state.spool()
        self.depths: list[tuple[int, int]] = []
        self.by_depth = recurring(root.key) in self.waves

    def load(self, batch: Batch) -> None:
        """Insert a batch's records, but those with problems."""
        keys = RecordKeys(self, batch)
        resolved = self.resolve(self.root, batch, keys, in_record)
        self._place(self._good(resolved))

    def finish(self) -> None:
        """Insert what waited for its parents; what still waits has none."""
        self._go_deeper()
        before = -1
        while self.pending and self.counts.inserted != before:
            before = self.counts.inserted
            waiting, self.pending = self.pending, self.state.spool()
            for resolved in waiting:
                self._place(resolved)
            waiting.close()
        waiting_keys = {key for resolved in self.pending for key in resolved.batch.keys}
        for resolved in self.pending:
            self._orphans(resolved, waiting_keys)
        self.state.resolvers.changed(self.root.table)

    def _wait(self, resolved: Resolved, places: list[int]) -> None:
        """Keep rows until their parents are there."""
        if not self.by_depth:
            self.pending.append(resolved.take(places))
            return
        keys = resolved.batch.keys
        for depth, group in groupby(
            sorted(places, key=lambda n: len(keys[n])), lambda n: len(keys[n])
        ):
            place = self.deeper.append(resolved.batch.take(list(group)))
            self.depths.append((depth, place))

    def _go_deeper(self) -> None:
        """Insert the rows that wait in the order of their keys' depths, so that each waits once."""
        self.by_depth = False
        held: list[Batch] = []
        count = 0
        for _, place in sorted(self.depths):
            held.append(self.deeper.at(place))
            count += len(held[-1])
            if count >= CHUNK:
                self.load(joined(held))
                held, count = [], 0
        if held:
            self.load(joined(held))

    def _good(self, resolved: Resolved) -> Resolved:
        numbers = resolved.batch.numbers
        return resolved.take([n for n, number in enumerate(numbers) if number not in self.bad])

    def _place(self, resolved: Resolved) -> None:
        """Insert rows whose self references can be set, and let the others wait."""
        if not len(resolved.batch):
            return
        if not self.waves:
            self._insert(resolved)
            return
        ready, ids = self._settle(resolved)
        waiting = sorted(set(range(len(resolved.batch))) - set(ready))
        if waiting:
            self._wait(resolved, waiting)
        if ready:
            self._insert(resolved.take(ready), ids)
            self.state.resolvers.changed(self.root.table)

    def _insert(self, resolved: Resolved, ids: list[Any] | None = None) -> None:
        """Insert in bulk; where the database objects, find the records that it objects to."""
        count = len(resolved.batch)
        error = self.attempt(lambda later: self.writer.insert(resolved, later, (), ids))
        if error is None:
            self.counts.inserted += count
            return
        if count == 1:
            batch = resolved.batch
            self.fail(batch.numbers[0], self.name_of(batch, 0), field_of(error), objection(error))
            return
        if self.waves and self.state.may_restart:
            self._blame(resolved, ids)
        half = count // 2
        for places in (range(half), range(half, count)):
            part = None if ids is None else [ids[place] for place in places]
            self._insert(resolved.take(list(places)), part)

    def _blame(self, resolved: Resolved, ids: list[Any] | None) -> None:
        """Rows that load in waves depend on each other, so begin again without the bad one."""
        for place, number in enumerate(resolved.batch.numbers):
            one = resolved.take([place])
            part = None if ids is None else [ids[place]]
            error = self.attempt(partial(self._insert_one, one, part))
            if error is not None:
                self.state.excluded.setdefault(self.root.name, set()).add(number)
                key = self.name_of(resolved.batch, place)
                self.fail(number, key, field_of(error), objection(error))
                raise Restart

    def _insert_one(self, one: Resolved, ids: list[Any] | None, later: Later) -> None:
        self.writer.insert(one, later, (), ids)

    # Waves

    def _settle(self, resolved: Resolved) -> tuple[list[int], list[Any] | None]:
        """Return the places that can be inserted now, parents first, and their ids."""
        batch = resolved.batch
        own = {reference.name: self._own(reference, batch) for reference in self.waves}
        found = {
            reference.name: self._found(reference, batch.references[reference.name])
            for reference in self.waves
        }
        needs = [self._needs(batch, place, own, found) for place in range(len(batch))]
        ready = _parents_first(needs)
        ids = self.writer.allocate(len(ready)) if self.root.surrogate is not None else None
        made = dict(zip(ready, ids, strict=True)) if ids is not None else {}
        settled = set(ready)
        for reference in self.waves:
            rows: list[Row | None] = []
            for key in batch.references[reference.name]:
                row = None if key is None else found[reference.name].get(key)
                place = own[reference.name].get(key)
                if row is None and place in settled:
                    row = self._row_of(reference, resolved, place, made)
                rows.append(row)
            resolved.foreign[reference.name] = rows
        return ready, ids

    def _needs(
        self,
        batch: Batch,
        place: int,
        own: dict[str, dict[Key | None, int]],
        found: dict[str, dict[Key, Row]],
    ) -> set[int] | None:
        """Return the places in the batch that a row needs first, or ``None`` if it must wait."""
        needed = set()
        for reference in self.waves:
            key = batch.references[reference.name][place]
            row = found[reference.name].get(key) if key is not None else None
            if key is None or (row is not None and row is not AMBIGUOUS):
                continue
            if row is AMBIGUOUS or key not in own[reference.name]:
                return None
            needed.add(own[reference.name][key])
        return needed - {place}

    def _own(self, reference: Reference, batch: Batch) -> dict[Key | None, int]:
        """Map the keys by which a reference finds the batch's own rows to their places.

        Rows are left out that several share a key, whose referred columns aren't known
        before they are inserted, or that aren't of the class referred to.
        """
        if not all(self.root.in_base(column) in self.known for column in reference.remote):
            return {}
        found: dict[Key | None, int] = {key: place for place, key in enumerate(batch.keys)}
        if reference.parts != self.root.key:
            found = self._own_by(reference, batch)
        return {
            key: place for key, place in found.items() if self._is_of_class(reference, batch, place)
        }

    def _own_by(self, reference: Reference, batch: Batch) -> dict[Key | None, int]:
        """Map what a reference's ``by`` holds of the batch's own rows to their places."""
        part = reference.parts[0]
        assert isinstance(part, Value)
        held = [row[self.columns.index(part.column)] for row in batch.values]
        bind = self.dialect.binder(part.column, part.kind).function()
        counts = Counter(held)
        once = {value: place for place, value in enumerate(held) if counts[value] == 1}
        own: dict[Key | None, int] = {}
        for key in set(batch.references[reference.name]) - {None}:
            with suppress(ValueError, TypeError, KeyError):  # a key that no row can have
                own[key] = once[bind(key[0])]  # type: ignore[index]
        return own

    def _known(self) -> dict[Column, Reference | None]:
        """Return the columns that are known before a row is inserted, with what holds them."""
        known: dict[Column, Reference | None] = dict.fromkeys(self.columns)
        for reference in self.root.references:
            if reference not in self.waves and not self._is_deferred(reference):
                known |= dict.fromkeys(reference.own, reference)
        return known | ({self.root.surrogate: None} if self.root.surrogate is not None else {})

    def _is_deferred(self, reference: Reference) -> bool:
        return (self.root.name, reference.name) in self.state.order.updated

    def _is_of_class(self, reference: Reference, batch: Batch, place: int) -> bool:
        """Tell whether a row has a row in the subclass's table that a reference points to."""
        extension = self.root.extension_of(reference.remote[0].table)
        return extension is None or batch.kinds[place] in extension.kinds

    def _row_of(
        self, reference: Reference, resolved: Resolved, place: int, made: dict[int, Any]
    ) -> Row:
        row: list[Any] = []
        for column in map(self.root.in_base, reference.remote):
            holder = self.known[column]
            if column is self.root.surrogate:
                row.append(made[place])
            elif holder is None:
                row.append(resolved.batch.values[place][self.columns.index(column)])
            else:
                held = resolved.foreign[holder.name][place]
                row.append(None if held is None else held[holder.columns.index(column)])
        return tuple(row)

    def _orphans(self, resolved: Resolved, waiting: set[Key]) -> None:
        """Say of rows that can't be placed what they refer to: nothing, or each other."""
        batch = resolved.batch
        for reference in self.waves:
            held = batch.references[reference.name]
            found = self._found(reference, held)
            for place, (number, key) in enumerate(zip(batch.numbers, held, strict=True)):
                if key is None or number in self.bad:
                    continue
                row = found.get(key)
                if row is None or row is AMBIGUOUS:
                    message = self.missing(reference, key, row)
                    if row is None and key in waiting:
                        text = described(reference.parts, key)
                        message = (
                            f"the record with {text} can't be placed before it: what that one "
                            "refers to is missing, or refers back to it"
                        )
                    self.fail(number, self.name_of(batch, place), reference.written, message)


def _parents_first(needs: list[set[int] | None]) -> list[int]:
    """Order places so that each follows what it needs; those that never can are left out."""
    ready: list[int] = []
    done: set[int] = set()
    waiting = [place for place, needed in enumerate(needs) if needed is not None]
    while waiting:
        now = [place for place in waiting if needs[place] <= done]  # type: ignore[operator]
        if not now:
            break
        ready += now
        done.update(now)
        waiting = [place for place in waiting if place not in done]
    return ready
