"""MariaDB to test with: databases of a server, and a private one where ``mariadbd`` is installed.

That lives in a temporary folder of its own, listens on a unix socket there and nowhere
else, and is stopped and removed at the end of the run. Nothing of it need outlive a
crash, so it waits for no disk.
"""

from __future__ import annotations

import getpass
import importlib.util
import shutil
import socket as socketlib
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.errors import TargetError
from lading.testing.servers.lending import PATIENCE, ServerDatabases

#: Seconds that the server gets to answer.
START = 30
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
OPTIONS = (
    "--skip-networking",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--innodb-fast-shutdown=2",
    "--innodb-log-file-size=64M",
    "--innodb-file-per-table=0",
)


def found(program: str) -> str | None:
    """Return where a program is; servers often stand where only root looks for them."""
    return shutil.which(program) or shutil.which(program, path=SBIN)


class MariaDBDatabases(ServerDatabases):
    """An engine factory over a MariaDB server; its text compares by code point.

    A schema is a database of its own there, so each of the models' schemas is one that is
    named after the database that it belongs to.
    """

    def create(self, connection: sa.Connection, name: str) -> None:
        """Create a database."""
        collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        connection.exec_driver_sql(f"CREATE DATABASE {name} {collation}")

    def drop(self, connection: sa.Connection, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        _kill_others(connection, [name])
        connection.exec_driver_sql(f"DROP DATABASE {name}")

    def state(self, connection: sa.Connection) -> Any:
        """Return what is another if tables were made, dropped or altered."""
        counted = ("columns", "table_constraints", "triggers")
        schemas = {"columns": "table_schema", "triggers": "trigger_schema"}
        return tuple(
            connection.exec_driver_sql(
                f"SELECT count(*) FROM information_schema.{name} "
                f"WHERE {schemas.get(name, 'constraint_schema')} IN {_marks(connection)}",
                _databases(connection),
            ).scalar()
            for name in counted
        )

    def empty(self, connection: sa.Connection) -> None:
        """Delete every row of the database and its schemas, and begin its ids anew."""
        _kill_others(connection, _databases(connection))
        for waiting in ("lock_wait_timeout", "innodb_lock_wait_timeout"):
            connection.exec_driver_sql(f"SET SESSION {waiting} = {PATIENCE}")
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        quote = connection.dialect.identifier_preparer.quote_identifier
        for schema, name, type_, next_id in connection.exec_driver_sql(
            "SELECT table_schema, table_name, table_type, auto_increment "
            f"FROM information_schema.tables WHERE table_schema IN {_marks(connection)}",
            _databases(connection),
        ).all():
            table = f"{quote(schema)}.{quote(name)}"
            if type_ == "SEQUENCE":
                connection.exec_driver_sql(f"ALTER SEQUENCE {table} RESTART")
            elif type_ != "VIEW":
                # Deleting is faster, but for the numbers to begin anew.
                used = (next_id or 0) > 1 and type_ == "BASE TABLE"
                connection.exec_driver_sql(f"{'TRUNCATE TABLE' if used else 'DELETE FROM'} {table}")


def _kill_others(connection: sa.Connection, names: Iterable[str]) -> None:
    """Close what others left open in some databases."""
    busy = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> connection_id()"
    for name in names:
        for (number,) in connection.exec_driver_sql(busy, (name,)).all():
            with suppress(sa.exc.DBAPIError):  # it may be closing already
                connection.exec_driver_sql(f"KILL {number}")


def _databases(connection: sa.Connection) -> tuple[str, ...]:
    """Return the connection's database, and those that stand for the models' schemas."""
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    return (str(connection.engine.url.database), *translated.values())


def _marks(connection: sa.Connection) -> str:
    return f"({', '.join(['%s'] * len(_databases(connection)))})"


@contextmanager
def running_mariadb(server: str | None = None) -> Iterator[sa.URL]:
    """Start a server (where it is installed by default), yield its URL, and stop it again.

    The URL names no database.  ``TargetError`` says what is missing, and what to install.
    """
    server = server or found("mariadbd")
    if server is None:
        raise missing("mariadbd is not installed")
    if importlib.util.find_spec("pymysql") is None:
        raise missing("the package PyMySQL is missing")
    home = Path(tempfile.mkdtemp(prefix="lading-maria-"))
    data, socket = home / "data", home / "socket"
    # A server that starts removes temporary tables of others that share its folder for them.
    folders = [f"--datadir={data}", f"--tmpdir={home}"]
    common = ["--no-defaults", f"--user={getpass.getuser()}", *folders]
    try:
        install = found("mariadb-install-db")
        if install is None:
            raise missing("mariadb-install-db is not installed beside mariadbd")
        made = subprocess.run(  # noqa: S603 - a program that is installed here
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise missing(f"mariadb-install-db failed: {made.stdout}{made.stderr}")
        with (home / "log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - likewise
                [server, *common, f"--socket={socket}", *OPTIONS], stdout=log, stderr=log
            )
        try:
            yield _answering(process, socket, home / "log")
        finally:
            process.terminate()
            process.wait(timeout=START)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _answering(process: subprocess.Popen[bytes], socket: Path, log: Path) -> sa.URL:
    """Wait until the server answers, and return its URL."""
    until = time.monotonic() + START
    while not _listens(socket):
        if process.poll() is not None or time.monotonic() > until:
            raise missing(f"mariadbd doesn't answer: {log.read_text()}")
        time.sleep(0.05)
    # Nobody listens in on a socket, and making ready to encrypt takes 20 ms a connection.
    return sa.make_url("mariadb+pymysql://root@/?charset=utf8mb4").update_query_dict(
        {"unix_socket": str(socket), "ssl_disabled": "true"}
    )


def missing(problem: str) -> TargetError:
    """Return the error for a server that can't be had."""
    return TargetError(
        f"there is no MariaDB server to test with: {problem}",
        "Install mariadb-server and pip install 'lading[mariadb]', or name a server of yours in "
        "LADING_MARIADB.",
    )


def _listens(path: Path) -> bool:
    with socketlib.socket(socketlib.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
