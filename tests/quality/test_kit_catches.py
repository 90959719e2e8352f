"""Mistakes planted in the library: the kit finds each within its usual number of examples.

A failure also says what is hit: the entity, and the field or that whole records are.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings

from lading import ImportFailed, LadingError
from lading.testing import RoundTripError, assert_round_trip, datasets
from support.depth import IS_DEEP, ONLY_DEEP
from support.planted import Mistake
from support.planted_rows import MISTAKES
from support.zoo import WORLDS

EXAMPLES = 100
#: What a mistake does on both sides is hardest to find; the other sides are left to the deep run.
BY_NAME = {mistake.name.partition("_on_")[0]: mistake for mistake in MISTAKES}
TRIED = MISTAKES if IS_DEEP else [*BY_NAME.values()]
WITHOUT_ALL = sorted({mistake.world for mistake in MISTAKES})


def hold(world: str, examples: int = EXAMPLES) -> None:
    """Hold drawn datasets of a world against the round trip, as an application would."""
    catalog = WORLDS[world]().catalog

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        report_multiple_bugs=False,
    )
    @given(datasets(catalog))
    def nothing_is_lost(dataset: Any) -> None:
        assert_round_trip(catalog, dataset)

    nothing_is_lost()


def said(error: Exception) -> set[tuple[str, str | None]]:
    """Return the entities and fields that a failure names, and the lists that hold rows."""
    if isinstance(error, RoundTripError):
        found = {(item.entity, item.field) for item in error.differences}
        lists = {
            (item.entity, word) for item in error.differences for word in str(item.key).split()
        }
        return found | lists
    if isinstance(error, ImportFailed):
        found = error.report.problems
        return {(item.file.partition("_")[2].removesuffix(".json"), item.field) for item in found}
    assert isinstance(error, LadingError)
    return {(str(error.entity), error.field)}


@pytest.mark.parametrize("mistake", TRIED, ids=lambda mistake: mistake.name)
def test_the_kit_finds_a_planted_mistake(mistake: Mistake) -> None:
    """Within the usual number of examples, and by name."""
    with mistake.plant(), pytest.raises((RoundTripError, LadingError)) as raised:
        hold(mistake.world)
    named = {(entity, field) for entity in mistake.entities for field in mistake.fields}
    assert named & said(raised.value), str(raised.value)


@ONLY_DEEP
@pytest.mark.parametrize("world", WITHOUT_ALL)
def test_without_a_mistake_nothing_is_found(world: str) -> None:
    """Such runs pass; every world has more of them in the kit's own property tests."""
    hold(world, EXAMPLES // 10)
