"""Finds the rows that have given recursive keys, level by level from the roots.

One query per chunk, level and pattern of nulls; a level that is in memory costs none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from lading.database.dialects.base import Row
from lading.importing.resolved_keys import AMBIGUOUS, KeyResolver
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.describe import described
from lading.records.layout import Key

#: How many rows are remembered: usually more than all levels of a chunk's keys.
REMEMBERED = 20_000


class RecursiveResolver:
    """Finds rows by recursive keys, with a resolver of single levels.

    The resolver of a level takes the foreign key's raw value for the level above; of each row
    it returns the columns that such a foreign key refers to, and then the remote columns.
    """

    def __init__(self, level: KeyResolver) -> None:
        self.level = level
        own = recurring(level.parts)
        assert own is not None
        self.place = level.parts.index(own)
        self.width = len(own.remote)
        self.whole: dict[Key, Row] | None = None
        self.has_duplicates = False
        self.remembered: dict[Key, Row] = {}

    @property
    def parts(self) -> tuple[Value | Reference, ...]:
        """The members that make up one level of the key."""
        return self.level.parts

    @property
    def target(self) -> RowSet:
        """The row set whose rows are found."""
        return self.level.target

    def find(self, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys that exist to the remote columns' values, as ``Resolver.find`` does."""
        whole = self.all_rows()
        if whole is not None:
            return whole
        return self.lookup({key for key in keys if key is not None})

    def forget(self, *, growing: bool = False) -> None:
        """Drop the whole of a small table; rows that were found one by one are still there."""
        self.level.forget(growing=growing)
        self.whole, self.has_duplicates = None, False

    # Small targets, read once

    def all_rows(self) -> dict[Key, Row] | None:
        """Return all rows of a small target; rows that are their own ancestors have no key."""
        if self.whole is None and not self.has_duplicates:
            levels = self.level.all_rows()
            if levels is None:
                return None
            # Rows below an ambiguous key can't be assigned to it, so each key is looked up.
            self.has_duplicates = any(row is AMBIGUOUS for row in levels.values())
            if not self.has_duplicates:
                self.whole = self._joined(levels)
        return self.whole

    def _joined(self, levels: dict[Key, Row]) -> dict[Key, Row]:
        below: dict[Row | None, list[tuple[Key, Row]]] = defaultdict(list)
        for level_key, row in levels.items():
            level = (*level_key[: self.place], *level_key[self.place + 1 :])
            below[level_key[self.place]].append((level, row))
        rows: dict[Key, Row] = {}
        open_: list[tuple[Row | None, Key]] = [(None, ())]
        while open_:
            foreign, above = open_.pop()
            for level, row in below.get(foreign, ()):
                key = (*above, level)
                if self._is_of_class(row):
                    rows[key] = row[self.width :]
                if None not in row[: self.width]:
                    open_.append((row[: self.width], key))
        return rows

    # Large ones, by chunk

    def lookup(self, wanted: set[Key]) -> dict[Key, Row]:
        """Look keys up, each level once however many of them share it."""
        steps: dict[tuple[int, Key], int] = {}
        depths: list[list[tuple[int, int, Key]]] = []
        ends: dict[Key, int] = {}
        for key in wanted:
            at = -1
            for depth, level in enumerate(key):
                step = (at, level)
                node = steps.get(step)
                if node is None:
                    node = steps[step] = len(steps)
                    if depth == len(depths):
                        depths.append([])
                    depths[depth].append((node, at, level))
                at = node
            ends[key] = at
        rows: dict[int, Row] = {}
        for nodes in depths:
            self._descend(nodes, rows)
        return {
            key: rows[end] if rows[end] is AMBIGUOUS else rows[end][self.width :]
            for key, end in ends.items()
            if end in rows and self._is_of_class(rows[end])
        }

    def _is_of_class(self, row: Row) -> bool:
        """Tell whether a row has the remote columns, which may be those of a subclass's table."""
        return None not in row[self.width :]

    def _descend(self, nodes: list[tuple[int, int, Key]], rows: dict[int, Row]) -> None:
        """Find the rows of one level, given those of the level above."""
        nodes_by_key: dict[Key, int] = {}
        for node, at, level in nodes:
            above = None
            if at >= 0:
                row = rows.get(at)
                if row is AMBIGUOUS:
                    rows[node] = AMBIGUOUS
                if row is None or row is AMBIGUOUS or None in row[: self.width]:
                    continue
                above = row[: self.width]
            nodes_by_key[(*level[: self.place], above, *level[self.place :])] = node
        unknown = {key for key in nodes_by_key if key not in self.remembered}
        rows_by_key = self.level.lookup(unknown) if unknown else {}
        for key, node in nodes_by_key.items():
            row = self.remembered.get(key) or rows_by_key.get(key)
            if row is not None:
                rows[node] = row
        if len(self.remembered) + len(rows_by_key) > REMEMBERED:
            self.remembered.clear()
        self.remembered.update(
            (key, row) for key, row in rows_by_key.items() if row is not AMBIGUOUS
        )

    # Help for errors

    def unclear(self, key: Key) -> Key:
        """Return the highest level of a key that several rows have."""
        above = [key[:end] for end in range(1, len(key) + 1)]
        rows = self.find(above)
        return next((upper for upper in above if rows.get(upper) is AMBIGUOUS), key)

    def nearest(self, key: Key, others: Iterable[Key] = ()) -> str | None:
        """Describe the lowest level above a key that exists, or that others have."""
        above = [key[:end] for end in range(len(key) - 1, 0, -1)]
        known = {*self.find(above), *others}
        for upper in above:
            if upper in known:
                return described(self.level.parts, upper)
        return None

    def alike(self, keys: Collection[Key]) -> dict[Key, tuple[Key, Row]]:
        """Return nothing: recursive keys aren't compared by the database's collations."""
        del keys
        return {}
