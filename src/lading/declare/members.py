"""Makes the members of one row set from its table, its mapper and its schema's fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from marshmallow_sqlalchemy import ModelConverter
from sqlalchemy.types import TypeEngine

from lading.declare.columns import converts_in_sql, is_opaque, kind_of
from lading.declare.fields import FieldKind, Owned, Ref, ValueField
from lading.declare.foreignkeys import ForeignKey, ForeignKeys
from lading.declare.identity import declared_name, field_name
from lading.declare.infer import Unclear
from lading.declare.metaoptions import Excluded
from lading.declare.misnamed import misnamed
from lading.declare.rowsets import Column, Links, Reference, RowSet, Value
from lading.errors import shown
from lading.kind import Kind
from lading.moments import DateTime
from lading.values import Bytes, Text

if TYPE_CHECKING:
    from lading.declare.derivation import Derivation


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
        self.hierarchy = work.hierarchies[rows.schema]
        self.relationships = self.hierarchy.relationships()
        self.schema = rows.schema
        self.declared: dict[str, ma.fields.Field[Any]] = dict(rows.schema.declared)
        self.excluded = Excluded(rows.schema)
        self.used: set[str] = set()
        self.seen: set[str] = set()
        #: Fields and references that were reported, and whose absence is no second mistake.
        self.failed: set[str] = set()

    def report(self, text: str) -> None:
        """Note a mistake of this schema."""
        self.work.report(self.schema, text)

    def fill(self) -> None:
        """Add the members that the tables' own columns make."""
        self.foreign = ForeignKeys(self)
        for column in self.hierarchy.columns():
            for key in self.foreign.at(column):
                self._reference(key)
            if column not in self.foreign.held:
                self._value(column)

    def discriminate(self) -> None:
        """Every record must say which class it is of."""
        column = self.hierarchy.discriminator
        if self.rows.kinds is None or column is None:
            return
        found = [value for value in self.rows.values if value.column is column and value.writable]
        if self.hierarchy.attribute(column) in self.failed:
            return
        if found:
            self.rows.discriminator = found[0]
            known = OneOfKinds(found[0].kind, self.rows.kinds)
            found[0].field.validators = [*found[0].field.validators, known]
        else:
            self.report(
                f"{column.name} says which class a record is of, so it can't be left out; "
                "neither exclude it nor make it dump_only"
            )

    def leftovers(self) -> None:
        """Report fields that match nothing in the model and would write nothing back."""
        for name, field in self.declared.items():
            if isinstance(field, Owned):
                self.refuse_one_way(name, field)
        for text in misnamed(self):
            self.report(text)

    # Plain values

    def _value(self, column: Column) -> None:
        attribute = self.hierarchy.attribute(column)
        if attribute is None:
            return
        name, declared = self._declared_for(attribute)
        if self.rows.identity == (column,):
            name = field_name(self.schema, self.hierarchy, attribute)
        self.seen.add(name)
        if self.excluded.leaves_out(name, attribute):
            return
        try:
            field, kind = self._field_of(name, declared, column)
        except Unclear as error:
            self.failed.add(name)
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
            Value(
                name,
                written,
                field,
                nullable,
                attribute,
                column,
                kind,
                writable,
                kinds=self.hierarchy.kinds_of((column,)),
            )
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
        name = declared_name(self.schema, attribute)
        if name is not None:
            self.used.add(name)
            return name, self.declared[name]
        return attribute, None

    def _own_copy(self, field: ma.fields.Field[Any], column: Column) -> ma.fields.Field[Any]:
        """Absent is not null: a field of the application's is required like ours."""
        if not field.dump_only and field.load_default is ma.missing:
            field.required = True
        if column.nullable:
            field.allow_none = True
        return field

    # References

    def refuse_one_way(self, name: str, field: ma.fields.Field[Any]) -> None:
        """References and lists are written and read back; an option that says otherwise lies."""
        one_way = {
            "dump_only": field.dump_only or name in self.schema.opts.dump_only,
            "load_only": field.load_only or name in self.schema.opts.load_only,
        }
        for option in [option for option, given in one_way.items() if given]:
            self.report(
                f"{name} is {option}, and what refers to other records is always written and read "
                f"back; remove {option}, or leave it out with Meta.exclude = ({name!r},)"
            )
        if isinstance(field, Ref) and field.attribute not in (None, name):
            self.report(
                f"{name} has attribute={field.attribute!r}; name its relationship instead: "
                f"Ref({field.attribute!r})"
            )

    def _reference(self, key: ForeignKey) -> None:
        name, field = key.name, key.field
        self.refuse_one_way(name, field)
        target = self.target(name, field, key.remote)
        if target is None:
            return
        nullable = any(column.nullable for column in key.local)
        field.allow_none = nullable
        field.required = True
        reference = Reference(
            name,
            field.data_key or name,
            field,
            nullable,
            key.local,
            key.remote,
            key.relationship,
            field.flat,
            field.by,
            target,
            shared=key.shared,
            kinds=self.hierarchy.kinds_of(key.local),
        )
        self.add(reference)

    def target(self, name: str, field: Ref, remote: tuple[Column, ...]) -> RowSet | None:
        """Return the row set of the table referred to."""
        table = remote[0].table
        carrying = found = self.work.of_table(table)
        if field.entity is not None:
            found = [rows for rows in found if field.entity in (rows.schema, rows.name)]
        if len(found) == 1:
            return found[0]
        self.failed.add(name)
        if not carrying and self.work.reported.has_refused_table(table):
            return None
        if carrying and not found:
            names = ", ".join(rows.schema.__name__ for rows in carrying)
            self.report(
                f"{name} = Ref(entity={shown(field.entity)}) is no schema of {table.fullname}; "
                f"there is {names}"
            )
        elif not found:
            self.report(
                f"{name} refers to table {table.fullname}, which no schema of catalog "
                f"{self.work.catalog.name!r} carries; declare one with model = … for it, or leave "
                f"the reference out with Meta.exclude = ({name!r},)"
            )
        else:
            names = ", ".join(rows.schema.__name__ for rows in found)
            self.report(f"{name} could refer to {names}; write {name} = Ref(entity=…)")
        return None

    def add(self, member: Reference | Links) -> None:
        """Add a member, unless its name is taken."""
        for other in self.rows.members:
            if other.name == member.name:
                self.report(
                    f"{member.name} would be both a field and a reference; name the reference "
                    f"otherwise: other_name = Ref({member.name!r})"
                )
                return
        self.rows.members.append(member)


def _knows_a_zone(field: ma.fields.Field[Any], kind: Kind) -> bool:
    """A field may say that a type makes aware values of a column without zones."""
    return (
        isinstance(field, ma.fields.AwareDateTime) and isinstance(kind, DateTime) and not kind.aware
    )


class OneOfKinds(ma.validate.Validator):
    """Refuses a discriminator that no class of the hierarchy has."""

    def __init__(self, kind: Kind, kinds: frozenset[Any]) -> None:
        self.kind = kind
        self.kinds = kinds

    def __call__(self, value: Any) -> Any:
        """Return the value if it is known."""
        if self.kind.write(value) not in self.kinds:
            known = ", ".join(sorted(repr(kind) for kind in self.kinds if kind is not None))
            raise ma.ValidationError(f"{shown(value)} is no class of it; there are {known}")
        return value
