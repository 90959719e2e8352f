"""A set of rows or records, on disk where it is large."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lading.database.dialects.base import Row
from lading.scratch.key_index import KeyIndex


class RowMarks:
    """A set of rows or records, by what tells them apart: primary keys, or numbers."""

    def __init__(self) -> None:
        self._index: KeyIndex | None = None

    def add(self, identities: Iterable[Row]) -> None:
        """Add rows."""
        if self._index is None:
            self._index = KeyIndex()
        self._index.fill((_text(identity), b"", 0) for identity in identities)

    def without(self, identities: Sequence[Row]) -> list[int]:
        """Return the places of the rows that aren't in the set."""
        if self._index is None:
            return list(range(len(identities)))
        texts = list(map(_text, identities))
        known = self._index.among(texts)
        return [place for place, text in enumerate(texts) if text not in known]

    def __bool__(self) -> bool:
        return self._index is not None

    def __contains__(self, identity: Row) -> bool:
        return self._index is not None and self._index.get(_text(identity)) is not None

    def close(self) -> None:
        """Give the file back."""
        if self._index is not None:
            self._index.close()


def _text(identity: Row) -> bytes:
    return repr(identity).encode("utf-8", "surrogatepass")
