"""What the rows of a unique group will hold in the end: no row may wait on it meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.folding import folded
from lading.importing.journal import Journal
from lading.importing.updates.unique_values import UniqueGroup
from lading.model.rowsets import Reference, Value
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import parse_json


class TakenValues:
    """The values that new and changed rows of a unique group will hold, field by field.

    Args:
        journal: ends the temporary file.
        group: the group.
        wanted: the names of groups, and what rows of these will hold.
    """

    def __init__(
        self, journal: Journal, group: UniqueGroup, wanted: Iterable[tuple[str, bytes]]
    ) -> None:
        self.journal = journal
        self.group = group
        self.wanted = wanted

    def free(self, part: Value | Reference, rows: Mapping[bytes, Row]) -> list[Row]:
        """Return the rows, by the text of what they say in a field, that will not be held."""
        texts = {_text(self.group.parts.index(part), text): row for text, row in rows.items()}
        taken = self.index.among([*texts])
        return [row for text, row in texts.items() if text not in taken]

    @cached_property
    def index(self) -> KeyIndex:
        """Each value with the place of its field, made when it is first asked for."""
        index = self.journal.closing(KeyIndex())
        index.fill(self._entries())
        return index

    def _entries(self) -> Iterator[tuple[bytes, bytes, int]]:
        for name, key in self.wanted:
            if name == self.group.name:
                for place, text in enumerate(parse_json(key)[: len(self.group.parts)]):
                    yield _text(place, text.encode()), b"", 0


def text_of(value: Any) -> bytes:
    """Return the text of a value in portable form, one for all that some collation takes alike."""
    return folded(value).encode()


def _text(place: int, text: bytes) -> bytes:
    return b"%d %s" % (place, text)
