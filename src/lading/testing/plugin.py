"""Fixtures for pytest: an engine factory for each engine, for ``engine_factory=`` and moves.

Write ``pytest_plugins = ["lading.testing.plugin"]`` in the ``conftest.py`` of your tests.
The fixtures live as long as the whole run, so a test with ``@given`` may ask for them.
``LADING_POSTGRESQL`` and ``LADING_MARIADB`` name your servers (SQLAlchemy URLs, of a user
who may create databases).  Without the first, a private PostgreSQL server is started where
the wheel of ``lading[testing-postgresql]`` is installed.  Where there is no server, the tests
are skipped, or fail if ``LADING_REQUIRE_POSTGRESQL`` or ``LADING_REQUIRE_MARIADB`` is set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing

import pytest
import sqlalchemy as sa

from lading.errors import TargetError
from lading.fresh_databases.factories import EngineFactory, sqlite_engine
from lading.fresh_databases.servers import ServerDatabases
from lading.messages import Message, shown
from lading.testing.databases.postgresql import running_server


@pytest.fixture(scope="session")
def lading_sqlite() -> EngineFactory:
    """Engines over SQLite databases in memory, with foreign keys enforced."""
    return sqlite_engine


@pytest.fixture(scope="session")
def lading_postgresql() -> Iterator[EngineFactory]:
    """Engines over PostgreSQL databases, each dropped or emptied after its use."""
    yield from _databases("POSTGRESQL", running_server)


@pytest.fixture(scope="session")
def lading_mariadb() -> Iterator[EngineFactory]:
    """Engines over MariaDB databases, each dropped or emptied after its use."""
    yield from _databases("MARIADB", _no_mariadb)


def _databases(
    name: str, running: Callable[[], AbstractContextManager[sa.URL]]
) -> Iterator[ServerDatabases]:
    """Yield databases of the server that the environment names, or of one that is started."""
    url = os.environ.get(f"LADING_{name}")
    with ExitStack() as stack:
        try:
            server = sa.make_url(url) if url else stack.enter_context(running())
            databases = stack.enter_context(closing(ServerDatabases(server)))
            databases.admin.connect().close()
        except TargetError as error:
            if os.environ.get(f"LADING_REQUIRE_{name}"):
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            pytest.fail(
                f"LADING_{name} is {shown(url)}, and no server answers there: {error}. Write a "
                "SQLAlchemy URL, such as postgresql+psycopg://user@host/database or "
                "mariadb+pymysql://user@host/, and start the server.",
                pytrace=False,
            )
        yield databases


def _no_mariadb() -> AbstractContextManager[sa.URL]:
    raise TargetError(
        Message(
            "server-missing", "there is no MariaDB server to test with: LADING_MARIADB isn't set"
        ),
        "Write the URL of a server, such as mariadb+pymysql://user@host/, into LADING_MARIADB; "
        "pip install 'lading[mariadb]' brings the driver.",
    )
