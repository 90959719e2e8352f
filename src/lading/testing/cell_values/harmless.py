"""Harmless values by number: those of a supply that a column takes, each of them once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

from lading.samples.supply import Supply

#: What stands for a candidate that the column doesn't take.
REFUSED: Any = object()
#: A supply with no more values than this is tried whole.
FEW = 1_000
#: Candidates in a row without a new value, after which there are no more.
PATIENCE = 300
#: Values that are drawn at once from a strategy, and the most in the end.
SAMPLE, MOST = 100, 1_600


class PlainValues:
    """Numbers the values of a column: ``plain(n)``; beyond the last it begins again.

    ``candidate`` gives one by number, or ``REFUSED``; ``key`` is equal for values that count as
    one.  ``size`` is how many there are, if few.
    """

    def __init__(
        self, candidate: Callable[[int], Any], key: Callable[[Any], Any], count: int | None
    ) -> None:
        self.candidate = candidate
        self.key = key
        self.values: list[Any] = []
        self.keys: set[Any] = set()
        self.tried = 0
        self.few = count if count is not None and count <= FEW else None
        self._find(FEW if self.few is not None else 1)

    @property
    def size(self) -> int | None:
        """How many values there are, or ``None`` where they don't end soon."""
        return len(self.values) if self.few is not None else None

    def __call__(self, n: int) -> Any:
        """Return the value of a number."""
        self._find(n + 1)
        return self.values[n % len(self.values)]

    def _find(self, wanted: int) -> None:
        """Try candidates until there are so many values, or no more."""
        idle = 0
        while len(self.values) < wanted and self.few != self.tried and idle < PATIENCE:
            value = self.candidate(self.tried)
            self.tried += 1
            idle += 1
            if value is not REFUSED and (key := self.key(value)) not in self.keys:
                self.keys.add(key)
                self.values.append(value)
                idle = 0
        if idle == PATIENCE:
            self.few = self.tried


def strategy_supply(strategy: SearchStrategy[Any]) -> Supply:
    """Return the supply of what a strategy draws, in one fixed order."""
    few = sampled(strategy, SAMPLE)
    many = cache(lambda: sampled(strategy, MOST) if len(few) == SAMPLE else few)

    def plain(n: int) -> Any:
        values = few if n < SAMPLE else many()
        return values[n] if n < len(values) else REFUSED

    return Supply(plain, len(few) if len(few) < SAMPLE else None)


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
