"""The applications that the kit is held to: every world of the zoo, and the bakery."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

import bakery
from lading import Catalog
from lading.testing import datasets
from support import depth
from support.zoo import WORLDS

#: Only the hook knows that a machine's power isn't negative.
OVERRIDES = {"hooks": {"machines.power": st.integers(0, 10**6)}}
NAMES = [*WORLDS, "bakery"]


def examples(count: int) -> settings:
    """Return the settings of a test: so many examples, and every health check on."""
    return settings(
        max_examples=depth.examples(count),
        derandomize=not depth.IS_DEEP,
        database=None,
        deadline=None,
        suppress_health_check=(),
    )


@cache
def catalog_of(name: str) -> Catalog:
    """Return a world's catalog, the same one each time."""
    return bakery.bakery if name == "bakery" else WORLDS[name]().catalog


def drawn(name: str, **options: Any) -> Any:
    """Return the strategy of a world's datasets."""
    return datasets(catalog_of(name), overrides=OVERRIDES.get(name), **options)
