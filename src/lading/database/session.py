"""Transactions: ours are opened, committed and closed; a caller's stay the caller's.

A caller's session is flushed first, never committed, rolled back no further than
our own savepoint, and expired after an import.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from lading.catalog import AS_READ, Catalog
from lading.database.dialect_cache import dialect_cache
from lading.database.live import database_for
from lading.database.live.base import Database, TableKeys
from lading.database.tables import keys_of, require_tables, tables_of
from lading.driver_errors.refusals import is_lost, refusals
from lading.errors import OutcomeUnknown, TargetError
from lading.mapping.coverage import uncarried
from lading.messages import Message, listed
from lading.options import session_of

#: What an application may have set for all of its results, at SQLAlchemy's defaults.
NOT_STREAMED: Mapping[str, Any] = {"stream_results": False, "yield_per": None}


@dataclass(frozen=True, slots=True)
class Opened:
    """A transaction to work in.

    ``callers`` is true where somebody else commits it; ``snapshot`` says what a
    reader sees.
    """

    database: Database
    callers: bool
    snapshot: str

    @property
    def connection(self) -> sa.Connection:
        """The connection."""
        return self.database.connection


@contextmanager
def _database(connection: sa.Connection, catalog: Catalog) -> Iterator[Database]:
    """Yield the database over a connection, whose options are given back at the end."""
    cache = catalog.use().once(dialect_cache)
    as_read = catalog.sqlite_decimals == AS_READ
    options = connection.get_execution_options()
    before = {name: options.get(name, default) for name, default in NOT_STREAMED.items()}
    connection.execution_options(**NOT_STREAMED)
    try:
        yield database_for(connection, partial(cache.dialect, as_read=as_read))
    finally:
        connection.execution_options(**before)


@contextmanager
def reading(session: Any, catalog: Catalog) -> Iterator[Opened]:
    """Open one consistent snapshot, or join the caller's transaction."""
    with refusals(entities=catalog.use()), ExitStack() as stack:
        owner = _owner(session, catalog)
        if isinstance(owner, sa.Engine):
            connection = stack.enter_context(owner.connect())
            database = stack.enter_context(_database(connection, catalog))
            stack.callback(_give_back, database)
            database.begin_reading()
            stack.enter_context(database.settings())
            _refuse_hidden(database, catalog)
            yield Opened(database, callers=False, snapshot="one snapshot, opened by lading")
            connection.rollback()
            return
        database = stack.enter_context(_database(_connection(owner, catalog), catalog))
        database.ensure_begun(writing=False)
        _refuse_autocommit(database)
        stack.enter_context(database.settings())
        _refuse_hidden(database, catalog)
        before = database.moment() if database.sees_others() else ""
        yield Opened(database, callers=True, snapshot=database.snapshot())
        if before and database.moment() != before:
            raise TargetError(
                Message(
                    "snapshot-unsure",
                    "others wrote to this server while your READ COMMITTED transaction was read, "
                    "so what was read may not fit together",
                ),
                "Give an engine, a session that has read nothing yet, or one in REPEATABLE READ.",
            )


@contextmanager
def writing(
    session: Any,
    catalog: Catalog,
    names: Collection[str] | None = None,
    *,
    updated: Collection[str] = (),
) -> Iterator[Opened]:
    """Open a transaction that commits if the block ends well, or a savepoint in the caller's.

    Other imports wait for the entities whose natural key the database doesn't keep unique by
    itself, and for those whose records are compared before they are written.

    Args:
        session: the engine, connection, session or factory.
        catalog: the catalog of the entities.
        names: the entities that are written, by default all.
        updated: those of them whose existing records are written.

    Yields:
        The transaction.
    """
    keys = keys_of(catalog.use(), names)
    compared = list(keys_of(catalog.use(), updated))
    with refusals(entities=catalog.use()):
        owner = _owner(session, catalog)
        transaction = (
            _own_transaction(owner, catalog, keys, compared)
            if isinstance(owner, sa.Engine)
            else _callers_savepoint(owner, catalog, keys, compared)
        )
        with transaction as opened:
            yield opened


@contextmanager
def _own_transaction(
    engine: sa.Engine, catalog: Catalog, keys: TableKeys, compared: list[sa.Table]
) -> Iterator[Opened]:
    """Open a transaction of our own, which commits if the block ends well."""
    with ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        database = stack.enter_context(_database(connection, catalog))
        stack.callback(_give_back, database)
        database.begin_writing()
        _refuse_autocommit(database)
        database.hold(database.unguarded(keys), compared)
        database.look_up_server()
        stack.enter_context(database.settings())
        _prepared(database, catalog)
        yield Opened(database, callers=False, snapshot="")
        _commit(connection)


@contextmanager
def _callers_savepoint(
    owner: Any, catalog: Catalog, keys: TableKeys, compared: list[sa.Table]
) -> Iterator[Opened]:
    """Open a savepoint in the caller's transaction."""
    with ExitStack() as stack:
        database = stack.enter_context(_database(_connection(owner, catalog), catalog))
        _hold_for_caller(database, keys, compared)
        stack.callback(database.give_back)
        database.ensure_begun(writing=True)
        _refuse_autocommit(database)
        stack.enter_context(database.settings())
        stack.callback(_expire(owner))
        with database.connection.begin_nested():
            waiting = _prepared(database, catalog)
            yield Opened(database, callers=True, snapshot="")
            database.check_at_commit(waiting)


