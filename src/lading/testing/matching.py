"""Matches the rows of two lists that ought to hold the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from lading.testing.sides import NULL, Row

#: The most rows on each side of which each is tried against each.
MOST_TRIED = 100


class Matching:
    """Matches the rows of two lists.

    Alike rows match first, then those with one natural key, then those most alike.  ``pairs``
    are matched rows that aren't alike, ``lost`` and ``new`` those without any match.
    """

    def __init__(self, before: Sequence[Row], after: Sequence[Row]) -> None:
        self.pairs: list[tuple[Row, Row]] = []
        self.identities = [{row.identity for row in rows} for rows in (before, after)]
        self.lost, self.new = list(before), list(after)
        self._match(lambda row: row.whole)
        self.pairs.clear()
        for identity in self._shared_identities():
            held = [[row for row in rows if row.identity == identity] for rows in self._left()]
            self._match_most_alike(*held, always=True)
        self._match_most_alike(self.lost, self.new)

    def is_known(self, row: Row) -> bool:
        """Tell whether both databases have rows of this row's natural key."""
        return bool(row.identity) and all(row.identity in known for known in self.identities)

    def _left(self) -> tuple[list[Row], list[Row]]:
        return self.lost, self.new

    def _shared_identities(self) -> list[int]:
        was, now = ({row.identity for row in rows} for rows in self._left())
        return sorted((was & now) - {0})

    def _match(self, label: Callable[[Row], Hashable]) -> None:
        """Match rows with one label, each once."""
        waiting: defaultdict[Hashable, list[Row]] = defaultdict(list)
        for row in reversed(self.new):
            waiting[label(row)].append(row)
        self._take([(row, found.pop()) for row in self.lost if (found := waiting[label(row)])])

    def _match_most_alike(
        self, before: Sequence[Row], after: Sequence[Row], *, always: bool = False
    ) -> None:
        """Match the rows that have most in common first, if it is half of their fields."""
        scored = []
        for n, one in enumerate(before[:MOST_TRIED]):
            for m, other in enumerate(after[:MOST_TRIED]):
                equal, held, fields = likeness(one, other)
                if always or 2 * equal >= fields or fields == 1:
                    scored.append((-held, -equal, n, m))
        taken: tuple[set[int], set[int]] = (set(), set())
        chosen = []
        for _, _, n, m in sorted(scored):
            if n not in taken[0] and m not in taken[1]:
                taken[0].add(n)
                taken[1].add(m)
                chosen.append((before[n], after[m]))
        self._take(chosen)

    def _take(self, pairs: Iterable[tuple[Row, Row]]) -> None:
        self.pairs += pairs
        gone = {row for pair in pairs for row in pair}
        self.lost = [row for row in self.lost if row not in gone]
        self.new = [row for row in self.new if row not in gone]


def likeness(one: Row, other: Row) -> tuple[int, int, int]:
    """Return how many fields and lists are equal, how many of those hold anything, and all."""
    equal = held = 0
    for name, was in one.contents.items():
        if was == other.contents[name]:
            equal += 1
            held += not (was in (NULL, ()) or _is_null_pointer(was))
    for way in one.shape.ways:
        lists = [sorted(row.whole for row in side.owned.get(way, ())) for side in (one, other)]
        if lists[0] == lists[1]:
            equal += 1
            held += bool(lists[0])
    return equal, held, len(one.contents) + len(one.shape.ways)


def _is_null_pointer(content: Hashable) -> bool:
    return isinstance(content, tuple) and bool(content) and content[0] is None
