"""Many-to-many lists: which side of a link table carries it, and the lists themselves.

Which side it is depends on declarations and names alone, never on the order in which schemas
are declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import sqlalchemy as sa
from sqlalchemy.orm import RelationshipProperty

from lading.mapping.context import Context, RowSetDraft
from lading.mapping.fields import Ref, RefList
from lading.mapping.meta_options import names_in
from lading.mapping.references import add_member, find_target, refuse_one_way
from lading.mapping.surrogate_keys import key_names
from lading.model.rowsets import Classes, Column, Links, Reference, RowSet, SchemaClass
from lading.model.uniqueness import in_check, leads_to_one, nulls_collide

#: Pairs of columns, of which one is the link table's.
Pairs = tuple[tuple[Column, Column], ...]


@dataclass(eq=False, slots=True)
class LinkSide:
    """A relationship that could carry a link table, and the field that it would be."""

    draft: RowSetDraft
    relationship: RelationshipProperty[Any]
    table: sa.Table
    classes: Classes
    name: str
    field: RefList
    is_declared: bool

    @property
    def place(self) -> tuple[str, str]:
        """The entity and the field, by which sides are sorted."""
        return self.draft.rows.name, self.name


def add_link_lists(context: Context) -> None:
    """Give each link table that no schema is declared for to one of its sides."""
    sides: dict[sa.Table, list[LinkSide]] = {}
    for side in (side for draft in context.drafts.values() for side in _sides_of(draft)):
        if not context.of_table(side.table):
            sides.setdefault(side.table, []).append(side)
    if not sides:
        return
    order = _Later(context)
    chosen = [_carrying(candidates, order) for candidates in sides.values()]
    # Relationships that a backref or automap makes come in any order.
    for side in sorted(chosen, key=lambda side: side.place):
        _add(side)


def _carrying(sides: list[LinkSide], order: _Later) -> LinkSide:
    """Return the side that declares the list, else that of the later entity, else the first."""
    sides = [side for side in sides if side.is_declared] or sides
    last = [
        side
        for side in sides
        if not any(order.is_later(other.draft.rows, side.draft.rows) for other in sides)
    ]
    return min(last or sides, key=lambda side: side.place)


def _sides_of(draft: RowSetDraft) -> Iterator[LinkSide]:
    for relationship, classes in draft.relationships.values():
        table = relationship.secondary
        if relationship.viewonly or not isinstance(table, sa.Table):
            continue
        name, field = _field_of(draft, str(relationship.key))
        draft.names.add(name)
        if name not in draft.excluded:
            is_declared = name in draft.used
            yield LinkSide(draft, relationship, table, classes, name, field, is_declared)


def _field_of(draft: RowSetDraft, key: str) -> tuple[str, RefList]:
    for name, field in draft.declared.items():
        if isinstance(field, Ref) and (field.relationship or name) == key:
            draft.used.add(name)
            refuse_one_way(draft, name, field)
            list_field = RefList(key, by=field.by, entity=field.entity, data_key=field.data_key)
            list_field.validators = list(field.validators)
            return name, list_field
    return key, RefList(key)


def _add(side: LinkSide) -> None:
    """Give a side its list, or report why it can have none."""
    relationship, field = side.relationship, side.field
    near = tuple((linking, own) for own, linking in _pairs(relationship.synchronize_pairs))
    far = tuple(_pairs(relationship.secondary_synchronize_pairs or []))
    fault = _own_columns(side, near, far) or _ambiguous_end(side, near, far)
    if fault is not None and side.draft.is_adopted:
        side.draft.context.left_out[side.table.fullname] = f"as a list of links it {fault}"
        return
    if fault is not None:
        side.draft.report(
            "reference-undecided", f"{side.name}: its link table {side.table.fullname} {fault}"
        )
        return
    reference = _reference(side, near, far)
    if reference is None:
        return
    field.required = True
    field.attribute = relationship.key if relationship.key != side.name else None
    links = Links(
        side.name,
        field.data_key or side.name,
        field,
        False,
        relationship.key,
        side.table,
        near,
        reference,
        classes=side.classes,
    )
    add_member(side.draft, links)


def _own_columns(side: LinkSide, near: Pairs, far: Pairs) -> str | None:
    """Say which columns of a link table no list would carry, if there are any."""
    linking = {column for column, _ in near} | {column for _, column in far}
    extra = ", ".join(column.name for column in side.table.columns if column not in linking)
    if not extra:
        return None
    side.draft.failed.add(side.name)
    return (
        f"has columns of its own ({extra}); map it to a class and declare a schema for it "
        "(an entity, or Owned)"
    )


def _ambiguous_end(side: LinkSide, near: Pairs, far: Pairs) -> str | None:
    """Say which end of a link table may be several rows, if one may."""
    for columns in ([own for _, own in near], [remote for remote, _ in far]):
        if not leads_to_one(columns):
            return (
                f"leads to {', '.join(map(str, columns))}, which no constraint makes unique; make "
                f"it unique in the model, or map {side.table.fullname} to a class and declare a "
                "schema for that"
            )
    return None


def _reference(side: LinkSide, near: Pairs, far: Pairs) -> Reference | None:
    """Return the reference that a link table's other half is, if there is its target."""
    name, field = side.name, Ref(by=side.field.by, entity=side.field.entity)
    remote = tuple(column for column, _ in far)
    target = find_target(side.draft, name, field, remote)
    if target is None:
        return None
    columns = tuple(column for _, column in far)
    shared = frozenset(columns) & {column for column, _ in near}
    return Reference(
        name,
        name,
        field,
        False,
        columns,
        remote,
        None,
        False,
        field.by,
        target,
        shared=shared,
    )


