"""Databases to throw away: each backend gives fresh, empty ones and drops them again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from support.depth import IS_DEEP

NAMES = ("sqlite-memory", "sqlite-file", "postgresql", "mariadb")
ENGINES = NAMES if IS_DEEP else ("sqlite-memory", "postgresql", "mariadb")

#: For tests in which several connections meet, which one database in memory doesn't have.
ON_FILES_TOO = pytest.mark.parametrize("backend", NAMES, indirect=True)
#: For what no engine has a part in: errors that are found first, and bytes of files.
ON_SQLITE = pytest.mark.parametrize(
    "backend", NAMES if IS_DEEP else ["sqlite-memory"], indirect=True
)

DISCONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SWEEP = """
DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT nspname FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema'
  LOOP EXECUTE format('DROP SCHEMA %%I CASCADE', each.nspname); END LOOP;
  CREATE SCHEMA public;
  GRANT USAGE ON SCHEMA public TO PUBLIC;
END $$
"""


class Backend(ABC):
    """One kind of database. ``name`` stands in test ids, ``dialect`` is SQLAlchemy's name."""

    name: ClassVar[str]
    dialect: ClassVar[str]

    def __init__(self) -> None:
        self.numbers = count(1)
        self.dropping: dict[sa.Engine, Callable[[], None]] = {}

    @abstractmethod
    def fresh(self, **options: Any) -> sa.Engine:
        """Return an engine over a new, empty database; ``options`` go to ``create_engine``."""

    def async_twin(self, engine: sa.Engine) -> AsyncEngine | None:
        """Return an asyncio engine over the same database, where there can be one."""
        return None

    def drop(self, engine: sa.Engine) -> None:
        """Close every connection of an engine and remove its database."""
        engine.dispose()
        self.dropping.pop(engine, lambda: None)()

    def drop_all(self) -> None:
        """Drop whatever is left."""
        for engine in list(self.dropping):
            self.drop(engine)

    @contextmanager
    def database(self, metadata: sa.MetaData | None = None, **options: Any) -> Iterator[sa.Engine]:
        """Yield an engine over a fresh database with these tables, and drop it afterwards."""
        engine = self.fresh(**options)
        try:
            if metadata is not None:
                metadata.create_all(engine)
            yield engine
        finally:
            self.drop(engine)


def _with_foreign_keys(engine: sa.Engine) -> sa.Engine:
    """SQLite ignores foreign keys unless each connection asks for them."""

    @sa.event.listens_for(engine, "connect")
    def enforce(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


class SQLiteMemory(Backend):
    """SQLite in memory: one database per engine, for this thread."""

    name = "sqlite-memory"
    dialect = "sqlite"

    def fresh(self, **options: Any) -> sa.Engine:
        engine = _with_foreign_keys(sa.create_engine("sqlite://", **options))
        self.dropping[engine] = lambda: None
        return engine


class SQLiteFile(Backend):
    """SQLite in a file, by a pool of connections."""

    name = "sqlite-file"
    dialect = "sqlite"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def fresh(self, **options: Any) -> sa.Engine:
        path = self.folder / f"{next(self.numbers)}.sqlite"
        engine = _with_foreign_keys(sa.create_engine(f"sqlite:///{path}", **options))
        self.dropping[engine] = lambda: path.unlink(missing_ok=True)
        return engine

    def async_twin(self, engine: sa.Engine) -> AsyncEngine:
        twin = create_async_engine(engine.url.set(drivername="sqlite+aiosqlite"))
        _with_foreign_keys(twin.sync_engine)
        return twin


class ServerBackend(Backend):
    """A server, with a database of its own for each engine."""

    def __init__(self, server: sa.URL) -> None:
        super().__init__()
        self.server = server
        self.admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")

    @abstractmethod
    def create(self, name: str) -> None:
        """Create a database."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Drop a database."""

    def fresh(self, **options: Any) -> sa.Engine:
        name = f"lading_{id(self):x}_{next(self.numbers)}"
        self.create(name)
        engine = sa.create_engine(self.server.set(database=name), **options)
        self.dropping[engine] = lambda: self.remove(name)
        return engine

    def drop_all(self) -> None:
        super().drop_all()
        self.admin.dispose()

    def administer(self, sql: str) -> None:
        """Run SQL outside of any transaction."""
        with self.admin.connect() as connection:
            connection.exec_driver_sql(sql)


class PostgreSQL(ServerBackend):
    """PostgreSQL.

    ``template`` are options of CREATE DATABASE, such as a collation.  A database is created in
    50 ms and warm after another 50, and emptied in five: so it is used again.
    """

    name = "postgresql"
    dialect = "postgresql"

    def __init__(self, server: sa.URL, *, template: str = "") -> None:
        super().__init__(server)
        self.template = template
        self.idle: list[str] = []
        self.sweepers: dict[str, sa.Engine] = {}

    def fresh(self, **options: Any) -> sa.Engine:
        if not self.idle:
            self.idle.append(name := f"lading_{id(self):x}_{next(self.numbers)}")
            self.create(name)
        name = self.idle.pop()
        engine = sa.create_engine(self.server.set(database=name), **options)
        self.dropping[engine] = lambda: self.empty(name)
        return engine

    def create(self, name: str) -> None:
        self.administer(f'CREATE DATABASE "{name}" {self.template}')
        self.sweepers[name] = sa.create_engine(
            self.server.set(database=name), isolation_level="AUTOCOMMIT"
        )

    def empty(self, name: str) -> None:
        """Close what is connected to a database, drop all that stands in it, and keep it."""
        with self.sweepers[name].connect() as connection:
            connection.exec_driver_sql(DISCONNECT)
            connection.exec_driver_sql(SWEEP)
        self.idle.append(name)

    def remove(self, name: str) -> None:
        self.sweepers.pop(name).dispose()
        self.administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def drop_all(self) -> None:
        for engine in list(self.dropping):
            self.drop(engine)
        for name in list(self.sweepers):
            self.remove(name)
        super().drop_all()

    def async_twin(self, engine: sa.Engine) -> AsyncEngine:
        return create_async_engine(engine.url)


class MariaDB(ServerBackend):
    """MariaDB; its text compares by code point unless a column says otherwise."""

    name = "mariadb"
    dialect = "mariadb"

    def create(self, name: str) -> None:
        collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        self.administer(f"CREATE DATABASE {name} {collation}")

    def remove(self, name: str) -> None:
        self.administer(f"DROP DATABASE {name}")
