"""Records as they are compared: cut into fields, of which only those that differ are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from lading.model.ordering import key_order
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.records.comparison import Content, RecordComparison
from lading.records.field_texts import FieldTexts
from lading.records.marshmallow_path import needs_marshmallow, writable_content
from lading.values.base import CUSTOM
from lading.values.json_text import on_own_stack, parse_json
from lading.values.scalars import Float

_scalar = msgspec.json.Decoder().decode
_cut = msgspec.json.Decoder(dict[str, msgspec.Raw])
_cut_list = msgspec.json.Decoder(list[msgspec.Raw])
#: How many texts of references are remembered with what they say, and how long these may be; and
#: of how many sets of fields it is remembered which members differ.
REMEMBERED, LONGEST = 10_000, 200


@dataclass(slots=True)
class RawRecord:
    """A record: the text of each field, and what it says where it was loaded by its schema.

    ``canonical`` says that a database wrote it, ``exact`` that its JSON has the one form that
    equal JSON has; ``key`` is the text of its natural key's fields.
    """

    line: bytes
    fields: Mapping[str, msgspec.Raw]
    canonical: bool
    exact: bool = False
    key: tuple[bytes, ...] = ()
    content: Content | None = None


class Differing(NamedTuple):
    """The fields whose texts differ, and the members whose values do, if the texts tell."""

    names: Iterable[str]
    members: list[Member] | None


class RawPair:
    """A record and another one of its key, of which only those fields are read that differ."""

    __slots__ = ("after", "before", "members", "names", "read", "reader")

    def __init__(
        self,
        reader: RawReader,
        after: RawRecord,
        before: RawRecord,
        differing: Differing | None = None,
    ) -> None:
        self.reader = reader
        self.after = after
        self.before = before
        if differing is None:
            differing = Differing(self._names(), None)
        self.names, self.members = differing
        #: What both say in these fields, once it is read.
        self.read: tuple[Content, Content] | None = None

    def _names(self) -> Iterable[str]:
        """Return the fields that an import writes and whose texts differ, in their order."""
        if self.is_loaded:
            return self.reader.members
        texts, others = self.after.fields.get, self.before.fields.get
        return [name for name in self.reader.members if texts(name) != others(name)]

    @property
    def is_loaded(self) -> bool:
        """Whether a schema loaded one of them, which then says what it means in another form."""
        return self.after.content is not None or self.before.content is not None

    def differing(self) -> list[Member]:
        """Return the members whose values differ, volatile ones too."""
        if self.members is not None:
            return self.members
        comparison = self.reader.comparison
        return list(comparison.differing(self.reader.rows, *self._contents()))

    def was_set(self, member: Member) -> bool:
        """Tell whether a field of the other record isn't null."""
        if self.is_loaded:
            return self.reader.content(self.before).get(member.written) is not None
        return bytes(self.before.fields.get(member.written, b"null")) != b"null"

    def update(self) -> tuple[Content, Content] | None:
        """Return the fields in which they differ, before and after; ``None`` for none."""
        after, before = self._contents()
        return self.reader.comparison.update(before, after)

    def _contents(self) -> tuple[Content, Content]:
        """Return what both say in the fields whose texts differ."""
        if self.is_loaded:
            return self.contents()
        if self.read is None:
            after, before = self.after, self.before
            value = self.reader.value
            self.read = (
                {name: value(after, name) for name in self.names if name in after.fields},
                {name: value(before, name) for name in self.names if name in before.fields},
            )
        return self.read

    def contents(self) -> tuple[Content, Content]:
        """Return all that both say; equal texts give the same object."""
        reader, after, before = self.reader, self.after, self.before
        if self.is_loaded:
            return reader.content(after), reader.content(before)
        own, other = self._contents()
        content = {
            name: other[name] if name in other else reader.value(before, name)
            for name in reader.members
            if name in before.fields
        }
        return {
            name: own[name] if name in own else content[name]
            for name in after.fields
            if name in reader.members
        }, content

    def key(self) -> Content:
        """Return the natural key in portable form."""
        return self.reader.key(self.after)


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
            if isinstance(member, Value) and _is_plain(member)
        }
        #: Those that hold nothing else at any depth.
        self.plain = {name for name, member in self.members.items() if _is_plain(member)}
        #: Those whose values differ if their texts do, where JSON has one form.
        self.exact = {name for name, member in self.members.items() if _is_exact(member)}
        self.keys = {
            name for name, member in self.members.items() if isinstance(member, Reference | Links)
        }
        self.nested = {
            children.written: RawReader(
                children.rows, RecordComparison(children.rows, *comparison.dialects)
            )
            for children in rows.children
        }
        #: The number of fields of owned rows that are all exact.
        self.exact_lists = _exact_lists(self.nested)
        self.key_of_text = lru_cache(REMEMBERED)(self._read_text)
        self.computed = members.keys() - self.members.keys()
        self.every_name = self.members.keys()
        self.differing_by = lru_cache(REMEMBERED)(self._differing_by)
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
        names = fields.keys() - self.computed if self.computed else fields.keys()
        return is_compact and names == self._names_of(fields)

    def _names_of(self, fields: Mapping[str, msgspec.Raw]) -> AbstractSet[str]:
        """Return the fields that an import writes of a record's class."""
        discriminator = self.rows.discriminator
        if discriminator is None:
            return self.every_name
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
        return {name: self.value(record, name) for name in self.key_names}

    def content(self, record: RawRecord) -> Content:
        """Return all that an import writes of a record, in canonical form."""
        if record.content is not None:
            return record.content
        return {name: self.value(record, name) for name in self.members if name in record.fields}

    def pair(self, line: bytes, stored: bytes) -> RawPair:
        """Return a record beside a stored one; it was decoded before, so its schema takes it."""
        record = None if self.has_hooks else self._cut_usual(line)
        if record is None:
            loaded, content = self.comparison.loaded(line), self.comparison.stored(stored)
            return RawPair(
                self,
                RawRecord(line, {}, canonical=False, content=loaded),
                RawRecord(stored, {}, canonical=True, content=content),
            )
        before = RawRecord(stored, on_own_stack(_cut.decode, stored), canonical=True)
        return RawPair(self, record, before)

    @cached_property
    def has_computed(self) -> bool:
        """Whether rows of any depth have a field that no import writes."""
        members = (member for within in self.rows.tree() for member in within.members)
        return any(isinstance(member, Value) and not member.writable for member in members)

    @cached_property
    def texts(self) -> FieldTexts:
        """Cuts many records at once."""
        return FieldTexts(f"{self.rows.name} texts", list(self.members))

    def _differing_by(self, mask: int) -> Differing:
        """Return what differs by a mask of the fields whose texts do."""
        names = [name for n, name in enumerate(self.members) if mask >> n & 1]
        computed = self.comparison.computed
        if not self.exact.issuperset(names):
            return Differing(names, None)
        members = (self.members[name] for name in names)
        return Differing(names, [member for member in members if member not in computed])

    def contents(self, line: bytes, stored: bytes) -> tuple[Content, Content]:
        """Return what a record says and what a stored one does; equal texts give the same object.

        The record was decoded before, so its schema takes it.
        """
        return self.pair(line, stored).contents()

    def new_content(self, line: bytes) -> Content:
        """Return what a record says that was decoded before."""
        record = None if self.has_hooks else self._cut_usual(line)
        return self.comparison.loaded(line) if record is None else self.content(record)

    def stored_content(self, line: bytes) -> Content:
        """Return what a stored record says."""
        if self.has_hooks:
            return self.comparison.stored(line)
        return self.content(self.read(line, canonical=True))

    def _cut_usual(self, line: bytes) -> RawRecord | None:
        """Cut a record whose form is the usual one into fields."""
        record = RawRecord(line, on_own_stack(_cut.decode, line), canonical=False)
        return record if self._is_usual(record) else None

    def same_texts(self, record: RawRecord, other: RawRecord) -> bool:
        """Tell whether two keys are the same texts; others may be spelled otherwise."""
        return bool(record.key) and record.key == other.key

    def update(self, before: RawRecord, after: RawRecord) -> tuple[Content, Content] | None:
        """Return the fields in which two records differ, before and after; ``None`` for none."""
        return RawPair(self, after, before).update()

    def value(self, record: RawRecord, name: str) -> Any:
        """Return a field in canonical form."""
        if record.content is not None:
            return record.content[name]
        text = bytes(record.fields[name])
        if record.canonical:
            nested = self.nested.get(name)
            if nested is not None and nested.has_computed:
                return [writable_content(nested.rows, child) for child in parse_json(text)]
            return _scalar(text) if name in self.plain else parse_json(text)
        if record.exact and name in self.exact:
            return _scalar(text)
        if record.exact and name in self.exact_lists:
            listed: list[Content] = _scalar(text)
            if listed and all(len(owned) == self.exact_lists[name] for owned in listed):
                return listed
        if name in self.keys and len(text) <= LONGEST:
            return self.key_of_text(name, text)
        return self._read_text(name, text)

    def _read_text(self, name: str, text: bytes) -> Any:
        """Return what the text of a field of a bundle or a document says, in canonical form."""
        nested = self.nested.get(name)
        if nested is not None and text.startswith(b"[") and not nested.has_hooks:
            owned = [nested._cut_usual(bytes(raw)) for raw in on_own_stack(_cut_list.decode, text)]
            if None not in owned:
                return [nested.content(record) for record in owned if record is not None]
        written = _scalar(text) if name in self.scalars else parse_json(text)
        return self.comparison.field(self.members[name], written)


def _exact_lists(nested: Mapping[str, RawReader]) -> dict[str, int]:
    """Return the number of fields of owned rows that are all exact, by list."""
    return {
        name: len(reader.exact)
        for name, reader in nested.items()
        if not (reader.has_hooks or reader.computed) and reader.exact == reader.every_name
    }


def _is_exact(member: Member) -> bool:
    """Tell whether what a member holds has one text, where JSON has one form."""
    if isinstance(member, Value):
        return _is_plain(member) and member.kind.one_form and member.classes is None
    if not isinstance(member, Reference) or recurring(member.parts) is not None:
        return False
    return member.classes is None and all(map(_is_exact, member.parts))


def _is_plain(member: Member) -> bool:
    """Tell whether any parser reads what a member holds alike: texts, booleans, whole numbers."""
    if isinstance(member, Value):
        is_number = member.kind.is_json or isinstance(member.kind, Float)
        return not is_number and member.kind.name != CUSTOM
    if isinstance(member, Children):
        return all(map(_is_plain, member.rows.members))
    reference: Any = member.reference if isinstance(member, Links) else member
    own = recurring(reference.parts)
    return all(part is own or _is_plain(part) for part in reference.parts)
