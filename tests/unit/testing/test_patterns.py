"""Texts that a pattern matches, which a field's validators ask for."""

from __future__ import annotations

import re

import pytest

from lading.testing.cell_values.drawn import matching
from lading.testing.cell_values.harmless import sampled


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
