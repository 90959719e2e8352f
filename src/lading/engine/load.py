"""Loads entities: matches what is there, resolves references, inserts, and defers the rest.

Problems are gathered, not raised: a record with a problem is left out, and the
importer decides at the end whether the others stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lading.declare.derivation import Entities
from lading.declare.rowsets import Links, Reference, RowSet
from lading.derive.order import Order, link_name
from lading.engine.batch import Batch
from lading.engine.dialects.base import Dialect, Row
from lading.engine.layout import Key, Part, named_key
from lading.engine.resolve import AMBIGUOUS, Resolver, Resolvers
from lading.engine.spool import Spool
from lading.engine.tables import TableCounts
from lading.engine.write import Later, LinkWriter, Resolved, RowWriter
from lading.errors import shown
from lading.report import Counts, Problem
from lading.values import json_text

#: Missing references whose nearest key is looked up; the search is slow, the help the same.
HELPED = 20


class Restart(Exception):
    """Records that were written already turned out bad; begin again without them."""


@dataclass(slots=True)
class LoadState:
    """What the loaders of one import share."""

    dialect: Dialect
    entities: Entities
    order: Order
    tables: TableCounts
    resolvers: Resolvers
    may_restart: bool
    excluded: dict[str, set[int]] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: set[tuple[str, bytes]] = field(default_factory=set)
    written: dict[sa.Table, int] = field(default_factory=dict)
    updates: dict[tuple[str, str], Spool] = field(default_factory=dict)
    late: dict[str, Spool] = field(default_factory=dict)
    links: dict[str, dict[str, int]] = field(default_factory=dict)
    helped: int = 0

    def close(self) -> None:
        """Give temporary files back."""
        for spool in (*self.updates.values(), *self.late.values()):
            spool.close()

    def keep(self, later: Later) -> None:
        """Take over what an insert wrote and left."""
        for table, count in later.written.items():
            self.written[table] = self.written.get(table, 0) + count
        for key, items in later.updates.items():
            if items:
                self.updates.setdefault(key, Spool()).append(items)
        for name, parts in later.late.items():
            for part in _parts_of(parts):
                self.late.setdefault(name, Spool()).append(part)


def _parts_of(items: list[Any]) -> Iterable[Any]:
    """Owned rows come as one (batch, owners) each; links as one list."""
    if items and isinstance(items[0][0], Batch):
        return items
    return [items] if items else []


class Loader:
    """What loading an entity's records and loading deferred rows have in common."""

    def __init__(self, state: LoadState, root: RowSet, file: str) -> None:
        self.state = state
        self.root = root
        self.file = file
        self.dialect = state.dialect
        self.counts = state.counts.setdefault(root.name, Counts())
        self.bad: set[int] = set()

    def fail(self, number: int, key: Any, field_: str | None, message: str) -> None:
        """Note a problem of a record, which is then left out."""
        self.state.problems.append(Problem(self.file, number, key, field_, message))
        if number not in self.bad:
            self.bad.add(number)
            self.counts.failed += 1
        if key is not None:
            self.state.failed.add((self.root.name, json_text(key)))

    def name_of(self, batch: Batch, place: int) -> Any:
        """Return the natural key of a row's record, where the row is the record itself."""
        key = batch.keys[place]
        return named_key(self.root.key, key) if key else None

    # References

    def resolve(self, rows: RowSet, batch: Batch, keys: dict[int, Any], path: str = "") -> Resolved:
        """Resolve a batch's references, but those that are deferred; misses are problems."""
        resolved = Resolved(batch)
        order = self.state.order
        for reference in rows.references:
            if (rows.name, reference.name) in order.updated | order.waves:
                continue
            held = batch.references[reference.name]
            found = self._found(reference, (key for key in held if key is not None))
            where = f"{path}{reference.written}"
            resolved.foreign[reference.name] = [
                None if key is None else self._row(reference, found, key, n, keys, where)
                for key, n in zip(held, batch.numbers, strict=True)
            ]
        for links in rows.links:
            if link_name(rows, links) not in order.late:
                resolved.links[links.name] = self.resolve_links(
                    links, batch.numbers, batch.links[links.name], keys, path
                )
        for children in rows.children:
            if children.rows.name not in order.late:
                nested = batch.children[children.name].batch
                resolved.children[children.name] = self.resolve(
                    children.rows, nested, keys, f"{path}{children.written}."
                )
        return resolved

    def resolve_links(
        self,
        links: Links,
        numbers: Sequence[int],
        lists: Sequence[list[Key]],
        keys: dict[int, Any],
        path: str = "",
    ) -> list[list[Row]]:
        """Resolve many-to-many lists; a key twice in one list is a problem."""
        reference = links.reference
        found = self._found(reference, (key for held in lists for key in held))
        where = f"{path}{links.written}"
        result = []
        for number, held in zip(numbers, lists, strict=True):
            if len(set(held)) != len(held):
                twice = next(key for key in held if held.count(key) > 1)
                text = described(reference.parts, twice)
                self.fail(number, keys.get(number), where, f"holds {text} twice; remove one")
            rows = [self._row(reference, found, key, number, keys, where) for key in held]
            result.append([row for row in rows if row is not None])
        return result

    def _found(self, reference: Reference, keys: Iterable[Key]) -> dict[Key, Row]:
        return self.state.resolvers.of(reference).find(keys)

    def _row(
        self,
        reference: Reference,
        found: dict[Key, Row],
        key: Key,
        number: int,
        keys: dict[int, Any],
        where: str,
    ) -> Row | None:
        row = found.get(key)
        if row is None or row is AMBIGUOUS:
            self.fail(number, keys.get(number), where, self.missing(reference, key, row))
            return None
        return row

    def missing(self, reference: Reference, key: Key, row: Row | None = None) -> str:
        """Say that a reference has no target, or several, and what to do."""
        target = reference.target.name
        text = described(reference.parts, key)
        if row is AMBIGUOUS:
            return f"several {target} have {text}; make it unique, or refer to them by another key"
        named = json_text(named_key(reference.parts, key))
        if (target, named) in self.state.failed:
            return f"no {target} has {text}, for its own record has a problem"
        near = self._nearest(self.state.resolvers.of(reference), key)
        closest = f"; closest is {near!r}" if near is not None else ""
        return f"no {target} has {text}{closest}. Add the record to {target}, or correct the key"

    def _nearest(self, resolver: Resolver, key: Key) -> str | None:
        self.state.helped += 1
        return resolver.nearest(key) if self.state.helped <= HELPED else None

    # Inserting

    def attempt(self, work: Callable[[Later], None]) -> sa.exc.DBAPIError | None:
        """Do some writing in a savepoint; return the database's objection, if it has one."""
        later = Later()
        try:
            with self.dialect.connection.begin_nested():
                work(later)
        except sa.exc.OperationalError:
            raise
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            return error
        self.state.keep(later)
        return None


