"""Resolvers that find keys in mappings, for what decides by what they find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.resolved_keys import AMBIGUOUS
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.layout import Key


class FakeResolver:
    """Finds what ``found`` maps keys to; ``asked`` lists what was looked up.

    ``is_small`` says whether the target is one that is read whole.
    """

    def __init__(
        self,
        target: RowSet,
        parts: tuple[Value | Reference, ...],
        found: dict[Key, Row],
        *,
        is_small: bool = False,
        near: str | None = None,
    ) -> None:
        self.target = target
        self.parts = parts
        self.found = found
        self.is_small = is_small
        self.near = near
        self.asked: list[set[Key]] = []
        self.forgotten: list[bool] = []

    def find(self, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Return what is found of keys; of a small target, everything."""
        return self.found if self.is_small else self.lookup({key for key in keys if key})

    def all_rows(self) -> dict[Key, Row] | None:
        """Return everything, of a small target."""
        return self.found if self.is_small else None

    def lookup(self, wanted: set[Key]) -> dict[Key, Row]:
        """Return what is found of keys, and note that they were asked for."""
        self.asked.append(wanted)
        return {key: self.found[key] for key in wanted if key in self.found}

    def forget(self, *, growing: bool = False) -> None:
        """Note it."""
        self.forgotten.append(growing)

    def unclear(self, key: Key) -> Key:
        """Return the key itself."""
        return key

    def nearest(self, _key: Key, _others: Any = ()) -> str | None:
        """Return what was said to be nearest."""
        return self.near

    def alike(self, _key: Key) -> list[Key]:
        """Return no keys."""
        return []


class FakeResolvers:
    """One resolver for each target, by the name of its row set."""

    def __init__(self, found: dict[str, dict[Key, Row]], near: str | None = None) -> None:
        self.found = found
        self.near = near

    def of(self, reference: Reference) -> Any:
        """Return what resolves a reference."""
        target = reference.target
        rows = self.found.get(target.name, {})
        return FakeResolver(target, reference.parts, rows, near=self.near)

    def by_key(self, rows: RowSet) -> Any:
        """Return what finds an entity's own rows."""
        return FakeResolver(rows, rows.key, self.found.get(rows.name, {}))

    def nearest(self, resolver: FakeResolver, key: Key, _others: Any = tuple) -> str | None:
        """Describe the nearest key."""
        return resolver.nearest(key)


__all__ = ["AMBIGUOUS", "FakeResolver", "FakeResolvers"]
