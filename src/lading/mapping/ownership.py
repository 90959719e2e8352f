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

#: The groups of columns that are all set in rows which other parents own.
Groups = tuple[tuple[Column, ...], ...]


class Ownership:
    """Finds each child's way to its parents, and nests its rows."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.plain = context.plain
        self.owners = context.owners
        self.nested: set[SchemaClass] = set()

    def roots(self) -> dict[str, RowSet]:
        """Return the entities by name, each with its owned rows nested in it."""
        self._refuse_unknown()
        roots: dict[str, RowSet] = {}
        for schema, rows in self.plain.items():
            if schema in self.owners:
                continue
            other = roots.setdefault(rows.name, rows)
            if other is not rows:
                self.context.report(
                    schema,
                    "schema-malformed",
                    f"is named {rows.name!r} like {other.schema.__name__}; write name = … in one's "
                    "Meta",
                )
        for rows in roots.values():
            self._own(rows, rows, (rows.schema,))
        for child in self.owners if not self.context.mistakes else ():
            if child in self.plain and child not in self.nested:
                self.context.report(
                    child, "owned-undecided", "its rows are owned only by rows that it owns itself"
                )
        return roots

    def _refuse_unknown(self) -> None:
        """Report owned schemas that this catalog doesn't have."""
        for child, owners in self.owners.items():
            if child not in self.plain and child not in self.context.schemas:
                owner, name, _ = owners[0]
                self.context.report(
                    owner,
                    "owned-undecided",
                    f"{name} = Owned({shown(child)}): no schema of this catalog with a model; name "
                    f"one, or give its Meta model = … and catalog {self.context.settings.name!r}",
                )

    def _own(self, rows: RowSet, source: RowSet, path: tuple[SchemaClass, ...]) -> None:
        """Nest the owned lists that a schema declares.

        Args:
            rows: The row set that nests them.
            source: The schema's own row set.
            path: The schemas from the entity's down to this one.
        """
        for name, field in self.context.declared[source.schema].items():
            if not isinstance(field, Owned) or field.child not in self.plain:
                continue
            if field.child in path:
                self.context.report(
                    source.schema,
                    "owned-undecided",
                    f"{name} owns its own parents' rows, which isn't supported yet",
                )
                continue
            try:
                children = self._children(rows, source, name, field)
            except AmbiguousDeclaration as error:
                # What was reported already may be the child's reference to its owner.
                if not self.context.failed(field.child):
                    self.context.report(
                        source.schema, "owned-undecided", f"{name} = Owned(...): {error}"
                    )
                continue
            rows.members.append(children)
            plain = self.plain[field.child]
            if field.child not in self.nested:  # references to owned rows name where they are
                plain.name, plain.entity = children.rows.name, rows.entity
            plain.is_owned = True
            self.nested.add(field.child)
            self._own(children.rows, plain, (*path, field.child))

    def _children(self, rows: RowSet, source: RowSet, name: str, field: Owned) -> Children:
        """Return a list of owned rows, as a member of the row set that nests it.

        Args:
            rows: The row set that nests it.
            source: The row set of the schema that declares it.
            name: The field's name.
            field: The field.
        """
        child = self.plain[field.child]
        ways = self._ways(child)
        via = ways[source.schema, name]
        others = [way for way in dict.fromkeys(ways.values()) if way is not via]
        groups = tuple(
            dict.fromkeys(group for way in others for group in _telling(way, via, child))
        )
        written = field.data_key or name
        nested = self._nested(child, rows, via, others, groups)
        nested.name = f"{rows.name}.{written}"
        relationship, classes = self._relationship(source, field.attribute or name)
        extension = source.extension_of(via.remote[0].table)
        sequence = self._sequence(relationship, child)
        nested.newest_first = any(
            column is child.surrogate and descending for column, descending in sequence
        )
        field.required = True
        return Children(
            name,
            written,
            field,
            False,
            nested,
            via,
            tuple(zip(via.columns, via.remote, strict=True)),
            sequence,
            groups,
            classes=classes if extension is None else extension.classes,
        )

    def _ways(self, child: RowSet) -> dict[tuple[SchemaClass, str], Reference]:
        """Return the references of owned rows to each of their parents, by schema and field."""
        return {
            (owner, name): self._way(self.plain[owner], name, field, child)
            for owner, name, field in self.owners[child.schema]
            if owner in self.plain
        }

    def _nested(
        self, child: RowSet, rows: RowSet, via: Reference, others: list[Reference], groups: Groups
    ) -> RowSet:
        """Return owned rows as their parent's records hold them: without what the parent says.

        Args:
            child: The rows as they stand alone.
            rows: The row set that nests them.
            via: The reference to this parent.
            others: The references to other parents.
            groups: The columns that tell that a row is another parent's.
        """
        own = (*via.columns, *(group[0] for group in groups if len(group) == 1))
        outside = {via.name, *(way.name for way in others)}
        members = self._nested_members(child, outside, own)
        return replace(
            child,
            entity=rows.entity,
            members=members,
            key=tuple(part for part in child.key if part in members),
            whole_key=child.key,
            parent=rows,
            owner_columns=tuple(dict.fromkeys(own)),
            void_columns=tuple(column for column in own if column not in via.columns),
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
        """Return the child's reference to its parent.

        Args:
            parent: The row set of a schema that owns the child.
            name: The name of the field that says so.
            field: This field.
            child: The owned row set.
        """
        ways = [way for way in child.references if way.target.table is parent.table]
        relationship, _ = self._relationship(parent, field.attribute or name)
        if relationship is not None:
            remote = set(relationship.remote_side)
            ways = [way for way in ways if set(way.columns) == remote]
        if field.via is not None:
            ways = [way for way in ways if field.via in (way.name, way.relationship)]
        if len(ways) == 1:
            return ways[0]
        choice = " or ".join(reference.name for reference in child.references) or "none"
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
        restorable = {value.column for value in child.values if value.writable}
        if child.surrogate is not None and isinstance(child.surrogate.type, sa.Integer):
            restorable.add(child.surrogate)  # an import numbers them anew, in the order of the list
        sequence = []
        for clause in relationship.order_by or ():
            column, descending = _ordering(clause, child)
            if column is None:
                raise AmbiguousDeclaration(
                    f"order_by={clause} isn't a column of {child.table.fullname}"
                )
            if column not in restorable:
                return ()  # no import can restore this order, so the list is a set
            sequence.append((column, descending))
        return tuple(sequence)


def _telling(way: Reference, via: Reference, child: RowSet) -> list[tuple[Column, ...]]:
    """Return the groups of columns that show that a row is another parent's.

    All columns of a group are set in such rows.  A column that only the other parent's reference
    holds is a group by itself, unless it has a field of its own, by which any row may set it.
    Where all such columns have fields, they form one group.
    """
    alone = [column for column in way.columns if column not in via.columns]
    fields = {value.column for value in child.values}
    telling: list[tuple[Column, ...]] = [(column,) for column in alone if column not in fields]
    return telling or ([way.columns] if alone else [])


def _ordering(clause: Any, child: RowSet) -> tuple[Column | None, bool]:
    """Return the column that an ORDER BY clause names, if it does, and if it is descending."""
    descending = False
    while isinstance(clause, sa.UnaryExpression):
        descending = descending or clause.modifier is sa.sql.operators.desc_op
        clause = clause.element
    key = clause.key if isinstance(clause, sa.Column) else None
    columns = [table.columns[key] for table in child.tables if key and key in table.columns]
    return (columns[0] if columns else None), descending