class EntityLoader(Loader):
    """Loads an entity's batches into rows."""

    def __init__(self, state: LoadState, root: RowSet, file: str) -> None:
        super().__init__(state, root, file)
        self.writer = RowWriter(state.dialect, root, state.order)
        self.waves = [
            item for item in root.references if (root.name, item.name) in state.order.waves
        ]
        self.pending = Spool()

    def load(self, batch: Batch) -> None:
        """Insert a batch's records, but those with problems."""
        keys = {n: self.name_of(batch, place) for place, n in enumerate(batch.numbers)}
        resolved = self.resolve(self.root, batch, keys)
        self._place(self._good(resolved))

    def finish(self) -> None:
        """Insert what waited for its parents; what still waits has none."""
        before = -1
        while self.pending and self.counts.inserted != before:
            before = self.counts.inserted
            waiting, self.pending = self.pending, Spool()
            with waiting:
                for resolved in waiting:
                    self._place(resolved)
        for resolved in self.pending:
            self._orphans(resolved)
        self.pending.close()
        self.state.resolvers.changed(self.root.table)

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
            self.pending.append(resolved.take(waiting))
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
            self.fail(batch.numbers[0], self.name_of(batch, 0), None, objection(error))
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
            part = None if ids is None else [ids[place]]
            one = resolved.take([place])
            error = self.attempt(lambda later, one=one, part=part: self.writer.insert(one, later, (), part))  # type: ignore[misc]
            if error is not None:
                self.state.excluded.setdefault(self.root.name, set()).add(number)
                self.fail(number, self.name_of(resolved.batch, place), None, objection(error))
                raise Restart

    # Waves

    def _settle(self, resolved: Resolved) -> tuple[list[int], list[Any] | None]:
        """Return the places that can be inserted now, parents first, and their ids."""
        batch = resolved.batch
        own = {key: place for place, key in enumerate(batch.keys)}
        found = {}
        for reference in self.waves:
            keys = [key for key in batch.references[reference.name] if key is not None]
            found[reference.name] = self._found(reference, keys)
        needs = [self._needs(batch, place, own, found) for place in range(len(batch))]
        ready = _parents_first(needs)
        ids = self.writer.allocate(len(ready)) if self.root.surrogate is not None else None
        made = dict(zip(ready, ids, strict=True)) if ids is not None else {}
        settled = set(ready)
        for reference in self.waves:
            rows: list[Row | None] = []
            for key in batch.references[reference.name]:
                row = None if key is None else found[reference.name].get(key)
                if row is None and key in own and own[key] in settled:
                    row = self._row_of(reference, batch, own[key], made)
                rows.append(row)
            resolved.foreign[reference.name] = rows
        return ready, ids

    def _needs(
        self, batch: Batch, place: int, own: dict[Key, int], found: dict[str, dict[Key, Row]]
    ) -> set[int] | None:
        """Return the places in the batch that a row needs first, or ``None`` if it must wait."""
        needed = set()
        for reference in self.waves:
            key = batch.references[reference.name][place]
            if key is None or key in found[reference.name]:
                continue
            in_batch = reference.parts == self.root.key and self._is_known(reference)
            if not in_batch or key not in own:
                return None
            needed.add(own[key])
        return needed - {place}

    def _is_known(self, reference: Reference) -> bool:
        """Tell whether the columns referred to are known before the row is inserted."""
        values = {value.column for value in self.root.values if value.writable}
        return all(column is self.root.surrogate or column in values for column in reference.remote)

    def _row_of(self, reference: Reference, batch: Batch, place: int, made: dict[int, Any]) -> Row:
        columns = [value.column for value in self.root.values if value.writable]
        return tuple(
            made[place]
            if column is self.root.surrogate
            else batch.values[place][columns.index(column)]
            for column in reference.remote
        )

    def _orphans(self, resolved: Resolved) -> None:
        batch = resolved.batch
        for place, number in enumerate(batch.numbers):
            for reference in self.waves:
                key = batch.references[reference.name][place]
                if key is not None and key not in self._found(reference, [key]):
                    message = self.missing(reference, key)
                    self.fail(number, self.name_of(batch, place), reference.written, message)
                    break


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


