"""Follows foreign keys from doomed rows to all that goes along with them, and to what holds."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import CASCADE, NO_ACTION, LiveForeignKey, RealPlace
from lading.importing.deletions.catalog_references import CatalogReferences, Rewritten
from lading.importing.deletions.deletion_steps import DeletionStep, deletion_steps
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.going_rows import GoingRows
from lading.importing.deletions.holders import Holder, HolderText
from lading.importing.deletions.live_graph import LiveGraph, ReferringRow
from lading.importing.deletions.refusal import Refusal
from lading.importing.journal import WriteLog
from lading.importing.row_marks import RowMarks
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.model.rowsets import Column
from lading.report import MOST_PROBLEMS
from lading.scratch.spool import Spool


@dataclass(frozen=True, slots=True)
class Going:
    """Rows of a table that go: what others refer to them by, and the records that they go with.

    ``is_own`` says that they are the records' own.
    """

    place: RealPlace
    entity: str
    records: list[Row]
    rows: list[Row]
    is_own: bool = False


class CascadeWalk:
    """Follows foreign keys from doomed rows, in the order in which these are deleted.

    ``stack`` closes the temporary files.  Once ``refusals`` is read, ``counts`` has the number
    of rows by entity and foreign key, and ``log`` those of the catalog's tables.  With
    ``by_record``, ``takers`` has the same number by entity and record, and then by foreign key,
    of the first records, and ``by_record`` has the other ones.
    """

    def __init__(
        self,
        database: Database,
        entities: Entities,
        order: LoadOrder,
        trees: Mapping[str, DoomedTree],
        stack: ExitStack,
        *,
        rewritten: Rewritten,
        beside: Mapping[str, DoomedTree],
        by_record: RowMarks | None = None,
    ) -> None:
        self.order = order
        self.trees = trees
        self.stack = stack
        going = {**trees, **beside}
        self.graph = LiveGraph(database, entities, going)
        self.texts = HolderText(database, entities, self.graph)
        self.going_rows = GoingRows(self.graph.row_sets, going, stack)
        self.references = CatalogReferences(database, entities, self.graph, rewritten, stack)
        self.counts: Counter[tuple[str, LiveForeignKey]] = Counter()
        self.by_record = by_record
        self.takers: dict[tuple[str, Row], Counter[LiveForeignKey]] = defaultdict(Counter)
        self.log = WriteLog()
        #: What is altered, to be counted once it is known which rows go.
        self.altering = self._spool()
        #: The records that are refused, by entity.
        self.refused: dict[str, RowMarks] = defaultdict(
            lambda: stack.enter_context(closing(RowMarks()))
        )

    def refusals(self) -> Iterator[Refusal]:
        """Follow everything; yield the records that something holds."""
        for step in deletion_steps(self.order, self.trees):
            for going in self._doomed(step):
                yield from self._follow(going)
        for going, key in self.altering:
            self._count(going, key)

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
        columns, is_reached = step.tree.columns(step.rows), self._is_reached(place)
        near = [column.name for column, _ in pairs]
        for chunk in step.tree.chunks(step.rows) if is_reached else ():
            keys = columns.values(chunk.rows, [up for _, up in pairs])
            records = dict(zip(keys, chunk.records, strict=True))
            for part in self.graph.referring(place, near, keys):
                going = [records.get(row.near, ()) for row in part]
                rows = [row.needed for row in part]
                yield Going(place, step.tree.root.name, going, rows, is_own=True)

    def _is_reached(self, place: RealPlace) -> bool:
        """Tell whether others may refer to doomed rows of a table: outside rows, or references."""
        relations = map(self.graph.relation_by, self.graph.incoming[place])
        return bool(self.graph.uncovered[place]) or any(
            r in self.references.owners for r in relations
        )

    # What goes along

    def _follow(self, going: Going) -> Iterator[Refusal]:
        """Count what goes along with rows, level by level."""
        level = self._spool()
        level.append(going)
        while level:
            below = self._spool()
            for part in level:
                graph = self.graph
                if part.is_own:
                    yield from self._kept(part)
                keys = (graph.uncovered if part.is_own else graph.incoming)[part.place]
                for key in keys:
                    if key.action == NO_ACTION:
                        yield from self._held(part, key)
                for key in keys:
                    if key.action == CASCADE:
                        for further in self._along(part, key):
                            below.append(further)
                    elif key.action != NO_ACTION:
                        self.altering.append((part, key))
            level.close()
            level = below

    def _spool(self) -> Spool:
        spool = Spool()
        self.stack.callback(spool.close)
        return spool

    def _along(self, going: Going, key: LiveForeignKey) -> Iterator[Going]:
        """Count the rows that one foreign key deletes, and yield them to be followed."""
        if self.graph.stands_alone(key.table):
            self._count(going, key)
            return
        referred = self._referred(going, key)
        for staying in self._counted(going, key, referred):
            self.going_rows.add(key.table, staying)
            if self.graph.incoming[key.table]:
                records = [referred.get(row.near, ()) for row in staying]
                yield Going(key.table, going.entity, records, [row.needed for row in staying])

    def _count(self, going: Going, key: LiveForeignKey) -> None:
        """Count the rows that one foreign key deletes or alters."""
        referred = self._referred(going, key)
        if self.graph.stands_alone(key.table):
            count = self.graph.count(key.table, key.columns, list(referred))
            self.counts[going.entity, key] += count
            if self.by_record is not None:
                examples, width = self.graph.examples(key, list(referred)), len(key.columns)
                along = ((referred.get(row[:width], ()), row[-1]) for row in examples)
                self._note_takers(going.entity, key, along)
        else:
            deque(self._counted(going, key, referred), maxlen=0)

    def _counted(
        self, going: Going, key: LiveForeignKey, referred: Mapping[Row, Row]
    ) -> Iterator[list[ReferringRow]]:
        """Count the rows that one foreign key deletes or alters and that don't go already."""
        for staying in self._staying(key, list(referred)):
            self.counts[going.entity, key] += len(staying)
            self._log(key, staying)
            if self.by_record is not None:
                along = ((referred.get(row.near, ()), 1) for row in staying)
                self._note_takers(going.entity, key, along)
            yield staying

    def _note_takers(
        self, entity: str, key: LiveForeignKey, along: Iterable[tuple[Row, int]]
    ) -> None:
        """Note with which records rows go along, and how many; of most records only that."""
        assert self.by_record is not None
        more: dict[tuple[str, Row], None] = {}
        for record, count in along:
            if (entity, record) in self.takers or len(self.takers) < MOST_PROBLEMS:
                self.takers[entity, record][key] += count
            else:
                more[entity, record] = None
        if more:
            self.by_record.add(more)

    def _referred(self, going: Going, key: LiveForeignKey) -> dict[Row, Row]:
        """Map what a foreign key holds of rows that go to the records that they go with."""
        needed = self.graph.needed(going.place)
        places = [needed.index(name) for name in key.target_columns]
        return {
            tuple(row[place] for place in places): record
            for row, record in zip(going.rows, going.records, strict=True)
        }

    def _staying(self, key: LiveForeignKey, keys: Sequence[Row]) -> Iterator[list[ReferringRow]]:
        """Yield the rows that refer by a foreign key, don't go already, and will still refer."""
        rewritten = self.references.rewritten_rows(key, keys)
        with closing(rewritten or RowMarks()) as marks:
            for part in self.graph.referring(key.table, key.columns, keys):
                staying = self.going_rows.without(key.table, part)
                yield [staying[n] for n in marks.without([row.identity for row in staying])]

    def _log(self, key: LiveForeignKey, rows: Sequence[ReferringRow]) -> None:
        """Count what changes in a table of the catalog: rows, and set foreign keys."""
        columns = self.graph.counted.get(key.table)
        if columns is None:
            return
        if key.action == CASCADE:
            self.log.row_counts[self.graph.own_tables[key.table]] -= len(rows)
        for place, column in enumerate(columns):
            if key.action == CASCADE or column.name in key.columns:
                count = sum(1 for row in rows if row.counted[place] is not None)
                self.log.link_counts[column] -= count

    # What holds

    def _held(self, going: Going, key: LiveForeignKey) -> Iterator[Refusal]:
        """Yield the records whose rows others refer to by a foreign key that holds them."""
        referred = self._referred(going, key)
        holders: dict[Row, Holder] = {}
        for near, holder in self._holders(key, list(referred)).items():
            holders.setdefault(referred.get(near, ()), holder)
        fresh = self._fresh(going.entity, holders)
        root = self.trees[going.entity].root
        is_itself = going.is_own and going.place in map(self.graph.places.get, root.tables)
        place = None if is_itself else going.place
        yield from self.texts.refusals(root, place, key, fresh)

    def _kept(self, going: Going) -> Iterator[Refusal]:
        """Yield the records to which mirrored ones refer that stay."""
        for key in self.graph.incoming[going.place]:
            if self.graph.relation_by(key) in self.graph.covered:
                referred = self._referred(going, key)
                for root, holders in self.references.kept(key, list(referred), self.going_rows):
                    known = {n: holder for n, holder in holders.items() if n in referred}
                    by_record = {referred[near]: holder for near, holder in known.items()}
                    fresh = self._fresh(going.entity, by_record)
                    yield from self.texts.kept(self.trees[going.entity].root, root, key, fresh)

    def _fresh(self, entity: str, holders: Mapping[Row, Holder]) -> dict[Row, Holder]:
        """Return what holds the records that aren't refused yet, and note these."""
        records, refused = list(holders), self.refused[entity]
        fresh = {records[n]: holders[records[n]] for n in refused.without(records)}
        if fresh:
            refused.add(fresh)
        return fresh

    def _holders(self, key: LiveForeignKey, keys: Sequence[Row]) -> dict[Row, Holder]:
        """Return how many rows refer to each key, and one of them."""
        if self.graph.stands_alone(key.table):
            width = len(key.columns)
            rows = self.graph.examples(key, keys)
            return {row[:width]: Holder(row[width:-1], row[-1]) for row in rows}
        holders: dict[Row, Holder] = {}
        for staying in self._staying(key, keys):
            for row in staying:
                other = holders.get(row.near, Holder(row.identity, 0))
                first = min(other.identity, row.identity, key=repr)
                holders[row.near] = Holder(first, other.count + 1)
        return holders
