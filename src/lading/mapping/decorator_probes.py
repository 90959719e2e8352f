"""What decorators do with sample values, where nothing says what their values are.

A sample can only disprove: each value is checked again when it is exported or imported.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.types import TypeEngine

from lading.values.base import Kind
from lading.values.datetimes import DateTime, Time
from lading.values.scalars import Choice, Json

#: A harmless value of each Python type that a kind may have.
SAMPLES: dict[Any, Any] = {
    str: "lading",
    int: 1,
    bool: True,
    float: 1.0,
    Decimal: Decimal(1),
    bytes: b"lading",
    uuid.UUID: uuid.UUID(int=1),
    dt.date: dt.date(2025, 12, 24),
    dt.time: dt.time(18, 30),
    dt.datetime: dt.datetime(2025, 12, 24, 18, 30),  # noqa: DTZ001 - a zone is given where one is
    dt.timedelta: dt.timedelta(hours=1),
}
#: Values that a decorator takes, most likely, if it takes others than its impl's.
OTHERS: tuple[Any, ...] = ({"a": 1}, ["a"])


def gives_its_impls(type_: TypeEngine[Any], kind: Kind) -> bool:
    """Tell whether a decorator gives values of its impl's ``kind``, and takes no others."""
    return _comes_back(type_, kind, _sample(kind)) and (
        isinstance(kind, Json) or not any(_comes_back(type_, kind, other) for other in OTHERS)
    )


def _comes_back(type_: TypeEngine[Any], kind: Kind, value: Any) -> bool:
    """Tell whether a value is stored as a value of a kind, and read back unchanged."""
    dialect = DefaultDialect()
    bind, undo = type_.bind_processor(dialect), type_.result_processor(dialect, None)
    try:
        bound = value if bind is None else bind(value)
        again = bound if undo is None else undo(bound)
        kind.write(bound)
        return type(again) is type(value) and bool(again == value)
    except Exception:  # a type of the application's own may raise anything
        return False


def is_steady(type_: TypeEngine[Any], kind: Kind) -> bool:
    """Tell whether a decorator stores a value of a kind as the same each time."""
    bind = type_.bind_processor(DefaultDialect())
    try:
        return bind is None or bool(bind(_sample(kind)) == bind(_sample(kind)))
    except Exception:  # a type of the application's own may refuse the sample
        return True


def _sample(kind: Kind) -> Any:
    """Return a value of a kind."""
    if isinstance(kind, Choice):
        return next(iter(kind.members.values()), None)
    sample = next((SAMPLES[python] for python in _pythons(kind) if python in SAMPLES), OTHERS[0])
    if isinstance(kind, DateTime | Time) and kind.aware:
        return sample.replace(tzinfo=dt.UTC)
    return sample


def _pythons(kind: Kind) -> Iterator[type]:
    yield from kind.python if isinstance(kind.python, tuple) else (kind.python,)
