"""Makes the members of one row set from its table, its mapper and its schema's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import marshmallow as ma

from lading.mapping.columns import kind_of
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import OneOfKinds, Owned, Ref, ValueField
from lading.mapping.foreign_keys import ForeignKey, ForeignKeys
from lading.mapping.identity import declared_name, field_name, lost_id
from lading.mapping.meta_options import Excluded, hidden_names, stored_names
from lading.mapping.unmatched_fields import misnamed
from lading.mapping.value_fields import Carried, carried, field_for
from lading.messages import shown
from lading.model.rowsets import Column, Links, Reference, RowSet, Value

if TYPE_CHECKING:
    from lading.mapping.derivation import Derivation


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
        self.stored = frozenset(stored_names(rows.schema))
        self.hidden = frozenset(hidden_names(rows.schema))
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
        lost = lost_id(self.schema, self.hierarchy)
        if lost is not None:
            self.report(lost)
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
            for written in sorted(self.rows.kinds - {None}, key=str):
                fault = _other_form(found[0], written)
                if fault is not None:
                    self.report(f"{found[0].name} says which class a record is of, {fault}")
                    return
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
        how = self._carried(name, declared, column)
        if how is None:
            return
        field = how.field
        if field.load_only or name in self.schema.opts.load_only:
            self.report(f"{name} is load_only, so an export would forget it; remove load_only")
        computed = column.computed is not None
        writable = not computed and not field.dump_only and name not in self.schema.opts.dump_only
        if not writable and isinstance(field, ValueField):
            field = ValueField(field.kind, dump_only=True)
        if name != attribute:
            field.attribute = attribute
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
                how.kind,
                writable,
                how.stored,
                name in self.hidden,
                kinds=self.hierarchy.kinds_of((column,)),
            )
        )

    def _carried(
        self, name: str, declared: ma.fields.Field[Any] | None, column: Column
    ) -> Carried | None:
        """Return how a column's values travel; what can't be told is reported."""
        stored = name in self.stored
        try:
            if declared is None and not stored:
                declared = field_for(column.type, self.work.catalog.types)
            elif declared is not None and stored:
                raise AmbiguousDeclaration(
                    "it is declared as a field and named in Meta.stored; remove one"
                )
            return carried(name, column, declared, stored=stored)
        except AmbiguousDeclaration as error:
            self.failed.add(name)
            self.report(f"{name}: {error}, or leave it out with Meta.exclude")
            return None

    def _declared_for(self, attribute: str) -> tuple[str, ma.fields.Field[Any] | None]:
        """Return the declared field of an attribute: by its name or by ``attribute=``."""
        name = declared_name(self.schema, attribute)
        if name is not None:
            self.used.add(name)
            return name, self.declared[name]
        return attribute, None

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


def _other_form(value: Value, written: Any) -> str | None:
    """Say what a field of the application's own makes of a discriminator, if it isn't the same."""
    kind = kind_of(value.column.type)
    if kind is None or value.stored is not None:
        return None
    field = value.field
    try:
        made = field._serialize(kind.read(written), value.name, {})
    except Exception as error:  # a field of the application's own may raise anything
        made = error
    if type(made) is type(written) and made == written:
        return None
    return (
        f"and its field, {type(field).__name__}, writes {shown(made)} where its column's type "
        f"writes {shown(written)}; leave it to be derived, without a declared field or Catalog's "
        "types"
    )
