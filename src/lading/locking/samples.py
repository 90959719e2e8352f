"""Sample records of every entity, made from the schemas alone: plain, least and fullest.

References lead to records that exist, those of one style to each other, so that what
shares columns agrees.  No chance is involved: equal declarations give equal records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lading.errors import DeclarationError
from lading.model.entities import Entities
from lading.model.ordering import as_listed, key_order, reference_order
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.model.uniqueness import is_single, unique_columns
from lading.samples.constraints import constraints_of
from lading.samples.styles import FULLEST, LEAST, PLAIN, NoSample, sample
from lading.values.json_text import json_text, plain_json_text

STYLES = (PLAIN, LEAST, FULLEST)
Record = dict[str, Any]


@dataclass(eq=False)
class SampleRow:
    """A record on its way: its row set, style, class, and parent if it is owned.

    ``pinned`` says that it is an older record, which stays as it is.
    """

    rows: RowSet
    style: str
    kind: Any
    parent: SampleRow | None = None
    record: Record = field(default_factory=dict)
    children: dict[str, list[SampleRow]] = field(default_factory=dict)
    pinned: bool = False

    def members(self) -> list[Member]:
        """Return the members that a record of its class has, but those that nobody can write."""
        kinds = self.rows.discriminator is not None
        return [
            member
            for member in self.rows.members
            if not (isinstance(member, Value) and not member.writable)
            and not (kinds and member.classes is not None and self.kind not in member.classes)
        ]


def sample_records(
    entities: Entities, known: Mapping[str, list[Record]] | None = None
) -> dict[str, list[Record]]:
    """Return some records of each entity, in key order.

    An entity that has ``known`` records keeps them, and gets no others.  Raises
    ``DeclarationError`` for fields that take nothing of what can be made up for them.
    """
    return _Samples(entities, known or {}).records()


class _Samples:
    """One making of samples: first values, then references, then lists."""

    def __init__(self, entities: Entities, known: Mapping[str, list[Record]]) -> None:
        self.entities = entities
        self.known = known
        self.count = 0
        self.used: dict[str, set[Any]] = {}
        self.mistakes: list[str] = []
        #: The records over each table, entities' and owned ones, in the order they were made.
        self.by_schema: dict[Any, list[SampleRow]] = {}

    def records(self) -> dict[str, list[Record]]:
        """Return the records."""
        roots = {name: self._roots(rows) for name, rows in self.entities.roots.items()}
        if self.mistakes:
            raise DeclarationError("goldens-needed", self.mistakes)
        for rows_of_entity in roots.values():
            for row in rows_of_entity:
                self._fill(row)
        return {
            name: self._sorted(self.entities[name], [self._whole(row) for row in rows_of_entity])
            for name, rows_of_entity in roots.items()
        }

    def _roots(self, rows: RowSet) -> list[SampleRow]:
        known = self.known.get(rows.name)
        if known:
            return [self._pinned(rows, record, None) for record in known]
        kinds = sorted(rows.classes or [None], key=lambda kind: (kind is not None, str(kind)))
        return [self._row(rows, style, kind, None) for kind in kinds for style in STYLES]

    def _pinned(self, rows: RowSet, record: Record, parent: SampleRow | None) -> SampleRow:
        discriminator = rows.discriminator
        kind = record.get(discriminator.written) if discriminator is not None else None
        row = SampleRow(rows, PLAIN, kind, parent, record, pinned=True)
        self.by_schema.setdefault(rows.schema, []).append(row)
        for child in rows.children:
            for child_record in record.get(child.written) or ():
                self._pinned(child.rows, child_record, row)
        return row

    # Values

    def _row(self, rows: RowSet, style: str, kind: Any, parent: SampleRow | None) -> SampleRow:
        """Make a record's plain values, and those of what it owns."""
        row = SampleRow(rows, style, kind, parent)
        # Not even keys of two entities are alike, for they may become one entity some day.
        self.count += 1
        number = self.count
        self.by_schema.setdefault(rows.schema, []).append(row)
        for member in row.members():
            if isinstance(member, Value):
                row.record[member.written] = self._value(row, member, number)
            elif isinstance(member, Children):
                row.children[member.written] = self._children(row, member)
        return row

    def _value(self, row: SampleRow, member: Value, number: int) -> Any:
        if member is row.rows.discriminator:
            return row.kind
        key = row.rows.key
        if member.nullable and row.style == LEAST and member not in key:
            return None
        used = self.used.setdefault(member.written, set())
        try:
            if not self._is_told_apart(row.rows, member):
                return sample(member, constraints_of(member), number, row.style)
            text = self._distinct(member, number, row.style, used)
        except NoSample:
            self._refuse(row.rows, member)
            return None
        used.add(json_text(text))
        return text

    def _distinct(self, member: Value, number: int, style: str, used: set[Any]) -> Any:
        """Return a value that no other record has; where there are too few, any."""
        limits = constraints_of(member)
        try:
            return sample(member, limits, number, style, used=_Texts(used))
        except NoSample:
            return sample(member, limits, number, style)

    def _is_told_apart(self, rows: RowSet, member: Value) -> bool:
        """Tell whether a field is a part of a key or a unique set."""
        tables = (columns for table in rows.tables for columns in unique_columns(table))
        is_unique = any(member.column in columns for columns in tables)
        return is_unique or member in rows.key or member.column.primary_key

    def _refuse(self, rows: RowSet, member: Member) -> None:
        text = (
            f"{rows.schema.__name__}: {member.name} takes nothing of what can be made up for it; "
            "give lock(..., goldens=...) records of yours"
        )
        if text not in self.mistakes:
            self.mistakes.append(text)

    def _children(self, row: SampleRow, member: Children) -> list[SampleRow]:
        kinds = sorted(
            member.rows.classes or [None], key=lambda kind: (kind is not None, str(kind))
        )
        if row.style == LEAST:
            return []
        first = [self._row(member.rows, row.style, kind, row) for kind in kinds[:1]]
        if row.style == PLAIN or is_single(member) or self._shares(member.rows):
            return first
        more = kinds[1:] or kinds
        return [*first, *(self._row(member.rows, PLAIN, kind, row) for kind in more)]

    def _shares(self, rows: RowSet) -> bool:
        return any(reference.shared for reference in rows.references)

    # References

    def _fill(self, row: SampleRow) -> None:
        """Set a record's references and lists of them, and those of what it owns."""
        if row.pinned:
            return
        for member in row.members():
            if isinstance(member, Reference):
                row.record[member.written] = self._reference(row, member)
            elif isinstance(member, Links):
                row.record[member.written] = self._links(row, member)
        for children in row.children.values():
            for child in children:
                self._fill(child)

    def _reference(self, row: SampleRow, member: Reference) -> Any:
        if member.written in row.record:
            return row.record[member.written]
        target = self._target(row, member)
        if target is None:
            if not member.nullable:
                self._refuse(row.rows, member)
                raise DeclarationError("goldens-needed", self.mistakes)
            key = None
        else:
            key = self._key(target, member)
        row.record[member.written] = key
        return key

    def _target(self, row: SampleRow, member: Reference) -> SampleRow | None:
        """Choose what is referred to: a record of the same style, of its own entity an earlier."""
        targets = list(self._targets(member))
        own = member.target.schema is row.rows.schema
        if row.style == LEAST and member.nullable:
            return None
        if own and member.nullable:
            if row.style != FULLEST or member.shared:
                return None
            targets = targets[
                : next((n for n, target in enumerate(targets) if target is row), len(targets))
            ]
            return targets[0] if targets else None
        same = [target for target in targets if target.style == row.style]
        return next(iter(same or targets), None)

    def _targets(self, member: Reference) -> Iterator[SampleRow]:
        table = member.remote[0].table
        extension = member.target.extension_of(table)
        for row in self.by_schema.get(member.target.schema, ()):
            if extension is None or row.kind in extension.classes:
                parts = [part for part in member.parts if member.by or not part.nullable]
                if all(self._part(row, part) is not None for part in parts):
                    yield row

    def _key(self, row: SampleRow, member: Reference) -> Any:
        key = {part.written: self._part(row, part) for part in member.parts}
        return next(iter(key.values())) if member.flat else key

    def _part(self, row: SampleRow, part: Value | Reference) -> Any:
        """Return what a record has as a part of its key; a way to its owner is the owner's key."""
        if part.written in row.record:
            return row.record[part.written]
        if not isinstance(part, Reference):
            return None
        if any(member.written == part.written for member in row.rows.members):
            return self._reference(row, part)
        parent = row.parent
        if parent is None or parent.rows.schema is not part.target.schema:
            return None  # another owner's
        return self._key(parent, part)

    def _links(self, row: SampleRow, member: Links) -> list[Any]:
        reference = member.reference
        targets = [target for target in self._targets(reference) if target is not row]
        count = {PLAIN: 1, LEAST: 0, FULLEST: 3}[row.style]
        same = [target for target in targets if target.style == row.style]
        chosen = [*same, *(target for target in targets if target not in same)][:count]
        if reference.shared:
            chosen = same[:count]
        keys = {json_text(key): key for target in chosen for key in [self._key(target, reference)]}
        return sorted(keys.values(), key=lambda key: reference_order(reference, key))

    # Whole records

    def _whole(self, row: SampleRow) -> Record:
        if row.pinned:
            return row.record
        record = {}
        for member in row.members():
            if isinstance(member, Children):
                children = [self._whole(child) for child in row.children[member.written]]
                record[member.written] = as_listed(member, children, plain_json_text)
            else:
                record[member.written] = row.record[member.written]
        return record

    def _sorted(self, rows: RowSet, records: list[Record]) -> list[Record]:
        """Sort by key, and leave out what has the key of another."""
        records_by_key: dict[bytes, Record] = {}
        for record in records:
            records_by_key.setdefault(json_text([record[name] for name in rows.key_names]), record)
        return sorted(records_by_key.values(), key=lambda record: key_order(rows.key, record))


class _Texts:
    """Values by their canonical text, since lists and objects have no hash."""

    def __init__(self, texts: set[Any]) -> None:
        self.texts = texts

    def __contains__(self, value: Any) -> bool:
        return json_text(value) in self.texts
