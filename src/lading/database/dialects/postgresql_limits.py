"""What PostgreSQL's real columns keep as it is; the server would round, cut or pad the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from math import isnan
from typing import Any

from lading.database.dialects.limits import (
    between,
    exact_as_double,
    exactly,
    in_precision,
    longest,
    one_of,
    single_precision,
    whole,
    without_nul,
)
from lading.database.dialects.postgresql_columns import PostgreSQLColumn
from lading.database.dialects.postgresql_text import interval_limit, interval_text
from lading.model.rowsets import Column
from lading.values.scalars import Number

Check = Callable[[Any], Any]
AWARE, NAIVE = "timestamp with time zone", "timestamp without time zone"


def misfit(declared: PostgreSQLColumn, real: PostgreSQLColumn) -> str | None:
    """Say why a real column can't hold what a model declares at all, or ``None``."""
    if is_fit(declared, real):
        return None
    problem = f"its column is {real.text} in the database, and {declared.text} in the model"
    if declared.type == NAIVE and real.type == AWARE:
        return f"{problem}, which has no zone; the column's values are aware datetimes"
    if declared.type == AWARE and real.type == NAIVE:
        return f"{problem}; the column's values have no zone"
    if declared.labels is not None and real.labels is not None:
        return f"{problem} with none of its labels ({', '.join(declared.labels)})"
    return problem


def is_fit(declared: PostgreSQLColumn, real: PostgreSQLColumn) -> bool:
    """Tell whether a real column holds values that a model declares, some at least."""
    wanted, family = declared.family, real.family
    if wanted is None:
        return True  # only the application knows
    if declared.item is not None and real.item is not None:
        return is_fit(declared.item, real.item)
    if declared.labels is not None and real.labels is not None:
        return not declared.labels or not set(declared.labels).isdisjoint(real.labels)
    if wanted == "numeric":
        return family in ("numeric", "integer", "float")
    return wanted == family or {wanted, family} == {"text", "enum"}


def driver_checks(real: PostgreSQLColumn) -> dict[type, Check]:
    """Return a column's checks of driver values by their type; they give what is to be written."""
    checks: dict[type, Check] = {str: text_check(real)}
    number = number_check(real)
    if number is not None:
        checks |= {
            Decimal: number,
            int: lambda value: number(Decimal(value)) and value,
            float: lambda value: number(Decimal(repr(value))) and value,
        }
    if real.range is not None:
        checks[int] = between(*real.range)
    if real.family == "float":
        checks.pop(int)
        checks.pop(float)
    if real.type == "real":
        checks[float] = single_precision
    if real.type in (AWARE, NAIVE) or real.type.startswith("time "):
        checks[dt.datetime] = checks[dt.time] = moment_check(real)
    if real.type == "interval":
        fits = interval_limit(real.fields, real.precision)
        checks[dt.timedelta] = lambda length: interval_text(fits(length))
    return checks


def text_check(real: PostgreSQLColumn) -> Check:
    """Refuse a text that the server would cut or pad, or can't store."""
    if real.labels is not None:
        return one_of(real.labels)
    checks = [without_nul("PostgreSQL")]
    if real.length is not None:
        checks.append(exactly(real.length) if real.is_padded else longest(real.length))

    def check(text: str) -> str:
        for each in checks:
            each(text)
        return text

    return check


def number_check(real: PostgreSQLColumn) -> Check | None:
    """Refuse a decimal that the server would round; give what it takes for the others."""
    if real.range is not None:
        return whole(*real.range)
    if real.family == "float":
        return exact_as_double(single=real.type == "real")
    if real.type != "numeric" or real.precision is None:
        return None
    limits = Number(precision=real.precision, scale=real.scale)

    def check(number: Decimal) -> Decimal:
        if number.is_infinite():
            raise ValueError(f"{number} doesn't fit a column with a precision")
        limits.written(number)
        return number

    return check


def findable(column: Column, error: Callable[[str], ValueError] = ValueError) -> Check:
    """Refuse NaN where rows are found by it: in a primary key, or where others refer to it.

    The server takes it for equal to itself, but nothing else does.
    """
    if column.table is None:  # an array's items are in no key
        return lambda number: number
    name = f"{column.table.fullname}.{column.name}"
    keys = (key for table in column.table.metadata.tables.values() for key in table.foreign_keys)
    if not column.primary_key and all(key.target_fullname != name for key in keys):
        return lambda number: number

    def check(number: Any) -> Any:
        if isnan(number):
            raise error("NaN can't be in a key, for it equals nothing, not even itself")
        return number

    return check


def moment_check(real: PostgreSQLColumn) -> Check:
    """Refuse what the server would shift to another zone, or cut."""
    fits, is_aware = in_precision(real.precision), real.type.endswith("with time zone")

    def check(moment: Any) -> Any:
        if (moment.tzinfo is not None) != is_aware:
            raise ValueError(f"{moment} would be shifted: its column is {real.text}")
        fits(moment.isoformat())
        return moment

    return check
