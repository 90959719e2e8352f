"""What a catalog infers: the names of references, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, MapperProperty, RelationshipDirection, RelationshipProperty
from sqlalchemy.orm.exc import UnmappedColumnError

from lading.mapping.columns import is_numbered
from lading.messages import alike
from lading.model.rowsets import Column, RowSet, Value

if TYPE_CHECKING:
    from lading.mapping.derivation import Entities


class Unclear(Exception):
    """A rule has no answer, or several; the text says which and what to write.

    ``name`` is the field that it looked for in vain, where it did.
    """

    def __init__(self, text: str, name: str | None = None) -> None:
        super().__init__(text)
        self.name = name


def attribute_of(mapper: Mapper[Any], column: Column) -> str | None:
    """Return the name of the attribute that maps a column, or ``None``."""
    try:
        prop: MapperProperty[Any] = mapper.get_property_by_column(column)
    except UnmappedColumnError:
        return None
    return str(prop.key)  # reflected names are of a subclass of str


def plain_pairs(relationship: RelationshipProperty[Any]) -> dict[Column, Column]:
    """Return a many-to-one's columns with those that they hold; nothing of other relationships."""
    if relationship.direction is not RelationshipDirection.MANYTOONE or relationship.viewonly:
        return {}
    pairs: Any = relationship.local_remote_pairs or []
    return dict(pairs)


def has_conditions(relationship: RelationshipProperty[Any]) -> bool:
    """Tell whether a relationship joins by more than its pairs of columns, such as by a type."""
    joined = {
        item
        for item in sa.sql.visitors.iterate(relationship.primaryjoin)
        if isinstance(item, sa.Column)
    }
    pairs: Any = relationship.local_remote_pairs or []
    return not joined <= {column for pair in pairs for column in pair}


def many_to_one(
    relationships: Iterable[RelationshipProperty[Any]], pairs: Iterable[tuple[Column, Column]]
) -> list[RelationshipProperty[Any]]:
    """Return the relationships that follow a foreign key.

    Where several keys have the same columns, those that lead where it does.
    """
    wanted = dict(pairs)
    found = [item for item in relationships if plain_pairs(item).keys() == wanted.keys()]
    exact = [item for item in found if plain_pairs(item) == wanted]
    return exact or found


def by_field(target: RowSet, name: str) -> Value:
    """Return the field that ``by`` names; ``Unclear`` where it can't identify a target."""
    found = [item for item in target.values if item.name == name]
    known = [item.name for item in target.values if item.kind.is_key and item.kinds is None]
    like = f" such as {', '.join(alike(name, known))}" if alike(name, known) else ""
    if not found or not found[0].kind.is_key:
        raise Unclear(
            f"by={name!r} is no field of {target.schema.__name__} that can be a key; "
            f"name another{like}, or remove by"
        )
    if found[0].kinds is not None:
        raise Unclear(
            f"by={name!r} is a field that only some classes of {target.schema.__name__} have; "
            "name another, or remove by"
        )
    return found[0]


def coverage(entities: Entities) -> dict[str, str | None]:
    """List what no schema carries; see :meth:`Catalog.coverage`."""
    catalog = entities.catalog
    carried: dict[sa.Table, set[Column]] = {}
    made_anew: set[Column] = set()
    for rows in entities.all_rows():
        if rows.surrogate is not None and not is_numbered(rows.surrogate):
            made_anew |= {rows.surrogate} - {value.column for value in rows.values}
        for table in rows.tables:
            carried.setdefault(table, set()).update(rows.carried())
        for links in rows.links:
            held = {column for column, _ in links.local} | set(links.reference.columns)
            carried.setdefault(links.table, set()).update(held)
    left: dict[str, str | None] = {}
    for metadata in _metadatas(entities, carried):
        for table in metadata.tables.values():
            if table not in carried:
                left[table.fullname] = catalog.leaves_out.get(table.fullname)
                continue
            for column in table.columns:
                if column not in carried[table] - made_anew:
                    name = f"{table.fullname}.{column.name}"
                    left[name] = catalog.leaves_out.get(name)
    return dict(sorted(left.items()))


def _metadatas(entities: Entities, carried: Iterable[sa.Table]) -> set[sa.MetaData]:
    """Return the metadata of all tables that the carried models' registries map.

    One registry may have several, such as one for each database that an application binds.
    """
    mappers = {
        mapper
        for registry in {rows.mapper.registry for rows in entities.all_rows()}
        for mapper in registry.mappers
    }
    mapped = {table for mapper in mappers for table in mapper.tables if isinstance(table, sa.Table)}
    return {table.metadata for table in mapped.union(carried)}
