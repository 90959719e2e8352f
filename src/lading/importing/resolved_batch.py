"""Batches whose references are resolved, and what inserting them leaves for later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.model.rowsets import Column, Reference

#: Rows of one insert; a chunk of records may nest many more.
ROWS = 5_000


@dataclass(slots=True)
class ResolvedBatch:
    """A batch with its foreign keys' values, by member and row (``None`` for a null)."""

    batch: Batch
    foreign: dict[str, list[Row | None]] = field(default_factory=dict)
    links: dict[str, list[list[Row]]] = field(default_factory=dict)
    children: dict[str, ResolvedBatch] = field(default_factory=dict)

    def take(self, places: Sequence[int]) -> ResolvedBatch:
        """Return the rows at some places, with what they nest."""
        if list(places) == list(range(len(self.batch))):
            return self
        chosen = set(places)
        children = {}
        for name, nested in self.children.items():
            owners = self.batch.children[name].owners
            kept = [n for n, owner in enumerate(owners) if owner in chosen]
            children[name] = nested.take(kept)
        return ResolvedBatch(
            self.batch.take(places),
            {name: [rows[place] for place in places] for name, rows in self.foreign.items()},
            {name: [rows[place] for place in places] for name, rows in self.links.items()},
            children,
        )


@dataclass(slots=True)
class Update:
    """A reference to be set later: of which record and row, and to what key.

    ``own`` is the row's own key; ``shared`` are the values that the row's other members give
    to the reference's columns, ``carried`` the keys of deferred references that will give
    them.
    """

    number: int
    identity: Row
    key: Any
    own: Any
    shared: Row
    carried: tuple[Any, ...]


#: A row's record, the key that it refers to, and its own key.
Followed = tuple[int, Any, Any]


@dataclass(slots=True)
class Later:
    """What an insert wrote, and what it leaves for later.

    ``updates`` maps (row set, reference) to lists of ``Update``, and ``followed`` those of
    them that were set with their rows to what each follows, should that turn out bad; ``late``
    maps a late node to its items: (batch, owners' values) for owned rows,
    (number, owner's values, keys) for links.
    """

    updates: dict[tuple[str, str], list[Update]] = field(default_factory=dict)
    followed: dict[tuple[str, str], list[Followed]] = field(default_factory=dict)
    late: dict[str, list[Any]] = field(default_factory=dict)
    written: dict[sa.Table, int] = field(default_factory=dict)
    linked: dict[Column, int] = field(default_factory=dict)

    def set_links(self, reference: Reference, count: int) -> None:
        """Count foreign keys that were set."""
        for column in reference.own[:1]:
            self.linked[column] = self.linked.get(column, 0) + count

    def wrote(self, table: sa.Table, count: int) -> None:
        """Count inserted rows of a table."""
        self.written[table] = self.written.get(table, 0) + count
