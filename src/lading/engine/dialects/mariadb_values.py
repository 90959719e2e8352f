"""MariaDB's values: each column is asked what it can hold, for the server would cut or round."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.declare.rowsets import Column
from lading.engine.dialects.codecs import (
    Codecs,
    byte_check,
    canonical_date,
    canonical_time,
    checked_date,
    decimal_form,
    in_range,
    is_canonical_uuid,
    json_value,
    refusing,
    refusing_kind,
    without_zone,
)
from lading.engine.dialects.mariadb_columns import CHARACTER_SETS, Stored, text_check
from lading.engine.dialects.real_columns import Describes
from lading.engine.generate import Expression, calling
from lading.engine.limits import (
    between,
    integer_range,
    longest,
    shortest,
    single_precision,
    text_limit,
)
from lading.errors import TargetError
from lading.jsontext import json_text, on_own_stack, parse_json
from lading.kind import Kind
from lading.moments import Date, DateTime, Time
from lading.values import Float, Integer, Json, Number, Text, Uuid

#: The moments that a TIMESTAMP holds.
FIRST, LAST = "1970-01-01T00:00:01", "2038-01-19T03:14:07.999999"
#: JSON_VALID, which every JSON column is checked by, refuses what is nested deeper.
JSON_DEPTH = 31


class MariaDBCodecs(Codecs):
    """MariaDB by way of PyMySQL; decimals, dates and UUIDs come as text."""

    loose = (Uuid,)  # digits in CHAR(32) may be of either case

    def __init__(self, dialect: SQLAlchemyDialect, columns: Describes[Stored]) -> None:
        super().__init__(dialect, columns)
        #: Whether the caller's session is in UTC, so that a TIMESTAMP means what it says.
        self.utc = True

    def misfit(self, column: sa.ColumnElement[Any]) -> str | None:
        """What a strict session refuses, and what its driver gives as another type."""
        return None

    def kept(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """The driver leaves out the zone of what it is given, and gives none."""
        show = super().kept(type_)
        is_moment = isinstance(self.underlying(type_), sqltypes.DateTime | sqltypes.Time)
        return (lambda value: zoneless(show(value))) if is_moment else show

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """Whatever a decorator gives the driver must stay as it is."""
        inherited = super().limited(column)
        checks = driver_checks(self.columns(column))
        if isinstance(self.underlying(column.type), sqltypes.JSON):
            checks[str] = valid_json

        def check(bound: Any) -> Any:
            made = checks.get(type(bound))
            return inherited(bound if made is None else made(bound))

        return check

    # Text

    def read_string(self, column: Column, kind: Text) -> Expression:
        """Text; CHAR comes without the blanks that pad it."""
        if self.is_padded(column, kind):
            return calling(Text(padded=True).write)
        return self._text(kind)

    def _text(self, kind: Kind) -> Expression:
        fail = refusing_kind(kind)
        return Expression("({x} if type({x}) is str else fail({x}))", {"fail": fail})

    def bind_string(self, column: Column, kind: Text) -> Expression:
        """Text, within the column's length, bytes and character set."""
        stored = self.columns(column)
        declared = text_limit(self.real(column.type))
        check = text_check(stored)
        canonical = Text(padded=self.is_padded(column, kind)).canonical

        def slow(text: str) -> str:
            limited = text if declared is None else longest(declared)(text)
            return check(str(canonical(limited)))

        if stored.type == "char" or stored.characters is None:
            return calling(slow)
        width = CHARACTER_SETS.get(stored.charset or "", ("", 0, 4))[2]
        most = min(stored.characters // width, declared or stored.characters)
        return Expression(
            f"({{x}} if len({{x}}) <= {most} and {{x}}.isascii() else slow({{x}}))", {"slow": slow}
        )

    def read_uuid(self, column: Column, kind: Uuid) -> Expression:
        """The server's own type, or 32 hexadecimal digits."""
        if self.columns(column).type == "uuid":
            return self._text(kind)
        return calling(lambda text: str(UUID(text)))

    def bind_uuid(self, column: Column, kind: Uuid) -> Expression:
        """As the column keeps it."""
        is_native = self.columns(column).type == "uuid"

        def bind(text: str) -> str:
            if not is_canonical_uuid(text):
                raise ValueError(f"{text!r} is not canonical")
            if is_native and text[14] in "89abcdef" and 0 < int(text[19:21], 16) <= 128:
                raise ValueError(
                    f"{text} is a version and variant that MariaDB's own UUID type refuses; keep "
                    "it as text: Uuid(native_uuid=False)"
                )
            return text if is_native else text.replace("-", "")

        return calling(bind)

    def bind_json(self, column: Column, kind: Json) -> Expression:
        """Its text, nested no deeper than the server's own check allows."""

        def bind(written: bytes) -> str:
            value = json_value(written)
            plain = None if value is sqltypes.JSON.NULL else value
            text = json_text(plain).decode()
            if (
                text.count("[") + text.count("{") > JSON_DEPTH
                and on_own_stack(depth_of, plain) > JSON_DEPTH
            ):
                raise ValueError(f"it is nested deeper than the {JSON_DEPTH} levels MariaDB allows")
            return text

        return calling(bind)

    def bind_bytes(self, column: Column, kind: Kind) -> Expression:
        """Bytes, no more than the column holds, and no fewer where it would pad them."""
        check, declared = bytes_check(self.columns(column)), byte_check(self.real(column.type))
        return calling(lambda written: check(declared(kind.read(written))))

    # Numbers

    def read_integer(self, column: Column, kind: Integer) -> Expression:
        """Integers."""
        fail = refusing_kind(kind)
        return Expression("({x} if type({x}) is int else fail({x}))", {"fail": fail})

    def bind_integer(self, column: Column, kind: Integer) -> Expression:
        """One to eight bytes, with a sign or without."""
        own = integer_range(self.real(column.type), widest=False)
        return in_range(*(self.columns(column).range or own))

    def read_boolean(self, column: Column, kind: Kind) -> Expression:
        """Zero or one; the column is a TINYINT, and holds others."""
        fail = refusing("a boolean (0 or 1)")
        return calling(lambda raw: raw == 1 if type(raw) is int and raw in (0, 1) else fail(raw))

    def read_float(self, column: Column, kind: Float) -> Expression:
        """Doubles; a FLOAT's as the shortest text that stands for it."""
        fail = refusing_kind(kind)
        if self.columns(column).type == "float":
            return calling(lambda raw: shortest(struct.pack("f", raw)) + 0.0)
        return Expression("({x} + 0.0 if type({x}) is float else fail({x}))", {"fail": fail})

    def bind_float(self, column: Column, kind: Float) -> Expression:
        """Finite doubles, of single precision or of fixed digits where the column is."""
        check = float_check(self.columns(column))
        return calling(lambda written: check(kind.read(written)))

    def read_decimal(self, column: Column, kind: Number) -> Expression:
        """The column's text."""

        def slow(text: str) -> str:
            return kind.write(Decimal(text))

        if kind.precision is None or kind.scale is None:
            return calling(slow)
        form = decimal_form(kind)
        return Expression("({x} if form({x}) else slow({x}))", {"form": form, "slow": slow})

    def bind_decimal(self, column: Column, kind: Number) -> Expression:
        """Digits as text; the server would round them to what the column has."""
        stored = self.columns(column)
        check = decimal_check(stored)

        def slow(text: str) -> str:
            check(Decimal(kind.canonical(text)))
            return text

        if stored.is_unsigned or (kind.precision, kind.scale) != (stored.precision, stored.scale):
            return calling(slow)
        form = decimal_form(kind)
        return Expression("({x} if form({x}) else slow({x}))", {"form": form, "slow": slow})

    # Dates and times

    def read_date(self, column: Column, kind: Date) -> Expression:
        """The column's text, which may be no date: ``0000-00-00``."""
        return calling(_real("date", canonical_date))

    def read_time(self, column: Column, kind: Time) -> Expression:
        """The column's text, which may be no time of day: ``-838:59:59``."""
        return calling(_real("time of day", lambda text: kind.write(dt.time.fromisoformat(text))))

    def read_datetime(self, column: Column, kind: DateTime) -> Expression:
        """The column's text without a zone; aware columns hold UTC."""
        self._refuse_shifting(column, kind)
        suffix = "Z" if kind.aware else ""
        parse = dt.datetime.fromisoformat
        return calling(_real("datetime", lambda text: parse(text).isoformat() + suffix))

    def bind_date(self, column: Column, kind: Date) -> Expression:
        """ISO text."""
        return checked_date()

    def bind_time(self, column: Column, kind: Time) -> Expression:
        """ISO text, with no more digits of a second than the column has."""
        check = fraction_check(self.columns(column))
        return calling(lambda text: check(canonical_time(text)))

    def bind_datetime(self, column: Column, kind: DateTime) -> Expression:
        """ISO text, with no more digits of a second than the column has."""
        self._refuse_shifting(column, kind)
        check = moment_check(self.columns(column))
        return calling(lambda text: check(without_zone(kind, text)))

    def _refuse_shifting(self, column: Column, kind: DateTime) -> None:
        if self.columns(column).type == "timestamp" and not kind.aware and not self.utc:
            raise TargetError(
                f"{column} is a TIMESTAMP, which the server shifts between UTC and the session's "
                "time zone, and its type has no zone to tell by",
                "Use DateTime(timezone=True), or a session in UTC: "
                "connect_args={'init_command': \"SET time_zone='+00:00'\"}.",
            )


def zoneless(value: Any) -> Any:
    """Return a moment without its zone."""
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime | dt.time) else value


