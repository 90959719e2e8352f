"""What a database refuses, in lading's errors: where, why, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from lading.driver_errors.explanations import LOST, REFUSED, code_of, explained
from lading.driver_errors.named_tables import tables_named
from lading.errors import LadingError, TargetError
from lading.messages import Message, listed, run_sync_call
from lading.model.entities import Entities
from lading.model.hidden import WITHHELD, has_hidden

#: Codes after which it is unknown whether the server carried the statement out: it was told to
#: stop, or the reply is lost.
GONE_POSTGRESQL = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
DUPLICATE = 1062
#: MariaDB's messages about NOT NULL, CHECK and foreign keys show no values.
WITHOUT_VALUES = {1048, 1364, 1451, 1452, 4025}
GONE_MARIADB = {1053, 1927, 2006, 2013, 2014, 2055}


@contextmanager
def refusals(entity: str | None = None, entities: Entities | None = None) -> Iterator[None]:
    """Turn exceptions of the driver and of SQLAlchemy into lading's errors.

    Args:
        entity: the entity that is read or written; by default that of the first table that the
            refused statement names.
        entities: those of the catalog, for the names of tables.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        interruption = _interruption(error)
        if interruption is not None:
            raise interruption from error
        raise refusal(_first(error), entity, entities) from error
    except UnicodeError as error:
        raise TargetError(
            Message("text-undecodable", f"the driver can't read or write a text ({error})"),
            "Correct the text where it is kept, or let the connection's encoding be UTF-8.",
            entity=entity,
        ) from error


def refusal(
    error: BaseException, entity: str | None = None, entities: Entities | None = None
) -> TargetError:
    """Return lading's error for an exception of SQLAlchemy's; see ``refusals``."""
    if isinstance(error, sa.exc.MissingGreenlet):
        return TargetError(
            Message("asyncio-engine", "this engine is for asyncio, which lading can't await"),
            f"Use await {run_sync_call()}, or give an engine of create_engine, such as "
            "postgresql+psycopg:// or sqlite://.",
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
    problem, remedy = explained(orig) if orig is not None else REFUSED
    if is_lost(error):
        problem, remedy = LOST
    tables = tables_named(getattr(error, "statement", None) or "", entities)
    entity = entity or next(iter(tables.values()), None)
    text = f"{problem}: {text}{_place(tables, entity, text)}"
    return TargetError(Message(problem.code, text), remedy, entity=entity)


def refusal_during(
    code: str,
    text: str,
    error: BaseException,
    *,
    entities: Entities | None = None,
    remedy: str = "",
) -> TargetError:
    """Return lading's error for an exception of SQLAlchemy's during some work.

    Args:
        code: the code of the error.
        text: what can't be done.
        error: why.
        entities: those of the catalog, for the names of tables.
        remedy: what to do; by default what the exception's code suggests.
    """
    refused = refusal(error, entities=entities)
    reason = refused.problem.removeprefix(f"{REFUSED[0]}: ")
    return TargetError(
        Message(code, f"{text}: {reason}"), remedy or refused.remedy, entity=refused.entity
    )


def _place(tables: Iterable[str], entity: str | None, text: str) -> str:
    """Say which tables a statement names, unless an error says so already."""
    names = [re.escape(name) for name in tables if name != entity]
    if all(re.search(rf"(?<!\w){name}(?!\w)", text) for name in names):
        return ""
    return f" (in a statement on {listed(tables, separator=', ')})"


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
