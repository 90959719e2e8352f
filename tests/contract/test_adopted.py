"""A database for which nothing is declared: what is reflected, and what is left out of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lading import (
    AlteredWarning,
    BundleError,
    Catalog,
    ImportFailed,
    Ref,
    TargetError,
    diff,
    export_all,
    export_document,
    import_all,
    import_document,
    verify,
)
from lading.fresh_databases.servers import ServerDatabases
from lading.model.shape import shape_of
from support.backends import ON_SQLITE, Backend
from support.declaring import new_base, schema_for
from support.rewriting import entity_bytes
from support.statements import statements

TABLES = [
    "CREATE TABLE shelves (id INTEGER PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE)",
    "CREATE TABLE goods (id INTEGER PRIMARY KEY, label VARCHAR(20), price NUMERIC(8, 2), "
    "shelf_id INTEGER REFERENCES shelves (id))",
    "INSERT INTO shelves VALUES (7, 'low'), (9, 'high')",
    "INSERT INTO goods VALUES (3, 'salt', 1.50, 9), (5, 'salt', 1.50, NULL)",
]
VIEW = "CREATE VIEW cheap AS SELECT * FROM goods WHERE price < 1"

#: Tables with options that a scratch database can't have, or mustn't.
OPTIONS = {
    "postgresql": [
        "CREATE TABLE animals (id INTEGER PRIMARY KEY)",
        "CREATE TABLE dogs (PRIMARY KEY (id)) INHERITS (animals)",
        "INSERT INTO dogs VALUES (1)",
        'CREATE SEQUENCE "Odd \'un"',
        "CREATE TABLE cats (code TEXT PRIMARY KEY, place SERIAL, odd INTEGER DEFAULT "
        "nextval('\"Odd ''un\"'))",
        "INSERT INTO cats VALUES ('tom')",
        "CREATE FUNCTION made_up() RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'x' $$",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, place POINT, code TEXT NOT NULL UNIQUE "
        "DEFAULT made_up() CHECK (code <= made_up()), n INTEGER DEFAULT nextval('\"Odd ''un\"'))",
        "CREATE INDEX ON notes ((code || made_up()))",
        "INSERT INTO notes (id) VALUES (1)",
    ],
    "mariadb": [
        "CREATE TABLE sales (id INTEGER PRIMARY KEY) PARTITION BY RANGE (id) SUBPARTITION BY "
        "HASH (id) SUBPARTITIONS 2 (PARTITION p VALUES LESS THAN MAXVALUE)",
        "INSERT INTO sales VALUES (1)",
        "CREATE TABLE tags (id INTEGER PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_bin NOT NULL "
        "UNIQUE) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "INSERT INTO tags VALUES (1, 'Salt'), (2, 'salt')",
    ],
}
#: What else each engine has, and the reasons for which it is left out.
BESIDE = {
    "sqlite": (
        [
            "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT)",
            "CREATE VIRTUAL TABLE found USING fts5(label)",
        ],
        {
            "cheap": "it is a view",
            "sqlite_sequence": "it is SQLite's own",
            "found": "it is a virtual table, whose module alone knows its rows",
            **{f"found_{part}": "it belongs to a virtual table" for part in (
                "config", "content", "data", "docsize", "idx"
            )},
        },
    ),
    "postgresql": (
        [
            "CREATE TABLE sales (id INTEGER PRIMARY KEY) PARTITION BY RANGE (id)",
            "CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM (0) TO (9)",
            "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM goods",
            "CREATE SCHEMA shop",
            "CREATE TABLE shop.goods (id INTEGER PRIMARY KEY, good_id INTEGER REFERENCES goods)",
        ],
        {
            "cheap": "it is a view",
            "counted": "it is a view",
            "sales_1": "its rows are those of sales, whose partition it is",
        },
    ),
    "mariadb": ([], {"cheap": "it is a view"}),
}  # fmt: skip


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_database_is_adopted_whole(backend: Backend, tmp_path: Path) -> None:
    """Ids included; views, partitions and the engine's own tables are left out by name."""
    more, reasons = BESIDE[backend.dialect]
    with backend.database() as source, backend.database() as target:
        run(source, *TABLES, VIEW, *more)
        catalog = Catalog.from_metadata(source)
        assert catalog.coverage() == reasons
        export_all(None, tmp_path / "a", catalog=catalog)
        run(target, *TABLES[:2], *(sql for sql in more if "TABLE" in sql or "SCHEMA" in sql))
        import_all(target, tmp_path / "a", catalog=catalog)
        with target.connect() as connection:
            rows = connection.exec_driver_sql("SELECT id, shelf_id FROM goods ORDER BY id").all()
        assert rows == [(3, 9), (5, None)]
        export_all(target, tmp_path / "b", catalog=Catalog.from_metadata(target))
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")


def test_tables_of_other_schemas_are_adopted_too(postgresql: Backend) -> None:
    """One of a name that the default schema has as well gets its schema's name before it."""
    with postgresql.database() as engine:
        run(engine, *TABLES, *BESIDE["postgresql"][0])
        catalog = Catalog.from_metadata(engine)
        assert sorted(catalog.use().roots) == ["goods", "sales", "shelves", "shop.goods"]
        assert catalog.use()["shop.goods"].references[0].target is catalog.use()["goods"]


def test_a_reference_to_a_partitioned_table_leads_to_the_whole_table(
    postgresql: Backend, tmp_path: Path
) -> None:
    """PostgreSQL makes foreign keys of its own to each partition; the records show none of them."""
    with postgresql.database() as engine:
        run(
            engine,
            "CREATE TABLE sales (id INTEGER GENERATED BY DEFAULT AS IDENTITY, year INTEGER, "
            "PRIMARY KEY (year, id)) PARTITION BY RANGE (year)",
            "CREATE TABLE sales_old PARTITION OF sales FOR VALUES FROM (0) TO (2000)",
            "CREATE TABLE sales_rest PARTITION OF sales DEFAULT",
            "CREATE TABLE lines (line INTEGER, year INTEGER, sale INTEGER, PRIMARY KEY "
            "(year, sale, line), FOREIGN KEY (year, sale) REFERENCES sales (year, id))",
            "INSERT INTO sales VALUES (1, 1999), (1, 2001)",
            "INSERT INTO lines VALUES (1, 1999, 1), (1, 2001, 1)",
        )
        catalog = Catalog.from_metadata(engine)
        export_all(engine, tmp_path / "b", catalog=catalog)
        assert b'{"year":2001,"id":1}' in entity_bytes(tmp_path / "b")["02_lines.json"]
        found = verify(tmp_path / "b", catalog=catalog, restore=True)
        assert not found.problems, found


