"""One file that is written whole or not at all, in place of the one that is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lading.bundle.stores.files import remove, sync_folder
from lading.bundle.stores.place import Place


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the path's place if the block ends well.

    It is a temporary sibling until then, so that readers see the old file or the new one.  A device
    or a pipe, whose place nothing may take, is written to as it is.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    place = Place(path)
    with place.locked():
        place.tidy()
        mode, temporary = place.mode(), place.temporary()
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(place.path)
        finally:
            remove(temporary)
        sync_folder(place.parent)
