"""References: which row set each leads to, and the key that it is written by."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import marshmallow as ma

from lading.mapping.context import RowSetDraft
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Ref
from lading.mapping.foreign_keys import ForeignKey
from lading.messages import alike, shown
from lading.model.recursive_keys import Parts
from lading.model.rowsets import Column, Links, Reference, RowSet, SchemaClass, Value


def add_reference(draft: RowSetDraft, key: ForeignKey) -> None:
    """Add the reference that a foreign key is; what it lacks is reported."""
    name, field = key.name, key.field
    refuse_one_way(draft, name, field)
    target = find_target(draft, name, field, key.remote)
    if target is None:
        return
    nullable = any(column.nullable for column in key.local)
    field.allow_none = nullable
    field.required = True
    reference = Reference(
        name,
        field.data_key or name,
        field,
        nullable,
        key.local,
        key.remote,
        key.relationship,
        field.flat,
        field.by,
        target,
        shared=key.shared,
        classes=draft.hierarchy.classes_of(key.local),
    )
    add_member(draft, reference)


def add_member(draft: RowSetDraft, member: Reference | Links) -> None:
    """Add a member, unless its name is taken."""
    if any(other.name == member.name for other in draft.rows.members):
        draft.report(
            "reference-undecided",
            f"{member.name} would be both a field and a reference; name the reference "
            f"otherwise: other_name = Ref({member.name!r})",
        )
    else:
        draft.rows.members.append(member)


def refuse_one_way(draft: RowSetDraft, name: str, field: ma.fields.Field[Any]) -> None:
    """Report options by which a reference or list wouldn't be both written and read back."""
    one_way = {
        "dump_only": field.dump_only or name in draft.schema.opts.dump_only,
        "load_only": field.load_only or name in draft.schema.opts.load_only,
    }
    for option in [option for option, is_set in one_way.items() if is_set]:
        draft.report(
            "reference-undecided",
            f"{name} is {option}, and what refers to other records is always written and read "
            f"back; remove {option}, or leave it out with Meta.exclude = ({name!r},)",
        )
    if isinstance(field, Ref) and field.attribute not in (None, name):
        draft.report(
            "reference-undecided",
            f"{name} has attribute={field.attribute!r}; name its relationship instead: "
            f"Ref({field.attribute!r})",
        )


def find_target(
    draft: RowSetDraft, name: str, field: Ref, remote: tuple[Column, ...]
) -> RowSet | None:
    """Return the row set that a reference leads to.

    Args:
        draft: the row set that has the reference.
        name: the reference's name.
        field: its declaration, whose ``entity`` chooses among several row sets of one table.
        remote: the columns that the foreign key refers to.

    Returns:
        The target; ``None`` if no single row set fits, which is reported as a mistake.
    """
    table, context = remote[0].table, draft.context
    carrying = context.of_table(table)
    targets = [rows for rows in carrying if field.entity in (None, rows.schema, rows.name)]
    if len(targets) == 1:
        return targets[0]
    draft.failed.add(name)
    names = ", ".join(rows.schema.__name__ for rows in targets or carrying)
    if targets:
        draft.report(
            "reference-undecided", f"{name} could refer to {names}; write {name} = Ref(entity=…)"
        )
    elif carrying:
        draft.report(
            "reference-undecided",
            f"{name} = Ref(entity={shown(field.entity)}) isn't a schema of {table.fullname}; "
            f"expected one of: {names}",
        )
    elif not context.has_refused_table(table):
        draft.report(
            "reference-undecided",
            f"{name} refers to table {table.fullname}, which no schema of catalog "
            f"{context.settings.name!r} carries; declare one with model = … for it, or leave "
            f"the reference out with Meta.exclude = ({name!r},)",
        )
    return None


def written_parts(reference: Reference, owned: Collection[SchemaClass]) -> Parts:
    """Return the target's members that a reference is written by; name a flat one's field.

    Raises ``AmbiguousDeclaration`` where they can't be its key.

    Args:
        reference: The reference, whose target has its key.
        owned: The schemas whose rows others own.
    """
    target = reference.target
    parts: Parts = target.key
    if reference.by is not None:
        parts = (by_field(target, reference.by),)
    elif not parts and target.schema in owned:
        raise AmbiguousDeclaration(
            f"refers to {target.schema.__name__}, whose rows are owned and have no natural "
            f"key; declare natural_key there"
        )
    if reference.flat:
        _require_flat(parts)
        if reference.field.data_key is None:
            reference.written = f"{reference.name}_{parts[0].written}"
    return parts


def _require_flat(parts: Parts) -> None:
    if len(parts) != 1 or not isinstance(parts[0], Value):
        raise AmbiguousDeclaration("flat=True needs a key of one plain field; write it nested")
    if parts[0].nullable:
        raise AmbiguousDeclaration("flat=True needs a key that is never null; write it nested")


def by_field(target: RowSet, name: str) -> Value:
    """Return the field that ``by`` names.

    Raises ``AmbiguousDeclaration`` where it can't identify a target.
    """
    fields = [value for value in target.values if value.name == name]
    known = [value.name for value in target.values if value.kind.is_key and value.classes is None]
    like = f" such as {', '.join(alike(name, known))}" if alike(name, known) else ""
    if not fields or not fields[0].kind.is_key:
        raise AmbiguousDeclaration(
            f"by={name!r} isn't a field of {target.schema.__name__} that can be a key; "
            f"name another{like}, or remove by"
        )
    if fields[0].classes is not None:
        raise AmbiguousDeclaration(
            f"by={name!r} is a field that only some classes of {target.schema.__name__} have; "
            "name another, or remove by"
        )
    return fields[0]
