"""What a mapper and its relationships say: attributes of columns, and pairs of columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, MapperProperty, RelationshipDirection, RelationshipProperty
from sqlalchemy.orm.exc import UnmappedColumnError

from lading.model.rowsets import Column


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
    """Tell whether a relationship joins by more than pairs of columns, such as by a type."""
    joined = {
        element
        for element in sa.sql.visitors.iterate(relationship.primaryjoin)
        if isinstance(element, sa.Column)
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
    same_columns = [
        relationship
        for relationship in relationships
        if plain_pairs(relationship).keys() == wanted.keys()
    ]
    exact = [relationship for relationship in same_columns if plain_pairs(relationship) == wanted]
    return exact or same_columns
