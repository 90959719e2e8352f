"""Columns of a scratch database that keep written forms, as JSON text, whatever the model says."""

from __future__ import annotations

from typing import Any

from lading.codegen import Expression, calling
from lading.values.base import Kind
from lading.values.json_text import json_text, parse_json


def read_written(kind: Kind) -> Expression:
    """Return the expression from a column's text to a written form."""
    if kind.is_json:
        return calling(lambda text: json_text(parse_json(text)))
    return calling(parse_json)


def bind_written(kind: Kind) -> Expression:
    """Return the expression from a canonical written form to a column's text."""

    def bind(written: Any) -> str:
        plain = parse_json(written) if kind.is_json else written
        return json_text(kind.canonical(plain)).decode()

    return calling(bind)
