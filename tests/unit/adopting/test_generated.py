"""What computes a generated column of SQLite is read whatever its declaration looks like."""

from __future__ import annotations

import sqlalchemy as sa

from lading.adopting.reflection import reflected

DECLARED = """
CREATE TABLE "odd (table" (id INTEGER PRIMARY KEY, a INT DEFAULT (1 + 2), -- as (comment)
"b c" INT GENERATED ALWAYS AS (a * (2 + 1)) STORED,
d TEXT AS (',)' || a), [e] INT AS (coalesce(a, 1)),
stored INT, f INT AS ( stored ) VIRTUAL NOT NULL /* as (1) */, CHECK (a > 0))
"""


def test_each_generated_column_has_its_own_expression() -> None:
    """On one line or several, after a bare AS, and with brackets, commas and comments around."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql(DECLARED)
        [table], _ = reflected(connection)
    computed = {column.name: column.computed for column in table.columns if column.computed}
    assert {name: str(one.sqltext) for name, one in computed.items()} == {
        "b c": "a * (2 + 1)",
        "d": "',)' || a",
        "e": "coalesce(a, 1)",
        "f": "stored",
    }
    assert [name for name, one in computed.items() if one.persisted] == ["b c"]
    with sa.create_engine("sqlite://").begin() as connection:
        table.create(connection)
