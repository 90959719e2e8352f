"""Nests owned rows into the entities whose records hold them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty

from lading.mapping.context import Context
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import Owned
from lading.messages import shown
from lading.model.rowsets import (
    Children,
    Classes,
    Column,
    Member,
    Reference,
    RowSet,
    SchemaClass,
    Value,
)


class Ownership:
    """Finds each child's way to its parents, and nests its rows."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.plain = context.plain
        self.owners = context.owners
        self.nested: set[SchemaClass] = set()

    def roots(self) -> dict[str, RowSet]:
        """Return the entities by name, each with its owned rows nested in it."""
        roots: dict[str, RowSet] = {}
        for child, owners in self.owners.items():
            if child not in self.plain and child not in self.context.schemas:
                owner, name, _ = owners[0]
                self.context.report(
                    owner,
                    f"{name} = Owned({shown(child)}): no schema of this catalog with a model; name "
                    f"one, or give its Meta model = … and catalog {self.context.settings.name!r}",
                )
        for schema, rows in self.plain.items():
            if schema in self.owners:
                continue
            if rows.name in roots:
                first = roots[rows.name].schema.__name__
                self.context.report(
                    schema, f"is named {rows.name!r} like {first}; write name = … in one's Meta"
                )
                continue
            roots[rows.name] = rows
        for rows in roots.values():
            self._own(rows, rows, (rows.schema,))
        for child in self.owners if not self.context.mistakes else ():
            if child in self.plain and child not in self.nested:
                self.context.report(child, "its rows are owned only by rows that it owns itself")
        return roots

    def _own(self, rows: RowSet, source: RowSet, path: tuple[SchemaClass, ...]) -> None:
        """Nest the owned lists that the schema of ``source`` declares into ``rows``."""
        for name, field in self.context.declared[source.schema].items():
            if not isinstance(field, Owned) or field.child not in self.plain:
                continue
            if field.child in path:
                self.context.report(
                    source.schema, f"{name} owns its own parents' rows, which isn't supported yet"
                )
                continue
            try:
                children = self._children(rows, source, name, field)
            except AmbiguousDeclaration as error:
                # What failed already may be the child's way to its owner.
                if not self.context.failed(field.child):
                    self.context.report(source.schema, f"{name} = Owned(...): {error}")
                continue
            rows.members.append(children)
            plain = self.plain[field.child]
            if field.child not in self.nested:  # references to owned rows name where they are
                plain.name, plain.entity = children.rows.name, rows.entity
            plain.is_owned = True
            self.nested.add(field.child)
            self._own(children.rows, self.plain[field.child], (*path, field.child))

    def _children(self, rows: RowSet, source: RowSet, name: str, field: Owned) -> Children:
        child = self.plain[field.child]
        ways = {
            (owner, owner_name): self._way(self.plain[owner], owner_name, owned, child)
            for owner, owner_name, owned in self.owners[field.child]
            if owner in self.plain
        }
        via = ways[source.schema, name]
        others = [way for way in dict.fromkeys(ways.values()) if way is not via]
        outside = {via.name, *(way.name for way in others)}
        elsewhere = tuple(dict.fromkeys(g for way in others for g in _telling(way, via, child)))
        own = (*via.columns, *(group[0] for group in elsewhere if len(group) == 1))
        members = self._nested_members(child, outside, own)
        written = field.data_key or name
        nested = replace(
            child,
            name=f"{rows.name}.{written}",
            entity=rows.entity,
            members=members,
            key=tuple(part for part in child.key if part in members),
            whole_key=child.key,
            parent=rows,
            own=tuple(dict.fromkeys(own)),
        )
        field.required = True
        relationship, classes = self._relationship(source, field.attribute or name)
        extension = source.extension_of(via.remote[0].table)
        if extension is not None:
            classes = extension.classes
        sequence = self._sequence(relationship, child)
        nested.newest_first = any(
            column is child.surrogate and descending for column, descending in sequence
        )
        return Children(
            name,
            written,
            field,
            False,
            nested,
            via,
            tuple(zip(via.columns, via.remote, strict=True)),
            sequence,
            elsewhere,
            classes=classes,
        )

    def _nested_members(
        self, child: RowSet, outside: set[str], own: tuple[Column, ...]
    ) -> list[Member]:
        """Return what a nested record holds: all that its owner doesn't say."""
        members = [
            member
            for member in child.members
            if member.name not in outside
            and not (isinstance(member, Value) and member.column in own)
        ]
        for member in members:
            if not isinstance(member, Reference):
                continue
            if not member.parts and not self.context.is_without_key(member.target):
                raise AmbiguousDeclaration(
                    f"{child.schema.__name__}.{member.name} refers to {member.target.name}, which "
                    "has no natural key; declare natural_key there"
                )
            member.shared |= set(own) & set(member.columns)
        return members

    def _way(self, parent: RowSet, name: str, field: Owned, child: RowSet) -> Reference:
        """Return the child's reference to its parent."""
        ways = [item for item in child.references if item.target.table is parent.table]
        relationship, _ = self._relationship(parent, field.attribute or name)
        if relationship is not None:
            remote = set(relationship.remote_side)
            ways = [item for item in ways if set(item.columns) == remote]
        if field.via is not None:
            ways = [item for item in ways if field.via in (item.name, item.relationship)]
        if len(ways) == 1:
            return ways[0]
        choice = " or ".join(item.name for item in child.references) or "none"
        raise AmbiguousDeclaration(
            f"{child.schema.__name__} must refer to {parent.name} exactly once; "
            f"name the way with via=… (its references: {choice})"
        )

    def _relationship(
        self, parent: RowSet, name: str
    ) -> tuple[RelationshipProperty[Any] | None, Classes]:
        """Return a parent's relationship, and which of its classes have it."""
        known = self.context.drafts[parent.schema].relationships
        return known.get(name, (None, None))

    def _sequence(
        self, relationship: RelationshipProperty[Any] | None, child: RowSet
    ) -> tuple[tuple[Column, bool], ...]:
        """Return what an ordered relationship sorts by, as (column, descending)."""
        if relationship is None or relationship.direction is not RelationshipDirection.ONETOMANY:
            return ()
        result = []
        for clause in relationship.order_by or ():
            key, descending = _ordering(clause)
            held = [table.columns for table in child.tables if (key or "") in table.columns]
            column = held[0][key or ""] if held else None
            if column is None:
                raise AmbiguousDeclaration(
                    f"order_by={clause} isn't a column of {child.table.fullname}"
                )
            restorable = {value.column for value in child.values if value.writable}
            if column is child.surrogate and isinstance(column.type, sa.Integer):
                restorable.add(column)  # made anew in the order of the list
            if column not in restorable:
                return ()  # another database has no such order, so the list is a set
            result.append((column, descending))
        return tuple(result)


def _telling(way: Reference, via: Reference, child: RowSet) -> list[tuple[Column, ...]]:
    """Return the groups of columns which tell that a row is another parent's: all are set.

    A column that this way alone holds tells by itself.  One with a field of its own, for a null
    reference wouldn't restore it, tells nothing beside such; where all have, they tell together.
    """
    alone = [column for column in way.columns if column not in via.columns]
    fields = {value.column for value in child.values}
    telling: list[tuple[Column, ...]] = [(column,) for column in alone if column not in fields]
    return telling or ([way.columns] if alone else [])


def _ordering(clause: Any) -> tuple[str | None, bool]:
    """Split an ORDER BY clause into its column's key and whether it is descending."""
    descending = False
    while isinstance(clause, sa.UnaryExpression):
        descending = descending or clause.modifier is sa.sql.operators.desc_op
        clause = clause.element
    return (clause.key if isinstance(clause, sa.Column) else None), descending
