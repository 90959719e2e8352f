"""How far tests search: little by default, and as far as ``LADING_DEEP`` says.

It multiplies the examples that are drawn; ``make test-deep`` sets it, and then each run draws
others, on more engines.
"""

from __future__ import annotations

import os

DEPTH = int(os.environ.get("LADING_DEEP") or 1)
IS_DEEP = DEPTH > 1


def examples(usual: int) -> int:
    """Return how many examples to draw where so many are usual."""
    return usual * DEPTH
