"""Corrects types of reflected columns that SQLAlchemy takes for others, and names unknown ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from lading.mapping.columns import TYPE_NAME
from lading.mapping.surrogate_keys import IS_NO_ID

#: What SQLite stores in a column whose type only the application knows.
_STORED: dict[str, TypeEngine[Any]] = {
    "text": sa.Text(),
    "integer": sa.BigInteger(),
    "real": sa.Double(),
    "blob": sa.LargeBinary(),
}
#: Words in the names of such types by which texts are meant, where no value tells.
_TEXTUAL = re.compile("STRING|UUID|GUID|UNIQUEIDENTIFIER|DATETIME|ENUM|URL|INET|XML")
#: How SQLite's texts of datetimes with a zone end.
_ZONED = ("*[Zz]", "*[+-][0-9][0-9]:[0-9][0-9]")
#: How its texts of days that are none begin, which MariaDB's bundles bring.
_NO_DAYS = ("0000-*", "????-00-*", "????-??-00*")
#: How its texts of days and times look that SQLAlchemy's types read.
_DAY = "-".join(["[0-9]" * 4, "[0-9]" * 2, "[0-9]" * 2])
_USUAL = {sa.Date: _DAY, sa.DateTime: f"{_DAY}*", sa.Time: "[0-9][0-9]:[0-9][0-9]*"}
#: Types of PostgreSQL's own that hold no texts of any length.
_OWN_TYPES = """
SELECT a.attname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = :table AND n.nspname = coalesce(nullif(:schema, ''), current_schema())
  AND a.attnum > 0 AND NOT a.attisdropped
  AND a.atttypid IN (CAST('name' AS regtype), CAST('"char"' AS regtype))
"""
_NAMES = {
    "postgresql": """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = :table AND n.nspname = coalesce(nullif(:schema, ''), current_schema())
          AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "mysql": """
        SELECT column_name, column_type FROM information_schema.columns
        WHERE table_name = :table AND table_schema = coalesce(nullif(:schema, ''), database())
    """,
    "sqlite": "SELECT name, type FROM pragma_table_xinfo(:table) WHERE :schema = ''",
}
_NAMES["mariadb"] = _NAMES["mysql"]


def note_unknown_types(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Note in ``info`` of columns of unknown types what the database calls these."""
    for table in tables:
        columns = [c for c in table.columns if isinstance(c.type, sa.types.NullType)]
        for column, declared in declared_types(connection, table, columns):
            column.info[TYPE_NAME] = declared


def note_odd_keys(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Note in ``info`` of SQLite's keys whose integers are none of ids, by their declared types."""
    for table in tables if connection.dialect.name == "sqlite" else ():
        columns = [c for c in table.primary_key.columns if isinstance(c.type, sa.BigInteger)]
        for column, declared in declared_types(connection, table, columns):
            if "int" not in declared:
                column.info[IS_NO_ID] = True


def declared_types(
    connection: sa.Connection, table: sa.Table, columns: Iterable[sa.Column[Any]]
) -> Iterator[tuple[sa.Column[Any], str]]:
    """Yield columns of a table with what the database calls their types, in lower case."""
    by_name = {column.name: column for column in columns}
    if not by_name:
        return
    query = sa.text(_NAMES.get(connection.dialect.name, ""))
    places = {"schema": table.schema or "", "table": table.name}
    for name, declared in connection.execute(query, places):
        if name in by_name:
            yield by_name[name], str(declared).lower()


def complete_types(connection: sa.Connection, table: sa.Table) -> None:
    """Correct the types of a table's columns.

    SQLite takes any name of a type, and counts those that it doesn't know as numbers; what such a
    column stores tells more.  On PostgreSQL two types of the server's own are taken for texts,
    which they can't hold: they become unknown, and are left out by name.
    """
    if connection.dialect.name == "sqlite":
        quoted = connection.dialect.identifier_preparer.quote(table.name)
        for _, column, declared, *_ in connection.exec_driver_sql(
            f"PRAGMA main.table_info({quoted})"
        ).all():
            if column in table.c:
                type_ = str(declared).partition("(")[0].strip().upper()
                _correct(connection, table.c[column], type_)
        _correct_datetimes(connection, table)
    elif connection.dialect.name == "postgresql":
        names = {"schema": table.schema or "", "table": table.name}
        for (column,) in connection.execute(sa.text(_OWN_TYPES), names):
            table.c[column].type = sa.types.NullType()


def _correct_datetimes(connection: sa.Connection, table: sa.Table) -> None:
    """Correct SQLite's dates and times that hold numbers alone, or texts that no such type keeps.

    These are texts with a zone, days that are none, blanks, and whatever looks otherwise.  One
    statement asks that of all of a table's columns.
    """
    columns = [(c, usual) for c in table.columns if (usual := _usual(c)) is not None]
    questions: list[sa.ColumnElement[Any]] = []
    for column, usual in columns:
        stored = sa.func.nullif(sa.func.typeof(column), "null")
        like = sa.type_coerce(column, sa.Text()).op("GLOB", is_comparison=True)
        odd = sa.or_(sa.not_(like(usual)), *map(like, (*_ZONED, *_NO_DAYS)))
        questions += [sa.func.min(stored), sa.func.max(stored), sa.func.max(odd)]
    try:
        answers = list(connection.execute(sa.select(*questions)).one()) if columns else []
    except sa.exc.DBAPIError:
        return  # whoever reads the rows says why they can't be read
    for (column, _), least, most, is_odd in zip(
        columns, answers[::3], answers[1::3], answers[2::3], strict=True
    ):
        stored_kinds = {least, most} - {None}
        is_one = len(stored_kinds) == 1 and (most != "text" or is_odd)
        if is_one or stored_kinds == {"integer", "real"}:
            _retype(column, most)


def _usual(column: sa.Column[Any]) -> str | None:
    """Return how the texts of a column of dates or times look."""
    return next((like for type_, like in _USUAL.items() if isinstance(column.type, type_)), None)


def loosen(tables: Iterable[sa.Table]) -> None:
    """Let strict tables of SQLite be created with types by their generic names, as others are."""
    for table in tables:
        options = table.dialect_options["sqlite"]
        if options.get("strict"):
            options["strict"] = False


def _retype(column: sa.Column[Any], stored: str) -> None:
    """Let a column be of what it stores; its declared type is none of ids."""
    column.type = _STORED[stored]
    column.info[IS_NO_ID] = True


def _correct(connection: sa.Connection, column: sa.Column[Any], declared: str) -> None:
    """Correct the type of a SQLite column that is declared by an unknown name, or by none."""
    known: dict[str, Any] = getattr(connection.dialect, "ischema_names", {})
    if declared in known:
        return
    stored = sa.func.typeof(column)
    query = sa.select(stored).where(column.is_not(None)).group_by(stored)
    kinds = list(connection.execute(query).scalars())
    is_number = set(kinds) <= {"integer", "real"} and declared != ""
    if len(kinds) == 1 and not is_number:
        _retype(column, kinds[0])
    elif not kinds and _TEXTUAL.search(declared):
        column.type = sa.Text()
