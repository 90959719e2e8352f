"""Makes the members of one row set from its table, its mapper and its schema's fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import marshmallow as ma
import sqlalchemy as sa
from marshmallow_sqlalchemy import ModelConverter
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty
from sqlalchemy.types import TypeEngine

from lading.declare.columns import converts_in_sql, is_opaque, kind_of
from lading.declare.fields import FieldKind, Owned, Ref, RefList, ValueField
from lading.declare.infer import Unclear, attribute_of, many_to_one
from lading.declare.rowsets import Column, Links, Reference, RowSet, Value
from lading.kind import Kind
from lading.moments import DateTime
from lading.values import Bytes, Text

if TYPE_CHECKING:
    from lading.declare.derivation import Derivation
    from lading.declare.schema import EntitySchema


def strict_field(_: ModelConverter, type_: TypeEngine[Any]) -> Callable[..., ma.fields.Field[Any]]:
    """Return what makes our own field for a column type, from the converter's options."""
    kind = kind_of(type_)
    if kind is None:
        raise Unclear(f"{type_!r} has a Python type that lading doesn't know")

    def make(*, validate: Any, **options: Any) -> ma.fields.Field[Any]:
        for lossy in ("enum", "places"):
            options.pop(lossy, None)
        sized = isinstance(kind, Text | Bytes)
        return ValueField(kind, validate=validate if sized else [], **options)

    return make


class StrictConverter(ModelConverter):
    """marshmallow-sqlalchemy's converter, with our fields in place of its lossy ones."""

    SQLA_TYPE_MAPPING = {TypeEngine: strict_field}  # noqa: RUF012


