"""From raw rows to records: generated comprehensions, then one encoder for all.

Nothing here reads a database; what a record nests is handed in, by place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from lading.codegen import Source
from lading.database.dialects.base import Dialect, Row
from lading.database.dialects.real_columns import UnfitValue
from lading.database.dialects.sqlite_decimals import Unscaled
from lading.database.dialects.type_processors import NotUndone
from lading.errors import LadingError, TargetError
from lading.exporting.class_fields import KindSource
from lading.exporting.query import ReferenceSlot, Selection, ValueSlot
from lading.mapping.columns import kind_of, underlying
from lading.mapping.meta_options import stored_names
from lading.model.hidden import HIDDEN, hides, told_fault
from lading.model.rowsets import Children, Column, Links, Reference, RowSet, Value
from lading.records.key_source import (
    order_source,
    own_key_source,
    reference_source,
    sorts_as_written,
)
from lading.records.layout import KeyLayout, RecordLayout, id_names
from lading.records.lines import encode_lines
from lading.values.base import article

NULL = msgspec.Raw(b"null")


class MissingTarget(ValueError):
    """A foreign key is set and its target is not there."""


class RowEncoder:
    """Turns the rows of one selection into encoded structs."""

    def __init__(
        self,
        rows: RowSet,
        selection: Selection,
        layout: RecordLayout,
        *,
        ids: bool,
        rounded: dict[str, int] | None = None,
    ) -> None:
        #: How many cells of the rows were rounded, by the column's name.
        self.rounded: dict[str, int] = defaultdict(int) if rounded is None else rounded
        self.rows = rows
        self.layout = layout
        self.dialect: Dialect = selection.dialect
        self.source = Source(rows.name)
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
        kind = rows.discriminator
        written = self._value(slots[kind.name]) if kind is not None else ""
        self.kind = KindSource(rows, selection, self.source, written)
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
        loop += self.kind.loop
        self._encode = self.source.compile(f"lambda rows, nested: [{record}({values}) {loop}]")
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

    def records(self, rows: Sequence[Row], nested: Sequence[Sequence[Any]]) -> list[Any]:
        """Make a struct of each row; ``nested`` holds one list per links and children."""
        try:
            return self._encode(rows, nested)  # type: ignore[no-any-return]
        except Exception as error:
            raise self._located(rows, nested, error) from error

    def keys(self, records: Sequence[Any]) -> list[Any]:
        """Return each record's natural key, as nested tuples of written forms."""
        return self._key(records)  # type: ignore[no-any-return]

    def order(self, keys: list[Any]) -> list[Any]:
        """Return what keys sort by."""
        if sorts_as_written(self.rows.key):
            return keys
        source = Source(f"{self.rows.name} order")
        text = order_source(source, self.rows.key, "k")
        if not hasattr(self, "_order"):
            self._order = source.compile(f"lambda keys: [{text} for k in keys]")
        return self._order(keys)  # type: ignore[no-any-return]

    # Source text

    def _source(self, member: Any, slot: Any) -> str:
        if isinstance(slot, ValueSlot):
            text = self._value(slot, noted=True)
            return self.kind.only(member, text, f"c{slot.place} is None")
        if isinstance(slot, ReferenceSlot):
            text = self._reference(slot, self.layout.keys.get(member.name))
            empty = slot.is_null() if member.classes is not None else ""
            return self.kind.only(member, text, empty)
        nested = f"n{self.nested.index(member)}"
        return self.kind.only(member, nested, f"not {nested}")

    def _value(self, slot: ValueSlot, *, noted: bool = False) -> str:
        """Return source for a value; where cells are rounded, those of the row itself count."""
        value = slot.value
        read = self.dialect.reader(value.carrier, value.kind)
        if noted:
            note = partial(self._note, f"{value.column.table.fullname}.{value.column.name}")
            read = self.dialect.codecs.noting(value.carrier, value.kind, note) or read
        x = f"c{slot.place}"
        text = self.source.use(read, x)
        null = "None"
        if value.kind.is_json:
            text = f"{self.source.name(msgspec.Raw, 'Raw')}({text})"
            null = self.source.name(NULL, "null")
        if value.nullable:
            return f"({null} if {x} is None else {text})"
        return text

    def _note(self, column: str) -> None:
        self.rounded[column] += 1

    def _reference(self, slot: ReferenceSlot, layout: KeyLayout | None) -> str:
        """Return source for a reference; a key that is flat or recurs needs no layout."""
        if slot.identity:
            text = slot.held_source(self.source)
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
        references = {f"{item.name}_id": item for item in self.rows.references}
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

    # Errors

    def _located(
        self, rows: Sequence[Row], nested: Sequence[Sequence[Any]], error: Exception
    ) -> LadingError:
        """Find the first row and field that can't be written, and say so."""
        names = [f"c{place}" for place in range(self.width)]
        variables = ", ".join([*names, *(f"n{place}" for place in range(len(nested)))])
        for place, bare in enumerate(rows):
            row = (*bare, *(lists[place] for lists in nested))
            if self.rows.discriminator is not None:
                try:
                    self._one_field(variables, "d")(*row)
                except Exception as cause:
                    return self._unwritable(row, self.rows.discriminator.name, cause)
            for name, text in self.fields.items():
                try:
                    self._one_field(variables, text)(*row)
                except Exception as cause:
                    return self._unwritable(row, name, cause)
        return TargetError(f"a row can't be written: {error}", entity=self.rows.name)

    def _unwritable(self, row: Row, name: str, cause: Exception) -> LadingError:
        key = self._best_key(row)
        member = next(item for item in self.rows.members if item.name == name)
        problem = str(cause)
        if not isinstance(cause, ValueError):
            what = f"{article(member.kind.name)} value" if isinstance(member, Value) else "a value"
            problem = f"the database holds what can't be read as {what} ({cause})"
        problem = told_fault(self.rows, member.written, problem)
        who = f" (in the row with {key})" if key else ""
        remedy = "Correct the row and export again."
        if isinstance(cause, UnfitValue):
            remedy = "Alter the column to what the model says, or the model to what the column is."
        elif isinstance(cause, Unscaled):
            remedy = (
                "Correct the row, or have what SQLAlchemy reads of such numbers written, by the "
                "catalog's option sqlite_decimals='as_read'."
            )
        elif isinstance(cause, NotUndone):
            remedy = stored_remedy(self.rows, name)
        elif isinstance(cause, MissingTarget):
            remedy = "Add the missing row, or set the foreign key to one that exists."
        return TargetError(
            f"{problem}{who}", remedy, entity=self.rows.name, field=member.written, key=key or None
        )

    def _one_field(self, variables: str, text: str) -> Any:
        made = f"[{text}{self.kind.loop}][0]" if self.kind.loop else text
        return self.source.compile(f"lambda {variables}: {made}")

    def _best_key(self, row: Row) -> str:
        """Describe the row by whatever of its key can be read, else by its identity."""
        variables = ", ".join(f"c{place}" for place in range(self.width))
        parts = []
        for part in self.rows.key:
            try:
                read = self.source.compile(f"lambda {variables}: {self.fields[part.name]}")
                value = read(*row[: self.width])
            except Exception:  # noqa: S112 - the key itself may be what is broken
                continue
            text = HIDDEN if hides(part) else encode_lines([value])[0].decode()
            parts.append(f"{part.written} {text}")
        return ", ".join(parts)


def stored_remedy(rows: RowSet, name: str) -> str:
    """Say how a field travels as it is stored, ready to be pasted."""
    names = dict.fromkeys([*stored_names(rows.schema), name])
    field = name in rows.schema._declared_fields
    columns = [value.column for value in rows.values if value.name == name]
    if field and any(kind_of(underlying(column.type)) is None for column in columns):
        return "Correct the field, so that it reads what it wrote."
    remove = f"remove the field {name}, and " if field else ""
    return (
        f"To let the stored value travel as it is, {remove}write stored = "
        f"({', '.join(map(repr, names))},) in the Meta of {rows.schema.__name__}."
    )


def _missing(reference: Reference) -> Any:
    columns = ", ".join(column.name for column in reference.columns)
    table = reference.target.table.fullname

    def fail(*values: Any) -> Any:
        shown = f" = {values[0] if len(values) == 1 else values}" if values else ""
        raise MissingTarget(f"{columns}{shown} refers to no row of {table}")

    return fail


def _partly(reference: Reference) -> Any:
    columns = ", ".join(column.name for column in reference.columns)

    def fail(*values: Any) -> Any:
        raise ValueError(f"the foreign key ({columns}) is partly null: {values}")

    return fail
