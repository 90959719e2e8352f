"""What a bundle needs of the operating system, with its errors made ours.

Every ``OSError`` leaves here as a ``BundleError`` that names the file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lading.bundle.stores.limits import PIECE
from lading.errors import BundleError
from lading.filenames import MANIFEST
from lading.messages import DAMAGED, Message

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind.
    fcntl = None  # type: ignore[assignment]
HAS_LOCKS = fcntl is not None

__all__ = [
    "hold",
    "locked",
    "open_folder",
    "open_regular",
    "pieces_of",
    "remove",
    "reported",
    "sync_folder",
]

# O_NONBLOCK: opening a FIFO must not wait for its writer.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
#: What to do about the errors that people meet, by number.
_REMEDIES = {
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "Check the path.",
    errno.EACCES: "Check who may use it.",
    errno.EPERM: "Check who may use it.",
    errno.ENOSPC: "Make room on the disk.",
}
_FOLDER: int | None = getattr(os, "O_DIRECTORY", None)


@contextmanager
def reported(file: str | Path, action: str, remedy: str = "") -> Iterator[None]:
    """Turn an ``OSError`` into a ``BundleError``: ``file: it can't be <action>: why``."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise BundleError(
            Message("file-unusable", f"can't be {action}: {why}"),
            remedy or _REMEDIES.get(error.errno or 0, ""),
            file=str(file),
        ) from error


def open_folder(path: Path) -> int | None:
    """Open a folder itself, so that it stays the same one; ``None`` where that can't be."""
    if _FOLDER is None:
        next(path.iterdir(), None)
        return None
    return os.open(path, os.O_RDONLY | _FOLDER | os.O_CLOEXEC)


def open_regular(name: str, folder: Path, folder_fd: int | None, *, shown: str = "") -> BinaryIO:
    """Open a file of a folder for reading; refuse links, pipes, devices and folders.

    Args:
        name: The file's name in the folder.
        folder: The folder's path.
        folder_fd: The folder's descriptor, if it is open: the file is then opened within it.
        shown: What errors call the file; by default its name.
    """
    shown = shown or name
    with reported(shown, "read"):
        where = name if folder_fd is not None else folder / name
        try:
            fd = os.open(where, _READ, dir_fd=folder_fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise _irregular(shown) from error
            if error.errno == errno.ENOENT:
                raise BundleError(
                    Message("file-missing", "is missing from the bundle"), DAMAGED, file=shown
                ) from error
            raise
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise _irregular(shown)
        return os.fdopen(fd, "rb", buffering=0)


def _irregular(name: str) -> BundleError:
    return BundleError(
        Message("file-unusual", "is not a plain file"),
        "Put the file itself in its place.",
        file=name,
    )


def pieces_of(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield a file's bytes from where it stands, and close it."""
    with file, reported(name, "read"):
        while piece := file.read(PIECE):
            yield piece


def sync_folder(path: Path) -> None:
    """Make a folder's entries durable, where its file system can."""
    fd = open_folder(path)
    if fd is None:
        return
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers of this folder's bundles out for a moment.

    The lock is the system's: it ends with the process.  Where the file system
    has no locks, nothing is kept out.
    """
    fd = open_folder(folder)
    try:
        if HAS_LOCKS and fd is not None:
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        if fd is not None:
            os.close(fd)


def hold(path: Path) -> int | None:
    """Lock a temporary for as long as the descriptor returned is open.

    Returns ``None`` if another process holds it, or if that can't be known.
    """
    if not HAS_LOCKS:
        return None
    fd = -1
    try:
        fd = os.open(path, _READ)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if fd >= 0:
            os.close(fd)
        return None
    return fd


def remove(path: Path, names: Container[str] | None = None) -> bool:
    """Remove a file, or a folder with the files in it, and tell whether it is gone.

    Of a folder's files, only those with one of the ``names``, the manifest last.  What a folder
    inside of it holds is never touched.
    """
    try:
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return True
        for file in sorted(path.iterdir(), key=lambda file: file.name == MANIFEST):
            if names is None or file.name in names:
                with suppress(OSError):
                    file.unlink()
        path.rmdir()
    except OSError:
        return not os.path.lexists(path)
    return True
