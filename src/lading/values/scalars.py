"""The canonical written form and the order of every type of value.

A *kind* stands for one type as it travels: :meth:`Kind.write` turns a Python
value into its written form (what a JSON encoder gets: text, a number, a boolean
or a JSON value), :meth:`Kind.read` turns a written form back and is strict about
it.  Fields, engine and kit all use these, so that a type has one form only.

Nothing here knows a database: what a column of some dialect can hold is decided
in ``database.dialects``.
"""

from __future__ import annotations

import base64
import binascii
import enum
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from lading.messages import shown
from lading.values.base import Kind
from lading.values.json_text import DEEPEST_VALUE, canonical_json, json_text, utf8

NOT_A_NUMBER = "NaN"
INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}
JSON_KEY = "$json"

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class JsonNull(enum.Enum):
    """The JSON value ``null``, which is not the SQL ``NULL`` (that is ``None``)."""

    NULL = "null"

    def __repr__(self) -> str:
        return "JSON_NULL"


JSON_NULL = JsonNull.NULL


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

    @property
    def form(self) -> str:
        """A JSON string."""
        return "a text of whole characters, in quotes"

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

    @property
    def form(self) -> str:
        """JSON's own number."""
        return "a whole number, without quotes"

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

    @property
    def form(self) -> str:
        """JSON's own."""
        return "true or false, without quotes"

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
    written_sorts: ClassVar[bool] = False

    @property
    def form(self) -> str:
        """JSON's own number, or a word."""
        return "a number that a double holds, without quotes"

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

    def order(self, written: Any) -> Any:
        """Floats compare by value, infinities at the ends and NaN above all."""
        return (1, 0.0) if written == NOT_A_NUMBER else (0, self.read(written))


def exact_double(number: int) -> float:
    """Return an integer as a double; ``ValueError`` where that would change it."""
    try:
        double = float(number)
    except OverflowError:
        double = math.inf
    if double != number:
        raise ValueError(f"{shown(number)} isn't a float: a double can't hold it")
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

    @property
    def form(self) -> str:
        """Digits in quotes, as many as the column takes."""
        if self.scale is None:
            return "digits in quotes, with at most one point"
        digits = f"at most {self.scale} behind a point"
        if self.precision is not None:
            digits = (
                f"at most {self.precision - self.scale} before a point and {self.scale} behind it"
            )
        return f"digits in quotes, {digits}, or let the column take more"

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
class Uuid(Kind):
    """A UUID, in lower case with dashes."""

    name: ClassVar[str] = "uuid"
    one_form: ClassVar[bool] = False
    python: ClassVar[tuple[type, ...]] = (uuid.UUID, str)

    @property
    def form(self) -> str:
        """Its usual text."""
        return "32 hexadecimal digits in quotes, with dashes: 8-4-4-4-12"

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

    @property
    def form(self) -> str:
        """Base64."""
        return "the bytes in base64 with padding, in quotes"

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

    @property
    def form(self) -> str:
        """A name."""
        return "one of these names in quotes, or give the enumeration another member"

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
    is_json: ClassVar[bool] = True

    @property
    def form(self) -> str:
        """Any JSON value."""
        return (
            f"JSON of at most {DEEPEST_VALUE} levels, with numbers that a double holds and "
            f'{{"{JSON_KEY}": null}} for its own null'
        )

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
