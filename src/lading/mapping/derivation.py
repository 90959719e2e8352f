"""Derives a catalog's row sets from its schemas, and reports every mistake at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, configure_mappers

from lading.catalog import default_catalog, filled_catalogs
from lading.changes.version_graph import change_faults
from lading.errors import DeclarationError
from lading.filenames import name_fault
from lading.mapping.checks import empty_keys, key_faults, lost_targets, name_faults
from lading.mapping.context import Reported
from lading.mapping.coverage import stale_excuses
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Owned, Ref, RefList
from lading.mapping.identity import surrogate_of
from lading.mapping.inheritance import Hierarchy
from lading.mapping.link_lists import add_link_lists
from lading.mapping.members import Members
from lading.mapping.meta_options import (
    excluded,
    names_in,
    option,
    own_option,
    stored_names,
    unknown_options,
)
from lading.mapping.natural_keys import Decision, choose_key
from lading.mapping.ownership import Ownership
from lading.mapping.reference_names import by_field
from lading.messages import listed, nearest, shown
from lading.model.rowsets import Links, Reference, RowSet, Value

if TYPE_CHECKING:
    from lading.catalog import Catalog
    from lading.schema import EntitySchema


@dataclass(eq=False, slots=True)
class Entities:
    """A catalog's entities by name, each a tree of row sets.

    ``plain`` holds every schema's row set as it stands alone, with the references
    to its owners; references point to these.  ``decisions`` say why each has its key.
    """

    catalog: Catalog
    roots: dict[str, RowSet]
    plain: dict[type[EntitySchema], RowSet]
    decisions: dict[type[EntitySchema], Decision]

    def __getitem__(self, name: str) -> RowSet:
        return self.roots[name]

    def all_rows(self) -> Iterator[RowSet]:
        """Yield every row set, entities by name, parents first."""
        for root in self.roots.values():
            yield from root.tree()


#: What a document holds beside its entities' lists.
RESERVED_NAMES = ("version", "schema_versions", "exported_at", "source", "include_ids")


def derive(catalog: Catalog) -> Entities:
    """Derive a catalog's entities; ``DeclarationError`` holds every mistake."""
    if not catalog.schemas:
        others = filled_catalogs() if catalog is default_catalog else []
        if others:
            raise DeclarationError(
                f"the default catalog is empty; {listed(others, separator=', ')}: pass catalog=…"
            )
        raise DeclarationError(
            f"catalog {catalog.name!r} is empty; declare an EntitySchema with model = … in it"
        )
    try:
        configure_mappers()
    except sa.exc.SQLAlchemyError as error:
        raise DeclarationError(f"the models can't be configured: {error}") from error
    work = Derivation(catalog)
    entities = work.run()
    if not work.mistakes:
        work.mistakes += stale_excuses(entities)
        work.mistakes += change_faults(entities)
    if work.mistakes:
        raise DeclarationError(work.mistakes)
    return entities


