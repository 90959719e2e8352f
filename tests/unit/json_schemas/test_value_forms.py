"""JSON Schemas of values, by shapes alone."""

from __future__ import annotations

from typing import Any

import pytest

from lading.changes.rewriting.shapes import Shapes
from lading.json_schemas.records import record_schema
from lading.json_schemas.value_forms import nullable, value_schema


@pytest.mark.parametrize(
    ("inner", "schema"),
    [
        ({"type": "integer", "constraints": {"choices": [1, 2]}}, {"enum": [1, 2]}),
        ({"type": "string", "constraints": {"field": "Email"}}, {"type": "string"}),
        ({"type": "string", "constraints": {"field": "Integer"}}, {}),
        ({"type": "string", "constraints": {"field": "Money"}}, {}),
        ({"type": "decimal", "constraints": {"field": "String"}}, {}),
        ({"type": "unknown"}, {}),
        ({"type": "json"}, {"not": {"type": "null"}}),
        ({"type": "json", "nullable": True}, {}),
    ],
)
def test_a_value_s_schema_says_what_is_known(inner: dict[str, Any], schema: dict[str, Any]) -> None:
    """A field of an application's own writes what only it knows, which any value may be."""
    found = value_schema(inner)
    assert schema.items() <= found.items()
    assert bool(found) == bool(schema)


def test_any_value_may_be_null_already() -> None:
    """And what lists its values lists null beside them."""
    assert nullable({}) == {}
    assert nullable({"type": "string"}) == {"type": ["string", "null"]}
    assert nullable({"type": "integer", "enum": [1]}) == {
        "anyOf": [{"type": "integer", "enum": [1]}, {"type": "null"}]
    }


def test_a_reference_to_what_a_bundle_lacks_may_have_any_key() -> None:
    """A partial bundle says nothing of the entity's shape."""
    fields = {"to": {"type": "reference", "entity": "gone", "nullable": False}}
    shapes = Shapes({"a": {"fields": fields, "key": ["to"]}}, {})
    assert record_schema(shapes, "a", 1)["properties"]["to"] == {}
