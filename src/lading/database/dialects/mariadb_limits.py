"""Which driver values MariaDB's real columns keep unchanged.

The server would cut, round or pad the others, or store another label.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lading.database.dialects.limits import (
    between,
    canonical_uuid,
    exact_as_double,
    longest,
    one_of,
    single_precision,
    unstorable,
    whole,
)
from lading.database.dialects.mariadb_columns import (
    CHARACTER_SETS,
    INTEGERS,
    LATIN1_CONTROLS,
    Stored,
)
from lading.messages import shown
from lading.values.scalars import Number

Check = Callable[[Any], Any]

#: The moments that a TIMESTAMP holds.
FIRST, LAST = "1970-01-01T00:00:01", "2038-01-19T03:14:07.999999"
#: The types that hold each other's values, within their limits; any other is alone.
FAMILIES = {
    **dict.fromkeys(["char", "varchar", "tinytext", "text", "mediumtext", "longtext"], "text"),
    **dict.fromkeys(["enum", "set"], "text"),
    **dict.fromkeys(INTEGERS, "integer"),
    **dict.fromkeys(["float", "double"], "float"),
    **dict.fromkeys(["datetime", "timestamp"], "moment"),
    **dict.fromkeys(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"], "bytes"),
    **{name: name for name in ("decimal", "date", "time", "uuid")},
}
#: What else keeps values of a family, if each of them passes its check.
ALSO = {
    "decimal": (*INTEGERS, "double"),
    "text": ("uuid",),
    "uuid": ("char", "varchar", "tinytext", "text", "mediumtext", "longtext"),
}


def is_fit(declared: str | None, stored: Stored) -> bool:
    """Tell whether a column holds values of a declared type, some at least."""
    family = FAMILIES.get(declared or "")
    if family is None:
        return True  # only the application knows
    return FAMILIES.get(stored.type) == family or stored.type in ALSO.get(family, ())


def driver_checks(stored: Stored) -> dict[type, Check]:
    """Return a column's checks of driver values by their type; they give what is to be written."""
    moment, decimal = moment_check(stored), decimal_check(stored)
    checks: dict[type, Check] = {
        str: text_check(stored),
        bytes: bytes_check(stored),
        float: float_check(stored),
        Decimal: decimal,
        dt.time: lambda value: moment(value.isoformat()) and value,
        dt.datetime: lambda value: moment(value.replace(tzinfo=None).isoformat()) and value,
    }
    if stored.range is not None:
        checks[int] = between(*stored.range)
    if stored.type == "decimal":
        checks[int] = lambda value: decimal(Decimal(value)) and value
        checks[float] = lambda value: decimal(Decimal(repr(value))) and value
    return checks


def _same(value: Any) -> Any:
    return value


def text_check(stored: Stored) -> Check:
    """Return a check that refuses a text that a column can't hold unchanged."""
    if stored.type == "uuid":
        return canonical_uuid
    if stored.charset is None:
        return _same
    if stored.type == "enum":
        return one_of(stored.labels)
    if stored.type == "set":
        return _listed_in_order(stored)
    codec, highest, _ = CHARACTER_SETS.get(stored.charset or "", (None, 0x10FFFF, 1))
    strict = stored.type == "char"
    limit = stored.length if stored.type in ("char", "varchar") else None

    def check(text: str) -> str:
        if limit is not None:
            longest(limit)(text)
        if strict and text.endswith(" "):
            raise ValueError(f"{shown(text)} would lose its trailing blanks in a CHAR column")
        if codec is not None:
            size = _size(text, codec, highest, stored)
            if stored.octets is not None and limit is None and size > stored.octets:
                raise ValueError(
                    f"{shown(text)} has {size} bytes, its column holds {stored.octets}"
                )
        return text

    return check


def _listed_in_order(stored: Stored) -> Check:
    """Refuse a text that a SET would give back as another: it keeps each label once, in order."""
    labels, known = stored.labels, labels_check(stored)

    def check(text: str) -> str:
        listed = known(text).split(",")
        stored_text = ",".join(label for label in labels if label in listed)
        if stored_text != text:
            raise ValueError(f"{shown(text)} would be stored as {shown(stored_text)} in its SET")
        return text

    return check


def labels_check(stored: Stored) -> Check:
    """Return a check that refuses labels that a column lacks; the order of labels is free."""
    if stored.type != "set":
        return text_check(stored)
    label = one_of(stored.labels)

    def check(text: str) -> str:
        for name in text.split(",") if text else []:
            label(name)
        return text

    return check


def _size(text: str, codec: str, highest: int, stored: Stored) -> int:
    for character in text:
        if ord(character) > highest:
            raise _foreign(character, stored.charset)
    try:
        encodable = re.sub(f"[{LATIN1_CONTROLS}]", "?", text) if codec == "cp1252" else text
        return len(encodable.encode(codec))
    except UnicodeEncodeError as error:
        raise _foreign(encodable[error.start], stored.charset) from error


def _foreign(character: str, charset: str | None) -> ValueError:
    return ValueError(f"it holds {character!r}, which character set {charset} can't store")


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
            raise unstorable(f"{number} can't be stored by MariaDB")
        if stored.is_unsigned and number < 0:
            raise ValueError(f"{number} is negative, and its column is unsigned")
        if most is not None and abs(number) >= most:
            raise ValueError(f"{number!r} is outside of its column, which ends before {most!r}")
        if scale is not None and round(number, scale) != number:
            raise ValueError(f"{number!r} changes in its column of {scale} decimal places")
        return single_precision(number) if is_single else number

    return check if stored.type in ("float", "double") else _same


def decimal_check(stored: Stored) -> Check:
    """Refuse decimals that the server would round or can't store; give what it takes for others."""
    if stored.range is not None:
        return whole(*stored.range)
    if stored.type == "double":
        double, fits = exact_as_double(single=False), float_check(stored)
        return lambda number: fits(double(number))
    if stored.type != "decimal":
        return _same
    real = Number(precision=stored.precision, scale=stored.scale)

    def check(number: Decimal) -> Decimal:
        if not number.is_finite():
            raise unstorable(f"{number} can't be stored by MariaDB")
        if stored.is_unsigned and number < 0:
            raise ValueError(f"{number} is negative, and its column is unsigned")
        real.written(number)
        return number

    return check


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


def room_of(value: Any) -> int:
    """Return about how many bytes a value takes in a statement's text."""
    if isinstance(value, str):
        return 2 * len(value.encode()) + 4
    return 2 * len(value) + 16 if isinstance(value, bytes) else 40