class Derivation:
    """One derivation: phases over all schemas, and the mistakes found on the way."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.plain: dict[type[EntitySchema], RowSet] = {}
        self.reported = Reported(self.plain)
        self.mistakes = self.reported.mistakes
        self.hierarchies: dict[type[EntitySchema], Hierarchy] = {}
        self.owners: dict[type[EntitySchema], list[tuple[type[EntitySchema], str, Owned]]] = {}
        self.decisions: dict[type[EntitySchema], Decision] = {}

    def run(self) -> Entities:
        """Run every phase that the mistakes so far allow."""
        for schema in sorted(self.catalog.schemas, key=_by_name):
            schema.begin()
            self._open(schema)
        self._fill()
        self._keys()
        self._bind_parts()
        if not self.mistakes:
            self._check_key_cycles()
        for rows in self.plain.values():
            self._finish(rows)
        for schema, text in lost_targets(self.plain, self.reported.failed):
            self.report(schema, text)
        roots = Ownership(self).roots()
        self._check_names(roots)
        self._check_carriers(roots)
        self._check_empty_keys(roots)
        if not self.mistakes:
            for rows in self.plain.values():
                bind(rows)
            for root in roots.values():
                for rows in root.tree():
                    bind_children(rows)
            self._instantiate()
        return Entities(self.catalog, roots, self.plain, self.decisions)

    def _fill(self) -> None:
        """Give every row set its members, but the owned lists."""
        fillers = [Members(self, rows) for rows in self.plain.values()]
        for filler in fillers:
            filler.fill()
        add_link_lists(self, fillers)
        for filler in fillers:
            filler.discriminate()
            filler.leftovers()
            self.reported.failed[filler.schema] = filler.failed

    def _instantiate(self) -> None:
        """A field that marshmallow can't bind is found now, and not in the middle of an export."""
        for schema in self.plain:
            try:
                schema()
            except Exception as error:
                self.report(schema, f"its fields can't be used ({error!r}); correct them")

    def _check_names(self, roots: dict[str, RowSet]) -> None:
        nested = [rows for root in roots.values() for rows in root.tree()]
        for rows in dict.fromkeys([*self.plain.values(), *nested]):
            for text in name_faults(rows):
                self.report(rows.schema, text)

    def _check_carriers(self, roots: dict[str, RowSet]) -> None:
        """Every row has one carrier, and what an entity depends on exists."""
        carriers: dict[sa.Table, str] = {}
        for root in roots.values():
            for name in names_in(own_option(root.schema, "depends_on")):
                if name not in roots and not self.reported.has_refused_name(name):
                    text = f"depends_on names {name!r}, which is no entity; the entities are "
                    self.report(root.schema, text + nearest(name, roots))
            for table in root.tables:
                other = carriers.setdefault(table, root.name)
                owned = [rows.name for rows in self.of_table(table) if rows.is_owned]
                for name in [*owned, *([other] if other != root.name else [])]:
                    self.report(
                        root.schema,
                        f"its table {table.fullname} is carried by {name} as well, so each row "
                        "would be written twice; remove one of the two schemas",
                    )

    def report(self, schema: type[EntitySchema], text: str) -> None:
        """Note a mistake, once, with the schema's name."""
        self.reported.add(schema, text)

    def of_table(self, table: Any) -> list[RowSet]:
        """List the schemas' row sets over a table."""
        return [rows for rows in self.plain.values() if table in rows.tables]

    # Phases

    def _open(self, schema: type[EntitySchema]) -> None:
        for field_name, field in schema.declared.items():
            if isinstance(field, Owned):
                self.owners.setdefault(field.child, []).append((schema, field_name, field))
        mapper = sa.inspect(schema.Meta.model, raiseerr=False)  # type: ignore[attr-defined]
        if not isinstance(mapper, Mapper):
            model = shown(schema.Meta.model)  # type: ignore[attr-defined]
            self.report(schema, f"model = {model} is no mapped class; map it, or name another")
            return
        hierarchy = self._hierarchy(schema, mapper)
        if hierarchy is None:
            return
        table = hierarchy.table
        if not table.primary_key.columns:
            self.report(schema, f"table {table.fullname} has no primary key; give it one")
            return
        for text in unknown_options(schema.__dict__.get("Meta", object)):
            self.report(schema, text)
        name, version = self._name_of(schema, table), self._version_of(schema)
        names = frozenset(names_in(option(schema, "volatile")))
        self.hierarchies[schema] = hierarchy
        self.plain[schema] = RowSet(
            name,
            name,
            schema,
            mapper,
            table,
            version,
            names,
            surrogate=surrogate_of(schema, hierarchy),
            kinds=hierarchy.known,
            extensions=hierarchy.extensions(),
        )

    def _name_of(self, schema: type[EntitySchema], table: sa.Table) -> str:
        """Return what an entity is called; a name that can't be is reported."""
        name = own_option(schema, "name")
        name = table.name if name is None else name
        if not isinstance(name, str) or not name:
            self.report(schema, f"name = {shown(name)}; write a non-empty string")
            name = table.name
        fault = name_fault(f"01_{name}.json")
        if fault or name in RESERVED_NAMES:
            expected = fault or f"none of {', '.join(RESERVED_NAMES)}, which documents need"
            self.report(
                schema,
                f"is named {shown(name)}, expected {expected}; write name = … in its Meta",
            )
        return str(name)

    def _version_of(self, schema: type[EntitySchema]) -> int:
        """Return an entity's version; one that can't be is reported."""
        version = own_option(schema, "version")
        version = 1 if version is None else version
        if type(version) is not int or version < 1:
            self.report(schema, f"version = {shown(version)}; write a whole number from 1")
            return 1
        return version

    def _hierarchy(self, schema: type[EntitySchema], mapper: Mapper[Any]) -> Hierarchy | None:
        """Return the classes that share a model's rows; what can't be an entity is reported."""
        if mapper.inherits is not None and not mapper.concrete:
            base = mapper
            while base.inherits is not None and not base.concrete:
                base = base.inherits
            self.report(
                schema,
                f"{mapper.class_.__name__} is a subclass, and its records are those of "
                f"{base.class_.__name__}; declare one schema for the whole hierarchy, with "
                f"model = {base.class_.__name__}",
            )
            return None
        try:
            hierarchy = Hierarchy(mapper)
            hierarchy.name_kinds(stored_names(schema))
            hierarchy.extensions()
        except AmbiguousDeclaration as error:
            self.report(schema, str(error))
            return None
        return hierarchy

    def _keys(self) -> None:
        for schema, rows in self.plain.items():
            declared = own_option(schema, "natural_key")
            try:
                self.decisions[schema] = choose_key(rows, declared)
                rows.key = self.decisions[schema].key
            except AmbiguousDeclaration as error:
                failed = self.reported.failed[schema]
                is_known = error.name in failed or (declared is None and failed)
                if (schema not in self.owners or declared is not None) and not is_known:
                    self.report(schema, str(error))

    def _bind_parts(self) -> None:
        for schema, rows in self.plain.items():
            for member in rows.members:
                reference = member.reference if isinstance(member, Links) else member
                if isinstance(reference, Reference):
                    try:
                        reference.parts = self._parts(reference)
                    except AmbiguousDeclaration as error:
                        is_known = self.reported.is_without_key(reference.target)
                        if not self._is_owner(schema, reference.target) and not is_known:
                            self.report(schema, f"{reference.name}: {error}")

    def _is_owner(self, child: type[EntitySchema], target: RowSet) -> bool:
        """A child's way to its owner is carried by nesting, so it needs no key."""
        return any(owner is target.schema for owner, _, _ in self.owners.get(child, ()))

    def _parts(self, reference: Reference) -> tuple[Value | Reference, ...]:
        target = reference.target
        if reference.by is None:
            parts = target.key
            if not parts and target.schema in self.owners:
                raise AmbiguousDeclaration(
                    f"refers to {target.schema.__name__}, whose rows are owned and have no natural "
                    f"key; declare natural_key there"
                )
        else:
            parts = (by_field(target, reference.by),)
        if reference.flat:
            if len(parts) != 1 or not isinstance(parts[0], Value):
                raise AmbiguousDeclaration(
                    "flat=True needs a key of one plain field; write it nested"
                )
            if parts[0].nullable:
                raise AmbiguousDeclaration(
                    "flat=True needs a key that is never null; write it nested"
                )
            if reference.field.data_key is None:
                reference.written = f"{reference.name}_{parts[0].written}"
        return parts

    def _check_key_cycles(self) -> None:
        for rows, fault in key_faults(self.plain.values()):
            if rows is None:
                self.mistakes.append(fault)
            else:
                self.report(rows.schema, fault)

    def _check_empty_keys(self, roots: dict[str, RowSet]) -> None:
        for rows, fault in empty_keys(roots.values()) if not self.mistakes else ():
            self.report(rows.schema, fault)

    def _finish(self, rows: RowSet) -> None:
        """Take the surrogate out of the members, and put the key first."""
        rest = [
            member
            for member in rows.members
            if member not in rows.key
            and not (
                isinstance(member, Value) and member.column is rows.surrogate and member.writable
            )
        ]
        rows.members = [*rows.key, *rest]
        known = {member.name for member in rows.members}
        for listing in ("volatile", "hidden"):
            for name in names_in(own_option(rows.schema, listing)):
                if name not in known | self.reported.failed[rows.schema]:
                    fields = nearest(name, sorted(known))
                    text = f"{listing} names {name!r}, which is no field of it; its fields are "
                    self.report(rows.schema, text + fields)


