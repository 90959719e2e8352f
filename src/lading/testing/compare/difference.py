"""One difference between what was and what is now, as people are told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

#: How telling a difference is, the most first: what others follow from stands before them.
VALUE, LOST, NEW, LINK = range(4)
NOTHING = "nothing"


@dataclass(frozen=True)
class DataDifference:
    """One difference between two databases, or two bundles.

    ``entity`` is the entity whose record differs, ``key`` where in it: the record's natural
    key, and for an owned row the list and its key or number (from 1) in it.  ``field`` is the
    name in records of what differs, ``None`` for the whole row.  ``was`` and ``now`` are both
    values; of a reference, the keys that it leads to.
    """

    entity: str
    key: str | None
    field: str | None
    was: str
    now: str

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.entity, self.key)))
        if self.field is None:
            return f"{place}: {self.now}"
        return f"{place}, {self.field}: was {self.was}, is now {self.now}"


def ranked(differences: Iterable[tuple[int, DataDifference]]) -> list[DataDifference]:
    """Sort differences by how telling they are, one of each entity and field before the rest."""
    counts: Counter[tuple[str, str | None]] = Counter()
    places = []
    for rank, difference in sorted(differences, key=lambda pair: pair[0]):
        place = (difference.entity, difference.field)
        places.append((counts[place] > 0, rank, difference))
        counts[place] += 1
    return [difference for *_, difference in sorted(places, key=lambda place: place[:2])]