def test_a_reference_to_a_partition_leads_to_the_whole_table(
    postgresql: Backend, tmp_path: Path
) -> None:
    """Of whatever level: the record that holds the row loads first, and a restore proves it."""
    tables = [
        "CREATE TABLE sales (year INTEGER, id INTEGER, PRIMARY KEY (year, id)) "
        "PARTITION BY RANGE (year)",
        "CREATE TABLE old PARTITION OF sales FOR VALUES FROM (0) TO (2000) PARTITION BY LIST (id)",
        "CREATE TABLE old_rest PARTITION OF old DEFAULT",
        "CREATE TABLE lines (line INTEGER PRIMARY KEY, year INTEGER, sale INTEGER, FOREIGN KEY "
        "(year, sale) REFERENCES old (year, id) ON DELETE CASCADE)",
        "CREATE TABLE notes (note INTEGER PRIMARY KEY, year INTEGER, sale INTEGER, FOREIGN KEY "
        "(year, sale) REFERENCES old_rest (year, id))",
    ]
    rows = ["INSERT INTO sales VALUES (1999, 1)", "INSERT INTO lines VALUES (1, 1999, 1)"]
    with postgresql.database() as source, postgresql.database() as target:
        run(source, *tables, *rows, "INSERT INTO notes VALUES (1, 1999, 1)")
        run(target, *tables)
        catalog = Catalog.from_metadata(source)
        export_all(source, tmp_path / "b", catalog=catalog)
        found = verify(tmp_path / "b", catalog=catalog, restore=True)
        assert not found.problems, found
        import_all(target, tmp_path / "b", catalog=catalog)
        export_all(target, tmp_path / "c", catalog=Catalog.from_metadata(target))
        assert entity_bytes(tmp_path / "b") == entity_bytes(tmp_path / "c")


def test_rows_that_need_those_of_a_partition_are_loaded_after_its_table(
    postgresql: Backend, tmp_path: Path
) -> None:
    """Where what they refer to is unique in that partition alone, no reference can say so."""
    tables = [
        "CREATE TABLE sales (id INTEGER, year INTEGER, PRIMARY KEY (id, year)) "
        "PARTITION BY LIST (year)",
        "CREATE TABLE first PARTITION OF sales FOR VALUES IN (1)",
        "ALTER TABLE first ADD UNIQUE (id)",
        "CREATE TABLE lines (id INTEGER PRIMARY KEY, sale INTEGER REFERENCES first (id))",
    ]
    with postgresql.database() as source, postgresql.database() as target:
        run(source, *tables, "INSERT INTO sales VALUES (5, 1)", "INSERT INTO lines VALUES (1, 5)")
        run(target, *tables)
        catalog, others = (Catalog.from_metadata(one, name="sales") for one in (source, target))
        export_all(source, tmp_path / "b", catalog=catalog)
        assert not verify(tmp_path / "b", catalog=catalog, restore=True).problems
        import_all(target, tmp_path / "b", catalog=others)
        choices = {choice.entity: dict(choice.fields) for choice in catalog.choices()}
        assert "for first.id isn't among" in choices["lines"]["sale"]


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_tables_are_restored_without_options_of_their_server(
    request: pytest.FixtureRequest, dialect: str, tmp_path: Path
) -> None:
    """They have sequences, but no partitions, and no functions or collations of a server's own."""
    backend: Backend = request.getfixturevalue(dialect)
    with backend.database() as engine:
        run(engine, *OPTIONS[dialect])
        catalog = Catalog.from_metadata(engine)
        export_all(engine, tmp_path / "b", catalog=catalog)
        with closing(ServerDatabases(engine.url)) as scratch:
            found = verify(tmp_path / "b", catalog=catalog, restore=scratch)
        assert not found.problems, found


def test_what_an_empty_database_lacks_is_told(postgresql: Backend, tmp_path: Path) -> None:
    """A column that a function of the application computes can't do without it."""
    with postgresql.database() as engine:
        run(
            engine,
            "CREATE FUNCTION half(n integer) RETURNS integer IMMUTABLE LANGUAGE sql "
            "AS $$ SELECT n / 2 $$",
            "CREATE TABLE n (id INTEGER PRIMARY KEY, h INTEGER GENERATED ALWAYS AS (half(id)) STORED)",
        )
        catalog = Catalog.from_metadata(engine)
        export_all(engine, tmp_path / "b", catalog=catalog)
        with closing(ServerDatabases(engine.url)) as scratch:
            (problem,) = verify(tmp_path / "b", catalog=catalog, restore=scratch).problems
        assert "an empty database can't have the tables: function half(integer)" in str(problem)
        assert "leave --scratch out" in str(problem)


def test_unique_columns_are_natural_keys(backend: Backend) -> None:
    """Whatever stands between the column's name and UNIQUE."""
    with backend.database() as engine:
        run(engine, *TABLES)
        assert Catalog.from_metadata(engine).use()["shelves"].key_names == ("code",)


@ON_SQLITE
def test_a_connection_may_be_adopted(backend: Backend) -> None:
    """As ``AsyncConnection.run_sync`` gives one."""
    with backend.database() as engine:
        run(engine, *TABLES)
        with engine.connect() as connection:
            catalog = Catalog.from_metadata(connection, name="shop")
        assert (catalog.name, sorted(catalog.use().roots)) == ("shop", ["goods", "shelves"])


def test_a_database_that_cant_be_read_is_the_targets_fault(tmp_path: Path) -> None:
    """At once, with the driver's words."""
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at" * 99)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'text.db'}")
    with pytest.raises(TargetError, match=r"can't be reflected: file is not a database\. Check"):
        Catalog.from_metadata(engine)


@ON_SQLITE
def test_an_id_doesnt_stand_for_another_record(backend: Backend, tmp_path: Path) -> None:
    """Equal records are left alone; one that differs is refused, unless an update is asked for."""
    with backend.database() as source, backend.database() as target:
        run(source, *TABLES)
        catalog = Catalog.from_metadata(source)
        export_all(None, tmp_path / "a", catalog=catalog)
        run(target, *TABLES)
        assert import_all(target, tmp_path / "a", catalog=catalog).skipped == 4
        run(target, "UPDATE goods SET label = 'sugar' WHERE id = 3")
        with pytest.raises(ImportFailed) as caught:
            import_all(target, tmp_path / "a", catalog=catalog)
        (problem,) = caught.value.report.problems
        assert problem.key == {"id": 3}
        assert "it may be another record" in problem.message
        report = import_all(target, tmp_path / "a", catalog=catalog, on_conflict="update")
        assert report.total.updated == 1


@ON_SQLITE
def test_owned_rows_come_back_in_their_parents_records(backend: Backend, tmp_path: Path) -> None:
    """With the ids that they had."""
    lines = (
        "CREATE TABLE lines (id INTEGER PRIMARY KEY, label VARCHAR(20), "
        "good_id INTEGER NOT NULL REFERENCES goods (id) ON DELETE CASCADE)"
    )
    with backend.database() as source, backend.database() as target:
        run(source, *TABLES, lines, "INSERT INTO lines VALUES (8, 'b', 3), (4, 'a', 3)")
        catalog = Catalog.from_metadata(source, owned=True)
        assert sorted(catalog.use().roots) == ["goods", "shelves"]
        export_all(None, tmp_path / "a", catalog=catalog)
        run(target, *TABLES[:2], lines)
        import_all(target, tmp_path / "a", catalog=catalog)
        with target.connect() as connection:
            rows = connection.exec_driver_sql("SELECT id, label FROM lines ORDER BY id").all()
        assert rows == [(4, "a"), (8, "b")]


