"""Tells whether rows that an import adds clash with others, apart from their natural keys."""

from __future__ import annotations

from collections.abc import Container
from enum import Enum

from lading.testing.datasets.uniqueness import Claims
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
    claims = Claims()
    shared = [unique for row in [*target.instances, *added] for unique in claims.share(row)]
    if any(unique.nulls_equal for unique in shared):
        return Clash.UNSEEN
    return Clash.REFUSED if shared else Clash.NONE
