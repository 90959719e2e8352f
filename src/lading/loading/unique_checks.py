"""Looks up the unique values that planned rows would take, as a database would check them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.importing.collisions import Collision, Collisions, Parts, unique_key, unique_sets
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.outcomes import EntityOutcome
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.row_changes import RowChanges
from lading.model.rowsets import RowSet, Value
from lading.records.comparison import Content
from lading.records.layout import Key
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text


class UniqueChecks:
    """Finds the planned records of one entity whose unique values others have.

    A value may be taken from a row that gives it up: one that changes, or that is deleted.
    """

    def __init__(
        self,
        context: LoadContext,
        root: RowSet,
        outcome: EntityOutcome,
        updates: CollectedUpdates | None,
        comparison: StoredComparison,
        *,
        compete: bool,
    ) -> None:
        self.context = context
        #: Whether planned records are held against each other too, and not only stored rows.
        self.compete = compete
        self.root = root
        self.outcome = outcome
        self.comparison = comparison
        self.collisions = Collisions(context, root)
        self.sets = {rows: [*unique_sets(rows)] for rows in root.tree()}
        self.sets[root] = [parts for parts in self.sets[root] if set(parts) != set(root.key)]
        #: The unique values that planned rows take, and the rows that give theirs up.
        self.taken = context.journal.closing(KeyIndex())
        self.giving = context.journal.closing(KeyIndex())
        if updates is not None and any(self.sets.values()):
            self.giving.fill(self._giving(updates))

    def check_new(self, batch: Batch) -> None:
        """Report the new records whose unique values others have."""
        if any(self.sets.values()):
            self._check(self.root, batch, self._records(batch), None, [""] * len(batch))

    def check_changed(self, batch: Batch, changes: RowChanges) -> None:
        """Report the records that would take unique values that others have."""
        if any(self.sets.values()):
            self._check(self.root, batch, self._records(batch), changes, [""] * len(batch))

    def _records(self, batch: Batch) -> list[Content]:
        return list(map(self.comparison.raw.new_content, batch.lines))

    def _check(
        self,
        rows: RowSet,
        batch: Batch,
        records: Sequence[Content],
        changes: RowChanges | None,
        paths: Sequence[str],
    ) -> None:
        """Check rows of one row set, and those that they nest; ``paths`` lead to each."""
        for parts in self.sets[rows]:
            keys = {
                place: key
                for place, record in enumerate(records)
                if (changes is None or changes.takes(place, parts))
                and (key := unique_key(parts, record, batch, place)) is not None
            }
            holders = self.collisions.rows_with(rows, parts, keys.values())
            for place, key in keys.items():
                own = changes.identities[place] if changes is not None else None
                holder = holders.get(key, own)
                collision = self._collision(rows, parts, key, None if holder == own else holder)
                if collision is None and self.compete:
                    collision = self._taken(rows, parts, key, batch.numbers[place])
                if collision is not None and batch.numbers[place] not in self.outcome.bad:
                    named = self.outcome.key_at(batch, place) if rows is self.root else None
                    field = f"{paths[place]}{collision.field}"
                    self.outcome.fail(batch.numbers[place], named, field, collision.message)
        for children in rows.children:
            nested = batch.children[children.name]
            owned = [record.get(children.written) or [] for record in records]
            inner = [
                f"{path}{children.written}.{n}."
                for path, owned_rows in zip(paths, owned, strict=True)
                for n in range(1, len(owned_rows) + 1)
            ]
            flat = [record for owned_rows in owned for record in owned_rows]
            below = None if changes is None else changes.children[children.name]
            self._check(children.rows, nested.batch, flat, below, inner)

    def _collision(
        self, rows: RowSet, parts: Parts, key: Key, holder: Row | None
    ) -> Collision | None:
        """Return the collision with a row that has unique values and keeps them."""
        if holder is None or holder is AMBIGUOUS:
            return None
        if self.giving.get(_text(rows, parts, holder)) is not None:
            return None
        return self.collisions.held(rows, parts, key, holder)

    def _taken(self, rows: RowSet, parts: Parts, key: Key, number: int) -> Collision | None:
        """Return the collision with a row of the same import, if one takes the same values."""
        text = _text(rows, parts, key)
        if self.taken.get(text) is None:
            self.taken.fill([(text, b"%d" % number, number)])
            return None
        other = self.taken.get(text)
        assert other is not None
        return self.collisions.of_record(rows, parts, key, int(other[0]))

    def _giving(self, updates: CollectedUpdates) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield the rows that give unique values up, by row set and set of members."""
        # Doomed records go last, and nothing parks a primary key until then.
        freed = [parts for parts in self.sets[self.root] if not _identifies(self.root, parts)]
        for identities in updates.doomed:
            for identity in identities:
                for parts in freed:
                    yield _text(self.root, parts, identity), b"", 0
        for chunk in updates.updates:
            yield from self._changing(self.root, chunk.changes)
        for chunk in updates.takers:
            yield from self._taken_over(chunk.changes)
        for rows in self.root.tree():
            for left in updates.matcher.left.group(rows.name):
                for parts in self.sets[rows]:
                    yield _text(rows, parts, left.partner.row.identity), b"", 0

    def _taken_over(self, changes: RowChanges) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield the stored rows that new records take over, which keep their own values."""
        for rows, inner in changes.walk(self.root):
            for identity in inner.identities:
                for parts in self.sets[rows] if identity is not None else ():
                    yield _text(rows, parts, identity), b"", 0

    def _changing(self, rows: RowSet, changes: RowChanges) -> Iterator[tuple[bytes, bytes, int]]:
        for place, identity in enumerate(changes.identities):
            for parts in self.sets[rows] if identity is not None else ():
                if changes.takes(place, parts):
                    yield _text(rows, parts, identity), b"", 0
        for children in rows.children:
            yield from self._changing(children.rows, changes.children[children.name])


def _identifies(rows: RowSet, parts: Parts) -> bool:
    """Tell whether members hold a row set's primary key."""
    columns = {
        column
        for part in parts
        for column in ((part.column,) if isinstance(part, Value) else part.columns)
    }
    return columns >= set(rows.identity)


def _text(rows: RowSet, parts: Parts, key: Any) -> bytes:
    return json_text([rows.name, [part.name for part in parts], repr(key)])
