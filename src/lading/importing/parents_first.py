"""The order in which rows that refer to each other are inserted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

#: Shared by the many rows that follow none, as sets by the thousand cost more than they hold.
NOTHING: frozenset[int] = frozenset()


def parents_first(
    needs: Sequence[AbstractSet[int] | None], preferences: Sequence[AbstractSet[int]]
) -> list[int]:
    """Order places so that each follows what it needs; those that never can are left out.

    What it prefers comes first as well, unless that would close a circle.
    """
    waits: dict[int, int] = {}
    followers: dict[int, list[int]] = defaultdict(list)
    for place, (needed, preferred) in enumerate(zip(needs, preferences, strict=True)):
        if needed is not None:
            others = needed | preferred if needed and preferred else needed or preferred
            waits[place] = len(others)
            for other in others:
                followers[other].append(place)
    ready: list[int] = []
    placed: set[int] = set()
    fresh = [place for place, count in waits.items() if not count]
    while fresh or (fresh := _freed(needs, preferences, waits, placed)):
        for place in fresh:  # grows in the loop
            placed.add(place)
            waits[place] = 0
            for follower in followers[place]:
                waits[follower] -= 1
                if not waits[follower]:
                    fresh.append(follower)
        ready += fresh
        fresh = []
    return ready


def _freed(
    needs: Sequence[AbstractSet[int] | None],
    preferences: Sequence[AbstractSet[int]],
    waits: dict[int, int],
    placed: set[int],
) -> list[int]:
    """Return a place that waits only for what it prefers; if some form a circle, one of these."""
    free = {p: None for p, count in waits.items() if count > 0 and (needs[p] or set()) <= placed}
    place = next(iter(free), None)
    passed: set[int] = set()
    while place is not None and place not in passed:
        passed.add(place)
        place = next((other for other in preferences[place] if other in free), place)
    return [] if place is None else [place]
