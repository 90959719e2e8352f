"""What the engine asks of a database, and what all of them share.

A dialect turns columns into expressions that read raw driver values into written
forms and back, says how rows are looked up, inserted and updated in bulk, and how
a transaction is begun.  Nothing here knows entities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeDecorator, TypeEngine

from lading.engine.generate import PLAIN, Expression, calling
from lading.errors import TargetError, shown
from lading.values import JSON_NULL, Choice, Json, Kind, json_text, parse_json

Row = tuple[Any, ...]
Column = sa.Column[Any]
PLACEHOLDERS = {"qmark": "?", "format": "%s", "pyformat": "%s"}


class Dialect(ABC):
    """One database engine, over one connection."""

    #: Parameters of one lookup; a chunk with more is split.
    parameters: ClassVar[int] = 30_000

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.prepare = connection.dialect.identifier_preparer
        style = connection.dialect.paramstyle
        if style not in PLACEHOLDERS:
            raise TargetError(
                f"the driver {connection.dialect.driver!r} binds parameters as {style!r}, which "
                "lading can't use",
                "Use the engine's usual driver (psycopg, sqlite3).",
            )
        self.mark = PLACEHOLDERS[style]

    # Names

    def name(self, column: Column) -> str:
        """Return a column's quoted name, as SQL of this driver."""
        return self._escaped(self.prepare.format_column(column))

    def table(self, table: sa.Table) -> str:
        """Return a table's quoted name, with its schema."""
        translate = self.connection.get_execution_options().get("schema_translate_map") or {}
        schema = translate.get(table.schema, table.schema)
        name = self.prepare.quote(table.name)
        text = f"{self.prepare.quote_schema(schema)}.{name}" if schema else name
        return self._escaped(text)

    def _escaped(self, text: str) -> str:
        return text.replace("%", "%%") if self.mark == "%s" else text

    def type_name(self, type_: TypeEngine[Any]) -> str:
        """Return a type as SQL of this dialect."""
        return str(self.dialect.type_compiler_instance.process(type_))

    # Values: raw driver value to written form and back

    @abstractmethod
    def selected(self, column: sa.ColumnElement[Any], kind: Kind | None) -> sa.ColumnElement[Any]:
        """Return what a SELECT asks for, such as a cast to text, to read a column."""

    @abstractmethod
    def reader(self, column: Column, kind: Kind | None) -> Expression:
        """Return the expression from a raw value (never null) to its written form."""

    @abstractmethod
    def binder(self, column: Column, kind: Kind | None) -> Expression:
        """Return the expression from a canonical written form to what the driver takes.

        It raises ``ValueError`` for what isn't canonical and for what doesn't fit.
        """

    def processed(self, column: Column, kind: Kind | None) -> Expression:
        """Read by SQLAlchemy's own processor: for decorators and unusual types."""
        impl = self.implementation(column.type)
        process = impl.result_processor(self.dialect, self.type_code(column.type))
        if kind is None:
            return calling(process) if process is not None else PLAIN
        return calling(_then(process, kind.write))

    def bound(self, column: Column, kind: Kind | None) -> Expression:
        """Bind by SQLAlchemy's own processor: for decorators and unusual types."""
        process = self.implementation(column.type).bind_processor(self.dialect)
        if kind is None:
            return calling(process) if process is not None else PLAIN
        return calling(_then(kind.read, process))

    def implementation(self, type_: TypeEngine[Any]) -> TypeEngine[Any]:
        """Return the dialect's form of a type, whose processors do the work."""
        return type_ if isinstance(type_, TypeDecorator) else type_.dialect_impl(self.dialect)

    def type_code(self, type_: TypeEngine[Any]) -> Any:
        """Return the driver's code of a type, for processors that ask for it."""
        return None

    def choices(self, column: Column, kind: Choice) -> dict[str, Any]:
        """Map an enumeration's names to what the database stores."""
        process = self.implementation(column.type).bind_processor(self.dialect)
        return {
            name: process(value) if process is not None else name
            for name, value in kind.members.items()
        }

    # Order

    @abstractmethod
    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        """Return what to sort by to get the kind's order, or ``None`` if it can't be had."""

    # Reading

    def stream(self, statement: sa.Select[Any], size: int) -> Iterator[list[Row]]:
        """Run a SELECT and yield its raw rows in chunks, without holding them all."""
        result = self.connection.execute(statement, execution_options={"stream_results": True})
        # SQLAlchemy's buffered strategies have fetched the first row already, so asking the
        # driver's cursor itself would lose it.
        strategy = result.cursor_strategy
        try:
            while rows := strategy.fetchmany(result, result.cursor, size):  # type: ignore[arg-type]
                yield rows if isinstance(rows, list) else list(rows)
        finally:
            result.close()

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a statement in the driver's SQL, and return all of its raw rows."""
        result = self.connection.exec_driver_sql(sql, tuple(parameters))
        cursor = result.cursor
        assert cursor is not None
        rows = cursor.fetchall()
        result.close()
        return list(rows)

    def run(self, sql: str, parameters: Any = ()) -> None:
        """Run a statement in the driver's SQL."""
        self.connection.exec_driver_sql(sql, parameters)

    def text_of(self, statement: sa.Select[Any]) -> str:
        """Return a SELECT without parameters as SQL of this driver."""
        translate = self.connection.get_execution_options().get("schema_translate_map")
        return str(statement.compile(dialect=self.dialect, schema_translate_map=translate))

    @abstractmethod
    def among(self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]) -> tuple[str, list[Any]]:
        """Return a condition that the columns hold one of the rows (no nulls), and its values."""

    def forms(self, kind: Kind | None, bound: Any) -> Sequence[Any]:
        """Return every form in which a driver value may be stored, for lookups."""
        return (bound,)

    # Writing

    @abstractmethod
    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Insert rows of driver values in bulk."""

    @abstractmethod
    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        """Set columns of the rows with these keys, in one statement; rows are key + columns."""

    @abstractmethod
    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """Return that many fresh values for a generated primary key."""

    def synchronise(self, table: sa.Table, column: Column) -> None:
        """Move the column's sequence behind its highest value, where it has one."""

    # Transactions

    @abstractmethod
    def begin_reading(self) -> None:
        """Begin a transaction of ours that sees one snapshot throughout."""

    @abstractmethod
    def begin_writing(self) -> None:
        """Begin a transaction of ours that may write."""

    @abstractmethod
    def ensure_begun(self, *, writing: bool) -> None:
        """Make sure that a caller's connection really is in a transaction."""

    def autocommits(self) -> bool:
        """Tell whether the driver commits each statement by itself."""
        driver = self.connection.connection.dbapi_connection
        return driver is not None and self.dialect.detect_autocommit_setting(driver)

    @abstractmethod
    def snapshot(self) -> str:
        """Say what snapshot a caller's transaction has."""

    def check_constraints(self) -> None:
        """Have constraints that wait for the commit checked now."""

    def facts(self) -> None:
        """Look up what the dialect must know of this database, in statements of its own."""


def _then(
    first: Callable[[Any], Any] | None, second: Callable[[Any], Any] | None
) -> Callable[[Any], Any]:
    """Compose two functions, either of which may be missing."""
    if first is None or second is None:
        return first or second or (lambda value: value)
    return lambda value: second(first(value))


def is_plain(type_: TypeEngine[Any]) -> bool:
    """Tell whether a type is SQLAlchemy's own and not an application's decorator."""
    return not isinstance(type_, TypeDecorator) and type(type_).__module__.startswith("sqlalchemy.")


def refuse(what: str) -> Callable[[Any], Any]:
    """Return a function that refuses any value as not being what a column should hold."""

    def fail(value: Any) -> Any:
        raise ValueError(f"the database holds {shown(value)}, which is not {what}")

    return fail


def read_json(text: Any) -> bytes:
    """Turn a JSON column's text into its canonical written text."""
    value = parse_json(text)
    return json_text(Json().write(JSON_NULL if value is None else value))


def json_value(written: bytes) -> Any:
    """Turn the written text of a JSON value into what SQLAlchemy's type binds."""
    value = Json().read(parse_json(written))
    return sqltypes.JSON.NULL if value is JSON_NULL else value