def _real(what: str, parse: Callable[[str], str]) -> Callable[[Any], str]:
    fail = refusing(f"a {what}")

    def read(raw: Any) -> str:
        try:
            return parse(raw)
        except (ValueError, TypeError):
            return str(fail(raw))

    return read


# What a column keeps as it is, of the values that drivers take


def driver_checks(stored: Stored) -> dict[type, Callable[[Any], Any]]:
    """Return a column's checks of driver values by their type."""
    moment = moment_check(stored)
    low, high = stored.range or (-math.inf, math.inf)
    return {
        str: text_check(stored) if stored.charset is not None else _same,
        bytes: bytes_check(stored),
        int: between(low, high),  # type: ignore[arg-type]
        float: float_check(stored),
        Decimal: decimal_check(stored),
        dt.time: lambda value: moment(value.isoformat()) and value,
        dt.datetime: lambda value: moment(value.replace(tzinfo=None).isoformat()) and value,
    }


def _same(value: Any) -> Any:
    return value


def valid_json(text: str) -> str:
    """Refuse a serializer's text that the server's own check of JSON columns refuses."""
    if on_own_stack(depth_of, parse_json(text)) > JSON_DEPTH:
        raise ValueError(f"it is nested deeper than the {JSON_DEPTH} levels MariaDB allows")
    return text


