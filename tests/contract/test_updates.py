"""How a database sets columns of many rows at once, on every engine."""

from __future__ import annotations

import enum
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog, export_document, import_document
from lading.database.live import database_for
from lading.importing.decode import RecordDecoder
from support.backends import Backend
from support.columns import FLOAT, MOMENT
from support.declaring import new_base, schema_for, table
from support.statements import statements


class Colour(enum.Enum):
    """What is stored by its name."""

    RED = 1
    BLUE = 2


#: Types, and two written values of each.
TYPES: dict[str, tuple[Any, Any, Any]] = {
    "whole": (sa.Integer(), 1, -(2**31)),
    "large": (sa.BigInteger(), 2**62, None),
    "exact": (sa.Numeric(12, 4), "1.0050", "-99999999.9999"),
    "binary": (FLOAT, 0.1, 1e300),
    "flag": (sa.Boolean(), True, False),
    "short": (sa.String(9), "x", "Zürich's"),
    "padded": (sa.CHAR(6), "a", "a b"),
    "text": (sa.Text(), "", "%s %% ? 'b' \\ \n\t\"ü\U0001f600"),
    "day": (sa.Date(), "2024-02-29", "0001-01-01"),
    "moment": (MOMENT, "2024-02-29T23:59:59.000001", "1970-01-01T00:00:00"),
    "data": (sa.LargeBinary(), "", "AP8nXCIA"),
    "uuid": (sa.Uuid(), "00000000-0000-0000-0000-000000000001", None),
    "colour": (sa.Enum(Colour, name="colour"), "RED", "BLUE"),
    "json": (sa.JSON(none_as_null=True), {"a": [1, None]}, {"$json": None}),
}
ARRAYS: dict[str, tuple[Any, Any, Any]] = {
    "numbers": (sa.ARRAY(sa.Integer()), [1, None, 3], []),
    "words": (sa.ARRAY(sa.String(9)), ["a,b", '"'], ["{}", "\\", "NULL"]),
    "table": (sa.ARRAY(sa.Integer(), dimensions=2), [[1, 2], [3, 4]], [[5, 6]]),
}


def test_values_of_every_type_are_set_as_they_are_inserted(backend: Backend) -> None:
    """Typed parameters and lists of values leave them alike, arrays included."""
    types = TYPES | (ARRAYS if backend.dialect == "postgresql" else {})
    base, catalog = new_base(), Catalog("test")
    columns = {name: mapped_column(type_) for name, (type_, _, _) in types.items()}
    schema_for(table(base, "things", **columns), catalog)
    first, second = (
        {"slug": slug, **{name: values[place] for name, values in types.items()}}
        for slug, place in (("a", 1), ("b", 2))
    )
    things = base.metadata.tables["things"]
    with backend.database(base.metadata) as engine:
        import_document(engine, {"things": [first, second]}, catalog=catalog)
        with engine.begin() as connection:
            database = database_for(connection)
            database.look_up_server()
            database.look_up_columns([things])
            root = catalog.use()["things"]
            decoder = RecordDecoder(database.dialect, root, "things")
            lines = [json.dumps({**record, "slug": "c"}).encode() for record in (second, first)]
            batch, problems = decoder.decode(lines, 1)
            assert problems == []
            columns_set = [value.column for value in root.values]
            rows = [(id_, *values) for id_, values in zip((1, 2), batch.values, strict=True)]
            rows[1] = (2, "d", *rows[1][2:])
            database.update(things, [things.c.id], columns_set, rows)
        exported = export_document(engine, catalog=catalog)["things"]
    assert exported == [{**second, "slug": "c"}, {**first, "slug": "d"}]


def rows_of_orders(metadata: sa.MetaData) -> sa.Table:
    """Return a table whose names are reserved words, with a key of two columns."""
    return sa.Table(
        "order",
        metadata,
        sa.Column("from", sa.String(20), primary_key=True),
        sa.Column("to", sa.Integer, primary_key=True),
        sa.Column("select", sa.Integer),
        sa.Column("100%", sa.Integer),
        sa.Column("changed", sa.String(20), onupdate="now"),
    )


def test_only_the_named_columns_of_the_named_rows_are_set(backend: Backend) -> None:
    """Not those that a model would set at every update, nor rows with half a key in common."""
    metadata = sa.MetaData()
    order = rows_of_orders(metadata)
    key, others = [order.c["from"], order.c["to"]], [order.c["100%"], order.c["select"]]
    with backend.database(metadata) as engine, engine.begin() as connection:
        database = database_for(connection)
        database.look_up_server()
        database.look_up_columns([order])
        rows = [(word, n, 0, 0, "then") for word in ("a", "b") for n in range(3)]
        database.insert(order, list(order.columns), rows)
        database.update(order, key, others, [("a", 1, 7, 8), ("b", 0, None, 9)])
        stored = connection.execute(sa.select(order).order_by(*key)).all()
    expected = {("a", 1): (8, 7), ("b", 0): (9, None)}
    assert stored == [(word, n, *expected.get((word, n), (0, 0)), "then") for word, n, *_ in rows]


def test_rows_are_set_again_after_a_savepoint_is_rolled_back(backend: Backend) -> None:
    """The rows then hold what they held before."""
    metadata = sa.MetaData()
    order = rows_of_orders(metadata)
    key, others = [order.c["from"], order.c["to"]], [order.c["select"]]
    with backend.database(metadata) as engine, engine.begin() as connection:
        database = database_for(connection)
        database.look_up_server()
        database.look_up_columns([order])
        database.insert(order, list(order.columns), [("a", n, 0, 0, "then") for n in range(9)])
        for value in (1, 2):
            savepoint = connection.begin_nested()
            database.update(order, key, others, [("a", n, value) for n in range(9)])
            savepoint.rollback() if value == 1 else savepoint.commit()
            assert set(connection.scalars(sa.select(others[0]))) == {0 if value == 1 else 2}
        database.update(order, key, others, [("a", 1, 3)])
        assert sorted(connection.scalars(sa.select(others[0]))) == [2] * 8 + [3]


def test_an_update_costs_the_same_statements_for_any_rows(backend: Backend) -> None:
    """As long as they fit a statement."""
    metadata = sa.MetaData()
    order = rows_of_orders(metadata)
    key, others = [order.c["from"], order.c["to"]], [order.c["select"]]
    counts = []
    with backend.database(metadata) as engine, engine.begin() as connection:
        database = database_for(connection)
        database.look_up_server()
        database.look_up_columns([order])
        database.insert(order, list(order.columns), [("a", n, 0, 0, "then") for n in range(2_000)])
        for count in (1, 10, 2_000):
            with statements(engine) as seen:
                database.update(order, key, others, [("a", n, count) for n in range(count)])
            counts.append(len(seen))
        assert set(connection.scalars(sa.select(others[0]))) == {2_000}
    assert counts == [1, 1, 1]
