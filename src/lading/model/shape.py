"""An entity's shape: its declared form at one version, as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import Children, Column, Links, Member, Reference, RowSet, Value

#: The directions of a sequence.
ASCENDING, DESCENDING = "ascending", "descending"


def shape_of(rows: RowSet) -> dict[str, Any]:
    """Return fields (in written order), key, references and owned shapes of a row set."""
    discriminator = rows.discriminator
    return {
        "fields": {member.written: _classed(member) for member in rows.members},
        "key": list(rows.key_names),
        **({"discriminator": discriminator.written} if discriminator is not None else {}),
    }


def _classed(member: Member) -> dict[str, Any]:
    """Say which classes of a hierarchy have a field, where not all do."""
    if member.classes is None:
        return _field(member)
    classes = sorted(member.classes, key=lambda identity: (identity is not None, identity))
    return {**_field(member), "classes": classes}


def _field(member: Member) -> dict[str, Any]:
    if isinstance(member, Value):
        computed = {} if member.writable else {"computed": True}
        stored = {"stored": True} if member.stored is not None else {}
        return {**member.kind.shape(), **stored, "nullable": member.nullable, **computed}
    if isinstance(member, Reference):
        return {"type": "reference", **_target(member), "nullable": member.nullable}
    if isinstance(member, Links):
        return {"type": "references", **_target(member.reference)}
    assert isinstance(member, Children)
    order = "sequence" if member.sequence else "set"
    return {"type": "owned", "order": order, **shape_of(member.rows)}


def sequence_of(children: Children) -> list[list[str | None]]:
    """Return what a list is ordered by: fields, ``None`` for what no record carries, and ways."""
    names: dict[Column, str] = {value.column: value.written for value in children.rows.values}
    return [
        [names.get(column), DESCENDING if descending else ASCENDING]
        for column, descending in children.sequence
    ]


def sequences_of(rows: RowSet, path: str = "") -> Iterator[tuple[str, list[list[str | None]]]]:
    """Yield the lists of a record that have an order: dotted path, and what they are ordered by."""
    for children in rows.children:
        if children.sequence:
            yield f"{path}{children.written}", sequence_of(children)
        yield from sequences_of(children.rows, f"{path}{children.written}.")


def stored_otherwise(shape: Any, rows: RowSet, path: str = "") -> Iterator[str]:
    """Yield the fields that a shape and its entity differ on whether they travel as stored."""
    fields = shape.get("fields") if isinstance(shape, dict) else None
    for member in rows.members:
        inner = fields.get(member.written) if isinstance(fields, dict) else None
        if isinstance(member, Children):
            yield from stored_otherwise(inner, member.rows, f"{path}{member.written}.")
            continue
        is_stored = isinstance(member, Value) and member.stored is not None
        if isinstance(inner, dict) and bool(inner.get("stored")) != is_stored:
            yield f"{path}{member.written}"


def _target(reference: Reference) -> dict[str, Any]:
    flat = {"flat": True} if reference.flat else {}
    by = {"by": reference.parts[0].written} if reference.by is not None else {}
    return {"entity": reference.target.name, **flat, **by}


@computed_once
def targets_of(entities: Entities, root: RowSet) -> dict[str, int]:
    """Map the other entities that an entity's references lead to, to their versions.

    References lead on through the keys that they are written by.
    """
    targets: set[RowSet] = set()
    pending = [
        member.reference if isinstance(member, Links) else member
        for rows in root.tree()
        for member in rows.members
        if isinstance(member, Links | Reference)
    ]
    parts: set[Reference] = set()
    while pending:
        reference = pending.pop()
        if reference not in parts:
            parts.add(reference)
            targets.add(reference.target)
            pending += [part for part in reference.parts if isinstance(part, Reference)]
    names = {target.entity for target in targets} - {root.name}
    return {name: entities[name].version for name in entities.roots if name in names}