def bytes_check(stored: Stored) -> Callable[[bytes], bytes]:
    """Refuse bytes that the server would cut or pad."""
    pads = stored.type == "binary"

    def check(data: bytes) -> bytes:
        if stored.octets is not None and len(data) > stored.octets:
            raise ValueError(f"{len(data)} bytes are more than its column holds: {stored.octets}")
        if pads and len(data) != stored.octets:
            raise ValueError(f"{len(data)} bytes would be padded to {stored.octets}")
        return data

    return check


def float_check(stored: Stored) -> Callable[[float], float]:
    """Refuse doubles that the server would round or can't store."""
    is_single, scale = stored.type == "float", stored.scale
    most = None if scale is None else 10.0 ** ((stored.precision or 0) - scale)

    def check(number: float) -> float:
        if not math.isfinite(number):
            raise ValueError(f"{number} can't be stored by MariaDB")
        if stored.is_unsigned and number < 0:
            raise ValueError(f"{number} is negative, and its column is unsigned")
        if most is not None and abs(number) >= most:
            raise ValueError(f"{number!r} is outside of its column, which ends before {most!r}")
        if scale is not None and round(number, scale) != number:
            raise ValueError(f"{number!r} changes in its column of {scale} decimal places")
        return single_precision(number) if is_single else number

    return check if stored.type in ("float", "double") else _same


def decimal_check(stored: Stored) -> Callable[[Decimal], Decimal]:
    """Refuse decimals that the server would round or can't store."""
    real = Number(precision=stored.precision, scale=stored.scale)

    def check(number: Decimal) -> Decimal:
        if not number.is_finite():
            raise ValueError(f"{number} can't be stored by MariaDB")
        if stored.is_unsigned and number < 0:
            raise ValueError(f"{number} is negative, and its column is unsigned")
        real.written(number)
        return number

    return check if stored.type == "decimal" else _same


def fraction_check(stored: Stored) -> Callable[[str], str]:
    """Refuse a time whose fraction the server would cut."""
    digits = stored.fraction if stored.fraction is not None else 6

    def check(text: str) -> str:
        fraction = text.partition(".")[2].rstrip("0")
        if len(fraction) > digits:
            raise ValueError(
                f"{text} has {len(fraction)} digits of a second, its column holds {digits}; "
                f"give it six: mysql.{stored.type.upper()}(fsp=6)"
            )
        return text

    return check if digits < 6 else _same


def moment_check(stored: Stored) -> Callable[[str], str]:
    """Refuse a moment that the column would cut or can't hold."""
    fraction = fraction_check(stored)
    if stored.type != "timestamp":
        return fraction

    def check(text: str) -> str:
        if not FIRST <= text <= LAST:
            raise ValueError(f"{text} is outside of what a TIMESTAMP holds, {FIRST} to {LAST}")
        return fraction(text)

    return check


def depth_of(value: Any) -> int:
    """Return how deeply a JSON value is nested."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth_of, items), default=0)
    return 0