class Members:
    """Fills one row set with members; what can't be used goes to ``report``."""

    def __init__(self, work: Derivation, rows: RowSet) -> None:
        self.work = work
        self.rows = rows
        self.schema = rows.schema
        self.declared: dict[str, ma.fields.Field[Any]] = dict(rows.schema.declared)
        self.excluded = Excluded(rows.schema)
        self.used: set[str] = set()
        self.seen: set[str] = set()

    def report(self, text: str) -> None:
        """Note a mistake of this schema."""
        self.work.report(self.schema, text)

    def fill(self) -> None:
        """Add every member but the owned lists, which need all row sets first."""
        referring = self._foreign_keys()
        position: dict[Column, Any] = {}
        for constraint_columns, make in referring:
            position[constraint_columns[0]] = make
        held = {column for columns, _ in referring for column in columns}
        for column in self.rows.table.columns:
            if column in position:
                position[column]()
            elif column not in held:
                self._value(column)
        self._link_lists()

    def leftovers(self) -> None:
        """Report fields that match nothing in the model and would write nothing back."""
        known = {*self.seen, *self.declared, *self.rows.mapper.attrs.keys()}
        for name in self.excluded.unknown(known):
            self.report(f"Meta names {name!r}, which is no field of it")
        for name, field in self.declared.items():
            if name in self.used or isinstance(field, Owned) or name in self.excluded:
                continue
            if isinstance(field, Ref | RefList):
                if (field.relationship or name) in self.rows.mapper.relationships:
                    self.report(
                        f"{name} = Ref(...) is a relationship to many; write {name} = Owned(...) "
                        "if they live in its record, or remove it"
                    )
                    continue
                self.report(
                    f"{name} = Ref(...) names no foreign key of {self.rows.table.fullname}; "
                    "name its relationship: Ref('relationship')"
                )
            elif not (field.dump_only or isinstance(field, ma.fields.Method | ma.fields.Function)):
                self.report(
                    f"{name} is no column of {self.rows.table.fullname}, so nothing could "
                    "restore it; give it attribute=..., or dump_only=True"
                )

    # Plain values

    def _value(self, column: Column) -> None:
        attribute = attribute_of(self.rows.mapper, column)
        if attribute is None:
            return
        name, declared = self._declared_for(attribute)
        self.seen.add(name)
        if name in self.excluded:
            return
        try:
            field, kind = self._field_of(name, declared, column)
        except Unclear as error:
            self.report(f"{name}: {error}, or leave it out with Meta.exclude")
            return
        if field.load_only or name in self.schema.opts.load_only:
            self.report(f"{name} is load_only, so an export would forget it; remove load_only")
        computed = column.computed is not None
        writable = not computed and not field.dump_only and name not in self.schema.opts.dump_only
        if not writable and isinstance(field, ValueField):
            field = ValueField(field.kind, dump_only=True)
        nullable = bool(column.nullable) or not writable
        written = field.data_key or name
        self.rows.members.append(
            Value(name, written, field, nullable, attribute, column, kind, writable)
        )

    def _field_of(
        self, name: str, declared: ma.fields.Field[Any] | None, column: Column
    ) -> tuple[ma.fields.Field[Any], Kind]:
        """Return a column's field and kind; ``Unclear`` where neither is known."""
        if converts_in_sql(column.type):
            raise Unclear(
                f"{column.type!r} converts values in SQL (bind_expression, column_expression), "
                "which a bulk load goes past; change its type"
            )
        kind = kind_of(column.type)
        if declared is not None:
            if kind is None or is_opaque(column.type) or _knows_a_zone(declared, kind):
                kind = FieldKind(declared)
            return self._own_copy(declared, column), kind
        try:
            field = StrictConverter().column2field(column, required=True)
        except Unclear as error:
            raise Unclear(
                f"{error}; declare {name} = fields.…(required=True), "
                "give its TypeDecorator a python_type"
            ) from error
        assert kind is not None
        return field, kind

    def _declared_for(self, attribute: str) -> tuple[str, ma.fields.Field[Any] | None]:
        """Return the declared field of an attribute: by its name or by ``attribute=``."""
        for name, field in self.declared.items():
            if (field.attribute or name) == attribute and not isinstance(field, Ref | Owned):
                self.used.add(name)
                return name, field
        return attribute, None

    def _own_copy(self, field: ma.fields.Field[Any], column: Column) -> ma.fields.Field[Any]:
        """Absent is not null: a field of the application's is required like ours."""
        if not field.dump_only and field.load_default is ma.missing:
            field.required = True
        if column.nullable:
            field.allow_none = True
        return field

    # References

    def _foreign_keys(self) -> list[tuple[tuple[Column, ...], Callable[[], None]]]:
        """List each foreign key's columns with what adds its reference."""
        found: dict[tuple[Column, ...], tuple[Column, ...]] = {}
        for constraint in self.rows.table.foreign_key_constraints:
            local = tuple(element.parent for element in constraint.elements)
            try:
                remote = tuple(element.column for element in constraint.elements)
            except sa.exc.SQLAlchemyError as error:
                self.report(f"{_names(local)}: its foreign key can't be resolved ({error})")
                continue
            if local in found and found[local] != remote:
                self.report(f"{_names(local)} has two foreign keys; that isn't supported yet")
            found[local] = remote
        for relationship in self.rows.mapper.relationships:
            pairs = _plain_pairs(relationship)
            if pairs and not any(set(pairs) & set(local) for local in found):
                found[tuple(pairs)] = tuple(pairs.values())
        return [
            (local, lambda local=local, remote=remote: self._reference(local, remote))  # type: ignore[misc]
            for local, remote in self._without_overlaps(found).items()
        ]

    def _without_overlaps(
        self, found: dict[tuple[Column, ...], tuple[Column, ...]]
    ) -> dict[tuple[Column, ...], tuple[Column, ...]]:
        kept: dict[tuple[Column, ...], tuple[Column, ...]] = {}
        order = {column: place for place, column in enumerate(self.rows.table.columns)}
        for local in sorted(found, key=lambda columns: order[columns[0]]):
            taken = {column for columns in kept for column in columns}
            if taken & set(local):
                self.report(
                    f"{_names(local)}: foreign keys that share a column aren't supported yet; "
                    "leave one out with Meta.exclude, or keep it out of the model's metadata"
                )
                continue
            kept[local] = found[local]
        return kept

    def _reference(self, local: tuple[Column, ...], remote: tuple[Column, ...]) -> None:
        try:
            name, field, relationship = self._name_reference(local)
        except Unclear as error:
            self.report(str(error))
            return
        if name is not None:
            self.seen.add(name)
        if name is None or name in self.excluded:
            return
        nullable = [bool(column.nullable) for column in local]
        if any(nullable) and not all(nullable):
            self.report(
                f"{name}: of the foreign key ({_names(local)}) only some columns are nullable, and "
                "a null reference wouldn't restore the others; make all of them NOT NULL or all "
                "nullable"
            )
        target = self._target(name, field, remote)
        if target is None:
            return
        field.allow_none = all(nullable)
        field.required = True
        reference = Reference(
            name,
            field.data_key or name,
            field,
            all(nullable),
            local,
            remote,
            relationship,
            field.flat,
            field.by,
            target,
        )
        self._add(reference)

    def _name_reference(self, local: tuple[Column, ...]) -> tuple[str | None, Ref, str | None]:
        """Return the field's name, the field, and the relationship's name."""
        relationships = [str(item.key) for item in many_to_one(self.rows.mapper, set(local))]
        attributes = [
            attribute_of(self.rows.mapper, column) or str(column.name) for column in local
        ]
        plain = attributes[0].removesuffix("_id") if len(local) == 1 else None
        for name, field in self.declared.items():
            if isinstance(field, Ref) and name not in self.used:
                wanted = field.relationship or name
                if wanted in (*relationships, plain, *attributes):
                    self.used.add(name)
                    return name, field, wanted if wanted in relationships else None
        if len(relationships) == 1:
            return relationships[0], Ref(), relationships[0]
        if relationships:
            known = " or ".join(f"{name} = Ref()" for name in relationships)
            raise Unclear(f"{_names(local)} has several relationships; write {known}")
        if plain is None:
            raise Unclear(
                f"the foreign key ({_names(local)}) has no relationship to be named after; "
                "add one to the model"
            )
        return plain, Ref(), None

    def _target(self, name: str, field: Ref, remote: tuple[Column, ...]) -> RowSet | None:
        """Return the row set of the table referred to."""
        table = remote[0].table
        found = self.work.of_table(table)
        if field.entity is not None:
            found = [rows for rows in found if field.entity in (rows.schema, rows.name)]
        if len(found) == 1:
            return found[0]
        if not found:
            self.report(
                f"{name} refers to table {table.fullname}, which no schema of catalog "
                f"{self.work.catalog.name!r} carries; declare one with model = … for it, or leave "
                f"the reference out with Meta.exclude = ({name!r},)"
            )
        else:
            names = ", ".join(rows.schema.__name__ for rows in found)
            self.report(f"{name} could refer to {names}; write {name} = Ref(entity=…)")
        return None

    def _add(self, member: Reference | Links) -> None:
        for other in self.rows.members:
            if other.name == member.name:
                self.report(
                    f"{member.name} would be both a field and a reference; name the reference "
                    f"otherwise: other_name = Ref({member.name!r})"
                )
                return
        self.rows.members.append(member)

    # Many-to-many

    def _link_lists(self) -> None:
        for relationship in self.rows.mapper.relationships:
            table = relationship.secondary
            if table is None or relationship.viewonly or not isinstance(table, sa.Table):
                continue
            name, field = self._link_field(str(relationship.key))
            self.seen.add(name)
            if name in self.excluded or not self.work.claims(table, self.schema, name):
                continue
            self._link_list(relationship, name, field)

    def _link_field(self, key: str) -> tuple[str, RefList]:
        for name, field in self.declared.items():
            if isinstance(field, Ref) and (field.relationship or name) == key:
                self.used.add(name)
                return name, RefList(key, by=field.by, entity=field.entity, data_key=field.data_key)
        return key, RefList(key)

    def _link_list(
        self, relationship: RelationshipProperty[Any], name: str, field: RefList
    ) -> None:
        table = relationship.secondary
        assert isinstance(table, sa.Table)
        near = tuple((far, local) for local, far in _pairs(relationship.synchronize_pairs))
        far = tuple(_pairs(relationship.secondary_synchronize_pairs or []))
        held = {column for column, _ in near} | {column for _, column in far}
        if set(table.columns) - held:
            extra = ", ".join(column.name for column in table.columns if column not in held)
            self.report(
                f"{name}: its link table {table.fullname} has columns of its own ({extra}); map it "
                "to a class and declare a schema for it (an entity, or Owned)"
            )
            return
        options = Ref(by=field.by, entity=field.entity)
        target = self._target(name, options, tuple(remote for remote, _ in far))
        if target is None:
            return
        columns = tuple(column for _, column in far)
        remotes = tuple(remote for remote, _ in far)
        reference = Reference(
            name, name, options, False, columns, remotes, None, False, field.by, target
        )
        field.required = True
        field.attribute = relationship.key if relationship.key != name else None
        self._add(
            Links(
                name, field.data_key or name, field, False, relationship.key, table, near, reference
            )
        )


