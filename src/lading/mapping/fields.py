"""The marshmallow fields of an entity schema: strict, lossless, and without a session.

What a reference or an owned list writes depends on its target, so the catalog
binds these fields when it is first used; until then they only hold options.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.orm import InstanceState

from lading.errors import ArgumentError
from lading.mapping.key_forms import read_key, read_list, write_key
from lading.messages import Message, coded, shown
from lading.model.ordering import as_listed, by_columns, reference_order
from lading.model.rowsets import Children, Reference, RowSet, SchemaClass
from lading.values.base import Kind
from lading.values.json_text import on_own_stack


class ValueField(ma.fields.Field[Any]):
    """A plain value of one kind: written canonically, read strictly."""

    def __init__(self, kind: Kind, **options: Any) -> None:
        self.kind = kind
        super().__init__(**options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        try:
            return self.kind.write(value)
        except ValueError as error:
            raise ma.ValidationError(coded(str(error), "value-malformed")) from error

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.kind.read(value)
        except ValueError as error:
            text = f"{error}. Write {self.kind.form}"
            raise ma.ValidationError(Message("value-malformed", text)) from error


class Ref(ma.fields.Field[Any]):
    """A foreign key, written as the natural key of what it refers to.

    Args:
        relationship: The model's relationship, if the field has another name.  The foreign key's
            column does as well, or a tuple of all of its columns.
        flat: Whether to write ``"ingredient_slug": "flour"`` in place of
            ``"ingredient": {"slug": "flour"}``, for keys of one field.
        by: Another field of the target than its natural key, by which references are written and
            resolved.  A value that several rows share is then an error.
        entity: The target's schema (or entity), if its table has several.
        options: What a field of marshmallow takes.

    Raises:
        ArgumentError: if ``relationship`` or ``by`` isn't a name.
    """

    bound: Reference | None = None

    def __init__(
        self,
        relationship: str | list[str] | tuple[str, ...] | None = None,
        *,
        flat: bool = False,
        by: str | None = None,
        entity: str | SchemaClass | None = None,
        **options: Any,
    ) -> None:
        names = relationship if isinstance(relationship, list | tuple) else (relationship,)
        for name in names if relationship is not None else ():
            _require_name("relationship", name, "Name a target's schema by entity=…")
        _require_name("by", by)
        self.relationship = tuple(relationship) if isinstance(relationship, list) else relationship
        self.flat = flat
        self.by = by
        self.entity = entity
        super().__init__(**options)

    @property
    def reference(self) -> Reference:
        """What the catalog derived for this field."""
        if self.bound is None:
            raise RuntimeError(f"{self!r} is used before its catalog was")
        return self.bound

    def get_value(
        self, obj: Any, attr: str, accessor: Any = None, default: Any = ma.missing
    ) -> Any:
        """Return the record or object that is referred to, by its relationship or foreign key.

        Args:
            obj: the object that is dumped.
            attr: the field's name.
            accessor: ignored; marshmallow passes it.
            default: what to return if there is neither.
        """
        names = [self.attribute or attr]
        if self.bound is not None and self.bound.relationship is not None:
            names.append(self.bound.relationship)
        for name in names:
            value = super().get_value(obj, name, accessor, ma.missing)
            if value is not ma.missing:
                return value
        return self._by_foreign_key(obj, default)

    def _by_foreign_key(self, obj: Any, default: Any) -> Any:
        """Without a relationship, the object's own session knows the target."""
        state = sa.inspect(obj, raiseerr=False)
        session = state.session if isinstance(state, InstanceState) else None
        if session is None:
            return default
        reference = self.reference
        mapper = type(obj).__mapper__
        if not all(column in mapper.columns.values() for column in reference.columns):
            return default  # another class of its hierarchy has them
        values = [
            getattr(obj, mapper.get_property_by_column(column).key) for column in reference.columns
        ]
        if None in values:
            return None
        far = [reference.target.in_base(column) for column in reference.remote]
        # A column of a subclass's own table is an attribute of that class alone.
        family = reference.target.mapper.self_and_descendants
        target = next(mapped for mapped in family if set(far) <= set(mapped.columns.values()))
        names = [target.get_property_by_column(column).key for column in far]
        query = session.query(target.class_).filter_by(**dict(zip(names, values, strict=True)))
        return query.one()

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        written = write_key(self.reference, value)
        return next(iter(written.values())) if self.flat else written

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        parts = self.reference.parts
        if self.flat:
            value = {parts[0].written: value}
        try:
            return read_key(self.reference, value)
        except ma.ValidationError as error:
            if self.flat and isinstance(error.messages, dict):
                raise ma.ValidationError(error.messages[parts[0].written]) from error
            raise


