"""Databases to throw away: fresh ones from a factory, with all tables of a catalog's models."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteTypeCompiler
from sqlalchemy.util import LRUCache

from lading.catalog import Catalog
from lading.database.tables import tables_of
from lading.driver_errors.refusals import refusal_during, refusals
from lading.errors import ArgumentError, TargetError
from lading.fresh_databases import memory_templates
from lading.fresh_databases.bare_tables import bare_copies
from lading.fresh_databases.unfit_tables import unfit_explained
from lading.mapping.engine_types import is_mariadb
from lading.messages import Message, shown

#: What makes a fresh database at each call, and gives an engine over it.
EngineFactory = Callable[[], sa.Engine | AbstractContextManager[sa.Engine]]
#: The databases that every SQLite connection has, whatever is attached to it.
OWN_SCHEMAS = ("main", "temp")
#: How PostgreSQL writes a default that a sequence gives, with the sequence's name as in SQL.
NEXT_VALUE = re.compile(r"\bnextval\('((?:[^']|'')+)'::regclass\)")
#: How SQLite is told to keep a value as it comes.
AS_IT_COMES = "BLOB"


def engine_name(engine: sa.Engine) -> str:
    """Return what the kit calls an engine: sqlite, postgresql or mariadb."""
    return "mariadb" if is_mariadb(engine.dialect) else engine.dialect.name


def tables_of_models(catalog: Catalog) -> list[sa.Table]:
    """Return all tables of the metadata that a catalog's models belong to."""
    metadatas = dict.fromkeys(table.metadata for table in tables_of(catalog.use()))
    return [table for metadata in metadatas for table in metadata.tables.values()]


