"""Makes the members of one row set from its table, its mapper and its schema's fields."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from lading.mapping.columns import kind_of, type_name
from lading.mapping.context import RowSetDraft
from lading.mapping.engine_types import EngineType
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import OneOfClasses, Owned, ValueField
from lading.mapping.foreign_keys import ForeignKeys
from lading.mapping.references import add_reference, refuse_one_way
from lading.mapping.surrogate_keys import declared_name, field_name, lost_id
from lading.mapping.type_fields import field_for
from lading.mapping.unmatched_fields import misnamed
from lading.mapping.value_fields import Carried, carried
from lading.messages import shown
from lading.model.rowsets import Column, Value


class Members:
    """Fills a row set with what its tables' own columns make; what can't be used is reported."""

    def __init__(self, draft: RowSetDraft) -> None:
        self.draft = draft
        self.rows = draft.rows

    def fill(self) -> None:
        """Add the values and the references, in the order of the columns."""
        lost = lost_id(self.draft)
        if lost is not None:
            self.draft.report("column-lost", lost)
        foreign = ForeignKeys(self.draft)
        self.draft.foreign = [key.local for key in foreign.keys]
        for column in self.draft.hierarchy.columns():
            for key in foreign.at(column):
                add_reference(self.draft, key)
            if column not in foreign.key_columns:
                self._value(column)

    def discriminate(self) -> None:
        """Find the discriminator's field, and have it refuse values that no class has."""
        column = self.draft.hierarchy.discriminator
        if self.rows.classes is None or column is None:
            return
        if self.draft.hierarchy.attribute(column) in self.draft.failed:
            return
        values = [value for value in self.rows.values if value.column is column and value.writable]
        if not values:
            self.draft.report(
                "hierarchy-malformed",
                f"{column.name} says which class a record is of, so it can't be left out; "
                "neither exclude it nor make it dump_only",
            )
            return
        self.rows.discriminator = values[0]
        for written in sorted(self.rows.classes - {None}, key=str):
            fault = _other_form(values[0], written)
            if fault is not None:
                self.draft.report(
                    "hierarchy-malformed",
                    f"{values[0].name} says which class a record is of, {fault}",
                )
                return
        known = OneOfClasses(values[0].kind, self.rows.classes)
        values[0].field.validators = [*values[0].field.validators, known]

    def leftovers(self) -> None:
        """Report fields that match nothing in the model, so that no import would restore them."""
        for name, field in self.draft.declared.items():
            if isinstance(field, Owned):
                refuse_one_way(self.draft, name, field)
        for text in misnamed(self.draft):
            self.draft.report("field-unmatched", text)

    def _value(self, column: Column) -> None:
        """Add a column's value, unless the schema leaves it out."""
        draft = self.draft
        attribute = draft.hierarchy.attribute(column)
        if attribute is None:
            return
        name, declared = self._declared_for(attribute)
        if self.rows.identity == (column,):
            name = field_name(draft, attribute)
        draft.names.add(name)
        if draft.excluded.leaves_out(name, attribute):
            return
        form = self._carried(name, declared, column)
        if form is None:
            return
        if form.field.load_only or name in draft.schema.opts.load_only:
            draft.report(
                "field-unmatched",
                f"{name} is load_only, so an export would forget it; remove load_only",
            )
        self.rows.members.append(self._value_of(name, attribute, column, form))

    def _value_of(self, name: str, attribute: str, column: Column, form: Carried) -> Value:
        """Return the value that a column is, under the name of its field."""
        draft, field = self.draft, form.field
        is_dumped_only = field.dump_only or name in draft.schema.opts.dump_only
        writable = column.computed is None and not is_dumped_only
        if not writable and isinstance(field, ValueField):
            field = ValueField(field.kind, dump_only=True)
        if name != attribute:
            field.attribute = attribute
        return Value(
            name,
            field.data_key or name,
            field,
            bool(column.nullable) or not writable,
            attribute,
            column,
            form.kind,
            writable,
            form.stored,
            name in draft.hidden,
            classes=draft.hierarchy.classes_of((column,)),
        )

    def _carried(
        self, name: str, declared: ma.fields.Field[Any] | None, column: Column
    ) -> Carried | None:
        """Return how a column's values travel; report a column of an unknown type."""
        stored = name in self.draft.stored
        try:
            if declared is None and not stored:
                declared = field_for(column.type, self.draft.context.settings.types)
            elif declared is not None and stored:
                raise AmbiguousDeclaration(
                    "it is declared as a field and named in Meta.stored; remove one"
                )
            form = carried(name, column, declared, stored=stored)
        except AmbiguousDeclaration as error:
            if self.draft.is_adopted:
                return self._decided(name, column)
            self.draft.failed.add(name)
            self.draft.report("type-unknown", f"{name}: {error}, or leave it out with Meta.exclude")
            return None
        if self.draft.is_adopted and form.stored is not None:
            self._record_stored(name, column)
        if self.draft.is_adopted and isinstance(column.type, EngineType):
            reason = f"travels as {column.type.engine} gives its type {column.type.name}"
            self.draft.decide(name, reason)
        return form

    def _decided(self, name: str, column: Column) -> Carried | None:
        """Return how an adopted column of an unknown type travels: as it is stored, or not."""
        try:
            form = carried(name, column, None, stored=True)
        except AmbiguousDeclaration:
            reason = f"lading has no portable form for values of {type_name(column)}"
            self.draft.context.left_out[f"{column.table.fullname}.{column.name}"] = reason
            return None
        self._record_stored(name, column)
        return form

    def _record_stored(self, name: str, column: Column) -> None:
        self.draft.decide(
            name, f"travels as it is stored, for only {column.type!r} knows its values"
        )

    def _declared_for(self, attribute: str) -> tuple[str, ma.fields.Field[Any] | None]:
        """Return the declared field of an attribute: by its name or by ``attribute=``."""
        name = declared_name(self.draft, attribute)
        if name is None:
            return attribute, None
        self.draft.used.add(name)
        return name, self.draft.declared[name]


def _other_form(value: Value, written: Any) -> str | None:
    """Say how a field of the application's own changes a discriminator, if it does."""
    kind = kind_of(value.column.type)
    if kind is None or value.stored is not None:
        return None
    field = value.field
    try:
        serialized = field._serialize(kind.read(written), value.name, {})
    except Exception as error:  # a field of the application's own may raise anything
        serialized = error
    if type(serialized) is type(written) and serialized == written:
        return None
    return (
        f"and its field, {type(field).__name__}, writes {shown(serialized)} where its column's "
        f"type writes {shown(written)}; leave it to be derived, without a declared field or "
        "Catalog's types"
    )
