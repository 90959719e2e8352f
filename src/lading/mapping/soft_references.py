"""Columns that look like references by ids which no record carries.

A *soft reference* holds another row's id without a foreign key, so nothing rewrites it when an
import numbers rows anew.  Two rules tell one, and each looks only at plain fields, and only at
targets whose ids the catalog leaves out:

- **By the mapper.** A relationship pairs the column with such an id: a generic relationship by
  type and id, a viewonly one, or one with further conditions.
- **By its look.** The column stores what the ids' does, below any decorators, and it or its
  attribute is called ``<name>_id``, where
  ``<name>`` is or ends with the name of the target's table, entity or class, in the singular or the
  plural (``user_id``, ``old_user_id``); or a text column ``<name>_type`` stands beside it, and the
  target is any; or it is ``parent_id``, and the target its own table.

What texts, arrays and JSON hold can't be told so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy.orm import RelationshipProperty

from lading.mapping.columns import kind_of, underlying
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import Column, RowSet, Value
from lading.values.scalars import Choice, Text

ID = "_id"
TYPE = "_type"


@computed_once
def soft_references(entities: Entities) -> dict[str, tuple[str, ...]]:
    """Map the columns that look like soft references to the entities whose ids they may hold."""
    hidden = {
        rows.surrogate: rows for rows in entities.plain.values() if rows.surrogate is not None
    }
    if not hidden:
        return {}
    fields = {
        value.column: (rows, value)
        for rows in entities.plain.values()
        for value in rows.values
        if value.writable and value.column not in hidden
    }
    targets: dict[Column, set[str]] = {}
    for near, far in _paired(entities):
        if near in fields and far in hidden:
            targets.setdefault(near, set()).add(hidden[far].name)
    for column, (rows, value) in fields.items():
        if not column.foreign_keys:
            names = {target.name for target in _alike(rows, value, list(hidden.values()))}
            if names:
                targets.setdefault(column, set()).update(names)
    targets_by_name = {
        f"{c.table.fullname}.{c.name}": tuple(sorted(names)) for c, names in targets.items()
    }
    return dict(sorted(targets_by_name.items()))


def _paired(entities: Entities) -> Iterator[tuple[Column, Column]]:
    """Yield the columns that relationships pair, both ways, ids of subclasses as their base's."""
    in_base = {
        own: base
        for rows in entities.plain.values()
        for extension in rows.extensions
        for own, base in extension.pairs
    }
    for rows in entities.plain.values():
        for mapper in rows.mapper.self_and_descendants:
            for relationship in mapper.relationships:
                for near, far in _pairs(relationship):
                    yield near, in_base.get(far, far)
                    yield far, in_base.get(near, near)


def _pairs(relationship: RelationshipProperty[object]) -> list[tuple[Column, Column]]:
    pairs = relationship.local_remote_pairs if relationship.secondary is None else None
    return [(local, remote) for local, remote in pairs or []]  # type: ignore[misc]


def _alike(rows: RowSet, value: Value, hidden: list[RowSet]) -> Iterator[RowSet]:
    """Yield the entities whose ids a column may hold, by its type and its name."""
    stems = [name.removesuffix(ID) for name in _called(value) if name.endswith(ID)]
    if not stems or rows.identity == (value.column,):
        return
    any_target = any(
        isinstance(other.kind, Text | Choice) and f"{stem}{TYPE}" in _called(other)
        for stem in stems
        for other in rows.values
    )
    for target in hidden:
        assert target.surrogate is not None
        if not _stores_alike(value.column, target.surrogate):
            continue
        is_parent = "parent" in stems and target is rows
        is_named = any(_ends(stem, name) for stem in stems for name in _names(target))
        if any_target or is_parent or is_named:
            yield target


def _called(value: Value) -> set[str]:
    """Return what a plain field's column is called, in the database and in the model."""
    return {value.column.name.lower(), value.attribute.lower()}


def _stores_alike(first: Column, second: Column) -> bool:
    """Tell whether two columns store values of one kind, whatever decorators make of them."""
    kinds = [kind_of(underlying(column.type)) for column in (first, second)]
    names = {kind.name for kind in kinds if kind is not None}
    return None not in kinds and len(names) == 1


def _ends(stem: str, name: str) -> bool:
    return stem == name or stem.endswith(f"_{name}")


def _names(rows: RowSet) -> set[str]:
    """Return what a column may call an entity: its names, each in the singular as well."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", rows.mapper.class_.__name__)
    names = {name.lower() for name in (rows.table.name, rows.name, snake)}
    for name in list(names):
        names.add(re.sub(r"ies$", "y", name))
        names.add(re.sub(r"(?<=[sxz])es$|(?<=[cs]h)es$", "", name))
        names.add(re.sub(r"(?<!s)s$", "", name))
    return names
