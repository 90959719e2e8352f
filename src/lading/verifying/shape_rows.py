"""Row sets of the shapes that a bundle's manifest records, where no catalog is at hand.

They stand for tables that nobody here has, so that records are read, ordered and followed by the
same functions as a catalog's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.types import NullType

from lading.bundle.manifest import FileEntry
from lading.bundle.shape_format import is_shape
from lading.changes.rewriting.shapes import Shape, is_link, is_owned
from lading.importing.decode import CompiledDecoder
from lading.mapping.fields import Owned, Ref, RefList, ValueField
from lading.model.entities import Entities
from lading.model.hidden import has_hidden, is_hidden, paths_of_values
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value, references_of
from lading.model.shape import DESCENDING
from lading.schema import EntitySchema
from lading.values.base import Kind
from lading.values.by_shape import ANY, kind_of_shape
from lading.verifying.portable import PortableBinder

#: A column that no record carries: what it orders comes in an order that nobody here knows.
_ELSEWHERE: sa.Column[Any] = sa.Column("elsewhere", NullType())


def rows_of_shapes(entries: Iterable[FileEntry], binder: PortableBinder) -> dict[str, RowSet]:
    """Return the row sets of a bundle's entities, of those whose records are as their shapes are.

    Those that a schema's own code writes have none, nor those whose shapes make no sense; what
    refers to them may then be anything.
    """
    shapes = {
        entry.entity_type: entry.shape
        for entry in entries
        if is_shape(entry.shape) and not entry.shape.get("custom")
    }
    while True:
        roots = _rows(shapes)
        senseless = {name for name, rows in roots.items() if not _compiles(rows, binder)}
        if not senseless:
            return roots
        shapes = {name: shape for name, shape in shapes.items() if name not in senseless}


def hide_as_declared(roots: Mapping[str, RowSet], entities: Entities) -> None:
    """Hide what a catalog hides, in records of older shapes; of entities that it lacks, all."""
    if not any(map(has_hidden, entities.roots.values())):
        return
    for root in roots.values():
        for path, value in paths_of_values(root):
            is_known = root.name in entities.roots
            value.hidden |= not is_known or is_hidden(entities[root.name], path)


def _rows(shapes: Mapping[str, Mapping[str, Any]]) -> dict[str, RowSet]:
    drafts = {
        name: _Draft(name, name, shape, shape.get("sequences", {}))
        for name, shape in shapes.items()
    }
    roots = {name: draft.rows for name, draft in drafts.items()}
    for draft in drafts.values():
        draft.fill(roots)
    for draft in drafts.values():
        draft.key()
        hidden = set(draft.shape.get("hidden", ()))
        for path, value in paths_of_values(draft.rows):
            value.hidden = path in hidden
    for draft in drafts.values():
        draft.bind()
    return roots


def _compiles(rows: RowSet, binder: PortableBinder) -> bool:
    """Tell whether records can be read as a shape says; whoever wrote it may have meant harm."""
    keys = [rows.key, *(reference.parts for _, _, reference in references_of(rows))]
    if any(isinstance(part, Value) and part.kind.is_json for key in keys for part in key):
        return False  # nothing like that is a key
    try:
        binder.once(CompiledDecoder, rows, False)
    except Exception:
        return False
    return True


class _Draft:
    """One row set on its way: its members first, then its key, then what its fields need."""

    def __init__(
        self, path: str, entity: str, shape: Mapping[str, Any], sequences: Mapping[str, Any]
    ) -> None:
        self.shape = shape
        self.sequences = sequences
        columns = [sa.Column(name, NullType()) for name in shape["fields"]]
        table = sa.Table(path, sa.MetaData(), *columns)
        mapper: Any = None  # there is no class
        self.rows = RowSet(path, entity, EntitySchema, mapper, table, 1, frozenset())
        self.nested: list[_Draft] = []

    def fill(self, roots: Mapping[str, RowSet]) -> None:
        """Add the members."""
        for name, inner in self.shape["fields"].items():
            classes = frozenset(inner["classes"]) if "classes" in inner else None
            member = self._member(name, inner, roots)
            member.classes = classes
            self.rows.members.append(member)
            self.rows.fields[name] = member.field

    def _member(self, name: str, inner: Shape, roots: Mapping[str, RowSet]) -> Member:
        nullable = bool(inner.get("nullable"))
        if is_owned(inner):
            return self._children(name, inner, roots)
        if not is_link(inner):
            return self._value(name, kind_of_shape(inner), nullable, computed=inner.get("computed"))
        target = roots.get(inner["entity"])
        by = inner.get("by")
        is_list = inner["type"] == "references"
        if target is None or (by is not None and by not in target.table.columns):
            return self._unknown(name, nullable, is_list=is_list)
        if is_list:
            field = RefList(required=True)
            field.bound = self._reference(name, field, target, inner)
            return Links(name, name, field, False, name, self.rows.table, (), field.bound)
        ref = Ref(required=True, allow_none=nullable, flat=bool(inner.get("flat")))
        ref.bound = self._reference(name, ref, target, inner)
        return ref.bound

    def _value(self, name: str, kind: Kind, nullable: bool, *, computed: Any = False) -> Value:
        options: Any = {"dump_only": True} if computed else {"required": True}
        field = ValueField(kind, allow_none=nullable, **options)
        column = self.rows.table.columns[name]
        return Value(name, name, field, nullable, name, column, kind, not computed)

    def _unknown(self, name: str, nullable: bool, *, is_list: bool) -> Value:
        """Return a reference to what the bundle doesn't hold, as a value of any form."""
        return self._value(name, ANY, nullable and not is_list)

    def _reference(
        self, name: str, field: ma.fields.Field[Any], target: RowSet, inner: Shape
    ) -> Reference:
        column = self.rows.table.columns[name]
        return Reference(
            name,
            name,
            field,
            bool(inner.get("nullable")),
            (column,),
            (column,),
            None,
            bool(inner.get("flat")),
            inner.get("by"),
            target,
        )

    def _children(self, name: str, inner: Shape, roots: Mapping[str, RowSet]) -> Children:
        draft = _Draft(f"{self.rows.name}.{name}", self.rows.entity, inner, self.sequences)
        draft.rows.parent, draft.rows.is_owned = self.rows, True
        draft.fill(roots)
        self.nested.append(draft)
        field = Owned(EntitySchema, required=True)
        via: Any = None  # records leave it out
        sequence = () if inner.get("order") == "set" else draft.sequence()
        field.bound = Children(name, name, field, False, draft.rows, via, (), sequence, ())
        return field.bound

    def sequence(self) -> tuple[tuple[sa.Column[Any], bool], ...]:
        """Return what the list of these owned rows is ordered by."""
        path = self.rows.name[len(self.rows.entity) + 1 :]
        columns = {v.written: v.column for v in self.rows.values if not v.kind.is_json}
        return tuple(
            (columns.get(name, _ELSEWHERE), way == DESCENDING)
            for name, way in self.sequences.get(path, ((None, ""),))
        )

    def tree(self) -> Iterator[_Draft]:
        """Yield this draft and those nested in it."""
        yield self
        for draft in self.nested:
            yield from draft.tree()

    def key(self) -> None:
        """Name the members of the keys, and the discriminators."""
        for draft in self.tree():
            by_name: dict[str, Any] = {member.written: member for member in draft.rows.members}
            keys = [by_name.get(name) for name in draft.shape["key"]]
            draft.rows.key = tuple(key for key in keys if isinstance(key, Value | Reference))
            named = by_name.get(str(draft.shape.get("discriminator")))
            draft.rows.discriminator = named if isinstance(named, Value) else None

    def bind(self) -> None:
        """Say what references are written by, once every key is known."""
        for draft in self.tree():
            for member in draft.rows.members:
                reference = member.reference if isinstance(member, Links) else member
                if isinstance(reference, Reference):
                    reference.parts = _parts(reference)


def _parts(reference: Reference) -> tuple[Value | Reference, ...]:
    if reference.by is None:
        return reference.target.key
    named = [m for m in reference.target.members if m.written == reference.by]
    return tuple(member for member in named if isinstance(member, Value | Reference))
