"""What a catalog derives from its declarations: row sets and their members.

A *row set* is the rows of one table as records carry them: those of an entity,
or those of an owned table within one parent.  Members are its fields, each with
the columns that it carries.  Plain descriptions only: nothing here reads or
writes a row.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeEngine

from lading.model.computed import Computed
from lading.values.base import Kind

Column = sa.Column[Any]

#: The class of a schema, as the application declares it.
SchemaClass = type[ma.Schema]

#: The written discriminators of the classes that have something; ``None`` for all.
Classes = frozenset[Any] | None


@dataclass(frozen=True, slots=True)
class Extension:
    """The table that a subclass of a joined-table hierarchy adds to its base's.

    ``pairs`` hold each column of its primary key with the base's that it repeats; ``classes``
    are the discriminators whose rows have a row in it.
    """

    table: sa.Table
    pairs: tuple[tuple[Column, Column], ...]
    classes: frozenset[Any]


@dataclass(eq=False, slots=True)
class Member:
    """A field of a record.

    ``name`` is its name in the schema, ``written`` its name in a record (they
    differ where the field has a ``data_key``); ``nullable`` says whether null
    may be written.  ``classes`` are the discriminators whose records have this field, where
    subclasses differ; the others' leave it out.
    """

    name: str
    written: str
    field: ma.fields.Field[Any]
    nullable: bool
    _: KW_ONLY
    classes: Classes = None


@dataclass(eq=False, slots=True)
class Value(Member):
    """A plain value in one column.

    ``kind`` is a ``FieldKind`` where only the application's own field knows the type;
    ``writable`` is false for what the database computes and for ``dump_only``.  ``stored`` is
    the type by which the column is read and written instead of its own, where values travel
    as they are stored.  No message shows a ``hidden`` value: see ``model.hidden``.
    """

    attribute: str
    column: Column
    kind: Kind
    writable: bool
    stored: TypeEngine[Any] | None = None
    hidden: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The column, as references have several."""
        return (self.column,)

    @property
    def carrier(self) -> Column:
        """The column as its values are read from it and bound to it."""
        return self.carrier_in(self.column.table)

    def carrier_in(self, source: Any) -> Column:
        """Return the carrier in an alias of its table."""
        column: Column = retyped(source.c[self.column.key], self.stored)
        return column


@dataclass(eq=False, slots=True)
class Reference(Member):
    """A foreign key, written as the target's natural key.

    ``columns`` are the local ones and ``remote`` those of the target that they
    hold.  ``parts`` are the target's members that are written: its natural key,
    or the one field of ``by``.  Where that key recurs, one of its parts is a reference
    whose parts are the same again: see ``model.recursive_keys``.
    """

    columns: tuple[Column, ...]
    remote: tuple[Column, ...]
    relationship: str | None
    flat: bool
    by: str | None
    target: RowSet
    parts: tuple[Value | Reference, ...] = ()
    shared: frozenset[Column] = frozenset()

    @property
    def carried_columns(self) -> tuple[Column, ...]:
        """The columns that this reference carries; other members carry the rest."""
        return tuple(column for column in self.columns if column not in self.shared)


@dataclass(eq=False, slots=True)
class Links(Member):
    """A many-to-many relationship: a sorted list of references by way of a link table.

    ``local`` pairs each column of the link table with the owner's column that it
    holds; ``reference`` describes the other half.
    """

    attribute: str
    table: sa.Table
    local: tuple[tuple[Column, Column], ...]
    reference: Reference


@dataclass(eq=False, slots=True)
class Children(Member):
    """Owned rows, nested in their parent's record.

    ``pairs`` hold each child column with the parent's column that it holds.
    ``sequence`` lists what the list is ordered by, as (column, descending); empty
    for a set, which is sorted by its written bytes.  ``others`` are the groups of columns
    that are all set in rows of the same table which other parents own; ``via`` is the
    reference that leads to this parent.
    """

    rows: RowSet
    via: Reference
    pairs: tuple[tuple[Column, Column], ...]
    sequence: tuple[tuple[Column, bool], ...]
    others: tuple[tuple[Column, ...], ...]


