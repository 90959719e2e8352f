"""SQLite through the standard driver."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
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
from lading.engine.generate import PLAIN, Expression, calling
from lading.engine.limits import between, integer_range, longest, text_limit
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
    plain_digits,
)

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch
SAMPLES = (dt.datetime(2, 3, 4, 5, 6, 7), dt.datetime(2025, 12, 24, 18, 30, 15, 4500))


class SQLite(Dialect):
    """SQLite: values of any type in any column, text by code point, one writer."""

    utf8 = True

    def facts(self) -> None:
        """Files in UTF-16 don't sort by code point."""
        self.utf8 = self.fetch("PRAGMA encoding")[0][0] == "UTF-8"

    # Values

    def selected(self, column: sa.ColumnElement[Any], kind: Kind | None) -> sa.ColumnElement[Any]:
        return column

    def reader(self, column: Column, kind: Kind | None) -> Expression:
        if kind is None or not self._is_usual(column.type, kind):
            return self.processed(column, kind)
        make = _READERS.get(type(kind))
        return make(self, column, kind) if make is not None else self.processed(column, kind)

    def binder(self, column: Column, kind: Kind | None) -> Expression:
        if kind is None or not self._is_usual(column.type, kind):
            return self.bound(column, kind)
        make = _BINDERS.get(type(kind))
        return make(self, column, kind) if make is not None else self.bound(column, kind)

    def _is_usual(self, type_: TypeEngine[Any], kind: Kind) -> bool:
        """Dates in a storage format of the application's own go by SQLAlchemy's processors."""
        if not is_plain(type_):
            return False
        if isinstance(kind, Date | Time | DateTime):
            process = self.implementation(type_).bind_processor(self.dialect)
            return process is not None and all(
                process(_sample(kind, sample)) == _stored(kind, _sample(kind, sample))
                for sample in SAMPLES
            )
        return True

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        if not is_plain(column.type) or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(column, self.choices(column, kind))
        if isinstance(kind, Text | Uuid):
            padded = isinstance(kind, Text) and kind.padded
            return sa.collate(column, "BINARY") if self.utf8 and not padded else None
        return column if self._is_usual(column.type, kind) else None

    # Reading

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        if len(names) == 1:
            marks = ",".join("?" * len(rows))
            return f"{names[0]} IN ({marks})", [row[0] for row in rows]
        group = f"({','.join('?' * len(names))})"
        marks = ",".join([group] * len(rows))
        return f"({', '.join(names)}) IN (VALUES {marks})", [item for row in rows for item in row]

    def forms(self, kind: Kind | None, bound: Any) -> Sequence[Any]:
        """SQLite's own ``CURRENT_TIMESTAMP`` has no fraction, SQLAlchemy's texts have one."""
        if isinstance(kind, DateTime | Time) and isinstance(bound, str):
            return (bound, bound.removesuffix(".000000")) if bound.endswith(".000000") else (bound,)
        return (bound,)

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        names = ", ".join(self.name(column) for column in columns)
        marks = ", ".join("?" * len(columns))
        self.run(f"INSERT INTO {self.table(table)} ({names}) VALUES ({marks})", list(rows))

    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        width = len(key) + len(columns)
        most = self.parameters // width
        target = self.table(table)
        sets = ", ".join(
            f"{self.name(column)} = given.column{len(key) + place}"
            for place, column in enumerate(columns, 1)
        )
        where = " AND ".join(
            f"{target}.{self.name(column)} = given.column{place}"
            for place, column in enumerate(key, 1)
        )
        group = f"({','.join('?' * width)})"
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            values = ",".join([group] * len(part))
            self.run(
                f"UPDATE {target} SET {sets} FROM (VALUES {values}) AS given WHERE {where}",
                tuple(item for row in part for item in row),
            )

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """The write lock is ours, so nobody else takes the ids behind the highest."""
        name = self.name(column)
        highest = self.fetch(f"SELECT max({name}) FROM {self.table(table)}")[0][0] or 0
        if table.dialect_options["sqlite"]["autoincrement"]:
            used = self.fetch("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,))
            highest = max(highest, used[0][0] if used else 0)
        return list(range(highest + 1, highest + 1 + count))

    # Transactions

    def begin_reading(self) -> None:
        self._begin("BEGIN")
        self.facts()

    def begin_writing(self) -> None:
        self._begin("BEGIN IMMEDIATE")

    def ensure_begun(self, *, writing: bool) -> None:
        """The driver begins no transaction for reads, and a savepoint alone would commit."""
        self._begin("BEGIN IMMEDIATE" if writing else "BEGIN")
        self.facts()

    def _begin(self, sql: str) -> None:
        driver = self.connection.connection.driver_connection
        if not getattr(driver, "in_transaction", False):
            self.run(sql)

    def autocommits(self) -> bool:
        """Applications that begin by themselves set the driver so, and are in a transaction."""
        driver = self.connection.connection.driver_connection
        return super().autocommits() and not getattr(driver, "in_transaction", False)

    def snapshot(self) -> str:
        return "serializable, in the caller's transaction"


def choice_rank(column: Column, stored: dict[str, Any]) -> sa.ColumnElement[Any]:
    """Return the rank of an enumeration's names by code point."""
    ranks = {stored[name]: place for place, name in enumerate(sorted(stored))}
    text = sa.type_coerce(column, sa.String())
    return sa.case(
        {value: sa.literal_column(str(rank)) for value, rank in ranks.items()}, value=text
    )


# From raw values to written forms. SQLite keeps any type in any column, so each is checked.


def _checked(kind: Kind, test: str) -> Expression:
    return Expression(f"({{x}} if {test} else fail({{x}}))", {"fail": refuse(f"a {kind.name}")})


def _read_text(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Text)
    limit = text_limit(column.type)
    check = longest(limit) if limit is not None else None

    def slow(value: Any) -> str:
        if type(value) is not str:
            raise ValueError(f"the database holds {value!r:.80}, which is not a string")
        return kind.write(value if check is None else check(value))

    if kind.padded:
        return calling(slow)
    bound = f" and len({{x}}) <= {limit}" if limit is not None else ""
    return Expression(f"({{x}} if type({{x}}) is str{bound} else slow({{x}}))", {"slow": slow})


def _read_integer(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    return _checked(kind, "type({x}) is int")


def _read_boolean(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    fail = refuse("a boolean (0 or 1)")

    def read(value: Any) -> bool:
        return value == 1 if type(value) is int and value in (0, 1) else fail(value)

    return calling(read)


def _read_float(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    fail = refuse("a float")

    def slow(value: Any) -> Any:
        if type(value) is int and int(float(value)) == value:
            return float(value)
        return float_written(value) if type(value) is float else fail(value)

    return Expression(
        "({x} + 0.0 if type({x}) is float and finite({x}) else slow({x}))",
        {"finite": math.isfinite, "slow": slow},
    )


def _read_number(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Number)
    return calling(number_reader(kind))


def number_reader(kind: Number) -> Callable[[Any], str]:
    """Read a decimal that SQLite keeps as a float; refuse what its scaled text would change."""
    scale = kind.scale
    form = None if scale is None else f"%.{scale}f"
    longest_text = 10**9 if kind.precision is None else kind.precision + 1

    def read(value: Any) -> str:
        if type(value) is float and form is not None:
            text = form % value
            if float(text) != value:
                raise ValueError(
                    f"the database holds {value!r}, which is not {text} "
                    f"(its column has {scale} decimal places)"
                )
            return text if len(text) <= longest_text and value else kind.write(Decimal(text))
        if type(value) is int:
            return kind.write(Decimal(value))
        if type(value) is float:
            return kind.write(Decimal(repr(value)))
        if type(value) is str:
            return kind.write(kind.read(plain_digits(Decimal(value))))
        return str(refuse("a decimal")(value))

    return read


def _read_date(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    parse = dt.date.fromisoformat

    def read(text: str) -> str:
        return parse(text).isoformat()

    return calling(read)


def _read_time(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    parse = dt.time.fromisoformat
    return calling(lambda text: kind.write(parse(text)))


def _read_datetime(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, DateTime)
    parse = dt.datetime.fromisoformat
    suffix = "Z" if kind.aware else ""

    def read(text: str) -> str:
        moment = parse(text)
        if moment.tzinfo is not None:
            raise ValueError(f"the database holds {text!r}, and SQLite keeps no time zones")
        return moment.isoformat() + suffix

    return calling(read)


def _read_uuid(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    return calling(lambda text: str(UUID(text)))


def _read_choice(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Choice)
    names = {stored: name for name, stored in dialect.choices(column, kind).items()}
    fail = refuse(f"one of {', '.join(map(str, names))}")
    return calling(lambda value: names[value] if value in names else fail(value))


def _read_json(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    return calling(read_json)


_READERS: dict[type[Kind], Callable[[SQLite, Column, Kind], Expression]] = {
    Text: _read_text,
    Integer: _read_integer,
    Boolean: _read_boolean,
    Float: _read_float,
    Number: _read_number,
    Date: _read_date,
    Time: _read_time,
    DateTime: _read_datetime,
    Uuid: _read_uuid,
    Choice: _read_choice,
    Json: _read_json,
    Bytes: lambda dialect, column, kind: calling(kind.write),
}


# From canonical written forms to driver values.


def _bind_text(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    limit = text_limit(column.type)
    assert isinstance(kind, Text)
    if kind.padded:
        return calling(lambda text: kind.write(text if limit is None else longest(limit)(text)))
    if limit is None:
        return PLAIN
    return Expression(
        f"({{x}} if len({{x}}) <= {limit} else fail({{x}}))", {"fail": longest(limit)}
    )


def _bind_integer(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    low, high = integer_range(column.type, widest=True)
    return Expression(f"({{x}} if {low} <= {{x}} <= {high} else fail({{x}}))", {"fail": between(low, high)})


def _bind_float(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    def slow(written: Any) -> float:
        number = kind.read(written)
        if math.isnan(number):
            raise ValueError("NaN would become NULL in SQLite, which can't store it")
        return float(number)

    return Expression("({x} if type({x}) is float else slow({x}))", {"slow": slow})


def _bind_number(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Number)
    read = number_reader(kind)

    def bind(text: str) -> float:
        if kind.write(kind.read(text)) != text:
            raise ValueError(f"{text!r} is not canonical")
        number = float(text)
        if not math.isfinite(number) or read(number) != text:
            raise ValueError(f"{text} changes in SQLite, which keeps decimals as doubles")
        return number

    if kind.scale is None or kind.precision is None or kind.precision > 15:
        return calling(bind)
    # Fifteen significant digits survive a double, so the form is all there is to check.
    return Expression(
        "(number({x}) if form({x}) else slow({x}))",
        {"number": float, "form": decimal_form(kind), "slow": bind},
    )


def decimal_form(kind: Number) -> Callable[[str], Any]:
    """Return what matches a decimal's canonical text of this precision and scale."""
    assert kind.precision is not None and kind.scale is not None
    whole = kind.precision - kind.scale
    digits = "0" if whole < 1 else f"(?:0|[1-9][0-9]{{0,{whole - 1}}})"
    tail = rf"\.[0-9]{{{kind.scale}}}" if kind.scale > 0 else ""
    return re.compile(rf"(?!-0(?:\.0*)?\Z)-?{digits}{tail}", re.ASCII).fullmatch


def _bind_date(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    parse = dt.date.fromisoformat

    def bind(text: str) -> str:
        return text if parse(text).isoformat() == text else kind.read(text).isoformat()

    return calling(bind)


def _bind_time(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    def bind(text: str) -> str:
        return str(kind.read(text).isoformat("microseconds"))

    return calling(bind)


def _bind_datetime(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, DateTime)
    parse = dt.datetime.fromisoformat

    def bind(text: str) -> str:
        moment = parse(text)
        if moment.isoformat() != text:
            raise ValueError(f"{text!r} is not canonical")
        return moment.isoformat(" ", "microseconds")

    def bind_aware(text: str) -> str:
        if text[-1:] != "Z":
            raise ValueError(f"{text!r} is not canonical")
        return bind(text[:-1])

    return calling(bind_aware if kind.aware else bind)


def _bind_uuid(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    process = dialect.implementation(column.type).bind_processor(dialect.dialect)
    as_uuid = bool(getattr(column.type, "as_uuid", True))

    def bind(text: str) -> Any:
        if not CANONICAL_UUID(text):
            raise ValueError(f"{text!r} is not canonical")
        value = UUID(text) if as_uuid else text
        return process(value) if process is not None else value

    return calling(bind)


def _bind_choice(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    assert isinstance(kind, Choice)
    stored = dialect.choices(column, kind)

    def bind(name: str) -> Any:
        return stored[name] if name in stored else kind.write(name)

    return calling(bind)


def _bind_json(dialect: SQLite, column: Column, kind: Kind) -> Expression:
    process = dialect.implementation(column.type).bind_processor(dialect.dialect)
    assert process is not None
    return calling(lambda written: process(json_value(written)))


_BINDERS: dict[type[Kind], Callable[[SQLite, Column, Kind], Expression]] = {
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


def _sample(kind: Kind, moment: dt.datetime) -> Any:
    if isinstance(kind, Date):
        return moment.date()
    return moment.time() if isinstance(kind, Time) else moment


def _stored(kind: Kind, value: Any) -> str:
    if isinstance(kind, Date):
        return str(value.isoformat())
    if isinstance(kind, Time):
        return str(value.isoformat("microseconds"))
    return str(value.isoformat(" ", "microseconds"))
