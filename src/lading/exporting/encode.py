"""From raw rows to records: generated comprehensions, then one encoder for all.

Nothing here reads a database; what a record nests is handed in, by place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from lading.codegen import CodeBuilder
from lading.database.dialects.base import Dialect, Row
from lading.exporting.class_fields import ClassSource
from lading.exporting.query import ReferenceSlot, Selection, ValueSlot
from lading.exporting.row_faults import MissingTarget, PartlyNull, RowFaults
from lading.mapping.columns import kind_of
from lading.model.hidden import shown_foreign_key
from lading.model.rowsets import Children, Column, Links, Reference, RowSet, Value
from lading.records.key_source import (
    order_source,
    own_key_source,
    reference_source,
    sorts_as_written,
)
from lading.records.layout import KeyLayout, RecordLayout, id_names

NULL = msgspec.Raw(b"null")


class RowEncoder:
    """Turns the rows of one selection into encoded structs."""

    def __init__(
        self,
        rows: RowSet,
        selection: Selection,
        layout: RecordLayout,
        *,
        ids: bool,
    ) -> None:
        self.rows = rows
        self.layout = layout
        self.dialect: Dialect = selection.dialect
        self.source = CodeBuilder(rows.name)
        self.nested: list[Links | Children] = [*rows.links, *rows.children]
        self.fields: dict[str, str] = {}
        slots: dict[str, Any] = {}
        for member in rows.members:
            if isinstance(member, Value):
                slots[member.name] = selection.value(member, member.column.table)
            elif isinstance(member, Reference):
                foreign = member.classes is not None
                source = member.columns[0].table
                slots[member.name] = selection.reference(member, source, foreign=foreign)
        discriminator = rows.discriminator
        written = self._value(slots[discriminator.name]) if discriminator is not None else ""
        self.class_source = ClassSource(rows, selection, self.source, written)
        for member in rows.members:
            self.fields[member.name] = self._source(member, slots.get(member.name))
        self.id_sources = self._ids(selection) if ids else []
        self.width = 0

    def ready(self, width: int) -> None:
        """Compile, once the selection has all of its columns."""
        self.width = width
        variables = [f"c{place}" for place in range(width)]
        extras = [f"n{place}" for place in range(len(self.nested))]
        record = self.source.name(self.layout.encoded, "Record")
        values = ", ".join([*self.fields.values(), *self.id_sources])
        row = f"({', '.join(variables)},)"
        if extras:
            loop = f"for {row}, {', '.join(extras)} in zip(rows, *nested)"
        else:
            loop = f"for {row} in rows"
        loop += self.class_source.loop
        self._encode = self.source.compile(
            f"lambda rows, nested, keys, rounded: [{record}({values}) {loop}]"
        )
        self._order: Callable[[list[Any]], list[Any]] | None = None
        if not sorts_as_written(self.rows.key):
            order = order_source(self.source, self.rows.key, "k")
            self._order = self.source.compile(f"lambda keys: [{order} for k in keys]")
        self._key = self.source.compile(f"lambda records: [{self._key_source()} for r in records]")

    def _key_source(self) -> str:
        places = [self.layout.place[part.name] for part in self.rows.key]
        items = []
        for part, place in zip(self.rows.key, places, strict=True):
            if isinstance(part, Value):
                items.append(f"r.{place}")
            else:
                items.append(reference_source(part, f"r.{place}"))
        return own_key_source(self.rows.key, items)

    def records(
        self,
        rows: Sequence[Row],
        nested: Sequence[Sequence[Any]],
        keys: Sequence[Mapping[Row, Any]],
        rounded: dict[str, int],
    ) -> list[Any]:
        """Make a struct of each row.

        Args:
            rows: what the selection's columns hold.
            nested: one list per links and children, of what each row nests.
            keys: for each reference whose key recurs, the keys by the targets' primary keys.
            rounded: counts the cells that are rounded, by the column's name.

        Raises:
            TargetError: a row holds what no record can; it names the first such field.
        """
        try:
            return self._encode(rows, nested, keys, rounded)  # type: ignore[no-any-return]
        except Exception as error:
            loop, is_loose = self.class_source.loop, self.dialect.keeps_any_type
            faults = RowFaults(
                self.rows, self.source, self.fields, loop, self.width, is_loose=is_loose
            )
            raise faults.located(rows, nested, keys, error) from error

    def keys(self, records: Sequence[Any]) -> list[Any]:
        """Return each record's natural key, as nested tuples of written forms."""
        return self._key(records)  # type: ignore[no-any-return]

    def order(self, keys: list[Any]) -> list[Any]:
        """Return what keys sort by."""
        return keys if self._order is None else self._order(keys)

    # CodeBuilder text

    def _source(self, member: Any, slot: Any) -> str:
        if isinstance(slot, ValueSlot):
            text = self._value(slot, noted=True)
            return self.class_source.only(member, text, f"c{slot.place} is None")
        if isinstance(slot, ReferenceSlot):
            text = self._reference(slot, self.layout.keys.get(member.name))
            empty = slot.is_null() if member.classes is not None else ""
            return self.class_source.only(member, text, empty)
        nested = f"n{self.nested.index(member)}"
        return self.class_source.only(member, nested, f"not {nested}")

    def _value(self, slot: ValueSlot, *, noted: bool = False) -> str:
        """Return source for a value; where cells are rounded, those of the row itself count."""
        value = slot.value
        x = f"c{slot.place}"
        text = self.source.use(self.dialect.reader(value.carrier, value.kind), x)
        is_rounded = self.dialect.codecs.rounds(value.carrier, value.kind) if noted else None
        if is_rounded is not None:
            column = f"{value.column.table.fullname}.{value.column.name}"
            count = self.source.name(_counting(is_rounded, column), "count")
            text = f"({count}({x}, rounded) or {text})"
        null = "None"
        if value.kind.is_json:
            text = f"{self.source.name(msgspec.Raw, 'Raw')}({text})"
            null = self.source.name(NULL, "null")
        if value.nullable:
            return f"({null} if {x} is None else {text})"
        return text

    def _reference(self, slot: ReferenceSlot, layout: KeyLayout | None) -> str:
        """Return source for a reference; a key that is flat or recurs needs no layout."""
        if slot.identity:
            text = slot.key_text()
        elif slot.reference.flat:
            text = self._value(slot.parts[0])  # type: ignore[arg-type]
        else:
            assert layout is not None
            parts = [
                self._value(part)
                if isinstance(part, ValueSlot)
                else self._reference(part, layout.nested.get(place))
                for place, part in enumerate(slot.parts)
            ]
            text = f"{self.source.name(layout.struct, 'Key')}({', '.join(parts)})"
        return self._guarded(slot, text)

    def _guarded(self, slot: ReferenceSlot, text: str) -> str:
        """Null where the foreign key is; an error where the target is missing."""
        missing = self.source.name(_missing(slot.reference), "missing")
        shown = ", ".join(f"c{place}" for place in slot.foreign)
        text = f"({text} if c{slot.present} is not None else {missing}({shown}))"
        if not slot.reference.nullable:
            return text
        some = " or ".join(f"c{place} is None" for place in slot.foreign)
        if len(slot.foreign) > 1:
            partly = self.source.name(_partly(slot.reference), "partly")
            text = f"({partly}({shown}) if {some} else {text})"
        return f"(None if {slot.is_null()} else {text})"

    def _ids(self, selection: Selection) -> list[str]:
        """Return sources for the ids that people debug by, in their written form."""
        surrogate = self.rows.surrogate
        references = {f"{reference.name}_id": reference for reference in self.rows.references}
        sources = []
        for name in id_names(self.rows):
            if surrogate is not None and name == surrogate.name:
                sources.append(self._id(selection, surrogate))
                continue
            items = [self._id(selection, column) for column in references[name].columns]
            sources.append(items[0] if len(items) == 1 else f"[{', '.join(items)}]")
        return sources

    def _id(self, selection: Selection, column: Column) -> str:
        kind = kind_of(column.type)
        if kind is None:
            return f"c{selection.raw(column)}"
        x = f"c{selection.add(column, kind)}"
        return f"(None if {x} is None else {self.source.use(self.dialect.reader(column, kind), x)})"


def _missing(reference: Reference) -> Any:
    columns = ", ".join(column.name for column in reference.columns)
    table = reference.target.table.fullname

    def fail(*values: Any) -> Any:
        value = f" = {shown_foreign_key(reference, values)}" if values else ""
        # A collation may take another text for equal; a restore would write that one.
        exactly = " with exactly this text" if any(isinstance(v, str) for v in values) else ""
        raise MissingTarget(f"{columns}{value} refers to no row of {table}{exactly}")

    return fail


def _partly(reference: Reference) -> Any:
    columns = ", ".join(column.name for column in reference.columns)

    def fail(*values: Any) -> Any:
        text = shown_foreign_key(reference, values)
        raise PartlyNull(f"the foreign key ({columns}) is partly null: {text}")

    return fail


def _counting(is_rounded: Callable[[Any], bool], column: str) -> Callable[..., None]:
    """Return what counts a column's cell where it is rounded."""

    def count(raw: Any, rounded: dict[str, int]) -> None:
        if is_rounded(raw):
            rounded[column] += 1

    return count
