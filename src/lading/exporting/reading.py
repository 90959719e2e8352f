"""What one export reads from, and what it counts; all other parts of readers are shared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from lading.database.dialects.base import Row
from lading.database.live.base import Database


@dataclass(slots=True)
class Tally:
    """What was read: rows per table, links per reference (by its dotted path), rounded cells."""

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rounded: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    links: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class StoredRow(NamedTuple):
    """The primary key of a row that was read, and the owned rows that it nests, in their order.

    ``children`` are keyed by the name of the list's member.
    """

    identity: Row
    children: dict[str, list[StoredRow]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The database that rows are read from, and the tally of what was read.

    ``nested`` takes the owned rows of each list by its row set's name, for each of the parents
    that were read last; ``None`` where nobody asks which rows they are.
    """

    database: Database
    tally: Tally = field(default_factory=Tally)
    nested: dict[str, list[list[StoredRow]]] | None = None
