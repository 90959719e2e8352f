"""What is computed once: for each object, and for what it depends on beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from lading.model.computed import Computed, computed_once


@dataclass(eq=False, slots=True)
class Thing(Computed):
    """Anything that doesn't change."""

    size: int = 1


calls: Counter[int] = Counter()


@computed_once
def times(thing: Thing, factor: int = 1) -> list[int]:
    """Count the calls."""
    calls[factor] += 1
    if factor < 0:
        raise ValueError(factor)
    return [thing.size * factor]


def test_each_object_has_results_of_its_own() -> None:
    """A copy with other fields begins anew."""
    thing, other = Thing(2), replace(Thing(2), size=3)
    assert times(thing) is times(thing)
    assert (times(thing), times(other)) == ([2], [3])


def test_results_depend_on_the_options() -> None:
    """Each option's result is computed once."""
    calls.clear()
    thing = Thing(2)
    assert [times(thing, 2), times(thing, 3), times(thing, 2)] == [[4], [6], [4]]
    assert calls == {2: 1, 3: 1}


def test_an_error_is_no_result() -> None:
    """Whoever corrects the cause gets the result at the next call."""
    calls.clear()
    thing = Thing(2)
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            times(thing, -1)
    assert calls == {-1: 2}
