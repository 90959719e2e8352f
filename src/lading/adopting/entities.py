"""One schema for each adopted class, under a name that no other entity has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, RelationshipDirection

from lading.adopting.left_out import is_version_table
from lading.adopting.nesting import KEYLESS, is_keyless, owners_of
from lading.adopting.preferred_types import prefer_types
from lading.adopting.repairs import LOADED_AFTER, LOST
from lading.adopting.sources import Stock, registries_of, stock_of
from lading.adopting.tables import mapped
from lading.errors import DeclarationError
from lading.filenames import name_fault
from lading.mapping.derivation import configure_models
from lading.mapping.fields import Owned
from lading.mapping.inheritance import is_one_entity
from lading.mapping.meta_options import own_option
from lading.messages import nearest, shown
from lading.model.entities import RESERVED_NAMES
from lading.model.rowsets import SchemaClass

#: Why alembic's table is left out, which no application writes.
REVISIONS = "alembic's own record of its revision"


class Adoption:
    """What a catalog adopts, once: when it is first used; a database is reflected at once.

    Args:
        source: What it adopts; see :meth:`Catalog.from_metadata`.
        natural_keys: Natural keys by the names of tables.
        owned: Whether records hold the rows that they own.
    """

    def __init__(self, source: Any, natural_keys: Mapping[str, Any], *, owned: bool) -> None:
        self.owned = owned
        is_database = isinstance(source, sa.Engine | sa.Connection)
        self.source = stock_of(source) if is_database else source
        self.natural_keys = dict(natural_keys)
        self.left_out: dict[str, str] = {}
        self.schemas: frozenset[SchemaClass] = frozenset()
        self.decisions: dict[SchemaClass, dict[str, str]] = {}
        #: The keys that entities have where they could have them.
        self.preferred_keys: dict[str, tuple[str, ...]] = {}
        #: The shapes of a bundle's records, by whose kinds of values reflected columns travel.
        self.preferred_shapes: dict[str, Mapping[str, Any]] = {}
        self.is_done = False

    @property
    def is_reflected(self) -> bool:
        """Whether what is adopted are a database's tables as they are."""
        return isinstance(self.source, Stock)

    def preferred(self) -> dict[SchemaClass, tuple[str, ...]]:
        """Return the preferred keys of entities by their schemas."""
        names = {own_option(schema, "name"): schema for schema in self.schemas}
        return {names[name]: key for name, key in self.preferred_keys.items() if name in names}

    def adopt(self, catalog: Any, base: Any) -> None:
        """Declare a schema in a catalog for each table that its own schemas don't carry.

        Args:
            catalog: The catalog, with the schemas that a person declared.
            base: ``EntitySchema``.
        """
        if self.is_done:
            return
        source = self.source
        configure_models(catalog.schemas, registries_of(source))
        stock = source if isinstance(source, Stock) else stock_of(source)
        self.left_out = stock.left_out
        declared = list(catalog.schemas)
        mappers = _others(stock, declared, self.left_out)
        self._check_keys(mappers)
        mapper_of = {table_of(mapper): mapper for mapper in mappers}
        names = _names(mapper_of, {_name_of(schema) for schema in declared})
        owners = owners_of(mapper_of, is_asked=self.owned)
        if self.is_reflected:
            prefer_types(self._shapes(mapper_of, names, owners))
        schemas: dict[sa.Table, Any] = {}
        for table in sorted(mapper_of, key=lambda table: (-_depth(table, owners), table.fullname)):
            lists = {child: schemas[child] for child in schemas if owners.get(child) is table}
            needed = table.info.get(LOADED_AFTER, set()) & (mapper_of.keys() - owners.keys())
            options = {
                "catalog": catalog,
                "name": names[table],
                "depends_on": sorted(names[other] for other in needed - {table}),
            }
            schemas[table] = self._schema(mapper_of[table], options, lists, base)
            self.decisions[schemas[table]] = _decisions(mapper_of[table], lists)
        self.schemas = frozenset(catalog.schemas) - frozenset(declared)
        self.is_done = True

    def _shapes(
        self,
        mapper_of: Mapping[sa.Table, Mapper[Any]],
        names: Mapping[sa.Table, str],
        owners: Mapping[sa.Table, sa.Table],
    ) -> dict[Mapper[Any], Mapping[str, Any]]:
        """Return the shapes of a bundle's records and of their owned rows, by their mappers."""
        shapes: dict[sa.Table, Any] = {}
        for table in sorted(mapper_of, key=lambda table: _depth(table, owners)):
            if table not in owners:
                shape = self.preferred_shapes.get(names[table])
            else:
                fields = shapes.get(owners[table], {}).get("fields", {})
                shape = fields.get(_list_name(table, mapper_of[owners[table]]))
            if shape is not None and "fields" in shape:
                shapes[table] = shape
        return {mapper_of[table]: shape for table, shape in shapes.items()}

    def _schema(
        self, mapper: Mapper[Any], options: Any, lists: Mapping[sa.Table, Any], base: Any
    ) -> Any:
        """Declare one schema.

        Args:
            mapper: The mapper of its model.
            options: Those of its ``Meta`` that others decide.
            lists: The schemas of the tables whose rows it owns.
            base: ``EntitySchema``.
        """
        table = table_of(mapper)
        options["model"] = mapper.class_
        if table.fullname in self.natural_keys:
            options["natural_key"] = self.natural_keys[table.fullname]
        attributes: dict[str, Any] = {"Meta": type("Meta", (), options)}
        for child, schema in lists.items():
            attributes[_list_name(child, mapper)] = Owned(schema)
        return type(base)(f"{mapper.class_.__name__}Schema", (base,), attributes)

    def _check_keys(self, mappers: Iterable[Mapper[Any]]) -> None:
        names = [table_of(mapper).fullname for mapper in mappers]
        faults = [
            f"Catalog.from_metadata: natural_keys names {shown(name)}, which isn't an adopted "
            f"table; expected one of: {nearest(name, names)}"
            for name in self.natural_keys
            if name not in names
        ]
        if faults:
            raise DeclarationError("catalog-malformed", faults)


