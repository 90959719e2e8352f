"""Database URLs: what can't be used says what to write instead, and passwords are never shown."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.conftest import make_database
from lading.cli.secrets import masked, without_passwords
from support.backends import Backend

SECRET = "s3cr3t-w0rd"


def test_each_engine_takes_part(run, backend: Backend, tmp_path) -> None:
    """A database of each engine is exported, restored and compared, with nothing declared."""
    tables = [
        "CREATE TABLE suppliers (id INTEGER PRIMARY KEY, slug VARCHAR(40) NOT NULL UNIQUE)",
        "CREATE TABLE products (id INTEGER PRIMARY KEY, slug VARCHAR(40) NOT NULL UNIQUE, "
        "supplier_id INTEGER, FOREIGN KEY (supplier_id) REFERENCES suppliers (id))",
    ]
    rows = ["INSERT INTO suppliers VALUES (4, 'mill')", "INSERT INTO products VALUES (7, 'rye', 4)"]
    if backend.dialect == "sqlite":
        url = make_database(tmp_path / "a.db")
        other = make_database(tmp_path / "b.db", rows="")
        round_trip(run, url, other, 5)
        return
    with backend.database() as engine, backend.database() as target:
        for database, statements in ((engine, tables + rows), (target, tables)):
            with database.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
        urls = [one.url.render_as_string(hide_password=False) for one in (engine, target)]
        round_trip(run, *urls, 2)


def test_types_of_an_engines_own_are_restored_or_left_out(run, backend: Backend) -> None:
    """The scratch database takes arrays, and columns that no bundle carries."""
    own = {"postgresql": "tags TEXT[], price MONEY", "mariadb": "tags TEXT, place POINT"}
    if backend.dialect not in own:
        return
    with backend.database() as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE TABLE products (id INTEGER PRIMARY KEY, {own[backend.dialect]})"
            )
            tags = '{"a,b",NULL}'
            connection.exec_driver_sql(f"INSERT INTO products (id, tags) VALUES (1, '{tags}')")
        url = engine.url.render_as_string(hide_password=False)
        run("export", url, "backup")
        run("verify", "backup", "--restore", "--database", url)


#: A product's columns that engines have different types for, by engine.
COLUMNS = {
    "sqlite": "size VARCHAR(5), flags TEXT, doc JSON, is_new BOOLEAN, price NUMERIC",
    "postgresql": "size size, flags TEXT, doc JSONB, is_new BOOLEAN, price NUMERIC(8, 2)",
    "mariadb": "size ENUM('s', 'm'), flags SET('a', 'b'), doc JSON, is_new BOOLEAN, "
    "price DECIMAL(8, 2)",
}
VARIED = [
    "INSERT INTO products VALUES ('a', 's', 'a,b', '{\"a\": [1]}', true, 1.50)",
    "INSERT INTO products VALUES ('b', NULL, NULL, NULL, NULL, NULL)",
    "INSERT INTO parts VALUES ('a', 1), ('a', 2)",
]


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_engines_with_different_types_take_each_others_records(
    run, request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    """A bundle's kinds of values decide what a column of the target is taken for; and back."""
    backend: Backend = request.getfixturevalue(dialect)
    tables = [
        f"CREATE TABLE products (name VARCHAR(9) PRIMARY KEY, {COLUMNS[backend.dialect]})",
        "CREATE TABLE parts (product VARCHAR(9) REFERENCES products (name), n INTEGER, "
        "PRIMARY KEY (product, n))",
    ]
    if backend.dialect == "postgresql":
        tables.insert(0, "CREATE TYPE size AS ENUM ('s', 'm')")
    elif backend.dialect == "mariadb":
        tables = [table + " COLLATE utf8mb4_bin" for table in tables]
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(
            f"CREATE TABLE products (name TEXT PRIMARY KEY, {COLUMNS['sqlite']});"
            "CREATE TABLE parts (product TEXT REFERENCES products, n INT, PRIMARY KEY (product, n))"
        )
    with backend.database() as engine, backend.database() as copy:
        for database, statements in ((engine, tables + VARIED), (copy, tables)):
            with database.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
        url, back = (one.url.render_as_string(hide_password=False) for one in (engine, copy))
        run("export", url, "there")
        run("import", f"sqlite:///{path}", "there")
        run("export", f"sqlite:///{path}", "again")
        run("import", back, "again")
        for side in (url, back):
            run("diff", side, "again")
        run("diff", url, f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as other:
            rows = other.execute("SELECT * FROM products ORDER BY name").fetchall()
        assert rows[0] == ("a", "s", "a,b", '{"a": [1]}', 1, 1.5)


def round_trip(run, url: str, other: str, count: int) -> None:
    """Move all records from one database to the other."""
    run("export", url, "backup")
    assert f"{count} inserted" in run("import", other, "backup").stdout
    run("diff", url, other)
    run("diff", other, "backup")
    run("verify", "backup", "--restore", "--database", other)
    assert f", {count} records" in run("inspect", other).stdout


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"postgresql+asyncpg://me:{SECRET}@h/d", "write 'postgresql+psycopg://me:***@h/d'"),
        ("sqlite+aiosqlite:///app.db", "write 'sqlite:///app.db'"),
        (f"postgres://me:{SECRET}@h/d", "write 'postgresql+psycopg://me:***@h/d'"),
        (f"mysql://me:{SECRET}@h/d", "write 'mysql+pymysql://me:***@h/d' (pip install 'lading[mariadb]')"),
        (f"oracle://me:{SECRET}@h/d", "expected one such as sqlite:///app.db"),
        (f"nothing://me:{SECRET}@h/d", "there is no engine 'nothing'; expected one such as"),
        (f"postgresql://me:{SECRET}@h:port/d", "isn't a database URL; expected one such as"),
        (f"postgresql://me:{SECRET}/@h@i:port/d", "isn't a database URL"),
        ("://", "isn't a database URL"),
        ("mariadb+pymysql://h/d?charset=utf9", "Check the parameters after '?', such as charset"),
        (f"sqlite:///app.db?password={SECRET}&nonsense=1", "the SQLite file 'app.db' doesn't exist"),
    ],
)  # fmt: skip
def test_urls_that_cant_be_used_say_what_can(run, url, expected) -> None:
    """The message names the URL to use, and it is the command line that is wrong."""
    code = 4 if url.startswith("sqlite:///") else 2
    result = run("export", url, "backup", code=code)
    assert expected in result.stderr
    assert SECRET not in result.output
    [line] = run("inspect", url, "--json", code=code).stdout.splitlines()
    assert expected in json.loads(line)["message"]
    assert SECRET not in line


