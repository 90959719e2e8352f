"""Fixtures: a database to throw away, on each engine that is supported."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from marshmallow import class_registry

from lading.fresh_databases.servers import ServerDatabases
from lading.testing.databases.postgresql import running_server
from support.backends import ENGINES, Backend, MariaDB, PostgreSQL, SQLiteFile, SQLiteMemory
from support.depth import IS_DEEP, examples
from support.mariadb_server import found, running_mariadb

#: A file system in memory, and the bytes that must be free there: containers often give it 64 MB.
IN_MEMORY, ROOM = Path("/dev/shm"), 2 << 30

# Equal runs on every machine, and no deadline where a shared core may stall.
settings.register_profile("own tests", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("deep", deadline=None, max_examples=examples(100))
settings.load_profile("deep" if IS_DEEP else "own tests")


def pytest_configure() -> None:
    """Keep bundles and the servers' data in memory: each commit would wait for a disk.

    And collect garbage seldom: a session holds thousands of models, which are looked at each time.
    """
    gc.set_threshold(50_000, 20, 50)
    is_usable = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK)
    if "TMPDIR" not in os.environ and is_usable and shutil.disk_usage(IN_MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


#: What marshmallow has registered by the names of classes, once all modules are imported.
SCHEMAS: dict[str, list[Any]] = {}


def pytest_collection_finish() -> None:
    """Take what was imported out of every later collection of garbage."""
    SCHEMAS.update({name: [*classes] for name, classes in class_registry._registry.items()})
    gc.collect()
    gc.freeze()


def pytest_runtest_logfinish() -> None:
    """Let the schemas go that a test declared: marshmallow keeps some of each name for ever.

    With them all of their catalogs, models and engines would stay, and what forks this process or
    collects its garbage would take ten times as long at the end of a session.
    """
    class_registry._registry.clear()
    class_registry._registry.update({name: [*classes] for name, classes in SCHEMAS.items()})


@pytest.fixture
def collected() -> None:
    """Leave little to look through for a test that collects garbage often."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """Run one PostgreSQL server for the whole session; a missing wheel is an error."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_memory() -> Iterator[Backend]:
    """SQLite in memory alone, for what is the same on every engine."""
    made = SQLiteMemory()
    yield made
    made.drop_all()


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """SQLite on disk alone."""
    made = SQLiteFile(tmp_path_factory.mktemp("databases"))
    yield made
    made.drop_all()


@pytest.fixture(scope="session")
def postgresql(postgres_server: sa.URL) -> Iterator[Backend]:
    """PostgreSQL alone."""
    made = PostgreSQL(postgres_server)
    yield made
    made.drop_all()


@pytest.fixture(scope="session")
def mariadb_if_installed() -> Iterator[Backend | None]:
    """MariaDB on one server for the whole session, or nothing where none is installed."""
    program = found("mariadbd")
    if program is None:
        if os.environ.get("LADING_REQUIRE_MARIADB"):
            pytest.fail("LADING_REQUIRE_MARIADB is set, and mariadbd is not installed")
        yield None
        return
    with running_mariadb(program) as url:
        made = MariaDB(url)
        yield made
        made.drop_all()


@pytest.fixture(scope="session")
def mariadb(mariadb_if_installed: Backend | None) -> Backend:
    """MariaDB alone."""
    if mariadb_if_installed is None:
        pytest.skip("mariadbd is not installed")
    return mariadb_if_installed


@pytest.fixture(scope="session")
def lading_postgresql(postgres_server: sa.URL) -> Iterator[ServerDatabases]:
    """The kit's databases on our own server; its plugin would start another."""
    with closing(ServerDatabases(postgres_server)) as databases:
        yield databases


@pytest.fixture(scope="session")
def lading_mariadb(mariadb: MariaDB) -> Iterator[ServerDatabases]:
    """The kit's databases on our own server; its plugin would want the URL of one."""
    with closing(ServerDatabases(mariadb.server)) as databases:
        yield databases


@pytest.fixture(scope="session", params=ENGINES)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each database engine in turn; ``ON_FILES_TOO`` and ``ON_SQLITE`` give more and fewer."""
    made: Backend = request.getfixturevalue(request.param.replace("-", "_"))
    return made


@pytest.fixture
def engine(backend: Backend) -> Iterator[sa.Engine]:
    """An engine over a fresh, empty database of each backend."""
    with backend.database() as made:
        yield made
