"""A private MariaDB server, where ``mariadbd`` is installed.

It lives in a temporary folder of its own, listens on a unix socket there and nowhere
else, and is stopped and removed at the end of the run. Nothing of it need outlive a
crash, so it waits for no disk.
"""

from __future__ import annotations

import getpass
import shutil
import socket as socketlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

#: Seconds that the server gets to answer.
PATIENCE = 30
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
def running_mariadb(server: str) -> Iterator[sa.URL]:
    """Start a server, yield its URL without a database, and stop it again."""
    home = Path(tempfile.mkdtemp(prefix="lading-maria-"))
    data, socket = home / "data", home / "socket"
    common = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}"]
    try:
        install = found("mariadb-install-db")
        assert install is not None, "mariadb-install-db is missing beside mariadbd"
        made = subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                [server, *common, f"--socket={socket}", *OPTIONS], stdout=log, stderr=log
            )
        try:
            yield _answering(process, socket, home / "log")
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _answering(process: subprocess.Popen[bytes], socket: Path, log: Path) -> sa.URL:
    """Wait until the server answers, and return its URL."""
    until = time.monotonic() + PATIENCE
    while not _listens(socket):
        alive = process.poll() is None and time.monotonic() < until
        assert alive, f"mariadbd doesn't answer:\n{log.read_text()}"
        time.sleep(0.05)
    return sa.make_url("mariadb+pymysql://root@/?charset=utf8mb4").update_query_dict(
        {"unix_socket": str(socket)}
    )


def _listens(path: Path) -> bool:
    with socketlib.socket(socketlib.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
