"""What the drawn rows of a table must not share: its primary key, unique sets, natural keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from support.drawn.kinds import Taste
from support.drawn.spec import Column, Row, Table


class Uniques:
    """What one table's rows must not share."""

    def __init__(self, table: Table, taste: Taste, keys: Iterable[tuple[Column, ...]]) -> None:
        self.taste = taste
        self.groups: list[tuple[tuple[str, ...], str | None, bool]] = [
            (tuple(c.name for c in table.key), None, False)
        ]
        for unique in table.uniques:
            where = unique.where.name if unique.where is not None else None
            names = tuple(column.name for column in unique.columns)
            # MariaDB has no partial indexes, and makes whole ones of them.
            where = None if taste.dialect == "mariadb" else where
            self.groups.append((names, where, unique.nulls_equal))
        self.groups += [(tuple(c.name for c in key), None, True) for key in keys if key]
        #: A key that names a reference holds nothing of one that is partly null.
        self.whole = [
            tuple(c.name for c in fk.columns) for fk in table.foreign_keys if len(fk.columns) > 1
        ]
        self.seen: list[set[Any]] = [set() for _ in self.groups]

    def keys_of(self, row: Row) -> list[Any]:
        """Return what each unique set holds of a row; ``None`` where it says nothing."""
        found: list[Any] = []
        for names, where, nulls_equal in self.groups:
            lost = self._partly_null(row) if nulls_equal else set()
            values = tuple(repr(None if name in lost else row.get(name)) for name in names)
            null = any(row.get(name) is None for name in names) and not nulls_equal
            void = where is not None and row[where] is None
            found.append(None if null or void else values)
        return found

    def _partly_null(self, row: Row) -> set[str]:
        """Return the columns of composite references that are null in part."""
        null = [names for names in self.whole if any(row.get(name) is None for name in names)]
        return {name for names in null for name in names}

    def take(self, row: Row) -> bool:
        """Add a row, unless it shares what it mustn't."""
        keys = self.keys_of(row)
        pairs = list(zip(keys, self.seen, strict=True))
        if any(key is not None and key in seen for key, seen in pairs):
            return False
        for key, seen in pairs:
            seen.add(key)
        return True

    def drop(self, row: Row) -> None:
        """Take a row out again."""
        for key, seen in zip(self.keys_of(row), self.seen, strict=True):
            seen.discard(key)
