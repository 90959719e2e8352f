"""Harmless values by number: those of a supply that a column takes, each of them once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis.strategies import SearchStrategy

from lading.testing.cell_values.sampling import sampled
from lading.testing.cell_values.supply import Supply

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
        self.found: list[Any] = []
        self.seen: set[Any] = set()
        self.tried = 0
        self.few = count if count is not None and count <= FEW else None
        self._find(FEW if self.few is not None else 1)

    @property
    def size(self) -> int | None:
        """How many values there are, or ``None`` where they don't end soon."""
        return len(self.found) if self.few is not None else None

    def __call__(self, n: int) -> Any:
        """Return the value of a number."""
        self._find(n + 1)
        return self.found[n % len(self.found)]

    def _find(self, wanted: int) -> None:
        """Try candidates until there are so many values, or no more."""
        idle = 0
        while len(self.found) < wanted and self.few != self.tried and idle < PATIENCE:
            value = self.candidate(self.tried)
            self.tried += 1
            idle += 1
            if value is not REFUSED and (key := self.key(value)) not in self.seen:
                self.seen.add(key)
                self.found.append(value)
                idle = 0
        if idle == PATIENCE:
            self.few = self.tried


class Sampled:
    """Values of a strategy by number, in one fixed order; see :class:`PlainValues`."""

    def __init__(self, strategy: SearchStrategy[Any]) -> None:
        self.strategy = strategy
        self.values = sampled(strategy, SAMPLE)
        self.asked = SAMPLE

    @property
    def count(self) -> int | None:
        """How many there are, where the strategy has no more."""
        return len(self.values) if len(self.values) < self.asked else None

    def __call__(self, n: int) -> Any:
        """Return the value of a number; ``REFUSED`` beyond the last."""
        while n >= len(self.values) and self.count is None and self.asked < MOST:
            self.asked *= 2
            self.values = sampled(self.strategy, self.asked)
        return self.values[n] if n < len(self.values) else REFUSED


def strategy_supply(plain: SearchStrategy[Any], drawn: SearchStrategy[Any] | None = None) -> Supply:
    """Return the supply of what a strategy draws; ``drawn`` draws the hostile ones."""
    made = Sampled(plain)
    return Supply(made, made.count, (), plain if drawn is None else drawn)
