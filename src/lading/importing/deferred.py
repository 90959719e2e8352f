"""Inserts owned rows and links, and sets references, whose targets came later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.link_writer import LinkWriter
from lading.importing.loader import Loader, NoKeys, Restart, field_of
from lading.importing.resolved_batch import Later, ResolvedBatch, Update
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.self_references import SelfReferences
from lading.importing.shared_columns import Disagreement, compare, deferred_carriers
from lading.importing.writer import RowWriter
from lading.mapping.load_order import link_name
from lading.model.rowsets import Links, Reference, RowSet
from lading.records.describe import told_key
from lading.records.layout import Key
from lading.scratch.spool import Spool
from lading.values.json_text import json_text

#: What the two ends of a link hold.
Ends = tuple[Row, Row]
#: Owned rows, what their owners give to each, and their ids.
Given = tuple[ResolvedBatch, list[Row], list[Any] | None]


class DeferredLoader(Loader):
    """Inserts owned rows and links, and sets references, whose targets came later."""

    def give_up(self, numbers: set[int]) -> None:
        """Bad records were written already: begin again without them, where that is asked."""
        if numbers and self.state.may_restart:
            self.state.excluded.setdefault(self.root.name, set()).update(numbers)
            raise Restart

    def rows(self, rows: RowSet) -> None:
        """Insert the late rows of an owned table; those that need others of it wait for them."""
        path = rows.name[len(self.root.name) + 1 :] + "."
        writer = RowWriter(self.database, rows, self.state.order)
        self_references = SelfReferences(self, rows, writer)
        waiting = self.state.spool()
        for batch, given in self.state.late.get(rows.name, ()):
            resolved = self.resolve(rows, batch, NoKeys(), lambda _: path)
            kept = [n for n, number in enumerate(batch.numbers) if number not in self.bad]
            # A list may be ordered by its ids, so they are made before any row overtakes others.
            ids = writer.reserve(len(kept)) if self_references.references else None
            part = (resolved.take(kept), [given[n] for n in kept], ids)
            self._place(writer, self_references, part, waiting, path)
        self._wait(writer, self_references, waiting, path)
        self.state.resolvers.changed(rows.table)
        self.give_up(self.bad)

    def _place(
        self,
        writer: RowWriter,
        self_references: SelfReferences,
        part: Given,
        waiting: Spool,
        path: str,
    ) -> int:
        """Insert the rows whose self references can be set, and let the others wait.

        Returns how many were ready.
        """
        resolved, given, reserved = part
        if not self_references.references:
            self._insert(writer, resolved, given, path)
            return len(resolved.batch)
        ready, ids = self_references.settle(resolved, given, reserved)
        others = sorted(set(range(len(resolved.batch))) - set(ready))
        if others:
            kept = None if reserved is None else [reserved[n] for n in others]
            waiting.append((resolved.take(others), [given[n] for n in others], kept))
        if ready:
            self._insert(writer, resolved.take(ready), [given[n] for n in ready], path, ids)
            self.state.resolvers.changed(writer.rows.table, growing=True)
        return len(ready)

    def _wait(
        self, writer: RowWriter, self_references: SelfReferences, waiting: Spool, path: str
    ) -> None:
        """Go round the rows that wait until none of them finds what it refers to."""
        placed = 1
        while waiting and placed:
            again = self.state.spool()
            placed = sum(
                self._place(writer, self_references, part, again, path) for part in waiting
            )
            waiting = again
        keys = self_references.held(resolved.batch for resolved, *_ in waiting)
        for resolved, *_ in waiting:
            for place, field, message in self_references.orphans(resolved, keys):
                self.fail(resolved.batch.numbers[place], None, f"{path}{field}", message)

    def _insert(
        self,
        writer: RowWriter,
        resolved: ResolvedBatch,
        given: list[Row],
        path: str,
        ids: list[Any] | None = None,
    ) -> None:
        count = len(resolved.batch)
        if not count:
            return
        error = self.attempt(lambda later: writer.insert(resolved, later, given, ids))
        if error is None:
            return
        if count == 1:
            field = field_of(error)
            where = f"{path}{field}" if field else path[:-1]
            self.fail(resolved.batch.numbers[0], None, where, self.objection(error))
            return
        half = count // 2
        for places in (range(half), range(half, count)):
            part = [given[place] for place in places]
            made = None if ids is None else [ids[place] for place in places]
            self._insert(writer, resolved.take(list(places)), part, path, made)

    def links(self, rows: RowSet, links: Links) -> None:
        """Insert the late rows of a link table."""
        name = link_name(rows, links)
        path = f"{rows.name[len(self.root.name) + 1 :]}.".lstrip(".")
        writer = LinkWriter(self.database, rows, links, self.state.order)
        for items in self.state.late.get(name, ()):
            numbers = [number for number, _, _ in items]
            lists = self.resolve_links(
                links, numbers, [keys for _, _, keys in items], NoKeys(), lambda _: path
            )
            made = [
                (number, (owner, remote))
                for (number, owner, _), found in zip(items, lists, strict=True)
                for remote in found
                if number not in self.bad
            ]
            self._write(writer, made, f"{path}{links.written}")
        self.give_up(self.bad)

    def _write(self, writer: LinkWriter, made: list[tuple[int, Ends]], path: str) -> None:
        error = self.attempt(
            lambda later: writer.write([writer.row(*ends) for _, ends in made], later)
        )
        if error is None:
            return
        if len(made) == 1:
            self.fail(made[0][0], None, path, self.objection(error))
            return
        half = len(made) // 2
        self._write(writer, made[:half], path)
        self._write(writer, made[half:], path)

    def update(self, rows: RowSet, reference: Reference) -> None:
        """Set a reference that was inserted as null."""
        prefix = f"{rows.name[len(self.root.name) + 1 :]}.".lstrip(".")
        where = f"{prefix}{reference.written}"
        own = [n for n, column in enumerate(reference.columns) if column in reference.own]
        for items in self.state.updates.get((rows.name, reference.name), ()):
            found = self.found(reference, (item.key for item in items))
            made = []
            for item, shared in zip(items, self._shared(rows, reference, items), strict=True):
                row = found.get(item.key)
                if row is None or row is AMBIGUOUS:
                    self.fail(item.number, None, where, self.missing(reference, item.key, row))
                    continue
                try:
                    compare(reference, row, shared)
                    made.append((item.number, (*item.identity, *(row[n] for n in own))))
                except Disagreement as error:
                    self.fail(item.number, None, where, str(error))
            self._update(rows, reference, made, prefix)
        if self.bad and rows is self.root and reference.parts == rows.key:
            self._follow(rows, reference)
        self.give_up(self.bad)

    def _shared(
        self, rows: RowSet, reference: Reference, items: list[Update]
    ) -> list[Sequence[Any]]:
        """Return what others say of a reference's columns, those included that come later too."""
        result: list[list[Any]] = [list(item.shared) for item in items]
        carriers = deferred_carriers(rows, self.state.order, reference)
        for n, (place, other, column) in enumerate(carriers):
            found = self.found(other, (item.carried[n] for item in items))
            for item, shared in zip(items, result, strict=True):
                row = found.get(item.carried[n]) if item.carried[n] is not None else None
                shared[place] = None if row is None or row is AMBIGUOUS else row[column]
        return list(result)

    def _follow(self, rows: RowSet, reference: Reference) -> None:
        """What refers to a bad record of its own entity falls with it, and so on."""
        referring: dict[Key, list[tuple[int, Key]]] = {}
        falling: list[Key] = []
        for followed in self.state.followed.get((rows.name, reference.name), ()):
            for number, key, own in followed:
                referring.setdefault(key, []).append((number, own))
        for items in self.state.updates.get((rows.name, reference.name), ()):
            for item in items:
                referring.setdefault(item.key, []).append((item.number, item.own))
                falling += [item.own] if item.number in self.bad else []
        while falling:
            bad = falling.pop()
            self.state.failed.add((rows.name, json_text(told_key(rows.key, bad))))
            for number, own in referring.pop(bad, ()):
                if number not in self.bad:
                    key = told_key(rows.key, own)
                    self.fail(number, key, reference.written, self.missing(reference, bad))
                    falling.append(own)

    def _update(
        self, rows: RowSet, reference: Reference, made: list[tuple[int, Row]], prefix: str
    ) -> None:
        if not made:
            return
        columns = reference.own
        table: Any = columns[0].table
        key = rows.identity_in(table)
        values = [row for _, row in made]

        def write(later: Later) -> None:
            self.database.update(table, key, columns, values)
            later.set_links(reference, len(values))

        error = self.attempt(write)
        if error is None:
            return
        if len(made) == 1:
            self.fail(made[0][0], None, f"{prefix}{reference.written}", self.objection(error))
            return
        half = len(made) // 2
        self._update(rows, reference, made[:half], prefix)
        self._update(rows, reference, made[half:], prefix)