def _by_name(schema: type[EntitySchema]) -> tuple[str, str, str]:
    """Sort schemas by their entities' names, whatever the order in which they are declared."""
    mapper = sa.inspect(schema.Meta.model, raiseerr=False)  # type: ignore[attr-defined]
    table = getattr(mapper, "local_table", None)
    name = own_option(schema, "name") or getattr(table, "name", "")
    return str(name), schema.__qualname__, schema.__module__


def bind(rows: RowSet) -> None:
    """Give a schema class its derived fields, in written order."""
    fields = {}
    for member in rows.members:
        field = member.field
        if field.data_key is None and member.written != member.name:
            field.data_key = member.written
        if isinstance(field, Ref) and isinstance(member, Reference):
            field.bound = member
        if isinstance(field, RefList) and isinstance(member, Links):
            field.bound = member.reference
        fields[member.name] = field
    # marshmallow refuses to exclude what it doesn't know, and excluded fields are not derived.
    rows.schema.opts.exclude = tuple(name for name in excluded(rows.schema) if name in fields)
    for name, field in rows.schema.declared.items():
        if not isinstance(field, Ref):
            fields.setdefault(name, field)
    rows.schema._declared_fields = fields
    rows.schema.rows = rows


def bind_children(rows: RowSet) -> None:
    """Tell the owned fields of a schema which rows they nest."""
    for children in rows.children:
        children.field.bound = children  # type: ignore[attr-defined]
