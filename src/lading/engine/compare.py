"""Records that are there already: finding them, and comparing them with a bundle's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lading.declare.rowsets import RowSet, Value
from lading.engine.batch import Batch
from lading.engine.dialects.base import Dialect, Row
from lading.engine.loader import Loader, LoadState, described
from lading.engine.read import RecordReader
from lading.engine.through import dumped, needs_marshmallow
from lading.jsontext import parse_json


class Comparison:
    """Compares the records of a bundle with those of the target, by content."""

    def __init__(self, dialect: Dialect, rows: RowSet) -> None:
        self.rows = rows
        self.reader = RecordReader(dialect, rows)
        self.custom = needs_marshmallow(rows)

    def differing(self, lines: Sequence[bytes], identities: Sequence[Row]) -> int:
        """Count the lines that say other than the rows with these primary keys."""
        held = self.reader.lines_of(identities)
        count = 0
        for line, identity in zip(lines, identities, strict=True):
            there = held[identity]
            if self.custom:
                there = dumped(self.rows, [there])[0]
            if line != there and content(self.rows, line) != content(self.rows, there):
                count += 1
        return count


def content(rows: RowSet, line: bytes) -> Any:
    """Return what counts of a record: no ids, nothing volatile, nothing computed."""
    return _content(rows, parse_json(line))


def _content(rows: RowSet, record: Any) -> dict[str, Any]:
    result = {}
    for member in rows.members:
        computed = isinstance(member, Value) and not member.writable
        if member.name in rows.volatile or computed or member.written not in record:
            continue
        result[member.written] = record[member.written]
    for children in rows.children:
        items = [_content(children.rows, item) for item in record[children.written]]
        result[children.written] = items
    return result


class Existing:
    """Takes out the records whose natural key is in the target already."""

    def __init__(self, state: LoadState, root: RowSet, loader: Loader, *, refuses: bool) -> None:
        self.root = root
        self.loader = loader
        self.refuses = refuses
        self.dialect = state.dialect
        self.counts = state.counts[root.name]
        self.none_before = state.tables.is_empty(root)
        self.resolver = state.resolvers.by_key(root)
        self.comparison: Comparison | None = None

    def without(self, batch: Batch) -> Batch:
        """Return the batch's new records; the others are skipped, or problems."""
        if self.none_before:
            return batch
        found = self.resolver.find(batch.keys)
        there = [place for place, key in enumerate(batch.keys) if key in found]
        if self.refuses:
            for place in there:
                self.loader.fail(
                    batch.numbers[place],
                    self.loader.name_of(batch, place),
                    None,
                    f"{described(self.root.key, batch.keys[place])} is in the database already; "
                    "on_conflict='skip' leaves such records alone",
                )
        elif there:
            self.counts.skipped += len(there)
            self.counts.differing += self._differing(
                [batch.lines[place] for place in there],
                [found[batch.keys[place]] for place in there],
            )
        gone = {batch.numbers[place] for place in there}
        return batch.without(gone)

    def _differing(self, lines: list[bytes], identities: list[Row]) -> int:
        if self.comparison is None:
            self.comparison = Comparison(self.dialect, self.root)
        return self.comparison.differing(lines, identities)
