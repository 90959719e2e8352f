"""Databases to throw away: fresh ones from a factory, with all tables of a catalog's models."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from lading.declare.catalog import Catalog
from lading.engine.session import refusals
from lading.engine.tables import tables_of
from lading.errors import TargetError, shown

#: What makes a fresh database at each call, and gives an engine over it.
EngineFactory = Callable[[], sa.Engine | AbstractContextManager[sa.Engine]]
#: The databases that every SQLite connection has, whatever is attached to it.
OWN_SCHEMAS = ("main", "temp")


@runtime_checkable
class Lending(Protocol):
    """A factory that keeps databases with a catalog's tables, emptied, and lends them again."""

    def lend(
        self, catalog: Catalog, make: Callable[[sa.Engine], None]
    ) -> AbstractContextManager[sa.Engine]:
        """Give an engine over a database that ``make`` has made the tables in, without a row."""


def sqlite_engine() -> sa.Engine:
    """Return an engine over a new SQLite database in memory that enforces foreign keys."""
    engine = sa.create_engine("sqlite://")
    sa.event.listen(engine, "connect", _enforce_foreign_keys)
    return engine


def _enforce_foreign_keys(connection: Any, _record: Any) -> None:
    """SQLite ignores foreign keys unless each connection asks for them."""
    connection.execute("PRAGMA foreign_keys=ON")


@contextmanager
def database(factory: EngineFactory, catalog: Catalog) -> Iterator[sa.Engine]:
    """Yield an engine over a fresh database with all tables of the catalog's models.

    That is all of the metadata that they belong to, and their schemas: on SQLite attached,
    in memory or beside the database's file.  A factory gives an engine, or a context
    manager that gives one and drops its database at the end; either is disposed of.
    ``TargetError`` says what else the factory gave, or which table has rows already.
    """
    with ExitStack() as stack:
        if isinstance(factory, Lending):
            lent = factory.lend(catalog, lambda engine: make_tables(engine, catalog))
            yield stack.enter_context(lent)
            return
        engine = stack.enter_context(_opened(factory))
        if engine.dialect.name == "sqlite":
            stack.enter_context(_attached(engine, _schemas(catalog)))
        make_tables(engine, catalog)
        yield engine


@contextmanager
def _opened(factory: EngineFactory) -> Iterator[sa.Engine]:
    """Open what a factory gives, and close it in any case."""
    given: Any = factory()
    with ExitStack() as stack:
        is_engine = isinstance(given, sa.Engine)
        if not is_engine and isinstance(given, AbstractContextManager):
            engine: Any = stack.enter_context(given)
        else:
            engine = given
        if not isinstance(engine, sa.Engine):
            raise TargetError(
                f"engine_factory gave {shown(engine)}; expected an Engine, or a context manager "
                "that gives one",
                "Write engine_factory=lambda: create_engine(...), over a fresh database each time.",
            )
        stack.callback(engine.dispose)
        yield engine


# Tables


def metadata_of(catalog: Catalog) -> list[sa.MetaData]:
    """Return every metadata that the catalog's models belong to."""
    return list(dict.fromkeys(table.metadata for table in tables_of(catalog.use())))


def _schemas(catalog: Catalog) -> list[str]:
    """Return the names of the schemas that the models' tables are in."""
    tables = [table for metadata in metadata_of(catalog) for table in metadata.tables.values()]
    return sorted({table.schema for table in tables if table.schema})


def make_tables(engine: sa.Engine, catalog: Catalog) -> None:
    """Create the schemas and tables of a catalog's models; ``TargetError`` if rows are there."""
    with refusals(), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            if not _from_template(connection, catalog):
                _create(connection, catalog)
                _require_empty(connection, catalog)
                _keep_template(connection, catalog)
        else:
            existing = sa.inspect(connection).get_schema_names()
            for name in _schemas(catalog):
                if name not in existing:
                    connection.execute(sa.schema.CreateSchema(name))
            _create(connection, catalog)
            _require_empty(connection, catalog)
        connection.commit()


