"""What JSON makes of an application's own values, and what it has no form of."""

from __future__ import annotations

import datetime as dt
import enum
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from lading.values.json_text import DEEPEST_RECORD
from lading.values.plain_json import plain_json, wide_integer


class Colour(enum.Enum):
    red = "r"


class Name(str):  # noqa: SLOT000
    """A text of an application's own."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.red, "r"),
        ({"b": (1, Colour.red), "a": None}, {"a": None, "b": [1, "r"]}),
        ({7: True}, {"7": True}),
        ({Name("a"): Name("b")}, {"a": "b"}),
        (Decimal("1.50"), "1.50"),
        (dt.date(2025, 12, 24), "2025-12-24"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\xff", "/w=="),
        (2.5, 2.5),
    ],
)
def test_what_has_one_text_becomes_that(value: Any, plain: Any) -> None:
    """Tuples become lists, enums their values, integers as keys their digits."""
    written = plain_json(value)
    assert written == plain
    assert type(written) is type(plain)


def test_keys_are_sorted_unless_their_order_matters() -> None:
    """The order of a record's fields is the schema's."""
    assert list(plain_json({"b": 1, "a": 2})) == ["a", "b"]
    assert list(plain_json({"b": 1, "a": 2}, sort=False)) == ["b", "a"]


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.inf, "inf isn't a JSON number"),
        ([math.nan], "nan isn't a JSON number"),
        ({1, 2}, "{1, 2} isn't a JSON value"),
        ({1: "a", "1": "b"}, "{1: 'a', '1': 'b'} has two keys that are one in JSON"),
        ({1.5: "a"}, "1.5 isn't a key of a JSON object (a string)"),
        ({True: "a"}, "True isn't a key of a JSON object (a string)"),
        (_nested(DEEPEST_RECORD + 1), f"it is nested more than {DEEPEST_RECORD} levels deep"),
    ],
)
def test_what_json_has_no_form_of_is_refused(value: Any, message: str) -> None:
    """Nothing is turned into a text that would be read as something else."""
    with pytest.raises(ValueError) as caught:
        plain_json(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "is_wide"),
    [(2**64, True), ([{"a": [-(2**63) - 1]}], True), ([2**64 - 1, {"a": -(2**63)}, 1e30], False)],
)
def test_integers_beyond_64_bits_are_found_at_any_depth(value: Any, is_wide: bool) -> None:
    """A fast decoder reads none."""
    assert wide_integer(value) is is_wide
