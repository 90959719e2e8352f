"""Databases of a server, which are kept between uses: making one takes hundreds of milliseconds."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog

#: The most databases that wait for their next use; the one that waited longest goes first.
MOST_IDLE = 8
#: Seconds that emptying a database waits for what holds it, before it is dropped instead.
PATIENCE = 5


@dataclass(frozen=True, eq=False)
class Kept:
    """A database with a catalog's tables; ``state`` is how it looked when it was made."""

    catalog: Catalog
    engine: sa.Engine
    state: Any
    stack: ExitStack


class ServerDatabases(ABC):
    """An engine factory over a server: each call gives an engine over a database of its own.

    The database is dropped when the context ends.  :meth:`lend` instead keeps databases and
    empties them, which takes a few milliseconds; one that can't be emptied, or whose tables
    were changed, is dropped.
    """

    def __init__(self, server: sa.URL) -> None:
        self.server = server
        self.admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        # Several processes may share a server.
        self.prefix = f"lading_{secrets.token_hex(4)}"
        self.numbers = count(1)
        self.idle: list[Kept] = []

    @contextmanager
    def __call__(self) -> Iterator[sa.Engine]:
        """Yield an engine over a new, empty database, and drop it afterwards."""
        name = f"{self.prefix}_{next(self.numbers)}"
        with self.admin.connect() as connection:
            self.create(connection, name)
        engine = sa.create_engine(self.server.set(database=name))
        try:
            yield engine
        finally:
            engine.dispose()
            with self.admin.connect() as connection:
                self.drop(connection, name)

    @contextmanager
    def lend(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> Iterator[sa.Engine]:
        """Yield an engine over a database that ``prepare`` made the tables in, without a row."""
        waiting = [kept for kept in self.idle if kept.catalog is catalog]
        if waiting:
            self.idle.remove(kept := waiting[-1])
        else:
            kept = self._made(catalog, prepare)
        try:
            yield kept.engine
        finally:
            self._take_back(kept)

    def close(self) -> None:
        """Drop every database that waits, and close all connections."""
        while self.idle:
            self.idle.pop().stack.close()
        self.admin.dispose()

    def _made(
        self,
        catalog: Catalog,
        prepare: Callable[[sa.Engine], AbstractContextManager[sa.Engine]],
    ) -> Kept:
        with ExitStack() as stack:
            engine = stack.enter_context(prepare(stack.enter_context(self())))
            with engine.connect() as connection:
                state = self.state(connection)
            return Kept(catalog, engine, state, stack.pop_all())

    def _take_back(self, kept: Kept) -> None:
        kept.engine.dispose()  # what a test set for its connections is gone with them
        try:
            with kept.engine.connect() as connection:
                is_as_made = self.state(connection) == kept.state
                if is_as_made:
                    self.empty(connection)
                    connection.commit()
        except sa.exc.SQLAlchemyError:  # whatever holds it, a new one is as good
            is_as_made = False
        kept.engine.dispose()
        if not is_as_made:
            kept.stack.close()
            return
        self.idle.append(kept)
        while len(self.idle) > MOST_IDLE:
            self.idle.pop(0).stack.close()

    @abstractmethod
    def create(self, connection: sa.Connection, name: str) -> None:
        """Create a database."""

    @abstractmethod
    def drop(self, connection: sa.Connection, name: str) -> None:
        """Drop a database, whoever is connected to it."""

    @abstractmethod
    def state(self, connection: sa.Connection) -> Any:
        """Return what is another if tables were made, dropped or altered."""

    @abstractmethod
    def empty(self, connection: sa.Connection) -> None:
        """Delete every row of the connection's database, and begin its ids anew."""