@runtime_checkable
class Lending(Protocol):
    """A factory that keeps databases with a catalog's tables, emptied, and lends them again.

    ``computes`` says whether these compute what the models' columns say.
    """

    @property
    def computes(self) -> bool:
        """The protocol's attribute."""

    def lend(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> AbstractContextManager[sa.Engine]:
        """Give an engine over a database that ``prepare`` made the tables in, without a row."""


def sqlite_engine() -> sa.Engine:
    """Return an engine over a new SQLite database in memory that enforces foreign keys."""
    first = _first_sqlite_engine()
    engine = sa.Engine(first.pool.recreate(), first.dialect, first.url)
    return engine.execution_options(compiled_cache=_COMPILED)


#: What SQLAlchemy has compiled for all engines in memory, which have one dialect.
_COMPILED: LRUCache[Any, Any] = LRUCache(1_000)


@cache
def _first_sqlite_engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://")
    sa.event.listen(engine, "connect", _enforce_foreign_keys)
    _take_untyped_columns(engine)
    engine.connect().close()  # which makes the dialect know its driver
    engine.dispose()
    return engine


def sqlite_file_engine(path: Path) -> sa.Engine:
    """Return an engine over a SQLite database in a file that enforces foreign keys."""
    engine = sa.create_engine(f"sqlite:///{path}")
    sa.event.listen(engine, "connect", _enforce_foreign_keys)
    sa.event.listen(engine, "connect", _spare_the_disk)
    _take_untyped_columns(engine)
    return engine


class LenientTypes(SQLiteTypeCompiler):
    """Names the types of columns; one of no type keeps values as they come."""

    def visit_null(self, type_: Any, **options: Any) -> str:
        """Name the type of a column that SQLite had without one."""
        return AS_IT_COMES


def _take_untyped_columns(engine: sa.Engine) -> None:
    """Let tables be created that were reflected from ``CREATE TABLE notes (text, ...)``."""
    dialect: Any = engine.dialect
    dialect.type_compiler_instance = LenientTypes(dialect)


def _spare_the_disk(connection: Any, _record: Any) -> None:
    """Nobody needs the file after a crash, and a hundred tables are as many waits for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


def _enforce_foreign_keys(connection: Any, _record: Any) -> None:
    """SQLite ignores foreign keys unless each connection asks for them."""
    connection.execute("PRAGMA foreign_keys=ON")


@contextmanager
def database(
    factory: EngineFactory, catalog: Catalog, *, may_be_bare: bool = False
) -> Iterator[sa.Engine]:
    """Yield an engine over a fresh database with all tables of the catalog's models.

    That is all of the metadata that they belong to, and their schemas: on SQLite attached,
    in memory or beside the database's file; on MariaDB databases of their own.  A factory
    gives an engine, or a context manager that gives one and drops its database at the end;
    either is disposed of.
    ``TargetError`` says what else the factory gave, or which table has rows already.

    Args:
        factory: Gives the database.
        catalog: The catalog of the tables.
        may_be_bare: Whether the tables of a server that refuses them may have neither CHECKs nor
            defaults nor indexes, as far as records can do without.
    """

    def prepare(engine: sa.Engine) -> AbstractContextManager[sa.Engine]:
        return _with_tables(engine, catalog, may_be_bare=may_be_bare)

    with ExitStack() as stack:
        if isinstance(factory, Lending):
            yield stack.enter_context(factory.lend(catalog, prepare))
        else:
            engine = stack.enter_context(_opened(factory))
            yield stack.enter_context(prepare(engine))


def computes_columns(factory: Any) -> bool:
    """Tell whether a factory's databases compute what the models' columns say."""
    return not isinstance(factory, Lending) or factory.computes


def check_factory(argument: str, factory: Any, expected: str = "") -> None:
    """Refuse what gives no engines; an engine serves but once."""
    if isinstance(factory, Lending) or (callable(factory) and not isinstance(factory, sa.Engine)):
        return
    raise ArgumentError(
        argument,
        factory,
        Message("factory-malformed", expected or "a function that returns a fresh engine"),
        f"Write {argument}=lambda: create_engine(...), over a fresh database each time.",
    )


@contextmanager
def _opened(factory: EngineFactory) -> Iterator[sa.Engine]:
    """Open what a factory gives, and close it in any case."""
    check_factory("engine_factory", factory)
    called: Any = factory
    result: Any = called()
    with ExitStack() as stack:
        is_engine = isinstance(result, sa.Engine)
        if not is_engine and isinstance(result, AbstractContextManager):
            engine: Any = stack.enter_context(result)
        else:
            engine = result
        if not isinstance(engine, sa.Engine):
            raise ArgumentError(
                "engine_factory",
                engine,
                Message("factory-malformed", "an Engine, or a context manager of one"),
                "Write engine_factory=lambda: create_engine(...), over a fresh database each time.",
                subject=f"engine_factory returned {shown(engine)}",
            )
        stack.callback(engine.dispose)
        yield engine


# Tables


@contextmanager
def _with_tables(engine: sa.Engine, catalog: Catalog, *, may_be_bare: bool) -> Iterator[sa.Engine]:
    """Make the schemas and tables of a catalog's models; ``TargetError`` if rows are there."""
    tables = tables_of_models(catalog)
    schemas = sorted({table.schema for table in tables if table.schema})
    with ExitStack() as stack:
        # Only while tables are made: what is done with them later has errors of its own.
        with refusals(entities=catalog.use()):
            usable = stack.enter_context(_with_schemas(engine, schemas))
            with usable.connect() as connection:
                if engine.dialect.name != "sqlite":
                    _create_on_server(connection, catalog, tables, may_be_bare=may_be_bare)
                elif not memory_templates.serve(connection, catalog, tables):
                    _create(connection, tables)
                    memory_templates.keep(connection, catalog, tables)
                connection.commit()
        yield usable


def _with_schemas(engine: sa.Engine, names: list[str]) -> AbstractContextManager[sa.Engine]:
    if engine.dialect.name == "sqlite":
        return _attached(engine, names)
    return _translated(engine, names) if is_mariadb(engine.dialect) else _made(engine, names)


@contextmanager
def _made(engine: sa.Engine, names: list[str]) -> Iterator[sa.Engine]:
    """Create the schemas that aren't there; they go with the database."""
    with engine.begin() as connection:
        for name in names:
            connection.execute(sa.schema.CreateSchema(name, if_not_exists=True))
    yield engine


@contextmanager
def _translated(engine: sa.Engine, names: list[str]) -> Iterator[sa.Engine]:
    """Have a schema's tables in one that is this database's own, and drop it afterwards.

    MariaDB's schemas are databases, which all others of a server see.
    """
    own = {name: f"{engine.url.database}_{name}" for name in names if name != engine.url.database}
    with ExitStack() as stack:
        for name in own.values():
            with engine.begin() as connection:
                connection.execute(sa.schema.CreateSchema(name))
            stack.callback(_drop_schema, engine, name)
        yield engine.execution_options(schema_translate_map=own) if own else engine


def _drop_schema(engine: sa.Engine, name: str) -> None:
    engine.dispose()  # an open transaction would hold its tables for ever
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(name))


