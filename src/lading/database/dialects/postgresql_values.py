"""PostgreSQL's values: strictly typed; it reads our texts as they are, once checked."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.codegen import Expression, calling
from lading.database.dialects.limits import (
    NUL,
    in_precision,
    integer_range,
    is_canonical_uuid,
    longest,
    no_sets,
    shortest_limit,
    text_limit,
    unblanked,
    unstorable,
    without_nul,
)
from lading.database.dialects.postgresql_arrays import ArrayCodecs, each
from lading.database.dialects.postgresql_columns import PostgreSQLColumn
from lading.database.dialects.postgresql_limits import driver_checks, findable, misfit
from lading.database.dialects.postgresql_text import (
    array_text,
    date_text,
    loader_of,
    moment_text,
    parsed_array,
    sent_interval,
    time_of,
)
from lading.database.dialects.written_values import (
    canonical_time,
    checked_date,
    decimal_form,
    in_range,
    json_value,
    refusing_kind,
    without_zone,
)
from lading.errors import TargetError
from lading.mapping.columns import kind_of
from lading.messages import Message
from lading.model.rowsets import Column
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.json_text import json_text, parse_json
from lading.values.scalars import (
    Choice,
    Float,
    Integer,
    Json,
    Number,
    Text,
    Uuid,
    float_written,
)

NUMERIC_OID, FLOAT_OID = 1700, 701
SINGLE_BITS = 24
#: Kinds that are selected as text: exactly as stored, and without errors of the driver.
AS_TEXT = (sqltypes.Date, sqltypes.DateTime, sqltypes.Time, sqltypes.ARRAY, sqltypes.JSON)
#: PostgreSQL takes smaller offsets from UTC than this.
FARTHEST = dt.timedelta(hours=16)


class PostgreSQLCodecs(ArrayCodecs):
    """PostgreSQL by way of psycopg."""

    def misfit(self, column: sa.ColumnElement[Any]) -> str | None:
        """The server stores any value's text in a TEXT column, and shifts moments between zones."""
        return misfit(self.declared(column), self.real_column(column))

    def is_usual(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """UUIDs that an application keeps as text go by SQLAlchemy's processors."""
        real = self.real(column.type)
        self._refuse_zone(column, kind)
        return super().is_usual(column, kind) and getattr(real, "native_uuid", True) is not False

    def _refuse_zone(self, column: sa.ColumnElement[Any], kind: Kind) -> None:
        """The server would shift values between a model's type and a variant of another zone."""
        real = kind_of(self.real(column.type))
        if isinstance(kind, DateTime) and isinstance(real, DateTime) and kind.aware != real.aware:
            raise TargetError(
                Message(
                    "time-zone-unclear",
                    f"{column} has a time zone in its type or in that type's variant for "
                    f"{self.dialect.name}, but not in both; PostgreSQL would shift its values",
                ),
                "Give both the same timezone=.",
            )

    def refusal(self, type_: TypeEngine[Any]) -> str | None:
        """PostgreSQL has arrays, and times with a zone."""
        return no_sets("postgresql") if isinstance(self.real(type_), mysql.SET) else None

    def type_code(self, type_: TypeEngine[Any]) -> Any:
        """SQLAlchemy's numeric processors ask for the server's type."""
        impl = self.underlying(type_)
        if isinstance(impl, sqltypes.Float):
            return FLOAT_OID
        return NUMERIC_OID if isinstance(impl, sqltypes.Numeric) else None

    def selected(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """Return what a SELECT asks for: text or bytes where the driver changes or fails."""
        impl = self.underlying(column.type)
        if self.misfit(column) is not None or self.as_text(column, kind):
            return sa.cast(column, sa.Text())
        if isinstance(impl, postgresql.INTERVAL):
            return sa.func.pg_catalog.interval_send(column)
        if isinstance(impl, sqltypes.DateTime) and impl.timezone:
            return sa.cast(sa.func.timezone(sa.literal_column("'UTC'"), column), sa.Text())
        is_exact = self.is_own(column, kind) and isinstance(kind, Number | Uuid)
        if is_exact or isinstance(impl, AS_TEXT):
            return sa.cast(column, sa.Text())
        return column

    def loader(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Convert selected texts to the driver's values, which processors expect."""
        impl = self.underlying(type_)
        if isinstance(impl, postgresql.INTERVAL):
            return sent_interval
        if isinstance(impl, sqltypes.DateTime) and impl.timezone:
            return lambda text: DateTime(aware=True).read(f"{moment_text(text)}Z")
        if isinstance(impl, sqltypes.JSON):
            return parse_json
        if isinstance(impl, sqltypes.ARRAY):
            load = loader_of(self.underlying(impl.item_type))
            return lambda text: each(parsed_array(text), load)
        return loader_of(impl) if isinstance(impl, AS_TEXT) else super().loader(type_)

    def _plain(self, kind: Kind) -> Expression:
        """The server's types are strict, but columns may hold nulls that the model forbids."""
        fail = refusing_kind(kind)
        return Expression("({x} if {x} is not None else fail({x}))", {"fail": fail})

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """The column must hold a decorator's values unchanged; arrays are written as text."""
        impl = self.underlying(column.type)
        if isinstance(impl, sqltypes.ARRAY):
            item_limit = self.limited(self.item_of(column, impl))
            return lambda bound: array_text(each(bound, item_limit))
        inherited, checks = super().limited(column), driver_checks(self.real_column(column))

        def check(bound: Any) -> Any:
            keep = checks.get(type(bound))
            return inherited(bound if keep is None else keep(bound))

        return check

    def read_string(self, column: Column, kind: Text) -> Expression:
        """Text; CHAR without the blanks that pad it."""
        real, limit = self.real_column(column), text_limit(self.real(column.type))
        if self.is_padded(column, kind):
            return calling(Text(padded=True).write if real.is_padded else unblanked)
        if limit is None or (real.length or math.inf) <= limit:
            return self._plain(kind)
        plain, check = self._plain(kind).function(), longest(limit)
        return Expression(
            f"({{x}} if {{x}} is not None and len({{x}}) <= {limit} else slow({{x}}))",
            {"slow": lambda text: check(plain(text))},
        )

    def read_integer(self, column: Column, kind: Integer) -> Expression:
        """Integers."""
        return self._plain(kind)

    def read_boolean(self, column: Column, kind: Kind) -> Expression:
        """Booleans."""
        return self._plain(kind)

    def read_float(self, column: Column, kind: Float) -> Expression:
        """Doubles."""
        fits = findable(column)
        return Expression(
            "({x} + 0.0 if finite({x}) else words({x}))",
            {"finite": math.isfinite, "words": lambda number: float_written(fits(number))},
        )

    def read_decimal(self, column: Column, kind: Number) -> Expression:
        """The column's text, which has its scale already."""
        fits = findable(column)

        def slow(text: str) -> str:
            return kind.write(fits(Decimal(text)))

        if not kind.scale or not _has_digits(self.real_column(column), kind):
            return calling(slow)
        point = f"{{x}}[-{kind.scale + 1}:-{kind.scale}] == '.'"
        return Expression(f"({{x}} if {point} else slow({{x}}))", {"slow": slow})

    def read_date(self, column: Column, kind: Date) -> Expression:
        """ISO text; nothing else that PostgreSQL holds has its length."""
        return Expression("({x} if len({x}) == 10 else fail({x}))", {"fail": date_text})

    def read_time(self, column: Column, kind: Time) -> Expression:
        """ISO text, with an offset where the column has one."""
        return calling(lambda text: kind.write(time_of(text)))

    def read_datetime(self, column: Column, kind: DateTime) -> Expression:
        """ISO text, aware ones in UTC whatever the session's zone."""
        zone = " + 'Z'" if kind.aware else ""
        text = "({x}[:10] + 'T' + {x}[11:] if len({x}) == 19 else slow({x}))"
        return Expression(f"({text}{zone})", {"slow": moment_text})

    def read_interval(self, column: Column, kind: Interval) -> Expression:
        """Months, days and microseconds, unless the model keeps it as a moment."""
        if not isinstance(self.underlying(column.type), postgresql.INTERVAL):
            return super().read_interval(column, kind)
        return calling(lambda raw: kind.write(sent_interval(raw)))

    def read_uuid(self, column: Column, kind: Uuid) -> Expression:
        """The column's text, in lower case already."""
        return self._plain(kind)

    def bind_string(self, column: Column, kind: Text) -> Expression:
        """Text, no longer than declared and than the column holds, and without NUL."""
        real, limit = self.real_column(column), text_limit(self.real(column.type))
        check = driver_checks(real)[str]
        padded = self.is_padded(column, kind)
        if real.labels is not None or (real.is_padded and not padded):
            plain = self.checked_text(column, kind, "", check, limit=limit).function()
            return calling(lambda text: check(plain(text)))
        least = shortest_limit(real.length, limit)
        return self.checked_text(column, kind, NUL, without_nul("PostgreSQL"), limit=least)

    def bind_enum(self, column: Column, kind: Choice) -> Expression:
        """A label, which the column must have or have room for."""
        check, bind = driver_checks(self.real_column(column))[str], super().bind_enum(column, kind)
        label = bind.function()
        return calling(lambda name: check(label(name)))

    def bind_integer(self, column: Column, kind: Integer) -> Expression:
        """Two, four or eight bytes."""
        own = integer_range(self.real(column.type), widest=self.widest)
        return in_range(*(self.real_column(column).range or own))

    def bind_float(self, column: Column, kind: Float) -> Expression:
        """Doubles, or four bytes where the column has no more."""
        check = driver_checks(self.real_column(column)).get(float)
        fits = findable(column, unstorable)
        if check is not None:
            return calling(lambda written: check(fits(kind.read(written))))
        return Expression(
            "({x} + 0.0 if type({x}) is float else slow({x}))",
            {"slow": lambda written: fits(kind.read(written))},
        )

    def bind_decimal(self, column: Column, kind: Number) -> Expression:
        """Digits as text; columns with a precision hold no infinity, those of integers no point."""
        real = self.real_column(column)
        check, fits = driver_checks(real).get(Decimal), findable(column, unstorable)

        def slow(text: str) -> Any:
            number = fits(Decimal(kind.canonical(text)))
            driver_value = number if check is None else check(number)
            return driver_value if type(driver_value) is int else text

        is_same = real.type == "numeric" and (real.precision, real.scale) == (
            kind.precision,
            kind.scale,
        )
        if kind.precision is None or kind.scale is None or not is_same:
            return calling(slow)
        form = decimal_form(kind)
        return Expression("({x} if form({x}) else slow({x}))", {"form": form, "slow": slow})

    def bind_date(self, column: Column, kind: Date) -> Expression:
        """ISO text."""
        return checked_date()

    def bind_time(self, column: Column, kind: Time) -> Expression:
        """ISO text, in the column's precision; an offset of less than 16 hours."""
        fits = in_precision(self.real_column(column).precision)
        if not kind.aware:
            return calling(lambda text: fits(canonical_time(text)))

        def bind(text: str) -> str:
            offset = kind.read(kind.canonical(text)).utcoffset()
            if offset is None or abs(offset) >= FARTHEST:
                raise unstorable(f"{text} is 16 hours or more from UTC; PostgreSQL can't hold it")
            return str(fits(text))

        return calling(bind)

    def bind_interval(self, column: Column, kind: Interval) -> Expression:
        """Its text, unless the model keeps it as a moment."""
        if not isinstance(self.underlying(column.type), postgresql.INTERVAL):
            return super().bind_interval(column, kind)
        put = driver_checks(self.real_column(column))[dt.timedelta]
        return calling(lambda text: put(kind.read(kind.canonical(text))))

    def bind_datetime(self, column: Column, kind: DateTime) -> Expression:
        """ISO text, with its zone, in the column's precision."""
        zone = "Z" if kind.aware else ""
        fits = in_precision(self.real_column(column).precision)
        return calling(lambda text: f"{fits(without_zone(kind, text))}{zone}")

    def bind_uuid(self, column: Column, kind: Uuid) -> Expression:
        """Its text."""

        def slow(text: str) -> Any:
            raise ValueError(f"{text!r} is not canonical")

        return Expression(
            "({x} if form({x}) else slow({x}))", {"form": is_canonical_uuid, "slow": slow}
        )

    def bind_json(self, column: Column, kind: Json) -> Expression:
        """Its text; JSONB can't hold NUL."""
        is_binary = self.real_column(column).type == "jsonb"

        def bind(written: bytes) -> str:
            value = json_value(written)
            text = json_text(None if value is sqltypes.JSON.NULL else value).decode()
            if is_binary and "\\u0000" in text:
                raise unstorable("its text holds a NUL character, which JSONB can't store")
            return text

        return calling(bind)


def _has_digits(real: PostgreSQLColumn, kind: Number) -> bool:
    """Tell whether a column's numbers have the kind's scale, and no more digits than it allows."""
    if real.precision is None or real.scale is None or real.scale != kind.scale:
        return False
    return kind.precision is None or real.precision <= kind.precision