def test_sqlite_columns_of_unknown_types_are_what_they_store(tmp_path: Path) -> None:
    """By their values, else by what the name says; what stores several kinds is left out."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'odd.db'}")
    run(
        engine,
        "CREATE TABLE odd (id INTEGER PRIMARY KEY, name STRING, digits STRING, price MONEY, bare, "
        "mixed, raw THING, later DATETIME2, none)",
        "INSERT INTO odd VALUES (1, 'x', '12', 2.5, 7, 1, x'00ff', NULL, NULL), "
        "(2, 'y', '13', 3, 8, 'one', x'01', NULL, NULL)",
    )
    catalog = Catalog.from_metadata(engine)
    columns = {value.name: type(value.column.type) for value in catalog.use()["odd"].values}
    assert columns == {
        "id": sa.Integer,
        "name": sa.Text,
        "digits": sa.Numeric,
        "price": sa.Numeric,
        "bare": sa.BigInteger,
        "raw": sa.LargeBinary,
        "later": sa.Text,
    }
    assert list(catalog.coverage()) == ["odd.mixed", "odd.none"]
    export_all(None, tmp_path / "a", catalog=catalog)
    with engine.begin() as connection:
        before = connection.exec_driver_sql(
            "SELECT id, name, digits, price, bare, raw FROM odd"
        ).all()
        connection.exec_driver_sql("DELETE FROM odd")
    import_all(None, tmp_path / "a", catalog=catalog)
    with engine.begin() as connection:
        query = "SELECT id, name, digits, price, bare, raw FROM odd"
        assert connection.exec_driver_sql(query).all() == before
    engine.dispose()


def test_sqlite_dates_and_times_that_no_type_keeps_are_what_they_store(tmp_path: Path) -> None:
    """Byte for byte, into an empty database too; what holds texts and numbers is refused."""
    source, target = (sa.create_engine(f"sqlite:///{tmp_path / name}") for name in ("a", "b"))
    tables = (
        "CREATE TABLE logs (id INTEGER PRIMARY KEY, zoned DATETIME, utc TIMESTAMP, epoch DATETIME, "
        "usual DATETIME, mixed DATETIME, seconds TIMESTAMP, julian DATE, number TIME, day DATE, "
        "hour TIME, blank DATETIME, no_day DATE, no_month DATETIME)"
    )
    run(source, tables)
    run(target, tables)
    run(
        source,
        "INSERT INTO logs VALUES (1, '2024-01-01 10:00:00+00:00', '2024-01-01T10:00:00Z', "
        "1700000000, '2024-01-01 10:00:00.000000', NULL, 1.0, 2460000.5, 3600, "
        "'2024-01-01 10:00', '10:00+01:00', '', '0000-00-00', '2024-00-01 00:00:00'), "
        "(2, '2024-01-01 10:00:00.5-01:30', '2024-01-01', 1700000001, NULL, NULL, 1.25, NULL, 60, "
        "'2024-01-01', '10:00:00', '2024-01-01', '2024-01-00', '2024-01-01 00:00:00.000000')",
    )
    catalog = Catalog.from_metadata(source)
    types = {value.name: type(value.column.type) for value in catalog.use()["logs"].values}
    texts = ("zoned", "utc", "day", "hour", "blank", "no_day", "no_month")
    assert {types[name] for name in texts} == {sa.Text}
    assert {types[name] for name in ("epoch", "number")} == {sa.BigInteger}
    assert {types[name] for name in ("seconds", "julian")} == {sa.Double}
    assert {types["usual"], types["mixed"]} == {sa.DateTime}
    export_all(None, tmp_path / "bundle", catalog=catalog)
    import_all(target, tmp_path / "bundle", catalog=catalog)
    with source.connect() as one, target.connect() as other:
        rows = one.exec_driver_sql("SELECT * FROM logs ORDER BY id").all()
        assert other.exec_driver_sql("SELECT * FROM logs ORDER BY id").all() == rows
    run(source, "UPDATE logs SET mixed = CASE id WHEN 1 THEN 5 ELSE '2024-01-01 10:00:00Z' END")
    with pytest.raises(TargetError, match="holds 5"):
        export_all(source, tmp_path / "c", catalog=Catalog.from_metadata(source))
    for engine in (source, target):
        engine.dispose()


def test_a_key_of_numbers_in_a_sqlite_datetime_keeps_its_name(tmp_path: Path) -> None:
    """So that empty tables, whose types alone are known, take the bundle."""
    source, target = (sa.create_engine(f"sqlite:///{tmp_path / name}") for name in ("a", "b"))
    tables = (
        "CREATE TABLE slots (at DATETIME PRIMARY KEY)",
        "CREATE TABLE visits (who TEXT PRIMARY KEY, at DATETIME REFERENCES slots (at))",
    )
    run(source, *tables, "INSERT INTO slots VALUES (5)", "INSERT INTO visits VALUES ('x', 5)")
    run(target, *tables)
    catalog = Catalog.from_metadata(source, name="a")
    manifest = export_all(None, tmp_path / "bundle", catalog=catalog)
    assert b'{"at":5}' in (tmp_path / "bundle" / "01_slots.json").read_bytes()
    empty = Catalog.from_metadata(target, name="a")
    empty.prefer({}, {entry.entity_type: entry.shape for entry in manifest.files})
    import_all(None, tmp_path / "bundle", catalog=empty)
    with target.connect() as connection:
        assert connection.exec_driver_sql("SELECT at FROM visits").all() == [(5,)]
    for engine in (source, target):
        engine.dispose()


def test_a_zone_in_a_declared_datetime_is_refused_with_what_to_declare(tmp_path: Path) -> None:
    """The declaration that the remedy names carries the texts as they are."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'logs.db'}")
    run(
        engine,
        "CREATE TABLE logs (id INTEGER PRIMARY KEY, made DATETIME)",
        "INSERT INTO logs VALUES (1, '2024-01-01 10:00:00+00:00')",
    )

    def catalog(made: Any) -> Catalog:
        metadata = sa.MetaData()
        sa.Table(
            "logs", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("made", made)
        )
        return Catalog.from_metadata(metadata)

    for aware in (False, True):
        with pytest.raises(TargetError, match="no time zone on SQLite") as caught:
            export_document(engine, catalog=catalog(sa.DateTime(timezone=aware)))
        assert "let column logs.made be Text, as mapped_column(Text)" in caught.value.remedy
    document = export_document(engine, catalog=catalog(sa.Text))
    run(engine, "DELETE FROM logs")
    import_document(engine, document, catalog=catalog(sa.Text))
    with engine.connect() as connection:
        text = connection.exec_driver_sql("SELECT made FROM logs").scalar()
    assert text == "2024-01-01 10:00:00+00:00"
    engine.dispose()


def test_postgresqls_own_types_are_narrowed_or_left_out(
    postgresql: Backend, tmp_path: Path
) -> None:
    """A domain's values are those of its type; what depends on the session is left out by name."""
    with postgresql.database() as source:
        run(
            source,
            "CREATE DOMAIN positive AS INTEGER CHECK (value > 0)",
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, size positive, name NAME, price MONEY, "
            "period TSTZRANGE)",
            "INSERT INTO odd VALUES (1, 4, 'n', 1.5, '[2020-01-01,)')",
        )
        catalog = Catalog.from_metadata(source)
        assert list(catalog.coverage()) == ["odd.name", "odd.period", "odd.price"]
        export_all(None, tmp_path / "a", catalog=catalog)
        run(source, "DELETE FROM odd")
        import_all(None, tmp_path / "a", catalog=catalog)
        export_all(None, tmp_path / "b", catalog=catalog)
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")


def assert_restored(catalog: Catalog, path: Path) -> None:
    """Assert that a catalog's database is exported to a path, and comes back from there."""
    export_all(None, path, catalog=catalog)
    assert verify(path, catalog=catalog, restore=True).errors == []


