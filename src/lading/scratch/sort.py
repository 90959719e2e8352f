"""An external merge sort, for orders that a database can't give."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from operator import itemgetter
from typing import IO, Any

from lading.scratch.files import scratch
from lading.values.json_text import on_own_stack

#: Records that are read, written or sorted at a time.
CHUNK = 2_000

RUN = 20_000
RUN_BYTES = 32 * 1024 * 1024


def externally_sorted(
    items: Iterable[tuple[Any, Any]],
    *,
    run: int = RUN,
    size: Callable[[tuple[Any, Any]], int] | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Yield (key, value) pairs by key, holding at most ``run`` of them and the merge's heads.

    ``size`` says how many bytes an item has, where few of them may have many.  Runs are kept in
    unlinked temporary files, so nothing is left behind.
    """
    files: list[IO[bytes]] = []
    pending: list[tuple[Any, Any]] = []
    try:
        pending_bytes = 0
        for element in items:
            pending.append(element)
            pending_bytes += size(element) if size is not None else 0
            if len(pending) >= run or pending_bytes >= RUN_BYTES:
                files.append(_spill(pending))
                pending, pending_bytes = [], 0
        pending.sort(key=itemgetter(0))
        runs = [*(_read(file) for file in files), iter(pending)]
        yield from heapq.merge(*runs, key=itemgetter(0))
    finally:
        for file in files:
            _close(file)


def _spill(pending: list[tuple[Any, Any]]) -> IO[bytes]:
    pending.sort(key=itemgetter(0))
    with scratch():
        file = tempfile.TemporaryFile(prefix="lading-sort-")  # noqa: SIM115 - closed by the caller
        try:
            for element in pending:
                file.write(on_own_stack(pickle.dumps, element, pickle.HIGHEST_PROTOCOL))
            file.seek(0)
        except BaseException:
            _close(file)
            raise
        return file


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # what couldn't be written can't be flushed either
        file.close()


def _read(file: IO[bytes]) -> Iterator[tuple[Any, Any]]:
    while True:
        try:
            with scratch():
                element = pickle.load(file)  # noqa: S301 - our own unlinked file
        except EOFError:
            return
        yield element


def chunked(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield items in lists of at most so many."""
    pending = iter(items)
    while chunk := list(islice(pending, size)):
        yield chunk
