"""An application as it was earlier: today's tables, classes, schemas and changes, by difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, registry, relationship

from lading import Catalog, Change, EntitySchema, Owned, Ref

#: Of a table, what was otherwise: a column, or ``None`` for one that there wasn't yet; and
#: unique sets.  ``None`` in place of all that is a table that there wasn't yet.
Difference = Mapping[str, sa.Column[Any] | sa.UniqueConstraint | None]
#: References that were written otherwise, by the name of their class and their own.
References = Mapping[str, Mapping[str, Ref]]


@dataclass
class Earlier:
    """An application at an earlier release: real tables, mapped classes and schemas."""

    catalog: Catalog
    metadata: sa.MetaData
    classes: dict[str, type] = field(default_factory=dict)
    schemas: dict[type[EntitySchema], type[EntitySchema]] = field(default_factory=dict)


def earlier(
    today: Catalog,
    metadata: sa.MetaData,
    versions: Mapping[str, int],
    tables: Mapping[str, Difference | None],
    references: References,
    **options: Any,
) -> Earlier:
    """Return what an application was when its entities had these versions.

    ``metadata`` holds today's tables; ``options`` are those of the catalog.
    """
    made = Earlier(Catalog(today.name, **options), sa.MetaData())
    for table in metadata.sorted_tables:
        if tables.get(table.name, {}) is not None:
            _table(table, made.metadata, tables.get(table.name) or {})
    mappers = sorted(
        today.schemas[0].Meta.model.registry.mappers, key=lambda one: one.class_.__name__
    )
    _map([one for one in mappers if one.local_table.name in made.metadata.tables], made)
    for schema in today.schemas:
        if schema.Meta.model.__name__ in made.classes:
            _declare(schema, made, versions, references)
    _repeat(today.changes, made.catalog, versions)
    return made


def _table(table: sa.Table, metadata: sa.MetaData, difference: Difference) -> None:
    columns = {column.name: column for column in table.columns}
    gone = {name for name, other in difference.items() if other is None}
    parts: list[Any] = [
        difference[name] if name in difference else _column(column)
        for name, column in columns.items()
        if name not in gone
    ]
    parts += [part for name, part in difference.items() if name not in columns]
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            names = [column.name for column in constraint.columns]
            if not gone & {*names} and not columns[names[0]].unique:
                parts.append(sa.UniqueConstraint(*names))
        elif isinstance(constraint, sa.CheckConstraint):
            text = str(constraint.sqltext)
            if not any(name in text for name in gone):
                parts.append(sa.CheckConstraint(text))
    sa.Table(table.name, metadata, *parts)


def _column(column: sa.Column[Any]) -> sa.Column[Any]:
    keys = [
        sa.ForeignKey(key.target_fullname, ondelete=key.ondelete, use_alter=key.use_alter)
        for key in column.foreign_keys
    ]
    return sa.Column(
        column.name,
        column.type,
        *keys,
        primary_key=column.primary_key,
        nullable=column.nullable,
        unique=column.unique,
        default=getattr(column.default, "arg", None),
        onupdate=getattr(column.onupdate, "arg", None),
    )


def _map(mappers: Sequence[Mapper[Any]], made: Earlier) -> None:
    for mapper in mappers:
        made.classes[mapper.class_.__name__] = type(mapper.class_.__name__, (), {})
    reg = registry(metadata=made.metadata)
    for mapper in mappers:
        kept = {one.key for one in mapper.relationships if _is_kept(one, made)}
        properties = {
            one.key: _relationship(one, made) for one in mapper.relationships if one.key in kept
        }
        table = made.metadata.tables[mapper.local_table.name]
        reg.map_imperatively(made.classes[mapper.class_.__name__], table, properties=properties)
    reg.configure(cascade=True)


def _pairs(found: Any) -> list[tuple[Any, Any]]:
    return [*found.synchronize_pairs, *(found.secondary_synchronize_pairs or ())]


def _is_kept(found: Any, made: Earlier) -> bool:
    columns = [column for pair in _pairs(found) for column in pair]
    return all(
        column.table.name in made.metadata.tables
        and column.name in made.metadata.tables[column.table.name].c
        for column in columns
    )


def _relationship(found: Any, made: Earlier) -> Any:
    def old(column: Any) -> Any:
        return made.metadata.tables[column.table.name].c[column.name]

    def joined(pairs: Any) -> Any:
        return sa.and_(*(old(one) == old(two) for one, two in pairs))

    options: dict[str, Any] = {
        "primaryjoin": joined(found.synchronize_pairs),
        "foreign_keys": [old(column) for _, column in _pairs(found)],
        "back_populates": found.back_populates,
        "post_update": found.post_update,
        "order_by": [old(column) for column in found.order_by or ()] or False,
    }
    if found.secondary is None:
        options["remote_side"] = [old(column) for column in found.remote_side]
    else:
        options["secondary"] = made.metadata.tables[found.secondary.name]
        options["secondaryjoin"] = joined(found.secondary_synchronize_pairs)
    return relationship(made.classes[found.mapper.class_.__name__], **options)


def _declare(
    schema: type[EntitySchema],
    made: Earlier,
    versions: Mapping[str, int],
    references: References,
) -> None:
    model = made.classes[schema.Meta.model.__name__]
    attributes: dict[str, Any] = {}
    for name, one in schema._declared_fields.items():
        if isinstance(one, Owned) and one.child in made.schemas:
            attributes[name] = Owned(made.schemas[one.child], via=one.via)
        elif isinstance(one, Ref) and hasattr(model, name):
            attributes[name] = Ref(one.relationship, flat=one.flat, by=one.by)
    attributes |= references.get(model.__name__, {})
    (parent,) = schema.__bases__
    base = _with_meta("Base", EntitySchema, {**_meta(parent), "catalog": made.catalog}, {})
    version = versions.get(schema.Meta.model.__tablename__, 1)
    meta = {**_meta(schema), "model": model, "version": version}
    made.schemas[schema] = _with_meta(schema.__name__, base, meta, attributes)


def _meta(schema: type[EntitySchema]) -> dict[str, Any]:
    found = schema.__dict__.get("Meta")
    return {name: value for name, value in vars(found).items() if not name.startswith("__")}


def _with_meta(
    name: str, base: type[EntitySchema], meta: dict[str, Any], attributes: dict[str, Any]
) -> type[EntitySchema]:
    made: type[EntitySchema] = type(base)(
        name, (base,), {"Meta": type("Meta", (), meta), **attributes}
    )
    return made


def _repeat(changes: Sequence[type[Change]], catalog: Catalog, versions: Mapping[str, int]) -> None:
    """Declare the changes that led to these versions."""
    clones: dict[type[Change], type[Change]] = {}
    for change in changes:
        if _has_run(change, versions):
            body = {
                "__doc__": change.__doc__,
                "catalog": catalog,
                "upgrades": change.upgrades,
                "after": [clones[one] for one in change.after],
                "steps": change.steps,
            }
            clones[change] = type(change.__name__, (Change,), body)


def _has_run(change: type[Change], versions: Mapping[str, int]) -> bool:
    return all(versions.get(name, 0) >= after for name, (_, after) in change.upgrades.items())
