"""A set of rows that is kept on disk, where it is large."""

from __future__ import annotations

from collections.abc import Iterable

from lading.database.dialects.base import Row
from lading.scratch.key_index import KeyIndex


class RowMarks:
    """The rows of one table that something was noted of, by what tells them apart."""

    def __init__(self) -> None:
        self._index: KeyIndex | None = None

    def add(self, identities: Iterable[Row]) -> None:
        """Note rows."""
        if self._index is None:
            self._index = KeyIndex()
        self._index.fill((_text(identity), b"", 0) for identity in identities)

    def __contains__(self, identity: Row) -> bool:
        return self._index is not None and self._index.get(_text(identity)) is not None

    def close(self) -> None:
        """Give the file back."""
        if self._index is not None:
            self._index.close()


def _text(identity: Row) -> bytes:
    return repr(identity).encode("utf-8", "surrogatepass")
