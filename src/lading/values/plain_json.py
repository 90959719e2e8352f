"""What JSON makes of the values that fields and hooks of an application's own give."""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from lading.messages import shown
from lading.values.json_text import DEEPEST_RECORD, on_own_stack, too_deep, utf8

#: What has one text in JSON.
TEXTS = (Decimal, dt.date, dt.time, dt.timedelta, uuid.UUID, bytes, bytearray, memoryview)


def plain_json(value: Any, *, sort: bool = True) -> Any:
    """Return what JSON makes of a value; ``ValueError`` for what it has no form of.

    What has one text in JSON becomes that: a decimal, a date, a UUID, bytes, an enum's value.
    ``sort`` puts the keys of objects in order.
    """
    return on_own_stack(_plain, value, sort, 0)


def _plain(value: Any, sort: bool, level: int) -> Any:
    if level > DEEPEST_RECORD:
        raise too_deep(DEEPEST_RECORD)
    if isinstance(value, enum.Enum):
        return _plain(value.value, sort, level)
    # One frame a level: a comprehension would be another.
    if isinstance(value, Mapping):
        members: dict[str, Any] = {}
        for key, element in value.items():
            members[_key(key)] = _plain(element, sort, level + 1)
        if len(members) < len(value):
            raise ValueError(f"{shown(value)} has two keys that are one in JSON")
        return dict(sorted(members.items())) if sort else members
    if not isinstance(value, list | tuple):
        return _scalar(value)
    items = []
    for element in value:
        items.append(_plain(element, sort, level + 1))  # noqa: PERF401
    return items


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return utf8(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} isn't a JSON number")
        return float(value)
    if isinstance(value, TEXTS):
        return msgspec.to_builtins(value)
    raise ValueError(f"{shown(value)} isn't a JSON value")


def _key(key: Any) -> str:
    """Return a key of a mapping as JSON has it: integers become their digits."""
    if type(key) is int:
        return str(key)
    if isinstance(key, str) and not isinstance(key, enum.Enum):
        return utf8(str(key))
    raise ValueError(f"{shown(key)} isn't a key of a JSON object (a string)")


def wide_integer(value: Any) -> bool:
    """Tell whether a plain JSON value holds an integer that 64 bits don't."""
    waiting = [value]
    while waiting:
        element = waiting.pop()
        if type(element) is int and not -(2**63) <= element < 2**64:
            return True
        if isinstance(element, dict | list):
            waiting += element.values() if isinstance(element, dict) else element
    return False
