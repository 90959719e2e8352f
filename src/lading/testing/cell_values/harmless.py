"""What a strategy draws, in one fixed order, and values each of which counts but once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

#: Values in a row without a new one, after which there are no more.
PATIENCE = 300
#: Values that are drawn at once from a strategy, and the most in the end.
SAMPLE, MOST = 100, 1_600


def distinct(values: Iterable[Any], key: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield each value but null once; ``key`` is equal for those that count as one."""
    keys = set()
    known = 0
    for value in values:
        known += 1
        if value is not None and (own_key := key(value)) not in keys:
            keys.add(own_key)
            known = 0
            yield value
        elif known == PATIENCE:
            return


def all_of(strategy: SearchStrategy[Any]) -> Iterator[Any]:
    """Yield what a strategy draws, in one fixed order."""
    few = sampled(strategy, SAMPLE)
    yield from few
    if len(few) == SAMPLE:
        yield from sampled(strategy, MOST)[SAMPLE:]


#: Kept, since Hypothesis collects the process's garbage in each new thread.
_SAMPLING = ThreadPoolExecutor()


def sampled(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Return at most so many values of a strategy, the same in every run, simplest first.

    Fewer where it has no more; none where it can't give any.
    """
    # A strategy may not be run while another is drawn from, but a thread has none.
    return _SAMPLING.submit(_drawn, strategy, count).result()


def _drawn(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    values: list[Any] = []

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
        values.append(value)

    with suppress(HypothesisException):  # there is no value, or none that is easily found
        gather()
    return values
