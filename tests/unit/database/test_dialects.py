"""Names, order, lookups and bulk statements of each engine, without a connection."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from lading.database.dialects.base import Dialect, ServerFacts, scalar
from lading.database.dialects.mariadb import MariaDB
from lading.database.dialects.mariadb_columns import Stored
from lading.database.dialects.postgresql import PostgreSQL
from lading.database.dialects.postgresql_columns import DeclaredPostgreSQLColumns
from lading.database.dialects.sqlite import SQLite
from lading.errors import TargetError
from lading.mapping.columns import kind_of
from lading.values.base import Kind
from support.dialects import sqlite_dialect

META = sa.MetaData()
ITEMS = sa.Table(
    "items",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("Tax %", sa.String(20)),
    sa.Column("price", sa.Numeric(6, 2)),
    sa.Column("at", sa.DateTime),
)
PRICES = sa.Table(
    "prices", META, sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True), schema="shop"
)  # fmt: skip
ID, TAX, PRICE, AT = ITEMS.c


def on_sqlite(**facts: Any) -> SQLite:
    """Return SQLite's dialect over these tables."""
    dialect = sqlite_dialect(META)
    dialect.facts = ServerFacts(**facts)
    return dialect


def on_postgresql(translate: Any = None, **facts: Any) -> PostgreSQL:
    """Return PostgreSQL's dialect over these tables."""
    engine = PGDialect_psycopg()
    declared = DeclaredPostgreSQLColumns(engine)
    tables = {
        (table.schema, table.name): {column.name: declared(column) for column in table.c}
        for table in (ITEMS, PRICES)
    }
    return PostgreSQL(engine, tables, translate=translate or {}, facts=ServerFacts(**facts))


def stored(name: str, full: str, **more: Any) -> Stored:
    """Return a column of MariaDB."""
    nothing = dict.fromkeys(
        ("length", "octets", "precision", "scale", "fraction", "charset", "collation")
    )
    described = {**nothing, "type": full.partition("(")[0], "full": full, "extra": "", **more}
    return Stored(name=name, **described)


LATIN = {"charset": "latin1", "collation": "latin1_swedish_ci"}
CODE_POINT = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}


def on_mariadb(**text: Any) -> MariaDB:
    """Return MariaDB's dialect over these tables, with texts of a collation."""
    engine = MySQLDialect_pymysql()
    engine._set_mariadb(True, (11, 4))
    columns = [
        stored("id", "int(11)"),
        stored("Tax %", "varchar(20)", length=20, octets=80, **(text or CODE_POINT)),
        stored("price", "decimal(6,2)", precision=6, scale=2),
        stored("at", "timestamp", fraction=0, extra="on update current_timestamp()"),
    ]
    tables = {(None, "items"): {column.name.lower(): column for column in columns}}
    return MariaDB(engine, tables, translate={}, facts=ServerFacts())


def kind(column: sa.Column[Any]) -> Kind:
    """Return a column's kind."""
    found = kind_of(column.type)
    assert found is not None
    return found


# Names


@pytest.mark.parametrize(
    ("dialect", "name", "parameter"),
    [
        (on_sqlite(), '"Tax %"', "?"),
        (on_postgresql(), '"Tax %%"', "%s"),
        (on_mariadb(), "`Tax %%`", "%s"),
    ],
    ids=["sqlite", "postgresql", "mariadb"],
)
def test_names_are_quoted_as_the_driver_takes_them(
    dialect: Dialect, name: str, parameter: str
) -> None:
    """Which doubles percent signs where they stand for parameters."""
    assert dialect.name(TAX) == name
    assert dialect.mark == parameter
    assert dialect.escaped("5 %") == ("5 %" if parameter == "?" else "5 %%")
    assert dialect.qualified([ID])[0].endswith(".id")


