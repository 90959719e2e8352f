"""Remembers rows that were just inserted, because those that refer to them are often the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lading.database.dialects.base import Row
from lading.database.lookup import keys_at
from lading.records.layout import Key

#: How many rows are remembered at least.
RECENT = 10_000


class RecentRows:
    """What one self reference finds of the rows that were inserted last.

    ``places`` are those of the columns referred to in a full row.
    """

    def __init__(self, places: list[int]) -> None:
        self.places = places
        self.newer: dict[Key, Row] = {}
        self.older: dict[Key, Row] = {}

    def add(self, keys: Sequence[Key], rows: Sequence[Row]) -> None:
        """Remember rows by their keys, and forget the oldest if there are many."""
        if len(self.newer) >= RECENT:
            self.newer, self.older = {}, self.newer
        self.newer.update(zip(keys, keys_at(rows, self.places), strict=True))

    def find(self, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys of rows that are remembered to the columns referred to."""
        rows_by_key: dict[Key, Row] = {}
        for key in set(keys):
            row = self.newer.get(key) or self.older.get(key)  # type: ignore[arg-type]
            if row is not None:
                rows_by_key[key] = row  # type: ignore[index]
        return rows_by_key
