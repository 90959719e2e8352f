"""A SQLite database for the tables of any engine: of another's, without what SQLite can't read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler

from lading.adopting.reflection import generic
from lading.catalog import Catalog
from lading.fresh_databases.factories import (
    AS_IT_COMES,
    LenientTypes,
    sqlite_file_engine,
    tables_of_models,
)


def has_foreign_types(catalog: Catalog) -> bool:
    """Tell whether a column of a catalog's models has a type that SQLite can't name."""
    types: Any = LenientTypes(sqlite.dialect())
    for table in tables_of_models(catalog):
        for column in table.columns:
            try:
                types.process(column.type)
            except (sa.exc.CompileError, AttributeError):
                return True
    return False


class ScratchDatabase:
    """Lends a SQLite file that takes what records say, whatever engine the models are of.

    Args:
        path: The file.
        is_foreign: Whether the models' SQL may be of another engine.  Types that SQLite doesn't
            know keep values as they come, and there are no checks, defaults and indexes but unique
            ones.
    """

    def __init__(self, path: Path, *, is_foreign: bool) -> None:
        self.path = path
        self.is_foreign = is_foreign

    def lend(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> AbstractContextManager[sa.Engine]:
        """Give an engine over the file, with the catalog's tables."""
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


class _AnyTypes(LenientTypes):
    """Names the types of columns, or none."""

    def process(self, type_: Any, **options: Any) -> str:
        plain = type_ if isinstance(type_, sa.types.TypeDecorator) else generic(type_)
        try:
            return str(super().process(plain, **options))
        except (sa.exc.CompileError, AttributeError):
            return AS_IT_COMES


class _BareTables(SQLiteDDLCompiler):
    """Creates tables with their keys, and nothing whose SQL another engine may have written."""

    def visit_check_constraint(self, constraint: Any, **options: Any) -> Any:
        """Leave checks out."""

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
