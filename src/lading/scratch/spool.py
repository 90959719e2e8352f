"""Work that waits: items on disk, in the order in which they came."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from lading.scratch.files import scratch
from lading.values.json_text import on_own_stack


class Spool:
    """A queue of chunks in an unlinked temporary file, so that memory stays flat."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self.count = 0

    @property
    def file(self) -> IO[bytes]:
        """The file, which is made with the first item."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="lading-spool-")  # noqa: SIM115 - see close()
        return self._file

    def __bool__(self) -> bool:
        return self.count > 0

    @scratch()
    def append(self, element: Any) -> int:
        """Add an item at the end, and return its place for ``at``."""
        place = self.file.seek(0, 2)
        self.file.write(on_own_stack(pickle.dumps, element, pickle.HIGHEST_PROTOCOL))
        self.count += 1
        return place

    @scratch()
    def at(self, place: int) -> Any:
        """Return the item at a place."""
        self.file.seek(place)
        return pickle.load(self.file)  # noqa: S301 - our own unlinked file

    def __iter__(self) -> Iterator[Any]:
        place = 0
        for _ in range(self.count):
            element = self.at(place)
            place = self.file.tell()
            yield element

    def close(self) -> None:
        """Give the file back."""
        with suppress(OSError):  # what couldn't be written can't be flushed either
            if self._file is not None:
                self._file.close()
