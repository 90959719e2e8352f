"""What the database does along with deletions outside of the records, and what holds these."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import (
    CASCADE,
    NO_ACTION,
    SET_DEFAULT,
    SET_NULL,
    LiveForeignKey,
    RealPlace,
)
from lading.importing.deletions.deletion_steps import DeletionStep, deletion_steps
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.holders import Holder, HolderText
from lading.importing.deletions.live_graph import LiveGraph
from lading.importing.deletions.refusal import Refusal
from lading.importing.deletions.row_marks import RowMarks
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.model.rowsets import Column
from lading.planning.record_change import Cascade, Effect
from lading.report import MOST_PROBLEMS
from lading.scratch.sort import CHUNK
from lading.scratch.spool import Spool

EFFECTS: dict[str, Effect] = {
    CASCADE: "deleted",
    SET_NULL: "set to null",
    SET_DEFAULT: "set to default",
}


@dataclass(slots=True)
class Consequences:
    """What deleting doomed records would do beside deleting them, found before anything is.

    ``cascades`` count what the database deletes or alters outside of the records.  ``refusals``
    are the first of the records that it would refuse to delete, because other rows refer to
    them or to what goes with them; ``more_refusals`` counts the rest.
    """

    cascades: list[Cascade] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    more_refusals: int = 0


def cascades_of(
    database: Database, entities: Entities, order: LoadOrder, trees: Mapping[str, DoomedTree]
) -> Consequences:
    """Find what goes along with doomed records, to any depth, and what holds them.

    Only reads.  The foreign keys are those of the database, of tables that no model knows as
    well.  Rows are looked up by the chunk of keys, each deleted row once.

    Args:
        database: where the records are.
        entities: the catalog's; they name rows by their natural keys.
        order: the catalog's order of loading.
        trees: the doomed rows of every entity that is mirrored, those without any included.
    """
    with ExitStack() as stack:
        walk = _Walk(database, entities, order, trees, stack)
        consequences = Consequences()
        for refusal in walk.refusals():
            if len(consequences.refusals) < MOST_PROBLEMS:
                consequences.refusals.append(refusal)
            else:
                consequences.more_refusals += 1
        consequences.cascades = [
            Cascade(entity, walk.graph.relation(key), EFFECTS[key.action], count)
            for (entity, key), count in walk.counts.items()
            if count
        ]
    return consequences


@dataclass(frozen=True, slots=True)
class Going:
    """Rows of a table that go: what others refer to them by, and the records that they go with."""

    place: RealPlace
    entity: str
    records: list[Row]
    rows: list[Row]


class _Walk:
    """Follows foreign keys from doomed rows, in the order in which these are deleted."""

    def __init__(
        self,
        database: Database,
        entities: Entities,
        order: LoadOrder,
        trees: Mapping[str, DoomedTree],
        stack: ExitStack,
    ) -> None:
        self.database = database
        self.order = order
        self.trees = trees
        self.stack = stack
        self.graph = LiveGraph(database, entities, trees)
        self.texts = HolderText(database, entities, self.graph)
        self.counts: Counter[tuple[str, LiveForeignKey]] = Counter()
        #: The rows that go along, by table, and the doomed ones of the records' own tables.
        self.gone: dict[RealPlace, RowMarks] = {}
        self.doomed: dict[RealPlace, RowMarks] = {}
        #: The records that are refused, by entity.
        self.refused: dict[str, set[Row]] = defaultdict(set)

    def refusals(self) -> Iterator[Refusal]:
        """Follow everything; yield the records that something holds."""
        for step in deletion_steps(self.order, self.trees):
            for going in self._doomed(step):
                yield from self._follow(going)

    # What goes by itself

    def _doomed(self, step: DeletionStep) -> Iterator[Going]:
        """Yield the rows that a step deletes, of the tables to which other tables refer."""
        sources = [(links.table, links.local) for links in step.links]
        if step.deletes_rows:
            for table in reversed(step.rows.tables):
                identity = zip(step.rows.identity_in(table), step.rows.identity, strict=True)
                sources.append((table, tuple(identity)))
        for table, pairs in sources:
            yield from self._doomed_in(self.graph.places[table], pairs, step)

    def _doomed_in(
        self, place: RealPlace, pairs: Sequence[tuple[Column, Column]], step: DeletionStep
    ) -> Iterator[Going]:
        """Yield the rows of one table, found by what its columns hold of a row set's."""
        columns, needed = step.tree.columns(step.rows), self.graph.needed(place)
        near, width = [column.name for column, _ in pairs], len(pairs)
        for chunk in step.tree.chunks(step.rows) if needed else ():
            keys = columns.values(chunk.rows, [up for _, up in pairs])
            record_by_key = dict(zip(keys, chunk.records, strict=True))
            rows = self.graph.rows(place, [*near, *needed], near, keys)
            records = [record_by_key.get(row[:width], ()) for row in rows]
            yield Going(place, step.tree.root.name, records, [row[width:] for row in rows])

    # What goes along

    def _follow(self, going: Going) -> Iterator[Refusal]:
        """Count what goes along with rows, level by level."""
        level = Spool()
        self.stack.callback(level.close)
        level.append(going)
        while level:
            below = Spool()
            self.stack.callback(below.close)
            for part in level:
                holding = [
                    key for key in self.graph.incoming[part.place] if key.action == NO_ACTION
                ]
                for key in holding:
                    yield from self._held(part, key)
                for key in self.graph.incoming[part.place]:
                    if key.action != NO_ACTION:
                        for further in self._along(part, key):
                            below.append(further)
            level.close()
            level = below

    def _along(self, going: Going, key: LiveForeignKey) -> Iterator[Going]:
        """Count the rows that one foreign key deletes or alters; yield what must be followed."""
        referred, counted = self._referred(going, key), (going.entity, key)
        if self.graph.stands_alone(key.table):
            self.counts[counted] += self.graph.count(key.table, key.columns, list(referred))
            return
        identity, needed = self.graph.identity(key.table), self.graph.needed(key.table)
        names = [*key.columns, *identity, *needed]
        rows = self.graph.rows(key.table, names, key.columns, list(referred))
        rows = self._staying(key.table, rows, len(key.columns), len(identity))
        self.counts[counted] += len(rows)
        if key.action != CASCADE:
            return
        start, end = len(key.columns), len(key.columns) + len(identity)
        self._gone(key.table).add(row[start:end] or row for row in rows)
        if needed:
            for first in range(0, len(rows), CHUNK):
                part = rows[first : first + CHUNK]
                records = [referred.get(row[:start], ()) for row in part]
                yield Going(key.table, going.entity, records, [row[end:] for row in part])

    def _referred(self, going: Going, key: LiveForeignKey) -> dict[Row, Row]:
        """Map what a foreign key holds of rows that go to the records that they go with."""
        needed = self.graph.needed(going.place)
        places = [needed.index(name) for name in key.target_columns]
        return {
            tuple(row[place] for place in places): record
            for row, record in zip(going.rows, going.records, strict=True)
        }

    def _staying(self, place: RealPlace, rows: Sequence[Row], start: int, width: int) -> list[Row]:
        """Return the rows that don't go already; their identity begins at ``start``."""
        marks = [self._gone(place), *self._doomed_marks(place)]
        return [
            row
            for row in rows
            if not any((row[start : start + width] or row) in mark for mark in marks)
        ]

    def _gone(self, place: RealPlace) -> RowMarks:
        if place not in self.gone:
            self.gone[place] = RowMarks()
            self.stack.callback(self.gone[place].close)
        return self.gone[place]

    def _doomed_marks(self, place: RealPlace) -> list[RowMarks]:
        """Return the doomed rows of a table that mirrored records have."""
        if place not in self.graph.row_sets:
            return []
        if place not in self.doomed:
            self.doomed[place] = marks = RowMarks()
            self.stack.callback(marks.close)
            for tree in self.trees.values():
                for rows in tree.root.tree():
                    if rows in self.graph.row_sets[place]:
                        columns = tree.columns(rows)
                        for chunk in tree.chunks(rows):
                            marks.add(columns.identities(chunk.rows))
        return [self.doomed[place]]

    # What holds

    def _held(self, going: Going, key: LiveForeignKey) -> Iterator[Refusal]:
        """Yield the records whose rows others refer to by a foreign key that holds them."""
        referred = self._referred(going, key)
        holders = self._holders(key, list(referred))
        refused = self.refused[going.entity]
        fresh: dict[Row, Holder] = {}
        for near, holder in holders.items():
            record = referred.get(near, ())
            if record not in refused:
                fresh.setdefault(record, holder)
        refused.update(fresh)
        yield from self.texts.refusals(self.trees[going.entity].root, going.place, key, fresh)

    def _holders(self, key: LiveForeignKey, keys: Sequence[Row]) -> dict[Row, Holder]:
        """Return how many rows refer to each key, and one of them."""
        width, identity = len(key.columns), self.graph.identity(key.table)
        if self.graph.stands_alone(key.table):
            rows = self.graph.examples(key, keys)
            return {row[:width]: Holder(row[width:-1], row[-1]) for row in rows}
        names = [*key.columns, *identity]
        rows = self.graph.rows(key.table, names, key.columns, keys)
        groups: dict[Row, list[Row]] = defaultdict(list)
        for row in self._staying(key.table, rows, width, len(identity)):
            groups[row[:width]].append(row[width:])
        return {near: Holder(min(rows, key=repr), len(rows)) for near, rows in groups.items()}