def _create(connection: sa.Connection, catalog: Catalog) -> None:
    with warnings.catch_warnings():
        # Circles among tables concern only the order of DDL; index expressions likewise.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        for metadata in metadata_of(catalog):
            metadata.create_all(connection)


def _require_empty(connection: sa.Connection, catalog: Catalog) -> None:
    for metadata in metadata_of(catalog):
        for table in metadata.tables.values():
            some = sa.select(sa.literal(1)).select_from(table).limit(1)
            if connection.execute(some).first() is not None:
                raise TargetError(
                    f"table {table.fullname} has rows already; expected a fresh database",
                    "Let engine_factory make a new, empty database at each call.",
                    entity=table.fullname,
                )


# SQLite


@contextmanager
def _attached(engine: sa.Engine, schemas: list[str]) -> Iterator[None]:
    """Attach a database for each schema to every connection, and remove their files."""
    main = engine.url.database
    in_memory = main in (None, "", ":memory:") or "mode=memory" in str(main)
    paths = {name: ":memory:" if in_memory else f"{main}.{name}" for name in schemas}
    made = [Path(path) for path in paths.values() if path != ":memory:" and not Path(path).exists()]
    quote = engine.dialect.identifier_preparer.quote

    def attach(connection: Any, _record: Any = None) -> None:
        known = {row[1] for row in connection.execute("PRAGMA database_list")}
        for name in paths.keys() - known - set(OWN_SCHEMAS):
            connection.execute(f"ATTACH ? AS {quote(name)}", (paths[name],))

    if schemas:
        sa.event.listen(engine, "connect", attach)
        with engine.connect() as connection:  # it may have been connected before
            attach(connection.connection.driver_connection)
    try:
        yield
    finally:
        if schemas:
            sa.event.remove(engine, "connect", attach)
            engine.dispose()
        for path in made:
            path.unlink(missing_ok=True)


class Template:
    """The bytes of SQLite's databases with a catalog's tables; creating those takes far longer.

    ``of`` is what they were made of and how: other tables, or other settings, need others.
    """

    def __init__(self, of: tuple[Any, ...], files: dict[str, bytes]) -> None:
        self.of = of
        self.files = files


_templates: WeakKeyDictionary[Catalog, Template] = WeakKeyDictionary()


def _from_template(connection: sa.Connection, catalog: Catalog) -> bool:
    """Fill an empty database in memory with the tables, if they were made before."""
    template = _templates.get(catalog)
    if template is None or template.of != _template_key(connection, catalog):
        return False
    driver: Any = connection.connection.driver_connection
    if not _is_empty_in_memory(driver):
        return False
    for name, data in template.files.items():
        driver.deserialize(data, name=name)
    return True


def _keep_template(connection: sa.Connection, catalog: Catalog) -> None:
    driver: Any = connection.connection.driver_connection
    connection.commit()
    files = _files(driver)
    if hasattr(driver, "serialize") and not any(files.values()):
        made = {name: driver.serialize(name=name) for name in files if name != "temp"}
        _templates[catalog] = Template(_template_key(connection, catalog), made)


def _template_key(connection: sa.Connection, catalog: Catalog) -> tuple[Any, ...]:
    """Return what a template depends on: the tables as they are now, and how they are created."""
    tables = [
        (table, len(table.columns), len(table.constraints), len(table.indexes))
        for metadata in metadata_of(catalog)
        for table in metadata.tables.values()
    ]
    settings = [
        connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("encoding", "page_size")
    ]
    return (*tables, *settings, repr(connection.get_execution_options()))


def _files(driver: Any) -> dict[str, str]:
    """Return the databases of a connection with their files, which are empty in memory."""
    return {row[1]: row[2] for row in driver.execute("PRAGMA database_list")}


def _is_empty_in_memory(driver: Any) -> bool:
    files = _files(driver)
    if any(files.values()) or driver.in_transaction:
        return False
    quoted = (name.replace(chr(34), chr(34) * 2) for name in files if name != "temp")
    masters = (f'"{name}".sqlite_master' for name in quoted)
    return not any(driver.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in masters)
