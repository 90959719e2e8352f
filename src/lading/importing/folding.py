"""Texts that the collations of some databases take for equal."""

from __future__ import annotations

import unicodedata
from typing import Any


def folded(value: Any) -> str:
    """Return a text that is the same for all texts that some collation takes for equal."""
    text = value if isinstance(value, str) else repr(value)
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()