def _pairs(pairs: Any) -> list[tuple[Any, Any]]:
    """Return pairs of (column of a mapped table, column of the link table)."""
    return [(mapped, linking) for mapped, linking in pairs]


class _Later:
    """Which entity must load after which, by references alone: as the import order has it.

    Required references count first, then those that may be null and those of owned rows, by
    entity and field; one that would close a cycle doesn't.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(rows.name for rows in context.plain.values())
        optional: list[tuple[str, str, Reference, RowSet]] = []
        for schema, rows in context.plain.items():
            for name in names_in(getattr(schema.__dict__.get("Meta"), "depends_on", None)):
                self.graph.add_edge(name, rows.name)
            for reference in rows.references:
                if schema in context.owners or (
                    may_wait(reference) and reference.name not in key_names(schema)
                ):
                    optional.append((rows.name, reference.name, reference, rows))
                else:
                    self._lay(reference, rows)
        for _, _, reference, rows in sorted(optional, key=lambda edge: edge[:2]):
            if not self.is_later(reference.target, rows):
                self._lay(reference, rows)

    def _lay(self, reference: Reference, rows: RowSet) -> None:
        owners = {owner for owner, _, _ in self.context.owners.get(rows.schema, ())}
        if reference.target.schema not in owners:
            ends = self._roots(reference.target.schema), self._roots(rows.schema)
            self.graph.add_edges_from((far, near) for far in ends[0] for near in ends[1])

    def _roots(self, schema: SchemaClass, path: tuple[Any, ...] = ()) -> set[str]:
        """Name the entities whose records hold a schema's rows."""
        owners = {owner for owner, _, _ in self.context.owners.get(schema, ())} - set(path)
        if not owners:
            return {self.context.plain[schema].name} if schema in self.context.plain else set()
        return set().union(*(self._roots(owner, (*path, schema)) for owner in owners))

    def is_later(self, rows: RowSet, other: RowSet) -> bool:
        """Tell whether one row set's entity needs the other's to be there."""
        return any(
            near != far and nx.has_path(self.graph, far, near)
            for near in self._roots(rows.schema)
            for far in self._roots(other.schema)
        )


def may_wait(reference: Reference) -> bool:
    """Tell whether a reference that is in no key may be inserted as null first."""
    return (
        reference.nullable
        and bool(reference.carried_columns)
        and not in_check(reference.carried_columns[0].table, reference.carried_columns)
        and not nulls_collide(reference.carried_columns[0].table, reference.carried_columns)
    )
