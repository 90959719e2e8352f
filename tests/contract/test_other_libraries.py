"""Models as other libraries have people declare them, and how such applications call lading."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import sqlmodel
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.ext.asyncio import create_async_engine as async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    mapped_column,
    registry,
    relationship,
)
from sqlalchemy.pool import StaticPool

from lading import (
    ArgumentError,
    Catalog,
    DeclarationError,
    EntitySchema,
    TargetError,
    diff,
    export_all,
    import_all,
    import_document,
)
from support.backends import ON_FILES_TOO, ON_SQLITE, Backend
from support.heroes import Heroes
from support.rewriting import entity_bytes

Restored = Callable[[Any, Catalog], list[str]]


@pytest.fixture
def restored(backend: Backend, tmp_path: Path) -> Restored:
    """Take records to another database, and return the entities, if all came there as they were."""

    def restore(session: Any, catalog: Catalog) -> list[str]:
        manifest = export_all(session, tmp_path / "first", catalog=catalog)
        metadata = {rows.table.metadata for rows in catalog.use().all_rows()}
        with backend.database() as engine:
            for tables in metadata:
                tables.create_all(engine)
            import_all(engine, tmp_path / "first", catalog=catalog)
            export_all(engine, tmp_path / "second", catalog=catalog)
        assert entity_bytes(tmp_path / "first") == entity_bytes(tmp_path / "second")
        assert all(entry.record_count for entry in manifest.files)
        return [entry.entity_type for entry in manifest.files]

    return restore


# Flask-SQLAlchemy


class Shop:
    """An application of Flask with models of one database or, with ``logs``, of two."""

    def __init__(self, *urls: str, base: type | None = None) -> None:
        self.db: Any = SQLAlchemy(**({} if base is None else {"model_class": base}))
        self.app = Flask(__name__)
        self.app.config["SQLALCHEMY_DATABASE_URI"] = urls[0]
        self.app.config["SQLALCHEMY_BINDS"] = dict(zip(["logs"], urls[1:], strict=False))
        self.db.init_app(self.app)
        db = self.db
        tagged = db.Table(
            "tagged",
            sa.Column("good_id", sa.ForeignKey("good.id"), primary_key=True),
            sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
        )

        class Tag(db.Model):
            __tablename__ = "tag"
            id: Mapped[int] = mapped_column(primary_key=True)
            slug: Mapped[str] = mapped_column(sa.String(9), unique=True)

        class Good(db.Model):
            __tablename__ = "good"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str] = mapped_column(sa.String(9), unique=True)
            tags: Mapped[list[Tag]] = relationship(Tag, secondary=tagged)

        class Log(db.Model):
            __tablename__ = "log"
            __bind_key__ = "logs" if urls[1:] else None
            id: Mapped[int] = mapped_column(primary_key=True)
            text: Mapped[str] = mapped_column(sa.String(9), unique=True)

        self.Tag, self.Good, self.Log = Tag, Good, Log

    def fill(self) -> None:
        self.db.create_all()
        self.db.session.add(self.Good(name="salt", tags=[self.Tag(slug="white")]))
        self.db.session.add(self.Log(text="opened"))
        self.db.session.commit()


@pytest.fixture
def two_databases(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(f"sqlite:///{tmp_path / 'main.db'}", f"sqlite:///{tmp_path / 'logs.db'}")
    with shop.app.app_context():
        shop.fill()
        yield shop
        shop.db.session.remove()
        for engine in shop.db.engines.values():
            engine.dispose()


@pytest.mark.parametrize("owner", ["session", "engine"])
@ON_SQLITE
def test_models_of_flask_sqlalchemy_are_adopted(
    owner: str, backend: Backend, tmp_path: Path, restored: Restored
) -> None:
    """By ``db.Model``, with ``db.session`` or ``db.engine``."""
    shop = Shop(f"sqlite:///{tmp_path / 'app.db'}")
    with shop.app.app_context():
        shop.fill()
        names = restored(getattr(shop.db, owner), Catalog.from_metadata(shop.db.Model))
        assert names == ["log", "tag", "good"]
        shop.db.session.remove()
        shop.db.engine.dispose()


@ON_SQLITE
def test_models_of_each_bind_are_a_catalog(
    backend: Backend, two_databases: Shop, restored: Restored
) -> None:
    """By their classes or by the bind's own MetaData, and the session finds their database."""
    shop = two_databases
    reason = {"log": "in the other database"}
    goods = Catalog.from_metadata([shop.Good, shop.Tag], leaves_out=reason)
    assert restored(shop.db.session, goods) == ["tag", "good"]


