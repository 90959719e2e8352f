"""Matches the rows of two lists that ought to hold the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from lading.testing.compare.rows import NULL, Row

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
        self._take(_paired(self._grouped(lambda row: row.whole)))
        self.pairs.clear()
        same = self._grouped(lambda row: row.identity)
        same.pop(0, None)
        self._take([pair for rows in same.values() for pair in _most_alike(*rows, anyhow=True)])
        self._take(_most_alike(self.lost, self.new))

    def is_known(self, row: Row) -> bool:
        """Tell whether both databases have rows of this row's natural key."""
        return bool(row.identity) and all(row.identity in known for known in self.identities)

    def _grouped(self, label: Callable[[Row], int]) -> dict[int, tuple[list[Row], list[Row]]]:
        """Return the rows that both lists have under a label, of those that are left."""
        found: defaultdict[int, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
        for place, rows in enumerate((self.lost, self.new)):
            for row in rows:
                found[label(row)][place].append(row)
        return {number: rows for number, rows in found.items() if all(rows)}

    def _take(self, pairs: Iterable[tuple[Row, Row]]) -> None:
        self.pairs += pairs
        gone = {row for pair in pairs for row in pair}
        self.lost = [row for row in self.lost if row not in gone]
        self.new = [row for row in self.new if row not in gone]


def _paired(groups: dict[int, tuple[list[Row], list[Row]]]) -> list[tuple[Row, Row]]:
    return [pair for rows in groups.values() for pair in zip(*rows, strict=False)]


def _most_alike(
    before: Sequence[Row], after: Sequence[Row], *, anyhow: bool = False
) -> list[tuple[Row, Row]]:
    """Match the rows that have most in common first, if it is half of their fields.

    Of two that are left alone, it is enough that they have anything in common.
    """
    are_alone = len(before) == len(after) == 1
    scored = []
    for n, one in enumerate(before[:MOST_TRIED]):
        for m, other in enumerate(after[:MOST_TRIED]):
            equal, held, fields = likeness(one, other)
            if anyhow or 2 * equal >= fields or fields == 1 or (are_alone and held):
                scored.append((-held, -equal, n, m))
    taken: tuple[set[int], set[int]] = (set(), set())
    chosen = []
    for _, _, n, m in sorted(scored):
        if n not in taken[0] and m not in taken[1]:
            taken[0].add(n)
            taken[1].add(m)
            chosen.append((before[n], after[m]))
    return chosen


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
