"""Tells whether rows that an import adds clash with others, apart from their natural keys."""

from __future__ import annotations

from collections.abc import Container
from enum import Enum
from typing import Any

from lading.testing.datasets.uniqueness import same_keys
from lading.testing.stateful.outcome import Who
from lading.testing.stateful.state import State


class Clash(Enum):
    """How new rows clash with others."""

    NONE = "nothing is there twice"
    REFUSED = "the database refuses it"
    UNSEEN = "what a reference is written by would be there twice, and no constraint forbids it"


def clashing(target: State, source: State, new: Container[Who]) -> Clash:
    """Return how the rows of new records clash with those of the target, or with each other."""
    for state in (target, source):
        state.label_ids()
    whose = source.records()
    added = [row for row in source.instances if whose.get(row, ("", "")) in new]
    seen: dict[Any, set[Any]] = {}
    clash = Clash.NONE
    for row in [*target.instances, *added]:
        for place, unique in enumerate(row.plan.uniques):
            if unique.columns[0].table in row.rows:
                keys = same_keys(row, unique)
                claimed = seen.setdefault((row.plan, place), set())
                if not claimed.isdisjoint(keys):
                    if unique.nulls_equal:
                        return Clash.UNSEEN
                    clash = Clash.REFUSED
                claimed.update(keys)
    return clash
