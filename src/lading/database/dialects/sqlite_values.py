"""SQLite's values: any type in any column, so each is checked; dates are text."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.codegen import Expression, calling
from lading.database.dialects.codecs import Codecs
from lading.database.dialects.limits import integer_range, is_canonical_uuid, longest, text_limit
from lading.database.dialects.real_columns import Describes
from lading.database.dialects.sqlite_columns import (
    DeclaredSQLiteColumns,
    SQLiteColumn,
    a_number,
    driver_checks,
    refused_types,
)
from lading.database.dialects.sqlite_decimals import (
    as_double,
    decimal_reader,
    finer_than,
    finite,
    is_decimal,
    is_rounded,
    scaled_double,
)
from lading.database.dialects.sqlite_moments import Zoned, padded, stores_as_usual, whole_fraction
from lading.database.dialects.written_columns import bind_written, read_written
from lading.database.dialects.written_values import (
    canonical_time,
    checked_date,
    decimal_form,
    in_range,
    json_value,
    refusing,
    refusing_kind,
    strict,
    without_zone,
    written_json,
)
from lading.mapping.columns import kind_of
from lading.model.rowsets import Column
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.json_text import on_own_stack, parse_json
from lading.values.scalars import (
    Boolean,
    Bytes,
    Choice,
    Float,
    Integer,
    Json,
    Number,
    Text,
    Uuid,
    exact_double,
)

#: The type of the driver's values of each kind.
DRIVER_TYPES: list[tuple[Any, type]] = [
    ((Integer, Boolean), int),
    ((Float, Number), float),
    (Bytes, bytes),
    ((Text, Uuid, Choice, Date, Time, DateTime, Interval, Json), str),
]
#: A double keeps this many significant digits of any decimal.
EXACT_DIGITS = 15


class SQLiteCodecs(Codecs):
    """SQLite by way of the standard driver."""

    widest = True
    loose = (Date, Time, DateTime, Interval, Number)  # texts of moments have several forms

    def __init__(
        self, dialect: SQLAlchemyDialect, columns: Describes[SQLiteColumn] | None = None
    ) -> None:
        super().__init__(dialect, columns or DeclaredSQLiteColumns(dialect))

    def misfit(self, column: sa.ColumnElement[Any]) -> str | None:
        """Affinities turn numbers into texts, or integers into floats; STRICT tables refuse."""
        real: SQLiteColumn = self.columns(column)
        refused = set() if real.is_written else refused_types(real)
        kind = kind_of(self.underlying(column.type)) if refused else None
        type_ = next((type_ for match, type_ in DRIVER_TYPES if isinstance(kind, match)), None)
        if type_ not in refused:
            return None
        strict = " of a STRICT table" if real.is_strict else ""
        model = self.dialect.type_compiler_instance.process(column.type)
        return (
            f"its column is {real.text}{strict} in the database, which has {real.affinity} "
            f"affinity and changes or refuses what {model} in the model stores"
        )

    def copied(self, near: Column, far: Column) -> str | None:
        """A text that the target's column keeps may look like a number."""
        holder, target = self.columns(near), self.columns(far)
        is_text = isinstance(kind_of(self.underlying(far.type)), Text | Uuid | Choice)
        if not is_text or str not in driver_checks(holder) or str in driver_checks(target):
            return None
        return (
            f"the one is {holder.text} in the database, which has {holder.affinity} affinity and "
            f"stores texts that look like numbers as numbers; the other is {target.text}"
        )

    def reader(self, column: Column, kind: Kind) -> Expression:
        """A scratch database's columns may hold written forms."""
        return (
            read_written(kind) if self.columns(column).is_written else super().reader(column, kind)
        )

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Texts that a column of numeric affinity would store as numbers are refused.

        What a decorator makes of them is for ``limited``, and may be numbers.
        """
        if self.columns(column).is_written:
            return bind_written(kind)
        bound = super().binder(column, kind)
        check = driver_checks(self.columns(column)).get(str)
        is_text = isinstance(kind, Text | Uuid | Choice) and self.is_usual(column, kind)
        if check is None or not is_text:
            return bound
        bind = bound.function()
        return calling(lambda written: check(bind(written)))

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """The column must hold a decorator's values unchanged."""
        inherited, checks = super().limited(column), driver_checks(self.columns(column))
        below = self.underlying(column.type)
        if is_decimal(below):
            checks = {**checks, float: self._exportable_decimal(below)}

        def check(bound: Any) -> Any:
            keep = checks.get(type(bound))
            return inherited(bound if keep is None else keep(bound))

        return check

    def is_usual(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """Dates in a storage format of the application's own go by SQLAlchemy's processors."""
        if self.columns(column).is_written or not super().is_usual(column, kind):
            return False
        if not isinstance(kind, Date | Time | DateTime):
            return True
        return stores_as_usual(self.bind_process(column.type), kind)

    def loader(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Texts of moments are no finer than Python's, which would cut them."""
        below = self.underlying(type_)
        if isinstance(below, sqltypes.DateTime | sqltypes.Time | sqltypes.Interval):
            return whole_fraction
        if is_rounded(below):
            return scaled_double(below.scale, rounds=self.as_read)
        return super().loader(type_)

    def as_impl(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """A double is compared with all of its digits, not as its type would round it."""
        return as_double if is_rounded(self.underlying(type_)) else super().as_impl(type_)

    def _exportable_decimal(self, type_: Any) -> Callable[[float], float]:
        """Return the check that a decimal's double can be exported again."""
        if self.as_read or not is_rounded(type_):
            return finite
        scaled = scaled_double(type_.scale)
        return lambda double: scaled(finite(double))

    def rounds(self, column: Column, kind: Kind) -> Callable[[Any], bool] | None:
        """Decimals are rounded where the catalog says that they are written as they are read."""
        below = self.underlying(column.type)
        if not self.as_read or not is_rounded(below) or self.misfit(column) is not None:
            return None
        if isinstance(kind, Number) and kind.scale is not None and self.is_usual(column, kind):
            return finer_than(kind.scale)
        return finer_than(below.scale)

    def read_string(self, column: Column, kind: Text) -> Expression:
        """Text, no longer than declared."""
        limit = text_limit(self.real(column.type))
        fail = refusing_kind(kind)
        padded = self.is_padded(column, kind)
        write = Text(padded=padded).write

        def slow(raw: Any) -> str:
            if type(raw) is not str:
                fail(raw)
            return write(raw if limit is None else longest(limit)(raw))

        if padded:
            return calling(slow)
        bound = f" and len({{x}}) <= {limit}" if limit is not None else ""
        return Expression(f"({{x}} if type({{x}}) is str{bound} else slow({{x}}))", {"slow": slow})

    def read_integer(self, column: Column, kind: Integer) -> Expression:
        """Integers; nothing else that SQLite may hold there."""
        fail = refusing_kind(kind)
        return Expression("({x} if type({x}) is int else fail({x}))", {"fail": fail})

    def read_boolean(self, column: Column, kind: Kind) -> Expression:
        """Zero or one."""
        fail = refusing("a boolean (0 or 1)")
        return calling(lambda raw: raw == 1 if type(raw) is int and raw in (0, 1) else fail(raw))

    def read_float(self, column: Column, kind: Float) -> Expression:
        """Doubles, and integers that a double holds."""
        fail = refusing_kind(kind)

        def slow(raw: Any) -> Any:
            return kind.write(raw) if type(raw) in (int, float) else fail(raw)

        return Expression(
            "({x} + 0.0 if type({x}) is float and finite({x}) else slow({x}))",
            {"finite": math.isfinite, "slow": slow},
        )

    def read_decimal(self, column: Column, kind: Number) -> Expression:
        """Doubles that equal their scaled text."""
        if not is_rounded(self.underlying(column.type)):  # SQLAlchemy reads all digits
            return calling(decimal_reader(kind, refusal=ValueError))
        return calling(decimal_reader(kind, rounds=self.as_read))

    def read_date(self, column: Column, kind: Date) -> Expression:
        """ISO text."""
        parse, fail = dt.date.fromisoformat, refusing("a date (YYYY-MM-DD)")

        def read(raw: Any) -> str:
            try:
                return parse(raw).isoformat()
            except (ValueError, TypeError):
                return str(fail(raw))

        return calling(read)

    def read_time(self, column: Column, kind: Time) -> Expression:
        """ISO text."""
        parse = strict(dt.time.fromisoformat, "a time (HH:MM:SS)")
        return calling(lambda text: kind.write(parse(whole_fraction(text))))

    def read_datetime(self, column: Column, kind: DateTime) -> Expression:
        """ISO text without a zone; aware columns hold UTC."""
        parse = strict(dt.datetime.fromisoformat, "a datetime (YYYY-MM-DD HH:MM:SS)")
        suffix = "Z" if kind.aware else ""

        def read(text: str) -> str:
            moment = parse(whole_fraction(text))
            if moment.tzinfo is not None:
                raise Zoned(
                    f"the database holds {text!r}, and a DateTime keeps no time zone on SQLite"
                )
            return moment.isoformat() + suffix

        return calling(read)

    def read_uuid(self, column: Column, kind: Uuid) -> Expression:
        """The text that SQLAlchemy stores; an import would change any other of the same UUID."""
        process, undo = self.bind_process(column.type), self.result_process(column.type)
        fail = refusing("a uuid as SQLAlchemy stores it")

        def read(raw: Any) -> str:
            value = undo(raw)
            return kind.write(value) if process(value) == raw else str(fail(raw))

        return calling(read)

    def bind_string(self, column: Column, kind: Text) -> Expression:
        """Text, no longer than declared; SQLite itself ignores lengths."""
        limit = text_limit(self.real(column.type))
        return self.checked_text(column, kind, "", lambda text: text, limit=limit)

    def bind_integer(self, column: Column, kind: Integer) -> Expression:
        """Eight bytes in every integer column."""
        return in_range(*integer_range(self.real(column.type), widest=self.widest))

    def bind_float(self, column: Column, kind: Float) -> Expression:
        """Doubles; NaN would silently become NULL."""

        def slow(written: Any) -> float:
            number = kind.read(written)
            return a_number(number)

        return Expression("({x} + 0.0 if type({x}) is float else slow({x}))", {"slow": slow})

    def bind_decimal(self, column: Column, kind: Number) -> Expression:
        """Doubles, for decimals that a double doesn't change."""
        read = decimal_reader(kind)
        fitting = self.fitting(column, kind)

        def slow(text: str) -> float:
            number = float(fitting(kind.canonical(text)))
            if not math.isfinite(number) or read(number) != text:
                raise ValueError(f"{text} changes in SQLite, which keeps decimals as doubles")
            return number

        real = kind_of(self.real(column.type))
        if kind.scale is None or (kind.precision or math.inf) > EXACT_DIGITS or real != kind:
            return calling(slow)
        return Expression(
            "(number({x}) if form({x}) else slow({x}))",
            {"number": float, "form": decimal_form(kind), "slow": slow},
        )

    def fitting(self, column: Column, kind: Number) -> Callable[[str], str]:
        """Return the check of a decimal's canonical text against the column's real digits."""
        real = kind_of(self.real(column.type))
        if not isinstance(real, Number) or real == kind:
            return lambda text: text

        def check(text: str) -> str:
            number = Decimal(text)
            if number.is_finite():
                real.written(number)
            return text

        return check

    def bind_date(self, column: Column, kind: Date) -> Expression:
        """ISO text."""
        return checked_date()

    def bind_time(self, column: Column, kind: Time) -> Expression:
        """ISO text with six digits of fraction, as SQLAlchemy stores it."""
        return calling(lambda text: padded(canonical_time(text), 8))

    def bind_datetime(self, column: Column, kind: DateTime) -> Expression:
        """ISO text with a blank and six digits of fraction, as SQLAlchemy stores it."""
        return calling(lambda text: padded(without_zone(kind, text).replace("T", " "), 19))

    def bind_uuid(self, column: Column, kind: Uuid) -> Expression:
        """What SQLAlchemy stores: 32 digits, or bytes where the application says so."""
        process = self.bind_process(column.type)
        as_uuid = bool(getattr(self.real(column.type), "as_uuid", True))

        def bind(text: str) -> Any:
            if not is_canonical_uuid(text):
                raise ValueError(f"{text!r} is not canonical")
            return process(UUID(text) if as_uuid else text)

        return calling(bind)

    def read_json(self, column: Column, kind: Json) -> Expression:
        """Text; a JSON column has numeric affinity, so a lone number is stored as one."""

        def read(raw: Any) -> bytes:
            return written_json(parse_json(raw) if type(raw) is str else raw)

        return calling(read)

    def bind_json(self, column: Column, kind: Json) -> Expression:
        """Text by the application's own serializer, unless the column's affinity changes it."""
        process = self.bind_process(column.type)
        affinity = self.columns(column).affinity
        if str not in driver_checks(self.columns(column)):
            return calling(lambda written: process(json_value(written)))

        def bind(written: bytes) -> Any:
            value = json_value(written)
            if type(value) is float and value.is_integer():
                raise ValueError(f"{value} alone would become an integer in SQLite's JSON column")
            if type(value) is int and affinity == "REAL":
                raise ValueError(f"{value} alone would become a float in a column of floats")
            is_double = type(value) is float
            if type(value) is int and not -(2**63) <= value < 2**63:
                exact_double(value)  # SQLite's number; harmless if it is equal
                is_double = True
            bound = on_own_stack(process, value)
            return _nearest_double(bound) if is_double else bound

        return calling(bind)


def _nearest_double(text: Any) -> Any:
    """Return the double nearest to a number's text, which SQLite doesn't always take."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text  # a serializer of the application's own may write no number
