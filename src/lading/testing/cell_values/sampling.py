"""Values of a strategy in one fixed order, for when one is wanted by number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import get_ident
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

_sampling: set[int] = set()
#: One thread for all: in each new one Hypothesis collects the whole process's garbage.
_POOL = ThreadPoolExecutor(1, initializer=lambda: _sampling.add(get_ident()))


def sampled(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Return at most so many values of a strategy, the same in every run, simplest first.

    Fewer where it has no more; none where it can't give any.
    """
    # A strategy may not be run while another is drawn from, but a thread has none.
    if get_ident() not in _sampling:
        return _POOL.submit(_drawn, strategy, count).result()
    with ThreadPoolExecutor(1) as pool:  # a strategy's own values are sampled while it is drawn
        return pool.submit(_drawn, strategy, count).result()


def _drawn(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    found: list[Any] = []

    # Health is asked of a test that an application writes, and this is none.
    @settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=count,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy)
    def gather(value: Any) -> None:
        found.append(value)

    with suppress(HypothesisException):  # there is no value, or none that is easily found
        gather()
    return found