#: Columns of types that one engine alone has, two rows of them, and what changes one.
OWN = {
    "postgresql": (
        "ip INET NOT NULL UNIQUE, ips INET[], mac MACADDR, words TSVECTOR, span INT4RANGE, "
        "place POINT, bits BIT(3), flags BIT(2)[]",
        ("10.0.0.1/8", "{::1,NULL}", "08:00:2b:01:02:03", "'a':1 'b c':2A", "[1,5)", "(1.1,1e-300)",
         "101", "{01,11}"),
        ("::1/128", None, None, None, "empty", None, None, None),
        "words = 'x', span = '[2,3)', place = NULL, bits = '011', flags = '{10}'",
    ),
    "mariadb": (
        "ip INET6 NOT NULL UNIQUE, old INET4, year YEAR, flag BIT(1), bits BIT(9), wide BIT(64)",
        ("::1", "10.0.0.1", 1901, 1, 256, 2**64 - 1),
        ("fe80::1", None, 0, 0, None, 0),
        "year = 2000, flag = 0, bits = 7",
    ),
}  # fmt: skip


def test_types_that_one_engine_has_travel_as_it_gives_them(
    backend: Backend, tmp_path: Path
) -> None:
    """As keys, behind references, in updates, and through the scratch database."""
    if backend.dialect not in OWN:
        return
    columns, first, second, change = OWN[backend.dialect]
    ip = columns.split()[1]
    tables = (
        f"CREATE TABLE hosts (id INTEGER PRIMARY KEY, {columns})",
        f"CREATE TABLE visits (id INTEGER PRIMARY KEY, ip {ip}, FOREIGN KEY (ip) REFERENCES hosts (ip))",
    )
    marks = ", ".join(["%s"] * len(first))
    with backend.database() as source, backend.database() as target:
        for engine in (source, target):
            run(engine, *tables)
        with source.begin() as connection:
            for number, row in enumerate((first, second), 1):
                statement = f"INSERT INTO hosts VALUES ({number}, {marks})"
                connection.exec_driver_sql(statement, row)
            connection.exec_driver_sql("INSERT INTO visits VALUES (7, %s), (8, NULL)", first[:1])
        catalog = Catalog.from_metadata(source)
        assert not catalog.coverage()
        assert f"ip travels as {backend.dialect} gives its type inet" in "".join(
            map(str, catalog.choices())
        )
        assert_restored(catalog, tmp_path / "a")
        import_all(target, tmp_path / "a", catalog=catalog)
        run(target, f"UPDATE hosts SET {change} WHERE id = 1")
        report = import_all(target, tmp_path / "a", catalog=catalog, on_conflict="update")
        assert (report.updated, report.unchanged) == (1, 3)
        sql = "SELECT * FROM hosts ORDER BY id"
        with source.connect() as one, target.connect() as other:
            assert one.exec_driver_sql(sql).all() == other.exec_driver_sql(sql).all()


@pytest.mark.filterwarnings("ignore:.*operator_classes")  # of SQLAlchemy's BIT
def test_bits_and_days_of_mariadb_may_be_natural_keys(mariadb: Backend, tmp_path: Path) -> None:
    """Also behind references; in a primary key, rows are found by what a driver gives otherwise."""
    tables = (
        "CREATE TABLE marks (id INTEGER PRIMARY KEY, flag BIT(1) NOT NULL, wide BIT(64) NOT NULL, "
        "day DATE NOT NULL DEFAULT '0000-00-00', size INTEGER, UNIQUE (flag, wide, day))",
        "CREATE TABLE codes (id INTEGER PRIMARY KEY, code BIT(3) NOT NULL UNIQUE)",
        "CREATE TABLE uses (id INTEGER PRIMARY KEY, code BIT(3), mark_id INTEGER REFERENCES marks "
        "(id), FOREIGN KEY (code) REFERENCES codes (code))",
        "CREATE TABLE bare (code BIT(3) PRIMARY KEY, size INTEGER)",
    )
    with mariadb.database() as source, mariadb.database() as target:
        for engine in (source, target):
            run(engine, *tables)
        run(
            source,
            "SET sql_mode = ''",
            "INSERT INTO marks VALUES (1, b'1', ~0, '0000-00-00', 1), (2, b'0', 1, '2020-01-01', 2)",
            "INSERT INTO codes VALUES (1, b'101'), (2, b'1')",
            "INSERT INTO uses VALUES (1, b'101', 1), (2, b'1', 2), (3, NULL, NULL)",
        )
        catalog = Catalog.from_metadata(source)
        assert catalog.use()["marks"].key_names == ("flag", "wide", "day")
        assert list(catalog.coverage()) == ["bare"]
        export_all(None, tmp_path / "a", catalog=catalog)
        import_all(target, tmp_path / "a", catalog=catalog)
        run(target, "UPDATE marks SET size = 9", "UPDATE uses SET code = NULL, mark_id = 2")
        report = import_all(target, tmp_path / "a", catalog=catalog, on_conflict="mirror")
        assert (report.updated, report.unchanged) == (5, 2)
        for table in ("marks", "codes", "uses"):
            sql = f"SELECT * FROM {table} ORDER BY id"
            with source.connect() as one, target.connect() as other:
                assert one.exec_driver_sql(sql).all() == other.exec_driver_sql(sql).all()


@pytest.mark.filterwarnings("ignore:.*operator_classes")  # of SQLAlchemy's BIT
def test_references_to_a_table_without_a_key_are_plain_fields(
    mariadb: Backend, tmp_path: Path
) -> None:
    """The table alone is left out; a bundle of nothing else is imported as nothing."""
    with mariadb.database() as source, mariadb.database() as target:
        for engine in (source, target):
            run(
                engine,
                "CREATE TABLE bare (code BIT(3) PRIMARY KEY)",
                "CREATE TABLE uses (id INTEGER PRIMARY KEY, code BIT(3), "
                "FOREIGN KEY (code) REFERENCES bare (code))",
                "INSERT INTO bare VALUES (b'101')",
            )
        run(source, "INSERT INTO uses VALUES (1, b'101'), (2, NULL)")
        catalog = Catalog.from_metadata(source)
        assert list(catalog.coverage()) == ["bare"]
        export_all(None, tmp_path / "a", catalog=catalog)
        assert import_all(target, tmp_path / "a", catalog=catalog).inserted == 2
        assert not diff(target, source, catalog=catalog)
        run(source, "DROP TABLE uses")
        nothing = Catalog.from_metadata(source)
        export_all(None, tmp_path / "b", catalog=nothing)
        for mode in ("skip", "update", "mirror"):
            report = import_all(None, tmp_path / "b", catalog=nothing, on_conflict=mode)
            assert (report.inserted, report.updated, report.deleted) == (0, 0, 0)


def test_a_char_is_restored_whatever_its_collation(backend: Backend, tmp_path: Path) -> None:
    """The scratch database has other collations."""
    collation = {"mariadb": "CHARACTER SET latin1", "postgresql": 'COLLATE "C"', "sqlite": ""}
    with backend.database() as engine:
        run(
            engine,
            f"CREATE TABLE t (code CHAR(5) {collation[backend.dialect]} PRIMARY KEY)",
            "INSERT INTO t VALUES ('ab'), ('c')",
        )
        assert_restored(Catalog.from_metadata(engine), tmp_path / "a")


