"""Databases of a server, kept between uses: creating the tables takes hundreds of milliseconds."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.fresh_databases.factories import tables_of_models, without_rows
from lading.mapping.engine_types import is_mariadb

#: The most databases that wait for their next use; the one that waited longest goes first.
MOST_IDLE = 8
#: SQL that creates and drops a database, by whether the server is MariaDB.
CREATE = {
    True: "CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    False: 'CREATE DATABASE "{}"',
}
DROP = {True: "DROP DATABASE {}", False: 'DROP DATABASE "{}" WITH (FORCE)'}


@dataclass(frozen=True, eq=False)
class Kept:
    """A database with a catalog's tables and no row; closing ``stack`` drops it."""

    catalog: Catalog
    engine: sa.Engine
    stack: ExitStack


class ServerDatabases:
    """An engine factory over a server of PostgreSQL or MariaDB.

    Each call gives an engine over a database of its own, which is dropped when the context
    ends.  :meth:`lend` instead keeps databases and empties them, which takes a few milliseconds.
    The server's user may create databases.
    """

    def __init__(self, server: sa.URL) -> None:
        self.server = server
        self.computes = True
        self.admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        # Several processes may share a server.
        self.prefix = f"lading_{secrets.token_hex(4)}"
        self.numbers = count(1)
        self.idle: list[Kept] = []

    @contextmanager
    def __call__(self) -> Iterator[sa.Engine]:
        """Yield an engine over a new, empty database, and drop it afterwards."""
        name = f"{self.prefix}_{next(self.numbers)}"
        self._administer(CREATE, name)
        engine = sa.create_engine(self.server.set(database=name))
        _take_unknown_types(engine)
        try:
            yield engine
        finally:
            engine.dispose()
            self._administer(DROP, name)

    @contextmanager
    def lend(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> Iterator[sa.Engine]:
        """Yield an engine over a database that ``prepare`` made the tables in, without a row."""
        waiting = [database for database in self.idle if database.catalog is catalog]
        if waiting:
            self.idle.remove(database := waiting[-1])
        else:
            database = self._made(catalog, prepare)
        try:
            yield database.engine
        finally:
            self._take_back(database)

    def close(self) -> None:
        """Drop every database that waits, and close all connections."""
        while self.idle:
            self.idle.pop().stack.close()
        self.admin.dispose()

    def _administer(self, statements: dict[bool, str], name: str) -> None:
        with self.admin.connect() as connection:
            connection.exec_driver_sql(statements[is_mariadb(connection.dialect)].format(name))

    def _made(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> Kept:
        with ExitStack() as stack:
            engine = stack.enter_context(prepare(stack.enter_context(self())))
            return Kept(catalog, engine, stack.pop_all())

    def _take_back(self, database: Kept) -> None:
        database.engine.dispose()  # an example that failed may have left a transaction open
        try:
            with database.engine.begin() as connection:
                without_rows(connection, tables_of_models(database.catalog))
        except sa.exc.SQLAlchemyError:  # whatever holds the rows, a new database is as good
            database.stack.close()
            return
        self.idle.append(database)
        while len(self.idle) > MOST_IDLE:
            self.idle.pop(0).stack.close()


def _take_unknown_types(engine: sa.Engine) -> None:
    """Let tables be created with columns of types that SQLAlchemy doesn't know.

    No record carries such columns.
    """
    engine.connect().close()  # the dialect settles its compilers when it first connects
    dialect: Any = engine.dialect
    compiler = type(dialect.type_compiler_instance)
    lenient = type(compiler.__name__, (compiler,), {"visit_null": lambda *_, **__: "TEXT"})
    dialect.type_compiler_instance = lenient(dialect)
