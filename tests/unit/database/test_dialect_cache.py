"""What is compiled once, and what makes it be compiled anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column

from lading import Catalog, EntitySchema
from lading.database.dialect_cache import dialect_cache
from lading.database.dialects.base import Dialect
from lading.database.session import reading
from lading.database.tables import require_tables
from lading.exporting.reader import CompiledReader


class Base(DeclarativeBase):
    """The models."""


class Thing(Base):
    """One table."""

    __tablename__ = "things"
    id = mapped_column(sa.Integer, primary_key=True)
    slug = mapped_column(sa.String(20), unique=True, nullable=False)


def catalog_of_things(**options: Any) -> Catalog:
    """Return a new catalog of the one table."""
    catalog = Catalog("things", **options)
    meta = type("Meta", (), {"model": Thing, "catalog": catalog, "natural_key": "slug"})
    type("ThingSchema", (EntitySchema,), {"Meta": meta})
    return catalog


def engine_with(ddl: str | None = None, **options: Any) -> sa.Engine:
    """Return a database with the table, as its model says or by other DDL."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool, **options)
    with engine.begin() as connection:
        if ddl is None:
            Base.metadata.create_all(connection)
        else:
            connection.exec_driver_sql(ddl)
    return engine


def dialect_over(engine: sa.Engine, catalog: Catalog) -> Dialect:
    """Return the dialect that a call on a database works with."""
    with reading(engine, catalog) as opened:
        require_tables(opened.database, catalog.use())
        return opened.database.dialect


def test_another_call_works_with_what_was_compiled() -> None:
    """Also on another engine of the same settings, whose tables are the same."""
    catalog = catalog_of_things()
    first = dialect_over(engine_with(), catalog)
    rows = catalog.use()["things"]
    reader = first.once(CompiledReader, rows, False)
    for engine in (engine_with(), engine_with()):
        assert dialect_over(engine, catalog) is first
    assert first.once(CompiledReader, rows, False) is reader
    assert first.once(CompiledReader, rows, True) is not reader


def with_another_column() -> sa.Engine:
    """A database that isn't what the model says."""
    return engine_with("CREATE TABLE things (id INTEGER PRIMARY KEY, slug BLOB NOT NULL UNIQUE)")


def with_another_serializer() -> sa.Engine:
    """An engine that writes JSON in its own way."""
    return engine_with(json_serializer=repr)


def with_another_schema() -> sa.Engine:
    """A connection that finds the tables elsewhere."""
    return engine_with().execution_options(schema_translate_map={None: "main"})


@pytest.mark.parametrize(
    "make", [with_another_column, with_another_serializer, with_another_schema]
)
def test_another_database_is_compiled_for_anew(make: Callable[[], sa.Engine]) -> None:
    """What it is like decides how values are read and written."""
    catalog = catalog_of_things()
    first = dialect_over(engine_with(), catalog)
    assert dialect_over(make(), catalog) is not first
    assert dialect_over(engine_with(), catalog) is first


def test_another_schema_ends_what_was_compiled() -> None:
    """Everything follows from the declarations."""
    catalog = catalog_of_things()
    engine = engine_with()
    first = dialect_over(engine, catalog)

    class Other(Base):
        __tablename__ = "others"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), unique=True, nullable=False)

    Base.metadata.create_all(engine)
    meta = type("Meta", (), {"model": Other, "catalog": catalog, "natural_key": "name"})
    type("OtherSchema", (EntitySchema,), {"Meta": meta})
    assert dialect_over(engine, catalog) is not first


def test_dialects_are_kept_for_the_databases_used_last() -> None:
    """A process that makes many engines doesn't keep them all."""
    catalog = catalog_of_things()
    first = dialect_over(engine_with(), catalog)
    for number in range(20):
        ddl = f"CREATE TABLE things (id INTEGER PRIMARY KEY, slug VARCHAR({number}) UNIQUE)"
        dialect_over(engine_with(ddl), catalog)
    assert len(catalog.use().once(dialect_cache)._dialects) < 10
    assert dialect_over(engine_with(), catalog) is not first
