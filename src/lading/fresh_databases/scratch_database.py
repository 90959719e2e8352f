"""A SQLite database for the tables of any engine: of another's, without what SQLite can't read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler
from sqlalchemy.types import TypeEngine

from lading.adopting.reflection import generic
from lading.catalog import Catalog
from lading.database.dialects.sqlite_columns import WRITTEN
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.errors import TargetError
from lading.fresh_databases.factories import (
    AS_IT_COMES,
    LenientTypes,
    sqlite_file_engine,
    tables_of_models,
)
from lading.fresh_databases.unfit_tables import lacks
from lading.mapping.columns import is_decorator, kind_of
from lading.messages import Message
from lading.values.datetimes import Date, DateTime, Time
from lading.values.scalars import Boolean, Bytes, Choice, Integer, Text, Uuid

#: Kinds whose values SQLite keeps as they are, by their usual types.
KEPT = (Boolean, Bytes, Choice, Date, DateTime, Text, Uuid)


def is_foreign(catalog: Catalog) -> bool:
    """Tell whether a catalog is of another engine's database.

    So it is if it was made of one, or if a model's column has a type that SQLite lacks.
    """
    if isinstance(catalog.bind, sa.Engine) and catalog.bind.dialect.name != "sqlite":
        return True
    dialect = sqlite.dialect()
    dialect.type_compiler_instance = LenientTypes(dialect)
    codecs = SQLiteCodecs(dialect)
    return any(
        lacks(dialect, column.type) or codecs.refusal(column.type) is not None
        for table in tables_of_models(catalog)
        for column in table.columns
    )


def _is_kept(type_: TypeEngine[Any]) -> bool:
    """Tell whether SQLite keeps each value of a type, with any decorator, as it is."""
    while is_decorator(type_):
        type_ = type_.impl_instance  # type: ignore[attr-defined]
    kind = kind_of(type_)
    if isinstance(kind, Integer):
        return not getattr(type_, "unsigned", False) or not isinstance(type_, sa.BigInteger)
    return isinstance(kind, KEPT) or (isinstance(kind, Time) and not kind.aware)


class ScratchDatabase:
    """Lends a SQLite file that takes what records say, whatever engine the models are of.

    Args:
        path: The file.
        is_foreign: Whether the models' SQL may be of another engine.  Types that SQLite doesn't
            know, and those of which it would change values, are kept in their written form, and
            there are no checks, defaults and indexes but unique ones.
    """

    def __init__(self, path: Path, *, is_foreign: bool) -> None:
        self.path = path
        self.is_foreign = is_foreign

    @property
    def computes(self) -> bool:
        """SQL of another engine computes nothing here."""
        return not self.is_foreign

    def lend(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> AbstractContextManager[sa.Engine]:
        """Give an engine over the file, with the catalog's tables."""
        _refuse_alike(catalog)
        return self._lent(prepare)

    @contextmanager
    def _lent(
        self, prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]]
    ) -> Iterator[sa.Engine]:
        engine = sqlite_file_engine(self.path)
        if self.is_foreign:
            engine.connect().close()  # the dialect settles its compilers when it first connects
            dialect: Any = engine.dialect
            dialect.type_compiler_instance = _AnyTypes(dialect)
            dialect.ddl_compiler = _BareTables
        try:
            with prepare(engine) as usable:
                yield usable
        finally:
            engine.dispose()


def _refuse_alike(catalog: Catalog) -> None:
    """Refuse tables, and columns of one, whose names differ by letter case alone."""
    tables = tables_of_models(catalog)
    names = [(table.schema or "", str(table.name)) for table in tables]
    groups = [("tables", "", names)]
    groups += [("columns", t.fullname, [("", str(c.name)) for c in t.columns]) for t in tables]
    for what, table, known in groups:
        first: dict[tuple[str, str], str] = {}
        for schema, name in known:
            other = first.setdefault((schema, name.lower()), name)
            if other != name:
                raise TargetError(
                    Message(
                        "restore-failed", f"SQLite takes the {what} {other} and {name} for one"
                    ),
                    "Restore into a database of the same engine: --scratch URL, or in Python "
                    "restore=engine_factory.",
                    entity=table or None,
                )


class _AnyTypes(LenientTypes):
    """Names the types of columns; SQLite's own only where it keeps each value."""

    def process(self, type_: Any, **options: Any) -> str:
        if not _is_kept(type_):
            return WRITTEN
        plain = type_ if is_decorator(type_) else generic(type_)
        try:
            return str(super().process(plain, **options))
        except (sa.exc.CompileError, AttributeError):
            return AS_IT_COMES


class _BareTables(SQLiteDDLCompiler):
    """Creates tables with their keys, and nothing whose SQL another engine may have written."""

    def visit_check_constraint(self, constraint: Any, **options: Any) -> Any:
        """Leave checks out."""

    def get_column_specification(self, column: Any, **options: Any) -> str:
        """Number no part of a composite key, which SQLite can't."""
        if len(column.table.primary_key.columns) < 2:
            single: Any = super()
            return str(single.get_column_specification(column, **options))
        type_ = self.dialect.type_compiler_instance.process(column.type, type_expression=column)
        needed = "" if column.nullable else " NOT NULL"
        return f"{self.preparer.format_column(column)} {type_}{needed}"

    def get_column_default_string(self, column: Any) -> None:
        """Leave defaults out."""

    def visit_computed_column(self, generated: Any, **options: Any) -> str:
        """Leave out what computes a column."""
        return ""

    def visit_create_index(self, create: Any, *arguments: Any, **options: Any) -> str:
        """Create the unique indexes of plain columns, to which foreign keys may lead."""
        index = create.element
        is_plain = all(isinstance(part, sa.Column) for part in index.expressions)
        is_partial = any(name.endswith("_where") for name in index.kwargs)
        if not index.unique or not is_plain or is_partial:
            return "SELECT 1"
        # Other engines may have indexes of one name in several tables.
        schema, name = index.table.schema, f"{index.table.fullname} {index.name}"
        names = [self.preparer.quote(part) for part in (schema, name) if part]
        table = self.preparer.format_table(index.table, use_schema=False)
        columns = ", ".join(self.preparer.quote(column.name) for column in index.columns)
        return f"CREATE UNIQUE INDEX {'.'.join(names)} ON {table} ({columns})"
