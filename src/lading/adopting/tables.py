"""Maps tables that no class maps to plain classes of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, registry, relationship

from lading.adopting.unnamed_keys import linking_keys
from lading.mapping.checks import UNWRITABLE
from lading.model.uniqueness import leads_to_one


def mapped(tables: Iterable[sa.Table], left_out: dict[str, str]) -> list[Mapper[Any]]:
    """Map each table that has a primary key to a class.

    A table without one that only links two others becomes a list of links of one of them; the
    reason why any other can't be an entity is noted in ``left_out``.
    """
    classes = registry()
    mappers: dict[sa.Table, Mapper[Any]] = {}
    keyless = []
    for table in sorted(tables, key=lambda table: table.fullname):
        if table.primary_key.columns:
            mappers[table] = classes.map_imperatively(
                _class_for(table), table, properties=_attributes(table)
            )
        else:
            keyless.append(table)
    for table in keyless:
        if not _link(table, mappers):
            left_out[table.fullname] = "it has no primary key"
    return list(mappers.values())


def _class_for(table: sa.Table) -> type:
    """Return a class that is called like its table, in a module that no other class is of."""
    name = "".join(word.title() for word in re.findall(r"[^\W_]+", table.name)) or "Table"
    return type(name, (), {"__module__": f"{__name__}.{table.fullname}"})


def _attributes(table: sa.Table) -> dict[str, sa.Column[Any]]:
    """Return a table's columns by the names of their fields: their own, wherever one can be."""
    attributes: dict[str, sa.Column[Any]] = {}
    for column in table.columns:
        name = _attribute(column)
        while name in attributes or (name != column.key and name in table.columns):
            name += "_"
        attributes[name] = column
    return attributes


def _attribute(column: sa.Column[Any]) -> str:
    """Return a column's name without what no field or attribute can be called."""
    name = UNWRITABLE.sub("_", str(column.key))
    is_taken = name.startswith(("__", "_sa_"))  # by Python and by SQLAlchemy
    return (name.lstrip("_") or "column") if is_taken else name


def _link(table: sa.Table, mappers: dict[sa.Table, Mapper[Any]]) -> bool:
    """Give a table's links to the class that the first of its two foreign keys refers to."""
    keys = linking_keys(table)
    if not keys:
        return False
    try:
        ends = [[element.column for element in key.elements] for key in keys]
    except sa.exc.SQLAlchemyError:
        return False
    near, far = (mappers.get(end[0].table) for end in ends)
    if near is None or far is None or not all(map(leads_to_one, ends)):
        return False
    joins = [
        sa.and_(*(element.parent == element.column for element in key.elements)) for key in keys
    ]
    # Classes of the application may have a relationship over the same table.
    links = relationship(
        far.class_, secondary=table, overlaps="__*", primaryjoin=joins[0], secondaryjoin=joins[1]
    )
    near.add_property(_free(table.name, near), links)
    return True


def _free(name: str, mapper: Mapper[Any]) -> str:
    """Return an attribute's name that nothing else of a class has."""
    while mapper.has_property(name):
        name += "_links"
    return name
