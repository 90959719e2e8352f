"""Changes of records, kept on disk in the order in which they come."""

from __future__ import annotations

import weakref
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from lading.planning.change_groups import ChangeGroups
from lading.planning.record_change import RecordChange
from lading.scratch.spool import Spool
from lading.values.json_text import on_own_stack

#: Changes, and bytes of them, that are written to the file at a time.
CHANGES = 500
CHANGE_BYTES = 1024 * 1024


class ChangeLog:
    """Changes in a temporary file, counted and grouped as they are added.

    Memory doesn't grow with their number.  The file goes with the log, or by ``close``.
    """

    def __init__(self) -> None:
        #: The number of changes by entity and action.
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.groups = ChangeGroups()
        self._spool = Spool()
        self._entity = ""
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._finalizer = weakref.finalize(self, self._spool.close)

    def add(self, change: RecordChange) -> None:
        """Add a change at the end."""
        self.counts[change.entity][change.action] += 1
        self.groups.add(change)
        if change.entity != self._entity:
            self._flush()
            self._entity = change.entity
        line = json_line(change)
        self._pending.append(line)
        self._pending_bytes += len(line)
        if len(self._pending) >= CHANGES or self._pending_bytes >= CHANGE_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._spool.append((self._entity, self._pending))
            self._pending, self._pending_bytes = [], 0

    def extend(self, other: ChangeLog) -> None:
        """Add another log's changes at the end."""
        self._flush()
        other._flush()
        for chunk in other._spool:
            self._spool.append(chunk)
        for name, counts in other.counts.items():
            self.counts[name].update(counts)
        self.groups.extend(other.groups)

    def __len__(self) -> int:
        return sum(counts.total() for counts in self.counts.values())

    def lines(self, entity: str | None = None) -> Iterator[bytes]:
        """Yield the changes of an entity, or all, as lines of JSON without their ends."""
        self._flush()
        for name, lines in self._spool:
            if entity is None or name == entity:
                yield from lines

    def changes(self, entity: str | None = None) -> Iterator[RecordChange]:
        """Yield the changes of an entity, or all, in the order in which they were added."""
        return map(change_of, self.lines(entity))

    def close(self) -> None:
        """Give the file back."""
        self._finalizer()


def _plain(value: Any) -> str:
    """Return the text of a mask, which is a string of a class of its own."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder = msgspec.json.Decoder(RecordChange)


def json_line(value: Any) -> bytes:
    """Return a change, or another line of its file, as JSON without an end."""
    return on_own_stack(_encoder.encode, value)


def change_of(line: bytes) -> RecordChange:
    """Return the change of a line that this module wrote."""
    return on_own_stack(_decoder.decode, line)
