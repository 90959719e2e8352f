"""Which records an export takes: everything, some entities, filtered ones, and their closure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.exporting.query import having_row_in, is_set, joined_to_owner
from lading.model.entities import Entities
from lading.model.rowsets import Reference, RowSet, references_of

SLICE = 2_000


class Scope:
    """The entities and rows that one export takes.

    ``names`` are the entities to write, ``where`` has the conditions of some of them, and
    ``closure`` adds the records that exported records refer to.  With a closure,
    ``identities`` holds the primary keys of the exported rows (not the rows) of each entity
    that isn't exported whole.
    """

    def __init__(
        self,
        entities: Entities,
        names: Collection[str],
        where: Mapping[str, sa.ColumnElement[bool]],
        *,
        closure: bool = False,
    ) -> None:
        self.entities = entities
        self.names = set(names)
        self.where = where
        self.closure = closure
        self.identities: dict[str, set[Row]] = {}
        #: How many records of each entity the closure takes although ``where`` leaves them out.
        self.brought_back: dict[str, int] = {}

    @property
    def is_partial(self) -> bool:
        """True if anything of the catalog's may be missing."""
        return bool(self.where or self.identities) or self.names != set(self.entities.roots)

    def is_whole(self, name: str) -> bool:
        """Tell whether every row of an entity is taken."""
        return name in self.names and name not in self.where and name not in self.identities

    def resolve(self, database: Database) -> None:
        """Compute the closure, if one is wanted; entities that it reaches are written as well."""
        if self.closure and self.is_partial:
            _Closure(self, database).run()
            self.names |= {name for name, rows in self.identities.items() if rows}

    def leaving(self, database: Database, rows: RowSet, reference: Reference, count: int) -> int:
        """Count the links of a reference that point to rows outside of the export.

        Args:
            database: the database that is exported.
            rows: the row set that has the reference.
            reference: the reference whose links are counted.
            count: how many links the exported records have by it.

        Returns:
            The number of links; a closure, or a target that is exported whole, leaves none.
        """
        target = reference.target
        name = next((r.entity for r in self.entities.all_rows() if r.table is target.table), None)
        if name is None or self.closure or self.is_whole(name):
            return 0
        if name not in self.names:
            return count
        inside = (
            sa.select(*reference.remote)
            .select_from(having_row_in(target, reference.remote))
            .where(self._condition(name, target))
            .correlate(None)
        )
        foreign = (
            sa.tuple_(*reference.columns) if len(reference.columns) > 1 else reference.columns[0]
        )
        statement = (
            sa.select(sa.func.count())
            .select_from(chain(rows, reference.columns[0].table))
            .where(is_set(reference, reference.columns[0].table), foreign.not_in(inside))
        )
        condition = self.where.get(rows.entity)
        if condition is not None:
            statement = statement.where(condition)
        return int(database.connection.execute(statement).scalar_one())

    def _condition(self, name: str, target: RowSet) -> Any:
        if self.entities[name].table is target.table:
            return self.where[name]
        return sa.true()


def chain(rows: RowSet, table: Any) -> Any:
    """Join one of a row set's tables up to the entity's own, whose conditions and ids select."""
    joined: Any = table
    extension = rows.extension_of(table)
    if extension is not None:
        joined = joined.join(rows.table, sa.and_(*(own == base for own, base in extension.pairs)))
    elif table is not rows.table:
        pairs = next(links.local for links in rows.links if links.table is table)
        joined = joined_to_owner(joined, rows, pairs)
    while rows.parent is not None:
        above = rows.parent
        pairs = next(child.pairs for child in above.children if child.rows is rows)
        joined = joined_to_owner(joined, above, pairs)
        rows = above
    return joined


class _Closure:
    """Follows references from exported rows until it reaches no new rows."""

    def __init__(self, scope: Scope, database: Database) -> None:
        self.scope = scope
        self.database = database
        self.entities = scope.entities

    def run(self) -> None:
        pending: dict[str, set[Row] | None] = {}
        for name in self.entities.roots:
            if self.scope.is_whole(name):
                pending[name] = None
            else:
                self.scope.identities[name] = self._filtered(name)
                pending[name] = set(self.scope.identities[name])
        filtered = {name: len(self.scope.identities[name]) for name in self.scope.where}
        while pending:
            name, fresh = pending.popitem()
            for _, rows, reference in references_of(self.entities[name]):
                for target, added in self._reached(rows, reference, fresh):
                    reached = pending.setdefault(target, set())
                    assert reached is not None
                    reached |= added
        grown = {name: len(self.scope.identities[name]) - count for name, count in filtered.items()}
        self.scope.brought_back = {name: count for name, count in grown.items() if count}

    def _filtered(self, name: str) -> set[Row]:
        if name not in self.scope.names:
            return set()
        rows = self.entities[name]
        statement = sa.select(*rows.identity).where(self.scope.where[name])
        return {row for part in self.database.stream(statement, SLICE) for row in map(tuple, part)}

    def _reached(
        self, rows: RowSet, reference: Reference, fresh: set[Row] | None
    ) -> Iterator[tuple[str, set[Row]]]:
        """Add the rows that a reference of fresh rows points to."""
        for root, owner in self._owners(reference.target):
            if self.scope.is_whole(root.name):
                continue
            targets = self._targets(rows, reference, fresh)
            reached = self._identities(root, owner, reference, targets)
            added = reached - self.scope.identities[root.name]
            if added:
                self.scope.identities[root.name] |= added
                yield root.name, added

    def _owners(self, target: RowSet) -> Iterator[tuple[RowSet, RowSet]]:
        for root in self.entities.roots.values():
            for rows in root.tree():
                if rows.table is target.table:
                    yield root, rows

    def _targets(self, rows: RowSet, reference: Reference, fresh: set[Row] | None) -> list[Row]:
        """Return the foreign keys' values of fresh rows (of all rows, for None)."""
        statement = (
            sa.select(*reference.columns)
            .distinct()
            .select_from(chain(rows, reference.columns[0].table))
        )
        statement = statement.correlate(None)
        sql = self.database.dialect.text_of(statement)
        if fresh is None:
            return [row for row in map(tuple, self.database.fetch(sql)) if None not in row]
        root = self.entities[rows.entity]
        return self._among(sql, root, root.identity, fresh)

    def _identities(
        self, root: RowSet, owner: RowSet, reference: Reference, targets: list[Row]
    ) -> set[Row]:
        """Return the primary keys of the records that hold the rows referred to."""
        joined = having_row_in(owner, reference.remote)
        rows = owner
        while rows.parent is not None:
            above = rows.parent
            pairs = next(child.pairs for child in above.children if child.rows is rows)
            joined = joined_to_owner(joined, above, pairs)
            rows = above
        sql = self.database.dialect.text_of(sa.select(*root.identity).select_from(joined))
        return set(self._among(sql, owner, reference.remote, targets))

    def _among(self, sql: str, rows: RowSet, columns: Any, keys: Collection[Row]) -> list[Row]:
        names = self.database.dialect.qualified(columns)
        values = rows_among(self.database, sql, columns, names, list(keys))
        return [row for row in map(tuple, values) if None not in row]
