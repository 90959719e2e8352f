"""Strict JSON text: what is read means one thing, what is written has one form.

The standard library does the work; this only takes its leniency away.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeVar

from lading.messages import shown

T = TypeVar("T")
#: How deep a JSON value may nest, and a whole record: the same in every process and however deep
#: the caller's stack is.  An empty stack has room for both, with Python's usual limit of 1,000.
DEEPEST_VALUE = 500
DEEPEST_RECORD = 600


def utf8(text: str) -> str:
    """Return a text that UTF-8 can hold; half a surrogate pair is a ``ValueError``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{shown(text)} holds half a surrogate pair") from None
    return text


def on_own_stack(function: Callable[..., T], *args: Any) -> T:
    """Call a function; where the caller's stack has no room for it, on a stack of its own."""
    try:
        return function(*args)
    except RecursionError:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(function, *args).result()


def too_deep(most: int) -> ValueError:
    """Return the error for what nests deeper than lading takes, in every process alike."""
    return ValueError(f"it is nested more than {most} levels deep")


def canonical_json(value: Any) -> Any:
    """Return a JSON value with the differences between engines taken out.

    Integral floats that are written with an exponent become integers and a
    negative zero becomes zero (PostgreSQL's JSONB does both); numbers that JSON
    lacks, keys that aren't text, other Python types and more than ``DEEPEST_VALUE``
    levels are a ``ValueError``.
    """
    return on_own_stack(_canonical, value, 0)


def _canonical(value: Any, level: int) -> Any:
    if not isinstance(value, list | tuple | dict):
        return _canonical_scalar(value)
    level += 1
    if level > DEEPEST_VALUE:
        raise too_deep(DEEPEST_VALUE)
    # One frame a level: a comprehension would be another.
    if isinstance(value, dict):
        members = {}
        for key in _sorted_keys(value):
            members[key] = _canonical(value[key], level)
        return members
    items = []
    for element in value:
        items.append(_canonical(element, level))  # noqa: PERF401
    return items


def _canonical_scalar(value: Any) -> Any:
    if value is None or type(value) in (bool, int):
        return value
    if type(value) is str:
        return utf8(value)
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{value} isn't a JSON number")
        big = abs(value) >= 1e16  # where repr() turns to exponents
        return int(value) if big else value + 0.0
    raise ValueError(f"{shown(value)} isn't a JSON value")


def _sorted_keys(value: dict[Any, Any]) -> list[str]:
    for key in value:
        if type(key) is not str:
            raise ValueError(f"{shown(key)} isn't a key of a JSON object (a string)")
    return [utf8(key) for key in sorted(value)]


_encode_json = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


_encode_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def json_text(value: Any) -> bytes:
    """Return the canonical text of a plain JSON value: sorted keys, no spaces, UTF-8."""
    try:
        return on_own_stack(_encode_json, value).encode()
    except RecursionError:
        raise too_deep(DEEPEST_RECORD) from None


def plain_json_text(value: Any) -> bytes:
    """Return the text of a value that is plain JSON already, in the order of its keys.

    ``ValueError`` or ``TypeError`` for anything that JSON would write as something else.
    """
    on_own_stack(_refuse_odd, value, 0)
    # Half a surrogate pair becomes bytes that no reader takes, so its record is refused.
    return on_own_stack(_encode_plain, value).encode("utf-8", "surrogatepass")


def _refuse_odd(value: Any, level: int) -> None:
    if level > DEEPEST_RECORD:
        raise too_deep(DEEPEST_RECORD)
    if isinstance(value, dict):
        for key, element in value.items():
            if type(key) is not str:
                raise ValueError(f"{shown(key)} isn't a key of a JSON object (a string)")
            _refuse_odd(element, level + 1)
    elif type(value) is list:
        for element in value:
            _refuse_odd(element, level + 1)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise ValueError(f"{shown(value)} isn't a JSON value")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON strictly: no duplicate keys, no NaN, no digits that a double would lose."""
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return on_own_stack(_strict_json().decode, text)
    except UnicodeDecodeError as error:
        before = bytes(error.object[max(0, error.start - 30) : error.start])
        raise ValueError(
            f"its text isn't UTF-8: byte 0x{error.object[error.start]:02x} follows "
            f"{shown(before.decode('utf-8', 'replace'))}"
        ) from None
    except RecursionError:
        raise too_deep(DEEPEST_RECORD) from None
    except ValueError as error:
        if "set_int_max_str_digits" not in str(error):
            raise
        most = sys.get_int_max_str_digits()
        raise ValueError(
            f"an integer has more than {most:,} digits, the most that are read"
        ) from None


@cache
def _strict_json() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique_pairs, parse_float=_exact_float, parse_constant=_no_constant
    )


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = repeated(key for key, _ in pairs)
        raise ValueError(f"key {shown(twice)} stands twice in one object")
    return result


def repeated(items: Iterable[T]) -> T:
    """Return the first item that was there before; ``ValueError`` if each is there once."""
    seen: set[T] = set()
    for element in items:
        if element in seen:
            return element
        seen.add(element)
    raise ValueError("each item is there once")


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
    raise ValueError(f"{text} isn't a JSON number")
