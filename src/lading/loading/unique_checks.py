"""Looks up the unique values that planned rows would take, as a database would check them."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator, Mapping
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.importing.collisions import Collision, Collisions, collation_clash
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.nested_records import NestedRecords
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import places_of_records
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.row_marks import RowMarks
from lading.importing.unique_sets import UniqueMembers
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.row_changes import RowChanges
from lading.model.rowsets import RowSet
from lading.records.layout import Key
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text, parse_json


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
        freed: RowMarks,
        compete: bool,
    ) -> None:
        self.context = context
        #: The owned rows that go before these are written, by table and primary key.
        self.freed = freed
        #: Whether planned records are held against each other too, and not only stored rows.
        self.compete = compete
        self.root = root
        self.outcome = outcome
        self.comparison = comparison
        self.collisions = Collisions(context, root)
        self.sets = {rows: context.unique.of(rows) for rows in root.tree()}
        keys = [each for each in self.collisions.by_collation if each not in self.collisions.sets]
        self.sets[root] = [*self.collisions.sets, *keys]
        #: The unique values that planned rows take, and the rows that give theirs up.
        self.taken = context.journal.closing(KeyIndex())
        self.giving = context.journal.closing(KeyIndex())
        if updates is not None and any(self.sets.values()):
            self.giving.fill(self._giving(updates))

    def check(self, batch: Batch, changes: RowChanges | None = None) -> None:
        """Report the records that would take unique values that others have.

        Args:
            batch: the records.
            changes: what is to happen to their rows; ``None`` for new records.
        """
        if not any(self.sets.values()):
            return
        records = list(map(self.comparison.raw.new_content, batch.lines))
        places = places_of_records(self.outcome, batch)
        changes_of = {} if changes is None else dict(changes.walk(self.root))
        for rows in NestedRecords(self.root, batch, records, places).walk():
            for unique in self.sets[rows.rows]:
                self._check(unique, rows, changes_of.get(rows.rows))

    def _check(
        self, unique: UniqueMembers, rows: NestedRecords, changes: RowChanges | None
    ) -> None:
        """Check the rows of one row set."""
        keys = unique.keys(self.context.database, rows.batch, rows.records)
        if unique.by_owner:  # each record comes with all that its owners hold
            for place, repeated in self.collisions.repeated(unique, rows, keys):
                self._fail(rows, place, repeated)
            return
        if changes is not None:
            keys = {n: key for n, key in keys.items() if changes.takes(n, unique.members)}
        holders = self.collisions.rows_with(unique, keys.values())
        others = [key for key in keys.values() if key not in holders]
        alike = self.collisions.rows_alike(unique, others)
        collisions: dict[int, Collision] = {}
        for place, key in keys.items():
            own = changes.identities[place] if changes is not None else None
            holder = holders.get(key, own)
            collision = self._collision(unique, key, None if holder == own else holder)
            if key in alike and not self._is_free(unique, alike[key][1], own):
                collision = collation_clash(unique.parts, key, alike[key][0])
            if collision is not None:
                collisions[place] = collision
        if self.compete:
            free = {place: key for place, key in keys.items() if place not in collisions}
            collisions.update(self._taken(unique, rows, free))
        for place in sorted(collisions):
            self._fail(rows, place, collisions[place])

    def _fail(self, rows: NestedRecords, place: int, collision: Collision) -> None:
        number = rows.batch.numbers[place]
        if number not in self.outcome.bad:
            key = self.outcome.key_at(rows.batch, place) if rows.rows is self.root else None
            found = collision.at(rows.places.path(place))
            self.outcome.fail(number, key, found.field, found.message)

    def _collision(self, unique: UniqueMembers, key: Key, holder: Row | None) -> Collision | None:
        """Return the collision with a row that has unique values and keeps them."""
        if holder is None or self._is_free(unique, holder):
            return None
        return self.collisions.held(unique, key, holder)

    def _is_free(self, unique: UniqueMembers, holder: Row, own: Row | None = None) -> bool:
        """Tell whether a row gives its unique values up, or is the one that takes them."""
        is_given = self.giving.get(_text(unique, holder)) is not None
        is_freed = (unique.rows.table.fullname, *holder) in self.freed
        return holder is AMBIGUOUS or holder == own or is_given or is_freed

    def _taken(
        self, unique: UniqueMembers, rows: NestedRecords, keys: Mapping[int, Key]
    ) -> Iterator[tuple[int, Collision]]:
        """Note what rows take, and yield those whose values others of the same import take."""
        database, numbers = self.context.database, rows.batch.numbers
        texts = {n: _text(unique, unique.text(database.dialect, key)) for n, key in keys.items()}
        notes = {n: json_text([numbers[n], n, repr(key)]) for n, key in keys.items()}
        self.taken.fill((texts[n], notes[n], numbers[n]) for n in keys)
        for place, key in keys.items():
            first, _ = self.taken.get(texts[place]) or (notes[place], False)
            if first == notes[place]:
                continue
            number, _, other = parse_json(first)
            if other == repr(key):
                yield place, self.collisions.of_record(unique, key, number)
            elif unique.are_alike(database, key, other_key := literal_eval(other)):
                yield place, collation_clash(unique.parts, key, other_key)

    def _giving(self, updates: CollectedUpdates) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield the rows that give unique values up, by unique set."""
        # Doomed records go last, and nothing parks a key until then.
        freed = [unique for unique in self.collisions.sets if not unique.identifies]
        for identities in updates.doomed:
            for identity in identities:
                for unique in freed:
                    yield _text(unique, identity), b"", 0
        for chunk in updates.replaced:
            yield from self._replaced(chunk.changes)
        for chunk in updates.updates:
            yield from self._changing(chunk.changes)
        for chunk in updates.takers:
            yield from self._taken_over(chunk.changes)
        for rows in self.root.tree():
            for left in updates.matcher.left.group(rows.name):
                for unique in self.sets[rows]:
                    yield _text(unique, left.partner.row.identity), b"", 0

    def _replaced(self, changes: RowChanges) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield the rows that become new records', which take their keys as well."""
        for identity in changes.identities:
            for unique in self.sets[self.root]:
                yield _text(unique, identity), b"", 0

    def _taken_over(self, changes: RowChanges) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield the stored rows that new records take over, which keep their own values."""
        for rows, inner in changes.walk(self.root):
            for identity in inner.identities:
                for unique in self.sets[rows] if identity is not None else ():
                    yield _text(unique, identity), b"", 0

    def _changing(self, changes: RowChanges) -> Iterator[tuple[bytes, bytes, int]]:
        for rows, inner in changes.walk(self.root):
            for place, identity in enumerate(inner.identities):
                for unique in self.sets[rows] if identity is not None else ():
                    if inner.takes(place, unique.members):
                        yield _text(unique, identity), b"", 0


def _text(unique: UniqueMembers, key: Any) -> bytes:
    names = [part.name for part in unique.parts]
    return json_text([unique.rows.name, unique.name, names, repr(key)])
