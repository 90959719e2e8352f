"""What one export reads from, and what it counts; all other parts of readers are shared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from lading.database.live.base import Database


@dataclass(slots=True)
class Tally:
    """What was read: rows per table, links per reference (by its dotted path), rounded cells."""

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rounded: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    links: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class Reading:
    """The database that rows are read from, and the tally of what was read."""

    database: Database
    tally: Tally = field(default_factory=Tally)
