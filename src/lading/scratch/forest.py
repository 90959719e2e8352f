"""Items on disk that hang below each other, returned so that each follows the one above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lading.scratch.files import database, scratch

#: An item's number, its name, the name of the item above it, and what is kept.
Item = tuple[int, int, int | None, bytes]

RECURRING = "SELECT name FROM items GROUP BY name HAVING count(*) > 1 LIMIT 1"
#: Gives items names that nobody looks for, where items before them have theirs.
RENAMED = """UPDATE items SET name = random()
WHERE number NOT IN (SELECT min(number) FROM items GROUP BY name)"""
#: Every item below some first ones, each after the one above it; level by level as it happens.
DESCENDING = """INSERT INTO turns (number) WITH RECURSIVE below(number, name) AS (
  SELECT number, name FROM items WHERE {first}
  UNION ALL SELECT items.number, items.name FROM below JOIN items ON items.above = below.name
) SELECT number FROM below"""
ROOTS = "above IS NULL OR above NOT IN (SELECT name FROM items)"
UNREACHED = """SELECT name FROM items WHERE NOT EXISTS
(SELECT 1 FROM turns WHERE turns.number = items.number) AND number > ? ORDER BY number LIMIT 1"""


class Forest:
    """Keeps items that may hang below others; memory doesn't grow with them.

    Of several items with one name only the first has others below it.  An item is a root if it
    hangs below itself, or below a name that no item has.
    """

    @scratch()
    def __init__(self) -> None:
        self.base = database()
        self.base.execute(
            "CREATE TABLE items (number INTEGER PRIMARY KEY, name INTEGER NOT NULL, "
            "above INTEGER, content BLOB NOT NULL)"
        )
        self.base.execute("BEGIN")

    @scratch()
    def add(self, items: Iterable[Item]) -> None:
        """Add items."""
        self.base.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", items)

    def parents_first(self, size: int) -> Iterator[list[tuple[int, bytes]]]:
        """Yield the number and content of each item, so many at a time, once all are there."""
        with scratch():
            self._order()
            cursor = self.base.execute(
                "SELECT number, content FROM turns JOIN items USING (number) ORDER BY turn"
            )
        while True:
            with scratch():
                rows = cursor.fetchmany(size)
            if not rows:
                return
            yield rows

    def _order(self) -> None:
        """Give each item its turn."""
        self.base.execute("CREATE TABLE turns (turn INTEGER PRIMARY KEY, number INTEGER NOT NULL)")
        self.base.execute("CREATE INDEX by_name ON items (name)")
        if self._value(RECURRING) is not None:
            self.base.execute(RENAMED)
        self.base.execute("UPDATE items SET above = NULL WHERE above = name")
        self.base.execute("CREATE INDEX by_above ON items (above, name)")
        self.base.execute(DESCENDING.format(first=ROOTS))
        if self._value("SELECT count(*) FROM turns") < self._value("SELECT count(*) FROM items"):
            self._open_circles()

    def _open_circles(self) -> None:
        """Make one item of each circle a root: nothing else keeps items from being reached."""
        self.base.execute("CREATE INDEX by_number ON turns (number)")
        number = 0
        while (name := self._value(UNREACHED, number)) is not None:
            number = self._value("SELECT number FROM items WHERE name = ?", name)
            root = self._in_circle(name)
            self.base.execute("UPDATE items SET above = NULL WHERE name = ?", (root,))
            self.base.execute(DESCENDING.format(first="name = ?"), (root,))

    def _in_circle(self, name: int) -> int:
        """Return a name in the circle that a name leads up to."""
        slow = fast = name
        while True:
            slow, fast = self._above(slow), self._above(self._above(fast))
            if slow == fast:
                return slow

    def _above(self, name: int) -> int:
        return int(self._value("SELECT above FROM items WHERE name = ?", name))

    def _value(self, statement: str, *parameters: Any) -> Any:
        row = self.base.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Give the file back."""
        self.base.close()
