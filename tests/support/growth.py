"""How work grows with what it is given: a ratio within one run, never seconds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

#: Sixteen times as much takes 16 times as long in linear time, and 256 times in quadratic time.
TIMES, LINEAR = 16, 80


def is_linear(prepare: Callable[[int], Callable[[], Any]], few: int) -> bool:
    """Tell whether work takes time in proportion to what it is given.

    Args:
        prepare: Takes a size, and returns the work to be measured.
        few: The smaller size; the other is ``TIMES`` as large.
    """
    small, large = (min(_cpu(prepare(size)) for _ in range(3)) for size in (few, few * TIMES))
    return large < LINEAR * small


def _cpu(work: Callable[[], Any]) -> float:
    """Return the processor's time without the collector's, which grows with what others hold."""
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()
