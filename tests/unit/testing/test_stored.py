"""Cells say what a database stores, and typed cells what SQLAlchemy makes of it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import TargetError
from lading.testing.compare.stored import Cell, is_null, stored_cells, typed_cells
from lading.testing.databases.factories import database, sqlite_engine
from support import worlds
from support.backends import Backend
from support.declaring import catalog_of, new_base

STORED: dict[str, Cell] = {
    "code": ("text", "'full'"),
    "flag": ("integer", "1"),
    "weight": ("real", "0.1"),
    "price": ("real", "1234.5"),
    "loose": ("real", "1.5"),
    "whole": ("integer", "7"),
    "moment": ("text", "'2025-12-24 18:00:00.000005'"),
    "blob": ("blob", "b'\\x00\\xff'"),
    "doc": ("text", '{"$json": 1, "a": {}, "b": [1, 2.5, null, "\\u00e9"]}'),
}
TYPED: dict[str, Cell] = {
    "code": ("string", "'full'"),
    "flag": ("boolean", "True"),
    "weight": ("float", "0.1"),
    "price": ("decimal", "'1234.5000'"),
    "loose": ("decimal", "'1.5'"),
    "whole": ("decimal", "'7'"),
    "padded": ("string", "'ab'"),
    "moment": ("datetime", "'2025-12-24T18:00:00.000005'"),
    "instant": ("datetime", "'2025-12-24T18:00:00Z'"),
    "blob": ("bytes", "'AP8='"),
    "size": ("enum", "'large'"),
    "doc": ("json", '{"$json":1,"a":{},"b":[1,2.5,null,"é"]}'),
    "upper": ("string", "'ABC'"),
    "lasting": ("interval", "'P3DT4H5M6S'"),
    "tags": ("array", '["a\\"b\\\\c","NULL",null,"","é, {}"]'),
}


def things(engine: sa.Engine, read: object) -> dict[str, dict[str, Cell]]:
    """Return the rows of the world of types by their codes."""
    world = worlds.types()
    rows = read(world.filled(engine), world.metadata.tables.values())["things"]  # type: ignore[operator]
    return {row["code"][1]: row for row in rows}


def test_sqlite_s_cells_are_as_they_are_stored() -> None:
    """With the type that SQLite gave each."""
    found = things(sqlite_engine(), stored_cells)["'full'"]
    assert {name: found[name] for name in STORED} == STORED


def test_typed_cells_are_the_same_on_every_engine(engine: sa.Engine) -> None:
    """Written canonically, whatever the engine makes of them."""
    rows = things(engine, typed_cells)
    assert {name: rows["'full'"][name] for name in TYPED} == TYPED


@pytest.mark.parametrize("read", [stored_cells, typed_cells])
def test_nulls_are_told_apart(engine: sa.Engine, read: object) -> None:
    """SQL's from JSON's, and from the text that spells one."""
    rows = things(engine, read)
    assert is_null(rows["'nulls'"]["doc"])
    assert not is_null(rows["'json null'"]["doc"])
    assert is_null(rows["'json null'"]["tags"])
    assert not is_null(("text", repr("None")))


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
        with pytest.raises(TargetError, match="can't read the rows of table items") as caught:
            typed_cells(engine, base.metadata.tables.values())
        assert caught.value.entity == "items"


class Blank(sa.TypeDecorator[str]):
    """Reads an empty text as nothing."""

    impl = sa.String(20)
    cache_ok = True

    def process_result_value(self, value: object, dialect: object) -> object:
        return value or None


def test_what_is_none_to_sqlalchemy_alone_is_not_null(sqlite_memory: Backend) -> None:
    """JSON's null in an array's column, and what a type reads as nothing."""
    base = new_base()
    array = sa.ARRAY(sa.Text).with_variant(sa.JSON(), "sqlite")
    table = sa.Table("t", base.metadata, sa.Column("a", array), sa.Column("b", Blank()))
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES ('null', ''), (NULL, NULL)")
        first, second = typed_cells(engine, [table])["t"]
    assert first["a"] == ("array", '{"$json":null}')
    assert not is_null(first["b"])
    assert is_null(second["a"])
    assert is_null(second["b"])


class Point:
    """A value that doesn't say what it is."""

    def __init__(self, x: int) -> None:
        self.x = x


class Place(sa.TypeDecorator[Point]):
    """Keeps a point's number."""

    impl = sa.Integer
    cache_ok = True

    def process_result_value(self, value: object, dialect: object) -> object:
        return Point(value) if isinstance(value, int) else None


def test_objects_are_compared_by_what_they_hold(sqlite_memory: Backend) -> None:
    """And not by where in memory they are."""
    base = new_base()
    table = sa.Table("t", base.metadata, sa.Column("a", Place()))
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1), (2)")
        assert typed_cells(engine, [table])["t"] == [
            {"a": ("no integer", "Point({'x': 1})")},
            {"a": ("no integer", "Point({'x': 2})")},
        ]
