"""MariaDB's values, checked against each real column, as the server would cut or round them."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.codegen import Expression, calling
from lading.database.dialects.codecs import Codecs
from lading.database.dialects.limits import (
    byte_check,
    integer_range,
    is_canonical_uuid,
    longest,
    shortest,
    text_limit,
    unblanked,
    unstorable,
)
from lading.database.dialects.mariadb_columns import (
    CHARACTER_SETS,
    SYNONYMS,
    Stored,
    parsed_type,
)
from lading.database.dialects.mariadb_declared import DeclaredMariaDBColumns
from lading.database.dialects.mariadb_json import JSON_DEPTH, depth_of, valid_json
from lading.database.dialects.mariadb_limits import (
    bytes_check,
    decimal_check,
    driver_checks,
    float_check,
    fraction_check,
    is_fit,
    labels_check,
    moment_check,
    text_check,
)
from lading.database.dialects.real_columns import Describes
from lading.database.dialects.written_values import (
    canonical_date,
    canonical_time,
    checked_date,
    decimal_form,
    in_range,
    json_value,
    refusing,
    refusing_kind,
    strict,
    without_zone,
)
from lading.errors import TargetError
from lading.messages import Message, shown
from lading.model.rowsets import Column
from lading.values.arrays import LabelSet
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Time
from lading.values.json_text import json_text, on_own_stack, parse_json
from lading.values.scalars import Choice, Float, Integer, Json, Number, Text, Uuid


class MariaDBCodecs(Codecs):
    """MariaDB by way of PyMySQL; decimals, dates and UUIDs come as text."""

    loose = (Uuid,)  # digits in CHAR(32) may be of either case

    def __init__(
        self, dialect: SQLAlchemyDialect, columns: Describes[Stored] | None = None
    ) -> None:
        super().__init__(dialect, columns or DeclaredMariaDBColumns(dialect))
        #: Whether the caller's session is in UTC, so that a TIMESTAMP means what it says.
        self.is_in_utc = True

    def misfit(self, column: sa.ColumnElement[Any]) -> str | None:
        """Types that a strict session refuses, or that its driver returns as another type."""
        stored: Stored = self.columns(column)
        try:
            ddl = str(self.dialect.type_compiler_instance.process(column.type))
        except sa.exc.CompileError:
            return None
        name = parsed_type(ddl)[0]
        declared = SYNONYMS.get(name, name)
        if not is_fit(declared, stored):
            return f"its column is {stored.full} in the database, and {ddl} in the model"
        labels = getattr(self.underlying(column.type), "enums", None)
        if labels and stored.type == "enum" and set(labels).isdisjoint(stored.labels):
            return f"its column is {stored.full} in the database, with no label of the model's"
        return None

    def as_impl(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """The driver drops the zone of a value that it binds, and returns none."""
        show = super().as_impl(type_)
        is_moment = isinstance(self.underlying(type_), sqltypes.DateTime | sqltypes.Time)
        return (lambda value: zoneless(show(value))) if is_moment else show

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """The column must hold a decorator's values unchanged."""
        inherited = super().limited(column)
        checks, below = driver_checks(self.columns(column)), self.underlying(column.type)
        if isinstance(below, sqltypes.JSON):
            checks[str] = valid_json
        if isinstance(below, mysql.SET):
            checks[str] = labels_check(self.columns(column))

        def check(bound: Any) -> Any:
            check_of_type = checks.get(type(bound))
            return inherited(bound if check_of_type is None else check_of_type(bound))

        return check

    # Text

    def read_string(self, column: Column, kind: Text) -> Expression:
        """Text; CHAR is returned without the blanks that pad it."""
        stored, limit = self.columns(column), text_limit(self.real(column.type))
        if stored.charset == "binary":  # of labels, which the driver returns as bytes
            read = self._text(kind).function()
            return calling(lambda raw: read(_decoded(raw)))
        if self.is_padded(column, kind):
            return calling(Text(padded=True).write if stored.type == "char" else unblanked)
        if limit is None or (stored.characters or math.inf) <= limit:
            return self._text(kind)
        plain, check = self._text(kind).function(), longest(limit)
        return Expression(
            f"({{x}} if type({{x}}) is str and len({{x}}) <= {limit} else slow({{x}}))",
            {"slow": lambda text: check(plain(text))},
        )

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
            return str(check(str(canonical(limited))))

        if stored.type in ("char", "enum", "uuid", "set") or stored.characters is None:
            return calling(slow)
        width = CHARACTER_SETS.get(stored.charset or "", ("", 0, 4))[2]
        most = min(stored.characters // width, declared or stored.characters)
        return Expression(
            f"({{x}} if len({{x}}) <= {most} and {{x}}.isascii() else slow({{x}}))", {"slow": slow}
        )

    def read_enum(self, column: Column, kind: Choice) -> Expression:
        """A label, which the driver returns as bytes where the column's character set is binary."""
        inherited = super().read_enum(column, kind)
        if self.columns(column).charset != "binary":
            return inherited
        read = inherited.function()
        return calling(lambda raw: read(_decoded(raw)))

    def bind_enum(self, column: Column, kind: Choice) -> Expression:
        """A label, which the column must have or have room for."""
        check = text_check(self.columns(column))
        label = super().bind_enum(column, kind).function()
        return calling(lambda name: check(label(name)))

    def refusal(self, type_: TypeEngine[Any]) -> str | None:
        """MariaDB has sets."""
        has_sets = isinstance(self.underlying(type_), mysql.SET)
        return None if has_sets else super().refusal(type_)

    def read_set(self, column: Column, kind: LabelSet) -> Expression:
        """The labels of a SET, or of a text that an import would give the same form."""
        is_set = self.columns(column).type == "set"
        fail = refusing_kind(kind)

        def read(raw: Any) -> bytes:
            raw = _decoded(raw)
            if type(raw) is not str:
                fail(raw)
            labels = raw.split(",") if raw else []
            written = kind.write(set(labels))
            if not is_set and labels != written:
                raise ValueError(
                    f"the database holds {shown(raw)}, which would be stored as "
                    f"{shown(','.join(written))}"
                )
            return json_text(written)

        return calling(read)

    def bind_set(self, column: Column, kind: LabelSet) -> Expression:
        """Labels that the column has, exactly: the server takes others for some of its own."""
        fits = labels_check(self.columns(column))
        return calling(lambda written: fits(",".join(kind.canonical(parse_json(written)))))

    def read_uuid(self, column: Column, kind: Uuid) -> Expression:
        """The server's own type, or text in the form that an import would give it."""
        if self.columns(column).type == "uuid":
            return self._text(kind)
        form = self._uuid_form(column)

        def read(text: str) -> str:
            written = str(UUID(text))
            if len(form(written)) != len(text):
                raise ValueError(
                    f"the database holds {shown(text)}, which would be stored as {form(written)}"
                )
            return written

        return calling(read)

    def _uuid_form(self, column: Column) -> Callable[[str], str]:
        """Return what makes a UUID's text as the application writes it, if the column has room."""
        stored = self.columns(column)
        is_dashed = self.implementation(column.type).bind_processor(self.dialect) is None
        has_room = (stored.characters or 0) >= len("00000000-0000-0000-0000-000000000000")
        return str if is_dashed and has_room else lambda text: text.replace("-", "")

    def bind_uuid(self, column: Column, kind: Uuid) -> Expression:
        """As the column keeps it."""
        stored = self.columns(column)
        is_native = stored.type == "uuid"
        form, check = self._uuid_form(column), text_check(stored)

        def bind(text: str) -> str:
            if not is_canonical_uuid(text):
                raise ValueError(f"{text!r} is not canonical")
            if is_native and text[14] in "89abcdef" and 0 < int(text[19:21], 16) <= 128:
                raise ValueError(
                    f"{text} is a version and variant that MariaDB's own UUID type refuses; keep "
                    "it as text: Uuid(native_uuid=False)"
                )
            return text if is_native else str(check(form(text)))

        return calling(bind)

    def bind_json(self, column: Column, kind: Json) -> Expression:
        """Its text, within the column, nested no deeper than the server's own check allows."""
        fits = text_check(self.columns(column))

        def bind(written: bytes) -> str:
            value = json_value(written)
            plain = None if value is sqltypes.JSON.NULL else value
            text = json_text(plain).decode()
            if (
                text.count("[") + text.count("{") > JSON_DEPTH
                and on_own_stack(depth_of, plain) > JSON_DEPTH
            ):
                raise unstorable(f"it is nested deeper than the {JSON_DEPTH} levels MariaDB allows")
            return str(fits(text))

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

        def slow(text: str) -> Any:
            driver_value = check(Decimal(kind.canonical(text)))
            return driver_value if type(driver_value) is int else text

        digits = (stored.type, stored.precision, stored.scale)
        if stored.is_unsigned or digits != ("decimal", kind.precision, kind.scale):
            return calling(slow)
        form = decimal_form(kind)
        return Expression("({x} if form({x}) else slow({x}))", {"form": form, "slow": slow})

    # Dates and times

    def read_date(self, column: Column, kind: Date) -> Expression:
        """The column's text, which may be no date: ``0000-00-00``."""
        return calling(strict(canonical_date, "a date"))

    def read_time(self, column: Column, kind: Time) -> Expression:
        """The column's text, which may be no time of day: ``-838:59:59``."""
        parse = dt.time.fromisoformat
        return calling(strict(lambda text: kind.write(parse(text)), "a time of day"))

    def read_datetime(self, column: Column, kind: DateTime) -> Expression:
        """The column's text without a zone; aware columns hold UTC."""
        self._refuse_shifting(column, kind)
        suffix = "Z" if kind.aware else ""
        parse = dt.datetime.fromisoformat
        return calling(strict(lambda text: parse(text).isoformat() + suffix, "a datetime"))

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
        if self.columns(column).type == "timestamp" and not kind.aware and not self.is_in_utc:
            raise TargetError(
                Message(
                    "time-zone-unclear",
                    f"{column} is a TIMESTAMP, which the server shifts between UTC and the "
                    "session's time zone, and its type has no zone to tell by",
                ),
                "Use DateTime(timezone=True), or a session in UTC: "
                "connect_args={'init_command': \"SET time_zone='+00:00'\"}.",
            )


def _decoded(label: Any) -> Any:
    """Return the text of a label, also of one in the binary character set."""
    return label.decode() if type(label) is bytes else label


def zoneless(value: Any) -> Any:
    """Return a moment without its zone."""
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime | dt.time) else value
