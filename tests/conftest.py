"""Fixtures: a database to throw away, on each engine that is supported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from support.backends import NAMES, Backend, PostgreSQL, SQLiteFile, SQLiteMemory
from support.postgres import running_server

# Equal runs on every machine, and no deadline where a shared core may stall.
settings.register_profile(
    "lading", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lading")


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


@pytest.fixture(scope="session", params=NAMES)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each supported database engine in turn: what a contract suite runs over."""
    made: Backend = request.getfixturevalue(request.param.replace("-", "_"))
    return made


@pytest.fixture
def engine(backend: Backend) -> Iterator[sa.Engine]:
    """An engine over a fresh, empty database of each backend."""
    with backend.database() as made:
        yield made
