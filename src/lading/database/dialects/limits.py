"""What fits a column: one predicate per type and dialect, used in both directions.

A predicate takes a written value and raises ``ValueError`` with what the column
can hold.  Whatever an engine would alter is refused here, never rounded.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.mapping.columns import integer_bytes
from lading.messages import Message, shown

Check = Callable[[Any], Any]
NUL = "\x00"

is_canonical_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch


def text_limit(type_: TypeEngine[Any]) -> int | None:
    """Return the number of characters that a text column declares, or ``None``."""
    length = getattr(type_, "length", None)
    return length if isinstance(type_, sqltypes.String) else None


def longest(limit: int) -> Check:
    """Refuse a text longer than the column declares, on engines that ignore it as well."""

    def check(text: str) -> str:
        if len(text) > limit:
            raise ValueError(f"{shown(text)} has {len(text)} characters, its column holds {limit}")
        return text

    return check


def longest_bytes(limit: int) -> Check:
    """Refuse more bytes than the column declares, on engines that ignore it as well."""

    def check(data: Any) -> Any:
        if len(data) > limit:
            raise ValueError(f"{len(data)} bytes are too many, its column holds {limit}")
        return data

    return check


def exactly(length: int) -> Check:
    """Refuse a text that a CHAR would pad, for a model that wouldn't take the blanks off again."""

    def check(text: str) -> str:
        longest(length)(text)
        if len(text) < length:
            raise ValueError(f"{shown(text)} would be padded to {length} characters with blanks")
        return text

    return check


def one_of(labels: Collection[str]) -> Check:
    """Refuse a text that isn't a label of the column's enumeration, exactly."""

    def check(text: str) -> str:
        if text not in labels:
            raise ValueError(f"{shown(text)} isn't a label of its column: {', '.join(labels)}")
        return text

    return check


def canonical_uuid(text: str) -> str:
    """Refuse a text that a column of UUIDs would write otherwise."""
    if not is_canonical_uuid(text):
        raise ValueError(f"{shown(text)} is not a uuid in lower case with dashes")
    return text


def byte_check(type_: TypeEngine[Any]) -> Callable[[Any], Any]:
    """Return the check that bytes are no more than a column declares."""
    limit = getattr(type_, "length", None)
    return (lambda data: data) if limit is None else longest_bytes(limit)


def unstorable(text: str) -> ValueError:
    """Return the error for a value that no column of an engine takes."""
    return ValueError(Message("value-unfit", f"{text}. Correct it"))


def without_nul(engine: str) -> Check:
    """Refuse the NUL character, for engines whose text can't hold it."""

    def check(text: str) -> str:
        if NUL in text:
            raise unstorable(f"{shown(text)} holds a NUL character, which {engine} can't store")
        return text

    return check


def between(low: int, high: int) -> Check:
    """Refuse integers outside a column's range."""

    def check(number: int) -> int:
        if not low <= number <= high:
            raise ValueError(f"{number} is outside {low} to {high}, which its column holds")
        return number

    return check


def integer_range(type_: TypeEngine[Any], *, widest: bool) -> tuple[int, int]:
    """Return the range of an integer column; ``widest`` where every one has eight bytes."""
    size = 8 if widest else integer_bytes(type_)
    return -(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1


def whole(low: int, high: int) -> Check:
    """Turn a decimal into an integer, for a column of integers; refuse any that isn't whole."""
    fits = between(low, high)

    def check(number: Decimal) -> int:
        if not number.is_finite() or number != number.to_integral_value():
            raise ValueError(f"{number} is not whole, and its column holds integers")
        integer: int = fits(int(number))
        return integer

    return check


def exact_as_double(*, single: bool) -> Check:
    """Refuse a decimal that a column of doubles, or of four-byte floats, would give as another."""

    def check(number: Decimal) -> float:
        double = float(number)
        if number.is_finite() and Decimal(repr(double)) != number:
            raise ValueError(f"{number} changes in a column of doubles")
        return single_precision(double) if single else double

    return check


def single_precision(number: float) -> float:
    """Refuse a double that a four-byte float would give back as another."""
    if not math.isfinite(number):
        return number
    try:
        packed = struct.pack("f", number)
    except OverflowError:
        packed = b""
    if not packed or shortest(packed) != number:
        raise ValueError(f"{number!r} changes in a single-precision column")
    return number


def shortest(packed: bytes) -> float:
    """Return the double of a four-byte float's shortest text, which is what a server gives."""
    narrow: float = struct.unpack("f", packed)[0]
    for digits in range(1, 9):
        text = f"{narrow:.{digits}g}"
        if struct.pack("f", float(text)) == packed:
            return float(text)
    return float(f"{narrow:.9g}")


def in_precision(precision: int | None) -> Check:
    """Refuse times with more decimal places of a second than a column keeps, if it has a limit."""

    def check(text: str) -> str:
        fraction = text[19:26] if "T" in text else text[8:15]
        if "." in fraction and fraction[1 + (precision or 0) :].strip("0"):
            raise ValueError(f"{text} has a finer fraction than its column holds ({precision})")
        return text

    return check if precision is not None else lambda text: text


def unblanked(value: Any) -> Any:
    """Refuse trailing blanks that a column keeps, and its model's CHAR would forget."""
    if type(value) is not str or value.endswith(" "):
        raise ValueError(
            f"the database holds {shown(value)}, whose trailing blanks the model's CHAR would lose"
        )
    return value


def shortest_limit(*limits: int | None) -> int | None:
    """Return the least of some limits, or ``None`` without any."""
    return min((limit for limit in limits if limit is not None), default=None)


def no_sets(engine: str) -> str:
    """Say that an engine has no SET, and what to do."""
    return f"{engine} has no SET; keep the labels as rows of a table, or as JSON, there"
