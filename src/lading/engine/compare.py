"""Whether records that are there already hold what a bundle says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lading.declare.rowsets import RowSet, Value
from lading.engine.dialects.base import Dialect, Row
from lading.engine.read import RecordReader
from lading.engine.through import dumped, needs_marshmallow
from lading.values import parse_json


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
