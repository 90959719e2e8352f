"""Times two ways in turn, and measures the peak memory of one."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run took, in seconds: of the clock, and of this process's CPU."""

    wall: float
    cpu: float


#: One run of ours, and one of theirs.
Pair = tuple[Timing, Timing]


def nothing() -> None:
    """Do nothing before a run."""


def timed(work: Work, before: Work = nothing) -> Timing:
    """Time some work, but not what comes before it."""
    before()
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def pairs(
    ours: Work, theirs: Work, *, rounds: int, seconds: float, before: Work = nothing
) -> list[Pair]:
    """Time two ways in turn, so that what else the machine does strikes both.

    Args:
        ours: One way.
        theirs: The other.
        rounds: How many pairs are wanted at most, beside a first that warms up.
        seconds: No further pair begins once the pairs have taken so long; if the first takes
            longer, it is the only one, and counts.
        before: Work that comes before each run, and isn't timed.
    """
    until = time.monotonic() + seconds
    first = timed(ours, before), timed(theirs, before)
    if time.monotonic() > until:
        return [first]
    timings: list[Pair] = []
    while not timings or (len(timings) < rounds and time.monotonic() < until):
        timings.append((timed(ours, before), timed(theirs, before)))
    return timings


def median(timings: list[Timing]) -> Timing:
    """Return the medians of both clocks."""
    return Timing(
        statistics.median(timing.wall for timing in timings),
        statistics.median(timing.cpu for timing in timings),
    )


def memory(field: str) -> int:
    """Return a field of this process's status (``VmRSS``, ``VmHWM``), in KiB; Linux alone."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(field)


def peak_of(work: Work) -> int:
    """Return by how many KiB the peak of resident memory exceeds what was in use before."""
    gc.collect()
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
    work()
    return max(memory("VmHWM") - before, 0)
