"""What resolving a natural key yields, and the protocol of what resolves it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from lading.database.dialects.base import Row
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.layout import Key


class Ambiguous(tuple[Any, ...]):
    """Null object for a key that several rows have."""

    __slots__ = ()


AMBIGUOUS = Ambiguous()


class Itself(dict[Row, Row]):
    """Maps every raw foreign key to itself, for a resolver of one level of a recursive key."""

    def __contains__(self, row: object) -> bool:
        return True

    def __missing__(self, row: Row) -> Row:
        return row

    def get(self, row: Row, default: Any = None) -> Any:
        """Return the row itself."""
        return row


ITSELF = Itself()


class KeyResolver(Protocol):
    """Finds rows of one table by one key, and returns some of their columns."""

    @property
    def target(self) -> RowSet:
        """The row set whose rows are found."""

    @property
    def parts(self) -> tuple[Value | Reference, ...]:
        """The members that make up the key."""

    def find(self, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys that exist to the remote columns' values, as the driver gives them.

        A key that several rows have maps to ``AMBIGUOUS``.  Of a small target, the answer also
        holds keys that weren't asked for.
        """

    def all_rows(self) -> dict[Key, Row] | None:
        """Return all rows of a small target by key, or ``None`` for a large target."""

    def lookup(self, wanted: set[Key]) -> dict[Key, Row]:
        """Look keys up in the database, however large the target is."""

    def forget(self, *, growing: bool = False) -> None:
        """Drop what was read: the table has new rows.

        While ``growing``, more rows are on their way, and the table isn't read as a whole.
        """

    def unclear(self, key: Key) -> Key:
        """Return the key that several rows have, given an ambiguous one."""

    def nearest(self, key: Key, others: Iterable[Key] = ()) -> str | None:
        """Describe the key that is most like this one, or return ``None``.

        Args:
            key: the key that no row has.
            others: keys beside those of the rows that exist.
        """

    def alike(self, keys: Collection[Key]) -> dict[Key, tuple[Key, Row]]:
        """Map keys to another one that the database takes for it by a collation, and its row."""
