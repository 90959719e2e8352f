"""Compares records with the rows that have their natural keys."""

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

#: A field's dotted path, its value in the bundle, and its value in the database.
FieldDifference = tuple[str, Any, Any]


class RecordComparison:
    """Compares the records of a bundle with those of the database, by content."""

    def __init__(self, database: Database, rows: RowSet) -> None:
        self.rows = rows
        self.reader = RecordReader(database, rows)
        self.schema = schema_of(rows)
        self.layout = RecordLayout(rows, ids=True)
        #: Fields that make no difference: volatile ones, and what the database computes.
        self.uncounted = {
            member
            for within in rows.tree()
            for member in within.members
            if member.name in within.volatile
            or (isinstance(member, Value) and is_computed(database.dialect, member.column))
        }

    def differing(self, lines: Sequence[bytes], identities: Sequence[Row]) -> int:
        """Count the lines that differ from the rows with these primary keys."""
        stored = self.reader.lines_of(identities)
        return sum(
            1
            for line, identity in zip(lines, identities, strict=True)
            if any(self.changes(line, stored[identity]))
        )

    def changes(self, line: bytes, stored: bytes) -> Iterator[FieldDifference]:
        """Yield the fields whose values differ; spelling and a set's order make no difference."""
        if line == stored:
            return
        loaded = self.schema.load(without_ids(self.layout, parse_json(line)))
        ours = canonical_record(self.rows, loaded)
        yield from self._changes(self.rows, ours, writable_content(self.rows, parse_json(stored)))

    def _changes(
        self, rows: RowSet, record: dict[str, Any], stored: dict[str, Any], path: str = ""
    ) -> Iterator[FieldDifference]:
        for member in rows.members:
            name = member.written
            if member in self.uncounted or name not in record:
                continue
            value, stored_value = record[name], stored.get(name)
            if self._compared(member, value) == self._compared(member, stored_value):
                continue
            pairs = self._pairs(member, value, stored_value) if isinstance(member, Children) else ()
            if pairs and isinstance(member, Children):
                for child, stored_child in pairs:
                    yield from self._changes(member.rows, child, stored_child, f"{path}{name}.")
            else:
                yield f"{path}{name}", value, stored_value

    def _pairs(self, member: Children, children: Any, stored: Any) -> list[tuple[Any, Any]]:
        """Pair owned records with those that are stored; none where some are missing."""
        if stored is None or len(children) != len(stored):
            return []
        if not member.sequence:
            children, stored = (
                sorted(records, key=lambda record: self._record(member.rows, record))
                for records in (children, stored)
            )
        return list(zip(children, stored, strict=True))

    def _record(self, rows: RowSet, record: dict[str, Any]) -> tuple[Any, ...]:
        """Return what a canonical record is compared by."""
        return tuple(
            self._compared(member, record[member.written])
            for member in rows.members
            if member not in self.uncounted and member.written in record
        )

    def _compared(self, member: Member, value: Any) -> Any:
        """Return what a field's canonical value is compared by: a set in one order."""
        if value is not None and isinstance(member, Links):
            return tuple(sorted(map(json_text, value)))
        if value is not None and isinstance(member, Children):
            records = [self._record(member.rows, record) for record in value]
            return tuple(records if member.sequence else sorted(records))
        return json_text(value)
