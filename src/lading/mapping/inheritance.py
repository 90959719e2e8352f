"""What a model's inheritance hierarchy looks like: its classes, their tables and columns.

A single-table or joined-table hierarchy is one entity, declared on its base; a
record carries the discriminator and the fields of its own class.  Classes mapped with
``concrete=True`` have tables of their own, and are entities of their own.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, RelationshipProperty

from lading.mapping.columns import is_decorator, kind_of
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.relationships import attribute_of
from lading.model.rowsets import Classes, Column, Extension
from lading.values.base import Kind
from lading.values.scalars import Choice, Integer, Text


class Hierarchy:
    """The classes over one entity's tables, base first.

    Raises ``AmbiguousDeclaration`` for what can't be one entity.
    """

    def __init__(self, mapper: Mapper[Any]) -> None:
        self.mapper = mapper
        self.mappers = list(family(mapper))
        self.tables = [_table_of(member) for member in self.mappers]
        self.table = self.tables[0]
        if len(self.mappers) > 1:
            self._require_discriminator()
        self.classes: dict[Mapper[Any], frozenset[Any]] = {}

    @property
    def discriminator(self) -> Column | None:
        """The column that says which class a row is of, if there is one."""
        column: Any = self.mapper.polymorphic_on
        is_ours = isinstance(column, sa.Column) and column.table is self.table
        return column if is_ours else None

    def _require_discriminator(self) -> None:
        if self.discriminator is None:
            raise AmbiguousDeclaration(
                f"{self.mapper.class_.__name__} has subclasses, and no column of "
                f"{self.table.fullname} says which a row is of; give it "
                "__mapper_args__ = {'polymorphic_on': …} with a column of that table"
            )

    def name_classes(self, stored: Collection[str]) -> None:
        """Find which discriminators each class's rows have, in their written form.

        Only Python values can be compared with polymorphic identities, so a decorated column
        whose values travel as they are ``stored`` can't be a discriminator.
        """
        column = self.discriminator
        kind = kind_of(column.type) if column is not None else None
        if column is None or (kind is None and len(self.mappers) == 1):
            return
        is_stored = is_decorator(column.type) and self.attribute(column) in stored
        if kind is None or is_stored:
            raise AmbiguousDeclaration(_type_fault(column, is_stored=is_stored))
        for mapper in self.mappers:
            self.classes[mapper] = frozenset(
                _written(kind, member)
                for member in family(mapper)
                if member.polymorphic_identity is not None
            )

    @property
    def known(self) -> Classes:
        """Every discriminator that a row may have; none may be null for the base alone."""
        column = self.discriminator
        if column is None or not self.classes.get(self.mapper):
            return None
        return self.classes[self.mapper] | (frozenset({None}) if column.nullable else frozenset())

    def columns(self) -> Iterator[Column]:
        """Yield the tables' columns, without those by which a subclass's rows join the base's."""
        joining = {own for extension in self.extensions() for own, _ in extension.pairs}
        for table in dict.fromkeys(self.tables):
            yield from (column for column in table.columns if column not in joining)

    def extensions(self) -> tuple[Extension, ...]:
        """Return the subclasses' own tables, parents first."""
        extensions: dict[sa.Table, Extension] = {}
        known = {column: column for column in self.table.primary_key.columns}
        for mapper, table in zip(self.mappers, self.tables, strict=True):
            if table is self.table or table in extensions:
                continue
            pairs = _joining(mapper, table, known)
            known |= dict(pairs)
            extensions[table] = Extension(table, pairs, self.classes.get(mapper, frozenset()))
        return tuple(extensions.values())

    def mapping(self, column: Column) -> list[Mapper[Any]]:
        """List the classes that map a column, base first."""
        return [m for m in self.mappers if attribute_of(m, column) is not None]

    def attribute(self, column: Column) -> str | None:
        """Return the name of the attribute that maps a column in the first such class."""
        for mapper in self.mapping(column):
            return attribute_of(mapper, column)
        return None

    def classes_of(self, columns: Iterable[Column]) -> Classes:
        """Return the discriminators whose rows hold these columns; ``None`` for all.

        A column that is NOT NULL or has a default also holds values in rows of other classes,
        so it belongs to all classes that have its table.
        """
        result: Classes = None
        for column in columns:
            classes = self._classes_of(column)
            if classes is not None:
                result = classes if result is None else result & classes
        return result

    def _classes_of(self, column: Column) -> Classes:
        mappers = self.mapping(column)
        if not mappers or self.mapper in mappers:
            return None
        filled = (
            not column.nullable or column.default is not None or column.server_default is not None
        )
        if filled:
            owner = self.tables.index(column.table)
            return None if owner == 0 else self.classes[self.mappers[owner]]
        discriminators: frozenset[Any] = frozenset()
        return discriminators.union(*(self.classes[mapper] for mapper in mappers))

    def relationships(self) -> dict[str, tuple[RelationshipProperty[Any], Classes]]:
        """Return the relationships by name, each of the first class that has it."""
        relationships: dict[str, tuple[RelationshipProperty[Any], Classes]] = {}
        for mapper in self.mappers:
            classes = None if mapper is self.mapper else self.classes.get(mapper)
            for relationship in mapper.relationships:
                relationships.setdefault(str(relationship.key), (relationship, classes))
        return relationships

    def attributes(self) -> set[str]:
        """Return the names of all mapped attributes."""
        return {str(name) for mapper in self.mappers for name in mapper.attrs.keys()}  # noqa: SIM118 - no mapping


