"""The canonical written form and the order of every type of value.

A *kind* stands for one type as it travels: :meth:`Kind.write` turns a Python
value into its written form (what a JSON encoder gets: text, a number, a boolean
or a JSON value), :meth:`Kind.read` turns a written form back and is strict about
it.  Fields, engine and kit all use these, so that a type has one form only.

Nothing here knows a database: what a column of some dialect can hold is decided
in ``engine.limits``.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import enum
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from lading.errors import shown
from lading.jsontext import canonical_json, json_text, utf8

UTC = dt.UTC
NOT_A_NUMBER = "NaN"
INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}
JSON_KEY = "$json"
T = TypeVar("T")

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?", re.ASCII)
_ZONE = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}", re.ASCII)


class JsonNull(enum.Enum):
    """The JSON value ``null``, which is not the SQL ``NULL`` (that is ``None``)."""

    NULL = "null"

    def __repr__(self) -> str:
        return "JSON_NULL"


JSON_NULL = JsonNull.NULL


class Kind:
    """One type as it travels.

    ``name`` stands in shapes and messages; ``python`` is the type of its values;
    ``is_key`` says whether it may be part of a natural key; ``written_sorts``
    says whether comparing written forms gives the type's order (else
    :meth:`order` must be asked).
    """

    name: ClassVar[str]
    python: ClassVar[type | tuple[type, ...]]
    is_key: ClassVar[bool] = True
    written_sorts: ClassVar[bool] = True
    #: Whether every text, number or boolean that ``read`` takes is canonical already.
    one_form: ClassVar[bool] = True

    def write(self, value: Any) -> Any:
        """Return the canonical written form; ``ValueError`` if it isn't of this kind."""
        raise NotImplementedError

    def read(self, written: Any) -> Any:
        """Return the value of a written form; ``ValueError`` says what was expected."""
        raise NotImplementedError

    def canonical(self, written: Any) -> Any:
        """Return a written form that is canonical already; ``ValueError`` for any other."""
        if self.write(self.read(written)) != written:
            raise ValueError(f"{shown(written)} is not canonical")
        return written

    def order(self, written: Any) -> Any:
        """Return what a canonical written form compares by."""
        return written

    def shape(self) -> dict[str, Any]:
        """Return what a manifest says of this kind, in plain JSON values."""
        return {"type": self.name}

    def check(self, value: Any) -> Any:
        """Return the value if it is exactly of this kind's Python type."""
        kinds = self.python if isinstance(self.python, tuple) else (self.python,)
        if type(value) not in kinds:
            raise ValueError(f"{shown(value)} is not {article(self.name)}")
        return value


def article(name: str) -> str:
    """Return a noun with its indefinite article."""
    return f"an {name}" if name[0] in "aeio" else f"a {name}"


