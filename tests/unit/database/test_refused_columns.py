"""Which columns a database's objection is about, by what its driver says."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa

from lading.database.refused_columns import refused_columns

METADATA = sa.MetaData()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("shop", sa.String(9)),
    sa.Column("number", sa.Integer),
    sa.UniqueConstraint("shop", "number", name="once"),
    sa.CheckConstraint("number > 0", name="positive"),
    sa.Index("shops", "shop"),
)
OTHERS = sa.Table("others", METADATA, sa.Column("number", sa.Integer))


def of_postgresql(context: str = "", **diagnosis: Any) -> Exception:
    """Return an error as psycopg raises it."""
    error = Exception("refused")
    error.diag = SimpleNamespace(context=context, **diagnosis)  # type: ignore[attr-defined]
    error.sqlstate = "23505"  # type: ignore[attr-defined]
    return error


def of_sqlite(text: str) -> Exception:
    """Return an error as sqlite3 raises it."""
    error = sqlite3.IntegrityError(text)
    error.sqlite_errorcode = 19
    return error


FOREIGN = (
    "Cannot add or update a child row: a foreign key constraint fails (`db`.`items`, CONSTRAINT "
    "`items_ibfk_1` FOREIGN KEY (`shop`, `number`) REFERENCES `shops` (`x`, `y`))"
)


@pytest.mark.parametrize(
    ("orig", "names"),
    [
        (of_sqlite("UNIQUE constraint failed: items.shop, items.number"), ["shop", "number"]),
        (of_sqlite("CHECK constraint failed: positive"), ["number"]),
        (of_sqlite("disk I/O error"), []),
        (of_postgresql(table_name="items", constraint_name="once"), ["shop", "number"]),
        (of_postgresql(table_name="items", constraint_name="shops"), ["shop"]),
        (of_postgresql(table_name="items", constraint_name="items_number_check"), ["number"]),
        (of_postgresql(table_name="items", column_name="number"), ["number"]),
        (of_postgresql("COPY items, line 3, column shop: \"x\""), ["shop"]),
        (of_postgresql(), []),
        (pymysql.err.IntegrityError(1452, FOREIGN), ["shop", "number"]),
        (pymysql.err.IntegrityError(4025, "CONSTRAINT `positive` failed for `db`.`items`"), ["number"]),
        (pymysql.err.IntegrityError(1048, "Column 'shop' cannot be null"), ["shop"]),
        (pymysql.err.DataError(1406, "Data too long for column 'shop' at row 1"), ["shop"]),
        (pymysql.err.DataError(1999, "odd"), []),
    ],
)  # fmt: skip
def test_columns_are_named_by_themselves_or_by_their_constraint(
    orig: Exception, names: list[str]
) -> None:
    """A constraint without a name is named after its column."""
    error = sa.exc.DBAPIError("INSERT", None, orig)
    assert [column.name for column in refused_columns(error, [ITEMS])] == names


def test_a_column_that_several_tables_have_is_not_guessed() -> None:
    """Unless the driver names the table."""
    error = sa.exc.DBAPIError(
        "INSERT", None, pymysql.err.DataError(1406, "for column 'number' at row 1")
    )
    assert refused_columns(error, [ITEMS, OTHERS]) == []
    error = sa.exc.DBAPIError(
        "INSERT", None, of_sqlite("NOT NULL constraint failed: others.number")
    )
    assert refused_columns(error, [ITEMS, OTHERS]) == [OTHERS.c.number]
    assert refused_columns(sa.exc.DBAPIError("INSERT", None, None), [ITEMS]) == []
