"""JSON values and arrays: plain ones, deep and large ones, and what looks like something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lading.samples.supply import Facts, Supply
from lading.values.arrays import MOST_DIMENSIONS
from lading.values.scalars import JSON_KEY

#: Items of a large list.
MANY = 200
#: The levels of JSON that MariaDB takes.
JSON_DEPTH = 32

SCALARS = (
    *(0, "", True, False, None, 1, -1, "a", 0.5, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)),
    *(2**63, 2**64, 2**70 + 1, 10**22, -0.0, 1.0, 1e15, 1e16, 1e22, 1e-7, 0.1, 1e300, 5e-324),
    *("é", "e\u0301", "\u2028", "\U0001f35e", "null", "1", "1.0", "true", "\\u0000", '"', "\\"),
    *("\x01", "\0", "\uffff", "2024-02-29", "[]", "{}", "%s", ":x", " ", "a\n"),
)
KEYS = (
    *("a", "b", "B", "", "10", "2", "\xe9", "e\u0301", "\U0001f35e", "\uffff", JSON_KEY, "a b"),
    *("a.b", '"', "\\", "null", "\u2028", "%s", ":x", "'", "$", "__class__"),
)

#: What is altered most often; JSON's own null, which is taken for SQL's, nearly as often as the
#: others, of which most are false in Python.
WORST: tuple[Any, ...] = (*[sa.JSON.NULL] * 5, {JSON_KEY: None}, {"a": None}, {}, [], "", 0)


def json_supply(facts: Facts) -> Supply:
    """Return JSON values: scalars, its own null, nests and objects that look like wrappers."""
    full = {"empty": {}, "list": [1, "a", None, True, 2.5], "nested": {facts.word: 1}}
    edges = [*_documents(), *_lone(SCALARS)]
    return Supply(lambda n: {facts.word: n}, None, edges, WORST, {}, full)


def _lone(scalars: Sequence[Any]) -> list[Any]:
    """Return scalars as a column holds them alone: JSON's null has a name in SQLAlchemy."""
    return [sa.JSON.NULL if scalar is None else scalar for scalar in scalars]


def _documents() -> list[Any]:
    return [
        *({}, [], sa.JSON.NULL, {"a": None}, {"b": 1, "a": [True, 2.5, "x"]}, [None], [[], {}]),
        *({JSON_KEY: None}, {JSON_KEY: 1}, {JSON_KEY: {JSON_KEY: None}}, {JSON_KEY: {"a": 1}}),
        *({"a": {JSON_KEY: None}}, [{JSON_KEY: None}], {JSON_KEY: None, "a": 1}),
        *({"": 0}, {"b": 1, "B": 2, "a": 3, "10": 4, "2": 5}, {"é": 1, "e\u0301": 2}),
        *({"\uffff": 1, "\U0001f35e": 2}, {"a": -0.0}, {"a": 1e22, "b": 10**22}, [1.0, 1]),
        *({"a": "\0"}, {"a\0": 1}, [2**64, -(2**63) - 1], [1e-7, 1 / 3, 5e-324], list(range(MANY))),
        *(nested_json(depth) for depth in (5, JSON_DEPTH, JSON_DEPTH + 1, 60)),
    ]


def nested_json(depth: int) -> Any:
    """Return a JSON value of so many levels, lists and objects in turn."""
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


def array_supply(elements: Supply, dimensions: int | None, *, as_tuple: bool) -> Supply:
    """Return arrays of an item's values and nulls, as many dimensions as the column has.

    They are rectangular, for no other is an array.
    """
    depth = dimensions or 1
    make = tupled if as_tuple else list
    few = list(elements.edges)[: MANY // 2]
    plain_items = [elements.plain(n) for n in range(3)]
    edges: list[Any] = [[], *(shaped([value], [1] * depth) for value in few)]
    edges += [shaped(list(values), [1] * (depth - 1) + [len(values)]) for values in _groups(few)]
    edges += [shaped([None], [1] * depth), shaped([*plain_items, None], split(4, depth))]
    edges.append(shaped([elements.plain(n) for n in range(MANY)], split(MANY, depth)))
    if dimensions is None:
        edges += [shaped(plain_items[:1], [1] * levels) for levels in range(2, MOST_DIMENSIONS + 1)]
        edges.append(shaped([*plain_items, None], [2, 2]))
    fullest = [value for value in (elements.least, elements.fullest) if value is not None]
    return Supply(
        lambda n: make(shaped([elements.plain(n)], [1] * depth)),
        elements.count,
        [make(edge) for edge in edges],
        (),
        make([]),
        make(shaped(fullest or plain_items, [1] * (depth - 1) + [len(fullest or plain_items)])),
    )


def _groups(values: list[Any]) -> list[list[Any]]:
    return [values[start : start + 3] for start in range(0, len(values), 3)]


def split(count: int, depth: int) -> list[int]:
    """Return the lengths of each level of an array of so many items."""
    return [count] if depth == 1 else [2, *[1] * (depth - 2), count // 2]


def shaped(items: list[Any], lengths: list[int]) -> list[Any]:
    """Arrange a list's items in nested lists of these lengths."""
    if len(lengths) == 1:
        return items
    size = len(items) // lengths[0]
    return [
        shaped(items[start : start + size], lengths[1:]) for start in range(0, len(items), size)
    ]


def tupled(value: Any) -> Any:
    """Return nested lists as nested tuples."""
    return tuple(map(tupled, value)) if isinstance(value, list) else value