def _decisions(mapper: Mapper[Any], lists: Iterable[sa.Table]) -> dict[str, str]:
    """Return what was decided about fields of a table before its schema is derived."""
    decisions = {
        _list_name(child, mapper): KEYLESS.format(table=child.fullname)
        for child in lists
        if is_keyless(child)
    }
    for column in table_of(mapper).columns:
        if LOST in column.info and mapper.columns.contains_column(column):
            name = mapper.get_property_by_column(column).key
            decisions[name] = (
                f"holds the id itself, for {column.info[LOST]} isn't among the adopted columns"
            )
    return decisions


def _depth(table: sa.Table, owners: Mapping[sa.Table, sa.Table]) -> int:
    """Count the tables in whose records the rows of a table are nested."""
    return 1 + _depth(owners[table], owners) if table in owners else 0


def _list_name(child: sa.Table, mapper: Mapper[Any]) -> str:
    """Return the name of an owned list: the relationship's, if there is one, else the table's."""
    for relationship in mapper.relationships:
        is_list = relationship.direction is RelationshipDirection.ONETOMANY
        if is_list and relationship.mapper.local_table is child and not relationship.viewonly:
            return str(relationship.key)
    name = str(child.name)
    while mapper.has_property(name):
        name += "_list"
    return name


def table_of(mapper: Mapper[Any]) -> sa.Table:
    """Return the table of a class that is mapped to one."""
    return cast("sa.Table", mapper.local_table)


def _others(
    stock: Stock, declared: list[SchemaClass], left_out: dict[str, str]
) -> list[Mapper[Any]]:
    """Return mappers of all that no declared schema carries; note what can't be adopted."""
    carried = {table for schema in declared for table in _tables_of(schema)}
    names = {table.fullname for table in carried}
    mappers, tables = [], []
    for mapper in stock.mappers:
        if not isinstance(mapper.local_table, sa.Table):
            left_out[mapper.class_.__name__] = "it is mapped to a query, and not to a table"
        elif mapper.local_table in carried:
            continue
        elif is_one_entity(mapper):
            mappers.append(mapper)
        else:
            tables += [table for table in _tables_below(mapper) if table not in carried]
    for table in stock.tables:
        if is_version_table(table):
            left_out[table.fullname] = REVISIONS
        elif table.fullname not in names:
            tables.append(table)
    return mappers + mapped(tables, left_out)


def _tables_of(schema: SchemaClass) -> Iterable[Any]:
    mapper = sa.inspect(schema.Meta.model, raiseerr=False)  # type: ignore[attr-defined]
    return _tables_below(mapper) if isinstance(mapper, Mapper) else ()


def _tables_below(mapper: Mapper[Any]) -> Iterable[Any]:
    """Return the tables of a class and of its subclasses."""
    return {table for member in mapper.self_and_descendants for table in member.tables}


def _name_of(schema: SchemaClass) -> str:
    name = own_option(schema, "name")
    return str(name or next((table.name for table in _tables_of(schema)), ""))


def _names(tables: Iterable[sa.Table], used: set[str]) -> dict[sa.Table, str]:
    """Name each table's entity; those of the default schema have the first choice."""
    names: dict[sa.Table, str] = {}
    for table in sorted(tables, key=lambda table: (table.schema or "", table.fullname)):
        names[table] = _free_name(table, used | set(names.values()))
    return names


def _free_name(table: sa.Table, names: set[str]) -> str:
    """Return an entity's name: the table's, if it is one and free, else one made from it."""
    plain = re.sub(r"[^\w.-]", "_", str(table.name)) or "table"
    candidates = [str(table.name), plain, f"{table.schema or 'table'}.{plain}"]
    for name in filter(None, candidates):
        if name not in names and name not in RESERVED_NAMES and not name_fault(f"01_{name}.json"):
            return name
    number = 2
    while (name := f"{candidates[-1][:200]}_{number}") in names:
        number += 1
    return name