def _create_on_server(
    connection: sa.Connection, catalog: Catalog, tables: Sequence[sa.Table], *, may_be_bare: bool
) -> None:
    """Create tables, bare ones if need be; see ``database``."""
    is_undone = connection.dialect.name == "postgresql"  # MariaDB commits each CREATE
    try:
        with connection.begin_nested() if is_undone else nullcontext():
            _create(connection, tables)
    except sa.exc.DBAPIError:
        if not may_be_bare:
            raise
        with _explained(catalog):
            _create(connection, tables, bare_copies(tables, catalog.use()))


@contextmanager
def _explained(catalog: Catalog) -> Iterator[None]:
    """Say of a server's refusal to create tables what to do about it."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise refusal_during(
            "restore-failed",
            "an empty database can't have the tables",
            error,
            entities=catalog.use(),
            remedy="Create what is missing in the server's template database (PostgreSQL: "
            "template1), or restore into SQLite: leave --scratch out, or pass restore=True.",
        ) from error


def _create(
    connection: sa.Connection,
    tables: Sequence[sa.Table],
    metadatas: Iterable[sa.MetaData] | None = None,
) -> None:
    """Create tables by their metadata, or by copies of it."""
    with warnings.catch_warnings():
        # Circles among tables concern only the order of DDL; index expressions likewise.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        _create_sequences(connection, tables)
        with unfit_explained(connection.dialect, tables):
            for metadata in metadatas or dict.fromkeys(table.metadata for table in tables):
                metadata.create_all(connection)
    for table in tables:
        _require_empty(connection, table)


def _create_sequences(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Create what the defaults of reflected columns count by, which no metadata has."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.columns:
            default = column.server_default
            arg = default.arg if isinstance(default, sa.DefaultClause) else None
            for name in NEXT_VALUE.findall(str(arg)):
                name_as_sql = name.replace("''", "'")
                connection.exec_driver_sql(f"CREATE SEQUENCE IF NOT EXISTS {name_as_sql}")


def _require_empty(connection: sa.Connection, table: sa.Table) -> None:
    some = sa.select(sa.literal(1)).select_from(table).limit(1)
    if connection.execute(some).first() is not None:
        raise TargetError(
            Message(
                "database-not-empty",
                f"table {table.fullname} has rows already; expected a fresh database",
            ),
            "Let engine_factory make a new, empty database at each call.",
            entity=table.fullname,
        )


# SQLite


@contextmanager
def _attached(engine: sa.Engine, schemas: list[str]) -> Iterator[sa.Engine]:
    """Attach a database for each schema to every connection, and remove their files."""
    main = engine.url.database
    in_memory = main in (None, "", ":memory:") or "mode=memory" in str(main)
    paths = {name: ":memory:" if in_memory else f"{main}.{name}" for name in schemas}
    created = [
        Path(path) for path in paths.values() if path != ":memory:" and not Path(path).exists()
    ]
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
        yield engine
    finally:
        if schemas:
            sa.event.remove(engine, "connect", attach)
            engine.dispose()
        for path in created:
            path.unlink(missing_ok=True)


# Engines of the caller's own


@contextmanager
def emptied_after(engine: sa.Engine, catalog: Catalog) -> Iterator[sa.Engine]:
    """Yield an engine of the caller's, and delete at the end what its tables were filled with."""
    try:
        yield engine
    finally:
        with engine.begin() as connection:
            there = sa.inspect(connection)
            tables = tables_of_models(catalog)
            without_rows(connection, [t for t in tables if there.has_table(t.name, t.schema)])


def without_rows(connection: sa.Connection, tables: list[sa.Table]) -> None:
    """Delete all rows of some tables, whatever circles these refer to each other in."""
    dialect = connection.dialect
    if dialect.name == "postgresql":
        # A hundred times as fast as TRUNCATE, which makes a new file of each table.
        if connection.exec_driver_sql("SHOW is_superuser").scalar() == "on":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        elif tables:
            names = ", ".join(map(dialect.identifier_preparer.format_table, tables))
            connection.exec_driver_sql(f"TRUNCATE {names}")
            return
    elif dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    else:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
    for table in tables:
        connection.execute(sa.delete(table))
    if is_mariadb(dialect):
        connection.exec_driver_sql("SET foreign_key_checks = 1")
