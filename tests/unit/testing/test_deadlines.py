"""A trip's time isn't the test's: what it takes isn't held against Hypothesis's deadline."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis.errors import DeadlineExceeded

from lading.testing import assert_round_trip, datasets
from support import zoo


@pytest.mark.parametrize("slow", ["the trip", "the test"])
def test_only_a_test_s_own_time_counts(slow: str) -> None:
    catalog = zoo.family().catalog

    @settings(max_examples=2, deadline=100, database=None, phases=[Phase.generate])
    @given(datasets(catalog))
    def run(dataset: Any) -> None:
        def factory() -> Any:
            time.sleep(0.05)
            return sqlite_engine()

        if slow == "the test":
            time.sleep(0.2)
        assert_round_trip(catalog, dataset, engine_factory=factory)

    from lading.testing.databases import sqlite_engine

    if slow == "the trip":
        run()
    else:
        with pytest.raises(DeadlineExceeded):
            run()
