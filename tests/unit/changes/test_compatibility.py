"""Whether a field takes more values than before, or fewer, or is another."""

from __future__ import annotations

from typing import Any

import pytest

from lading.changes.compatibility import NARROWER, WIDER, compared, constraint_ways, type_ways

SAME: set[str] = set()
BOTH = {WIDER, NARROWER}


@pytest.mark.parametrize(
    ("name", "before", "after", "ways"),
    [
        ("longest", 5, 5, SAME),
        ("longest", 5, 6, {WIDER}),
        ("longest", 6, 5, {NARROWER}),
        ("longest", 5, None, {WIDER}),
        ("longest", None, 5, {NARROWER}),
        ("most", "9", "10", {WIDER}),
        ("most", "2025-01-02", "2025-01-01", {NARROWER}),
        ("least", 5, 4, {WIDER}),
        ("least", 4, 5, {NARROWER}),
        ("least", None, 4, {NARROWER}),
        ("least", 4, None, {WIDER}),
        ("shortest", 1, 1, SAME),
        ("choices", ["a"], ["a", "b"], {WIDER}),
        ("choices", ["a", "b"], ["b"], {NARROWER}),
        ("choices", ["a", "b"], ["b", "c"], BOTH),
        ("choices", ["a", "b"], ["b", "a"], SAME),
        ("choices", None, ["a"], {NARROWER}),
        ("choices", ["a"], None, {WIDER}),
        ("patterns", ["a"], ["a", "b"], {NARROWER}),
        ("patterns", ["a", "b"], ["a"], {WIDER}),
        ("patterns", None, ["a"], {NARROWER}),
        ("never", [0], None, {WIDER}),
        ("whole", None, True, {NARROWER}),
        ("whole", True, None, {WIDER}),
        ("whole", True, True, SAME),
        ("whole", "a", "b", {NARROWER}),
    ],
)
def test_a_limit_becomes_wider_or_narrower(
    name: str, before: Any, after: Any, ways: set[str]
) -> None:
    """Numbers by value, whatever form they are written in; without a limit anything goes."""

    def shape(limit: Any) -> dict[str, Any]:
        return {"type": "string", "constraints": {} if limit is None else {name: limit}}

    assert constraint_ways(shape(before), shape(after)) == ways


def test_several_limits_add_up() -> None:
    """A field may take others than before."""
    before = {"constraints": {"longest": 5, "shortest": 2}}
    after = {"constraints": {"longest": 6, "shortest": 3}}
    assert constraint_ways(before, after) == BOTH
    assert constraint_ways({}, {}) == SAME


def decimal(precision: int | None, scale: int | None) -> dict[str, Any]:
    """Return the shape of a decimal."""
    return {"type": "decimal", "precision": precision, "scale": scale}


def array(items: dict[str, Any], dimensions: int | None = 1) -> dict[str, Any]:
    """Return the shape of an array."""
    return {"type": "array", "items": items, "dimensions": dimensions}


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("before", "after", "ways"),
    [
        (STRING, STRING, SAME),
        (STRING, INTEGER, None),
        (STRING, {**STRING, "stored": True}, None),
        (STRING, {**STRING, "nullable": True, "constraints": {"longest": 5}}, SAME),
        ({"type": "datetime", "aware": True}, {"type": "datetime", "aware": False}, None),
        (decimal(6, 2), {**decimal(6, 2), "stored": True}, None),
        (decimal(6, 2), decimal(8, 2), {WIDER}),
        (decimal(6, 2), decimal(6, 3), BOTH),
        (decimal(6, 2), decimal(7, 3), {WIDER}),
        (decimal(6, 2), decimal(5, 1), {NARROWER}),
        (decimal(6, 2), decimal(None, None), {WIDER}),
        (decimal(None, None), decimal(6, 2), {NARROWER}),
        ({"type": "enum", "names": ["a"]}, {"type": "enum", "names": ["a", "b"]}, {WIDER}),
        ({"type": "set", "names": ["a", "b"]}, {"type": "set", "names": ["a"]}, {NARROWER}),
        (array(STRING), array(STRING), SAME),
        (array(STRING), array(INTEGER), None),
        (array(decimal(6, 2)), array(decimal(8, 2)), {WIDER}),
        (array(STRING), array(STRING, None), {WIDER}),
    ],
)
def test_a_type_is_the_same_another_or_has_other_limits(
    before: dict[str, Any], after: dict[str, Any], ways: set[str] | None
) -> None:
    """What a type says of itself counts, and not what is said of the field."""
    assert type_ways(before, after) == ways


def test_bounds_compare_by_value() -> None:
    """Texts that are no numbers as texts, behind all numbers."""
    assert sorted(["b", "10", 9, "a", "-1"], key=compared) == ["-1", 9, "10", "a", "b"]
