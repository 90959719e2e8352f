"""What a database refuses, in lading's errors: by the codes of each engine, never by texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lading.errors import LadingError, TargetError
from lading.messages import Message
from lading.model.entities import Entities
from lading.model.hidden import WITHHELD, has_hidden

Explanation = tuple[Message, str]

LOST: Explanation = (
    Message(
        "connection-lost",
        "the connection to the database was lost before the commit, so nothing was committed",
    ),
    "See that the server runs and is reachable, and try again.",
)
DEADLOCK: Explanation = (
    Message(
        "deadlock",
        "the database ended a deadlock with another transaction by rolling this one back",
    ),
    "Try again.",
)
CONFLICT: Explanation = (
    Message(
        "serialization",
        "the database can't put this transaction in one order with others that wrote meanwhile",
    ),
    "Try again.",
)
LOCKED: Explanation = (
    Message("lock-timeout", "another transaction holds a lock for longer than this session waits"),
    "Try again when the other one has ended, or raise {setting}.",
)
TIMEOUT: Explanation = (
    Message("statement-timeout", "a statement was stopped, by a time limit or by somebody"),
    "Raise {setting} for this session, and try again.",
)
READ_ONLY: Explanation = (
    Message("read-only", "the database (or this session) is read-only"),
    "Give an engine that may write: {setting}.",
)
DENIED: Explanation = (
    Message("privilege-missing", "the database user lacks a privilege"),
    "GRANT it, or connect as another user.",
)
DENIED_POSTGRESQL: Explanation = (
    DENIED[0],
    "GRANT it (an import needs SELECT, USAGE and UPDATE of sequences), or connect as another user.",
)
FULL: Explanation = (
    Message("database-full", "the database has no room left"),
    "Make room where it keeps its data, and try again.",
)
PACKET: Explanation = (
    Message("packet-too-large", "a statement is larger than the server takes (max_allowed_packet)"),
    "Raise max_allowed_packet on the server, and try again.",
)

POSTGRESQL: Mapping[str, Explanation] = {
    "40P01": DEADLOCK,
    "40001": CONFLICT,
    "55P03": LOCKED,
    "57014": TIMEOUT,
    "25006": READ_ONLY,
    "42501": DENIED_POSTGRESQL,
    "53100": FULL,
}
MARIADB: Mapping[int, Explanation] = {
    1213: DEADLOCK,
    1020: CONFLICT,
    1205: LOCKED,
    1317: TIMEOUT,
    1969: TIMEOUT,
    1290: READ_ONLY,
    1792: READ_ONLY,
    1836: READ_ONLY,
    1044: DENIED,
    1142: DENIED,
    1143: DENIED,
    1227: DENIED,
    1021: FULL,
    1114: FULL,
    1153: PACKET,
}
#: By SQLite's primary result codes.
SQLITE: Mapping[int, Explanation] = {5: LOCKED, 6: LOCKED, 8: READ_ONLY, 13: FULL}
REFUSED: Explanation = Message("database-refused", "the database refused"), ""
BY_CODE: Mapping[str, Mapping[Any, Explanation]] = {
    "postgresql": POSTGRESQL,
    "mysql": MARIADB,
    "sqlite": SQLITE,
}
#: The setting that a remedy names, by engine.
SETTINGS: Mapping[str, Mapping[Explanation, str]] = {
    "postgresql": {
        LOCKED: "lock_timeout",
        TIMEOUT: "statement_timeout",
        READ_ONLY: "without default_transaction_read_only, and not a standby",
    },
    "mysql": {
        LOCKED: "innodb_lock_wait_timeout",
        TIMEOUT: "max_statement_time",
        READ_ONLY: "without SET SESSION TRANSACTION READ ONLY, and not a replica",
    },
    "sqlite": {
        LOCKED: "the engine's timeout: connect_args={'timeout': 60}",
        READ_ONLY: "without PRAGMA query_only or mode=ro, on a file that may be written",
    },
}
#: Codes after which it is unknown whether the server carried the statement out: it was told to
#: stop, or the reply is lost.
GONE_POSTGRESQL = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
DUPLICATE = 1062
#: MariaDB's messages about NOT NULL, CHECK and foreign keys show no values.
WITHOUT_VALUES = {1048, 1364, 1451, 1452, 4025}
GONE_MARIADB = {1053, 1927, 2006, 2013, 2014, 2055}


@contextmanager
def refusals(entity: str | None = None) -> Iterator[None]:
    """Turn exceptions of the driver and of SQLAlchemy into lading's errors."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        interruption = _interruption(error)
        if interruption is not None:
            raise interruption from error
        raise refusal(_first(error), entity) from error
    except UnicodeError as error:
        raise TargetError(
            Message("text-undecodable", f"the driver can't read or write a text ({error})"),
            "Correct the text where it is kept, or let the connection's encoding be UTF-8.",
            entity=entity,
        ) from error


