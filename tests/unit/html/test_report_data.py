"""What a page says of fields, by shapes alone, and which references it follows."""

from __future__ import annotations

from typing import Any

from lading.html.record_links import references_of_record
from lading.html.report_data import field_lines
from support.shop import shop


def test_each_field_has_its_type_and_notes() -> None:
    """Names of enumerations, what lists hold, and the classes that have the field."""
    shape: dict[str, Any] = {
        "key": ["slug"],
        "hidden": ["lines.pin"],
        "fields": {
            "slug": {"type": "string"},
            "size": {"type": "enum", "names": ["small", "large"], "classes": ["cat", None]},
            "tags": {"type": "array", "items": {"type": "decimal", "scale": 2}, "nullable": True},
            "lines": {"type": "owned", "order": "sequence", "fields": {"pin": {"type": "string"}}},
        },
    }
    assert list(field_lines(shape)) == [
        (0, "slug", "string", "key"),
        (0, "size", "enum (small | large)", "of cat, None"),
        (0, "tags", "array of decimal (scale 2)", "nullable"),
        (0, "lines", "owned records, a sequence", ""),
        (1, "pin", "string", "hidden"),
    ]


def test_what_is_no_record_and_no_key_is_not_followed() -> None:
    """A page of a broken bundle shows it, and leads nowhere."""
    rows = shop().catalog.use()["products"]
    record = {"supplier": 5, "aisle": None, "tags": 5, "parts": [7, {"maker": {"slug": "mill"}}]}
    assert [path for path, _, _ in references_of_record(rows, record)] == [("parts", 1, "maker")]