def test_schemas_are_translated() -> None:
    """A tenant may have one of its own, also where the model has none."""
    plain, tenant = on_postgresql(), on_postgresql({None: "North %", "shop": "select"})
    assert (plain.table(ITEMS), plain.table(PRICES)) == ("items", "shop.prices")
    assert (tenant.table(ITEMS), tenant.table(PRICES)) == ('"North %%".items', '"select".prices')
    assert tenant.table_name(ITEMS) == '"North %".items'
    assert tenant.sequence(sa.Sequence("s", schema="shop")) == '"select".s'
    assert tenant.place(PRICES) == ("select", "prices")
    assert '"North %%".items' in tenant.text_of(sa.select(ID))


# Lookups


def test_sqlite_looks_rows_up_by_values() -> None:
    """One column in a list, several as rows."""
    assert on_sqlite().among([ID], ["items.id"], [(1,), (2,)]) == (
        "WHERE items.id IN (?,?)",
        [1, 2],
    )
    assert on_sqlite().among([ID, PRICE], ["a", "b"], [(1, 2), (3, 4)]) == (
        "WHERE (a, b) IN (VALUES (?,?),(?,?))",
        [1, 2, 3, 4],
    )


def test_postgresql_looks_rows_up_by_arrays() -> None:
    """Texts uncut, whatever the column's length."""
    dialect = on_postgresql()
    assert dialect.among([TAX], ["t"], [("a",), ("b",)]) == (
        "WHERE t = ANY(%s::text[])",
        [["a", "b"]],
    )
    assert dialect.among([ID, TAX], ["a", "b"], [(1, "x"), (2, "y")]) == (
        "WHERE (a, b) IN (SELECT * FROM unnest(%s::integer[], %s::text[]))",
        [[1, 2], ["x", "y"]],
    )


def test_mariadb_looks_rows_up_in_the_column_s_own_terms() -> None:
    """So that an index still serves."""
    assert on_mariadb().among([ID], ["items.id"], [(1,), (2,)]) == (
        "WHERE items.id IN (%s,%s)",
        [1, 2],
    )
    sql, values = on_mariadb(**LATIN).among([TAX, PRICE], ["a", "b"], [("x", "1.50")])
    assert sql == (
        "WHERE (a,b) IN ((CONVERT(%s USING latin1) COLLATE latin1_swedish_ci,"
        "CAST(%s AS DECIMAL(6,2))))"
    )
    assert values == ["x", "1.50"]


# Writing


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (on_sqlite(), 'INSERT INTO items (id, "Tax %") VALUES (?, ?)'),
        (on_postgresql(), 'INSERT INTO items (id, "Tax %%") VALUES (%s, %s)'),
        (on_mariadb(), "INSERT INTO items (id, `Tax %%`) VALUES (%s, %s)"),
    ],
    ids=["sqlite", "postgresql", "mariadb"],
)
def test_a_row_is_inserted_by_its_columns(dialect: Dialect, sql: str) -> None:
    """All of them are named, so that no default stands in for a null."""
    assert dialect.insertion(ITEMS, [ID, TAX]) == sql


def test_postgresql_s_identities_take_values() -> None:
    """If they are told to; COPY writes them anyway."""
    dialect = on_postgresql()
    assert "OVERRIDING SYSTEM VALUE VALUES" in dialect.insertion(PRICES, list(PRICES.c))
    assert dialect.copying(ITEMS, [ID, TAX]) == 'COPY items (id, "Tax %") FROM STDIN'


def test_rows_are_updated_in_bulk() -> None:
    """One statement for all, which touches no other column."""
    assert on_sqlite().update_of(ITEMS, [ID], [PRICE], 2) == (
        "UPDATE items SET price = given.column2 FROM (VALUES (?,?),(?,?)) AS given "
        "WHERE items.id = given.column1"
    )
    assert on_postgresql().update_of(ITEMS, [ID], [PRICE], 2) == (
        "UPDATE items SET price = lading_given.c1 FROM unnest(%s::integer[], %s::numeric[]) "
        "AS lading_given(c0, c1) WHERE items.id = lading_given.c0"
    )
    assert on_mariadb().update_of(ITEMS, [ID], [PRICE], 2) == (
        "UPDATE (WITH given(c0, c1) AS (VALUES (%s,%s),(%s,%s)) SELECT * FROM given) AS given "
        "STRAIGHT_JOIN items ON items.id = given.c0 "
        "SET items.price = given.c1, items.at = items.at"
    )


