"""The one module that knows sqlacodegen: from tables to the source of declarative models.

Its own choices are narrowed to what restores data as it is: columns stay in the table's order,
no table becomes a subclass of another, no text becomes an enumeration, and no attribute takes a
name that declarative classes need.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlacodegen.generators import DeclarativeGenerator
from sqlacodegen.models import RelationshipType

from lading.mapping.engine_types import EngineType
from lading.mapping.foreign_key_names import without_id
from lading.model.uniqueness import is_plain_unique

#: Attributes that a declarative class has already.
RESERVED = ("metadata", "registry", "type_annotation_map")
#: Options that every model is written with; see above.
ALWAYS = ("nojoined", "nosyntheticenums", "nonativeenums")
#: From the richest form to that which nothing can be wrong with; 4.0.4 may write relationships
#: that can't be configured (agronholm/sqlacodegen#484).
ATTEMPTS: tuple[tuple[str, ...], ...] = ((), ("nobidi",), ("nobidi", "norelationships"))


@dataclass(slots=True)
class Surroundings:
    """What is there already, which new models must fit.

    ``class_names`` are what the classes of tables are called, by the tables' full names;
    ``reserved`` names no other class may have; ``linkless`` tables get a class, even if they hold
    only links.
    """

    class_names: Mapping[str, str] = field(default_factory=dict)
    reserved: Iterable[str] = ()
    linkless: Collection[str] = ()


def generated(
    metadata: sa.MetaData,
    bind: sa.Engine | sa.Connection,
    options: Sequence[str],
    known: Surroundings,
) -> str:
    """Return the source of models for tables.

    Args:
        metadata: The tables, which the generator alters.
        bind: An engine or connection of their dialect.
        options: One of ``ATTEMPTS``.
        known: What the models must fit.
    """
    with warnings.catch_warnings():
        # Circles among tables concern only the order of classes.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        return str(ModelGenerator(metadata, bind, options, known).generate())


class ModelGenerator(DeclarativeGenerator):
    """Writes models with what this module decides."""

    def __init__(
        self, metadata: sa.MetaData, bind: Any, options: Sequence[str], known: Surroundings
    ) -> None:
        own = [option for option in options if option not in self.valid_options]
        super().__init__(metadata, bind, [*ALWAYS, *(set(options) - set(own))])
        self.all_relationships: list[Any] = []
        self.has_relationships = not own
        self.known = known
        self.reserved = {*known.reserved, self.base_class_name}

    def generate_models(self) -> list[Any]:
        """Let only tables of plain links have no class."""
        hidden = {
            column: column.foreign_keys
            for column in _marking_columns(self.metadata, self.known.linkless)
        }
        for column in hidden:
            column.foreign_keys = set()
        try:
            models = super().generate_models()
        finally:
            for column, keys in hidden.items():
                column.foreign_keys = keys
        self.all_relationships = [
            relationship for model in models for relationship in getattr(model, "relationships", ())
        ]
        return list(models)

    def generate_relationships(self, source: Any, *arguments: Any) -> Any:
        """Let a table's references to itself lead to the columns that they refer to."""
        if not self.has_relationships:
            return []
        relationships = super().generate_relationships(source, *arguments)
        seen = set()
        for relationship in source.relationships:
            key = relationship.constraint
            is_own = relationship.source is relationship.target is source
            if is_own and relationship.association_table is None and key not in seen:
                seen.add(key)  # the reverse comes after it
                relationship.remote_side = [
                    source.get_column_attribute(element.column.name) for element in key.elements
                ]
        return relationships

    def generate_relationship_name(
        self, relationship: Any, global_names: set[str], local_names: set[str]
    ) -> None:
        """Name what ``reporterId`` leads to as sqlacodegen names it for ``reporter_id``."""
        super().generate_relationship_name(relationship, global_names, local_names)
        key = relationship.constraint
        if key is None or len(key.columns) > 1:
            return
        is_near = relationship.source.table is key.table is not relationship.target.table
        name = str(key.columns[0].name)
        plain = without_id(name)
        if plain not in (name, name.removesuffix("_id")) and (
            is_near or relationship.type is RelationshipType.MANY_TO_ONE
        ):
            relationship.name = self.find_free_name(plain, global_names, local_names)

    def render_relationship_arguments(self, relationship: Any) -> Mapping[str, Any]:
        """Name the relationships that share columns with one, so that nothing warns of them."""
        arguments = dict(super().render_relationship_arguments(relationship))
        names = {
            other.name
            for other in self.all_relationships
            if other not in (relationship, relationship.backref)
            and _shares_columns(relationship.constraint, other.constraint)
        }
        if names:
            arguments["overlaps"] = repr(",".join(sorted(names)))
        return arguments

    def generate_model_name(self, model: Any, global_names: set[str]) -> None:
        """Keep the name that a class has already."""
        name = self.known.class_names.get(model.table.fullname)
        super().generate_model_name(model, global_names | self.reserved)
        if name is not None:
            model.name = name

    def find_free_name(
        self, name: str, global_names: set[str], local_names: Iterable[str] = ()
    ) -> str:
        """Pass over names that Python or SQLAlchemy takes otherwise."""
        plain = re.sub(r"\W", "_", name.strip()).lstrip("_") or "column"
        is_private = name.strip().startswith("__") or not name.strip()
        usable = f"{plain}_" if is_private or plain in RESERVED else name
        return str(super().find_free_name(usable, global_names, list(local_names)))

    def add_import(self, obj: Any) -> None:
        """Import lading's own type by its public name."""
        if isinstance(obj, EngineType):
            self.add_literal_import("lading", "EngineType")
        else:
            super().add_import(obj)

    def render_column_attribute(self, column_attr: Any) -> str:
        """Write a plain column where nobody knows its type, for an annotation needs one."""
        column = column_attr.column
        if not isinstance(column.type, sa.types.NullType):
            return str(super().render_column_attribute(column_attr))
        show_name = column_attr.name != column.name
        return f"{column_attr.name} = {self.render_column(column, show_name, is_table=True)}"

    def render_index(self, index: sa.Index) -> str:
        """Write the expressions and the condition of an index, which sqlacodegen leaves out."""
        parts = [repr(index.name), *map(self._indexed, index.expressions)]
        options = {"unique": True} if index.unique else {}
        options |= {name: value for name, value in index.kwargs.items() if value not in ([], {})}
        parts += [f"{name}={self._indexed(value)}" for name, value in sorted(options.items())]
        return f"Index({', '.join(parts)})"

    def _indexed(self, part: Any) -> str:
        """Return the source of what an index has: a column by its name, SQL as text."""
        if isinstance(part, sa.Column):
            return repr(str(part.name))
        if not isinstance(part, sa.ClauseElement):
            return repr(part)
        self.add_literal_import("sqlalchemy", "text")
        sql = part.compile(dialect=self.bind.dialect, compile_kwargs={"include_table": False})
        return f"text({str(sql)!r})"

    def render_column(self, column: Any, *arguments: Any, **options: Any) -> str:
        """Take no column for unique that is so only in some rows, or with an expression."""
        indexes = column.table.indexes
        odd = {index for index in indexes if index.unique and not is_plain_unique(index)}
        indexes -= odd
        try:
            return str(super().render_column(column, *arguments, **options))
        finally:
            indexes |= odd

    def render_class(self, model: Any) -> str:
        """Keep the columns in the table's order."""
        sections = [
            self.render_class_variables(model),
            "\n".join(map(self.render_column_attribute, model.columns)),
            "\n".join(map(self.render_relationship, model.relationships)),
        ]
        body = "\n\n".join(
            "\n".join(f"{self.indentation}{line}" for line in section.splitlines())
            for section in sections
            if section
        )
        return f"{self.render_class_declaration(model)}\n{body}"


def _shares_columns(
    key: sa.ForeignKeyConstraint | None, other: sa.ForeignKeyConstraint | None
) -> bool:
    """Tell whether two foreign keys of one table hold the same columns, or some of them."""
    if key is None or other is None or key.table is not other.table:
        return False
    return bool(set(key.columns) & set(other.columns))


def _marking_columns(metadata: sa.MetaData, linkless: Collection[str]) -> Iterator[sa.Column[Any]]:
    """Yield a column of each table that only looks like one of plain links.

    In such a table a row is never null, and is told by all of its columns; nothing refers to it.
    """
    targets = {
        key.referred_table
        for table in metadata.tables.values()
        for key in table.foreign_key_constraints
    }
    for table in metadata.tables.values():
        identity = set(table.primary_key.columns)
        is_plain = identity == set(table.columns) or not identity
        is_plain = is_plain and table.fullname not in linkless
        if not is_plain or table in targets or any(column.nullable for column in table.columns):
            yield from list(table.columns)[:1]
