"""Two databases on each engine, one to export from and one to restore to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from lading.testing.databases.postgresql import running_server
from support.mariadb_server import found, running_mariadb

Databases = tuple[sa.Engine, sa.Engine]

#: By engine, what gives the URL of a server of our own.
SERVERS: dict[str, Callable[..., object]] = {
    "postgresql": running_server,
    "mariadb": running_mariadb,
}
#: Every engine, and its name as people write it.
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
CREATE = {
    "postgresql": "CREATE DATABASE {}",
    "mariadb": "CREATE DATABASE {} CHARACTER SET utf8mb4",
}


def is_installed(engine: str) -> bool:
    """Tell whether an engine can be started here; MariaDB has no wheel."""
    return engine != "mariadb" or found("mariadbd") is not None


@contextmanager
def databases(engine: str, folder: Path) -> Iterator[Databases]:
    """Yield two empty databases, of SQLite in a folder, else on a server that ends with them."""
    if engine == "sqlite":
        urls = [sa.make_url(f"sqlite:///{folder / name}.db") for name in ("source", "target")]
        with opened(urls) as engines:
            yield engines
        return
    with SERVERS[engine]() as server:  # type: ignore[attr-defined]
        urls = [server.set(database=f"bench_{name}") for name in ("source", "target")]
        administrator = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            for url in urls:
                connection.exec_driver_sql(CREATE[engine].format(url.database))
        administrator.dispose()
        with opened(urls) as engines:
            yield engines


@contextmanager
def opened(urls: list[sa.URL]) -> Iterator[Databases]:
    """Yield an engine for each of two URLs."""
    source, target = map(sa.create_engine, urls)
    try:
        yield source, target
    finally:
        source.dispose()
        target.dispose()


def emptied(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """Make a database's tables anew."""
    metadata.drop_all(engine)
    metadata.create_all(engine)