def test_postgresql_updates_rows_one_by_one_by_the_same_parameters_as_it_inserts() -> None:
    """The new values come first, as the statement has them."""
    assert on_postgresql().updating(ITEMS, [ID, TAX], [PRICE]) == (
        'UPDATE items SET price = %s WHERE id = %s AND "Tax %%" = %s'
    )


def test_mariadb_s_updates_match_texts_exactly() -> None:
    """A folding collation would take others for them."""
    sql = on_mariadb(**LATIN).update_of(ITEMS, [TAX], [AT], 1)
    assert "COLLATE utf8mb4_nopad_bin = CONVERT(given.c0 USING utf8mb4)" in sql
    assert sql.endswith("SET items.at = given.c1")


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (on_sqlite(), "WITH RECURSIVE _lading_numbers"),
        (on_postgresql(), "generate_series("),
        (on_mariadb(), "seq_1_to_3"),
    ],
    ids=["sqlite", "postgresql", "mariadb"],
)
def test_a_table_of_numbers_has_so_many_rows(dialect: Dialect, sql: str) -> None:
    """To evaluate a default for each row of a chunk."""
    statement = sa.select(sa.literal_column("1")).select_from(dialect.numbers(3))
    assert sql in str(statement.compile(dialect=dialect.sqlalchemy))


# Order


def ordering(dialect: Dialect, column: sa.Column[Any]) -> str | None:
    """Return what a column's values are sorted by, as SQL."""
    clause = dialect.ordered(column, kind(column))
    return None if clause is None else str(clause.compile(dialect=dialect.sqlalchemy))


@pytest.mark.parametrize(
    ("dialect", "order"),
    [
        (on_sqlite(), 'items."Tax %" COLLATE "BINARY"'),
        (on_sqlite(is_utf8=False), None),
        (on_postgresql(), 'items."Tax %%" COLLATE "C"'),
        (on_postgresql(sorts_by_code_point=True), 'items."Tax %%"'),
        (on_postgresql(is_utf8=False), None),
        (on_mariadb(), "items.`Tax %%`"),
        (
            on_mariadb(**LATIN),
            "convert(items.`Tax %%` USING utf8mb4) COLLATE utf8mb4_nopad_bin",
        ),
    ],
)
def test_texts_are_sorted_by_code_point_or_by_us(dialect: Dialect, order: str | None) -> None:
    """An index serves where the column sorts so by itself."""
    assert ordering(dialect, TAX) == order


def test_numbers_are_sorted_by_the_column() -> None:
    """On each engine."""
    for dialect in (on_sqlite(), on_postgresql(), on_mariadb()):
        assert ordering(dialect, PRICE) == "items.price"


