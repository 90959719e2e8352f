"""How each kind of value is read from a driver and given to it; what all engines share.

A codec turns a column into expressions: ``read_…`` from a raw value (never null) to
its written form, ``bind_…`` from a canonical written form to what the driver takes.
Both raise ``ValueError`` for what the column can't hold; ``bind_…`` also for what isn't
canonical, so that marshmallow is asked instead.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeDecorator, TypeEngine

from lading.declare.columns import kind_of
from lading.declare.rowsets import Column
from lading.engine.generate import PLAIN, Expression, calling
from lading.engine.limits import between, longest, text_limit
from lading.errors import shown
from lading.jsontext import json_text, parse_json
from lading.kind import CUSTOM, Kind, article
from lading.moments import DateTime
from lading.values import JSON_NULL, Choice, Json, Number, Text

is_canonical_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch


#: Dates remembered per column: 27 years of them.
MOST_DATES = 10_000


class Codecs:
    """The expressions of one dialect; subclasses say what their engine does otherwise."""

    def __init__(self, dialect: SQLAlchemyDialect) -> None:
        self.dialect = dialect

    def reader(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a raw value to its written form."""
        if kind.name == CUSTOM or not self.is_usual(column, kind):
            return self._processed(column, kind)
        read: Callable[[Column, Any], Expression] = getattr(self, f"read_{kind.name}")
        return read(column, kind)

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a canonical written form to a driver value."""
        if kind.name == CUSTOM or not self.is_usual(column, kind):
            return self._bound(column, kind)
        bind: Callable[[Column, Any], Expression] = getattr(self, f"bind_{kind.name}")
        return bind(column, kind)

    def is_usual(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """Tell whether a column's values are what the engine makes of SQLAlchemy's own types."""
        return self.is_own(column, kind)

    def is_own(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """Tell whether a column's real type is SQLAlchemy's own, and of the model's kind."""
        real = self.real(column.type)
        return is_plain(real) and (real is column.type or type(kind_of(real)) is type(kind))

    def real(self, type_: TypeEngine[Any]) -> TypeEngine[Any]:
        """Return what a type is on this dialect: its variant, where it has one."""
        return type_._variant_mapping.get(self.dialect.name, type_)

    def underlying(self, type_: TypeEngine[Any]) -> Any:
        """Return the real type that a decorator decorates, or the real type itself."""
        return self.real(underlying(self.real(type_)))

    def is_padded(self, column: Column, kind: Text) -> bool:
        """Tell whether a text column is CHAR, in the model or in its variant."""
        real = kind_of(self.real(column.type))
        return kind.padded or (isinstance(real, Text) and real.padded)

    def fitting(self, column: Column, kind: Number) -> Callable[[str], str]:
        """Return what checks a decimal's canonical text against the column's real digits."""
        real = kind_of(self.real(column.type))
        if not isinstance(real, Number) or real == kind:
            return _same

        def check(text: str) -> str:
            number = Decimal(text)
            if number.is_finite():
                real.written(number)
            return text

        return check

    # Decorators and types of the application's own go by SQLAlchemy's processors

    def implementation(self, type_: TypeEngine[Any]) -> TypeEngine[Any]:
        """Return the dialect's form of a type, whose processors do the work."""
        return type_.dialect_impl(self.dialect)

    def bind_process(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Return SQLAlchemy's own function from a Python value to a driver value."""
        return self.implementation(type_).bind_processor(self.dialect) or _same

    def type_code(self, type_: TypeEngine[Any]) -> Any:
        """Return the driver's code of a type, for processors that ask for it."""
        return None

    def _processed(self, column: Column, kind: Kind) -> Expression:
        impl = self.implementation(column.type)
        process = impl.result_processor(self.dialect, self.type_code(column.type)) or _same

        bind = self.bind_process(column.type)

        def read(raw: Any) -> Any:
            value = process(raw)
            refuse_one_way(value, bind, process)
            try:
                return kind.write(value)
            except ValueError as error:
                raise ValueError(
                    f"{error}; its type makes other Python values than its impl does: give the "
                    "type a python_type, or declare a field for the column in the schema"
                ) from error

        return calling(read)

    def _bound(self, column: Column, kind: Kind) -> Expression:
        process = self.bind_process(column.type)
        limited = self.limited(column)
        return calling(lambda written: limited(process(kind.read(kind.canonical(written)))))

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """Return the check of driver values that a decorated type's column makes."""
        limit = text_limit(self.underlying(column.type))
        check = longest(limit) if limit is not None else _same
        return lambda bound: check(bound) if type(bound) is str else bound

    def stored(self, column: Column, kind: Choice) -> dict[str, Any]:
        """Map an enumeration's names to what the database stores."""
        process = self.bind_process(column.type)
        return {name: process(value) for name, value in kind.members.items()}

    # What all engines read alike

    def read_enum(self, column: Column, kind: Choice) -> Expression:
        """A stored label stands for a name."""
        names = {label: name for name, label in self.stored(column, kind).items()}
        fail = refusing(f"one of {', '.join(map(str, names))}")
        return calling(lambda raw: names[raw] if raw in names else fail(raw))

    def read_json(self, column: Column, kind: Json) -> Expression:
        """The column's text, canonically; its ``null`` isn't SQL's."""

        def read(text: Any) -> bytes:
            return written_json(parse_json(text))

        return calling(read)

    def read_bytes(self, column: Column, kind: Kind) -> Expression:
        """Base64."""
        return calling(kind.write)

    # What all engines bind alike

    def bind_boolean(self, column: Column, kind: Kind) -> Expression:
        """Drivers take booleans."""
        return PLAIN

    def bind_bytes(self, column: Column, kind: Kind) -> Expression:
        """Drivers take bytes."""
        return calling(kind.read)

    def bind_enum(self, column: Column, kind: Choice) -> Expression:
        """A name stands for a stored label."""
        stored = self.stored(column, kind)
        return calling(lambda name: stored[kind.write(name)])

    def checked_text(self, column: Column, kind: Text, forbidden: str, check: Any) -> Expression:
        """Text within the column's length, without a character that the engine can't hold."""
        limit = text_limit(self.real(column.type))
        padded = self.is_padded(column, kind)
        canonical = Text(padded=padded).canonical

        def slow(text: str) -> str:
            return str(canonical(check(text if limit is None else longest(limit)(text))))

        tests = [f"len({{x}}) <= {limit}"] if limit is not None else []
        tests += [f"{forbidden!r} not in {{x}}"] if forbidden else []
        if padded:
            return calling(slow)
        if not tests:
            return PLAIN
        return Expression(f"({{x}} if {' and '.join(tests)} else slow({{x}}))", {"slow": slow})


def _same(value: Any) -> Any:
    return value


def refuse_one_way(value: Any, bind: Any, process: Any) -> None:
    """Refuse values that their type would store as others, such as a hash of a hash."""
    try:
        bound = bind(value)
    except Exception as error:
        raise ValueError(f"{shown(value)} could not be stored again: {error}") from error
    try:
        again = process(bound)
        is_same = again == value or value != value  # noqa: PLR0124 - NaN is unlike itself
    except Exception:
        return  # drivers take and give different types, so this says nothing
    if not is_same:
        raise ValueError(
            f"{shown(value)} would be stored as {shown(again)}: its type doesn't undo what it does"
        )


def is_plain(type_: TypeEngine[Any]) -> bool:
    """Tell whether a type is SQLAlchemy's own and not an application's."""
    return not isinstance(type_, TypeDecorator) and type(type_).__module__.startswith("sqlalchemy.")


def underlying(type_: TypeEngine[Any]) -> Any:
    """Return the type that a decorator decorates, or the type itself."""
    return getattr(type_, "impl_instance", type_)


def refusing(what: str) -> Callable[[Any], Any]:
    """Return a function that refuses any value as not being what a column should hold."""

    def fail(value: Any) -> Any:
        raise ValueError(f"the database holds {shown(value)}, which is not {what}")

    return fail


def refusing_kind(kind: Kind) -> Callable[[Any], Any]:
    """Return a function that refuses any value as not being of a kind."""
    return refusing(article(kind.name))


def in_range(low: int, high: int) -> Expression:
    """Refuse integers outside a range."""
    return Expression(
        f"({{x}} if {low} <= {{x}} <= {high} else fail({{x}}))", {"fail": between(low, high)}
    )


def decimal_form(kind: Number) -> Callable[[str], Any]:
    """Return what matches a decimal's canonical text of a precision and scale."""
    assert kind.precision is not None
    assert kind.scale is not None
    whole = kind.precision - kind.scale
    digits = "0" if whole < 1 else f"(?:0|[1-9][0-9]{{0,{whole - 1}}})"
    tail = rf"\.[0-9]{{{kind.scale}}}" if kind.scale > 0 else ""
    return re.compile(rf"(?!-0(?:\.0*)?\Z)-?{digits}{tail}", re.ASCII).fullmatch


def canonical_date(text: str) -> str:
    """Return a date's text if it is canonical."""
    if dt.date.fromisoformat(text).isoformat() != text:
        raise ValueError(f"{shown(text)} is not a date (YYYY-MM-DD)")
    return text


def checked_date() -> Expression:
    """Check dates; the same few days stand in most records, so those seen are remembered."""
    seen: set[str] = set()

    def check(text: str) -> str:
        date = canonical_date(text)
        if len(seen) < MOST_DATES:
            seen.add(date)
        return date

    return Expression(
        "({x} if known({x}) else check({x}))", {"known": seen.__contains__, "check": check}
    )


def canonical_time(text: str) -> str:
    """Return a time's text if it is canonical."""
    moment = dt.time.fromisoformat(text)
    if moment.tzinfo is not None or moment.isoformat() != text:
        raise ValueError(f"{shown(text)} is not a time (HH:MM:SS, no zone)")
    return text


def canonical_moment(text: str) -> str:
    """Return a zone-less datetime's text if it is canonical."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is not None or moment.isoformat() != text:
        raise ValueError(f"{shown(text)} is not canonical")
    return text


def without_zone(kind: DateTime, text: str) -> str:
    """Return an aware datetime's canonical text without its ``Z``, a naive one's as it is."""
    if not kind.aware:
        return canonical_moment(text)
    if text[-1:] != "Z":
        raise ValueError(f"{shown(text)} is not canonical")
    return canonical_moment(text[:-1])


def written_json(value: Any) -> bytes:
    """Return the written text of a JSON value that stands in a column."""
    return json_text(Json().write(JSON_NULL if value is None else value))


def json_value(written: bytes) -> Any:
    """Turn the written text of a JSON value into what SQLAlchemy's type binds."""
    value = Json().read(parse_json(written))
    return sqltypes.JSON.NULL if value is JSON_NULL else value
