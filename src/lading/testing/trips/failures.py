"""How the kit says what was lost or altered, and what it was doing then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from lading.testing.compare.difference import DataDifference

#: How many differences a failure shows.
SHOWN = 8


class RoundTripError(AssertionError):
    """Something was lost or altered on its way; ``differences`` are those found."""

    def __init__(self, problem: str, differences: Collection[DataDifference] = ()) -> None:
        self.differences = list(differences)
        lines = [problem, *(f"  {difference}" for difference in self.differences[:SHOWN])]
        if len(self.differences) > SHOWN:
            lines.append(f"  and {len(self.differences) - SHOWN} more")
        super().__init__("\n".join(lines))


def hold_none(differences: Iterable[DataDifference], problem: str) -> None:
    """Raise ``RoundTripError`` if there are differences.

    Args:
        differences: What differs.
        problem: The first line of the error.
    """
    if differing := list(differences):
        raise RoundTripError(problem, differing)


@contextmanager
def noted(what: str) -> Iterator[None]:
    """Add to an error what the kit was doing."""
    try:
        yield
    except Exception as error:
        error.add_note(f"while the kit did {what}")
        raise
