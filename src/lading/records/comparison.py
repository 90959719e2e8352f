"""Compares two records of one natural key by content: values, not their spelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import marshmallow as ma

from lading.database.columns import is_computed
from lading.database.dialects.base import Dialect
from lading.mapping.fields import schema_of
from lading.model.ordering import as_listed
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.records.layout import RecordLayout
from lading.records.lines import without_ids
from lading.records.marshmallow_path import canonical_record, canonical_value, writable_content
from lading.values.base import CUSTOM
from lading.values.json_text import json_text, parse_json

#: A field's dotted path, its value in a record, and its value in the other one.
FieldDifference = tuple[str, Any, Any]
#: What a record says, by the written names of its fields.
Content = dict[str, Any]

#: Types whose values are compared as they are: none of them equals what is compared by its text.
PLAIN = (str, int, type(None))


class RecordComparison:
    """Compares the content of an entity's records.

    Args:
        rows: the entity's row set, or that of owned rows.
        dialects: the engines that store the sides, whose computed columns make no difference.
        volatile: whether volatile fields make a difference.
    """

    def __init__(self, rows: RowSet, *dialects: Dialect, volatile: bool = False) -> None:
        self.dialects = dialects
        self.rows = rows
        members = [(within, member) for within in rows.tree() for member in within.members]
        #: What the database computes, and versions that the ORM counts: no import sets them.
        self.computed = {
            member
            for within, member in members
            if isinstance(member, Value)
            and (
                member.column is within.mapper.version_id_col
                or any(is_computed(dialect, member.column) for dialect in dialects)
            )
        }
        #: Fields that make no difference: volatile ones, and computed ones.
        self.uncounted = self.computed.union(
            member for within, member in members if member.name in within.volatile and not volatile
        )

    @cached_property
    def schema(self) -> ma.Schema:
        """The schema that loads records, which few comparisons need."""
        return schema_of(self.rows)

    @cached_property
    def layout(self) -> RecordLayout:
        """The layout of records with ids, which few comparisons need."""
        return RecordLayout(self.rows, ids=True)

    def loaded(self, line: bytes) -> Content:
        """Return what a record of a bundle or a document says, in canonical form."""
        loaded = self.schema.load(without_ids(self.layout, parse_json(line)))
        return canonical_record(self.rows, loaded)

    def stored(self, line: bytes) -> Content:
        """Return what a record that was read from a database says, in canonical form."""
        return writable_content(self.rows, parse_json(line))

    def field(self, member: Member, written: Any) -> Any:
        """Return what a field of a bundle or a document says, in canonical form."""
        if isinstance(member, Value) and written is not None and member.kind.name != CUSTOM:
            return member.kind.write(member.kind.read(written))
        if isinstance(member, Children):
            written = without_ids(self.layout, {member.written: written})[member.written]
        field = self.schema.fields[member.name]
        return canonical_value(member, field.deserialize(written, member.written, {}))

    def update(self, before: Content, after: Content) -> tuple[Content, Content] | None:
        """Return the fields that an update alters, before and after; ``None`` if none counts.

        Volatile fields alone make no difference, and are altered with the others.
        """
        altered: tuple[Content, Content] = {}, {}
        counts = False
        for member in self.rows.members:
            name = member.written
            if (name not in before and name not in after) or member in self.computed:
                continue
            is_missing = name not in before or name not in after
            if not is_missing and self.every.is_equal(member, before[name], after[name]):
                continue
            counts = counts or is_missing or self._counts(member, before[name], after[name])
            for content, fields in zip((before, after), altered, strict=True):
                if name in content:
                    fields[name] = self._set_by_update(member, content[name])
        return altered if counts else None

    def _set_by_update(self, member: Member, value: Any) -> Any:
        """Return what an update sets of a field: owned rows without what it leaves as it is."""
        if not isinstance(member, Children) or value is None:
            return value
        within = {row_member.written: row_member for row_member in member.rows.members}
        return [
            {
                name: self._set_by_update(within[name], inner)
                for name, inner in owned_row.items()
                if within[name] not in self.computed
            }
            for owned_row in value
        ]

    def is_equal(self, member: Member, value: Any, other: Any) -> bool:
        """Tell whether two values of a field in canonical form make no difference."""
        return member in self.uncounted or self._is_same(member, value, other)

    def _counts(self, member: Member, value: Any, other: Any) -> bool:
        """Tell whether two values that differ make a difference."""
        if isinstance(member, Children):
            return not self.is_equal(member, value, other)
        return member not in self.uncounted

    @cached_property
    def every(self) -> RecordComparison:
        """The comparison by which volatile fields make a difference as well."""
        return RecordComparison(self.rows, *self.dialects, volatile=True)

    def changes(self, line: bytes, stored: bytes) -> Iterator[FieldDifference]:
        """Yield the fields whose values differ; spelling and a set's order make no difference."""
        if line != stored:
            yield from self.differences(self.rows, self.loaded(line), self.stored(stored))

    def differences(
        self, rows: RowSet, record: Content, stored: Content, path: str = ""
    ) -> Iterator[FieldDifference]:
        """Yield the fields of two records, or of two owned rows, whose values differ.

        Args:
            rows: the row set of both.
            record: the one side.
            stored: the other side.
            path: the path of the row set in a record, with a dot at its end.
        """
        for member in self.differing(rows, record, stored):
            if member in self.uncounted:
                continue
            name = member.written
            value, stored_value = record[name], stored.get(name)
            pairs = self._pairs(member, value, stored_value) if isinstance(member, Children) else ()
            if pairs and isinstance(member, Children):
                for child, stored_child in pairs:
                    yield from self.differences(member.rows, child, stored_child, f"{path}{name}.")
            else:
                yield f"{path}{name}", value, stored_value

    def differing(
        self, rows: RowSet, record: Content, stored: Content, *, nested: bool = True
    ) -> Iterator[Member]:
        """Yield the members whose values differ, volatile ones too.

        Args:
            rows: the row set of both.
            record: the one side.
            stored: the other side.
            nested: whether lists of owned records are compared as well.
        """
        for member in rows.members:
            name = member.written
            if member in self.computed or name not in record:
                continue
            if not nested and isinstance(member, Children):
                continue
            if not self._is_same(member, record[name], stored.get(name)):
                yield member

    def _pairs(self, member: Children, children: Any, stored: Any) -> list[tuple[Any, Any]]:
        """Pair owned records with those that are stored; none where some are missing."""
        if stored is None or len(children) != len(stored):
            return []
        return list(zip(self._listed(member, children), self._listed(member, stored), strict=True))

    def _listed(self, member: Children, records: Sequence[Content]) -> list[Content]:
        """Return owned records in the order of an export, volatile fields aside."""
        return as_listed(member, records, lambda record: self.content_key(member.rows, record))

    def content_key(self, rows: RowSet, record: Content) -> bytes:
        """Return what only records of the same content have."""
        return repr(self.content_of(rows, record)).encode()

    def content_of(self, rows: RowSet, record: Content) -> tuple[Any, ...]:
        """Return what a canonical record is compared by."""
        return tuple(
            self._compared(member, record[member.written])
            for member in rows.members
            if member not in self.uncounted and member.written in record
        )

    def _is_same(self, member: Member, value: Any, other: Any) -> bool:
        """Tell whether two canonical values of a field are the same."""
        if value is other:
            return True
        if type(value) is type(other) in (str, int):
            return bool(value == other)
        if type(value) is type(other) is dict and isinstance(member, Reference):
            return bool(value == other)
        if type(value) is type(other) is list and isinstance(member, Children):
            return self._is_same_list(member, value, other)
        return bool(self._compared(member, value) == self._compared(member, other))

    def _is_same_list(
        self, member: Children, records: Sequence[Content], others: Sequence[Content]
    ) -> bool:
        """Tell whether two lists of owned records say the same, which most do in their order."""
        if len(records) != len(others):
            return False
        own, other = (
            [self.content_of(member.rows, record) for record in listed]
            for listed in (records, others)
        )
        return own == other or (_listed(member, records, own) == _listed(member, others, other))

    def _compared(self, member: Member, value: Any) -> Any:
        """Return what a field's canonical value is compared by: a set in one order."""
        if type(value) in PLAIN:
            return value
        if isinstance(member, Reference) and type(value) is dict:
            return _compared_key(value)
        if value is not None and isinstance(member, Links):
            return tuple(sorted(map(json_text, value)))
        if value is not None and isinstance(member, Children):
            return _listed(member, value, [self.content_of(member.rows, r) for r in value])
        return json_text(value)


def _listed(
    member: Children, records: Sequence[Content], contents: Sequence[tuple[Any, ...]]
) -> tuple[tuple[Any, ...], ...]:
    """Return the contents of owned records in the order of an export, volatile fields aside."""
    by_record = dict(zip(map(id, records), contents, strict=True))
    listed = as_listed(member, records, lambda record: repr(by_record[id(record)]).encode())
    return tuple(by_record[id(record)] for record in listed)


def _compared_key(value: dict[str, Any]) -> Any:
    """Return what a natural key in portable form is compared by."""
    if all(type(part) in PLAIN for part in value.values()):
        return tuple(sorted(value.items()))
    return json_text(value)
