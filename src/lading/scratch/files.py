"""Temporary files and databases, whose errors are said to be those of the temporary folder."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from lading.errors import BundleError
from lading.messages import Message


@contextmanager
def scratch() -> Iterator[None]:
    """Turn what the system says of a temporary file into a ``BundleError`` with a remedy."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BundleError(
            Message("temporary-space", f"temporary files can't be kept in {_folder()}: {why}"),
            "Make room there, or name another folder by the environment's TMPDIR.",
        ) from error


def database() -> sqlite3.Connection:
    """Open a database in a temporary file of its own, in autocommit mode.

    Without a name SQLite keeps it where nobody else sees it, and in a file only if it is large.
    """
    base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    base.execute("pragma journal_mode = off")
    base.execute("pragma synchronous = off")
    return base


def _folder() -> str:
    try:
        return repr(tempfile.gettempdir())
    except OSError:
        return repr(os.environ.get("TMPDIR", "the system's temporary folder"))
