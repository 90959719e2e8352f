"""Loads the records of one entity: resolves, inserts, and lets rows wait for their parents."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.importing.batch import Batch, joined
from lading.importing.collisions import Collision, Collisions
from lading.importing.loader import (
    Loader,
    LoadState,
    Objection,
    RecordKeys,
    Restart,
    field_of,
    in_record,
)
from lading.importing.resolved_batch import Later, ResolvedBatch
from lading.importing.self_references import SelfReferences
from lading.importing.writer import RowWriter
from lading.model.recursive_keys import recurring
from lading.model.rowsets import RowSet
from lading.scratch.sort import CHUNK

#: Another round is worth its while where one row in so many was placed by the last.
PATIENCE = 20


class EntityLoader(Loader):
    """Loads an entity's batches into rows."""

    def __init__(self, state: LoadState, root: RowSet, file: str) -> None:
        super().__init__(state, root, file)
        self.writer = RowWriter(state.database, root, state.order)
        self.self_references = SelfReferences(self, root, self.writer)
        self.pending = state.spool()
        #: Rows that wait for their parents and whose depth is known, by depth and place.
        self.deeper = state.spool()
        self.depths: list[tuple[int, int]] = []
        self.collisions = Collisions(state, root)
        self.by_depth = recurring(root.key) in self.self_references.references

    def load(self, batch: Batch) -> None:
        """Insert a batch's records, but those with problems."""
        keys = RecordKeys(self, batch)
        resolved = self.resolve(self.root, batch, keys, in_record)
        self._place(self._good(resolved))

    def finish(self) -> None:
        """Insert what waited for its parents; what still waits has none."""
        self._go_deeper()
        self._go_round()
        if self.self_references.is_patient:
            self.self_references.is_patient = False
            self._go_round()
        waiting_keys = self.self_references.held(resolved.batch for resolved in self.pending)
        for resolved in self.pending:
            for place, field, message in self.self_references.orphans(resolved, waiting_keys):
                number = resolved.batch.numbers[place]
                self.fail(number, self.name_of(resolved.batch, place), field, message)
        self.state.resolvers.changed(self.root.table)

    def _go_round(self) -> None:
        """Go round the rows that wait, until too few of them find what they wait for.

        Rows that could be placed without it needn't find it at any price.
        """
        placed, waited = 1, 1
        while self.pending and placed > (
            waited // PATIENCE if self.self_references.is_patient else 0
        ):
            before, waited = self.counts.inserted, 0
            waiting, self.pending = self.pending, self.state.spool()
            for resolved in waiting:
                waited += len(resolved.batch)
                self._place(resolved)
            waiting.close()
            placed = self.counts.inserted - before

    def _wait(self, resolved: ResolvedBatch, places: list[int]) -> None:
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

    def _good(self, resolved: ResolvedBatch) -> ResolvedBatch:
        numbers = resolved.batch.numbers
        return resolved.take([n for n, number in enumerate(numbers) if number not in self.bad])

    def _place(self, resolved: ResolvedBatch) -> None:
        """Insert rows whose self references can be set, and let the others wait."""
        if not len(resolved.batch):
            return
        if not (self.self_references.references or self.self_references.wished):
            self._insert(resolved)
            return
        ready, ids = self.self_references.settle(resolved)
        waiting = sorted(set(range(len(resolved.batch))) - set(ready))
        if waiting:
            self._wait(resolved, waiting)
        if ready:
            self._insert(resolved.take(ready), ids)
            self.state.resolvers.changed(self.root.table, growing=True)

    def _insert(
        self, resolved: ResolvedBatch, ids: list[Any] | None = None, *, whole: bool = True
    ) -> None:
        """Insert in bulk; where the database objects, find the records that it objects to.

        Of a whole chunk those that collide with other rows are looked up first.
        """
        count = len(resolved.batch)
        rows: list[Row] = []
        error = self.attempt(
            lambda later: rows.extend(self.writer.insert(resolved, later, (), ids))
        )
        if error is None:
            self.counts.inserted += count
            if self.state.reads_back:
                kept = (resolved.batch.keys, resolved.batch.lines, self.writer.identities(rows))
                self.state.keep_record(self.root.name, kept)
            return
        resolved = self.self_references.without_wishes(resolved)
        if whole and isinstance(error, sa.exc.IntegrityError):
            collisions = self.collisions.among(resolved.batch)
            if collisions:
                self._leave_out(resolved, ids, collisions)
                return
        if count == 1:
            self._refuse(resolved.batch, error)
            return
        if self.self_references.references and self.state.may_restart:
            self._blame(resolved, ids)
        half = count // 2
        for places in (range(half), range(half, count)):
            part = None if ids is None else [ids[place] for place in places]
            self._insert(resolved.take(list(places)), part, whole=False)

    def _refuse(self, batch: Batch, error: Objection) -> None:
        """Note what the database says of one record."""
        self.fail(batch.numbers[0], self.name_of(batch, 0), *self._objected(batch, error))

    def _objected(self, batch: Batch, error: Objection) -> tuple[str | None, str]:
        """Return the field of one record that is to blame, where it is known, and why."""
        message = self.objection(error)
        if isinstance(error, sa.exc.IntegrityError):
            found = self.collisions.within(batch) or self.collisions.alike(batch, message)
            if found is not None:
                return found.field, found.message
        return field_of(error), message

    def _leave_out(
        self, resolved: ResolvedBatch, ids: list[Any] | None, collisions: dict[int, Collision]
    ) -> None:
        """Insert what collides with nothing; the other records are problems."""
        batch = resolved.batch
        for place, collision in collisions.items():
            number = batch.numbers[place]
            self.fail(number, self.name_of(batch, place), collision.field, collision.message)
        if self.self_references.references and self.state.may_restart:
            numbers = {batch.numbers[place] for place in collisions}
            self.state.excluded.setdefault(self.root.name, set()).update(numbers)
            raise Restart
        places = [place for place in range(len(batch)) if place not in collisions]
        part = None if ids is None else [ids[place] for place in places]
        if places:
            self._insert(resolved.take(places), part)

    def _blame(self, resolved: ResolvedBatch, ids: list[Any] | None) -> None:
        """Rows that wait for each other depend on each other: begin again without the bad one."""
        for place, number in enumerate(resolved.batch.numbers):
            one = resolved.take([place])
            part = None if ids is None else [ids[place]]
            error = self.attempt(partial(self._insert_one, one, part))
            if error is not None:
                self.state.excluded.setdefault(self.root.name, set()).add(number)
                key = self.name_of(resolved.batch, place)
                self.fail(number, key, *self._objected(one.batch, error))
                raise Restart

    def _insert_one(self, one: ResolvedBatch, ids: list[Any] | None, later: Later) -> None:
        self.writer.insert(one, later, (), ids)