def test_days_that_are_none_travel_where_they_are_the_default(
    mariadb: Backend, tmp_path: Path
) -> None:
    """WordPress's drafts have them; as texts, for no date is one of them."""
    table = (
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, made DATETIME NOT NULL DEFAULT "
        "'0000-00-00 00:00:00', day DATE DEFAULT '0000-00-00', seen DATETIME)"
    )
    with mariadb.database() as source, mariadb.database() as target:
        for engine in (source, target):
            run(engine, table)
        run(
            source,
            "INSERT INTO posts VALUES (1, '0000-00-00', '2020-00-00', '2020-01-01'), "
            "(2, '2020-01-01 10:00:00', NULL, NULL)",
        )
        catalog = Catalog.from_metadata(source)
        assert_restored(catalog, tmp_path / "a")
        import_all(target, tmp_path / "a", catalog=catalog)
        run(target, "UPDATE posts SET made = '2021-01-01' WHERE id = 1")
        import_all(target, tmp_path / "a", catalog=catalog, on_conflict="update")
        sql = "SELECT id, CAST(made AS CHAR), CAST(day AS CHAR), seen FROM posts ORDER BY id"
        with source.connect() as one, target.connect() as other:
            assert one.exec_driver_sql(sql).all() == other.exec_driver_sql(sql).all()


def test_a_timestamp_of_mariadb_is_an_instant_in_any_session(
    mariadb: Backend, tmp_path: Path
) -> None:
    """Most servers aren't in UTC, and nobody declared a zone."""
    zone = {"init_command": "SET time_zone = '+02:00'"}
    with mariadb.database() as source, mariadb.database(connect_args=zone) as target:
        for engine in (source, target):
            run(engine, "CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP(3) NULL)")
        run(source, "INSERT INTO t VALUES (1, FROM_UNIXTIME(1603585800.125)), (2, NULL)")
        catalog = Catalog.from_metadata(source)
        assert_restored(catalog, tmp_path / "a")
        assert b'"2020-10-25T00:30:00.125000Z"' in entity_bytes(tmp_path / "a")["01_t.json"]
        import_all(target, tmp_path / "a", catalog=catalog)
        with target.connect() as connection:
            query = "SELECT UNIX_TIMESTAMP(at) FROM t WHERE id = 1"
            assert float(connection.exec_driver_sql(query).scalar_one()) == 1603585800.125
        export_all(target, tmp_path / "b", catalog=catalog)
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")


def test_a_text_that_the_server_takes_otherwise_is_told(
    postgresql: Backend, tmp_path: Path
) -> None:
    """Of one value it may read several texts; a wrong one is a problem of its record."""
    with postgresql.database() as engine:
        run(
            engine,
            "CREATE TABLE spans (id INTEGER PRIMARY KEY, span INT4RANGE)",
            "INSERT INTO spans VALUES (1, '[1,5)')",
        )
        catalog = Catalog.from_metadata(engine)
        payload = export_document(engine, catalog=catalog)
        payload["spans"][0]["span"] = "[1,7]"
        with pytest.warns(AlteredWarning, match=r"was '\[1,7\]' and is '\[1,8\)'"):
            import_document(engine, payload, catalog=catalog, on_conflict="update")
        payload["spans"][0]["span"] = "one"
        with pytest.raises(ImportFailed, match="malformed range literal"):
            import_document(engine, payload, catalog=catalog, on_conflict="update")


@pytest.mark.parametrize("type_", [None, "point"], ids=["none", "unknown"])
def test_a_column_that_is_left_out_says_its_declared_type(
    backend: Backend, type_: str | None
) -> None:
    """As its database calls it, for SQLAlchemy knows none."""
    is_sqlite = backend.dialect == "sqlite"
    if (type_ is None) is not is_sqlite:
        pytest.skip("only SQLite has columns without a type, and stores any other as it likes")
    type_ = "txid_snapshot" if backend.dialect == "postgresql" else type_
    with backend.database() as engine:
        run(engine, f"CREATE TABLE spots (id INTEGER PRIMARY KEY, place {type_ or ''})")
        if is_sqlite:
            run(engine, "INSERT INTO spots VALUES (1, 1), (2, 'x')")
        ((name, reason),) = Catalog.from_metadata(engine).coverage().items()
        words = "no declared type" if is_sqlite else f"the type {type_}"
        assert (name, reason) == (
            "spots.place",
            f"lading has no portable form for values of {words}",
        )


def test_odd_names_and_large_numbers_of_mariadb_come_back(mariadb: Backend, tmp_path: Path) -> None:
    """Backticks, also between foreign keys, and the upper half of an unsigned BIGINT, in SQLite too."""
    with mariadb.database() as engine:
        run(
            engine,
            "CREATE TABLE odd (id BIGINT UNSIGNED PRIMARY KEY, `a``b` INT)",
            f"INSERT INTO odd VALUES ({2**64 - 1}, 1)",
            "CREATE TABLE `o``dd` (id INT PRIMARY KEY, `a``b` BIGINT UNSIGNED, below INT, FOREIGN KEY "
            "(`a``b`) REFERENCES odd (id) ON UPDATE CASCADE ON DELETE SET NULL, FOREIGN KEY (below) "
            "REFERENCES `o``dd` (id))",
            f"INSERT INTO `o``dd` VALUES (1, {2**64 - 1}, 1)",
        )
        catalog = Catalog.from_metadata(engine)
        assert [value.name for value in catalog.use()["odd"].values] == ["id", "a`b"]
        rows = catalog.use()["o`dd"]
        assert sorted(reference.name for reference in rows.references) == ["a`b", "below"]
        (key,) = rows.table.c["a`b"].foreign_keys
        assert (key.onupdate, key.ondelete) == ("CASCADE", "SET NULL")
        assert_restored(catalog, tmp_path / "a")


def test_what_sqlites_foreign_keys_do_is_known(tmp_path: Path) -> None:
    """Those of one column beside it, and those that share columns with others."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    run(
        engine,
        "CREATE TABLE a (x INT, y INT, PRIMARY KEY (x, y))",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, "
        "x INT REFERENCES b ON UPDATE CASCADE ON DELETE SET NULL, y INT, "
        "FOREIGN KEY (x, y) REFERENCES a ON UPDATE SET DEFAULT)",
    )
    keys = Catalog.from_metadata(engine).use()["b"].table.foreign_key_constraints
    actions = {tuple(key.column_keys): (key.onupdate, key.ondelete) for key in keys}
    assert actions == {("x",): ("CASCADE", "SET NULL"), ("x", "y"): ("SET DEFAULT", None)}
    engine.dispose()


def test_what_has_no_name_in_sqlite_is_named_or_left_out(tmp_path: Path) -> None:
    """A table gets one; a column is left out, for SQLAlchemy's must have one."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    run(engine, 'CREATE TABLE "" (id INTEGER PRIMARY KEY, "" TEXT, "a`b" TEXT)')
    catalog = Catalog.from_metadata(engine)
    assert [value.name for value in catalog.use()["table"].values] == ["id", "a`b"]
    assert list(catalog.coverage()) == ['.""']
    engine.dispose()


