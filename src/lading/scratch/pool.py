"""Items that wait on disk to be taken by a key, each once."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from lading.scratch.files import scratch


class Pool:
    """Keeps items in groups, by keys that several may share; memory doesn't grow with them."""

    @scratch()
    def __init__(self) -> None:
        # Without a name SQLite keeps it in a file of its own that nobody else sees, if it is large.
        self.base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.base.execute("pragma journal_mode = off")
        self.base.execute("pragma synchronous = off")
        self.base.execute(
            "create table items (place integer primary key, name text not null, key blob, "
            "item blob not null)"
        )
        self.base.execute("create index by_key on items (name, key)")
        self.base.execute("begin")

    @scratch()
    def add(self, name: str, key: bytes | None, element: Any) -> None:
        """Keep an item of a group; one without a key can't be taken."""
        text = pickle.dumps(element, pickle.HIGHEST_PROTOCOL)
        self.base.execute("insert into items (name, key, item) values (?, ?, ?)", (name, key, text))

    @scratch()
    def take(self, name: str, key: bytes | None) -> Any:
        """Return the first item of a group with a key, and keep it no more; else ``None``."""
        match = self.base.execute(
            "select place, item from items where name = ? and key = ? order by place limit 1",
            (name, key),
        ).fetchone()
        if match is None:
            return None
        self.base.execute("delete from items where place = ?", (match[0],))
        return pickle.loads(match[1])  # noqa: S301 - our own unlinked file

    @scratch()
    def drop(self, name: str, key: bytes | None, is_wanted: Callable[[Any], bool]) -> bool:
        """Keep one item of a group with a key no more; false if no such item is wanted."""
        for place, item in self.base.execute(
            "select place, item from items where name = ? and key is ? order by place", (name, key)
        ):
            if is_wanted(pickle.loads(item)):  # noqa: S301 - our own unlinked file
                self.base.execute("delete from items where place = ?", (place,))
                return True
        return False

    @scratch()
    def all(self, name: str, key: bytes) -> list[Any]:
        """Return the items of a group with a key, and keep them."""
        rows = self.base.execute("select item from items where name = ? and key = ?", (name, key))
        return [pickle.loads(item) for (item,) in rows]  # noqa: S301 - our own unlinked file

    def group(self, name: str) -> Iterator[Any]:
        """Yield the items of a group that nobody took, in the order in which they came."""
        last = 0
        while True:
            with scratch():
                match = self.base.execute(
                    "select place, item from items not indexed where name = ? and place > ? "
                    "order by place limit 1",
                    (name, last),
                ).fetchone()
            if match is None:
                return
            last = match[0]
            yield pickle.loads(match[1])  # noqa: S301 - our own unlinked file

    @scratch()
    def __bool__(self) -> bool:
        return self.base.execute("select 1 from items limit 1").fetchone() is not None

    def close(self) -> None:
        """Give the file back."""
        self.base.close()