def _refuse_hidden(database: Database, catalog: Catalog) -> None:
    """Raise ``TargetError`` if rows of a catalog's tables are hidden, or shown by other tables."""
    database.refuse_hidden(tables_of(catalog.use()), uncarried(catalog.use()))


def _prepared(database: Database, catalog: Catalog) -> list[str]:
    """Check the tables, and return the names of constraints for ``check_at_commit``."""
    require_tables(database, catalog.use())
    _refuse_hidden(database, catalog)
    return database.check_at_once(tables_of(catalog.use()))


def _give_back(database: Database) -> None:
    """Roll back what is left of a transaction of ours, and restore the connection's settings."""
    try:
        database.connection.rollback()
        database.give_back()
    except sa.exc.SQLAlchemyError:  # it can't be relied on
        database.connection.invalidate()


def _hold_for_caller(database: Database, keys: TableKeys, compared: Sequence[sa.Table]) -> None:
    """Make other imports wait, before the caller's transaction takes a snapshot if it has none."""
    if database.autocommits():
        return  # refused, once the transaction has begun
    is_fresh = database.is_fresh()
    tables = database.unguarded(keys)
    database.hold(tables, compared)
    if tables and not is_fresh and not database.sees_others():
        database.refuse_stale(tables)


def _commit(connection: sa.Connection) -> None:
    """Commit, or leave nothing behind that a later commit of this connection would keep."""
    try:
        connection.commit()
    except BaseException as error:
        # SQLAlchemy holds a failed commit for the end; a locked SQLite is still in the transaction.
        try:
            connection.connection.rollback()
        except Exception:
            connection.invalidate()
        if is_lost(error):
            raise OutcomeUnknown(
                f"the connection was lost during the commit ({_one_line(error)}), so "
                "the outcome is unknown: all of it may have been committed, or nothing",
                "Look whether one of its changes is there, or import again with on_conflict='skip',"
                " 'update' or 'mirror', whichever it had: what was committed stays as it is.",
            ) from error
        raise


def _one_line(error: BaseException) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _owner(session: Any, catalog: Catalog) -> sa.Engine | sa.Connection | Session:
    """Return the engine to open, or the connection or session to join."""
    owner: Any = session_of(session, catalog)
    if isinstance(owner, sessionmaker):
        return _engine_of(owner, catalog)
    if isinstance(owner, scoped_session):
        owner = _current_session(owner)
    joined: sa.Engine | sa.Connection | Session = owner
    return joined


def _current_session(sessions: scoped_session[Any]) -> Session:
    """Return the session of the current scope, such as an application's context."""
    try:
        session: Session = sessions()
    except Exception as error:
        raise TargetError(
            Message(
                "session-unscoped", f"the scoped session has no scope here ({_one_line(error)})"
            ),
            "Call this where it has one: with Flask, inside of app.app_context().",
        ) from error
    return session


def _engine_of(factory: sessionmaker[Any], catalog: Catalog) -> sa.Engine:
    """Return the engine of a session factory, whose sessions would be opened for us alone."""
    with factory() as session:
        bind = _bind_of(session, catalog)
        return bind if isinstance(bind, sa.Engine) else bind.engine


def _connection(owner: sa.Connection | Session, catalog: Catalog) -> sa.Connection:
    if isinstance(owner, sa.Connection):
        if not owner.in_transaction():
            owner.begin()
        return owner
    owner.flush()
    mapper = next(iter(catalog.use().roots.values())).mapper
    _bind_of(owner, catalog)
    return owner.connection(bind_arguments={"mapper": mapper})


def _bind_of(session: Session, catalog: Catalog) -> sa.Engine | sa.Connection:
    names: dict[sa.Engine | sa.Connection, list[str]] = {}
    for name, rows in catalog.use().roots.items():
        for part in rows.tree():
            names.setdefault(session.get_bind(part.mapper), []).append(name)
    if len(names) > 1:
        raise TargetError(
            Message(
                "session-binds",
                f"the session binds the models of catalog {catalog.name!r} to {len(names)} "
                "databases: " + listed(_databases(names), separator="; "),
            ),
            "Give each database a catalog of its own: by Meta.catalog, or by "
            "Catalog.from_metadata([models]), or of a MetaData, such as db.metadatas[key] with "
            "Flask-SQLAlchemy.",
        )
    return next(iter(names))


def _databases(names: Mapping[sa.Engine | sa.Connection, Iterable[str]]) -> Iterator[str]:
    """Yield what a session binds to each database."""
    for bind, entities in names.items():
        url = bind.engine.url.render_as_string(hide_password=True)
        yield f"{', '.join(dict.fromkeys(entities))} to {url}"


def _refuse_autocommit(database: Database) -> None:
    options = database.connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT" or database.autocommits():
        raise TargetError(
            Message(
                "autocommit", "the connection is in AUTOCOMMIT, where nothing can be rolled back"
            ),
            "Use another isolation level.",
        )


def _expire(owner: sa.Connection | Session) -> Callable[[], None]:
    """Expire a session's objects, which may be older than what an import wrote."""
    return owner.expire_all if isinstance(owner, Session) else lambda: None