def test_rows_that_a_trigger_adds_are_counted_in_words(tmp_path: Path) -> None:
    """How many more, or fewer, were expected than there are."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'log.db'}")
    run(
        engine,
        "CREATE TABLE log (id INTEGER PRIMARY KEY, line TEXT)",
        "CREATE TABLE hosts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "INSERT INTO log VALUES (1, 'a')",
        "INSERT INTO hosts VALUES (1, 'h')",
    )
    catalog = Catalog.from_metadata(engine)
    payload = export_document(engine, catalog=catalog)
    run(
        engine,
        "DELETE FROM hosts",
        "CREATE TRIGGER t AFTER INSERT ON hosts BEGIN INSERT INTO log (line) VALUES ('b'); END",
    )
    with pytest.raises(TargetError, match="expected 0 more than before, there are 1 more"):
        import_document(engine, payload, catalog=catalog)
    payload["log"] = []
    with pytest.raises(TargetError, match="expected 2 fewer than before, there are 1 fewer"):
        import_document(engine, payload, catalog=catalog, on_conflict="mirror")
    engine.dispose()


def test_columns_whose_names_no_field_can_have_get_others(tmp_path: Path) -> None:
    """Each of its own, for two of them may be alike but for what is replaced."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'names.db'}")
    run(
        engine,
        'CREATE TABLE t (id INTEGER PRIMARY KEY, "a""b" INTEGER, a_b INTEGER, "a\\b" INTEGER, '
        "__class__ INTEGER, _sa_instance_state INTEGER, __ INTEGER)",
        "INSERT INTO t VALUES (1, 2, 3, 4, 5, 6, 7)",
    )
    catalog = Catalog.from_metadata(engine)
    assert_restored(catalog, tmp_path / "a")
    [record] = export_document(engine, catalog=catalog)["t"]
    assert record == {"id": 1, "a_b_": 2, "a_b": 3, "a_b__": 4} | {
        "class__": 5,
        "sa_instance_state": 6,
        "column": 7,
    }
    engine.dispose()


def test_columns_without_a_type_come_back(tmp_path: Path) -> None:
    """SQLite allows them, also where no value tells what they hold."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'untyped.db'}")
    run(
        engine,
        "CREATE TABLE t (a PRIMARY KEY NOT NULL, b, c)",
        "INSERT INTO t VALUES ('x', 2, NULL)",
    )
    catalog = Catalog.from_metadata(engine)
    assert_restored(catalog, tmp_path / "a")
    engine.dispose()


FILLED = "they may be null, but no row had a null when the database was reflected"


@ON_SQLITE
@pytest.mark.parametrize(
    ("values", "key"),
    [("(1, 'x', 2), (2, 'y', 3)", ("sku",)), ("(1, 'x', 2), (2, NULL, 3)", ("id",)), ("", ("id",))],
)
def test_unique_columns_that_no_row_leaves_null_are_the_key(
    backend: Backend, values: str, key: tuple[str, ...]
) -> None:
    """One statement looks, and only where nothing but a number would tell the rows apart."""
    with backend.database() as engine:
        run(
            engine,
            "CREATE TABLE goods (id INTEGER PRIMARY KEY, sku VARCHAR(9) UNIQUE, size INTEGER)",
            "CREATE TABLE named (id INTEGER PRIMARY KEY, slug VARCHAR(9) NOT NULL UNIQUE, "
            "sku VARCHAR(9) UNIQUE)",
            "CREATE TABLE torn (id INTEGER PRIMARY KEY, a VARCHAR(9) UNIQUE, b VARCHAR(9) UNIQUE)",
            *([f"INSERT INTO goods VALUES {values}"] if values else []),
        )
        with statements(engine) as seen:
            catalog = Catalog.from_metadata(engine)
        assert len([sql for sql in seen if "IS NULL" in sql and "EXISTS" in sql]) == 1
        choices = {choice.entity: choice for choice in catalog.choices()}
        assert choices["goods"].key == key
        assert (FILLED in choices["goods"].reason) == (key == ("sku",))
        assert (choices["named"].key, choices["torn"].key) == (("slug",), ("id",))


HALVES = (
    "CREATE TABLE zones (country VARCHAR(9) NOT NULL, code INTEGER NOT NULL, PRIMARY KEY (country, code))",
    "CREATE TABLE areas (id INTEGER PRIMARY KEY, country VARCHAR(9), code INTEGER, "
    "FOREIGN KEY (country, code) REFERENCES zones (country, code))",
    "INSERT INTO zones VALUES ('nl', 1)",
)
HALF = "INSERT INTO areas VALUES (1, 'nl', 1), (2, NULL, NULL), (3, 'nl', NULL), (4, NULL, 7)"


def test_foreign_keys_that_rows_have_in_part_are_plain_fields(
    backend: Backend, tmp_path: Path
) -> None:
    """Such rows travel as they are, behind what they refer to, into an empty database as well."""
    with backend.database() as source, backend.database() as target:
        run(source, *HALVES, HALF)
        run(target, *HALVES[:2])
        catalog = Catalog.from_metadata(source, name="a")
        (areas,) = (choice for choice in catalog.choices() if choice.entity == "areas")
        why = "holds the id itself, for some rows have only a part of its foreign key"
        assert areas.fields == (("code", why), ("country", why))
        manifest = export_all(None, tmp_path / "a", catalog=catalog)
        empty = Catalog.from_metadata(target, name="a")
        empty.prefer({}, {entry.entity_type: entry.shape for entry in manifest.files})
        import_all(target, tmp_path / "a", catalog=empty)
        with source.connect() as one, target.connect() as other:
            rows = one.exec_driver_sql("SELECT * FROM areas ORDER BY id").all()
            assert other.exec_driver_sql("SELECT * FROM areas ORDER BY id").all() == rows
        run(source, "DELETE FROM areas WHERE id > 2")
        export_all(source, tmp_path / "b", catalog=Catalog.from_metadata(source, name="a"))
        assert b'{"country":"nl","code":1}' in (tmp_path / "b/02_areas.json").read_bytes()


def test_foreign_keys_without_a_load_order_stay_references(backend: Backend) -> None:
    """Of their own table, and of circles; a row that has only a part is refused by its remedy."""
    own = "PRIMARY KEY (a, b)"
    with backend.database() as engine:
        run(
            engine,
            f"CREATE TABLE trees (a INTEGER, b INTEGER, pa INTEGER, pb INTEGER, {own}, "
            "FOREIGN KEY (pa, pb) REFERENCES trees (a, b))",
            f"CREATE TABLE hens (a INTEGER, b INTEGER, x INTEGER, y INTEGER, {own})",
            f"CREATE TABLE eggs (a INTEGER, b INTEGER, x INTEGER, y INTEGER, {own}, "
            "CONSTRAINT hen FOREIGN KEY (x, y) REFERENCES hens (a, b))",
            *(f"INSERT INTO {name} VALUES (2, 1, 7, NULL)" for name in ("trees", "hens", "eggs")),
        )
        if backend.dialect == "sqlite":
            run(
                engine,
                "DROP TABLE hens",
                f"CREATE TABLE hens (a INTEGER, b INTEGER, x INTEGER, y INTEGER, {own}, "
                "FOREIGN KEY (x, y) REFERENCES eggs (a, b))",
                "INSERT INTO hens VALUES (2, 1, 7, NULL)",
            )
        else:
            run(engine, "ALTER TABLE hens ADD FOREIGN KEY (x, y) REFERENCES eggs (a, b)")
        for name, columns in (("hens", "x, y"), ("trees", "pa, pb")):
            with pytest.raises(
                TargetError, match=rf"{name}, .*\(7, None\).*row with a 2, b 1"
            ) as it:
                export_document(engine, catalog=Catalog.from_metadata(engine))
            remedy = f"Correct the row: set all of {columns}, or null in all that may be null."
            assert it.value.remedy == remedy
            run(engine, f"UPDATE {name} SET {columns.partition(',')[0]} = NULL")
        run(engine, "INSERT INTO hens VALUES (1, 1, 2, 1)")
        catalog = Catalog.from_metadata(engine)
        document = export_document(engine, catalog=catalog)
        assert [(egg["x"], egg["y"]) for egg in document["eggs"]] == [(7, None)]
        run(engine, *(f"DELETE FROM {name}" for name in ("hens", "eggs", "trees")))
        assert import_document(engine, document, catalog=catalog).inserted == 4


MISFITS = {
    "part": (HALVES[1], "(3, 'nl', 1)", "(3, 'nl', NULL)", "country = NULL",
             "set all of country, code, or null in all that may be null"),
    "zone": ("CREATE TABLE areas (id INTEGER PRIMARY KEY, at DATETIME)",
             "(3, '2024-01-01 10:00:00')", "(3, '2024-01-01 10:00:00+01:00')",
             "at = '2024-01-01 10:00:00'", "set at to a datetime there"),
    "number": ("CREATE TABLE areas (id INTEGER PRIMARY KEY, at DATETIME)", "(3, NULL)",
               "(3, 1700000000)", "at = NULL", "set at to a datetime there"),
}  # fmt: skip


@pytest.mark.parametrize("misfit", [*MISFITS])
def test_rows_that_fit_no_imported_record_are_named_with_a_remedy(
    misfit: str, backend: Backend, tmp_path: Path
) -> None:
    """The bundle decides what its records have, and the target's rows follow the remedy."""
    if misfit != "part" and backend.dialect != "sqlite":
        pytest.skip("columns of datetimes hold nothing else")
    areas, whole, row, correction, remedy = MISFITS[misfit]

    def mirror(target: sa.Engine) -> Any:
        catalog = Catalog.from_metadata(target, name=manifest.catalog)
        catalog.prefer({}, {entry.entity_type: entry.shape for entry in manifest.files})
        return import_all(target, tmp_path / "a", catalog=catalog, on_conflict="mirror")

    with backend.database() as source, backend.database() as target:
        run(source, HALVES[0], areas, HALVES[2], f"INSERT INTO areas VALUES {whole}")
        run(target, HALVES[0], areas, HALVES[2], f"INSERT INTO areas VALUES {row}")
        manifest = export_all(source, tmp_path / "a", catalog=Catalog.from_metadata(source))
        with pytest.raises(TargetError, match=r"row with id 3") as caught:
            mirror(target)
        assert caught.value.remedy == (
            f"Delete the row, or {remedy}, as it is in the records that are imported or compared, "
            "and so with all rows alike."
        )
        run(target, f"UPDATE areas SET {correction}")
        assert mirror(target).deleted == 0


