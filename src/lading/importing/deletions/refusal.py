"""A doomed record that can't be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """A doomed record that can't be deleted: its natural key in portable form, and why."""

    entity: str
    key: Any
    message: str
