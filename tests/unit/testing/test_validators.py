"""What is known of a field's validators before a value is asked of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from marshmallow import fields, validate

from lading.testing.cell_values.sampling import sampled
from lading.testing.cell_values.validators import Demands, demands_of, matching


@pytest.mark.parametrize(
    ("validators", "wanted"),
    [
        ([], {}),
        ([validate.Range(min=1), validate.Range(min=3, max=9)], {"least": 3, "most": 9}),
        ([validate.And(validate.Range(max=3), validate.Range(max=2))], {"most": 2}),
        ([validate.Length(min=2), validate.Length(max=5)], {"shortest": 2, "longest": 5}),
        ([validate.Length(equal=4)], {"shortest": 4, "longest": 4}),
        ([validate.OneOf([1, 2]), validate.Equal(2)], {"choices": [2]}),
        ([validate.OneOf({"a": 1})], {"choices": ["a"]}),
        ([validate.ContainsOnly("xy")], {"parts": ["x", "y"]}),
        ([validate.Regexp("a+")], {"patterns": [re.compile("a+")]}),
        ([lambda value: None, validate.NoneOf([1])], {}),
    ],
)
def test_demands_are_joined(validators: Any, wanted: Any) -> None:
    """Bounds and lengths are the narrowest, choices those that all validators name."""
    assert demands_of(fields.Raw(validate=validators)) == Demands(**wanted)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (r"^[a-z]+-\d{4}$", 0),
        (r"ab|c", 0),
        (r"x  # a comment", re.VERBOSE),
        (r"(?i)kg", 0),
        (r"(\w)\1", 0),
        (r"\u00e9+", 0),
        (r"[^ -~]", 0),
        (r"", 0),
    ],
)
def test_texts_match_from_their_start(pattern: str, flags: int, plain: bool) -> None:
    """As ``re.match`` has it; plain ones are ASCII where that can be."""
    compiled = re.compile(pattern, flags)
    texts = sampled(matching(compiled, plain=plain), 50)
    assert texts
    assert all(compiled.match(text) for text in texts)
    if plain and compiled.match("ab-1234") is None and compiled.match("kg xx") is None:
        return
    assert not plain or all(text.isascii() and text.isprintable() for text in texts)


def test_a_strategy_without_values_gives_none() -> None:
    """Which its column's error tells."""
    assert sampled(matching(re.compile(r"a(?!a)a"), plain=True), 10) == []