class LateLoader(Loader):
    """Inserts owned rows and links, and sets references, whose targets came later."""

    def give_up(self, numbers: set[int]) -> None:
        """Bad records were written already: begin again without them, where that is asked."""
        if numbers and self.state.may_restart:
            self.state.excluded.setdefault(self.root.name, set()).update(numbers)
            raise Restart

    def rows(self, rows: RowSet) -> None:
        """Insert the late rows of an owned table."""
        path = rows.name[len(self.root.name) + 1 :] + "."
        writer = RowWriter(self.dialect, rows, self.state.order)
        for batch, given in self.state.late.get(rows.name, ()):
            resolved = self.resolve(rows, batch, {}, path)
            kept = [n for n, number in enumerate(batch.numbers) if number not in self.bad]
            self._insert(writer, resolved.take(kept), [given[n] for n in kept], path)
        self.state.resolvers.changed(rows.table)
        self.give_up(self.bad)

    def _insert(self, writer: RowWriter, resolved: Resolved, given: list[Row], path: str) -> None:
        count = len(resolved.batch)
        if not count:
            return
        error = self.attempt(lambda later: writer.insert(resolved, later, given))
        if error is None:
            return
        if count == 1:
            self.fail(resolved.batch.numbers[0], None, path[:-1], objection(error))
            return
        half = count // 2
        for places in (range(half), range(half, count)):
            part = [given[place] for place in places]
            self._insert(writer, resolved.take(list(places)), part, path)

    def links(self, rows: RowSet, links: Links) -> None:
        """Insert the late rows of a link table."""
        name = link_name(rows, links)
        path = f"{rows.name[len(self.root.name) + 1 :]}.".lstrip(".")
        writer = LinkWriter(self.dialect, rows, links, self.state.order)
        for items in self.state.late.get(name, ()):
            numbers = [number for number, _, _ in items]
            lists = self.resolve_links(links, numbers, [keys for _, _, keys in items], {}, path)
            made = [
                (number, (*owner, *remote))
                for (number, owner, _), found in zip(items, lists, strict=True)
                for remote in found
                if number not in self.bad
            ]
            self._write(writer, made, f"{path}{links.written}")
        self.give_up(self.bad)

    def _write(self, writer: LinkWriter, made: list[tuple[int, Row]], path: str) -> None:
        error = self.attempt(lambda later: writer.write([row for _, row in made], later))
        if error is None:
            return
        if len(made) == 1:
            self.fail(made[0][0], None, path, objection(error))
            return
        half = len(made) // 2
        self._write(writer, made[:half], path)
        self._write(writer, made[half:], path)

    def update(self, rows: RowSet, reference: Reference) -> None:
        """Set a reference that was inserted as null."""
        prefix = f"{rows.name[len(self.root.name) + 1 :]}.".lstrip(".")
        for items in self.state.updates.get((rows.name, reference.name), ()):
            found = self._found(reference, (key for _, _, key in items))
            made = []
            for number, identity, key in items:
                row = self._row(reference, found, key, number, {}, f"{prefix}{reference.written}")
                if row is not None:
                    made.append((number, (*identity, *row)))
            self._update(rows, reference, made, prefix)
        self.give_up(self.bad)

    def _update(
        self, rows: RowSet, reference: Reference, made: list[tuple[int, Row]], prefix: str
    ) -> None:
        if not made:
            return
        table, key, columns = rows.table, rows.identity, reference.columns
        values = [row for _, row in made]
        error = self.attempt(lambda _: self.dialect.update(table, key, columns, values))
        if error is None:
            return
        if len(made) == 1:
            self.fail(made[0][0], None, f"{prefix}{reference.written}", objection(error))
            return
        half = len(made) // 2
        self._update(rows, reference, made[:half], prefix)
        self._update(rows, reference, made[half:], prefix)


def described(parts: tuple[Part, ...], key: Key) -> str:
    """Describe a key for people: ``slug 'flour'``, ``ingredient.slug 'flour' and brand 'X'``."""
    return " and ".join(_described(parts, key, ""))


def _described(parts: tuple[Part, ...], key: Key, path: str) -> list[str]:
    texts = []
    for part, item in zip(parts, key, strict=True):
        name = f"{path}{part.written}"
        if isinstance(part, Reference) and item is not None:
            texts += _described(part.parts, item, f"{name}.")
        else:
            texts.append(f"{name} {shown(item) if item is not None else 'null'}")
    return texts


def objection(error: sa.exc.DBAPIError) -> str:
    """Return what the database said, on one line."""
    text = str(error.orig).strip().splitlines()
    return f"the database refused it: {'; '.join(line.strip() for line in text)}"
