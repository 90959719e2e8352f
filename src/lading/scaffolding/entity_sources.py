"""What a module of schemas says: one schema an entity, and a line only where there is a choice."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from lading.catalog import Catalog
from lading.mapping.engine_types import EngineType
from lading.model.entities import Entities, KeyChoice, shown_names
from lading.model.rowsets import Reference, RowSet
from lading.scaffolding.code_layout import comment, quoted, statement
from lading.scaffolding.families import families_of

#: The abstract schema that the written ones are subclasses of.
COMMON = "CatalogSchema"


@dataclass(frozen=True, slots=True)
class EntitySource:
    """The schema of one entity, or of rows that another owns.

    ``table`` is the full name of its table, ``family`` the first entity of its family, ``owner``
    the model that owns its rows, and ``fields`` the classes of fields that must be imported.
    """

    entity: str
    table: str
    name: str
    family: str
    model: type
    source: str
    owner: type | None = None
    fields: frozenset[str] = frozenset()


@dataclass(slots=True)
class CatalogSource:
    """What a module of schemas consists of.

    ``undeclared`` are entities whose models can't be imported; such a catalog adopts them still.
    ``leaves_out`` and ``elsewhere`` give the reasons for what models have, and for what only the
    database has.
    """

    entities: list[EntitySource] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    leaves_out: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)


def catalog_source(
    catalog: Catalog, elsewhere: Mapping[str, str], places: Mapping[type, str]
) -> CatalogSource:
    """Return the declarations that say what an adopted catalog does.

    Args:
        catalog: An adopted catalog.
        elsewhere: The reasons for which the database has more than the models.
        places: The expression for each model that can be imported.
    """
    entities = catalog.use()
    choices = {choice.entity: choice for choice in catalog.choices()}
    result = CatalogSource(elsewhere=dict(elsewhere))
    tables = _names_in_models(entities)
    for name, reason in entities.left_out.items():
        (result.leaves_out if name in tables else result.elsewhere)[name] = reason
    result.undeclared = [
        name
        for name, rows in entities.roots.items()
        if any(nested.mapper.class_ not in places for nested in rows.tree())
    ]
    for family, names in families_of(entities).items():
        for name in names:
            rows = entities.roots[name]
            if all(nested.mapper.class_ in places for nested in rows.tree()):
                result.entities += _sources(rows, family, choices, entities.left_out, places)
    return result


def _sources(
    rows: RowSet,
    family: str,
    choices: Mapping[str, KeyChoice],
    left_out: Mapping[str, str],
    places: Mapping[type, str],
) -> list[EntitySource]:
    """Return the schemas of an entity and of the rows that it owns, which stand before it."""
    nested = [
        replace(source, owner=source.owner or rows.mapper.class_)
        for children in rows.children
        for source in _sources(children.rows, family, choices, left_out, places)
    ]
    writer = _SchemaWriter(rows, choices.get(rows.name), left_out)
    return [*nested, writer.source(family, places[rows.mapper.class_])]


def _names_in_models(entities: Entities) -> set[str]:
    """Return the full names of the models' tables, and of their columns."""
    registries = {rows.mapper.registry for rows in entities.all_rows()}
    mapped = {table for rows in entities.all_rows() for table in rows.tables}
    metadatas = {models.metadata for models in registries} | {table.metadata for table in mapped}
    tables = [table for metadata in metadatas for table in metadata.tables.values()]
    columns = {f"{table.fullname}.{column.name}" for table in tables for column in table.columns}
    return columns | {table.fullname for table in tables}


