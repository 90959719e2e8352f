"""What a database raises while rows are read or written names the entity, the table and a remedy.

The tables are called otherwise than their entities, for an error has to name both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    Owned,
    TargetError,
    diff,
    export_all,
    export_document,
    import_document,
)
from support.backends import ON_SQLITE, Backend
from support.declaring import new_base, schema_for, to


def books() -> tuple[sa.MetaData, Catalog]:
    """Return books with tags as links, and with pages that they own."""
    base, catalog = new_base(), Catalog("books")
    links = sa.Table(
        "t_links",
        base.metadata,
        sa.Column("book_id", sa.ForeignKey("t_books.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("t_tags.id"), primary_key=True),
    )

    class Tag(base):
        __tablename__ = "t_tags"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), unique=True, nullable=False)

    class Page(base):
        __tablename__ = "t_pages"
        id = mapped_column(sa.Integer, primary_key=True)
        number = mapped_column(sa.Integer)
        book_id = to("t_books.id", null=False)

    class Book(base):
        __tablename__ = "t_books"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), unique=True, nullable=False)
        year = mapped_column(sa.Integer)
        tags = relationship(Tag, secondary=links)
        pages = relationship(Page)

    schema_for(Tag, catalog, name="tags")
    pages = schema_for(Page, catalog, name="pages")
    schema_for(Book, catalog, {"pages": Owned(pages)}, name="books")
    return base.metadata, catalog


METADATA, CATALOG = books()
TABLES = ("t_books", "t_pages", "t_links")


def document(*names: str, year: int = 1) -> dict[str, Any]:
    """Return a document of books with a tag and a page each."""
    tags, pages = [{"name": "a"}], [{"number": year}]
    items = [{"name": name, "year": year, "tags": tags, "pages": pages} for name in names]
    return {"tags": tags, "books": items}


def reads(engine: sa.Engine) -> Iterator[Callable[[], object]]:
    """Yield what only reads."""
    yield lambda: export_document(engine, catalog=CATALOG)
    yield lambda: diff(engine, document("b", year=2), catalog=CATALOG)
    for mode in ("skip", "update"):
        yield lambda mode=mode: import_document(
            engine, document("b", "c", year=2), catalog=CATALOG, on_conflict=mode, dry_run=True
        )


def writes(engine: sa.Engine) -> Iterator[Callable[[], object]]:
    """Yield what writes."""
    for names, mode in ((("b", "c"), "skip"), (("b",), "update"), ((), "mirror")):
        yield lambda names=names, mode=mode: import_document(
            engine, document(*names, year=2), catalog=CATALOG, on_conflict=mode
        )


def assert_named(work: Callable[[], object], table: str, text: str = "") -> TargetError:
    """Assert that work is refused by an error with the entity, the table, a remedy and a text."""
    with pytest.raises(TargetError, match=text) as caught:
        work()
    assert caught.value.entity == "books"
    assert table in str(caught.value)
    assert caught.value.remedy
    return caught.value


def run(engine: sa.Engine, *statements: str) -> None:
    """Run statements in one transaction."""
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@contextmanager
def filled(backend: Backend) -> Iterator[sa.Engine]:
    """Yield a database with one book."""
    with backend.database(METADATA) as engine:
        import_document(engine, document("b"), catalog=CATALOG)
        yield engine


def failing_triggers(dialect: str, table: str) -> list[str]:
    """Return triggers that call a function which isn't there."""
    events = ("INSERT", "UPDATE", "DELETE")
    if dialect == "postgresql":
        return [
            "CREATE FUNCTION calling() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM gone(1); RETURN NULL; END $$",
            f"CREATE TRIGGER calls AFTER {' OR '.join(events)} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION calling()",
        ]
    body = "BEGIN SELECT gone(1); END" if dialect == "sqlite" else "SET @x = gone(1)"
    return [
        f"CREATE TRIGGER calls_{event} AFTER {event} ON {table} FOR EACH ROW {body}"
        for event in events
    ]


