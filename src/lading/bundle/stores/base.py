"""What every store of a bundle offers, to read it and to write it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from lading.bundle.stores.occupant import Occupant
from lading.errors import BundleError
from lading.messages import Message


class BundleSource(Protocol):
    """A store that is read; ``size`` is its length in bytes where it is packed, else ``None``."""

    @property
    def size(self) -> int | None:
        """Return its length."""

    def names(self) -> list[str]:
        """Return the names of all in it that a person would have put there."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes."""

    def check(self) -> None:
        """Raise ``BundleError`` for what is wrong with the store itself."""

    def close(self) -> None:
        """Let go of it."""


class Target(Protocol):
    """A store that is being written, beside its place until it is published."""

    def create(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a new file for writing."""

    def complete(self) -> None:
        """Make all of it durable."""

    def publish(self, old: Occupant) -> None:
        """Put it in the place of what is there."""

    def discard(self) -> None:
        """Remove it."""


def read_whole(source: BundleSource, name: str, limit: int) -> bytes:
    """Return a small file's bytes; ``BundleError`` if there are more than ``limit``."""
    data = bytearray()
    for piece in source.pieces(name):
        data += piece
        if len(data) > limit:
            raise BundleError(Message("too-large", f"is longer than {limit} bytes"), file=name)
    return bytes(data)
