"""Batches whose references are resolved, ready to be inserted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch


@dataclass(slots=True)
class ResolvedBatch:
    """A batch with its foreign keys' values, by member and row (``None`` for a null).

    ``owner_values`` are what the owners of owned rows give to each, ``ids`` the generated ids
    of rows that have theirs already.
    """

    batch: Batch
    foreign: dict[str, list[Row | None]] = field(default_factory=dict)
    links: dict[str, list[list[Row]]] = field(default_factory=dict)
    children: dict[str, ResolvedBatch] = field(default_factory=dict)
    owner_values: list[Row] = field(default_factory=list)
    ids: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, part: slice) -> ResolvedBatch:
        return self.take(range(len(self))[part])

    def take(self, places: Sequence[int]) -> ResolvedBatch:
        """Return the rows at some places, with what they nest."""
        if list(places) == list(range(len(self))):
            return self
        chosen = set(places)
        children = {}
        for name, nested in self.children.items():
            owners = self.batch.children[name].owners
            children[name] = nested.take([n for n, owner in enumerate(owners) if owner in chosen])
        return ResolvedBatch(
            self.batch.take(places),
            {name: [rows[place] for place in places] for name, rows in self.foreign.items()},
            {name: [rows[place] for place in places] for name, rows in self.links.items()},
            children,
            [self.owner_values[place] for place in places] if self.owner_values else [],
            None if self.ids is None else [self.ids[place] for place in places],
        )

    def without(self, numbers: set[int]) -> ResolvedBatch:
        """Return the rows whose records aren't among these."""
        if not numbers:
            return self
        return self.take(
            [n for n, number in enumerate(self.batch.numbers) if number not in numbers]
        )