@pytest.mark.parametrize("table", TABLES)
def test_a_trigger_that_fails_is_told_with_its_table(table: str, backend: Backend) -> None:
    """Whichever of a record's tables has it, and whatever is written to it."""
    with filled(backend) as engine:
        run(engine, *failing_triggers(engine.dialect.name, table))
        refused = 0
        for work in writes(engine):
            try:
                work()
            except TargetError:
                assert_named(work, table, "gone")
                refused += 1
        assert refused >= 2


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_a_privilege_that_is_missing_is_told_with_its_table(
    name: str, table: str, request: pytest.FixtureRequest
) -> None:
    """To read it; PostgreSQL's statement names the table that the entity begins with too."""
    backend: Backend = request.getfixturevalue(name)
    user, others = "reader", [t.name for t in METADATA.sorted_tables if t.name != table]
    with filled(backend) as engine:
        if name == "postgresql":
            host, url, options = user, engine.url, {"options": f"-c role={user}"}
            create, drop = f"CREATE ROLE {user}", [f"DROP OWNED BY {user}", f"DROP ROLE {user}"]
        else:
            host, url, options = f"{user}@localhost", engine.url.set(username=user), {}
            create, drop = f"CREATE USER {host}", [f"DROP USER {host}"]
        run(engine, create, *(f"GRANT SELECT ON {other} TO {host}" for other in others))
        run(engine, f"GRANT INSERT ON {table} TO {host}")
        reader = sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)
        try:
            for work in reads(reader):
                assert_named(work, table, "lacks a privilege")
        finally:
            run(engine, *drop)


@pytest.mark.parametrize("name", ["sqlite_memory", "mariadb"])
def test_a_view_of_what_isnt_there_is_told(name: str, request: pytest.FixtureRequest) -> None:
    """In a table's place; PostgreSQL keeps what a view names."""
    with filled(request.getfixturevalue(name)) as engine:
        run(
            engine,
            "DROP TABLE t_links",
            "CREATE TABLE whole (book_id INTEGER, tag_id INTEGER)",
            "CREATE VIEW t_links AS SELECT * FROM whole",
            "DROP TABLE whole",
        )
        for work in (*reads(engine), *writes(engine)):
            assert_named(work, "t_links", "repair or drop it")


def registered(connection: Any, _: object = None) -> None:
    """Give a connection what an application does."""
    if isinstance(connection, sqlite3.Connection):
        connection.create_collation("unicase", lambda a, b: (a > b) - (a < b))
        connection.create_function("title_sort", 1, lambda text: text, deterministic=True)


LACKING = {
    "a collation": "CREATE INDEX sorts ON t_books (year COLLATE unicase)",
    "a function of an index": "CREATE INDEX sorts ON t_books (title_sort(name))",
    "a function of a column": (
        "ALTER TABLE t_books ADD COLUMN sort TEXT GENERATED ALWAYS AS (title_sort(name)) VIRTUAL"
    ),
}


@pytest.mark.parametrize("lacks", LACKING)
def test_what_only_an_application_s_connections_have_is_told(lacks: str, tmp_path: Any) -> None:
    """With the table, and a remedy that works when it is followed."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    own = sa.create_engine(url)
    sa.event.listen(own, "connect", registered)
    METADATA.create_all(own)
    import_document(own, document("b"), catalog=CATALOG)
    run(own, LACKING[lacks])
    own.dispose()
    engine = sa.create_engine(url)
    work = next(writes(engine))
    error = assert_named(work, "t_books", "no such collation|unknown function")
    assert "listens_for(sqlalchemy.Engine, 'connect')" in error.remedy
    sa.event.listen(sa.Engine, "connect", registered)
    try:
        engine.dispose()
        work()
    finally:
        sa.event.remove(sa.Engine, "connect", registered)
        engine.dispose()


@ON_SQLITE
def test_a_virtual_table_without_its_module_is_left_out(backend: Backend, tmp_path: Path) -> None:
    """Its name alone is read, by imports that look at foreign keys and exports of revisions too."""
    with filled(backend) as engine:
        run(
            engine,
            "CREATE TABLE words (x)",
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = 'CREATE VIRTUAL TABLE words USING gone(x)', "
            "rootpage = 0 WHERE name = 'words'",
            "PRAGMA writable_schema = RESET",
        )
        for work in (*reads(engine), *writes(engine)):
            work()
        adopted = Catalog.from_metadata(engine)
        export_all(engine, tmp_path / "bundle", catalog=adopted)
        assert "words" not in adopted.use().roots
        assert "virtual table" in str(adopted.coverage()["words"])
