"""Lookups among all records of an entity: texts by their keys, in a temporary file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lading.scratch.files import database, scratch
from lading.scratch.sort import chunked

#: Rows written to the file at a time.
SLICE = 2_000
#: Keys looked up by one statement, as every SQLite takes them.
KEYS = 500

#: A key's text, what is kept under it, and the number of the record that it comes from.
Entry = tuple[bytes, bytes, int]


class KeyIndex:
    """Keeps texts by key, in the order in which they came; memory doesn't grow with them."""

    @scratch()
    def __init__(self) -> None:
        self.base = database()
        self.base.execute(
            "create table items (number integer primary key, key blob not null unique, "
            "value blob not null, origin integer not null, times integer not null default 1, "
            "other integer)"
        )

    def fill(self, entries: Iterable[Entry]) -> None:
        """Add entries; of those with one key the first is kept."""
        statement = (
            "insert into items (key, value, origin) values (?, ?, ?) "
            "on conflict (key) do update set times = times + 1, other = case "
            "when value <> excluded.value then coalesce(other, excluded.origin) else other end"
        )
        with scratch():
            self.base.execute("begin")
        for part in chunked(entries, SLICE):
            with scratch():
                self.base.executemany(statement, part)
        with scratch():
            self.base.execute("commit")

    @scratch()
    def get(self, key: bytes) -> tuple[bytes, bool] | None:
        """Return what is kept under a key, and whether it came more than once."""
        row = self.base.execute("select value, times from items where key = ?", (key,)).fetchone()
        return None if row is None else (row[0], row[1] > 1)

    @scratch()
    def times(self, key: bytes) -> int:
        """Return how often a key came."""
        row = self.base.execute("select times from items where key = ?", (key,)).fetchone()
        return 0 if row is None else int(row[0])

    @scratch()
    def among(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of some keys under which something is kept."""
        known: set[bytes] = set()
        for start in range(0, len(keys), KEYS):
            part = keys[start : start + KEYS]
            marks = ",".join("?" * len(part))
            rows = self.base.execute(f"select key from items where key in ({marks})", part)
            known.update(key for (key,) in rows)
        return known

    @scratch()
    def beginning(self, start: bytes, limit: int) -> list[bytes]:
        """Return the first of the keys that begin with some bytes, so many at most."""
        rows = self.base.execute(
            "select key from items where key >= ? and key < ? order by key limit ?",
            (start, start + b"\xff", limit),
        )
        return [key for (key,) in rows]

    @scratch()
    def origin(self, number: int) -> int:
        """Return the number of the record that an entry comes from."""
        row: Any = self.base.execute(
            "select origin from items where number = ?", (number,)
        ).fetchone()
        return int(row[0])

    def counts(self) -> Iterator[tuple[bytes, int]]:
        """Yield each key with the number of times that it came."""
        yield from self._rows("select key, times from items")

    def clashes(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield the keys under which another text came later, and both records: first and other."""
        yield from self._rows(
            "select key, origin, other from items where other is not null order by number"
        )

    @scratch()
    def forget(self, origin: int) -> None:
        """Forget what came from a record or later ones, if records came in their order."""
        self.base.execute("delete from items where origin >= ?", (origin,))
        self.base.execute("update items set other = null where other >= ?", (origin,))

    def _rows(self, statement: str) -> Iterator[Any]:
        with scratch():
            cursor = self.base.execute(statement)
        while True:
            with scratch():
                rows = cursor.fetchmany(SLICE)
            if not rows:
                return
            yield from rows

    @scratch()
    def __len__(self) -> int:
        return int(self.base.execute("select count(*) from items").fetchone()[0])

    def values(self, size: int) -> Iterator[list[bytes]]:
        """Yield what is kept, in the order in which it came, so many at a time."""
        last = 0
        while True:
            with scratch():
                rows = self.base.execute(
                    "select number, value from items where number > ? order by number limit ?",
                    (last, size),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [value for _, value in rows]

    def close(self) -> None:
        """Give the file back."""
        self.base.close()