@dataclass(eq=False, slots=True)
class RowSet(Computed):
    """The rows of one table as records carry them.

    ``name`` is the entity's, or a path such as ``recipes.ingredients`` for an
    owned table; ``entity`` is the entity whose records hold them.  ``members``
    stand in written order: key first.  ``surrogate`` is the generated primary
    key that records don't carry, if there is one.  ``is_owned`` says whether the rows
    live in other records, ``newest_first`` whether their list runs from the highest
    generated id down; ``owner_columns`` hold whose they are, ``void_columns`` are those of
    them by which they would be another parent's and which are null, and ``whole_key`` is
    the natural key with the ways to owners, which their records leave out.
    ``is_known_by_id`` says that the key is an id of the database's, for want of a better.
    Of a hierarchy, ``discriminator`` says which class a row is of, ``classes`` which there
    are, and ``extensions`` are the subclasses' own tables.  ``fields`` are those of the schema
    that reads and writes the records: the members', and what is only dumped.
    """

    name: str
    entity: str
    schema: SchemaClass
    mapper: Mapper[Any]
    table: sa.Table
    version: int
    volatile: frozenset[str]
    surrogate: Column | None = None
    members: list[Member] = field(default_factory=list)
    key: tuple[Value | Reference, ...] = ()
    parent: RowSet | None = None
    is_owned: bool = False
    newest_first: bool = False
    owner_columns: tuple[Column, ...] = ()
    void_columns: tuple[Column, ...] = ()
    whole_key: tuple[Value | Reference, ...] = ()
    is_known_by_id: bool = False
    discriminator: Value | None = None
    classes: Classes = None
    extensions: tuple[Extension, ...] = ()
    fields: dict[str, ma.fields.Field[Any]] = field(init=False, default_factory=dict)

    @property
    def tables(self) -> tuple[sa.Table, ...]:
        """The table, and those that subclasses add."""
        return (self.table, *(extension.table for extension in self.extensions))

    @property
    def identity(self) -> tuple[Column, ...]:
        """The primary key's columns."""
        return tuple(self.table.primary_key.columns)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The written names of the natural key's members."""
        return tuple(member.written for member in self.key)

    @property
    def values(self) -> list[Value]:
        """The plain values."""
        return [member for member in self.members if isinstance(member, Value)]

    @property
    def references(self) -> list[Reference]:
        """The references."""
        return [member for member in self.members if isinstance(member, Reference)]

    @property
    def links(self) -> list[Links]:
        """The many-to-many lists."""
        return [member for member in self.members if isinstance(member, Links)]

    @property
    def children(self) -> list[Children]:
        """The owned lists."""
        return [member for member in self.members if isinstance(member, Children)]

    def extension_of(self, table: Any) -> Extension | None:
        """Return the extension that a table is; ``None`` for the row set's own table."""
        return next((extension for extension in self.extensions if extension.table is table), None)

    def in_base(self, column: Column) -> Column:
        """Return the base's column whose value a column of a subclass's primary key repeats."""
        pairs = [pair for extension in self.extensions for pair in extension.pairs]
        return dict(pairs).get(column, column)

    def identity_in(self, table: Any) -> tuple[Column, ...]:
        """Return the columns of one of the row set's tables that hold its primary key."""
        extension = self.extension_of(table)
        if extension is None:
            return self.identity
        own = {base: column for column, base in extension.pairs}
        return tuple(own[column] for column in self.identity)

    def members_of(self, record: Mapping[str, Any]) -> list[Member]:
        """Return the members that a record of its class has."""
        if self.discriminator is None:
            return self.members
        discriminator = record.get(self.discriminator.written)
        discriminator = None if isinstance(discriminator, list | dict) else discriminator
        return [
            member
            for member in self.members
            if member.classes is None or discriminator in member.classes
        ]

    def carried(self) -> set[Column]:
        """The tables' columns that records carry, surrogate and parent's key included."""
        columns = {value.column for value in self.values} | set(self.owner_columns)
        columns |= {own for extension in self.extensions for own, _ in extension.pairs}
        for reference in self.references:
            columns.update(reference.columns)
        return columns | ({self.surrogate} if self.surrogate is not None else set())

    def tree(self) -> Iterator[RowSet]:
        """Yield this row set and every one nested in it, parents first."""
        yield self
        for children in self.children:
            yield from children.rows.tree()


def references_of(root: RowSet, path: str = "") -> Iterator[tuple[str, RowSet, Reference]]:
    """Yield every reference of an entity's records: dotted path, row set, reference."""
    for reference in root.references:
        yield f"{path}{reference.written}", root, reference
    for links in root.links:
        yield f"{path}{links.written}", root, links.reference
    for children in root.children:
        yield from references_of(children.rows, f"{path}{children.written}.")


def carried_tables(rows: RowSet) -> Iterator[tuple[sa.Table, Classes]]:
    """Yield each table of a row set with the discriminators whose rows have a row there."""
    yield rows.table, None
    for extension in rows.extensions:
        yield extension.table, extension.classes


def retyped(column: Any, type_: TypeEngine[Any] | None) -> Any:
    """Return a column of a table or alias as one of another type; itself without one."""
    if type_ is None:
        return column
    retyped_column = copy.copy(column)
    retyped_column.__dict__.pop("comparator", None)
    retyped_column.type = type_
    return retyped_column