class _SchemaWriter:
    """Writes one schema."""

    def __init__(self, rows: RowSet, choice: KeyChoice | None, left_out: Mapping[str, str]) -> None:
        self.rows = rows
        self.choice = choice
        self.decisions = choice.fields if choice is not None else ()
        self.left_out = left_out

    def source(self, family: str, model: str) -> EntitySource:
        """Return the schema; ``model`` is the expression for its model."""
        rows = self.rows
        name = _schema_name(rows)
        references, owned = self._references(), self._owned()
        fields = [*references, *owned]
        lines = [f"class {name}({COMMON}):", *fields, *([""] if fields else [])]
        lines += ["    class Meta:", _line(f"model = {model}", 8), *self._options()]
        return EntitySource(
            rows.name,
            rows.table.fullname,
            name,
            family,
            rows.mapper.class_,
            "\n".join(lines),
            fields=frozenset(["Ref"] * bool(references) + ["Owned"] * bool(owned)),
        )

    def _references(self) -> list[str]:
        """Return the lines of references that wouldn't be called so by themselves."""
        lines = []
        for name, decision in self.decisions:
            for reference in self.rows.references:
                if reference.name == name and name.isidentifier():
                    lines.append(comment(f"{name} {decision}", 4))
                    lines.append(_line(f"{name} = Ref({self._named_by(reference)})", 4))
        return lines

    def _owned(self) -> list[str]:
        """Return the lines of the rows that its records hold."""
        lines, decisions = [], dict(self.decisions)
        for children in self.rows.children:
            if children.name in decisions:
                lines.append(comment(f"{children.name} {decisions[children.name]}", 4))
            lines.append(_line(f"{children.name} = Owned({_schema_name(children.rows)})", 4))
        return lines

    def _named_by(self, reference: Reference) -> str:
        """Return what a ``Ref`` is given: nothing, if it is called like its relationship."""
        mapper: Mapper[Any] = self.rows.mapper
        if reference.name in mapper.relationships:
            return ""
        names = [mapper.get_property_by_column(column).key for column in reference.columns]
        if len(names) > 1:
            return repr(tuple(names))
        return "" if names == [reference.name] else repr(names[0])

    def _options(self) -> list[str]:
        """Return the lines of ``Meta`` after the model's."""
        rows, choice = self.rows, self.choice
        lines = []
        if not rows.is_owned and rows.name != rows.table.name:
            lines += [
                comment(f"the name {rows.table.name!r} is taken, or can't be a file's", 8),
                _line(f"name = {rows.name!r}", 8),
            ]
        if choice is not None and not choice.is_default:
            others = [shown_names(names) for names in choice.candidates if names != choice.key]
            beside = f"; or {', '.join(others)}" if others else ""
            lines += [
                comment(f"{choice.reason}{beside}", 8),
                _line(f"natural_key = {_key(choice.key)}", 8),
            ]
        elsewhere = {member.name for member in [*rows.references, *rows.children]}
        elsewhere |= {
            value.name
            for value in rows.values
            if isinstance(value.column.type, EngineType) and not value.column.foreign_keys
        }
        stored = {name: text for name, text in self.decisions if name not in elsewhere}
        return [
            *lines,
            *_named_in("stored", stored),
            *_named_in("exclude", self._excluded()),
        ]

    def _excluded(self) -> dict[str, str]:
        """Return the fields that no record can carry, each with the reason."""
        mapper: Mapper[Any] = self.rows.mapper
        fields = {}
        for column in self.rows.table.columns:
            reason = self.left_out.get(f"{column.table.fullname}.{column.name}")
            if reason is not None and mapper.columns.contains_column(column):
                fields[mapper.get_property_by_column(column).key] = reason
        for relationship in mapper.relationships:
            table = relationship.secondary
            reason = self.left_out.get(table.fullname) if isinstance(table, sa.Table) else None
            if reason is not None and not relationship.viewonly:
                fields[relationship.key] = reason
        return fields


def _named_in(option: str, reasons: Mapping[str, str]) -> list[str]:
    """Return the lines of an option that names fields, and why it does."""
    if not reasons:
        return []
    comments = [comment(f"{name}: {reason}", 8) for name, reason in reasons.items()]
    return [*comments, _line(f"{option} = {tuple(reasons)!r}", 8)]


def _schema_name(rows: RowSet) -> str:
    return f"{rows.mapper.class_.__name__}Schema"


def _key(names: tuple[str, ...]) -> str:
    return repr(names[0] if len(names) == 1 else names)


def _line(source: str, indent: int) -> str:
    return statement(ast.parse(source).body[0], indent)


def catalog_lines(source: CatalogSource, name: str, base: str | None) -> str:
    """Return the statement that makes the catalog.

    Args:
        source: What it declares.
        name: Its name.
        base: The expression for what is adopted beside the schemas, if something is.
    """
    named = f"    {quoted(name)},"
    lines = ["catalog = Catalog(", named]
    if base is not None:
        lines = [
            comment(f"adopted, for their models can't be named: {', '.join(source.undeclared)}"),
            "catalog = Catalog.from_metadata(",
            f"    {base},",
            f"    name={quoted(name)},",
        ]
    else:
        lines += [
            comment("ids may be kept where no foreign key tells of them, as in JSON", 4),
            "    keep_ids=True,",
            comment("digits beyond a decimal column's scale are rounded, as SQLAlchemy does", 4),
            '    sqlite_decimals="as_read",',
        ]
    if source.leaves_out:
        lines.append("    leaves_out={")
        for left, reason in sorted(source.leaves_out.items()):
            lines.append(f"        {quoted(left)}: {quoted(reason)},")
        lines.append("    },")
    return "\n".join([*lines, ")"])
