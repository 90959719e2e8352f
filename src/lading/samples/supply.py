"""What is known of a field's values, and the sample values that are made of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lading.values.base import CUSTOM, Kind
from lading.values.scalars import Integer, Number

#: Longer edges than this would only make tests slow.
LONGEST_EDGE = 5_000
#: Columns begin to count at different numbers, less than this one.
STARTS = 97


def _anywhere(_value: Any) -> bool:
    return True


@dataclass(frozen=True)
class Facts:
    """What is known of a field's values.

    ``name`` is the field's or column's own name; ``least`` and ``most`` are bounds or ``None``;
    ``shortest``, ``room`` and ``longest`` count characters, bytes or items: no fewer, what
    every engine holds, what any engine holds (``None`` for any number).  ``exact`` is the
    length of bytes that some engine would pad.  ``everywhere`` tells what all engines hold.
    """

    name: str
    everywhere: Callable[[Any], bool] = _anywhere
    least: Any = None
    most: Any = None
    shortest: int = 0
    room: int | None = None
    longest: int | None = None
    exact: int | None = None
    aware: bool = False

    @property
    def seed(self) -> int:
        """A number of the field's own, the same in every run."""
        return zlib.crc32(self.name.encode())

    @property
    def word(self) -> str:
        """A few plain letters of the field's name."""
        letters = "".join(c for c in self.name.lower() if c.isascii() and c.isalnum())
        return letters[:8] or "x"

    @property
    def lengths(self) -> list[int]:
        """The lengths at which a value just fits."""
        ends = {self.shortest, *(n for n in (self.room, self.longest, self.exact) if n is not None)}
        return sorted(n for n in ends if 0 < n <= LONGEST_EDGE)


@dataclass(frozen=True)
class Supply:
    """Sample values of one field: not all of them need fit its column, but most should.

    ``plain`` gives harmless ones by number, ``count`` is how many there are before they
    repeat (``None`` for no end); ``edges`` are listed, simplest first, and ``worst`` are the few
    that are altered most often.  ``least`` and ``fullest`` are harmless values at the ends.
    """

    plain: Callable[[int], Any]
    count: int | None = None
    edges: Sequence[Any] = field(default=())
    worst: Sequence[Any] = field(default=())
    least: Any = None
    fullest: Any = None


def listed_supply(values: Iterable[Any], facts: Facts | None = None) -> Supply:
    """Return the supply of a few values, which are all that there are."""
    few = list(values)
    start = facts.seed if facts is not None else 0
    ends = (few[0], few[-1]) if few else (None, None)
    return Supply(lambda n: few[(start + n) % len(few)], len(few), few, (), *ends)


def stepped(facts: Facts, first: Any, step: Any, span: int | None = None) -> Supply:
    """Return the supply that counts from the least value in steps.

    Args:
        facts: The field's bounds, and by its name the number that it begins with.
        first: The value to begin with where there is no least one.
        step: What each value is more than the one before.
        span: How many there are, fewer where the bounds say so; ``None`` for no end.
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
    return Supply(plain, span, bounds, (), start, plain((span or 10_000) - 1 - offset))


def facts_of(name: str, kind: Kind | None, limits: Mapping[str, Any]) -> Facts:
    """Return the facts of a field by its limits, which are in written form.

    Args:
        name: The field's name.
        kind: What the field's values are; its bounds are read as that.
        limits: What :func:`lading.samples.constraints.constraints_of` says of the field.
    """
    step: Any = 1 if isinstance(kind, Integer) else 0
    if isinstance(kind, Number):
        step = Decimal(f"1e-{kind.scale or 0}")
    low = [_bound(kind, limits.get("least")), _bound(kind, limits.get("above"), step)]
    high = [_bound(kind, limits.get("most")), _bound(kind, limits.get("below"), -step)]
    longest = limits.get("longest")
    if isinstance(kind, Integer) and "bytes" in limits:
        high.append(2 ** (8 * int(limits["bytes"]) - 1) - 1)
    return Facts(
        name,
        least=max((end for end in low if end is not None), default=None),
        most=min((end for end in high if end is not None), default=None),
        shortest=int(limits.get("shortest") or 0),
        room=longest,
        longest=longest,
        aware=bool(getattr(kind, "aware", False)),
    )


def _bound(kind: Kind | None, written: Any, step: Any = 0) -> Any:
    """Return a bound as a value; ``None`` where the kind can't read it."""
    if written is None or kind is None:
        return None
    if isinstance(kind, Number):
        return Decimal(str(written)) + step
    try:
        value = kind.read(written)
        return value + step if step else value
    except Exception:  # a field of the application's own may raise anything
        return written if isinstance(written, int | float) and kind.name == CUSTOM else None
