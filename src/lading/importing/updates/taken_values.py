"""What the rows of a unique group will hold in the end: no row may wait on it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.folding import folded
from lading.importing.journal import Journal
from lading.importing.updates.unique_values import UniqueGroup
from lading.model.rowsets import Reference, Value
from lading.scratch.key_index import KeyIndex
from lading.scratch.spool import Spool
from lading.values.json_text import parse_json


class TakenValues:
    """The values that new and changed rows of a unique group will hold, field by field.

    Args:
        journal: ends the temporary file.
        group: the group.
        wanted: the names of groups, what rows of these will hold, and whether these are new.
    """

    def __init__(self, journal: Journal, group: UniqueGroup, wanted: Spool) -> None:
        self.journal = journal
        self.group = group
        self.wanted = wanted

    def free(
        self, part: Value | Reference, rows: Mapping[bytes, Row], *, by_new: bool = False
    ) -> list[Row]:
        """Return the rows, by the text of what they say in a field, that will not be held.

        With ``by_new``, rows that change may hold them: these are written last, in turn.
        """
        place = self.group.parts.index(part)
        texts = {_text(place, text, is_new=by_new): row for text, row in rows.items()}
        taken = self.index.among([*texts])
        return [row for text, row in texts.items() if text not in taken]

    @cached_property
    def index(self) -> KeyIndex:
        """Each value with the place of its field, made when it is first asked for."""
        index = self.journal.closing(KeyIndex())
        index.fill(self._entries())
        return index

    def _entries(self) -> Iterator[tuple[bytes, bytes, int]]:
        for name, key, is_new in self.wanted:
            if name == self.group.name:
                for place, text in enumerate(parse_json(key)[: len(self.group.parts)]):
                    for holder in {is_new, False}:
                        yield _text(place, text.encode(), is_new=holder), b"", 0


def text_of(value: Any) -> bytes:
    """Return the text of a value in portable form, one for all that some collation takes alike."""
    return folded(value).encode()


def _text(place: int, text: bytes, *, is_new: bool) -> bytes:
    return b"%d %d %s" % (is_new, place, text)