@pytest.mark.parametrize("owner", ["session", "engine"])
@ON_SQLITE
def test_a_metadata_of_a_bind_is_a_catalog(
    owner: str, backend: Backend, two_databases: Shop, restored: Restored
) -> None:
    """Flask-SQLAlchemy has one for each, whose tables say where they are."""
    db = two_databases.db
    session = db.session if owner == "session" else db.engines["logs"]
    assert restored(session, Catalog.from_metadata(db.metadatas["logs"])) == ["log"]


def test_models_of_several_databases_are_no_bundle(two_databases: Shop, tmp_path: Path) -> None:
    """The error says which are where, and what to do."""
    catalog = Catalog.from_metadata(two_databases.db.Model)
    with pytest.raises(
        TargetError, match=r"to 2 databases: good, tag to sqlite.*; log to"
    ) as caught:
        export_all(two_databases.db.session, tmp_path / "b", catalog=catalog)
    assert "such as db.metadatas[key] with Flask-SQLAlchemy" in caught.value.remedy
    with pytest.raises(TargetError, match="no table log") as caught:
        export_all(two_databases.db.engine, tmp_path / "b", catalog=catalog)
    assert "give each a catalog of its own" in caught.value.remedy


def test_the_extension_itself_is_no_source(two_databases: Shop) -> None:
    """Its models are, and the error says so."""
    with pytest.raises(DeclarationError, match=r"give it db\.Model"):
        Catalog.from_metadata(two_databases.db)


def test_a_session_of_an_application_needs_its_context(tmp_path: Path) -> None:
    """What Flask raises outside of one is told as an error of the target."""
    shop = Shop(f"sqlite:///{tmp_path / 'app.db'}")
    with pytest.raises(TargetError, match=r"no scope here.*inside of app\.app_context"):
        export_all(shop.db.session, tmp_path / "b", catalog=Catalog.from_metadata(shop.db.Model))


# SQLModel


def test_models_of_sqlmodel_are_adopted(backend: Backend, restored: Restored) -> None:
    """With its own types, and ids that it makes up."""
    heroes = Heroes()
    with backend.database() as engine:
        heroes.fill(engine)
        names = restored(engine, Catalog.from_metadata(heroes.Base))
    assert names == ["tag", "team", "hero", "link"]


@ON_SQLITE
def test_models_of_sqlmodel_are_declared(backend: Backend, restored: Restored) -> None:
    """A schema's model may be a class of SQLModel, and its session is a session."""
    heroes = Heroes()
    catalog = Catalog("heroes")
    for model in (heroes.Hero, heroes.Tag, heroes.Team):
        options = {"model": model, "catalog": catalog, "natural_key": None}
        options["natural_key"] = "slug" if model is heroes.Tag else "name"
        type(f"{model.__name__}Schema", (EntitySchema,), {"Meta": type("Meta", (), options)})
    with backend.database() as engine:
        heroes.fill(engine)
        with sqlmodel.Session(engine) as session:
            assert restored(session, catalog) == ["tag", "team", "hero"]


# Dataclasses


def test_dataclasses_are_adopted(backend: Backend, restored: Restored) -> None:
    """Whose own constructors lading never calls."""

    class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
        pass

    class Shelf(Base):
        __tablename__ = "shelf"
        id: Mapped[int] = mapped_column(init=False, primary_key=True)
        code: Mapped[str] = mapped_column(sa.String(9), unique=True)

    class Good(Base):
        __tablename__ = "good"
        id: Mapped[int] = mapped_column(init=False, primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(9), unique=True)
        note: Mapped[str | None] = mapped_column(sa.String(9), default=None)
        shelf_id: Mapped[int] = mapped_column(sa.ForeignKey("shelf.id"), init=False)
        shelf: Mapped[Shelf] = relationship()

    with backend.database(Base.metadata) as engine:
        with Session(engine) as session:
            session.add(Good(name="salt", shelf=Shelf(code="low")))
            session.commit()
        assert restored(engine, Catalog.from_metadata(Base)) == ["shelf", "good"]


