"""Cells say what a database stores."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading.fresh_databases.factories import database, sqlite_engine
from lading.testing.compare.stored import Row, stored_cells
from support import worlds
from support.backends import Backend
from support.declaring import catalog_of, new_base

STORED = {
    "code": ("text", "'full'"),
    "flag": ("integer", "1"),
    "weight": ("real", "0.1"),
    "price": ("real", "1234.5"),
    "loose": ("real", "1.5"),
    "whole": ("integer", "7"),
    "moment": ("text", "'2025-12-24 18:00:00.000005'"),
    "blob": ("blob", "b'\\x00\\xff'"),
    "doc": ("text", '{"$json":1,"a":{},"b":[1,2.5,null,"é"]}'),
}


def things(engine: sa.Engine, read: object) -> dict[str, Row]:
    """Return the rows of the world of types by their codes."""
    world = worlds.types()
    rows = read(world.filled(engine), world.metadata.tables.values())["things"]  # type: ignore[operator]
    return {row["code"][1]: row for row in rows}


def test_sqlite_s_cells_are_as_they_are_stored() -> None:
    """With the type that SQLite gave each."""
    found = things(sqlite_engine(), stored_cells)["'full'"]
    assert {name: found[name] for name in STORED} == STORED


def test_nulls_are_told_apart(engine: sa.Engine) -> None:
    """SQL's from JSON's."""
    rows = things(engine, stored_cells)
    assert rows["'nulls'"]["doc"] is None
    assert rows["'json null'"]["doc"] is not None
    assert rows["'json null'"]["tags"] is None


def test_texts_are_readable_on_servers(engine: sa.Engine) -> None:
    """Whatever bytes they are fetched by."""
    row = things(engine, stored_cells)["'full'"]
    assert row["long"][1].startswith("'línea 1\\nline\\t2")


def test_a_stored_type_shows_where_values_are_equal(sqlite_memory: Backend) -> None:
    """An integer in a column of decimals is another cell than the same number as a text."""
    base = new_base()

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        code = mapped_column(sa.String(9), unique=True, nullable=False)
        price = mapped_column(sa.Numeric(6, 2))
        doc = mapped_column(sa.JSON)

    with database(sqlite_engine, catalog_of(Item)) as engine:
        with engine.begin() as connection:
            sql = "INSERT INTO items VALUES (1, 'a', x'31', 'no json'), (2, 'b', 'None', '1')"
            connection.exec_driver_sql(sql)
        rows = stored_cells(engine, base.metadata.tables.values())["items"]
        assert rows[0]["price"] == ("blob", "b'1'")
        assert rows[0]["doc"] == ("text", "'no json'")
        assert rows[1]["price"] == ("text", "'None'")
        assert rows[1]["doc"] == ("integer", "1")
