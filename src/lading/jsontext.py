"""Strict JSON text: what is read means one thing, what is written has one form.

The standard library does the work; this only takes its leniency away.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from lading.errors import shown


def utf8(text: str) -> str:
    """Return a text that UTF-8 can hold; half a surrogate pair is a ``ValueError``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{shown(text)} holds half a surrogate pair") from None
    return text


def canonical_json(value: Any) -> Any:
    """Return a JSON value with the differences between engines taken out.

    Integral floats that are written with an exponent become integers and a
    negative zero becomes zero (PostgreSQL's JSONB does both); numbers that JSON
    lacks, keys that aren't text, other Python types and bottomless nesting are a
    ``ValueError``.
    """
    try:
        return _canonical(value)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def _canonical(value: Any) -> Any:
    if value is None or type(value) in (bool, int):
        return value
    if type(value) is str:
        return utf8(value)
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{value} is no JSON number")
        big = abs(value) >= 1e16  # where repr() turns to exponents
        return int(value) if big else value + 0.0
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise ValueError(f"{shown(key)} is no key of a JSON object (a string)")
        return {utf8(key): _canonical(value[key]) for key in sorted(value)}
    raise ValueError(f"{shown(value)} is no JSON value")


_encode_json = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


_encode_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def json_text(value: Any) -> bytes:
    """Return the canonical text of a plain JSON value: sorted keys, no spaces, UTF-8."""
    try:
        return _encode_json(value).encode()
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def plain_json_text(value: Any) -> bytes:
    """Return the text of a value that is plain JSON already, in the order of its keys.

    ``ValueError`` or ``TypeError`` for anything that JSON would write as something else.
    """
    try:
        _refuse_odd(value)
        # Half a surrogate pair becomes bytes that no reader takes, so its record is refused.
        return _encode_plain(value).encode("utf-8", "surrogatepass")
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def _refuse_odd(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError(f"{shown(key)} is no key of a JSON object (a string)")
            _refuse_odd(item)
    elif type(value) is list:
        for item in value:
            _refuse_odd(item)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise ValueError(f"{shown(value)} is no JSON value")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON strictly: no duplicate keys, no NaN, no digits that a double would lose."""
    try:
        return _strict_json().decode(text.decode() if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


@cache
def _strict_json() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique_pairs, parse_float=_exact_float, parse_constant=_no_constant
    )


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"key {shown(twice)} stands twice in one object")
    return result


def _exact_float(text: str) -> float:
    number = float(text)
    try:
        exact = math.isfinite(number) and Decimal(repr(number)) == Decimal(text)
    except InvalidOperation:
        exact = False
    if not exact:
        raise ValueError(f"{text[:40]} has more digits than a double holds")
    return number


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")