def _require_name(argument: str, value: Any, remedy: str = "") -> None:
    """Refuse what isn't an attribute's name, such as the attribute itself."""
    if value is not None and not (isinstance(value, str) and value):
        raise ArgumentError(argument, value, "the name of an attribute", remedy)


class RefList(ma.fields.Field[Any]):
    """A many-to-many relationship: a list of natural keys."""

    bound: Reference | None = None

    def __init__(
        self,
        relationship: str | None = None,
        *,
        by: str | None = None,
        entity: str | SchemaClass | None = None,
        **options: Any,
    ) -> None:
        self.relationship = relationship
        self.by = by
        self.entity = entity
        super().__init__(**options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        assert self.bound is not None
        reference = self.bound
        written = [write_key(reference, target) for target in value or ()]
        return sorted(written, key=lambda target: reference_order(reference, target))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        assert self.bound is not None
        reference = self.bound
        return read_list(value, lambda key: read_key(reference, key))


def _json(record: Any) -> bytes:
    import msgspec  # which takes longer to import than all that a declaration needs of lading

    return on_own_stack(msgspec.json.encode, record)


def schema_of(rows: RowSet, **options: Any) -> ma.Schema:
    """Return an instance of a row set's schema class, which reads and writes its records."""
    schema = rows.schema.__new__(rows.schema)
    adopt(schema, rows)
    schema.__init__(**options)  # type: ignore[misc]
    return schema


def adopt(schema: ma.Schema, rows: RowSet) -> None:
    """Give an instance, and not its class, the fields that a catalog derived for a row set."""
    schema.rows = rows  # type: ignore[attr-defined]
    schema._declared_fields = rows.fields
    schema.opts = copy.copy(schema.opts)
    # marshmallow refuses to exclude what it doesn't know, and excluded fields are not derived.
    schema.opts.exclude = tuple(name for name in schema.opts.exclude if name in rows.fields)
    if schema.opts.fields:  # which may name what this catalog doesn't carry, such as an id
        schema.opts.fields = tuple(rows.fields)


class Owned(ma.fields.Field[Any]):
    """One-to-many children that live inside their parent's record, to any depth.

    Args:
        schema: The children's entity schema.
        via: The child's reference to this parent, if it has several.
        options: What a field of marshmallow takes.

    Raises:
        ArgumentError: if ``schema`` isn't a schema class, or ``via`` isn't a name.
    """

    bound: Children | None = None

    def __init__(self, schema: SchemaClass, *, via: str | None = None, **options: Any) -> None:
        class_: Any = schema
        if not (isinstance(class_, type) and issubclass(class_, ma.Schema)):
            raise ArgumentError("schema", schema, "the schema class of the children")
        _require_name("via", via)
        self.child = schema
        self.via = via
        super().__init__(**options)

    def nested(self) -> ma.Schema:
        """Return the children's schema, without their reference to the parent."""
        assert self.bound is not None
        return schema_of(self.bound.rows)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        schema = self.nested()
        children: Iterable[Any] = value or ()
        written = [schema.dump(child, many=False) for child in children]
        if self.bound is None or by_columns(self.bound, written) != written:
            return written  # an order of the caller's own
        return as_listed(self.bound, written, _json)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        schema = self.nested()
        return read_list(value, lambda record: schema.load(record, many=False))


class OneOfClasses(ma.validate.Validator):
    """Refuses a discriminator that no class of the hierarchy has."""

    def __init__(self, kind: Kind, classes: frozenset[Any]) -> None:
        self.kind = kind
        self.classes = classes

    def __call__(self, value: Any) -> Any:
        """Return the value if it is known."""
        if self.kind.write(value) not in self.classes:
            known = ", ".join(
                sorted(repr(identity) for identity in self.classes if identity is not None)
            )
            raise ma.ValidationError(
                Message("class-unknown", f"unknown class {shown(value)}; expected one of: {known}")
            )
        return value