@dataclass(frozen=True)
class Text(Kind):
    """A string, as it is; ``padded`` ones (CHAR) lose their trailing blanks."""

    name: ClassVar[str] = "string"
    python: ClassVar[type] = str
    padded: bool = False

    @property
    def one_form(self) -> bool:  # type: ignore[override]
        """Trailing blanks are the other form of padded text."""
        return not self.padded

    def write(self, value: Any) -> str:
        """Return the string itself; lone surrogates have no UTF-8 and are refused."""
        text = utf8(self.check(value))
        return text.rstrip(" ") if self.padded else text

    def read(self, written: Any) -> Any:
        """Return the value, which is written as it is."""
        return self.write(written)


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number of any size."""

    name: ClassVar[str] = "integer"
    python: ClassVar[type] = int

    def write(self, value: Any) -> int:
        """Return the number; a boolean is none."""
        return int(self.check(value))

    def read(self, written: Any) -> Any:
        """Return the value, which is written as it is."""
        return self.write(written)


@dataclass(frozen=True)
class Boolean(Kind):
    """True or false; no number stands for either."""

    name: ClassVar[str] = "boolean"
    python: ClassVar[type] = bool

    def write(self, value: Any) -> bool:
        """Return the boolean."""
        return bool(self.check(value))

    def read(self, written: Any) -> Any:
        """Return the value, which is written as it is."""
        return self.write(written)


@dataclass(frozen=True)
class Float(Kind):
    """A binary double; what JSON has no number for is written as a word."""

    name: ClassVar[str] = "float"
    python: ClassVar[type] = float
    is_key: ClassVar[bool] = False

    def write(self, value: Any) -> float | str:
        """Return the number, never a negative zero, or its word."""
        return float_written(exact_double(value) if type(value) is int else self.check(value))

    def read(self, written: Any) -> float:
        """Return the double; an integer is taken where a double holds it exactly."""
        if type(written) is float and math.isfinite(written):
            return written + 0.0
        if type(written) is int:
            return exact_double(written)
        if written == NOT_A_NUMBER:
            return math.nan
        if isinstance(written, str) and written in INFINITIES:
            return INFINITIES[written]
        raise ValueError(f"{shown(written)} is not a float (a number, or NaN, Infinity, -Infinity)")


def exact_double(number: int) -> float:
    """Return an integer as a double; ``ValueError`` where that would change it."""
    try:
        double = float(number)
    except OverflowError:
        double = math.inf
    if double != number:
        raise ValueError(f"{shown(number)} is no float: a double can't hold it")
    return double


def float_written(value: float) -> float | str:
    """Return a double's written form: itself, or a word; never a negative zero."""
    if math.isfinite(value):
        return value + 0.0
    if math.isnan(value):
        return NOT_A_NUMBER
    return "Infinity" if value > 0 else "-Infinity"


@dataclass(frozen=True)
class Number(Kind):
    """A decimal, written as text in its column's scale, or without trailing zeros.

    ``precision`` counts all digits, ``scale`` those behind the point.
    """

    name: ClassVar[str] = "decimal"
    one_form: ClassVar[bool] = False
    python: ClassVar[tuple[type, ...]] = (Decimal, int, float)
    written_sorts: ClassVar[bool] = False
    precision: int | None = None
    scale: int | None = None

    def write(self, value: Any) -> str:
        """Return its digits, with no exponent; digits beyond the scale are refused."""
        number = Decimal(repr(value)) if type(value) is float else Decimal(self.check(value))
        return self.written(number)

    def written(self, number: Decimal) -> str:
        """Write a decimal; see :meth:`write`."""
        if not number.is_finite():
            if number.is_nan():
                return NOT_A_NUMBER
            return "Infinity" if number > 0 else "-Infinity"
        text = plain_digits(number)
        if self.scale is not None:
            text = scaled_digits(text, self.scale)
        if self.precision is not None and self.scale is not None:
            whole = len(text.partition(".")[0].lstrip("-0"))
            if whole > self.precision - self.scale:
                raise ValueError(
                    f"{text} has {whole} digits before the point, "
                    f"its column holds {self.precision - self.scale}"
                )
        return text

    def read(self, written: Any) -> Decimal:
        """Return the decimal of a text such as ``"12.50"``; JSON numbers are refused."""
        if type(written) is not str:
            raise ValueError(f"{shown(written)} is not a decimal (digits in a string)")
        if written == NOT_A_NUMBER or written in INFINITIES:
            return Decimal(written)
        if not _DECIMAL.fullmatch(written):
            raise ValueError(f"{shown(written)} is not a decimal (digits, at most one point)")
        return Decimal(self.written(Decimal(written)))

    def order(self, written: Any) -> Any:
        """Decimals compare by value, infinities at the ends and NaN above all."""
        if written == NOT_A_NUMBER:
            return (1, Decimal(0))
        return (0, Decimal(written))

    def shape(self) -> dict[str, Any]:
        """Precision and scale belong to a decimal's shape."""
        return {"type": self.name, "precision": self.precision, "scale": self.scale}


def plain_digits(number: Decimal) -> str:
    """Write a finite decimal without exponent, trailing zeros or negative zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def scaled_digits(text: str, scale: int) -> str:
    """Pad plain digits to a scale; ``ValueError`` if they have more than it."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > scale:
        raise ValueError(f"{text} has {len(fraction)} decimal places, its column holds {scale}")
    return f"{whole}.{fraction:0<{scale}}" if scale > 0 else whole


