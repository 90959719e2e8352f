"""What a type's values are drawn from, before anybody asked what its column keeps of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

#: Longer edges than this would only make tests slow.
LONGEST_EDGE = 5_000
#: Columns begin to count at different numbers, less than this one.
STARTS = 97


@dataclass(frozen=True)
class Facts:
    """What is known of a column's values.

    ``name`` is the column's own name; ``least`` and ``most`` are bounds or ``None``;
    ``shortest``, ``room`` and ``longest`` count characters, bytes or items: no fewer, what
    every engine holds, what any engine holds (``None`` for any number).  ``exact`` is the
    length of bytes that some engine would pad.  ``everywhere`` tells what all engines hold.
    """

    name: str
    everywhere: Callable[[Any], bool]
    least: Any = None
    most: Any = None
    shortest: int = 0
    room: int | None = None
    longest: int | None = None
    exact: int | None = None
    aware: bool = False

    @property
    def seed(self) -> int:
        """A number of the column's own, the same in every run."""
        return zlib.crc32(self.name.encode())

    @property
    def word(self) -> str:
        """A few plain letters of the column's name."""
        letters = "".join(c for c in self.name.lower() if c.isascii() and c.isalnum())
        return letters[:8] or "x"

    @property
    def lengths(self) -> list[int]:
        """The lengths at which a value just fits."""
        ends = {self.shortest, *(n for n in (self.room, self.longest, self.exact) if n is not None)}
        return sorted(n for n in ends if 0 < n <= LONGEST_EDGE)


@dataclass(frozen=True)
class Supply:
    """Values of one type: not all of them need fit a column, but most should.

    ``plain`` gives harmless ones by number, ``count`` is how many there are before they
    repeat (``None`` for no end); ``edges`` are listed, simplest first; ``drawn`` makes more.
    ``worst`` are the few that are altered most often, each drawn as often as many edges.
    """

    plain: Callable[[int], Any]
    count: int | None = None
    edges: Sequence[Any] = field(default=())
    drawn: SearchStrategy[Any] | None = None
    worst: Sequence[Any] = field(default=())


def listed_supply(values: Iterable[Any], facts: Facts | None = None) -> Supply:
    """Return the supply of a few values, which are all that there are."""
    few = list(values)
    start = facts.seed if facts is not None else 0
    return Supply(lambda n: few[(start + n) % len(few)], len(few), few)


def stepped(facts: Facts, first: Any, step: Any, span: int | None = None) -> Supply:
    """Return the supply that counts from the least value (or ``first``) in steps.

    ``span`` is how many there are, fewer where the bounds say so.
    """
    start = first
    if facts.least is not None:
        start = type(first)(facts.least) if isinstance(first, int | float) else facts.least
    elif facts.most is not None and first > facts.most:
        start = facts.most - step * ((span or STARTS) - 1)
    if facts.most is not None:
        within = int((facts.most - start) // step) + 1
        span = max(1, within if span is None else min(span, within))
    offset = facts.seed % min(span or STARTS, STARTS)

    def plain(n: int) -> Any:
        place = offset + n
        return start + step * (place if span is None else place % span)

    bounds = [value for value in (facts.least, facts.most) if value is not None]
    return Supply(plain, span, bounds)


def picked(values: Sequence[Any]) -> SearchStrategy[Any]:
    """Return the strategy that gives one of some values, simplest first.

    By number, since Hypothesis shows the values of ``sampled_from`` whole, however long.
    """
    few = tuple(values)

    def pick(place: int) -> Any:
        return few[place]

    return st.integers(0, len(few) - 1).map(pick)


def joined(*strategies: SearchStrategy[Any] | None) -> SearchStrategy[Any]:
    """Return one strategy for values of all of these."""
    return st.one_of(*(one for one in strategies if one is not None))