def is_one_entity(mapper: Mapper[Any]) -> bool:
    """Tell whether the classes over a mapper's tables can be one entity."""
    try:
        hierarchy = Hierarchy(mapper)
        hierarchy.name_classes(())
        hierarchy.extensions()
    except AmbiguousDeclaration:
        return False
    return True


def family(mapper: Mapper[Any]) -> Iterator[Mapper[Any]]:
    """Yield a mapper and the subclasses that share its rows, parents first."""
    for member in mapper.self_and_descendants:
        chain = member
        while chain is not mapper and not chain.concrete and chain.inherits is not None:
            chain = chain.inherits
        if chain is mapper:
            yield member


def _table_of(mapper: Mapper[Any]) -> sa.Table:
    table = mapper.local_table
    if not isinstance(table, sa.Table):
        raise AmbiguousDeclaration(
            f"{mapper.class_.__name__} is mapped to {type(table).__name__.lower()}, and not to a "
            "table; map it to one, or map a class to each of its tables"
        )
    return table


def _type_fault(column: Column, *, is_stored: bool) -> str:
    """Say what is wrong with the type of a discriminator."""
    remove = "remove it from Meta.stored, and " if is_stored else ""
    problem = f"{column} says which class a row is of"
    if not is_decorator(column.type):
        return f"{problem}, and its type isn't one that lading knows; change it"
    return (
        f"{problem}, so its Python values must be known; {remove}give its type a python_type, or "
        "annotate what its process_result_value returns"
    )


def _written(kind: Kind, mapper: Mapper[Any]) -> Any:
    try:
        return kind.write(_plain(kind, mapper.polymorphic_identity))
    except ValueError as error:
        raise AmbiguousDeclaration(
            f"the polymorphic_identity of {mapper.class_.__name__} isn't a value of its column "
            f"({error}); correct one of them"
        ) from error


def _plain(kind: Kind, identity: Any) -> Any:
    """Return the column's value that SQLAlchemy treats as equal to a polymorphic identity.

    An identity may be an enumeration's member, its name or its value.
    """
    if isinstance(kind, Choice):
        members = kind.members.items()
        forms = [(member, name, getattr(member, "value", member)) for name, member in members]
        return next((form[0] for form in forms if identity in form), identity)
    is_special = isinstance(kind, Text | Integer) and isinstance(identity, enum.Enum)
    return identity.value if is_special else identity


def _joining(
    mapper: Mapper[Any], table: sa.Table, known: dict[Column, Column]
) -> tuple[tuple[Column, Column], ...]:
    """Pair a subclass's primary key with the base's, by way of its parents'."""
    condition: Any = mapper.inherit_condition
    pairs: dict[Column, Column] = {}
    for part in sa.sql.visitors.iterate(condition) if condition is not None else ():
        if isinstance(part, sa.BinaryExpression) and part.operator is sa.sql.operators.eq:
            for own, above in ((part.left, part.right), (part.right, part.left)):
                if isinstance(own, sa.Column) and own.table is table and above in known:
                    pairs[own] = known[above]  # type: ignore[index]
    key = tuple(table.primary_key.columns)
    if set(pairs) != set(key) or len(set(pairs.values())) != len(set(known.values())):
        raise AmbiguousDeclaration(
            f"the rows of {table.fullname} don't join those of their base class by the whole of "
            "both primary keys; give its primary key a foreign key to the base's"
        )
    return tuple((own, pairs[own]) for own in key)