@dataclass(frozen=True)
class Date(Kind):
    """A calendar day, ``2025-12-24``."""

    name: ClassVar[str] = "date"
    python: ClassVar[type] = dt.date

    def write(self, value: Any) -> str:
        """Return ISO 8601."""
        return str(self.check(value).isoformat())

    def read(self, written: Any) -> dt.date:
        """Return the day; only ``YYYY-MM-DD`` is taken."""
        if type(written) is str and _DATE.fullmatch(written):
            return parsed(dt.date.fromisoformat, written, "date")
        raise ValueError(f"{shown(written)} is not a date (YYYY-MM-DD)")


@dataclass(frozen=True)
class Time(Kind):
    """A time of day without a zone, ``08:30:00``."""

    name: ClassVar[str] = "time"
    one_form: ClassVar[bool] = False
    python: ClassVar[type] = dt.time

    def write(self, value: Any) -> str:
        """Return ISO 8601, a fraction only where it isn't zero."""
        if self.check(value).tzinfo is not None:
            raise ValueError(f"{shown(value)} has a time zone, its column has none")
        return str(value.replace(fold=0).isoformat())

    def read(self, written: Any) -> dt.time:
        """Return the time; ``HH:MM:SS`` with up to six digits behind a point."""
        if type(written) is str and _TIME.fullmatch(written):
            return parsed(dt.time.fromisoformat, padded_fraction(written), "time")
        raise ValueError(f"{shown(written)} is not a time (HH:MM:SS, no zone)")


@dataclass(frozen=True)
class DateTime(Kind):
    """A moment: without a zone, or ``aware`` and then written in UTC with a ``Z``."""

    name: ClassVar[str] = "datetime"
    one_form: ClassVar[bool] = False
    python: ClassVar[type] = dt.datetime
    aware: bool = False

    @property
    def written_sorts(self) -> bool:  # type: ignore[override]
        """Without a zone the text sorts by time; a ``Z`` sorts above a fraction's point."""
        return not self.aware

    def write(self, value: Any) -> str:
        """Return ISO 8601, a fraction only where it isn't zero."""
        moment = self.check(value)
        if self.aware != (moment.tzinfo is not None):
            wrong = "has no time zone, its column wants one"
            if not self.aware:
                wrong = "has a time zone, its column has none"
            raise ValueError(f"{shown(value)} {wrong}")
        if not self.aware:
            return str(moment.replace(fold=0).isoformat())
        return utc_written(moment)

    def read(self, written: Any) -> dt.datetime:
        """Return the moment, an aware one in UTC."""
        if type(written) is str and written[10:11] == "T" and _DATE.fullmatch(written[:10]):
            clock = _TIME.match(written, 11)
            zone = written[clock.end() :] if clock else ""
            if clock and (_ZONE.fullmatch(zone) if self.aware else not zone):
                text = f"{written[:11]}{padded_fraction(clock.group())}{zone}"
                moment = parsed(dt.datetime.fromisoformat, text, "datetime")
                return in_utc(moment) if self.aware else moment
        wanted = "with Z or an offset" if self.aware else "no zone"
        raise ValueError(f"{shown(written)} is not a datetime (YYYY-MM-DDTHH:MM:SS, {wanted})")

    def order(self, written: Any) -> Any:
        """Aware moments compare without their ``Z``, so that a fraction sorts above none."""
        return written[:-1] if self.aware else written

    def shape(self) -> dict[str, Any]:
        """Whether a zone is carried belongs to a datetime's shape."""
        return {"type": self.name, "aware": self.aware}


