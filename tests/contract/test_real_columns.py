"""The real column decides what it keeps, both ways, whatever the model says.

Each case is a column that a migration left otherwise than the model has it.
"""

from __future__ import annotations

import enum
import sqlite3
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import mapped_column

from lading import Catalog, ImportFailed, TargetError, export_document, import_document
from lading.database.dialects.sqlite_columns import declared_as, driver_checks
from lading.database.live import database_for
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for
from support.statements import statements

NUMBERED = {"postgresql": "serial PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY"}


class Colour(enum.Enum):
    """Three names, of which a column may know two."""

    red = 1
    green = 2
    blue = 3


def fact(type_: Any) -> Any:
    """Map a table with a value of some type."""

    class Fact(new_base()):  # type: ignore[misc]
        __tablename__ = "facts"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        value = mapped_column(type_)

    return Fact


class Drifted:
    """A database whose column is of another type than the model's."""

    def __init__(self, engine: sa.Engine, type_: Any, column: str, *before: str) -> None:
        self.engine = engine
        self.catalog: Catalog = catalog_of(fact(type_))
        self.run(*before)
        key = NUMBERED.get(engine.dialect.name, "INTEGER PRIMARY KEY AUTO_INCREMENT")
        text = "TEXT" if engine.dialect.name == "sqlite" else "VARCHAR(9)"
        self.run(f"CREATE TABLE facts (id {key}, slug {text} NOT NULL UNIQUE, value {column})")

    def run(self, *statements_: str) -> None:
        """Run SQL past lading."""
        with self.engine.begin() as connection:
            for sql in statements_:
                connection.exec_driver_sql(sql)

    def insert(self, *literals: str) -> None:
        """Store values past lading."""
        for number, literal in enumerate(literals):
            self.run(f"INSERT INTO facts (slug, value) VALUES ('s{number}', {literal})")

    def load(self, *written: Any) -> None:
        """Import records with these values."""
        facts = [{"slug": f"w{n}", "value": value} for n, value in enumerate(written)]
        document = {"schema_versions": {"facts": 1}, "facts": facts}
        import_document(self.engine, document, catalog=self.catalog)

    def exported(self) -> list[Any]:
        """Return what an export writes of the values."""
        return [record["value"] for record in self.document()["facts"]]

    def document(self) -> dict[str, Any]:
        """Export."""
        return export_document(self.engine, catalog=self.catalog)

    def stored(self) -> list[Any]:
        """Return the values as the driver gives them."""
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT value FROM facts ORDER BY slug").all()
        return [row[0] for row in rows]

    def problem(self, written: Any) -> str:
        """Return why a record is refused, by lading and before anything is written."""
        with statements(self.engine) as seen, pytest.raises(ImportFailed) as caught:
            self.load(written)
        assert not [sql for sql in seen if sql.startswith(("INSERT", "COPY"))]
        (problem,) = caught.value.report.problems
        assert (problem.record, problem.field) == (1, "value")
        assert "the database refused" not in problem.message
        return problem.message

    def refuses_all(self, written: Any) -> str:
        """Return why the column is refused at first sight, by name."""
        with pytest.raises(TargetError, match=r"column facts\.value can't hold") as caught:
            self.load(written)
        assert (caught.value.entity, caught.value.field) == ("facts", "value")
        assert self.stored() == []
        return caught.value.problem

    def export_error(self) -> TargetError:
        """Return what an export is refused with: the record, its field, and a remedy."""
        with pytest.raises(TargetError) as caught:
            self.document()
        assert (caught.value.entity, caught.value.field) == ("facts", "value")
        assert "in the row with slug" in caught.value.problem
        assert caught.value.remedy
        return caught.value


# PostgreSQL


