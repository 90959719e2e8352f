"""Records as lines of JSON, their keys as they are written, and their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lading.model.hidden import masked
from lading.model.rowsets import RowSet
from lading.records.layout import RecordLayout, WrittenKey
from lading.values.json_text import on_own_stack


def _text_of(written_key: Any) -> msgspec.Raw:
    if isinstance(written_key, WrittenKey):
        return written_key.text
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_text_of)


def encode_lines(records: Sequence[Any]) -> list[bytes]:
    """Return each record's canonical JSON text; JSON escapes newlines, so they can separate."""
    text = on_own_stack(_encoder.encode_lines, records)
    return text.split(b"\n")[:-1] if text else []


def portable_key(rows: RowSet, data: Any) -> Any:
    """Return the parts of a record's natural key that can be read, or ``None``."""
    if not isinstance(data, dict):
        return None
    key = {name: data[name] for name in rows.key_names if name in data}
    return masked(rows.key, key) or None


def without_ids(layout: RecordLayout, data: Any) -> Any:
    """Take out the surrogate ids that ``include_ids`` added."""
    if not isinstance(data, dict):
        return data
    without = {name: value for name, value in data.items() if name not in layout.ids}
    for child in layout.rows.children:
        items = without.get(child.written)
        if isinstance(items, list):
            nested = layout.children[child.name]
            without[child.written] = [without_ids(nested, record) for record in items]
    return without