def _knows_a_zone(field: ma.fields.Field[Any], kind: Kind) -> bool:
    """A field may say that a type makes aware values of a column without zones."""
    return (
        isinstance(field, ma.fields.AwareDateTime) and isinstance(kind, DateTime) and not kind.aware
    )


class Excluded:
    """The fields that marshmallow's ``exclude`` and ``fields`` options leave out."""

    def __init__(self, schema: type[EntitySchema]) -> None:
        self.names = set(getattr(schema.Meta, "exclude", ()))
        self.only = set(getattr(schema.Meta, "fields", ()))

    def __contains__(self, name: str) -> bool:
        return name in self.names or (bool(self.only) and name not in self.only)

    def unknown(self, known: set[str]) -> list[str]:
        """Return the names that are no fields; a misspelt one would leave nothing out."""
        return sorted((self.names | self.only) - known)


def _pairs(pairs: Any) -> list[tuple[Any, Any]]:
    """Each (column of a mapped table, column of the link table)."""
    return [(left, right) for left, right in pairs]


def _plain_pairs(relationship: RelationshipProperty[Any]) -> dict[Column, Column]:
    """A many-to-one's columns and their targets, for relationships without a foreign key."""
    if relationship.direction is not RelationshipDirection.MANYTOONE or relationship.viewonly:
        return {}
    pairs: Any = relationship.local_remote_pairs or []
    return dict(pairs)


def _names(columns: tuple[Column, ...]) -> str:
    return ", ".join(column.name for column in columns)
