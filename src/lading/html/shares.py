"""How a bounded number of records is shared among entities of very different sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Name = TypeVar("Name")


def fair_shares(totals: Mapping[Name, int], most: int) -> dict[Name, int]:
    """Return how many of each to take: small ones whole, and of the others equally many.

    Args:
        totals: how many each has.
        most: how many may be taken together.
    """
    shares: dict[Name, int] = {}
    for place, name in enumerate(sorted(totals, key=lambda name: totals[name])):
        share = (most - sum(shares.values())) // (len(totals) - place)
        shares[name] = min(totals[name], share)
    return {name: shares[name] for name in totals}
