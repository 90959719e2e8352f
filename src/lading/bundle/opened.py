"""A bundle's folder or archive, open for as long as a ``with`` statement runs."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from lading.bundle.stores.base import BundleSource, read_whole
from lading.bundle.stores.finding import open_source
from lading.bundle.stores.limits import MAX_MANIFEST, unpacked_limit
from lading.errors import BundleError
from lading.filenames import MANIFEST
from lading.messages import Message


class OpenedBundle(ABC):
    """A bundle that is open; use it in a ``with`` statement.

    Args:
        path: its folder or archive.
        max_bytes: how many bytes its entity files may have; by default, for an archive, very many
            times its size.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int | None = None) -> None:
        self.path = Path(os.fsdecode(path))
        self._source: BundleSource = open_source(self.path)
        size = self._source.size
        self._most = max_bytes or (None if size is None else unpacked_limit(size))
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _begin(self) -> None:
        """Read the manifest."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder or archive."""
        self._source.close()

    def _manifest_text(self) -> bytes:
        """Return the text of the manifest."""
        if MANIFEST not in self._source.names():
            raise BundleError(
                Message(
                    "bundle-missing", f"has no {MANIFEST}: an incomplete bundle, or none at all"
                ),
                "Check the path, or export again.",
                file=str(self.path),
            )
        return read_whole(self._source, MANIFEST, MAX_MANIFEST)
