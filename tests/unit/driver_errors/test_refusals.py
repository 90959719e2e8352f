"""What drivers raise is told by the engine's code, with what to do; texts decide nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from lading import BundleError, Catalog, TargetError
from lading.driver_errors.refusals import (
    WITHHELD,
    is_lost,
    refusal,
    refusal_without_values,
    refusals,
    veiled,
)
from lading.messages import Message
from support.declaring import new_base, schema_for, table


def wrapped(orig: BaseException, *, lost: bool = False) -> sa.exc.DBAPIError:
    """Return a driver's error as SQLAlchemy raises it."""
    return sa.exc.DBAPIError("SELECT", None, orig, connection_invalidated=lost)


def sqlite_error(code: int, text: str = "said so") -> sqlite3.OperationalError:
    """Return an error with an extended result code."""
    error = sqlite3.OperationalError(text)
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
    (psycopg.errors.UndefinedTable("x"), "names what isn't there: repair or drop it"),
    (psycopg.errors.DataCorrupted("x"), "files are damaged: rescue what can be read, or"),
    (psycopg.errors.ConfigurationLimitExceeded("x"), "Raise the server's limit"),
    (pymysql.err.OperationalError(1449, "x"), "names what isn't there"),
    (pymysql.err.OperationalError(1932, "x"), "files are damaged"),
    (sqlite_error(11), "rescue what can be read by sqlite3 FILE .recover"),
    (sqlite_error(26), "Check the path"),
    (sqlite_error(1, "no such table: main.x"), "names what isn't there"),
    (sqlite_error(1, "no such collation sequence: c"), r"connection.create_collation\('c', ...\)"),
    (sqlite_error(1, "unknown function: f()"), r"connection.create_function\('f', ...\)"),
    (sqlite_error(1, "no such module: m"), r"load_extension\(...\) of the module 'm'"),
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


def test_an_interruption_stays_one() -> None:
    """Closing a connection in the middle of a statement may fail, and that is no news."""
    with pytest.raises(KeyboardInterrupt), refusals():
        try:
            raise KeyboardInterrupt
        finally:
            raise wrapped(psycopg.OperationalError("in the middle of a COPY"))


def test_what_came_of_no_driver_is_no_lost_connection() -> None:
    """An error of SQLAlchemy's own has no code."""
    assert not is_lost(sa.exc.InvalidRequestError("no"))


@pytest.mark.parametrize(
    ("orig", "text"),
    [
        (
            pymysql.err.IntegrityError(1048, "Column 'a' cannot be null"),
            "Column 'a' cannot be null",
        ),
        (
            pymysql.err.IntegrityError(1062, "Duplicate entry 'secret' for key 'slug'"),
            f"error 1062, constraint 'slug' {WITHHELD}",
        ),
        (pymysql.err.DataError(1406, "Data too long: 'secret'"), f"error 1406 {WITHHELD}"),
        (psycopg.errors.NumericValueOutOfRange("secret"), f"SQLSTATE 22003 {WITHHELD}"),
        (psycopg.errors.UniqueViolation("secret"), f"a constraint, SQLSTATE 23505 {WITHHELD}"),
        (sqlite_error(19), "said so"),
    ],
)
def test_an_objection_is_told_without_its_values(orig: Exception, text: str) -> None:
    """By the constraint, if the engine names it, else by its code."""
    assert refusal_without_values(wrapped(orig)) == text


def test_the_cause_of_an_error_is_cut_off_where_fields_are_hidden() -> None:
    """Drivers print parameters, and an error's own text may quote the driver's."""
    base, catalog = new_base(), Catalog("shop")
    schema_for(table(base, "items", pin=sa.Column(sa.Text)), catalog, hidden=("pin",))
    entities = catalog.use()
    with pytest.raises(TargetError) as caught, veiled(entities), refusals("items"):
        raise wrapped(pymysql.err.DataError(1406, "Data too long: 'secret'"))
    assert "secret" not in str(caught.value)
    assert "error 1406" in str(caught.value)
    assert caught.value.entity == "items"
    assert caught.value.__cause__ is None
    with pytest.raises(BundleError, match="is odd") as other, veiled(entities):
        raise BundleError(Message("file-malformed", "is odd")) from ValueError("secret")
    assert other.value.__cause__ is None
