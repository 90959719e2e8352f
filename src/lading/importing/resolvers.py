"""The resolvers of one import, by what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.importing.recursive_resolver import RecursiveResolver
from lading.importing.resolved_keys import KeyResolver
from lading.importing.resolver import Resolver
from lading.importing.unique_sets import UniqueMembers
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.layout import Key

#: For how many missing keys the nearest key is looked up, which is slow.
HINTS = 20


class Resolvers:
    """The resolvers of one import, shared by all references to the same key."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.by_target: dict[Any, KeyResolver] = {}
        self.hints = HINTS

    def of(self, reference: Reference) -> KeyResolver:
        """Return what resolves a reference."""
        return self.by(reference.target, reference.parts, reference.remote)

    def by_key(self, rows: RowSet) -> KeyResolver:
        """Return the resolver of an entity's natural keys to primary keys."""
        return self.by(rows, rows.key, rows.identity)

    def by(self, rows: RowSet, parts: Any, remote: Any) -> KeyResolver:
        """Return the resolver of keys of any members to the values of some columns."""
        key = (rows.table, parts, remote)
        if key not in self.by_target:
            self.by_target[key] = self._resolver(rows, parts, remote)
        return self.by_target[key]

    def of_unique(self, unique: UniqueMembers) -> KeyResolver:
        """Return the resolver of unique values to primary keys, of the rows that must differ."""
        rows, condition = unique.rows, unique.condition
        if condition is None:
            return self.by(rows, unique.parts, rows.identity)
        key = (rows.table, unique.parts, condition.sql)
        if key not in self.by_target:
            inner = {part: self.of(part) for part in unique.parts if isinstance(part, Reference)}
            tail = condition.of_stored(self.database, rows)
            self.by_target[key] = Resolver(
                self.database, rows, unique.parts, rows.identity, inner, condition=tail
            )
        return self.by_target[key]

    def _resolver(
        self, rows: RowSet, parts: tuple[Value | Reference, ...], remote: Any
    ) -> KeyResolver:
        own = recurring(parts)
        inner = {
            part: self.of(part) for part in parts if isinstance(part, Reference) and part is not own
        }
        if own is None:
            return Resolver(self.database, rows, parts, remote, inner)
        return RecursiveResolver(
            Resolver(self.database, rows, parts, (*own.remote, *remote), inner)
        )

    def nearest(
        self, resolver: KeyResolver, key: Key, others: Callable[[], Iterable[Key]] = tuple
    ) -> str | None:
        """Describe the key most like a missing one, for the first of those missing.

        Args:
            resolver: what looked for it.
            key: the missing key.
            others: returns keys beside those of the rows that exist.
        """
        self.hints -= 1
        return resolver.nearest(key, others()) if self.hints >= 0 else None

    def changed(self, table: sa.Table, *, growing: bool = False) -> None:
        """Forget what was read of a table; ``growing`` says that more rows are on their way."""
        for resolver in self.by_target.values():
            if resolver.target.table is table:
                resolver.forget(growing=growing)