def test_labels_are_sorted_by_their_names() -> None:
    """Not by the order of their declaration."""
    column: sa.Column[Any] = sa.Column("size", sa.Enum("small", "large"))
    sa.Table("sized", sa.MetaData(), column)
    dialect = SQLite(
        sqlite.dialect(),
        sqlite_dialect(column.table.metadata).columns.tables,
        translate={},
        facts=ServerFacts(),
    )
    clause = dialect.ordered(column, kind(column))
    assert clause is not None
    sql = str(clause.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    assert sql == "CASE sized.size WHEN 'large' THEN 0 WHEN 'small' THEN 1 END"


def test_foreign_keys_are_exactly_their_targets() -> None:
    """Where a collation would let them differ."""
    assert " AND " not in str(on_mariadb().same(TAX, TAX))
    assert str(on_mariadb(**LATIN).same(TAX, TAX)).count("COLLATE") == 2
    assert str(on_sqlite().same(TAX, TAX)).count("BINARY") == 2
    assert "COLLATE" not in str(on_sqlite().same(ID, ID))


def test_sqlite_s_moments_have_two_forms() -> None:
    """Its own now() has no fraction."""
    dialect = on_sqlite()
    moment = "2025-01-31 08:00:00"
    assert dialect.forms(kind(AT), f"{moment}.000000") == (f"{moment}.000000", moment)
    assert dialect.forms(kind(AT), f"{moment}.500000") == (f"{moment}.500000",)
    assert dialect.forms(kind(TAX), "a.000000") == ("a.000000",)


# What is selected


def asked(dialect: Dialect, column: sa.Column[Any]) -> str:
    """Return what a SELECT asks for to read a column, as SQL."""
    return str(dialect.selected(column, kind(column)).compile(dialect=dialect.sqlalchemy))


@pytest.mark.parametrize(
    ("type_", "sql"),
    [
        (sa.Integer(), "value"),
        (sa.String(5), "value"),
        (sa.Numeric(6, 2), "CAST(value AS TEXT)"),
        (sa.DateTime(), "CAST(value AS TEXT)"),
        (sa.DateTime(timezone=True), "CAST(timezone('UTC', value) AS TEXT)"),
        (sa.Interval(), "pg_catalog.interval_send(value)"),
        (sa.Uuid(), "CAST(value AS TEXT)"),
        (sa.JSON(), "CAST(value AS TEXT)"),
        (pg.ARRAY(sa.Integer()), "CAST(value AS TEXT)"),
    ],
    ids=repr,
)
def test_postgresql_is_asked_for_text_where_its_driver_changes_values(type_: Any, sql: str) -> None:
    """Or fails at some of them."""
    column: sa.Column[Any] = sa.Column("value", type_)
    declared = DeclaredPostgreSQLColumns(PGDialect_psycopg())
    table = sa.Table("things", sa.MetaData(), column)
    dialect = PostgreSQL(
        PGDialect_psycopg(),
        {(None, "things"): {"value": declared(column)}},
        translate={},
        facts=ServerFacts(),
    )
    assert asked(dialect, table.c.value).replace("things.", "") == sql


def test_mariadb_is_asked_for_text_of_decimals_and_moments() -> None:
    """And for all digits of a float."""
    assert asked(on_mariadb(), PRICE) == "CAST(items.price AS CHAR)"
    assert asked(on_mariadb(), AT) == "CAST(items.at AS CHAR)"
    assert asked(on_mariadb(), ID) == "items.id"
    dialect = on_mariadb()
    column: sa.Column[Any] = sa.Column("ratio", sa.Float)
    sa.Table("items", sa.MetaData(), column)
    dialect.columns.tables[None, "items"]["ratio"] = stored("ratio", "float")  # type: ignore[index]
    assert asked(dialect, column) == "items.ratio + 0e0"


# Defaults


def column_of(*arguments: Any, **options: Any) -> sa.Column[Any]:
    """Return a column of a table of its own."""
    column: sa.Column[Any] = sa.Column("value", *arguments, **options)
    sa.Table("things", sa.MetaData(), column)
    return column


def test_a_default_is_sql_or_is_not() -> None:
    """Of the model, or of the database if the model says it."""
    dialect = on_postgresql()
    assert dialect.expression_of(column_of(sa.Integer)) is None
    assert dialect.expression_of(column_of(sa.Integer, default=5)) is None
    assert dialect.expression_of(column_of(sa.Integer, default=sa.func.f())) is not None
    drawn = column_of(sa.Integer, sa.Sequence("numbers"))
    assert str(dialect.expression_of(drawn)) == "<next sequence value: numbers>"
    assert on_sqlite().expression_of(drawn) is None
    assert dialect.server_expression_of(column_of(sa.Integer)) is None
    assert dialect.server_expression_of(column_of(sa.Integer, sa.Identity())) is None
    text = dialect.server_expression_of(column_of(sa.String, server_default="a"))
    assert text is not None
    assert text.value == "a"  # type: ignore[union-attr]
    assert (
        dialect.server_expression_of(column_of(sa.Integer, server_default=sa.func.f())) is not None
    )


def test_a_subquery_within_a_default_is_seen() -> None:
    """It may ask for other rows of its table."""
    query = sa.select(sa.func.max(ID))
    dialect = on_sqlite()
    assert "max(items.id)" in dialect.subquery_of(scalar(query) + 1)
    assert dialect.subquery_of(sa.func.now()) == ""
    assert scalar(query).type is not None
    assert scalar(ID) is ID


@pytest.mark.parametrize(
    ("type_", "sql"),
    [
        (sa.Integer(), "CAST(x AS INTEGER)"),
        (sa.String(5), "CAST(x AS TEXT)"),
        (sa.DateTime(), "CAST(CAST(x AS TIMESTAMP WITHOUT TIME ZONE) AS TEXT)"),
    ],
    ids=repr,
)
def test_postgresql_fills_by_text_that_is_not_cut(type_: Any, sql: str) -> None:
    """COPY takes it of any type."""
    filling = on_postgresql().filling(column_of(type_), sa.literal_column("x"))
    assert str(filling.compile(dialect=pg.dialect())) == sql


# What isn't supported, and what objects


def test_what_follows_from_a_dialect_is_computed_once() -> None:
    """By what it depends on."""
    dialect, calls = on_sqlite(), []

    def compute(made_for: Dialect, option: int) -> list[Any]:
        calls.append(option)
        return [made_for, option]

    first = dialect.once(compute, 1)
    assert dialect.once(compute, 1) is first
    assert dialect.once(compute, 2) == [dialect, 2]
    assert calls == [1, 2]


def test_a_driver_that_binds_otherwise_is_refused() -> None:
    """Each turns values into other things."""
    engine = sqlite.dialect(paramstyle="named")
    with pytest.raises(TargetError, match="it binds parameters as 'named'"):
        SQLite(engine, {}, translate={}, facts=ServerFacts())


def test_a_mysql_server_is_refused() -> None:
    """It isn't tried."""
    with pytest.raises(TargetError, match="the server is MySQL, which isn't supported yet"):
        MariaDB(MySQLDialect_pymysql(), {}, translate={}, facts=ServerFacts())


@pytest.mark.parametrize(
    ("dialect", "original", "objects"),
    [
        (on_sqlite(), Exception("locked"), False),
        (on_mariadb(), Exception(1644, "signalled"), True),
        (on_mariadb(), Exception(1213, "deadlock"), False),
        (on_mariadb(), Exception(), False),
        (on_postgresql(), type("Raised", (Exception,), {"sqlstate": "P0001"})(), True),
        (on_postgresql(), type("Lost", (Exception,), {"sqlstate": "57P01"})(), False),
    ],
)
def test_an_objection_is_told_by_its_code(
    dialect: Dialect, original: Exception, objects: bool
) -> None:
    """Drivers call some of them faults of their own."""
    error = sa.exc.OperationalError("", {}, original)
    assert dialect.is_objection(error) is objects
    assert dialect.is_objection(sa.exc.IntegrityError("", {}, original))


def test_a_column_that_is_not_there_is_named() -> None:
    """The database is behind the models."""
    column: sa.Column[Any] = sa.Column("new", sa.Integer)
    sa.Table("items", sa.MetaData(), column)
    with pytest.raises(TargetError, match=r"the database has no column items\.new"):
        on_mariadb().columns(column)
    assert on_mariadb().columns.find(column) is None
