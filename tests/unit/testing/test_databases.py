"""Databases to throw away have every table, no row, and are gone afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Session, mapped_column

from lading import ArgumentError, Catalog, TargetError
from lading.fresh_databases.factories import database, sqlite_engine
from support import worlds
from support.declaring import catalog_of, new_base, table


def tables(engine: sa.Engine, schema: str | None = None) -> set[str]:
    """List a database's tables."""
    return set(sa.inspect(engine).get_table_names(schema))


def with_schema() -> tuple[Catalog, Any]:
    """Declare one table in a schema, one without, and one that no schema declares."""
    base = new_base()

    class Item(base):
        __tablename__ = "items"
        __table_args__ = {"schema": "sh op"}
        slug = mapped_column(sa.String(20), primary_key=True)

    class Note(base):
        __tablename__ = "notes"
        slug = mapped_column(sa.String(20), primary_key=True)

    sa.Table("log", base.metadata, sa.Column("text", sa.Text))
    return catalog_of(Item, Note, leaves_out={"log": "of no use"}), Item


@pytest.mark.parametrize("name", ["types", *worlds.ALL])
def test_each_time_all_tables_are_there_and_empty(name: str) -> None:
    """The second time from bytes that were kept, which are those of the tables alone."""
    world = getattr(worlds, name)()
    for _ in range(3):
        with database(sqlite_engine, world.catalog) as engine:
            assert tables(engine) == set(world.metadata.tables)
            with engine.connect() as connection:
                for table in world.metadata.tables.values():
                    assert connection.execute(sa.select(table)).all() == []
            with Session(engine) as session:
                world.fill(session)
                session.commit()


def test_foreign_keys_are_enforced_each_time() -> None:
    """On connections that took the tables from kept bytes as well."""
    world = worlds.shelves()
    for _ in range(2):
        with database(sqlite_engine, world.catalog) as engine, engine.connect() as connection:
            with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
                row = {"uuid": UUID(int=1), "owner_email": "no"}
                connection.execute(sa.insert(world.Book), [row])


def test_tables_that_are_declared_later_are_made_as_well() -> None:
    """What was kept serves only as long as it is what the models say."""
    world = worlds.shelves()
    with database(sqlite_engine, world.catalog):
        pass
    sa.Table("later", world.metadata, sa.Column("n", sa.Integer))
    with database(sqlite_engine, world.catalog) as engine:
        assert "later" in tables(engine)
    world.metadata.tables["later"].append_column(sa.Column("m", sa.Integer))
    with database(sqlite_engine, world.catalog) as engine:
        assert len(sa.inspect(engine).get_columns("later")) == 2


def test_schemas_are_attached_in_memory() -> None:
    """Each as a database of its own, to every connection, each time."""
    catalog, item = with_schema()
    for _ in range(2):
        with database(sqlite_engine, catalog) as engine:
            assert tables(engine) == {"notes", "log"}
            assert tables(engine, "sh op") == {"items"}
            with Session(engine) as session:
                session.add(item(slug="a"))
                session.commit()


def test_schemas_of_files_are_files_that_go(tmp_path: Path) -> None:
    """Beside the database's own, which is its factory's to remove."""
    catalog, item = with_schema()
    path = tmp_path / "a.sqlite"
    with database(lambda: sa.create_engine(f"sqlite:///{path}"), catalog) as engine:
        with Session(engine) as session:
            session.add(item(slug="a"))
            session.commit()
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_schemas_are_made_on_servers(postgresql: Any) -> None:
    """Where they don't exist yet."""
    catalog, _ = with_schema()
    with database(postgresql.database, catalog) as engine:
        assert tables(engine, "sh op") == {"items"}


@pytest.mark.parametrize("type_", [mysql.TINYINT(), sa.ARRAY(sa.Text())])
def test_a_type_that_the_engine_lacks_is_named(type_: Any) -> None:
    """With the column, and what to pass instead."""
    catalog = catalog_of(table(new_base(), "items", size=mapped_column(type_)))
    problem = f"sqlite has no type {type_!r}, which column items.size is of"
    with pytest.raises(TargetError, match=re.escape(problem)) as caught:
        with database(sqlite_engine, catalog):
            pass
    assert "Pass engine_factory=" in caught.value.remedy


def test_indexes_of_one_name_are_refused_with_what_to_do() -> None:
    """MariaDB has them in several tables, and SQLite in one."""
    base = new_base()
    models = [table(base, name, by=mapped_column(sa.Integer)) for name in ("items", "notes")]
    for model in models:
        sa.Index("by_index", model.__table__.c.by)
    problem = "sqlite can't have the models' tables: index by_index already exists"
    with pytest.raises(TargetError, match=problem) as caught:
        with database(sqlite_engine, catalog_of(*models)):
            pass
    assert "Pass engine_factory=" in caught.value.remedy


def test_what_only_the_applications_connections_have_is_told() -> None:
    """A listener registers it on each connection, unless it is another engine's."""
    items = table(new_base(), "items")
    items.__table__.append_constraint(sa.CheckConstraint("known(id)"))
    with pytest.raises(TargetError, match="no such function: known") as caught:
        with database(sqlite_engine, catalog_of(items)):
            pass
    assert "If another engine has it, pass engine_factory=" in caught.value.remedy
    assert "Otherwise, only the application's" in caught.value.remedy
    assert "connection.create_function('known', ...)" in caught.value.remedy


def test_rows_that_are_there_are_refused() -> None:
    """A database that isn't fresh would be compared with what was never written."""
    world = worlds.shelves()
    shared = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    shared.dispose = lambda close=True: None  # type: ignore[method-assign]
    with database(lambda: shared, world.catalog) as engine:
        world.filled(engine)
    with pytest.raises(TargetError, match=r"has rows already; expected a fresh database") as caught:
        with database(lambda: shared, world.catalog):
            pass
    assert "engine_factory" in str(caught.value)
    assert caught.value.entity in world.metadata.tables
    sa.Engine.dispose(shared)


@pytest.mark.parametrize("given", [None, "sqlite://", sa.MetaData()])
def test_what_is_no_engine_is_refused(given: Any) -> None:
    """With what was expected instead."""
    with pytest.raises(ArgumentError, match="expected an Engine, or a context manager"):
        with database(lambda: given, worlds.shelves().catalog):
            pass


def test_whatever_happens_the_factory_is_told() -> None:
    """Its context ends, and its engine is disposed of, after errors as well."""
    seen: list[str] = []

    @contextmanager
    def factory() -> Iterator[sa.Engine]:
        engine = sqlite_engine()
        sa.event.listen(engine.pool, "close", lambda *_: seen.append("closed"))
        try:
            yield engine
        finally:
            seen.append("dropped")

    with pytest.raises(ZeroDivisionError):
        with database(factory, worlds.shelves().catalog):
            raise ZeroDivisionError
    assert seen == ["closed", "dropped"]


def test_what_the_database_refuses_is_said() -> None:
    """As an error of ours, with its reason."""
    base = new_base()

    class Item(base):
        __tablename__ = "items"
        __table_args__ = (sa.CheckConstraint("no_such_thing(slug)"),)
        slug = mapped_column(sa.String(20), primary_key=True)

    with pytest.raises(TargetError, match="no_such_thing"):
        with database(sqlite_engine, catalog_of(Item)):
            pass
