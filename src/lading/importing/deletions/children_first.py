"""The order in which rows go that must refer to rows of their own table: children first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.database.row_changes import set_among
from lading.importing.deletions.doomed_tree import DoomedChunk, DoomedColumns, DoomedTree
from lading.model.rowsets import Reference, RowSet
from lading.scratch.spool import Spool


class ChildrenFirst:
    """Yields the doomed rows of one row set so that each follows the rows that refer to it.

    A chunk is asked which of its rows others still refer to; these wait for the next pass,
    which runs the other way: ids mostly rise or fall with the depth of a tree.
    """

    def __init__(self, database: Database, rows: RowSet, references: Sequence[Reference]) -> None:
        self.database = database
        self.rows = rows
        self.columns = database.dialect.once(DoomedColumns, rows)
        self.referrers = [Referrers(database, rows, reference) for reference in references]

    def chunks(self, tree: DoomedTree) -> Iterator[DoomedChunk]:
        """Yield chunks to be deleted each before the next one is asked for."""
        with ExitStack() as stack:
            pile = _Pile(stack)
            for chunk in tree.chunks(self.rows):
                pile.add(chunk)
            is_moving = True
            while pile.count and is_moving:
                waiting = _Pile(stack)
                yield from self._pass(pile, waiting)
                pile.spool.close()
                is_moving = waiting.count < pile.count
                pile = waiting
            yield from pile.backwards()  # circles, and what others hold

    def _pass(self, pile: _Pile, waiting: _Pile) -> Iterator[DoomedChunk]:
        """Yield what may go, and keep what must wait."""
        for chunk in pile.backwards():
            layers, blocked = self._layers(chunk)
            for places in layers:
                yield chunk.at(places)
            waiting.add(chunk.at(blocked))

    def _layers(self, chunk: DoomedChunk) -> tuple[list[list[int]], list[int]]:
        """Return the places of rows that may go, lowest first, and of those that must wait."""
        above: dict[int, list[int]] = defaultdict(list)
        waits: Counter[int] = Counter()
        for referrers in self.referrers:
            parents, outside = referrers.of(self.columns, chunk)
            waits.update(outside)
            for place, parent in parents:
                above[place].append(parent)
                waits[parent] += 1
        layers = []
        layer = [place for place in range(len(chunk)) if not waits[place]]
        gone: set[int] = set()
        while layer:
            layers.append(layer)
            gone.update(layer)
            freed = []
            for place in layer:
                for parent in above[place]:
                    waits[parent] -= 1
                    if not waits[parent]:
                        freed.append(parent)
            layer = freed
        return layers, [place for place in range(len(chunk)) if place not in gone]


class Referrers:
    """Which rows of a table refer to rows of a chunk by one reference."""

    def __init__(self, database: Database, rows: RowSet, reference: Reference) -> None:
        self.database = database
        self.near = reference.columns
        self.far = [rows.in_base(column) for column in reference.remote]
        self.names = database.dialect.qualified(self.near)
        counted = sa.select(*self.near, sa.func.count()).select_from(self.near[0].table)
        self.sql = database.dialect.text_of(counted)
        self.grouping = f" GROUP BY {', '.join(self.names)}"

    def of(
        self, columns: DoomedColumns, chunk: DoomedChunk
    ) -> tuple[list[tuple[int, int]], Counter[int]]:
        """Return the pairs of a row and its parent within a chunk, and who else refers to it.

        A row that refers to itself waits for nothing.
        """
        keys = columns.values(chunk.rows, self.far)
        places = {key: place for place, key in enumerate(keys)}
        parents = [
            (place, places[key])
            for place, key in enumerate(columns.values(chunk.rows, self.near))
            if key in places
        ]
        counts = rows_among(
            self.database, self.sql, self.near, self.names, keys, tail=self.grouping
        )
        outside = Counter({places[row[:-1]]: row[-1] for row in map(tuple, counts)})
        outside.subtract(parent for _, parent in parents)
        return [pair for pair in parents if pair[0] != pair[1]], +outside


class _Pile:
    """Chunks on disk that are read from the last one to the first."""

    def __init__(self, stack: ExitStack) -> None:
        self.spool = Spool()
        stack.callback(self.spool.close)
        self.places: list[int] = []
        self.count = 0

    def add(self, chunk: DoomedChunk) -> None:
        self.count += len(chunk)
        if len(chunk):
            self.places.append(self.spool.append(chunk))

    def backwards(self) -> Iterator[DoomedChunk]:
        yield from (self.spool.at(place) for place in reversed(self.places))


class Turning:
    """Turns rows that refer to rows of their own chunk to a row that stays there meanwhile.

    A row that refers to itself can't be deleted on MariaDB, nor can one of a circle.
    """

    def __init__(self, columns: DoomedColumns, rows: RowSet, reference: Reference) -> None:
        self.columns = columns
        self.rows = rows
        self.table = reference.columns[0].table
        self.near = reference.columns
        self.far = [rows.in_base(column) for column in reference.remote]

    def run(self, database: Database, chunk: DoomedChunk) -> None:
        """Turn the rows of a chunk; without a row beside them the database decides."""
        targets = set(self.columns.values(chunk.rows, self.far))
        near = self.columns.values(chunk.rows, self.near)
        tied = [row for row, key in zip(chunk.rows, near, strict=True) if key in targets]
        if not tied:
            return
        sql = database.dialect.text_of(sa.select(*self.far))
        rows = map(tuple, database.fetch(f"{sql} LIMIT {len(targets) + 1}"))
        beside = next((row for row in rows if row not in targets), None)
        if beside is not None:
            keys = self.columns.identities(tied)
            identity = self.rows.identity_in(self.table)
            set_among(
                database, self.table, identity, keys, dict(zip(self.near, beside, strict=True))
            )
