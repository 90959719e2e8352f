"""How much a store reads at once, and bounds on what a hostile one can make a reader hold."""

from __future__ import annotations

#: Bytes that are read at once.  Larger pieces fall out of the processor's cache.
PIECE = 256 * 1024
MAX_MANIFEST = 64 * 1024 * 1024
#: How many entity files a bundle may have: more is made up, and takes a reader minutes.
MAX_FILES = 10_000
#: What an archive may unpack to, unless the caller says more: this, or so many times its size.
MAX_UNPACKED = 256 * 1024 * 1024
MAX_RATIO = 200


def unpacked_limit(size: int) -> int:
    """Return how many bytes an archive of a size may hold, unless the caller says more."""
    return max(MAX_UNPACKED, MAX_RATIO * size)
