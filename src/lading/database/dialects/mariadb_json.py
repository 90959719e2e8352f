"""How deeply MariaDB lets JSON nest."""

from __future__ import annotations

from typing import Any

from lading.database.dialects.limits import unstorable
from lading.values.json_text import on_own_stack, parse_json

#: JSON_VALID, which every JSON column is checked by, refuses what is nested deeper.
JSON_DEPTH = 31


def valid_json(text: str) -> str:
    """Refuse a serializer's text that the server's own check of JSON columns refuses."""
    if on_own_stack(depth_of, parse_json(text)) > JSON_DEPTH:
        raise unstorable(f"it is nested deeper than the {JSON_DEPTH} levels MariaDB allows")
    return text


def depth_of(value: Any) -> int:
    """Return how deeply a JSON value is nested."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth_of, items), default=0)
    return 0
