"""Integers, decimals and floats: plain ones, the ends of ranges, and what is rounded."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from lading.samples.supply import Facts, Supply, stepped

#: The sizes of integers that engines have, in bits, and of exact integers in a double.
BITS = (7, 8, 15, 16, 23, 24, 31, 32, 53, 63, 64)
#: Integers at and beside the ends of every engine's ranges.
NEAR_ENDS = tuple(sign * 2**bits + more for bits in BITS for sign in (1, -1) for more in (-1, 0, 1))
#: A decimal column with more digits before the point than this counts in whole numbers.
FEW_DIGITS = 3
#: The digits that plain decimals have at most: a single-precision column keeps them too.
PLAIN_DIGITS = 6
#: What columns without digits of their own are given.
DIGITS, SCALE = 20, 6
#: The digits that a double keeps, as SQLite stores decimals.
DOUBLE_DIGITS = 15

FLOATS = (
    *(0.0, 1.0, 0.5, -1.5, -0.0, 0.1, 1 / 3, 1.005, 123456.789, 1e-7, 1e15, 1e16, 1e17, 1e22),
    *(16777216.0, 16777217.0, 2.0**53, 2.0**53 + 2, 3.4028234663852886e38, 3.5e38, 1.17549435e-38),
    *(1e300, 1.7976931348623157e308, 2.2250738585072014e-308, 5e-324, -1e300),
    *(math.inf, -math.inf, math.nan),
)


def integer_supply(facts: Facts) -> Supply:
    """Return integers at and inside the ends of every engine's ranges."""
    numbers = [number for number in (0, *NEAR_ENDS) if facts.everywhere(number)] or [0, 100]
    counting = stepped(facts, 1, 1, max(1, *numbers))
    edges = [*counting.edges, *(0, 1, -1, 2, 10, 100), *NEAR_ENDS]
    return replace(counting, edges=edges, worst=(0, 1, -1))


def decimal_supply(facts: Facts, precision: int | None, scale: int | None) -> Supply:
    """Return decimals with all of a column's digits, and with more than a double keeps."""
    places = SCALE if scale is None else scale
    digits = max(DIGITS if precision is None else precision, 1)
    counting = _plain_decimals(facts, digits, places if scale is not None else 0)
    full = 10**digits - 1
    numbers = [0, 1, -1, full, -full, full // 3, -(full // 7), 10 ** (digits // 2), 5, 10**15 + 1]
    edges = [scaled(number, places) for number in numbers if abs(number) <= full]
    edges += [Decimal("-0"), Decimal("0.1"), Decimal("1.005"), Decimal(1), Decimal("1e3")]
    edges += [Decimal(word) for word in ("NaN", "Infinity", "-Infinity")]
    fullest = scaled(10 ** min(digits, DOUBLE_DIGITS) - 1, places)
    bound = decimal_bounds(facts).most
    return replace(
        counting,
        edges=[*counting.edges, *edges],
        worst=[scaled(number, places) for number in (0, 1, full) if number <= full],
        fullest=fullest if bound is None else min(bound, fullest),
    )


def scaled(number: int, places: int) -> Decimal:
    """Return a number of units of the last place; exactly, whatever the context's precision."""
    return Decimal(f"{number}e{-places}")


def _plain_decimals(facts: Facts, digits: int, places: int) -> Supply:
    bounded = decimal_bounds(facts)
    if digits - places < FEW_DIGITS:
        unit = scaled(1, places)
        return stepped(bounded, unit, unit, 10 ** min(digits, PLAIN_DIGITS) - 1)
    span = 10 ** min(digits - places, PLAIN_DIGITS) - 1
    quarter = Decimal("1.25") if places > 1 else Decimal("1.5") if places else Decimal(1)
    first = quarter if facts.everywhere(quarter) else Decimal(1)
    return stepped(bounded, first, Decimal(1), span)


def decimal_bounds(facts: Facts) -> Facts:
    """Return the facts with bounds that decimals can be counted from."""
    ends = [None if end is None else Decimal(str(end)) for end in (facts.least, facts.most)]
    return replace(facts, least=ends[0], most=ends[1])


def float_supply(facts: Facts) -> Supply:
    """Return doubles, those that single precision keeps, and words."""
    counting = stepped(facts, 1.5, 1.0, 10**PLAIN_DIGITS)
    return replace(counting, edges=[*counting.edges, *FLOATS], worst=(0.0, 0.1, -1.5))
