"""The tables that a row set's columns come from, joined by as many statements as that takes.

SQLite joins at most 64 tables and MariaDB 61, so an entity with many references has parts:
the first statement reads its rows, and each further one, for the rows at hand, the
columns of more joined tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from lading.model.rowsets import Extension, Reference, RowSet

#: The most tables that a statement joins, which leaves room for those of conditions and lookups.
MOST_TABLES = 50

#: Returns the condition that a foreign key's column holds the value that it refers to.
Same = Callable[[Any, Any], sa.ColumnElement[bool]]


class Joins:
    """Tables joined to one table, in parts of at most ``MOST_TABLES`` each."""

    def __init__(self, table: Any, same: Same) -> None:
        self.table = table
        self.same = same
        self.parts: list[sa.FromClause] = [table]
        self.counts = [1]
        #: The part that the columns of a table or alias are read in.
        self.homes: dict[Any, int] = {table: 0}
        self._extensions: dict[Any, Extension] = {}
        self._origins: dict[Any, tuple[Reference, Any]] = {}
        self._joined: dict[tuple[int, Any], Any] = {}

    def extend(self, rows: RowSet) -> None:
        """Join the tables that the row set's subclasses add, each under its own name."""
        for extension in rows.extensions:
            self._extensions[extension.table] = extension
            part = self._part_with_room(self.table, 1)
            self.homes[extension.table] = part
            self._again(extension.table, part)

    def target(self, reference: Reference, source: Any) -> Any:
        """Join a reference's target once, under a name of its own, and return that."""
        known = (-1, (source, reference.columns))
        if known not in self._joined:
            is_extension = reference.target.extension_of(reference.remote[0].table) is not None
            part = self._part_with_room(source, 1 + is_extension)
            target = self._join(part, reference, self._again(source, part))
            self.homes[target] = part
            self._origins[target] = (reference, source)
            self._joined[known] = target
        return self._joined[known]

    def _part_with_room(self, source: Any, tables: int) -> int:
        """Return where to join more to a source: with it, in the last part, or in a new one."""
        home = self.homes[source]
        if self.counts[home] + tables <= MOST_TABLES:
            return home
        if self.counts[-1] + tables + self._depth(source) > MOST_TABLES:
            self.parts.append(self.table)
            self.counts.append(1)
        return len(self.parts) - 1

    def _depth(self, source: Any) -> int:
        """Return the most tables that lead from the first one to a source."""
        depth = 1
        while source in self._origins:
            source = self._origins[source][1]
            depth += 2
        return depth

    def _again(self, source: Any, part: int) -> Any:
        """Return a source as a part has it, and join it there if it isn't yet."""
        known = (part, source)
        if source is self.table or (self.homes[source] == part and source in self._origins):
            return source
        if known not in self._joined:
            if source in self._extensions:
                match = (self.same(own, base) for own, base in self._extensions[source].pairs)
                self._outer(part, source, list(match))
                self._joined[known] = source
            else:
                reference, origin = self._origins[source]
                self._joined[known] = self._join(part, reference, self._again(origin, part))
        return self._joined[known]

    def _join(self, part: int, reference: Reference, source: Any) -> Any:
        """Join a reference's target under a new name."""
        # No application names a table so; SQLAlchemy's own anonymous names may be taken.
        name = f"_lading_{sum(self.counts)}"
        far = target = reference.target.table.alias(name)
        extension = reference.target.extension_of(reference.remote[0].table)
        if extension is not None:
            far = extension.table.alias(f"{name}_own")
        pairs = zip(reference.columns, reference.remote, strict=True)
        match = [self.same(source.c[local.key], far.c[remote.key]) for local, remote in pairs]
        self._outer(part, far, match)
        if extension is not None:
            up = [self.same(far.c[own.key], target.c[base.key]) for own, base in extension.pairs]
            self._outer(part, target, up)
        return target

    def _outer(self, part: int, table: Any, match: list[sa.ColumnElement[bool]]) -> None:
        self.parts[part] = self.parts[part].outerjoin(table, sa.and_(*match))
        self.counts[part] += 1
