"""What fits a column: values pass as they are, or are refused with what the column holds."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lading.database.dialects.limits import (
    between,
    byte_check,
    canonical_uuid,
    exact_as_double,
    exactly,
    in_precision,
    integer_range,
    longest,
    longest_bytes,
    one_of,
    shortest,
    shortest_limit,
    single_precision,
    text_limit,
    unblanked,
    whole,
    without_nul,
)

UUID = "01234567-89ab-cdef-0123-456789abcdef"
NOON = "2025-01-31T12:00:00"


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (longest(3), "日😀é"),
        (longest_bytes(3), b"abc"),
        (byte_check(sa.LargeBinary(3)), b"abc"),
        (byte_check(sa.LargeBinary()), b"x" * 1_000),
        (exactly(3), "abc"),
        (one_of(["a", "b"]), "b"),
        (canonical_uuid, UUID),
        (without_nul("PostgreSQL"), "a\x01b"),
        (between(-2, 5), -2),
        (between(-2, 5), 5),
        (single_precision, 0.5),
        (single_precision, 3.4028235e38),
        (single_precision, float("inf")),
        (single_precision, 1e-45),
        (in_precision(None), f"{NOON}.123456"),
        (in_precision(3), f"{NOON}.123000"),
        (in_precision(3), f"{NOON}.123000Z"),
        (in_precision(0), NOON),
        (in_precision(0), "12:00:00.000000+02:00"),
        (unblanked, " a"),
    ],
)
def test_what_fits_passes_as_it_is(check: Any, value: Any) -> None:
    """Up to the very bound."""
    assert check(value) == value
    assert type(check(value)) is type(value)


@pytest.mark.parametrize(
    ("check", "value", "problem"),
    [
        (longest(3), "abcd", "'abcd' has 4 characters, its column holds 3"),
        (longest_bytes(3), b"abcd", "4 bytes are too many, its column holds 3"),
        (byte_check(sa.LargeBinary(3)), b"abcd", "4 bytes are too many"),
        (exactly(3), "ab", "'ab' would be padded to 3 characters with blanks"),
        (exactly(3), "abcd", "has 4 characters"),
        (one_of(["a", "b"]), "A", "'A' isn't a label of its column: a, b"),
        (canonical_uuid, UUID.upper(), "is not a uuid in lower case with dashes"),
        (canonical_uuid, UUID.replace("-", ""), "is not a uuid"),
        (canonical_uuid, UUID + "\n", "is not a uuid"),
        (without_nul("PostgreSQL"), "a\x00b", "holds a NUL character, which PostgreSQL can't"),
        (between(-2, 5), 6, "6 is outside -2 to 5, which its column holds"),
        (between(-2, 5), -3, "-3 is outside"),
        (single_precision, 0.1 + 0.2, "changes in a single-precision column"),
        (single_precision, 1e39, "1e+39 changes in a single-precision column"),
        (single_precision, 1e-46, "changes in a single-precision column"),
        (in_precision(3), f"{NOON}.123400", "finer fraction than its column holds (3)"),
        (in_precision(0), "12:00:00.5", "finer fraction than its column holds (0)"),
        (unblanked, "a ", "whose trailing blanks the model's CHAR would lose"),
        (unblanked, 5, "the database holds 5"),
    ],
)
def test_what_does_not_fit_is_a_value_error(check: Any, value: Any, problem: str) -> None:
    """Which says what the column holds."""
    with pytest.raises(ValueError) as caught:
        check(value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("check", "number", "driver"),
    [
        (whole(-5, 5), "5", 5),
        (whole(-5, 5), "-5.00", -5),
        (exact_as_double(single=False), "0.1", 0.1),
        (exact_as_double(single=False), "1E+300", 1e300),
        (exact_as_double(single=True), "0.25", 0.25),
    ],
)
def test_a_decimal_becomes_what_its_column_keeps(check: Any, number: str, driver: Any) -> None:
    """An integer or a double that says the same."""
    assert check(Decimal(number)) == driver
    assert type(check(Decimal(number))) is type(driver)


@pytest.mark.parametrize(
    ("check", "number", "problem"),
    [
        (whole(-5, 5), "0.5", "0.5 is not whole, and its column holds integers"),
        (whole(-5, 5), "Infinity", "Infinity is not whole"),
        (whole(-5, 5), "NaN", "NaN is not whole"),
        (whole(-5, 5), "6", "6 is outside -5 to 5"),
        (exact_as_double(single=False), "0.12345678901234567891", "in a column of doubles"),
        (exact_as_double(single=True), "0.123456789", "in a single-precision column"),
    ],
)
def test_a_decimal_that_its_column_would_round_is_refused(
    check: Any, number: str, problem: str
) -> None:
    """Never rounded."""
    with pytest.raises(ValueError, match=problem):
        check(Decimal(number))


@pytest.mark.parametrize("number", [0.1, 1e-45, 1.4e-44, 3.4028235e38, 16777216.0, -7.5e-9, 0.0])
def test_the_shortest_text_of_a_float_is_the_float(number: float) -> None:
    """Of four bytes: no other text of as few digits stands for it."""
    assert shortest(struct.pack("f", number)) == number


@pytest.mark.parametrize(
    ("type_", "widest", "bits"),
    [
        (sa.SmallInteger(), False, 15),
        (sa.Integer(), False, 31),
        (sa.BigInteger(), False, 63),
        (sa.SmallInteger(), True, 63),
    ],
    ids=repr,
)
def test_integers_have_a_range(type_: Any, widest: bool, bits: int) -> None:
    """Of their bytes, or of eight."""
    assert integer_range(type_, widest=widest) == (-(2**bits), 2**bits - 1)


def test_only_texts_have_a_limit_of_characters() -> None:
    """Bytes have one of bytes; the least of several limits counts."""
    assert text_limit(sa.String(5)) == 5
    assert text_limit(sa.Text()) is None
    assert text_limit(sa.LargeBinary(5)) is None
    assert shortest_limit(None, 5, 3) == 3
    assert shortest_limit(None, None) is None