def test_a_foreign_key_that_a_row_has_in_part_is_refused_with_what_to_declare(
    backend: Backend,
) -> None:
    """By the row; the declaration that the remedy names carries it."""
    base = new_base()
    zones = sa.Table(
        "zones",
        base.metadata,
        sa.Column("country", sa.String(9), primary_key=True),
        sa.Column("code", sa.Integer, primary_key=True),
    )
    areas = sa.Table(
        "areas",
        base.metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("country", sa.String(9)),
        sa.Column("code", sa.Integer),
        sa.ForeignKeyConstraint(["country", "code"], ["zones.country", "zones.code"]),
    )
    models = [type(t.name.title(), (base,), {"__table__": t}) for t in (zones, areas)]

    def catalog(attributes: Any = None, /, **meta: Any) -> Catalog:
        declared = Catalog("test", keep_ids=True)
        schema_for(models[0], declared)
        schema_for(models[1], declared, attributes, natural_key="id", **meta)
        return declared

    with backend.database() as source, backend.database(base.metadata) as target:
        run(source, *HALVES, HALF)
        with pytest.raises(
            TargetError, match=r"partly null: \('nl', None\).* row with id 3"
        ) as caught:
            export_document(source, catalog=catalog({"zone": Ref(("country", "code"))}))
        remedy = "remove the field zone, and write stored = ('country', 'code') in the Meta of Area"
        assert remedy in caught.value.remedy
        document = export_document(source, catalog=catalog(stored=("country", "code")))
        report = import_document(target, document, catalog=catalog(stored=("country", "code")))
        assert report.inserted == 5


def test_a_foreign_key_to_no_table_leaves_a_plain_column(tmp_path: Path) -> None:
    """SQLite allows it; the catalog's tables can be created all the same."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'lost.db'}")
    run(
        engine,
        "CREATE TABLE things (id INTEGER PRIMARY KEY, gone_id INTEGER REFERENCES gone (id))",
        "CREATE VIRTUAL TABLE found USING fts5(label)",
        "INSERT INTO things VALUES (1, 9)",
    )
    catalog = Catalog.from_metadata(engine)
    (choice,) = catalog.choices()
    assert choice.fields == (
        ("gone_id", "holds the id itself, for gone.id isn't among the adopted columns"),
    )
    export_all(None, tmp_path / "a", catalog=catalog)
    assert verify(tmp_path / "a", catalog=catalog, restore=True)
    engine.dispose()


def test_foreign_keys_of_sqlite_lead_where_sqlite_takes_them(tmp_path: Path) -> None:
    """In any letter case, to the primary key without a column's name, and to what isn't there."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'spelled.db'}")
    run(
        engine,
        "CREATE TABLE Users (Id INTEGER PRIMARY KEY, Mail TEXT NOT NULL UNIQUE)",
        "CREATE TABLE log (line TEXT)",
        "CREATE TABLE a_notes (id INTEGER PRIMARY KEY, author REFERENCES users, reader INTEGER "
        "REFERENCES users(id), gone INTEGER REFERENCES gone, keyless INTEGER REFERENCES log)",
        "INSERT INTO Users VALUES (7, 'a@b')",
        "INSERT INTO a_notes VALUES (1, 7, 7, 7, 7)",
    )
    catalog = Catalog.from_metadata(engine)
    export_all(None, tmp_path / "a", catalog=catalog)
    assert b'"author":{"Mail":"a@b"},"reader":{"Mail":"a@b"},"gone":7,"keyless":7' in b"".join(
        entity_bytes(tmp_path / "a").values()
    )
    assert verify(tmp_path / "a", catalog=catalog, restore=True).errors == []
    engine.dispose()


def test_a_column_that_refers_to_two_tables_is_taken_the_same_way_each_time(
    tmp_path: Path,
) -> None:
    """Else a bundle may not fit the database that it was exported from."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'twice.db'}")
    names = [f"t{n}" for n in range(8)]
    targets = " ".join(f"REFERENCES {name}(id)" for name in reversed(names))
    run(
        engine,
        *(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)" for name in names),
        f"CREATE TABLE z (id INTEGER PRIMARY KEY, c INTEGER {targets})",
    )
    rows = Catalog.from_metadata(engine).use().roots["z"]
    assert [reference.target.name for reference in rows.references] == names
    engine.dispose()


def test_rows_that_refer_to_each_other_are_restored_if_keys_are_deferred(tmp_path: Path) -> None:
    """Where SQLite checks these at the commit, its copies do too; NOT DEFERRABLE means at once."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'app.db'}")
    wait = "DEFERRABLE INITIALLY DEFERRED"
    run(
        engine,
        f'CREATE TABLE hens (id INTEGER PRIMARY KEY, "Egg" INT NOT NULL REFERENCES eggs {wait})',
        f"CREATE TABLE eggs (id INTEGER PRIMARY KEY, hen INT NOT NULL REFERENCES hens (id) {wait}, "
        f"other INT REFERENCES eggs (id) NOT {wait})",
        "INSERT INTO hens VALUES (1, 2)",
        "INSERT INTO eggs VALUES (2, 1, NULL)",
    )
    catalog = Catalog.from_metadata(engine)
    assert_restored(catalog, tmp_path / "a")
    columns = catalog.use()["eggs"].table.columns
    keys = {column.name: [key.deferrable for key in column.foreign_keys] for column in columns}
    assert keys == {"id": [], "hen": [True], "other": [None]}
    engine.dispose()


