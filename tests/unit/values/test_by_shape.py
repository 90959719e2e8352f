"""Kinds of shapes: each says of itself what the shape said."""

from __future__ import annotations

from typing import Any

import pytest

from lading.values.arrays import Array, LabelSet
from lading.values.by_shape import ANY, kind_of_shape
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Choice, Float, Integer, Json, Number, Text, Uuid

KINDS: list[Any] = [
    Text(),
    Integer(),
    Boolean(),
    Float(),
    Number(8, 2),
    Number(),
    Uuid(),
    Bytes(),
    Choice({"small": 1, "large": 2}),
    Json(),
    Date(),
    Time(),
    Time(aware=True),
    DateTime(),
    DateTime(aware=True),
    Interval(),
    Array(Number(5, 1), 2),
    Array(Json()),
    LabelSet(("a", "b")),
]


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_a_kind_comes_back_from_its_shape(kind: Any) -> None:
    """With all that its written form depends on."""
    again = kind_of_shape(kind.shape())
    assert type(again) is type(kind)
    assert again.shape() == kind.shape()


def test_an_unknown_type_may_be_anything() -> None:
    """Its values stay as they are; what lists and objects are told apart by is their text."""
    assert kind_of_shape({"type": "custom"}) is ANY
    assert kind_of_shape({"type": "colour"}) is ANY
    for written in (1, "a", None, [1, {"b": 2, "a": 1}]):
        assert ANY.write(ANY.read(written)) == written
    assert ANY.canonical({"b": 2, "a": 1}) == '{"a":1,"b":2}'
    assert ANY.canonical("a") == "a"
    assert ANY.order(2) == b"2"
