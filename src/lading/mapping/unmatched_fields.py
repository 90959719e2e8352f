"""Says what is wrong with declared fields that match nothing in the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty

from lading.mapping.context import RowSetDraft
from lading.mapping.fields import Owned, Ref, RefList
from lading.mapping.foreign_key_names import ForeignKeyNames
from lading.mapping.relationships import attribute_of, plain_pairs
from lading.mapping.unknown_names import with_hint
from lading.messages import alike, nearest


def misnamed(draft: RowSetDraft) -> Iterator[str]:
    """Yield the mistakes of names that match nothing, so that nothing would be written back."""
    yield from _misnamed_in_meta(draft)
    for name, field in draft.declared.items():
        if name in draft.used or isinstance(field, Owned) or name in draft.excluded:
            continue
        if (getattr(field, "relationship", None) or name) in draft.failed:
            continue
        if isinstance(field, Ref | RefList):
            yield _misnamed_reference(draft, name, field)
        elif not (field.dump_only or isinstance(field, ma.fields.Method | ma.fields.Function)):
            like = alike(name, _columns(draft))
            suggestion = f"; did you mean {' or '.join(like)}? Else" if like else ";"
            yield (
                f"{name} isn't a column of {draft.rows.table.fullname}, so nothing could "
                f"restore it{suggestion} give it attribute=..., or dump_only=True"
            )


def _misnamed_in_meta(draft: RowSetDraft) -> Iterator[str]:
    known = {*draft.names, *draft.declared, *draft.hierarchy.attributes()}
    options = draft.schema.opts
    one_way = (set(options.dump_only) | set(options.load_only)) - known
    unknown = {*draft.excluded.unknown(known), *one_way, *_excluded_columns(draft)}
    for name in sorted(unknown - draft.failed):
        fields = sorted({*draft.names, *draft.declared})
        yield f"Meta names an unknown field {with_hint(draft.rows, name, fields)}"
    plain = sorted({value.name for value in draft.rows.values} | draft.failed)
    for name in sorted(draft.stored - set(plain)):
        yield (
            f"Meta.stored names {name!r}, which isn't a plain field; expected one of: "
            f"{nearest(name, plain)}"
        )


def _excluded_columns(draft: RowSetDraft) -> set[str]:
    """Return what ``exclude`` and ``fields`` call by its column, where a reference carries it."""
    own_names = {*draft.names, *draft.declared}
    columns = [column for column in draft.hierarchy.columns() if column.foreign_keys]
    attributes = {draft.hierarchy.attribute(column): column for column in columns}
    replaced = {name: c for name, c in attributes.items() if name and name not in own_names}
    carried = {column for reference in draft.rows.references for column in reference.columns}
    exported = {name for name, column in replaced.items() if column in carried}
    return (draft.excluded.only & replaced.keys()) | (draft.excluded.names & exported)


def _columns(draft: RowSetDraft) -> list[str]:
    """List the attributes of columns that no declared field has taken."""
    attributes = [draft.hierarchy.attribute(column) for column in draft.hierarchy.columns()]
    return [name for name in attributes if name is not None]


def _misnamed_reference(draft: RowSetDraft, name: str, field: Ref | RefList) -> str:
    """Say why a declared reference is the field of no foreign key and of no link table."""
    wanted = field.relationship or name
    declaration = f"{name} = Ref({wanted!r})" if field.relationship else f"{name} = Ref(...)"
    relationship, _ = draft.relationships.get(str(wanted), (None, None))
    if relationship is None:
        known = _references(draft)
        if not known:
            return (
                f"{declaration} names no foreign key of {draft.rows.table.fullname}; "
                "name its relationship: Ref('relationship')"
            )
        return (
            f"{declaration} names no relationship or foreign-key column of "
            f"{draft.rows.table.fullname}; expected one of: {nearest(wanted, known)}"
        )
    if relationship.viewonly:
        return (
            f"{declaration} is a relationship that is viewonly, so nothing is written by it; "
            + (_instead_of_viewonly(draft, name, relationship))
        )
    if relationship.direction is RelationshipDirection.MANYTOONE:
        return (
            f"{declaration} names a foreign key that another field or reference carries already; "
            "remove one of the two"
        )
    return (
        f"{declaration} is a relationship to many; write {name} = Owned(...) "
        "if they live in its record, or remove it"
    )


def _instead_of_viewonly(
    draft: RowSetDraft, name: str, relationship: RelationshipProperty[Any]
) -> str:
    """Say how else the reference can be declared."""
    references = [
        reference
        for reference in draft.rows.references
        if set(reference.columns) == relationship.local_columns
    ]
    if relationship.direction is not RelationshipDirection.MANYTOONE or not references:
        return "remove viewonly=True from it, or remove the field"
    (reference, *_) = references
    if reference.name in draft.used:
        return f"its foreign key is the reference {reference.name} already; remove one of the two"
    names = ForeignKeyNames(draft).attributes_of(reference.columns)
    columns = f"column: {name} = Ref({names[0]!r})"
    if len(names) > 1:
        columns = f"columns: {name} = Ref({tuple(names)!r})"
    return f"name its {columns}, or remove viewonly=True from it"


def _references(draft: RowSetDraft) -> list[str]:
    """List what a ``Ref`` may name: relationships to one or by a link table, and columns."""
    names = [
        name
        for name, (relationship, _) in draft.relationships.items()
        if plain_pairs(relationship)
        or (relationship.secondary is not None and not relationship.viewonly)
    ]
    columns_alone = [column for columns in draft.foreign if len(columns) == 1 for column in columns]
    names += [name for column in columns_alone if (name := attribute_of(draft.rows.mapper, column))]
    return list(dict.fromkeys(names))
