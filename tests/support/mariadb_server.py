"""A private MariaDB server to test with, where ``mariadbd`` is installed.

It lives in a temporary folder of its own, listens on a unix socket there and nowhere
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from lading.errors import TargetError

#: Seconds that the server gets to answer; a busy machine takes its time.
START = 600
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
        made = subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise missing(f"mariadb-install-db failed: {made.stdout}{made.stderr}")
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
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
        "Install mariadb-server and pip install 'lading[mariadb]'.",
    )


def _listens(path: Path) -> bool:
    with socketlib.socket(socketlib.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