@pytest.mark.parametrize(
    ("type_", "column", "fine", "bad"),
    [
        (sa.Numeric(10, 4), "numeric(10,2)", "1.2500", "1.2345"),
        (sa.Numeric(), "numeric(4,1)", "1.5", "Infinity"),
        (sa.Numeric(10, 4), "integer", "7.0000", "7.5000"),
        (sa.Numeric(10, 4), "smallint", "7.0000", "70000.0000"),
        (sa.Numeric(), "double precision", "0.5", "0.1234567890123456789"),
        (sa.DateTime(), "timestamp(0)", "2020-01-01T00:00:01", "2020-01-01T00:00:00.600000"),
        (sa.DateTime(), "timestamp(3)", "2020-01-01T00:00:00.250000", "2020-01-01T00:00:00.000001"),
        (sa.DateTime(timezone=True), "timestamptz(0)", None, "2020-01-01T00:00:00.600000Z"),
        (sa.Time(), "time(0)", "08:00:00", "08:00:00.500000"),
        (sa.Interval(), "interval(0)", "PT1S", "PT1.600000S"),
        (sa.Interval(), "interval day to hour", None, "PT1S"),
        (sa.Double(), "real", 0.5, 0.123456789),
        (sa.String(10), "char(10)", "abcdefghij", "ab"),
        (sa.String(10), "varchar(2)", "ab", "ab  "),
        (sa.Text(), "varchar(2)", "ab", "abc"),
        (sa.Integer(), "smallint", 32767, 32768),
        (sa.Text(), "color", "red", "Red"),
        (sa.Enum(Colour, name="color"), "color", "red", "blue"),
        (sa.Enum(Colour, name="color"), "varchar(4)", "red", "green"),
        (sa.String(10), "short", "abc", "abcd"),
        (sa.ARRAY(sa.Numeric(9, 3)), "numeric(9,2)[]", ["1.250"], ["1.255"]),
        (sa.JSON(), "jsonb", {"a": 1}, "a\0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_postgresql_keeps_no_less_than_what_is_imported(
    postgresql: Backend, type_: Any, column: str, fine: Any, bad: Any
) -> None:
    """Numbers aren't rounded, moments aren't cut, texts are neither cut nor padded."""
    made = ("CREATE TYPE color AS ENUM ('red', 'green')", "CREATE DOMAIN short AS varchar(3)")
    with postgresql.database() as engine:
        drifted = Drifted(engine, type_, column, *made)
        assert drifted.problem(bad)
        if fine is not None:
            drifted.load(fine)
            assert drifted.exported() == [fine]


@pytest.mark.parametrize(
    ("type_", "column", "literal", "written"),
    [
        (sa.Integer(), "boolean", "true", 1),
        (sa.Integer(), "numeric(10,0)", "7", 7),
        (sa.Integer(), "text", "'7'", 7),
        (sa.Boolean(), "integer", "1", True),
        (sa.Boolean(), "text", "'t'", True),
        (sa.Text(), "boolean", "true", "t"),
        (sa.Text(), "bigint", "7", "7"),
        (sa.Text(), "jsonb", "'{\"a\": 1}'", "{}"),
        (sa.Text(), "bytea", "'A'", "A"),
        (sa.Text(), "inet", "'10.0.0.1'", "10.0.0.1"),
        (sa.Text(), "money", "'12.50'", "$12.50"),
        (sa.Text(), "date", "'2020-01-01'", "2020-01-01"),
        (sa.Float(), "numeric(10,2)", "1.5", 1.5),
        (sa.DateTime(), "date", "'2020-01-01'", "2020-01-01T00:00:00"),
        (sa.DateTime(), "text", "'2020-01-01'", "2020-01-01T00:00:00"),
        (sa.DateTime(timezone=True), "text", "'2020-01-01'", "2020-01-01T00:00:00Z"),
        (sa.Date(), "timestamp", "'2020-01-01'", "2020-01-01"),
        (sa.Interval(), "text", "'1 day'", "P1D"),
        (sa.Uuid(), "text", "'x'", "00000000-0000-0000-0000-000000000001"),
        (sa.LargeBinary(), "text", "'x'", "AAE="),
        (sa.JSON(), "text", "'1'", 1),
        (sa.ARRAY(sa.Integer()), "text[]", "ARRAY['1']", [1]),
        (sa.Enum("small", "big", name="color"), "color", "'red'", "big"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_postgresql_s_values_are_held_to_the_model_s_kind(
    postgresql: Backend, type_: Any, column: str, literal: str, written: Any
) -> None:
    """An export names the row, an import the column; rows without a value are no obstacle."""
    with postgresql.database() as engine:
        drifted = Drifted(engine, type_, column, "CREATE TYPE color AS ENUM ('red', 'green')")
        named = drifted.refuses_all(written)
        assert "in the database" in named
        drifted.insert("NULL")
        assert drifted.exported() == [None]
        drifted.run(f"UPDATE facts SET value = {literal}")
        assert "its column is" in drifted.export_error().problem


@pytest.mark.parametrize("aware", [True, False])
def test_zones_are_the_model_s_and_the_column_s_alike(postgresql: Backend, aware: bool) -> None:
    """What comes of a timestamptz is aware; the server would shift what isn't."""
    column = "timestamp" if aware else "timestamptz"
    with postgresql.database() as engine:
        drifted = Drifted(engine, sa.DateTime(timezone=aware), column)
        drifted.insert("'2020-01-01 00:00:00'")
        error = drifted.export_error()
    expected = "the column's values have no zone" if aware else "values are aware datetimes"
    assert expected in error.problem
    assert error.remedy.startswith("Alter the column to what the model says, or the model")


@pytest.mark.parametrize(
    ("type_", "column", "literal"),
    [
        (sa.String(3), "varchar(9)", "'abcdef'"),
        (sa.CHAR(9), "varchar(9)", "'ab  '"),
        (sa.Numeric(4, 2), "numeric(20,2)", "123456.00"),
        (sa.Numeric(4, 2), "numeric", "1.234"),
    ],
)
def test_postgresql_s_wider_columns_export_what_imports_take(
    postgresql: Backend, type_: Any, column: str, literal: str
) -> None:
    """A value that the model has no room for can't be restored, so it isn't exported."""
    with postgresql.database() as engine:
        drifted = Drifted(engine, type_, column)
        drifted.insert(literal)
        drifted.export_error()


def test_postgresql_s_wider_integers_go_round(postgresql: Backend) -> None:
    """A BIGINT under an Integer holds eight bytes."""
    with postgresql.database() as engine:
        drifted = Drifted(engine, sa.Integer(), "bigint")
        drifted.load(2**40)
        assert drifted.exported() == [2**40]


def test_postgresql_s_keys_come_in_code_point_order(postgresql: Backend) -> None:
    """Whatever order the real column has by itself; lookups find them exactly."""

    class Fact(new_base()):  # type: ignore[misc]
        __tablename__ = "facts"
        slug = mapped_column(sa.Text, primary_key=True)

    catalog = catalog_of(Fact)
    with postgresql.database() as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TYPE color AS ENUM ('b', 'a', 'C')")
            connection.exec_driver_sql("CREATE TABLE facts (slug color PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO facts VALUES ('b'), ('a'), ('C')")
        document = export_document(engine, catalog=catalog)
        assert [record["slug"] for record in document["facts"]] == ["C", "a", "b"]
        assert import_document(engine, document, catalog=catalog).skipped == 3


def test_a_decorator_s_values_are_held_to_the_real_column(postgresql: Backend) -> None:
    """What it gives the driver is what the column must keep."""

    class Halved(sa.TypeDecorator[Decimal]):
        impl = sa.Numeric(10, 4)
        cache_ok = True
        python_type = Decimal  # type: ignore[assignment]

        def process_bind_param(self, value: Any, _dialect: Any) -> Any:
            return None if value is None else value / 2

        def process_result_value(self, value: Any, _dialect: Any) -> Any:
            return None if value is None else value * 2

    with postgresql.database() as engine:
        drifted = Drifted(engine, Halved(), "numeric(10,1)")
        assert "1 decimal" in drifted.problem("1.5") or "holds 1" in drifted.problem("1.5")
        drifted.load("3")
        assert drifted.stored() == [Decimal("1.5")]


def test_views_and_foreign_tables_are_measured_as_tables_are(postgresql: Backend) -> None:
    """What stands in a table's place has columns as well."""
    with postgresql.database() as engine:
        drifted = Drifted(engine, sa.Integer(), "bigint")
        drifted.insert("7")
        drifted.run(
            "ALTER TABLE facts RENAME TO hidden",
            "CREATE VIEW facts AS SELECT id, slug, value::text AS value FROM hidden",
        )
        assert "its column is text" in drifted.export_error().problem


# SQLite


@pytest.mark.parametrize(
    ("type_", "column", "fine", "bad"),
    [
        (sa.String(9), "STRING", "0x10", "00501"),
        (sa.String(9), "INTEGER", "ab", " 7 "),
        (sa.String(9), "REAL", "e5", "1e5"),
        (sa.String(9), "ANY", "1.2.3", "1."),
        (
            sa.Uuid(),
            "UUID",
            "a" * 8 + "-aaaa" * 3 + "-" + "a" * 12,
            f"{'0' * 8}-{'0000-' * 3}{'0' * 8}e005",
        ),
        (sa.Enum("1", "one", native_enum=False), "NUMERIC", "one", "1"),
    ],
)
def test_sqlite_s_affinity_stores_no_text_as_a_number(
    sqlite_memory: Backend, type_: Any, column: str, fine: Any, bad: Any
) -> None:
    """A text that looks like a number is refused; others are stored as they are."""
    with sqlite_memory.database() as engine:
        drifted = Drifted(engine, type_, column)
        drifted.load(fine)
        assert drifted.exported() == [fine]
        drifted.run("DELETE FROM facts")
        assert "looks like a number" in drifted.problem(bad)


@pytest.mark.parametrize(
    ("type_", "column", "written"),
    [
        (sa.Integer(), "TEXT", 7),
        (sa.Integer(), "VARCHAR(9)", 7),
        (sa.Integer(), "REAL", 7),
        (sa.Boolean(), "TEXT", True),
        (sa.Float(), "TEXT", 0.5),
        (sa.Numeric(9, 2), "TEXT", "0.50"),
    ],
)
def test_sqlite_s_affinity_stores_no_number_as_another(
    sqlite_memory: Backend, type_: Any, column: str, written: Any
) -> None:
    """A column that would change all of its model's values is refused by name."""
    with sqlite_memory.database() as engine:
        drifted = Drifted(engine, type_, column)
        assert "affinity" in drifted.refuses_all(written)
        drifted.insert("'x'")
        drifted.export_error()


@pytest.mark.parametrize(
    ("type_", "column", "written"),
    [
        (sa.Integer(), "", 7),
        (sa.String(9), "", "007"),
        (sa.String(9), "BLOB", "007"),
        (sa.Boolean(), "BOOLEAN", True),
        (sa.DateTime(), "TEXT", "2020-01-01T00:00:00"),
        (sa.Date(), "", "2020-01-01"),
        (sa.JSON(), "TEXT", 5),
        (sa.JSON(), "TEXT", 5.0),
        (sa.LargeBinary(), "NUMERIC", "AAE="),
        (sa.Numeric(9, 2), "INTEGER", "0.50"),
        (sa.Float(), "NUMERIC", 0.5),
    ],
)
def test_sqlite_s_harmless_affinities_take_everything(
    sqlite_memory: Backend, type_: Any, column: str, written: Any
) -> None:
    """A column without a type changes nothing, nor does one that the values suit."""
    with sqlite_memory.database() as engine:
        drifted = Drifted(engine, type_, column)
        drifted.load(written)
        assert drifted.exported() == [written]


@pytest.mark.parametrize(
    ("key", "holder", "is_fit"),
    [
        ("TEXT", "STRING", False),
        ("STRING", "STRING", True),
        ("STRING", "TEXT", True),
        ("TEXT", "", True),
    ],
)
def test_sqlite_s_foreign_keys_keep_what_their_targets_do(
    sqlite_memory: Backend, key: str, holder: str, is_fit: bool
) -> None:
    """A key that looks like a number would be stored as one, and refer to nothing."""
    base = new_base()
    keys = {"__tablename__": "keys", "slug": mapped_column(sa.Text, primary_key=True)}
    notes = {
        "__tablename__": "notes",
        "slug": mapped_column(sa.Text, primary_key=True),
        "key_slug": mapped_column(sa.ForeignKey("keys.slug")),
    }
    catalog = catalog_of(type("Key", (base,), keys), type("Note", (base,), notes))
    with sqlite_memory.database() as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE keys (slug {key} PRIMARY KEY)")
            connection.exec_driver_sql(
                f"CREATE TABLE notes (slug TEXT PRIMARY KEY, key_slug {holder} REFERENCES keys)"
            )
        slug = "a1" if key == "STRING" else "001"
        document = {
            "schema_versions": {"keys": 1, "notes": 1},
            "keys": [{"slug": slug}],
            "notes": [{"slug": "n", "key_slug": {"slug": slug}}],
        }
        if is_fit:
            import_document(engine, document, catalog=catalog)
            assert export_document(engine, catalog=catalog)["notes"] == document["notes"]
            return
        with pytest.raises(
            TargetError, match=r"notes\.key_slug can't hold what keys\.slug"
        ) as caught:
            import_document(engine, document, catalog=catalog)
        assert (caught.value.entity, caught.value.field) == ("notes", "key_slug")


def test_sqlite_s_strict_tables_are_told_by_their_types(sqlite_memory: Backend) -> None:
    """They would refuse each value; ANY changes nothing there."""
    if sqlite3.sqlite_version_info < (3, 37):
        pytest.skip("SQLite has no STRICT tables before 3.37")
    with sqlite_memory.database() as engine:
        drifted = Drifted(engine, sa.String(9), "TEXT")
        for column, is_fit in (("INTEGER", False), ("ANY", True)):
            drifted.run(
                "DROP TABLE facts",
                "CREATE TABLE facts (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, "
                f"value {column}) STRICT",
            )
            if is_fit:
                drifted.load("007")
                assert drifted.exported() == ["007"]
            else:
                assert "of a STRICT table" in drifted.refuses_all("x")


@pytest.mark.parametrize(
    "type_", ["STRING", "INT", "POINT", "CHARINT", "FLOATING", "DOUBLE", "TEXT"]
)
@pytest.mark.parametrize("affinity", ["", "(9)"])
def test_affinities_are_sqlite_s_own(type_: str, affinity: str) -> None:
    """The five rules, computed; and what they do to texts is foreseen exactly."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE t (v {type_}{affinity})")
    check = driver_checks(declared_as(f"{type_}{affinity}")).get(str)
    texts = ["1", "+1", " 1 ", "1.", ".5", ".", "1e5", "1e", "0x1", "1 2", "", "inf", "1_0", "-"]
    texts += ["\t7\n", "\f7", "7\0", "٣", "1.5.1", "9" * 40, "1e999", "--1"]
    for text in texts:
        connection.execute("DELETE FROM t")
        connection.execute("INSERT INTO t VALUES (?)", (text,))
        is_kept = connection.execute("SELECT v FROM t").fetchone()[0] == text
        try:
            fits = check is None or check(text) == text
        except ValueError:
            fits = False
        assert fits <= is_kept, text
        assert is_kept or not fits, text
    connection.close()


# All engines


def test_a_missing_column_is_named_with_its_field_and_a_remedy(backend: Backend) -> None:
    """In both directions, before anything is read or written."""
    with backend.database() as engine:
        drifted = Drifted(engine, sa.Integer(), "INTEGER")
        drifted.run("ALTER TABLE facts DROP COLUMN value")
        for call in (drifted.document, lambda: drifted.load(1)):
            with pytest.raises(TargetError, match=r"no column facts\.value") as caught:
                call()
            assert (caught.value.entity, caught.value.field) == ("facts", "value")
            assert caught.value.remedy == (
                "Migrate the database to what your models say, or leave what it lacks out: "
                "class Meta: exclude = ('value',)."
            )


def test_a_column_that_the_database_computes_is_refused_by_name(backend: Backend) -> None:
    """Unless the model says that it is computed, an import would have to write it."""
    with backend.database() as engine:
        drifted = Drifted(engine, sa.Integer(), "INTEGER GENERATED ALWAYS AS (length(slug)) STORED")
        drifted.run("INSERT INTO facts (slug) VALUES ('a')")
        assert drifted.exported() == [1]
        with pytest.raises(TargetError, match="generated by the database") as caught:
            drifted.load(2)
        assert (caught.value.entity, caught.value.field) == ("facts", "value")


def test_columns_are_asked_for_once(backend: Backend) -> None:
    """One statement tells what all columns of all tables are."""
    base = new_base()
    catalog = Catalog("test")
    for name in ("ones", "twos", "threes"):
        columns = {"__tablename__": name, "slug": mapped_column(sa.String(9), primary_key=True)}
        schema_for(type(name.title(), (base,), columns), catalog)
    with backend.database(base.metadata) as engine, statements(engine) as seen:
        export_document(engine, catalog=catalog)
    asked = ("pragma_table_xinfo", "pg_catalog.pg_attribute", "information_schema.columns")
    assert len([sql for sql in seen if any(name in sql for name in asked)]) == 1


# MariaDB


@pytest.mark.parametrize(
    ("type_", "column", "fine", "bad"),
    [
        (sa.Numeric(10, 4), "INT", "7.0000", "7.5000"),
        (sa.Numeric(10, 4), "TINYINT UNSIGNED", "7.0000", "-7.0000"),
        (sa.Numeric(10, 4), "DECIMAL(10,2)", "1.2500", "1.2345"),
        (sa.Numeric(), "DOUBLE", "0.5", "0.1234567890123456789"),
        (sa.Numeric(9, 2), "DOUBLE(5,1)", "1.50", "1.25"),
        (sa.Numeric(9, 2), "DOUBLE(5,1)", "9999.90", "10000.00"),
        (sa.Numeric(9, 2), "DOUBLE UNSIGNED", "1.25", "-1.25"),
        (sa.Text(), "SET('b','a')", "b,a", "a,b"),
        (sa.Text(), "SET('b','a')", "", "a,a"),
        (sa.Text(), "SET('b','a')", "a", "c"),
        (mysql.SET("a", "b"), "SET('b','a')", ["a", "b"], ["a", "b", "c"]),
        (sa.Text(), "ENUM('b','a','1x')", "a", "A"),
        (sa.Text(), "ENUM('b','a')", "b", "1"),
        (sa.Text(), "ENUM('it''s','b\\\\c')", "b\\c", "it''s"),
        (sa.Enum("a", "b", name="ab"), "ENUM('a')", "a", "b"),
        (sa.Enum("a", "bc", name="ab"), "VARCHAR(1)", "a", "bc"),
        (sa.Text(), "UUID", "00000000-0000-0000-0000-00000000000a", "x"),
        (sa.JSON(), "VARCHAR(5)", "ab", "abcdef"),
        (sa.Integer(), "INT(5) UNSIGNED ZEROFILL", 7, -7),
        (sa.Boolean(), "TINYINT(1)", True, 1),
        (sa.Boolean(), "INT", True, 1),
        (sa.String(9), "CHAR(9)", "ab", "ab "),
        (sa.Uuid(), "CHAR(32)", "00000000-0000-0000-0000-00000000000a", "x"),
        (sa.Uuid(), "CHAR(36)", "00000000-0000-0000-0000-00000000000a", "x"),
        (sa.Uuid(), "CHAR(20)", None, "00000000-0000-0000-0000-00000000000a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mariadb_keeps_no_less_than_what_is_imported(
    mariadb: Backend, type_: Any, column: str, fine: Any, bad: Any
) -> None:
    """Numbers stay what they are, and a text is a label exactly or no label at all."""
    with mariadb.database() as engine:
        drifted = Drifted(engine, type_, column)
        if fine is not None:
            drifted.load(fine)
            assert drifted.exported() == [fine]
            drifted.run("DELETE FROM facts")
        assert drifted.problem(bad)


@pytest.mark.parametrize(
    ("type_", "column", "literal", "written"),
    [
        (sa.DateTime(), "DATE", "'2020-01-01'", "2020-01-01T00:00:00"),
        (sa.Date(), "DATETIME", "'2020-01-01'", "2020-01-01"),
        (sa.Date(), "VARCHAR(10)", "'2020-01-01'", "2020-01-01"),
        (sa.Text(), "DECIMAL(9,2)", "1.5", "1.5"),
        (sa.Text(), "INT", "7", "7"),
        (sa.Text(), "BLOB", "'x'", "x"),
        (sa.Integer(), "VARCHAR(9)", "'7'", 7),
        (sa.Integer(), "DECIMAL(9,0)", "7", 7),
        (sa.Integer(), "YEAR", "2020", 2020),
        (sa.Boolean(), "BIT(1)", "1", True),
        (sa.Float(), "DECIMAL(9,2)", "1.5", 1.5),
        (sa.Numeric(9, 2), "VARCHAR(9)", "'1.50'", "1.50"),
        (sa.LargeBinary(), "TEXT", "'x'", "AAE="),
        (sa.Uuid(), "BINARY(16)", "'x'", "00000000-0000-0000-0000-00000000000a"),
        (sa.Enum("x", "y", name="xy"), "ENUM('z')", "'z'", "x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mariadb_s_values_are_held_to_the_model_s_kind(
    mariadb: Backend, type_: Any, column: str, literal: str, written: Any
) -> None:
    """An export names the row, an import the column; rows without a value are no obstacle."""
    with mariadb.database() as engine:
        drifted = Drifted(engine, type_, column)
        assert "in the database" in drifted.refuses_all(written)
        drifted.insert("NULL")
        assert drifted.exported() == [None]
        drifted.run(f"UPDATE facts SET value = {literal}")
        assert "its column is" in drifted.export_error().problem


@pytest.mark.parametrize(
    ("type_", "column", "literal"),
    [
        (sa.String(3), "VARCHAR(9)", "'abcdef'"),
        (sa.CHAR(9), "VARCHAR(9)", "'ab  '"),
        (sa.Numeric(4, 2), "DECIMAL(20,2)", "123456.00"),
        (sa.Uuid(), "CHAR(36)", "'0000000000000000000000000000000a'"),
    ],
)
def test_mariadb_s_wider_columns_export_what_imports_take(
    mariadb: Backend, type_: Any, column: str, literal: str
) -> None:
    """A value that the model has no room for can't be restored, so it isn't exported."""
    with mariadb.database() as engine:
        drifted = Drifted(engine, type_, column)
        drifted.insert(literal)
        drifted.export_error()


@pytest.mark.parametrize("name", ["sqlite_memory", "postgresql"])
def test_a_set_is_mariadb_s_alone(name: str, request: pytest.FixtureRequest) -> None:
    """An engine without sets is refused by the column, with what to do."""
    catalog = catalog_of(fact(mysql.SET("x", "y")))
    with request.getfixturevalue(name).database() as engine:
        with pytest.raises(TargetError, match=r"facts\.value: \w+ has no SET; keep the labels"):
            export_document(engine, catalog=catalog)


class Guid(sa.TypeDecorator[str]):
    """A UUID where the engine has such a type, and text elsewhere."""

    impl = sa.CHAR(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        native = dialect.name == "postgresql"
        return dialect.type_descriptor(sa.Uuid() if native else sa.CHAR(36))


MADE: list[Any] = [
    *(sa.Unicode(9), sa.CHAR(3), sa.NCHAR(3), sa.VARCHAR(9), sa.UnicodeText(), sa.String(9, "C")),
    *(sa.SmallInteger(), sa.BigInteger(), sa.INTEGER(), sa.Boolean(), sa.DECIMAL(9, 2)),
    *(sa.Float(), sa.Float(53), sa.FLOAT(), sa.REAL(), sa.Double(), sa.DOUBLE_PRECISION()),
    *(sa.Date(), sa.Time(), sa.DateTime(), sa.TIMESTAMP(timezone=True), sa.Interval()),
    *(sa.Interval(native=False), sa.Uuid(), sa.Uuid(native_uuid=False), sa.Uuid(as_uuid=False)),
    *(sa.LargeBinary(), sa.LargeBinary(9), sa.PickleType(), sa.JSON(), Guid()),
    *(sa.Enum(Colour, name="made"), sa.Enum("a", "b", native_enum=False, name="ab")),
]
MADE_THERE: dict[str, list[Any]] = {
    "sqlite": [sqlite.DATE(storage_format="%(year)04d%(month)02d%(day)02d"), sqlite.JSON()],
    "postgresql": [
        *(pg.TIMESTAMP(precision=3), pg.TIME(timezone=True, precision=0), pg.BYTEA()),
        *(pg.INTERVAL(fields="DAY TO SECOND", precision=3), pg.INTERVAL(fields="YEAR TO MONTH")),
        *(pg.JSONB(), pg.UUID(), pg.INET(), pg.MONEY(), pg.OID(), pg.BIT(3), pg.TSVECTOR()),
        *(pg.ARRAY(sa.String(3)), pg.ARRAY(sa.Enum(Colour, name="made"), dimensions=2)),
        pg.ARRAY(sa.DateTime(timezone=True)),
    ],
    "mariadb": [
        *(mysql.INTEGER(unsigned=True, zerofill=True), mysql.TINYINT(1), mysql.MEDIUMINT()),
        *(
            mysql.LONGTEXT(),
            mysql.NVARCHAR(9),
            mysql.NCHAR(3),
            mysql.ENUM("it's", "b"),
            mysql.YEAR(),
        ),
        *(mysql.BIT(3), mysql.SET("a", "b"), mysql.VARBINARY(9), mysql.MEDIUMBLOB()),
        *(mysql.DATETIME(fsp=6), mysql.TIMESTAMP(fsp=3), mysql.DECIMAL(9, 2, unsigned=True)),
        *(mysql.DOUBLE(asdecimal=False), mysql.VARCHAR(9, charset="latin1")),
    ],
}


def test_what_a_model_makes_is_what_it_says(backend: Backend) -> None:
    """Whatever a type is called in a database, its own column fits it."""
    metadata = sa.MetaData()
    types = [*MADE, *MADE_THERE[backend.dialect]]
    if backend.dialect != "postgresql":
        types = [type_ for type_ in types if getattr(type_, "collation", None) is None]
    columns = [sa.Column(f"c{n}", type_) for n, type_ in enumerate(types)]
    sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    with backend.database(metadata) as engine, engine.connect() as connection:
        database = database_for(connection)
        database.look_up_columns([metadata.tables["things"]])
        misfits = {column.type: database.dialect.codecs.misfit(column) for column in columns}
    assert {type_: text for type_, text in misfits.items() if text is not None} == {}
