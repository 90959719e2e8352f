"""Records as they are compared: cut into fields, of which only those that differ are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from lading.model.ordering import key_order
from lading.model.rowsets import Member, RowSet, Value
from lading.records.comparison import Content, RecordComparison
from lading.records.marshmallow_path import needs_marshmallow
from lading.values.base import CUSTOM
from lading.values.json_text import on_own_stack, parse_json
from lading.values.scalars import Float

_scalar = msgspec.json.Decoder().decode
_cut = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class RawRecord:
    """A record: the text of each field, and what it says where it was loaded by its schema.

    ``canonical`` says that a database wrote it; ``key`` is the text of its natural key's fields.
    """

    line: bytes
    fields: dict[str, msgspec.Raw]
    canonical: bool
    key: tuple[bytes, ...] = ()
    content: Content | None = None


class RawReader:
    """Reads and compares the records of one entity."""

    def __init__(self, rows: RowSet, comparison: RecordComparison) -> None:
        self.rows = rows
        self.comparison = comparison
        self.key_names = tuple(rows.key_names)
        self.has_hooks = needs_marshmallow(rows)
        members = {member.written: member for member in rows.members}
        #: The fields that an import writes.
        self.members: dict[str, Member] = {
            name: member
            for name, member in members.items()
            if not (isinstance(member, Value) and not member.writable)
        }
        #: Those that hold texts, booleans or whole numbers, which any parser reads alike.
        self.scalars = {
            name
            for name, member in self.members.items()
            if isinstance(member, Value)
            and not (member.kind.is_json or isinstance(member.kind, Float))
            and member.kind.name != CUSTOM
        }
        self.computed = members.keys() - self.members.keys()
        self.names: dict[bytes, set[str]] = {}

    def read(self, line: bytes, *, canonical: bool) -> RawRecord:
        """Cut a record into fields, and load it by its schema where its form isn't a usual one.

        What isn't JSON is a ``DecodeError``; what the schema refuses raises the schema's error.
        """
        record = RawRecord(line, on_own_stack(_cut.decode, line), canonical)
        if self.has_hooks or not (canonical or self._is_usual(record)):
            record.content = self.comparison.loaded(line)
        else:
            record.key = tuple(bytes(record.fields[name]) for name in self.key_names)
        return record

    def _is_usual(self, record: RawRecord) -> bool:
        """Tell whether a record has the fields of its class, each once, without spaces between."""
        fields = record.fields
        is_compact = on_own_stack(msgspec.json.encode, fields) == record.line
        return is_compact and fields.keys() - self.computed == self._names_of(fields)

    def _names_of(self, fields: dict[str, msgspec.Raw]) -> set[str]:
        """Return the fields that an import writes of a record's class."""
        discriminator = self.rows.discriminator
        if discriminator is None:
            return set(self.members)
        text = bytes(fields.get(discriminator.written, b"null"))
        if text not in self.names:
            members = self.rows.members_of({discriminator.written: parse_json(text)})
            self.names[text] = {member.written for member in members} - self.computed
        return self.names[text]

    def order(self, record: RawRecord) -> Any:
        """Return what a record sorts by."""
        return key_order(self.rows.key, self.key(record))

    def key(self, record: RawRecord) -> Content:
        """Return a record's natural key in portable form."""
        return {name: self._value(record, name) for name in self.key_names}

    def content(self, record: RawRecord) -> Content:
        """Return all that an import writes of a record, in canonical form."""
        if record.content is not None:
            return record.content
        return {name: self._value(record, name) for name in self.members if name in record.fields}

    def same_texts(self, record: RawRecord, other: RawRecord) -> bool:
        """Tell whether two keys are the same texts; others may be spelled otherwise."""
        return bool(record.key) and record.key == other.key

    def same_key(self, record: RawRecord, other: RawRecord) -> bool:
        """Tell whether two records have one key."""
        return self.same_texts(record, other) or self.key(record) == self.key(other)

    def update(self, before: RawRecord, after: RawRecord) -> tuple[Content, Content] | None:
        """Return the fields in which two records differ, before and after; ``None`` for none."""
        if before.content is not None or after.content is not None:
            return self.comparison.update(self.content(before), self.content(after))
        names = [name for name in self.members if before.fields.get(name) != after.fields.get(name)]
        contents = (
            {name: self._value(record, name) for name in names if name in record.fields}
            for record in (before, after)
        )
        return self.comparison.update(*contents)

    def _value(self, record: RawRecord, name: str) -> Any:
        """Return a field in canonical form."""
        if record.content is not None:
            return record.content[name]
        text = record.fields[name]
        written = _scalar(text) if name in self.scalars else parse_json(bytes(text))
        return written if record.canonical else self.comparison.field(self.members[name], written)
