"""Finds written records that share with others a field by which references find them.

No constraint keeps such a field unique.  Once a row refers to one of several records that share
it, no export can say which is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.lookup import rows_among, streamed_among
from lading.exporting.reader import RecordReader
from lading.exporting.selection import chain
from lading.importing.batch import Batch
from lading.importing.context import LoadContext
from lading.importing.outcomes import EntityOutcome
from lading.importing.row_marks import RowMarks
from lading.importing.updates.row_changes import RecordUpdates
from lading.messages import Message, shown
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.hidden import HIDDEN, hides
from lading.model.rowsets import Reference, RowSet, Value, references_of
from lading.model.uniqueness import is_guarded
from lading.records.comparison import RecordComparison
from lading.records.describe import described
from lading.records.raw_records import RawReader
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text


@dataclass(frozen=True, slots=True)
class ReferenceBy:
    """A reference by a field of another entity, with the rows and the entity that hold it."""

    root: RowSet
    rows: RowSet
    reference: Reference


@dataclass(frozen=True, slots=True)
class KeyOfRecord:
    """What a written record holds in a field: the record's number, and the row that it updates."""

    field: str
    value: Any
    number: int
    identity: Row | None


@computed_once
def fields_referred_by(entities: Entities) -> dict[str, dict[Value, list[ReferenceBy]]]:
    """Return the fields by which references find records and that may repeat, by entity."""
    fields: dict[str, dict[Value, list[ReferenceBy]]] = {}
    for root in entities.roots.values():
        for _, rows, reference in references_of(root):
            part, target = reference.parts[0], reference.target
            if reference.by is None or target.is_owned or not isinstance(part, Value):
                continue
            own = entities[target.entity]
            value = next(value for value in own.values if value.column is part.column)
            if not is_guarded(own, (value,)):
                owners = fields.setdefault(own.name, {}).setdefault(value, [])
                owners.append(ReferenceBy(root, rows, reference))
    return fields


def reference_keys(
    context: LoadContext, root: RowSet, outcome: EntityOutcome, *, is_planned: bool
) -> ReferenceKeys | None:
    """Return what checks such fields of an entity; ``None`` if it has none.

    Args:
        context: the load.
        root: the entity.
        outcome: takes the problems of its records.
        is_planned: whether nothing is written.
    """
    if root.name not in fields_referred_by(context.entities):
        return None
    return ReferenceKeys(context, root, outcome, is_planned=is_planned)