def test_a_strict_table_is_restored(tmp_path: Path) -> None:
    """SQLite's own names of types are the only ones that such a table takes."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'strict.db'}")
    run(
        engine,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, r REAL, s TEXT, b BLOB) STRICT",
        "INSERT INTO t VALUES (1, 0.5, 'x', x'00')",
    )
    catalog = Catalog.from_metadata(engine)
    assert_restored(catalog, tmp_path / "a")
    engine.dispose()


def test_unique_columns_identify_rows_without_a_primary_key(
    backend: Backend, tmp_path: Path
) -> None:
    """Rails gives its tables of links nothing else; where they may be null, they don't."""
    with backend.database() as engine:
        run(
            engine,
            "CREATE TABLE groups_users (group_id INTEGER NOT NULL, user_id INTEGER NOT NULL)",
            "CREATE UNIQUE INDEX both_ids ON groups_users (group_id, user_id)",
            "CREATE TABLE notes (code VARCHAR(9) UNIQUE)",
            "INSERT INTO groups_users VALUES (3, 1), (2, 2)",
        )
        catalog = Catalog.from_metadata(engine)
        assert catalog.coverage() == {"notes": "it has no primary key"}
        assert_restored(catalog, tmp_path / "a")
        run(engine, "DELETE FROM groups_users WHERE user_id = 2")
        assert import_all(engine, tmp_path / "a", catalog=catalog).inserted == 1


def test_tables_without_transactions_are_left_out_by_name(mariadb: Backend, tmp_path: Path) -> None:
    """Those beside them travel; a bundle that holds one of them learns why it can't load there."""
    tables = [*TABLES[:2], "CREATE TABLE found (id INTEGER PRIMARY KEY)"]
    with mariadb.database() as source, mariadb.database() as target:
        run(source, *tables, *TABLES[2:])
        run(target, *tables, "ALTER TABLE found ENGINE = MyISAM", *TABLES[2:])
        catalog = Catalog.from_metadata(target, name="shop")
        assert list(catalog.coverage()) == ["found"]
        export_all(None, tmp_path / "a", catalog=catalog)
        export_all(source, tmp_path / "b", catalog=Catalog.from_metadata(source, name="shop"))
        with pytest.raises(
            BundleError, match=r"left out: found: its engine \(MyISAM\) has no trans"
        ):
            import_all(target, tmp_path / "b", catalog=Catalog.from_metadata(target, name="shop"))


def test_computed_columns_are_restored_by_what_they_are_computed_of(
    backend: Backend, tmp_path: Path
) -> None:
    """No import writes them, and a scratch database needn't know the engine's expressions."""
    with backend.database() as engine:
        run(
            engine,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER, "
            "y INTEGER GENERATED ALWAYS AS (x * 2) STORED UNIQUE)",
            "INSERT INTO t (id, x) VALUES (1, 4)",
        )
        catalog = Catalog.from_metadata(engine)
        assert_restored(catalog, tmp_path / "a")


def test_a_bundle_of_tables_that_have_changed_says_how_to_migrate_it(
    sqlite_file: Backend, tmp_path: Path
) -> None:
    """There is no entity whose version one could raise."""
    with sqlite_file.database() as engine:
        run(engine, *TABLES)
        export_all(None, tmp_path / "a", catalog=Catalog.from_metadata(engine))
        run(engine, "ALTER TABLE goods ADD COLUMN weight INTEGER")
        with pytest.raises(BundleError, match=r"tables of then, migrate that, and export again"):
            import_all(None, tmp_path / "a", catalog=Catalog.from_metadata(engine))


@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_texts_of_uuids_fill_columns_of_uuids(
    name: str, sqlite_memory: Backend, request: pytest.FixtureRequest
) -> None:
    """As they were written, back again too; a text that would change is a problem."""
    keys = [f"{n:08x}-5cf6-4f9c-a2b4-5a3c0a64a1de" for n in (2**32 - 1, 3, 10)]
    tables = (
        "CREATE TABLE a (id {0} PRIMARY KEY, other {0})",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id {0}, FOREIGN KEY (a_id) REFERENCES a (id))",
    )
    server: Backend = request.getfixturevalue(name)
    with sqlite_memory.database() as source, server.database() as target:
        run(source, *(sql.format("TEXT") for sql in tables))
        run(target, *(sql.format("UUID") for sql in tables))
        for number, key in enumerate(keys):
            run(source, f"INSERT INTO a VALUES ('{key}', NULL)")
            run(source, f"INSERT INTO b VALUES ({number}, '{key}')")
        catalog = Catalog.from_metadata(source, name="a")
        document = export_document(source, catalog=catalog)
        adopted = Catalog.from_metadata(target, name="a")
        shapes = {root: shape_of(rows) for root, rows in catalog.use().roots.items()}
        adopted.prefer({}, shapes)
        import_document(target, document, catalog=adopted)
        assert not diff(target, document, catalog=adopted)
        document["a"][0]["other"] = keys[1]
        for mode in ("update", "mirror"):
            report = import_document(target, document, catalog=adopted, on_conflict=mode)
            assert (report.updated, report.unchanged) == (
                (mode == "update"),
                6 - (mode == "update"),
            )
        assert export_document(target, catalog=adopted)["a"] == document["a"]
        for text in (keys[1].upper(), keys[1].replace("-", ""), "x"):
            document["a"][0]["other"] = text
            with pytest.raises(ImportFailed, match=r"again: (a UUID|'.*' is not a uuid)"):
                import_document(target, document, catalog=adopted, on_conflict="update")


def test_uuids_of_a_bundle_are_written_as_its_texts(sqlite_memory: Backend) -> None:
    """With dashes, where a column of texts has room for them; so are references to them."""
    key = "0b3fd2a6-5cf6-4f9c-a2b4-5a3c0a64a1de"
    with sqlite_memory.database() as engine:
        run(
            engine,
            "CREATE TABLE a (id TEXT PRIMARY KEY, short CHAR(32))",
            "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id TEXT REFERENCES a)",
        )
        catalog = Catalog.from_metadata(engine)
        fields = {"id": {"type": "uuid"}, "short": {"type": "uuid"}}
        catalog.prefer({}, {"a": {"fields": fields, "key": ["id"]}})
        records = {"a": [{"id": key, "short": key}], "b": [{"id": 1, "a": {"id": key}}]}
        import_document(engine, records, catalog=catalog)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT * FROM a JOIN b").all() == [
                (key, key.replace("-", ""), 1, key)
            ]
        assert export_document(engine, catalog=catalog).items() >= records.items()


def test_a_text_that_a_collation_alone_finds_is_told(tmp_path: Path) -> None:
    """A restore would write the target's own text in its place."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'blind.db'}")
    run(
        engine,
        "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL)",
        "CREATE TABLE r (id INTEGER PRIMARY KEY, k TEXT REFERENCES t (k))",
        "INSERT INTO t VALUES ('Abc')",
        "INSERT INTO r VALUES (1, 'abc')",
    )
    catalog = Catalog.from_metadata(engine)
    with pytest.raises(TargetError, match="k = 'abc' refers to no row of t with exactly this text"):
        export_all(None, tmp_path / "a", catalog=catalog)
    engine.dispose()