def refusal(error: BaseException, entity: str | None = None) -> TargetError:
    """Return lading's error for an exception of SQLAlchemy's."""
    if isinstance(error, sa.exc.MissingGreenlet):
        return TargetError(
            Message("asyncio-engine", "this engine is for asyncio, which lading can't await"),
            "Use await async_session.run_sync(export_all, path), or give an engine of "
            "create_engine, such as postgresql+psycopg:// or sqlite://.",
            entity=entity,
        )
    if isinstance(error, sa.exc.PendingRollbackError):
        return TargetError(
            Message(
                "session-rolled-back", "an earlier error has rolled back this session's transaction"
            ),
            "Call its rollback(), and try again.",
            entity=entity,
        )
    orig = getattr(error, "orig", None)
    text = str(orig or error).strip()
    problem, remedy = _explained(orig) if orig is not None else REFUSED
    if is_lost(error):
        problem, remedy = LOST
    return TargetError(Message(problem.code, f"{problem}: {text}"), remedy, entity=entity)


def refusal_without_values(error: BaseException) -> str:
    """Describe a database's objection without any value: by a constraint, or a code."""
    orig = getattr(error, "orig", None) or error
    engine, code = code_of(orig)
    if engine == "sqlite":
        return str(orig)  # it names columns and constraints alone
    parts = [f"{'SQLSTATE' if engine == 'postgresql' else 'error'} {code}"]
    if engine == "postgresql":
        diagnosis = getattr(orig, "diag", None)
        constraint = getattr(diagnosis, "constraint_name", None)
        if str(code).startswith("23"):
            parts.insert(0, str(getattr(diagnosis, "message_primary", None) or "a constraint"))
    elif code in WITHOUT_VALUES:
        return str(orig.args[-1])
    else:
        constraint = str(orig.args[-1]).rpartition(" for key ")[2] if code == DUPLICATE else None
    parts += [f"constraint {constraint}"] if constraint else []
    return f"{', '.join(parts)} {WITHHELD}"


def is_lost(error: BaseException) -> bool:
    """Tell whether an error is about the connection, so that the server may have gone on."""
    if getattr(error, "connection_invalidated", False):
        return True
    orig = getattr(error, "orig", None)
    if orig is None:
        return False
    engine, code = code_of(orig)
    if engine == "postgresql":
        return code in GONE_POSTGRESQL or str(code).startswith("08")
    return engine == "mysql" and code in GONE_MARIADB


def code_of(orig: BaseException) -> tuple[str, Any]:
    """Return the engine of a driver's error, and its SQLSTATE, number or primary code."""
    if hasattr(orig, "sqlite_errorcode"):
        return "sqlite", orig.sqlite_errorcode & 0xFF
    if orig.args and isinstance(orig.args[0], int):
        return "mysql", orig.args[0]
    return "postgresql", getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None)


def _explained(orig: BaseException) -> Explanation:
    engine, code = code_of(orig)
    explanation = BY_CODE[engine].get(code, REFUSED)
    return explanation[0], explanation[1].format(setting=SETTINGS[engine].get(explanation, ""))


def _first(error: BaseException) -> BaseException:
    """Return the error that began it: rolling back to a savepoint may have failed as well."""
    context, first = error.__context__, error
    while context is not None:
        first = context if isinstance(context, sa.exc.DBAPIError) else first
        context = context.__context__
    return first


def _interruption(error: BaseException) -> BaseException | None:
    """Return the interruption (Ctrl-C) after which the clean-up failed, if there was one."""
    context: BaseException | None = error
    while context is not None:
        if not isinstance(context, Exception):
            return context
        context = context.__context__
    return None


@contextmanager
def veiled(entities: Entities) -> Iterator[None]:
    """Cut off the cause of errors if an entity has hidden fields: drivers print parameters."""
    try:
        yield
    except LadingError as error:
        if not any(has_hidden(rows) for rows in entities.roots.values()):
            raise
        error_without_cause = _without_cause(error)
    else:
        return
    raise error_without_cause from None


def _without_cause(error: LadingError) -> LadingError:
    """Return an error without its cause, and without the driver's text in its own."""
    cause = error.__cause__
    error.__cause__ = error.__context__ = None
    if not isinstance(cause, sa.exc.DBAPIError) or type(error) is not TargetError:
        return error
    text = error.problem.replace(str(cause.orig).strip(), refusal_without_values(cause))
    return TargetError(Message(error.code, text), error.remedy, entity=error.entity)
