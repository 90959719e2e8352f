"""PostgreSQL's values: strictly typed; it reads our texts as they are, once checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.declare.columns import kind_of
from lading.declare.rowsets import Column
from lading.engine.dialects.codecs import (
    Codecs,
    canonical_time,
    checked_date,
    decimal_form,
    in_range,
    is_canonical_uuid,
    json_value,
    refusing_kind,
    underlying,
    without_zone,
)
from lading.engine.generate import Expression, calling
from lading.engine.limits import NUL, integer_range, single_precision, without_nul
from lading.errors import TargetError
from lading.jsontext import json_text
from lading.kind import Kind
from lading.moments import Date, DateTime, Time, utc_written
from lading.values import Float, Integer, Json, Number, Text, Uuid, float_written

NUMERIC_OID, FLOAT_OID = 1700, 701
SINGLE_BITS = 24


class PostgreSQLCodecs(Codecs):
    """PostgreSQL by way of psycopg."""

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
                f"{column} has a time zone in its type or in that type's variant for "
                f"{self.dialect.name}, but not in both; PostgreSQL would shift its values",
                "Give both the same timezone=.",
            )

    def type_code(self, type_: TypeEngine[Any]) -> Any:
        """SQLAlchemy's numeric processors ask for the server's type."""
        impl = underlying(self.implementation(type_))
        if isinstance(impl, sqltypes.Float):
            return FLOAT_OID
        return NUMERIC_OID if isinstance(impl, sqltypes.Numeric) else None

    def _plain(self, kind: Kind) -> Expression:
        """The server's types are strict; nulls that it shouldn't hold are not."""
        fail = refusing_kind(kind)
        return Expression("({x} if {x} is not None else fail({x}))", {"fail": fail})

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """Nor can decorated text hold NUL."""
        check, inherited = without_nul("PostgreSQL"), super().limited(column)
        return lambda bound: inherited(check(bound) if type(bound) is str else bound)

    def read_string(self, column: Column, kind: Text) -> Expression:
        """Text; CHAR without the blanks that pad it."""
        if self.is_padded(column, kind):
            return calling(Text(padded=True).write)
        return self._plain(kind)

    def read_integer(self, column: Column, kind: Integer) -> Expression:
        """Integers."""
        return self._plain(kind)

    def read_boolean(self, column: Column, kind: Kind) -> Expression:
        """Booleans."""
        return self._plain(kind)

    def read_float(self, column: Column, kind: Float) -> Expression:
        """Doubles."""
        return Expression(
            "({x} + 0.0 if finite({x}) else words({x}))",
            {"finite": math.isfinite, "words": float_written},
        )

    def read_decimal(self, column: Column, kind: Number) -> Expression:
        """The column's text, which has its scale already."""

        def slow(text: str) -> str:
            return kind.write(Decimal(text))

        if not kind.scale:
            return calling(slow)
        point = f"{{x}}[-{kind.scale + 1}:-{kind.scale}] == '.'"
        return Expression(f"({{x}} if {point} else slow({{x}}))", {"slow": slow})

    def read_date(self, column: Column, kind: Date) -> Expression:
        """Dates."""
        return Expression("{x}.isoformat()")

    def read_time(self, column: Column, kind: Time) -> Expression:
        """Times."""
        return calling(kind.write)

    def read_datetime(self, column: Column, kind: DateTime) -> Expression:
        """Datetimes, aware ones in UTC whatever the session's zone."""
        return calling(utc_written) if kind.aware else Expression("{x}.isoformat()")

    def read_uuid(self, column: Column, kind: Uuid) -> Expression:
        """The column's text, in lower case already."""
        return self._plain(kind)

    def bind_string(self, column: Column, kind: Text) -> Expression:
        """Text, no longer than declared and without NUL."""
        return self.checked_text(column, kind, NUL, without_nul("PostgreSQL"))

    def bind_integer(self, column: Column, kind: Integer) -> Expression:
        """Two, four or eight bytes."""
        return in_range(*integer_range(self.real(column.type), widest=False))

    def bind_float(self, column: Column, kind: Float) -> Expression:
        """Doubles, or four bytes where the column has no more."""
        real = self.real(column.type)
        narrow = isinstance(real, sqltypes.REAL) or (
            isinstance(real, sqltypes.Float)
            and real.precision is not None
            and real.precision <= SINGLE_BITS
        )

        def slow(written: Any) -> Any:
            number = kind.read(written)
            return single_precision(number) if narrow and math.isfinite(number) else number

        if narrow:
            return calling(slow)
        return Expression("({x} if type({x}) is float else slow({x}))", {"slow": slow})

    def bind_decimal(self, column: Column, kind: Number) -> Expression:
        """Digits as text; columns with a precision hold no infinity."""
        real = kind_of(self.real(column.type))
        limited = isinstance(real, Number) and real.precision is not None
        fitting = self.fitting(column, kind)

        def slow(text: str) -> str:
            if limited and "Infinity" in text:
                raise ValueError(f"{text} doesn't fit a column with a precision")
            return fitting(str(kind.canonical(text)))

        if kind.precision is None or kind.scale is None or real != kind:
            return calling(slow)
        form = decimal_form(kind)
        return Expression("({x} if form({x}) else slow({x}))", {"form": form, "slow": slow})

    def bind_date(self, column: Column, kind: Date) -> Expression:
        """ISO text."""
        return checked_date()

    def bind_time(self, column: Column, kind: Time) -> Expression:
        """ISO text."""
        return calling(canonical_time)

    def bind_datetime(self, column: Column, kind: DateTime) -> Expression:
        """ISO text, with its zone."""
        zone = "Z" if kind.aware else ""
        return calling(lambda text: f"{without_zone(kind, text)}{zone}")

    def bind_uuid(self, column: Column, kind: Uuid) -> Expression:
        """Its text."""

        def slow(text: str) -> Any:
            raise ValueError(f"{text!r} is not canonical")

        return Expression(
            "({x} if form({x}) else slow({x}))", {"form": is_canonical_uuid, "slow": slow}
        )

    def bind_json(self, column: Column, kind: Json) -> Expression:
        """Its text; JSONB can't hold NUL."""
        is_binary = str(self.dialect.type_compiler_instance.process(column.type)) == "JSONB"

        def bind(written: bytes) -> str:
            value = json_value(written)
            text = json_text(None if value is sqltypes.JSON.NULL else value).decode()
            if is_binary and "\\u0000" in text:
                raise ValueError("its text holds a NUL character, which JSONB can't store")
            return text

        return calling(bind)