class ReferenceKeys:
    """What written records of one entity hold in fields by which references find them.

    ``is_planned`` says that nothing is written: the database still holds what was there before.
    """

    def __init__(
        self, context: LoadContext, root: RowSet, outcome: EntityOutcome, *, is_planned: bool
    ) -> None:
        self.context = context
        self.root = root
        self.outcome = outcome
        self.is_planned = is_planned
        self.fields = fields_referred_by(context.entities)[root.name]
        self.written = context.journal.spool()
        #: The numbers of the records that are refused here: others are bad anew in every load.
        self.refused: set[int] = set()
        #: How many records will hold each value, and the rows that give up what they hold.
        self.planned = context.journal.closing(KeyIndex())
        self.giving = context.journal.closing(RowMarks())
        dialect = context.database.dialect
        self.raw = RawReader(root, RecordComparison(root, dialect))
        self.binds = {v: dialect.binder(v.carrier, v.kind).function() for v in self.fields}
        self.reads = {v: dialect.reader(v.carrier, v.kind).function() for v in self.fields}

    def add_new(self, batch: Batch) -> None:
        """Note new records."""
        for value in self.fields:
            self._add(value, batch, range(len(batch)), [None] * len(batch))

    def add_changed(self, updates: RecordUpdates) -> None:
        """Note the records that get another value in one of the fields."""
        changes = updates.changes
        for value in self.fields:
            places = [n for n, names in enumerate(changes.fields) if value.name in names]
            self._add(value, updates.batch, places, changes.identities)
            if self.is_planned and places:
                self.giving.add((value.name, *(changes.identities[n] or ())) for n in places)

    def _add(
        self, value: Value, batch: Batch, places: Sequence[int], identities: Sequence[Row | None]
    ) -> None:
        keys = []
        for n in places:
            written = self.raw.new_content(batch.lines[n]).get(value.written)
            if written is not None:
                keys.append(KeyOfRecord(value.name, written, batch.numbers[n], identities[n]))
        if keys:
            self.written.append(keys)
        if keys and self.is_planned:
            self.planned.fill((_text(value, key.value), b"", key.number) for key in keys)

    def field_of(self, reference: Reference) -> Value | None:
        """Return the field by which a reference finds records, if these may share it."""
        columns = [part.column for part in reference.parts if isinstance(part, Value)]
        return next((value for value in self.fields if [value.column] == columns), None)

    def holders(self, value: Value, written: Iterable[Any]) -> dict[str, list[Row]]:
        """Map values to the rows that hold them, but to those that give them up."""
        forms: list[Row] = []
        for each in written:
            with suppress(ValueError, TypeError, KeyError):  # a value that no row can have
                bound = self.binds[value](each)
                forms += [
                    (form,) for form in self.context.database.dialect.forms(value.kind, bound)
                ]
        database = self.context.database
        selected = database.dialect.selected(value.carrier, value.kind)
        table = value.column.table
        columns = [selected, *self.root.identity_in(table)]
        named = [column.label(f"c{n}") for n, column in enumerate(columns)]
        sql = database.dialect.text_of(sa.select(*named).select_from(table))
        names = database.dialect.qualified([value.column])
        rows_by_value: dict[str, list[Row]] = {}
        for row in rows_among(database, sql, [value.column], names, forms):
            identity = tuple(row[1:])
            if row[0] is not None and (value.name, *identity) not in self.giving:
                rows_by_value.setdefault(repr(self.reads[value](row[0])), []).append(identity)
        return rows_by_value

    def count(self, value: Value, written: Iterable[Any]) -> dict[str, int]:
        """Count the records that will hold each value when references are resolved, by a plan."""
        wanted = list(written)
        rows = self.holders(value, wanted)
        return {repr(v): len(rows.get(repr(v), ())) + self._planned(value, v) for v in wanted}

    def _planned(self, value: Value, written: Any) -> int:
        return self.planned.times(_text(value, written)) if self.is_planned else 0

    # In the end

    def check(self, gone: Mapping[str, RowMarks]) -> None:
        """Report the written records that share a value by which a row refers to one of them.

        Args:
            gone: the records that are still to be deleted or to refer elsewhere, by entity.
        """
        fields = {value.name: value for value in self.fields}
        for keys in self.written:
            good = [key for key in keys if key.number not in self.outcome.bad]
            if good:
                self._check(fields[good[0].field], good, gone)
        self.context.exclusions.add_bad(self.root.name, self.refused)

    def _check(
        self, value: Value, keys: Sequence[KeyOfRecord], gone: Mapping[str, RowMarks]
    ) -> None:
        rows = self.holders(value, {repr(key.value): key.value for key in keys}.values())
        doomed = gone.get(self.root.name)
        sharing: dict[Row, list[KeyOfRecord]] = {}
        for key in keys:
            holders = rows.get(repr(key.value), [])
            if doomed is not None:
                holders = [holders[n] for n in doomed.without(holders)]
            if len(holders) + self._planned(value, key.value) > 1:
                for row in [*holders, *([key.identity] if key.identity is not None else [])]:
                    sharing.setdefault(row, []).append(key)
        for owner in self.fields[value] if sharing else ():
            records = self._referring(owner, list(sharing), gone)
            reader = RecordReader(self.context.database, owner.root)
            names = reader.keys_of(list(set(records.values()))) if records else {}
            for target, record in records.items():
                for key in sharing[target]:
                    if key.number not in self.outcome.bad:
                        name = described(owner.root.key, names[record])
                        self._fail(value, key, owner, name)

    def _fail(self, value: Value, key: KeyOfRecord, owner: ReferenceBy, name: str) -> None:
        text = HIDDEN if hides(value) else shown(key.value)
        message = Message(
            "reference-unclear",
            f"{text} would be that of several {self.root.name}, to one of which {owner.root.name} "
            f"with {name} refers by it ({owner.reference.written}): no export could tell which is "
            "meant. Correct one of them",
        )
        self.outcome.fail(key.number, None, value.written, message)
        self.refused.add(key.number)

    def _referring(
        self, owner: ReferenceBy, targets: Sequence[Row], gone: Mapping[str, RowMarks]
    ) -> dict[Row, Row]:
        """Map the rows that a reference leads to to a record that stays and refers to each."""
        database, reference = self.context.database, owner.reference
        target_of = self._held(reference, targets)
        near, identity = reference.columns, owner.root.identity
        columns = [column.label(f"c{n}") for n, column in enumerate((*near, *identity))]
        statement = (
            sa.select(*columns)
            .select_from(chain(owner.rows, reference.columns[0].table))
            .correlate(None)
        )
        sql, names = database.dialect.text_of(statement), database.dialect.qualified(near)
        marks = gone.get(owner.root.name)
        records: dict[Row, Row] = {}
        for rows in streamed_among(database, sql, near, names, list(target_of)):
            identities = [tuple(row[len(near) :]) for row in rows]
            for n in marks.without(identities) if marks is not None else range(len(rows)):
                target = target_of.get(tuple(rows[n][: len(near)]))
                if target is not None:
                    records[target] = min(
                        records.get(target, identities[n]), identities[n], key=repr
                    )
        return records

    def _held(self, reference: Reference, targets: Sequence[Row]) -> dict[Row, Row]:
        """Map what a foreign key holds of rows to their primary keys."""
        identity = reference.target.identity
        if reference.remote == identity:
            return {row: row for row in targets}
        database = self.context.database
        sql = database.dialect.text_of(sa.select(*reference.remote, *identity))
        names = database.dialect.qualified(identity)
        rows = rows_among(database, sql, identity, names, list(targets))
        width = len(reference.remote)
        return {tuple(row[:width]): tuple(row[width:]) for row in rows}


def _text(value: Value, written: Any) -> bytes:
    return json_text([value.name, repr(written)])
