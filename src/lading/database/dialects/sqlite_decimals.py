"""Decimals that SQLite keeps as doubles: which are refused, and how they are read."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy.sql import sqltypes

from lading.database.dialects.written_values import refusing_kind
from lading.values.scalars import Number, exact_double, plain_digits


class Unscaled(ValueError):
    """SQLite holds a double with more digits than its decimal column's scale.

    SQLAlchemy would round it as it reads it.
    """


def is_decimal(type_: Any) -> bool:
    """Tell whether a type is one of decimals, which SQLite keeps as doubles."""
    return isinstance(type_, sqltypes.Numeric) and not isinstance(type_, sqltypes.Float)


def is_rounded(type_: Any) -> bool:
    """Tell whether SQLAlchemy rounds a type's doubles to a scale as it reads them."""
    return is_decimal(type_) and bool(type_.asdecimal) and type_.scale is not None


def finite(double: float) -> float:
    """Refuse infinities and NaN."""
    if not math.isfinite(double):
        raise ValueError(f"{double} can't be stored by SQLite, which keeps decimals as doubles")
    return double


def as_double(value: Any) -> Any:
    """Return a number as the double that SQLite compares it as."""
    return float(value) if type(value) in (int, float) else value


def finer_than(scale: int) -> Callable[[Any], bool]:
    """Return a function that tells whether a double has more digits than a scale."""
    form = f"%.{scale}f"

    def is_finer(raw: Any) -> bool:
        return type(raw) is float and math.isfinite(raw) and float(form % raw) != raw

    return is_finer


def scaled_double(scale: int, *, rounds: bool = False) -> Callable[[Any], Any]:
    """Return a function that refuses or rounds doubles with more digits, before a decorator."""
    read = decimal_reader(Number(scale=scale), rounds=rounds)

    def load(raw: Any) -> Any:
        if type(raw) is not float or not math.isfinite(raw):
            return raw
        return float(read(raw))

    return load


def decimal_reader(
    kind: Number,
    *,
    rounds: bool = False,
    refusal: type[ValueError] = Unscaled,
) -> Callable[[Any], str]:
    """Read a decimal that SQLite keeps as a double.

    One that its scaled text would change is refused, or, with ``rounds``, written as that text.
    """
    form = None if kind.scale is None else f"%.{kind.scale}f"
    usual = 10**9 if kind.precision is None else kind.precision + 1
    fail = refusing_kind(kind)
    isfinite = math.isfinite

    def read(raw: Any) -> str:
        if type(raw) is float and form is not None and isfinite(raw):
            text = form % raw
            if float(text) != raw:
                if not rounds:
                    raise refusal(
                        f"the database holds {raw!r}, which is not {text} "
                        f"(its column has {kind.scale} decimal places)"
                    )
                return kind.write(Decimal(text))
            return text if len(text) <= usual and raw else kind.write(Decimal(text))
        if type(raw) is int:
            exact_double(raw)
            return kind.write(Decimal(raw))
        if type(raw) is float and math.isfinite(raw):
            return kind.write(Decimal(repr(raw)))
        if type(raw) is str and Decimal(raw).is_finite():
            return kind.write(kind.read(plain_digits(Decimal(raw))))
        return str(fail(raw))

    return read