@pytest.mark.parametrize(
    ("url", "extra"),
    [("postgresql+psycopg://h/d", "postgresql"), ("mysql+pymysql://h/d", "mariadb")],
)
def test_a_missing_driver_is_told_with_its_extra(run, url, extra, monkeypatch) -> None:
    """What to install is one line to copy."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "pymysql", None)
    assert f"isn't installed: pip install 'lading[{extra}]'" in run("inspect", url, code=2).stderr


def test_a_short_password_is_masked_only_where_it_stands_as_one(monkeypatch) -> None:
    """A longer one is masked wherever it stands, for a driver may quote it."""
    monkeypatch.setattr("lading.cli.secrets._passwords", set())
    assert masked("postgresql://me:is@h/d") == "postgresql://me:***@h/d"
    assert masked("postgresql://me:secret@h/d") == "postgresql://me:***@h/d"
    text = "this is secret: postgresql://me:is@h/d"
    assert without_passwords(text) == "this is ***: postgresql://me:***@h/d"


def test_a_server_that_cant_be_reached_is_the_databases_fault(run) -> None:
    """Its code is 4, and the message is the driver's, without the password."""
    for driver in ("postgresql+psycopg", "mysql+pymysql"):
        result = run("inspect", f"{driver}://me:{SECRET}@127.0.0.1:1/d", code=4)
        assert result.stderr.startswith("Error: ")
        assert SECRET not in result.output


