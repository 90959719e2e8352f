"""PostgreSQL, by psycopg (COPY where the driver has it)."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.engine.dialects.base import (
    Column,
    Dialect,
    Row,
    is_plain,
    json_value,
    read_json,
    refuse,
)
from lading.engine.dialects.sqlite import CANONICAL_UUID, choice_rank, decimal_form
from lading.engine.generate import PLAIN, Expression, calling
from lading.engine.limits import (
    between,
    integer_range,
    longest,
    single_precision,
    text_limit,
    without_nul,
)
from lading.values import (
    Boolean,
    Bytes,
    Choice,
    Date,
    DateTime,
    Float,
    Integer,
    Json,
    Kind,
    Number,
    Text,
    Time,
    Uuid,
    float_written,
    json_text,
    utc_written,
)

BY_CODE_POINT = {"C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"}
NUMERIC_OID, FLOAT_OID = 1700, 701


class PostgreSQL(Dialect):
    """PostgreSQL: typed columns, schemas, sequences, COPY."""

    parameters: ClassVar[int] = 30_000

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self.utf8 = True
        self.sorts_by_code_point = False
        self.sequences: dict[tuple[str | None, str, str], str | None] = {}

    def facts(self) -> None:
        """Whether text sorts by code point without being asked to."""
        row = self.fetch(
            "SELECT to_jsonb(d)::text, pg_encoding_to_char(d.encoding) FROM pg_database d "
            "WHERE d.datname = current_database()"
        )[0]
        database = json.loads(row[0])
        locale = database.get("datlocale") or database.get("daticulocale")
        self.utf8 = row[1] == "UTF8"
        self.sorts_by_code_point = (locale or database["datcollate"]) in BY_CODE_POINT

    # Values

    def selected(self, column: sa.ColumnElement[Any], kind: Kind | None) -> sa.ColumnElement[Any]:
        """Decimals, UUIDs and JSON come as text: exactly as they are kept."""
        if is_plain(column.type) and isinstance(kind, Number | Uuid | Json):
            return sa.cast(column, sa.Text())
        return column

    def reader(self, column: Column, kind: Kind | None) -> Expression:
        if kind is None or not is_plain(column.type):
            return self.processed(column, kind)
        make = _READERS.get(type(kind))
        return make(self, column, kind) if make is not None else self.processed(column, kind)

    def binder(self, column: Column, kind: Kind | None) -> Expression:
        if kind is None or not is_plain(column.type):
            return self.bound(column, kind)
        make = _BINDERS.get(type(kind))
        return make(self, column, kind) if make is not None else self.bound(column, kind)

    def type_code(self, type_: TypeEngine[Any]) -> Any:
        impl = self.implementation(type_)
        impl = getattr(impl, "impl_instance", impl)
        if isinstance(impl, sqltypes.Float):
            return FLOAT_OID
        return NUMERIC_OID if isinstance(impl, sqltypes.Numeric) else None

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        if not is_plain(column.type) or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(sa.cast(column, sa.Text()), self.choices(column, kind))  # type: ignore[arg-type]
        if isinstance(kind, Text):
            if not self.utf8 or kind.padded:
                return None
            own = getattr(column.type, "collation", None)
            return column if self.sorts_by_code_point and own is None else sa.collate(column, "C")
        return column

    # Reading

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        arrays = [f"{self.mark}::{self._array_type(column)}[]" for column in columns]
        values = [list(part) for part in zip(*rows, strict=True)]
        if len(names) == 1:
            return f"{names[0]} = ANY({arrays[0]})", values
        return f"({', '.join(names)}) IN (SELECT * FROM unnest({', '.join(arrays)}))", values

    def _array_type(self, column: Column) -> str:
        """Text stays text: a cast to a shorter VARCHAR would cut it."""
        impl = self.implementation(column.type)
        impl = getattr(impl, "impl_instance", impl)
        is_text = isinstance(impl, sqltypes.String) and not isinstance(impl, sqltypes.Enum)
        return "text" if is_text else self.type_name(column.type)

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        names = ", ".join(self.name(column) for column in columns)
        if self.dialect.driver == "psycopg" and not self.dialect.is_async:
            self._copy(f"COPY {self.table(table)} ({names}) FROM STDIN".replace("%%", "%"), rows)
            return
        marks = ", ".join([self.mark] * len(columns))
        always = any(column.identity is not None and column.identity.always for column in columns)
        over = "OVERRIDING SYSTEM VALUE " if always else ""
        self.run(f"INSERT INTO {self.table(table)} ({names}) {over}VALUES ({marks})", list(rows))

    def _copy(self, sql: str, rows: Sequence[Row]) -> None:
        """COPY writes what is given, into identity columns as well."""
        driver: Any = self.connection.connection.dbapi_connection
        try:
            with driver.cursor() as cursor, cursor.copy(sql) as copy:
                write = copy.write_row
                for row in rows:
                    write(row)
        except self.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DBAPIError.instance(
                sql, None, error, self.dialect.loaded_dbapi.Error, dialect=self.dialect
            ) from error

    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        target = self.table(table)
        names = [f"c{place}" for place in range(len(key) + len(columns))]
        arrays = ", ".join(
            f"{self.mark}::{self._array_type(column)}[]" for column in (*key, *columns)
        )
        sets = ", ".join(
            f"{self.name(column)} = given.{names[len(key) + place]}"
            for place, column in enumerate(columns)
        )
        where = " AND ".join(
            f"{target}.{self.name(column)} = given.{names[place]}"
            for place, column in enumerate(key)
        )
        self.run(
            f"UPDATE {target} SET {sets} FROM unnest({arrays}) AS given({', '.join(names)}) "
            f"WHERE {where}",
            tuple(list(part) for part in zip(*rows, strict=True)),
        )

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        sequence = self._sequence(table, column)
        if sequence is not None:
            sql = f"SELECT nextval({self.mark}::regclass) FROM generate_series(1, {self.mark})"
            return [row[0] for row in self.fetch(sql, (sequence, count))]
        if column.server_default is not None and isinstance(
            column.server_default, sa.DefaultClause
        ):
            default = self.dialect.ddl_compiler(self.dialect, None).get_column_default_string(column)  # type: ignore[arg-type]
            sql = f"SELECT {self._escaped(str(default))} FROM generate_series(1, {self.mark})"
            return [row[0] for row in self.fetch(sql, (count,))]
        name = self.name(column)
        highest = self.fetch(f"SELECT max({name}) FROM {self.table(table)}")[0][0] or 0
        return list(range(highest + 1, highest + 1 + count))

    def _sequence(self, table: sa.Table, column: Column) -> str | None:
        """Name the sequence behind a column, as PostgreSQL knows it or as the model does."""
        key = (table.schema, table.name, column.name)
        if key not in self.sequences:
            sql = f"SELECT pg_get_serial_sequence({self.mark}, {self.mark})"
            name = self.table(table).replace("%%", "%")
            found = self.fetch(sql, (name, column.name))[0][0]
            if found is None and isinstance(column.default, sa.Sequence):
                found = self.prepare.format_sequence(column.default)
            self.sequences[key] = found
        return self.sequences[key]

    def synchronise(self, table: sa.Table, column: Column) -> None:
        sequence = self._sequence(table, column)
        if sequence is None:
            return
        name = self.name(column)
        self.fetch(
            f"SELECT setval({self.mark}::regclass, greatest((SELECT max({name}) FROM "
            f"{self.table(table)}), (SELECT last_value FROM {sequence})))"
            f" WHERE EXISTS (SELECT 1 FROM {self.table(table)})",
            (sequence,),
        )

    # Transactions

    def begin_reading(self) -> None:
        self.connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.facts()

    def begin_writing(self) -> None:
        pass

    def ensure_begun(self, *, writing: bool) -> None:
        self.facts()

    def snapshot(self) -> str:
        level = self.fetch("SHOW transaction_isolation")[0][0]
        one = "" if level != "read committed" else " (each statement sees its own snapshot)"
        return f"{level}, in the caller's transaction{one}"

    def check_constraints(self) -> None:
        self.run("SET CONSTRAINTS ALL IMMEDIATE")


# From raw values to written forms. The server's types are strict; nulls it shouldn't hold are not.


def _set(kind: Kind, source: str = "{x}", **names: Any) -> Expression:
    fail = refuse(f"a {kind.name}")
    return Expression(f"({source} if {{x}} is not None else fail({{x}}))", {"fail": fail, **names})


def _read_text(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Text)
    if kind.padded:
        return calling(kind.write)
    return _set(kind)


def _read_float(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    return Expression(
        "({x} + 0.0 if finite({x}) else words({x}))",
        {"finite": math.isfinite, "words": float_written},
    )


def _read_number(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Number)
    def slow(text: str) -> str:
        return kind.write(Decimal(text))

    if not kind.scale:
        return calling(slow)
    place = kind.scale + 1
    end = -kind.scale or None
    return Expression(f"({{x}} if {{x}}[-{place}:{end}] == '.' else slow({{x}}))", {"slow": slow})


def _read_datetime(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, DateTime)
    return calling(utc_written if kind.aware else kind.write)


def _read_choice(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Choice)
    names = {stored: name for name, stored in dialect.choices(column, kind).items()}
    fail = refuse(f"one of {', '.join(map(str, names))}")
    return calling(lambda value: names[value] if value in names else fail(value))


_READERS: dict[type[Kind], Callable[[PostgreSQL, Column, Kind], Expression]] = {
    Text: _read_text,
    Integer: lambda dialect, column, kind: _set(kind),
    Boolean: lambda dialect, column, kind: _set(kind),
    Float: _read_float,
    Number: _read_number,
    Date: lambda dialect, column, kind: Expression("{x}.isoformat()"),
    Time: lambda dialect, column, kind: calling(kind.write),
    DateTime: _read_datetime,
    Uuid: lambda dialect, column, kind: calling(str),
    Choice: _read_choice,
    Json: lambda dialect, column, kind: calling(read_json),
    Bytes: lambda dialect, column, kind: calling(kind.write),
}


# From written forms to driver values. The server reads our texts as they are, once checked.


def _bind_text(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    limit = text_limit(column.type)
    whole = without_nul("PostgreSQL")
    assert isinstance(kind, Text)

    def slow(text: str) -> str:
        return kind.write(whole(text if limit is None else longest(limit)(text)))

    if kind.padded:
        return calling(slow)
    bound = "" if limit is None else f" and len({{x}}) <= {limit}"
    return Expression(f"({{x}} if '\\0' not in {{x}}{bound} else slow({{x}}))", {"slow": slow})


def _bind_integer(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    low, high = integer_range(column.type, widest=False)
    return Expression(
        f"({{x}} if {low} <= {{x}} <= {high} else fail({{x}}))", {"fail": between(low, high)}
    )


def _bind_float(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    narrow = isinstance(column.type, sqltypes.REAL) or (
        isinstance(column.type, sqltypes.Float) and (column.type.precision or 53) <= 24
    )

    def slow(written: Any) -> Any:
        number = kind.read(written)
        return single_precision(number) if narrow and math.isfinite(number) else number

    return calling(slow) if narrow else Expression(
        "({x} if type({x}) is float else slow({x}))", {"slow": slow}
    )


def _bind_number(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Number)

    def slow(text: str) -> str:
        if kind.write(kind.read(text)) != text:
            raise ValueError(f"{text!r} is not canonical")
        if kind.precision is not None and "Infinity" in text:
            raise ValueError(f"{text} doesn't fit a column with a precision")
        return text

    if kind.precision is None or kind.scale is None:
        return calling(slow)
    return Expression(
        "({x} if form({x}) else slow({x}))", {"form": decimal_form(kind), "slow": slow}
    )


def _bind_date(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    parse = dt.date.fromisoformat

    def bind(text: str) -> str:
        return text if parse(text).isoformat() == text else kind.read(text).isoformat()

    return calling(bind)


def _bind_time(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    return calling(lambda text: kind.read(text).isoformat())


def _bind_datetime(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, DateTime)
    parse = dt.datetime.fromisoformat

    def bind(text: str) -> str:
        if parse(text).isoformat() != text:
            raise ValueError(f"{text!r} is not canonical")
        return text

    def bind_aware(text: str) -> str:
        if text[-1:] != "Z":
            raise ValueError(f"{text!r} is not canonical")
        bind(text[:-1])
        return text

    return calling(bind_aware if kind.aware else bind)


def _bind_uuid(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    def slow(text: str) -> Any:
        raise ValueError(f"{text!r} is not canonical")

    return Expression("({x} if form({x}) else slow({x}))", {"form": CANONICAL_UUID, "slow": slow})


def _bind_choice(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Choice)
    stored = dialect.choices(column, kind)

    def bind(name: str) -> Any:
        return stored[name] if name in stored else kind.write(name)

    return calling(bind)


def _bind_json(dialect: PostgreSQL, column: Column, kind: Kind) -> Expression:
    binary = isinstance(dialect.implementation(column.type), sqltypes.JSON) and (
        dialect.type_name(column.type).upper() == "JSONB"
    )

    def bind(written: bytes) -> str:
        value = json_value(written)
        text = json_text(None if value is sqltypes.JSON.NULL else value).decode()
        if binary and "\\u0000" in text:
            raise ValueError("its text holds a NUL character, which JSONB can't store")
        return text

    return calling(bind)


_BINDERS: dict[type[Kind], Callable[[PostgreSQL, Column, Kind], Expression]] = {
    Text: _bind_text,
    Integer: _bind_integer,
    Boolean: lambda dialect, column, kind: PLAIN,
    Float: _bind_float,
    Number: _bind_number,
    Date: _bind_date,
    Time: _bind_time,
    DateTime: _bind_datetime,
    Uuid: _bind_uuid,
    Choice: _bind_choice,
    Json: _bind_json,
    Bytes: lambda dialect, column, kind: calling(kind.read),
}
