"""How far tests search: little by default, and as far as ``LADING_DEEP`` says.

It multiplies the examples that are drawn; ``make test-deep`` sets it, and then each run draws
others, on more engines.
"""

from __future__ import annotations

import os

import pytest

DEPTH = int(os.environ.get("LADING_DEEP") or 1)
IS_DEEP = DEPTH > 1
#: For what a faster test proves as well, in fewer cases or of one engine alone.
ONLY_DEEP = pytest.mark.skipif(not IS_DEEP, reason="make test-deep runs it")


def examples(usual: int) -> int:
    """Return how many examples to draw where so many are usual."""
    return usual * DEPTH