def test_a_missing_file_is_not_created(run, folder) -> None:
    """SQLite would make an empty database of it."""
    assert "doesn't exist" in run("import", "sqlite:///missing.db", "backup", code=4).stderr
    assert "is a folder" in run("inspect", f"sqlite:///{folder}", code=4).stderr
    assert not Path("missing.db").exists()


def test_what_is_no_database_is_told(run) -> None:
    """A file of another kind, and a database without a table."""
    Path("text.db").write_text("not a database, but long enough to be looked at" * 99)
    assert "file is not a database" in run("inspect", "sqlite:///text.db", code=4).stderr
    sa.create_engine("sqlite:///empty.db").connect().close()
    Path("empty.db").touch()
    assert "no table" in run("export", "sqlite:///empty.db", "backup", code=4).stderr
    assert not Path("backup").exists()


def test_a_database_of_tables_that_cant_be_taken_says_why(run) -> None:
    """Its URL may be right, and its application has created them."""
    connection = sqlite3.connect("keyless.db")
    connection.execute("CREATE TABLE log (line TEXT)")
    connection.close()
    assert "log: it has no primary key" in run("inspect", "sqlite:///keyless.db", code=4).stderr


def test_the_password_of_the_target_is_masked(run, backup, shop) -> None:
    """Where it is printed before anything is written, and wherever it stands later."""
    result = run("import", f"{shop}?token={SECRET}", backup, code=None)
    assert f"Target: {shop}?token=***" in result.stderr or "token=***" in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize(
    "arguments",
    [("export", "backup"), ("inspect",), ("diff", "backup"), ("verify",), ("init", "app")],
)
def test_a_sqlite_files_path_is_told_its_url(run, shop, arguments) -> None:
    """A file that is a database is no bundle, and no folder for a package."""
    path = shop.removeprefix("sqlite:///")
    command, *rest = arguments
    assert f"write sqlite:///{path}" in run(command, path, *rest, code=2).stderr


def test_a_path_without_a_bundle_is_told_before_the_catalog(run) -> None:
    """Nobody looks for a catalog of what isn't there."""
    assert "missing.db: there is no such file" in run("export", "missing.db", "x", code=3).stderr


def test_what_an_application_registers_on_connections_is_declared_beside_the_catalog(
    run, folder: Path
) -> None:
    """As the error says; the connection that only asks whether a database answers is not used."""
    with closing(sqlite3.connect(folder / "cards.db")) as connection:
        connection.create_collation("unicase", lambda one, other: (one > other) - (one < other))
        connection.executescript(
            "CREATE TABLE decks (id INTEGER PRIMARY KEY, body TEXT, "
            "name TEXT NOT NULL UNIQUE COLLATE unicase)"
        )
    text = run("export", "sqlite:///cards.db", "backup", code=4).stderr
    assert "decks: the database refused: no such collation sequence: unicase. " in text
    assert "@sqlalchemy.event.listens_for(sqlalchemy.Engine, 'connect')" in text
    (folder / "cards.py").write_text(
        "import sqlalchemy\n"
        "from lading import Catalog\n"
        "@sqlalchemy.event.listens_for(sqlalchemy.Engine, 'connect')\n"
        "def register(connection, record):\n"
        "    if hasattr(connection, 'create_collation'):\n"
        "        connection.create_collation('unicase', lambda a, b: (a > b) - (a < b))\n"
        "catalog = Catalog.from_metadata(sqlalchemy.create_engine('sqlite:///cards.db'))\n"
    )
    try:
        run("export", "sqlite:///cards.db", "backup", "--catalog", "cards:catalog")
    finally:
        sa.event.remove(sa.Engine, "connect", sys.modules["cards"].register)
