"""Begins an entity: its model, name and version, before any of its fields."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from lading.filenames import name_fault
from lading.mapping.context import Context, RowSetDraft
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.inheritance import Hierarchy
from lading.mapping.meta_options import names_in, option, own_option, stored_names, unknown_options
from lading.mapping.surrogate_keys import surrogate_of
from lading.messages import shown
from lading.model.entities import RESERVED_NAMES
from lading.model.rowsets import RowSet, SchemaClass


def open_schema(context: Context, schema: SchemaClass) -> None:
    """Begin a schema's row set, or report why it can't be an entity."""
    hierarchy = _hierarchy(context, schema)
    if hierarchy is None:
        return
    table = hierarchy.table
    if not table.primary_key.columns:
        context.report(
            schema, "entity-undecided", f"table {table.fullname} has no primary key; give it one"
        )
        return
    for text in unknown_options(schema.__dict__.get("Meta", object)):
        context.report(schema, "schema-malformed", text)
    name = _name_of(context, schema, table)
    context.drafts[schema] = draft = RowSetDraft(context, schema, hierarchy)
    rows = RowSet(
        name,
        name,
        schema,
        hierarchy.mapper,
        table,
        _version_of(context, schema),
        frozenset(names_in(option(schema, "volatile"))),
        surrogate=surrogate_of(draft),
        classes=hierarchy.known,
        extensions=hierarchy.extensions(),
    )
    context.open(schema, rows)


def _hierarchy(context: Context, schema: SchemaClass) -> Hierarchy | None:
    """Return the classes that share a model's rows; report a model that can't be an entity."""
    model = schema.Meta.model  # type: ignore[attr-defined]
    mapper = sa.inspect(model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        context.report(
            schema,
            "schema-malformed",
            f"model = {shown(model)} isn't a mapped class; map it, or name another",
        )
        return None
    base = _base_of(mapper)
    if base is not mapper:
        context.report(
            schema,
            "hierarchy-malformed",
            f"{mapper.class_.__name__} is a subclass, and its records are those of "
            f"{base.class_.__name__}; declare one schema for the whole hierarchy, with "
            f"model = {base.class_.__name__}",
        )
        return None
    try:
        hierarchy = Hierarchy(mapper)
        hierarchy.name_classes(stored_names(schema))
        hierarchy.extensions()
    except AmbiguousDeclaration as error:
        context.report(schema, "hierarchy-malformed", str(error))
        return None
    return hierarchy


def _base_of(mapper: Mapper[Any]) -> Mapper[Any]:
    """Return the base of the classes that share a mapper's rows."""
    while mapper.inherits is not None and not mapper.concrete:
        mapper = mapper.inherits
    return mapper


def _name_of(context: Context, schema: SchemaClass, table: sa.Table) -> str:
    """Return an entity's name; report one that isn't allowed."""
    name = own_option(schema, "name")
    name = table.name if name is None else name
    if not isinstance(name, str) or not name:
        context.report(
            schema, "schema-malformed", f"name = {shown(name)}; write a non-empty string"
        )
        name = table.name
    fault = name_fault(f"01_{name}.json")
    if fault or name in RESERVED_NAMES:
        expected = fault or f"none of {', '.join(RESERVED_NAMES)}, which documents need"
        context.report(
            schema,
            "schema-malformed",
            f"is named {shown(name)}, expected {expected}; write name = … in its Meta",
        )
    return str(name)


def _version_of(context: Context, schema: SchemaClass) -> int:
    """Return an entity's version; report one that isn't allowed."""
    version = own_option(schema, "version")
    version = 1 if version is None else version
    if type(version) is not int or version < 1:
        context.report(
            schema, "schema-malformed", f"version = {shown(version)}; write a whole number from 1"
        )
        return 1
    return version


def sorting_name(schema: SchemaClass) -> tuple[str, str, str]:
    """Sort schemas by their entities' names, whatever the order in which they are declared."""
    name = own_option(schema, "name") or getattr(_table_of(schema), "name", "")
    return str(name), schema.__qualname__, schema.__module__


def table_name(schema: SchemaClass) -> str:
    """Return the full name of a schema's table."""
    return str(_table_of(schema).fullname)


def _table_of(schema: SchemaClass) -> Any:
    mapper = sa.inspect(schema.Meta.model, raiseerr=False)  # type: ignore[attr-defined]
    return getattr(mapper, "local_table", None)
