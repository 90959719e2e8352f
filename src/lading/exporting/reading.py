"""What one export reads from, and what it counts; all other parts of readers are shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


class BareRows(Sequence[StoredRow]):
    """Rows that nest nothing, of which only the primary keys are held."""

    def __init__(self, identities: list[Row]) -> None:
        self.identities = identities

    def __len__(self) -> int:
        return len(self.identities)

    def __getitem__(self, place: Any) -> Any:
        identity: Any = self.identities[place]
        return BareRows(identity) if isinstance(place, slice) else StoredRow(identity, {})


def identities_of(rows: Sequence[StoredRow]) -> list[Row]:
    """Return the primary keys of rows."""
    return rows.identities if isinstance(rows, BareRows) else [row.identity for row in rows]


@dataclass(frozen=True, slots=True)
class Reading:
    """The database that rows are read from, and the tally of what was read.

    ``nested`` takes the owned rows of each list by its row set's name, for each of the parents
    that were read last; ``None`` where nobody asks which rows they are.
    """

    database: Database
    tally: Tally = field(default_factory=Tally)
    nested: dict[str, list[list[StoredRow]]] | None = None