@ON_SQLITE
def test_dataclasses_of_a_registry_are_adopted(backend: Backend, restored: Restored) -> None:
    """A decorator of a registry declares models without a base."""
    models = registry()

    @models.mapped_as_dataclass(kw_only=True)
    class Good:
        __tablename__ = "good"
        id: Mapped[int] = mapped_column(init=False, primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(9), unique=True)

    with backend.database(models.metadata) as engine:
        with Session(engine) as session:
            session.add(Good(name="salt"))
            session.commit()
        assert restored(engine, Catalog.from_metadata(models)) == ["good"]


# asyncio


@ON_FILES_TOO
def test_a_database_is_adopted_through_asyncio(backend: Backend, tmp_path: Path) -> None:
    """``run_sync`` of a connection takes every function that takes a connection."""
    with backend.database() as engine:
        twin = backend.async_twin(engine)
        if twin is None:
            pytest.skip("no second engine, or no driver for asyncio")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE good (code VARCHAR(9) PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO good VALUES ('salt')")

        async def run() -> None:
            async with twin.connect() as connection:
                catalog = await connection.run_sync(Catalog.from_metadata, name="here")
                await connection.run_sync(export_all, tmp_path / "b", catalog=catalog)
            async with twin.begin() as connection:
                await connection.execute(sa.text("DELETE FROM good"))
                await connection.run_sync(import_all, tmp_path / "b", catalog=catalog)
            await twin.dispose()

        asyncio.run(run())
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT code FROM good").scalars().all() == ["salt"]


def shelves() -> Catalog:
    """Return a catalog of one table."""
    metadata = sa.MetaData()
    sa.Table("shelves", metadata, sa.Column("code", sa.String(9), primary_key=True))
    return Catalog.from_metadata(metadata, name="shelves")


@pytest.mark.parametrize(
    "give",
    [lambda engine: engine, AsyncSession, async_sessionmaker, AsyncConnection],
    ids=["engine", "session", "factory", "connection"],
)
def test_what_is_for_asyncio_is_told_what_to_do(give: Any, tmp_path: Path) -> None:
    """The error says what to await."""
    given = give(async_engine("sqlite+aiosqlite://"))
    catalog = shelves()
    calls: dict[str, Callable[[], object]] = {
        "export_all": lambda: export_all(given, tmp_path / "b", catalog=catalog),
        "import_document": lambda: import_document(given, {"shelves": []}, catalog=catalog),
        "diff": lambda: diff(given, {"shelves": []}, catalog=catalog),
    }
    for name, call in calls.items():
        with pytest.raises(
            ArgumentError, match=rf"await async_session\.run_sync\({name}, \.\.\.\)"
        ):
            call()
    with pytest.raises(DeclarationError, match=r"run_sync\(Catalog\.from_metadata\)"):
        Catalog.from_metadata(given)


def test_an_asyncio_engine_cant_be_reflected_outside_of_asyncio() -> None:
    """The error of SQLAlchemy's speaks of greenlets."""
    engine = async_engine("sqlite+aiosqlite://", poolclass=StaticPool).sync_engine
    with pytest.raises(TargetError, match=r"run_sync\(import_document, \.\.\.\)"):
        import_document(engine, {"shelves": []}, catalog=shelves())
    with pytest.raises(TargetError, match=r"run_sync\(Catalog\.from_metadata\)"):
        Catalog.from_metadata(engine)


def test_asyncpg_is_told_which_url_serves() -> None:
    """Also where nothing has connected yet; asyncpg itself needn't be installed."""
    driver: Any = types.SimpleNamespace(exceptions=None)
    for name in ("PostgresError", "InterfaceError"):
        setattr(driver, name, type(name, (Exception,), {}))
    driver.exceptions = driver
    engine = async_engine("postgresql+asyncpg://u@h/d", module=AsyncAdapt_asyncpg_dbapi(driver))
    for given in (engine, AsyncSession(engine), async_sessionmaker(engine)):
        with pytest.raises(
            ArgumentError, match=r"asyncpg isn't supported: use postgresql\+psycopg"
        ):
            export_all(given, "b", catalog=Catalog("any"))
