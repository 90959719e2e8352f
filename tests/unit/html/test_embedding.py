"""Values in a page's JSON: nothing is altered by JavaScript, and nothing ends the script."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lading.html.embedding import DEEPEST, LONGEST_TEXT, MOST_ELEMENTS, embedded, json_block
from lading.model.hidden import HIDDEN


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, {"$n": "9007199254740992"}),
        (-(2**63), {"$n": "-9223372036854775808"}),
        (1.0, {"$n": "1.0"}),
        (1e22, {"$n": "1e+22"}),
        (True, True),
        (None, None),
        ({"b": 1, "a": 2}, {"b": 1, "a": 2}),
        ({"10": 1, "9": 2}, {"$o": [("10", 1), ("9", 2)], "n": 2}),
        ({"$n": "1"}, {"$o": [("$n", "1")], "n": 1}),
        ({"__proto__": 1}, {"$o": [("__proto__", 1)], "n": 1}),
        ("x" * LONGEST_TEXT, "x" * LONGEST_TEXT),
        ("x" * (LONGEST_TEXT + 1), {"$t": "x" * LONGEST_TEXT, "n": LONGEST_TEXT + 1}),
        ([0] * (MOST_ELEMENTS + 1), {"$l": [0] * MOST_ELEMENTS, "n": MOST_ELEMENTS + 1}),
        (HIDDEN, "<hidden>"),
    ],
)
def test_what_javascript_would_alter_or_nobody_reads_is_marked(value: Any, expected: Any) -> None:
    """Numbers keep their text, objects their order, and what is cut says its length."""
    assert embedded(value) == expected
    assert type(embedded(value)) is type(expected)


def test_what_nests_deep_is_cut() -> None:
    """Whatever the depth of the value."""
    value: Any = 1
    for _ in range(DEEPEST + 500):
        value = [value]
    text = json.dumps(embedded(value))
    assert text.count("[") == DEEPEST
    assert '{"$d": 24}' in text


def test_large_objects_are_cut() -> None:
    """And say how many names they have."""
    cut = embedded({f"n{number}": number for number in range(300)})
    assert (len(cut["$o"]), cut["n"]) == (MOST_ELEMENTS, 300)


def test_no_text_ends_the_script_that_holds_it() -> None:
    """And JSON stays JSON."""
    data = {"<!--": "</script> ]]> & \N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR} \0 é"}
    block = json_block(data)
    assert not set("<>&\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\0") & set(block)
    assert json.loads(block) == data


def test_what_is_no_json_is_not_embedded() -> None:
    """Only names may be strings of a class of SQLAlchemy's."""
    with pytest.raises(NotImplementedError):
        json_block({"a": object()})