def in_utc(moment: dt.datetime) -> dt.datetime:
    """Move an aware moment to UTC; ``ValueError`` where that leaves the years 1 to 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{shown(moment)} lies outside the years 1 to 9999 in UTC") from None


def utc_written(moment: dt.datetime) -> str:
    """Write an aware moment in UTC with a ``Z``."""
    return in_utc(moment).isoformat()[:-6] + "Z"


def padded_fraction(clock: str) -> str:
    """Fill a fraction of a second up to six digits."""
    whole, point, fraction = clock.partition(".")
    return f"{whole}.{fraction:0<6}" if point else whole


def parsed(parse: Callable[[str], T], text: str, name: str) -> T:
    """Parse a text of the right form, whose numbers may still be impossible."""
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not {article(name)}: {error}") from None


@dataclass(frozen=True)
class Uuid(Kind):
    """A UUID, in lower case with dashes."""

    name: ClassVar[str] = "uuid"
    one_form: ClassVar[bool] = False
    python: ClassVar[tuple[type, ...]] = (uuid.UUID, str)

    def write(self, value: Any) -> str:
        """Return the 36 characters; text is taken for columns that keep UUIDs as text."""
        return self.written(value) if type(value) is str else str(self.check(value))

    def written(self, text: str) -> str:
        """Return a UUID's text in lower case; ``ValueError`` for any other text."""
        if not _UUID.fullmatch(text):
            raise ValueError(f"{shown(text)} is not a uuid (36 characters with dashes)")
        return text.lower()

    def read(self, written: Any) -> uuid.UUID:
        """Return the UUID."""
        if type(written) is not str:
            raise ValueError(f"{shown(written)} is not a uuid (36 characters with dashes)")
        return uuid.UUID(self.written(written))


@dataclass(frozen=True)
class Bytes(Kind):
    """Bytes, written as base64 with padding (RFC 4648, section 4)."""

    name: ClassVar[str] = "bytes"
    python: ClassVar[tuple[type, ...]] = (bytes, bytearray, memoryview)

    def write(self, value: Any) -> str:
        """Return base64."""
        return base64.b64encode(bytes(self.check(value))).decode()

    def read(self, written: Any) -> bytes:
        """Return the bytes; base64 that another text stands for as well is refused."""
        try:
            data = base64.b64decode(written, validate=True) if type(written) is str else None
        except (binascii.Error, ValueError):
            data = None
        if data is None or base64.b64encode(data).decode() != written:
            raise ValueError(f"{shown(written)} is not canonical base64")
        return data


@dataclass(frozen=True)
class Choice(Kind):
    """One name of an enumeration; ``members`` maps each name to its Python value."""

    name: ClassVar[str] = "enum"
    python: ClassVar[type] = object
    members: Mapping[str, Any]

    def write(self, value: Any) -> str:
        """Return the member's name."""
        if isinstance(value, enum.Enum):
            name = str(value.name)
            value = name if self.members.get(name) is value else value
        if type(value) is not str or value not in self.members:
            raise ValueError(f"{shown(value)} is none of {', '.join(self.members)}")
        return value

    def read(self, written: Any) -> Any:
        """Return the member of a name."""
        return self.members[self.write(written)]

    def shape(self) -> dict[str, Any]:
        """The names, in declared order, belong to an enumeration's shape."""
        return {"type": self.name, "names": list(self.members)}

    def __hash__(self) -> int:
        return hash(tuple(self.members))


@dataclass(frozen=True)
class Json(Kind):
    """Any JSON value, with sorted keys; its ``null`` is written ``{"$json":null}``.

    An object whose only key is ``$json`` would read as that wrapper, so it is
    wrapped itself.
    """

    name: ClassVar[str] = "json"
    python: ClassVar[type] = object
    is_key: ClassVar[bool] = False

    def write(self, value: Any) -> Any:
        """Return the value in canonical form, as plain JSON values."""
        if value is JSON_NULL:
            return {JSON_KEY: None}
        plain = canonical_json(value)
        return {JSON_KEY: plain} if is_wrapper(plain) else plain

    def read(self, written: Any) -> Any:
        """Return the value; :data:`JSON_NULL` for JSON's own null."""
        if is_wrapper(written):
            inner = written[JSON_KEY]
            if inner is not None and not is_wrapper(inner):
                raise ValueError(f"{shown(written)} wraps what needs no {JSON_KEY}")
            return JSON_NULL if inner is None else canonical_json(inner)
        return canonical_json(written)

    def text(self, value: Any) -> bytes:
        """Return the canonical text of a value, ready to stand in a record."""
        return json_text(self.write(value))


def is_wrapper(value: Any) -> bool:
    """Tell whether a JSON value is ``{"$json": ...}``."""
    return type(value) is dict and len(value) == 1 and JSON_KEY in value
