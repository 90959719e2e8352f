"""A doomed record that can't be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lading.database.dialects.base import Row
from lading.messages import Message


@dataclass(frozen=True, slots=True)
class Refusal:
    """A doomed record that can't be deleted: its natural key in portable form, and why.

    ``record`` is its primary key, where one record is at fault.  Owned rows that are deleted
    by themselves take the place of records, and have no ``key``.
    """

    entity: str
    key: Any
    message: Message
    record: Row = ()
