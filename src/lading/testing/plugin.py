"""Fixtures for pytest: an engine factory for each engine, for ``engine_factory=`` and moves.

Write ``pytest_plugins = ["lading.testing.plugin"]`` in the ``conftest.py`` of your tests.
The fixtures live as long as the whole run, so a test with ``@given`` may ask for them; a
server is started when the first test does.  ``LADING_POSTGRESQL`` and ``LADING_MARIADB``
may name servers of yours (SQLAlchemy URLs, of a user who may create databases); without
them a private server runs, where one is installed.  Where none is, the tests are skipped,
or fail if ``LADING_REQUIRE_POSTGRESQL`` or ``LADING_REQUIRE_MARIADB`` is set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing

import pytest
import sqlalchemy as sa

from lading.errors import TargetError
from lading.messages import shown
from lading.testing.databases import EngineFactory, sqlite_engine
from lading.testing.servers.lending import ServerDatabases
from lading.testing.servers.mariadb import MariaDBDatabases, running_mariadb
from lading.testing.servers.postgresql import PostgreSQLDatabases, running_server


@pytest.fixture(scope="session")
def lading_sqlite() -> EngineFactory:
    """Engines over SQLite databases in memory, with foreign keys enforced."""
    return sqlite_engine


@pytest.fixture(scope="session")
def lading_postgresql() -> Iterator[EngineFactory]:
    """Engines over PostgreSQL databases, each dropped or emptied after its use."""
    yield from _databases("POSTGRESQL", running_server, PostgreSQLDatabases)


@pytest.fixture(scope="session")
def lading_mariadb() -> Iterator[EngineFactory]:
    """Engines over MariaDB databases, each dropped or emptied after its use."""
    yield from _databases("MARIADB", running_mariadb, MariaDBDatabases)


def _databases(
    name: str,
    running: Callable[[], AbstractContextManager[sa.URL]],
    kind: type[ServerDatabases],
) -> Iterator[ServerDatabases]:
    """Give databases of the server that the environment names, or of one that is started."""
    with ExitStack() as stack:
        given = os.environ.get(f"LADING_{name}")
        try:
            server = _reachable(given, name) if given else stack.enter_context(running())
        except TargetError as error:
            if given or os.environ.get(f"LADING_REQUIRE_{name}"):
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
        yield stack.enter_context(closing(kind(server)))


def _reachable(given: str, name: str) -> sa.URL:
    """Return the URL of a server that answers; ``TargetError`` for any other."""
    try:
        url = sa.make_url(given)
        engine = sa.create_engine(url)
        try:
            with engine.connect():
                return url
        finally:
            engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise TargetError(
            f"LADING_{name} is {shown(given)}, and no server answers there: {error}",
            "Write a SQLAlchemy URL, such as postgresql+psycopg://user@host/database or "
            "mariadb+pymysql://user@host/, and start the server.",
        ) from error
