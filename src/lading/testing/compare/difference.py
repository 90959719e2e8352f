"""One difference between what was and what is now, as people are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Verbatim(str):
    """A text that is shown as it stands, for it is no value itself."""

    __slots__ = ()
    __repr__ = str.__str__


NOTHING = Verbatim("nothing")


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


def varied(differences: Sequence[DataDifference]) -> list[DataDifference]:
    """Put one difference of each entity and field before the others, whose order stays."""
    firsts = {(each.entity, each.field): each for each in reversed(differences)}.values()
    return sorted(differences, key=lambda difference: difference not in firsts)
