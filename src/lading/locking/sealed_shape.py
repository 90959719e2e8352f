"""The shapes that a lock seals: what the manifest says, and what else counts for drift.

Beyond a manifest's shape, a field has ``constraints``, ``default`` and ``optional`` (it may be
absent, for its schema has a default).  A list that has an order has a ``sequence``: the fields
that it is ordered by, ``None`` for made-up ids, each with its direction.  Records have
``unique`` sets, ``partly_unique`` ones with the rules of their indexes, of a hierarchy ``kinds``,
and ``hooks`` and ``extra`` fields where the application's own code writes or reads them.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from lading.changes.replay import newest
from lading.changes.rewriting.shapes import Shape, Shapes
from lading.mapping.fields import Owned, Ref, RefList
from lading.mapping.meta_options import Excluded
from lading.model.entities import Entities
from lading.model.rowsets import Children, Column, Reference, RowSet, Value
from lading.model.shape import sequence_of
from lading.model.uniqueness import rules_of_indexes, unique_columns
from lading.samples.constraints import constraints_of, defaults_of

#: What stands for the owner in a unique set of owned records.
OWNER = ".."


def sealed_shapes(entities: Entities) -> Shapes:
    """Return the shapes that the catalog declares, in sealed form."""
    shapes = newest(entities)
    for name, rows in entities.roots.items():
        _complete(shapes.roots[name], rows)
    return shapes


def _complete(shape: Shape, rows: RowSet) -> None:
    """Add to a shape, and to those of what it owns, what only a lock asks for."""
    for member in rows.members:
        inner: dict[str, Any] = shape["fields"][member.written]
        if isinstance(member, Children):
            _complete(inner, member.rows)
            if member.sequence:
                inner["sequence"] = sequence_of(member)
        field = member.field
        is_read = not (isinstance(member, Value) and not member.writable)
        if is_read and field.load_default is not ma.missing:
            inner["optional"] = True
        limits = {"constraints": constraints_of(member), "default": _defaults(member)}
        inner |= {name: limit for name, limit in limits.items() if limit}
    if rows.classes is not None:
        shape["kinds"] = sorted(rows.classes, key=lambda kind: (kind is not None, kind))
    uniques = {"unique": _unique_sets(rows), "partly_unique": _partly_unique(rows)}
    shape |= {name: sets for name, sets in uniques.items() if sets}
    hooks = sorted(str(tag) for tag, limit in rows.schema._hooks.items() if limit)
    extra = _extra(rows)
    shape |= {name: limit for name, limit in (("hooks", hooks), ("extra", extra)) if limit}


def _extra(rows: RowSet) -> list[str]:
    """Return the fields that records have beside what their rows carry."""
    known, excluded = {member.name for member in rows.members}, Excluded(rows.schema)
    return sorted(
        field.data_key or name
        for name, field in rows.schema._declared_fields.items()
        if name not in known
        and name not in excluded
        and not isinstance(field, Ref | RefList | Owned)
    )


def _defaults(member: Any) -> dict[str, Any]:
    return {} if isinstance(member, Children) else defaults_of(member)


def _unique_sets(rows: RowSet) -> list[list[str]]:
    """Return the sets of fields that no two records share, each in written order."""
    sets: list[list[str]] = []
    for table in rows.tables:
        for columns in unique_columns(table):
            names = _holding(rows, columns)
            if names and names not in sets and names != [OWNER]:
                sets.append(names)
    return sorted(sets)


def _partly_unique(rows: RowSet) -> list[dict[str, Any]]:
    """Return the fields of unique indexes that are partial or by expressions, and their rules."""
    indexes = [pair for table in rows.tables for pair in rules_of_indexes(table)]
    sets = [(_holding(rows, columns), rule) for columns, rule in indexes if columns]
    return [{"fields": names, "rule": rule} for names, rule in sets if names]


def _holding(rows: RowSet, columns: tuple[Column, ...]) -> list[str]:
    """Return the fields that hold some columns; nothing where records don't carry all."""
    names: set[str] = set()
    for column in columns:
        names_held = [member.written for member in rows.members if column in _columns(member)]
        if not names_held and column not in rows.owner_columns:
            return []
        names.update(names_held or [OWNER])
    order = [OWNER, *(member.written for member in rows.members)]
    return sorted(names, key=order.index)


def _columns(member: Any) -> tuple[Column, ...]:
    if isinstance(member, Value):
        return (member.column,)
    return member.columns if isinstance(member, Reference) else ()
