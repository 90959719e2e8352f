"""Reads a database's tables, with generic types, so that its data moves between engines."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

from lading.adopting.deferred_keys import note_deferred_keys
from lading.adopting.generated import complete_generated
from lading.adopting.key_nulls import note_nulls
from lading.adopting.left_out import left_out_of, schemas_of
from lading.adopting.mariadb_keys import add_lost_keys
from lading.adopting.odd_types import complete_types, loosen, note_unknown_types
from lading.adopting.own_types import carry_own_types
from lading.adopting.repairs import (
    complete_foreign_keys,
    complete_row_number,
    complete_unique_keys,
    drop_copied_references,
    drop_lost_references,
    drop_options,
    drop_twin_references,
    lead_to_whole_tables,
    tell_indexes_apart,
)
from lading.adopting.sqlite_keys import reflect_sqlite
from lading.adopting.unnamed_keys import complete_primary_key
from lading.driver_errors.refusals import refusal_during
from lading.errors import TargetError
from lading.mapping.columns import kind_of
from lading.mapping.engine_types import is_mariadb
from lading.messages import Message

#: What MariaDB would cut to whole seconds, or round to 24 bits.
_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_INSTANT = sa.DateTime(timezone=True).with_variant(
    mysql.DATETIME(timezone=True, fsp=6), "mysql", "mariadb"
)
_TIME = sa.Time().with_variant(mysql.TIME(fsp=6), "mysql", "mariadb")
#: What keeps an array where an engine has none.
_LIST = sa.JSON(none_as_null=True)


def reflected(
    bind: sa.Engine | sa.Connection, *, portable: bool = True
) -> tuple[list[sa.Table], dict[str, str]]:
    """Reflect a database.

    Args:
        bind: An engine or connection.
        portable: Whether columns have types that all engines know, where there are such.

    Returns:
        Its tables, and the reason for each view or table that is left out.

    Raises:
        TargetError: The database can't be read.
    """
    metadata = sa.MetaData()
    sa.event.listen(metadata, "column_reflect", _unescape)
    sa.event.listen(metadata, "column_reflect", _tell_instants)
    if portable:
        sa.event.listen(metadata, "column_reflect", _generalize)
    try:
        with connection_of(bind) as connection, warnings.catch_warnings():
            # Of indexes by expressions, which hold no data, and of unknown types, whose columns are
            # left out by name.
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            left_out = left_out_of(connection)
            _reflect(connection, metadata, left_out)
            for table in metadata.tables.values():
                drop_options(table, portable=portable)
            note_nulls(connection, metadata.tables.values())
            note_unknown_types(connection, metadata.tables.values())
            carry_own_types(connection, metadata.tables.values())
            if portable:
                loosen(metadata.tables.values())
                tell_indexes_apart(metadata.tables.values())
    except sa.exc.MissingGreenlet as error:
        raise TargetError(
            Message("asyncio-engine", "this engine is for asyncio, which lading can't await"),
            "Use await async_connection.run_sync(Catalog.from_metadata).",
        ) from error
    except sa.exc.SQLAlchemyError as error:
        raise _refusal(error) from error
    return list(metadata.tables.values()), left_out


def _refusal(error: sa.exc.SQLAlchemyError) -> TargetError:
    """Return lading's error for a database that can't be reflected."""
    text = "the database can't be reflected"
    if isinstance(error, sa.exc.NoSuchTableError):
        problem = f"{text}: a foreign key refers to table {error}, which isn't there"
        remedy = "Drop the foreign key, or create the table."
        return TargetError(Message("reflection-failed", problem), remedy)
    return refusal_during("reflection-failed", text, error)


@contextmanager
def connection_of(bind: sa.Engine | sa.Connection) -> Iterator[sa.Connection]:
    """Yield a connection that is there, or one of an engine."""
    if isinstance(bind, sa.Connection):
        yield bind
        return
    with bind.connect() as connection:
        yield connection


def _reflect(connection: sa.Connection, metadata: sa.MetaData, left_out: dict[str, str]) -> None:
    """Fill a metadata with tables, and correct what SQLAlchemy misreads of each."""
    if connection.dialect.name == "sqlite":
        reflect_sqlite(connection, metadata, left_out)
    else:
        for schema in schemas_of(connection):
            metadata.reflect(connection, schema=schema)
        drop_copied_references(connection, metadata.tables.values())
        lead_to_whole_tables(connection, metadata)
        if is_mariadb(connection.dialect):
            add_lost_keys(connection, metadata)
    for table in list(metadata.tables.values()):
        if table.fullname in left_out:
            metadata.remove(table)
    for table in metadata.tables.values():
        complete_foreign_keys(connection, table)
        note_deferred_keys(connection, table)
        complete_unique_keys(connection, table)
        complete_row_number(connection, table)
        complete_types(connection, table)
        complete_generated(connection, table)
        drop_lost_references(table)
        drop_twin_references(table)
        complete_primary_key(table)


def _unescape(inspector: Any, _table: Any, column: Any) -> None:
    """Read a backtick in a column's name, which SQLAlchemy leaves doubled on MariaDB."""
    if is_mariadb(inspector.dialect):
        column["name"] = column["name"].replace("``", "`")


def _tell_instants(_inspector: Any, _table: Any, column: Any) -> None:
    """Read MariaDB's TIMESTAMP as the instant that it is: each session sees it in its own zone."""
    if isinstance(column["type"], mysql.TIMESTAMP):
        column["type"].timezone = True


def _generalize(_inspector: Any, _table: Any, column: Any) -> None:
    column["type"] = generic(column["type"])


def generic(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a type that all engines know for an engine's own, if values are of the same kind."""
    if isinstance(type_, postgresql.DOMAIN):
        return generic(type_.data_type)  # whose values it narrows, and no more
    if isinstance(type_, mysql.SET) and kind_of(type_) is not None:
        return sa.Text()  # which its labels are, to any engine
    if isinstance(type_, sa.CHAR | sa.NCHAR):
        return sa.CHAR(type_.length)  # without a collation or a character set
    if isinstance(type_, mysql.BIGINT) and type_.unsigned:
        return type_  # whose upper half no generic type has
    try:
        general: Any = type_.as_generic()
    except NotImplementedError:
        return type_
    if kind_of(general) != kind_of(type_):
        return type_
    _name_things(general, type_)
    return _for_all_engines(general)


def _for_all_engines(general: Any) -> TypeEngine[Any]:
    """Return a generic type as each engine keeps its values whole."""
    if isinstance(general, sa.ARRAY):  # which only PostgreSQL has
        if isinstance(general.item_type, postgresql.DOMAIN):
            return sa.types.NullType()  # which is left out by name: no array is cast to such ones
        return general.with_variant(_LIST, "sqlite", "mysql", "mariadb")
    if isinstance(general, sa.DateTime):
        return _INSTANT if general.timezone else _MOMENT
    if isinstance(general, sa.Time) and not general.timezone:
        return _TIME
    return _of_any_length(general)


def _of_any_length(general: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a type that no engine cuts, or refuses to create, where none has a length."""
    if isinstance(general, sa.Float):
        return sa.Double()
    if type(general) is sa.String and general.length is None:
        return sa.Text()
    return general


def _name_things(general: Any, type_: TypeEngine[Any]) -> None:
    """Leave out a collation's name, which means nothing to another engine; keep an enum's."""
    if getattr(general, "collation", None) is not None:
        general.collation = None
    if isinstance(type_, postgresql.ENUM):  # which is a type of its own
        general.name, general.schema = type_.name, type_.schema
