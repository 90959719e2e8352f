"""How work grows with what it is given: a ratio within one run, never seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Eight times as much takes 8 times as long in linear time, and 64 times in quadratic time.
TIMES, LINEAR = 8, 24


def is_linear(prepare: Callable[[int], Callable[[], Any]], few: int) -> bool:
    """Tell whether work takes time in proportion to what it is given.

    Args:
        prepare: Takes a size, and returns the work to be measured.
        few: The smaller size; the other is ``TIMES`` as large.
    """
    small = min(_cpu(prepare(few)) for _ in range(3))
    return _cpu(prepare(few * TIMES)) < LINEAR * small


def _cpu(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
