"""Harmless values by number, each of them once, and what a strategy draws, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

#: Candidates in a row without a new value, after which there are no more.
PATIENCE = 300
#: Values that are drawn at once from a strategy, and the most in the end.
SAMPLE, MOST = 100, 1_600


class PlainValues:
    """Numbers the values among some candidates: ``plain(n)``; beyond the last it begins again.

    ``None`` is none, and ``key`` is equal for values that count as one.
    """

    def __init__(self, candidates: Iterable[Any], key: Callable[[Any], Any]) -> None:
        self.candidates = iter(candidates)
        self.key = key
        self.values: list[Any] = []
        self.keys: set[Any] = set()
        self._find()

    def __call__(self, n: int) -> Any:
        """Return the value of a number."""
        while len(self.values) <= n and self._find():
            pass
        return self.values[n % len(self.values)]

    def _find(self) -> bool:
        """Look for one more value; ``False`` where there are no more."""
        for value in islice(self.candidates, PATIENCE):
            if value is not None and (key := self.key(value)) not in self.keys:
                self.keys.add(key)
                self.values.append(value)
                return True
        self.candidates = iter(())
        return False


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
