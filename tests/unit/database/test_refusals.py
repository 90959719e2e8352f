"""What drivers raise is told by the engine's code, with what to do; texts decide nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from lading import TargetError
from lading.database.refusals import is_lost, refusal, refusals


def wrapped(orig: BaseException, *, lost: bool = False) -> sa.exc.DBAPIError:
    """Return a driver's error as SQLAlchemy raises it."""
    return sa.exc.DBAPIError("SELECT", None, orig, connection_invalidated=lost)


def sqlite_error(code: int) -> sqlite3.OperationalError:
    """Return an error with an extended result code."""
    error = sqlite3.OperationalError("said so")
    error.sqlite_errorcode = code
    return error


TOLD: list[tuple[Any, str]] = [
    (psycopg.errors.DeadlockDetected("x"), "deadlock .*Try again"),
    (psycopg.errors.SerializationFailure("x"), "in one order .*Try again"),
    (psycopg.errors.LockNotAvailable("x"), "holds a lock .*raise lock_timeout"),
    (psycopg.errors.QueryCanceled("x"), "was stopped.*Raise statement_timeout"),
    (psycopg.errors.ReadOnlySqlTransaction("x"), "read-only.*default_transaction_read_only"),
    (psycopg.errors.InsufficientPrivilege("x"), "lacks a privilege.*GRANT"),
    (psycopg.errors.DiskFull("x"), "no room left"),
    (psycopg.errors.AdminShutdown("x"), "connection to the database was lost before the commit"),
    (psycopg.errors.SyntaxError("x"), "the database refused: x"),
    (pymysql.err.OperationalError(1213, "x"), "deadlock .*Try again"),
    (pymysql.err.OperationalError(1205, "x"), "raise innodb_lock_wait_timeout"),
    (pymysql.err.OperationalError(1969, "x"), "Raise max_statement_time"),
    (pymysql.err.InternalError(1792, "x"), "read-only.*SET SESSION TRANSACTION READ ONLY"),
    (pymysql.err.OperationalError(1142, "x"), "lacks a privilege"),
    (pymysql.err.OperationalError(1114, "x"), "no room left"),
    (pymysql.err.OperationalError(1153, "x"), "Raise max_allowed_packet"),
    (pymysql.err.OperationalError(2013, "x"), "was lost before the commit"),
    (sqlite_error(5), "raise the engine's timeout"),
    (sqlite_error(5 | 2 << 8), "raise the engine's timeout"),
    (sqlite_error(8), "read-only.*query_only"),
    (sqlite_error(13), "no room left"),
]


@pytest.mark.parametrize(("orig", "text"), TOLD, ids=[text for _, text in TOLD])
def test_a_driver_s_error_is_told_by_its_code(orig: Exception, text: str) -> None:
    """Its own text comes along."""
    said = str(refusal(wrapped(orig), "things"))
    assert said.startswith("things: ")
    with pytest.raises(TargetError, match=text), refusals("things"):
        raise wrapped(orig)


def test_a_connection_is_lost_if_sqlalchemy_says_so() -> None:
    """Drivers say it in many ways."""
    assert is_lost(wrapped(psycopg.OperationalError("gone"), lost=True))
    assert not is_lost(wrapped(psycopg.OperationalError("gone")))
    assert not is_lost(wrapped(pymysql.err.OperationalError(1213, "x")))


def test_a_session_that_was_rolled_back_is_told_without_statements() -> None:
    """SQLAlchemy's own text repeats the first error with its statement and parameters."""
    told = refusal(sa.exc.PendingRollbackError("[SQL: INSERT] [parameters: ('secret',)]"))
    assert str(told) == (
        "an earlier error has rolled back this session's transaction. "
        "Call its rollback(), and try again."
    )
