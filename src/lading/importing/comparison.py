"""Compares a record with the one that the database has under its natural key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lading.database.columns import is_computed
from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.exporting.reader import RecordReader
from lading.mapping.fields import schema_of
from lading.model.rowsets import Children, Links, Member, RowSet, Value
from lading.records.layout import RecordLayout
from lading.records.lines import without_ids
from lading.records.marshmallow_path import canonical_record, writable_content
from lading.values.json_text import json_text, parse_json

#: A field's dotted path, what a bundle says of it, and what the target holds.
FieldDifference = tuple[str, Any, Any]


class RecordComparison:
    """Compares the records of a bundle with those of the target, by content."""

    def __init__(self, database: Database, rows: RowSet) -> None:
        self.rows = rows
        self.reader = RecordReader(database, rows)
        self.schema = schema_of(rows)
        self.layout = RecordLayout(rows, ids=True)
        #: Fields whose difference is none: volatile ones, and what the database computes.
        self.uncounted = {
            member
            for within in rows.tree()
            for member in within.members
            if member.name in within.volatile
            or (isinstance(member, Value) and is_computed(database.dialect, member.column))
        }

    def differing(self, lines: Sequence[bytes], identities: Sequence[Row]) -> int:
        """Count the lines that say other than the rows with these primary keys."""
        held = self.reader.lines_of(identities)
        return sum(
            1
            for line, identity in zip(lines, identities, strict=True)
            if any(self.changes(line, held[identity]))
        )

    def changes(self, line: bytes, there: bytes) -> Iterator[FieldDifference]:
        """Yield what differs and counts: values, not their spelling; sets, not their order."""
        if line == there:
            return
        loaded = self.schema.load(without_ids(self.layout, parse_json(line)))
        ours = canonical_record(self.rows, loaded)
        yield from self._changes(self.rows, ours, writable_content(self.rows, parse_json(there)))

    def _changes(
        self, rows: RowSet, ours: dict[str, Any], theirs: dict[str, Any], path: str = ""
    ) -> Iterator[FieldDifference]:
        for member in rows.members:
            name = member.written
            if member in self.uncounted or name not in ours:
                continue
            mine, other = ours[name], theirs.get(name)
            if self._settled(member, mine) == self._settled(member, other):
                continue
            inner = self._pairs(member, mine, other) if isinstance(member, Children) else ()
            if inner and isinstance(member, Children):
                for one, two in inner:
                    yield from self._changes(member.rows, one, two, f"{path}{name}.")
            else:
                yield f"{path}{name}", mine, other

    def _pairs(self, member: Children, mine: Any, other: Any) -> list[tuple[Any, Any]]:
        """Return which owned records stand for each other; none where some are missing."""
        if other is None or len(mine) != len(other):
            return []
        if not member.sequence:
            mine, other = (
                sorted(items, key=lambda item: self._record(member.rows, item))
                for items in (mine, other)
            )
        return list(zip(mine, other, strict=True))

    def _record(self, rows: RowSet, record: dict[str, Any]) -> tuple[Any, ...]:
        """Return what of a canonical record counts."""
        return tuple(
            self._settled(member, record[member.written])
            for member in rows.members
            if member not in self.uncounted and member.written in record
        )

    def _settled(self, member: Member, value: Any) -> Any:
        """Return what of a field's canonical value counts: a set in one order."""
        if value is not None and isinstance(member, Links):
            return tuple(sorted(map(json_text, value)))
        if value is not None and isinstance(member, Children):
            items = [self._record(member.rows, item) for item in value]
            return tuple(items if member.sequence else sorted(items))
        return json_text(value)
