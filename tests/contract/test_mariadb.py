"""What MariaDB does otherwise than the other engines: each rule, and what it guards against.

What all engines share is in the suites that run on each of them.
"""

from __future__ import annotations

import datetime as dt
import enum
import threading
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    DeclarationError,
    ImportFailed,
    Owned,
    TargetError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.database.live import database_for
from lading.database.lookup import rows_among
from support.backends import Backend
from support.columns import MARIADB, MOMENT
from support.declaring import catalog_of, new_base, schema_for, table, to
from support.packing import packed
from support.rewriting import entity_bytes
from support.statements import statements
from support.zoo import cycle, shop

SETTINGS = (
    "SELECT @@sql_mode, @@time_zone, @@max_sort_length, @@in_predicate_conversion_threshold, "
    "@@foreign_key_checks"
)


@pytest.fixture
def engine(mariadb: Backend) -> Iterator[sa.Engine]:
    """A fresh, empty database."""
    with mariadb.database() as made:
        yield made


def item(type_: Any, *, table: Any = None, **options: Any) -> Any:
    """Map a table with a value of some type."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        __table_args__ = table or {}
        code = mapped_column(sa.String(60), primary_key=True)
        value = mapped_column(type_, **options)

    return Item


def kept(engine: sa.Engine, model: Any, **values: Any) -> list[Any]:
    """Store values past lading, move them out and in again, and return what was written."""
    model.metadata.create_all(engine)
    with engine.begin() as connection:
        for code, value in values.items():
            connection.execute(sa.insert(model).values(code=code, value=value))
    catalog = catalog_of(model)
    before = export_document(engine, catalog=catalog)["items"]
    with engine.begin() as connection:
        connection.execute(sa.delete(model))
    import_document(engine, document(before), catalog=catalog)
    assert export_document(engine, catalog=catalog)["items"] == before
    return [record["value"] for record in before]


def document(items: list[Any]) -> dict[str, Any]:
    """Return a document of items."""
    return {"schema_versions": {"items": 1}, "items": items}


def refusal(engine: sa.Engine, model: Any, written: Any) -> str:
    """Return why a written value is refused, by lading and not by the server."""
    model.metadata.create_all(engine)
    with pytest.raises(ImportFailed) as caught, statements(engine) as seen:
        import_document(
            engine, document([{"code": "a", "value": written}]), catalog=catalog_of(model)
        )
    assert not [sql for sql in seen if sql.startswith("INSERT")]
    (problem,) = caught.value.report.problems
    assert (problem.record, problem.field) == (1, "value")
    return problem.message


# Streams


def test_a_stream_is_whole_whatever_runs_beside_it(engine: sa.Engine, tmp_path: Path) -> None:
    """A second statement beside an open result would lose the rest of its rows, with a warning."""
    base, catalog = new_base(), Catalog("nested")

    class Entry(base):  # type: ignore[misc, valid-type]
        __tablename__ = "entries"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        parts = relationship("Part")

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = mapped_column(sa.Integer, primary_key=True)
        entry_id = mapped_column(sa.ForeignKey("entries.id"), nullable=False)
        words = mapped_column(sa.String(20), nullable=False)

    schema_for(Entry, catalog, {"parts": Owned(schema_for(Part, catalog))})
    base.metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [{"id": n, "slug": f"s{n:05}"} for n in range(1, 7001)]
        connection.execute(sa.insert(Entry), rows)
        connection.execute(
            sa.insert(Part), [{"id": n, "entry_id": n, "words": f"w{n}"} for n in range(1, 7001)]
        )
    manifest = export_all(engine, tmp_path / "a", catalog=catalog)
    assert manifest["entries"].record_count == 7000
    (text,) = entity_bytes(tmp_path / "a").values()
    assert text.count(b'"words":"w') == 7000


def test_a_stream_holds_no_more_than_a_chunk(engine: sa.Engine) -> None:
    """The whole result waits in a file before the first of its rows is given out."""
    model = item(sa.Integer)
    kept(engine, model, **{f"c{n}": n for n in range(50)})
    with engine.connect() as connection:
        stream = database_for(connection).stream(sa.select(model.code, model.value), 10)
        assert len(next(stream)) == 10
        assert connection.scalar(sa.select(sa.func.count()).select_from(model)) == 50
        assert [len(rows) for rows in stream] == [10] * 4


# Order


@pytest.mark.parametrize(
    "collation", ["utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"]
)
def test_keys_stand_in_code_point_order_in_any_collation(engine: sa.Engine, collation: str) -> None:
    """Padding would put a trailing tab before the end, and a language would fold case."""
    keys = ["", "B", "D1", "Z1", "a!", "c\t", "d", "z", "é", "\ue000", "😀"]
    if collation.endswith("_bin"):
        keys += ["\x01", "A", "Z", "a", "a\t", "b", "\uffff", "\U0010ffff"]
    if "nopad" in collation:
        keys += ["a ", " "]
    model = item(sa.Integer)
    model.__table__.c.code.type = mysql.VARCHAR(60, collation=collation)
    model.metadata.create_all(engine)
    with engine.begin() as connection:
        for n, key in enumerate(reversed(keys)):
            connection.execute(sa.insert(model).values(code=key, value=n))
    found = export_document(engine, catalog=catalog_of(model))["items"]
    assert [record["code"] for record in found] == sorted(keys)


@pytest.mark.parametrize("length", [400, 1_500, 16_000])
def test_long_keys_are_compared_to_their_ends(engine: sa.Engine, length: int) -> None:
    """The server sorts by the first 1,024 bytes of a key, unless it is told otherwise."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        value = mapped_column(sa.String(length), nullable=False)

    catalog = Catalog("long")
    schema_for(Item, catalog, natural_key="value")
    Item.metadata.create_all(engine)
    keys = ["x" * (length - 1) + end for end in "dbca"]
    with engine.begin() as connection:
        connection.execute(sa.insert(Item), [{"value": key} for key in keys])
    with statements(engine) as seen:
        found = export_document(engine, catalog=catalog)["items"]
    assert [record["value"] for record in found] == sorted(keys)
    assert any("ORDER BY" in sql for sql in seen)


def test_keys_longer_than_the_server_can_sort_are_sorted_by_us(engine: sa.Engine) -> None:
    """A TEXT's key may take more memory than the server gives a sort."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        value = mapped_column(sa.Text, nullable=False)

    catalog = Catalog("text")
    schema_for(Item, catalog, natural_key="value")
    Item.metadata.create_all(engine)
    keys = ["x" * 65_000 + end for end in "dbca"]
    with engine.begin() as connection:
        connection.execute(sa.insert(Item), [{"value": key} for key in keys])
    with statements(engine) as seen:
        found = export_document(engine, catalog=catalog)["items"]
    assert [record["value"] for record in found] == sorted(keys)
    assert not any("ORDER BY" in sql for sql in seen)


@pytest.mark.parametrize("native", [True, False])
def test_uuids_stand_in_the_order_of_their_texts(engine: sa.Engine, native: bool) -> None:
    """The server's own type compares its segments in another order."""
    parts = [(n, shift) for n in (1, 2, 9) for shift in (0, 30, 84, 100, 120)]
    values = [uuid.UUID(int=n << shift, version=4) for n, shift in parts]

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        uuid = mapped_column(sa.Uuid(native_uuid=native), unique=True, nullable=False)

    Item.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Item(uuid=value) for value in values)
    with engine.connect() as connection:
        stored = sa.inspect(connection).get_columns("items")[1]["type"]
    assert isinstance(stored, sa.UUID if native else sa.CHAR)
    found = export_document(engine, catalog=catalog_of(Item))["items"]
    assert [record["uuid"] for record in found] == sorted(map(str, values))


# Lookups and collations


def test_twins_by_the_target_s_collation_are_problems(mariadb: Backend, engine: sa.Engine) -> None:
    """Keys distinct in the file and equal at the target: named, and nothing is written."""
    base = new_base()

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(Item), [{"slug": slug} for slug in ("a", "A", "a ", "b")])
    catalog = catalog_of(Item)
    found = export_document(engine, catalog=catalog)
    assert [record["slug"] for record in found["items"]] == ["A", "a", "a ", "b"]
    Item.__table__.c.slug.type = mysql.VARCHAR(20, collation="utf8mb4_general_ci")
    with mariadb.database(base.metadata) as target:
        with pytest.raises(ImportFailed) as caught:
            import_document(target, found, catalog=catalog)
        problems = caught.value.report.problems
        assert [(item.record, item.key) for item in problems] == [
            (2, {"slug": "a"}),
            (3, {"slug": "a "}),
        ]
        assert all("collation takes slug" in item.message for item in problems)
        assert export_document(target, catalog=catalog)["items"] == []


def test_a_record_is_found_by_its_own_key_and_no_twin(engine: sa.Engine) -> None:
    """``= 'a'`` returns ``A`` as well, which is another record: it isn't skipped for it."""
    model = item(sa.Integer)
    model.__table__.c.code.type = mysql.VARCHAR(20, collation="utf8mb4_general_ci")
    kept(engine, model, A=1, b=2)
    catalog = catalog_of(model)
    again = import_document(engine, document([{"code": "b", "value": 2}]), catalog=catalog)
    assert (again.skipped, again.inserted) == (1, 0)
    with pytest.raises(ImportFailed, match="collation takes code 'a' for code 'A'"):
        import_document(engine, document([{"code": "a", "value": 1}]), catalog=catalog)


def parents_and_children(*, owned: bool) -> Any:
    """Map parents with a text key in a collation that folds case, and what refers to them."""
    base, catalog = new_base(), Catalog("folded")
    folded = mysql.VARCHAR(20, collation="utf8mb4_general_ci")

    class Parent(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parents"
        code = mapped_column(folded, primary_key=True)
        children = relationship("Child")

    class Child(base):  # type: ignore[misc, valid-type]
        __tablename__ = "children"
        slug = mapped_column(sa.String(20), primary_key=True)
        parent_code = mapped_column(folded, sa.ForeignKey("parents.code"), nullable=False)

    children = schema_for(Child, catalog, natural_key="slug")
    if owned:
        schema_for(Parent, catalog, {"children": Owned(children)}, natural_key="code")
    else:
        schema_for(Parent, catalog, natural_key="code")
    return SimpleNamespace(base=base, catalog=catalog, Parent=Parent, Child=Child)


@pytest.mark.parametrize(
    ("owned", "message"),
    [
        (False, "parent_code refers to no row of parents"),
        (True, r"a row of children refers to \('A',\), which is its owner's key only by"),
    ],
)
def test_foreign_keys_that_differ_from_their_target_are_refused(
    engine: sa.Engine, owned: bool, message: str
) -> None:
    """The server lets ``A`` refer to ``a``; written as ``a`` it would have been altered."""
    made = parents_and_children(owned=owned)
    made.base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(made.Parent).values(code="a"))
        connection.execute(sa.insert(made.Child).values(slug="c", parent_code="A"))
    with pytest.raises(TargetError, match=message):
        export_document(engine, catalog=made.catalog)


def test_lookups_use_the_index_and_all_its_columns(engine: sa.Engine) -> None:
    """A long IN of several columns is a range of the index, and no join in an order of chance."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        room = mapped_column(sa.String(20), primary_key=True)
        price = mapped_column(sa.Numeric(30, 10), primary_key=True)
        day = mapped_column(sa.Date, nullable=False)

    Item.metadata.create_all(engine)
    made = [(f"r{n % 7}", f"{n}.{n:010}") for n in range(30_000)]
    with engine.begin() as connection:
        table = Item.__table__
        database = database_for(connection)
        database.look_up_columns([table])
        dialect = database.dialect
        columns = [table.c.room, table.c.price]
        database.insert(table, list(table.columns), [(*key, "2025-01-01") for key in made])
        names = [dialect.name(column) for column in columns]
        asked = [*made[100:600], ("r0", "99999.0000000000"), ("R0", made[0][1])]
        clause, values = dialect.among(columns, names, asked)
        sql = f"SELECT room, CAST(price AS CHAR) FROM items {clause}"
        assert sorted(database.fetch(sql, values)) == sorted(made[100:600])
        plan = database.fetch(f"EXPLAIN {sql}", values)
    assert [(row[2], row[3]) for row in plan] == [("items", "range")]


def rows_read(session: Session) -> int:
    """Return how many rows the server has read for a session so far."""
    status = session.execute(sa.text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return sum(int(value) for _, value in status)


@pytest.mark.parametrize("indexed", [(), ("shelf",)], ids=["none", "shelf"])
def test_lookups_read_each_row_about_once_without_an_index(
    engine: sa.Engine, indexed: tuple[str, ...]
) -> None:
    """Also where an index helps little, for all rows have one value in it."""
    names = ("shelf", "code")
    columns = [sa.Column(name, sa.String(20), nullable=False) for name in names]
    table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), *columns)
    for name in indexed:
        sa.Index(f"ix_{name}", table.c[name])
    table.metadata.create_all(engine)
    made = [(n, "one", f"c{n}") for n in range(1, 4_001)]
    with Session(engine) as session:
        database = database_for(session.connection())
        database.look_up_server()
        database.look_up_columns([table])
        with database.settings():
            database.insert(table, list(table.c), made)
            before = rows_read(session)
            keys = [row[1:] for row in made[:2_000]]
            found = rows_among(database, "SELECT code FROM t", columns, names, keys)
            assert len(found) == 2_000
            assert rows_read(session) - before < 3 * len(made)


def test_long_keys_are_asked_for_in_statements_that_the_server_takes(engine: sa.Engine) -> None:
    """It refuses a statement whose text is larger than a packet, values and all."""
    model = item(sa.Integer)
    model.__table__.c.code.type = mysql.VARCHAR(700)
    model.metadata.create_all(engine)
    keys = [f"{n:03}" + "é" * 600 for n in range(50)]
    table = model.__table__
    with engine.begin() as connection:
        database = database_for(connection)
        database.look_up_columns([table])
        database.packet = 20_000
        database.insert(table, list(table.columns), [(key, 1) for key in keys])
        with statements(engine) as seen:
            found = rows_among(
                database, "SELECT code FROM items", [table.c.code], ["code"], [(k,) for k in keys]
            )
            database.update(table, [table.c.code], [table.c.value], [(key, 2) for key in keys])
        values = set(connection.scalars(sa.select(model.value)))
    assert sorted(found) == [(key,) for key in keys]
    assert values == {2}
    assert len([sql for sql in seen if sql.startswith("SELECT code")]) > 5
    assert all(sql.count("%s") * 1_200 < 20_000 for sql in seen)


# Writing


def test_an_id_of_zero_stays_zero(engine: sa.Engine) -> None:
    """An AUTO_INCREMENT column makes up another, unless it is told not to."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        words = mapped_column(sa.String(20), nullable=False)

    catalog = Catalog("zero")
    schema_for(Item, catalog, natural_key="id")
    Item.metadata.create_all(engine)
    items = [{"id": -1, "words": "a"}, {"id": 0, "words": "b"}, {"id": 7, "words": "c"}]
    import_document(engine, document(items), catalog=catalog)
    assert export_document(engine, catalog=catalog)["items"] == items
    with Session(engine) as session, session.begin():
        session.add(Item(words="next"))
        session.flush()
        assert session.scalars(sa.select(Item.id).where(Item.words == "next")).one() == 8


def test_the_bulk_update_is_one_statement_and_touches_nothing_else(
    engine: sa.Engine, tmp_path: Path
) -> None:
    """Columns that the server would set to now stay as they are."""
    world = cycle()
    stamp = world.models.Department.__table__.c.updated_at
    world.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE departments MODIFY updated_at DATETIME(6) NOT NULL "
            "DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6)"
        )
    bundle = packed(world, tmp_path / "b")
    with statements(engine) as seen:
        report = import_all(engine, bundle, catalog=world.catalog)
    assert not report.problems
    assert len([sql for sql in seen if sql.startswith("UPDATE")]) == 1
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(stamp))) == {
            dt.datetime(2025, 1, 1),
            dt.datetime(2099, 1, 1),  # the application's own, where heads were set
        }
        heads = connection.scalar(sa.select(sa.func.count(world.models.Department.head_id)))
    assert heads == 3


def test_others_may_insert_while_ids_are_allocated(engine: sa.Engine, tmp_path: Path) -> None:
    """Whoever comes meanwhile waits for our commit, and gets an id that isn't taken."""
    world = shop()
    world.metadata.create_all(engine)
    bundle = packed(world, tmp_path / "b")
    failures: list[BaseException] = []

    def insert() -> None:
        try:
            with Session(engine) as other, other.begin():
                other.add(world.models.Category(slug="another's"))
        except BaseException as error:
            failures.append(error)

    with Session(engine) as session:
        import_all(session, bundle, catalog=world.catalog)
        writer = threading.Thread(target=insert)
        writer.start()
        writer.join(0.3)
        assert writer.is_alive()
        session.commit()
        writer.join(20)
    assert failures == []
    with Session(engine) as session:
        assert len(session.scalars(sa.select(world.models.Category)).all()) == 4


def test_ids_of_rows_that_are_gone_are_not_reused(engine: sa.Engine, tmp_path: Path) -> None:
    """AUTO_INCREMENT is past them, and past what others took and haven't committed."""
    world = shop()
    world.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(world.models.Category).values(id=900, slug="gone"))
        connection.execute(sa.delete(world.models.Category))
    import_all(engine, packed(world, tmp_path / "b"), catalog=world.catalog)
    with Session(engine) as session:
        assert min(session.scalars(sa.select(world.models.Category.id))) == 901


def test_sequences_are_asked_ahead(engine: sa.Engine) -> None:
    """One statement for a chunk's ids, and the application's next insert works."""
    base = new_base()

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, sa.Sequence("item_ids", start=5), primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    base.metadata.create_all(engine)
    catalog = catalog_of(Item)
    records = {
        "schema_versions": {"items": 1},
        "items": [{"slug": f"s{n:02}"} for n in range(30)],
    }
    with statements(engine) as seen:
        import_document(engine, records, catalog=catalog)
    assert len([sql for sql in seen if "seq_1_to_30" in sql]) == 1
    with Session(engine) as session, session.begin():
        assert sorted(session.scalars(sa.select(Item.id))) == list(range(5, 35))
        session.add(Item(slug="next"))


# Values


@pytest.mark.parametrize(
    ("type_", "fine", "bad", "message"),
    [
        (sa.Float(), 0.25, 1 / 3, "0.3333333333333333 changes in a single-precision column"),
        (sa.Double(), 1 / 3, "NaN", "nan can't be stored by MariaDB"),
        (sa.Double(), -1e308, "Infinity", "inf can't be stored by MariaDB"),
        (mysql.DOUBLE(10, 2, asdecimal=False), 1.25, 1.255, "1.255 changes in its column of 2"),
        (mysql.DOUBLE(9, 2), 9_999_999.5, 10_000_000.0, "10000000.0 is outside of its column"),
        (mysql.DOUBLE(9, 2), -0.25, 1e300, "1e+300 is outside of its column"),
        (mysql.DOUBLE(unsigned=True), 1.5, -1.5, "-1.5 is"),
        (sa.Interval(), "-PT3S", "PT0.900000S", "digits of a second"),
        (sa.Numeric(), "7", "1.5", "1.5 has 1 decimal places, its column holds 0"),
        (sa.Numeric(), "7", "NaN", "NaN can't be stored by MariaDB"),
        (mysql.NUMERIC(6, 2, unsigned=True), "7.00", "-7.00", "-7.00 is negative"),
        (sa.DateTime(), "2025-01-01T08:30:00", "2025-01-01T08:30:00.500000", "mysql.DATETIME(fsp"),
        (sa.Time(), "08:30:00", "08:30:00.000001", "6 digits of a second, its column holds 0"),
        (
            mysql.DATETIME(fsp=3),
            "2025-01-01T08:30:00.250000",
            "2025-01-01T08:30:00.250100",
            "4 dig",
        ),
        (sa.TIMESTAMP(timezone=True), "2025-01-01T08:30:00Z", "2040-01-01T00:00:00Z", "TIMESTAMP"),
        (mysql.TINYINT(), 127, 128, "128 is outside -128 to 127"),
        (mysql.MEDIUMINT(), 2**23 - 1, 2**23, "8388608 is outside -8388608 to 8388607"),
        (mysql.INTEGER(unsigned=True), 2**32 - 1, -1, "-1 is outside 0 to 4294967295"),
        (mysql.BIGINT(unsigned=True), 2**64 - 1, 2**64, "is outside 0 to 18446744073709551615"),
        (mysql.TINYTEXT(), "é" * 127, "é" * 128, "has 256 bytes, its column holds 255"),
        (sa.Text(), "x" * 65_535, "x" * 65_536, "has 65536 bytes, its column holds 65535"),
        (mysql.VARCHAR(3, charset="latin1"), "é€\x81", "ł", "'ł', which character set latin1"),
        (mysql.VARCHAR(3, charset="utf8mb3"), "日é", "😀", "'😀', which character set utf8mb3"),
        (mysql.VARCHAR(3, charset="ascii"), "abc", "é", "'é', which character set ascii"),
        (mysql.VARCHAR(3, charset="ucs2"), "日é", "😀", "'😀', which character set ucs2"),
        (sa.String(3), "日😀é", "abcd", "Longer than maximum length 3"),
        (mysql.BINARY(3), "AAEC", "AAE=", "2 bytes would be padded to 3"),
        (mysql.VARBINARY(3), "AAE=", "AAECAw==", "Longer than maximum length 3"),
        (
            sa.Uuid(),
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "ffffffff-ffff-8fff-01ff-ffffffffffff",
            "is a version and variant that MariaDB's own UUID type refuses",
        ),
        (mysql.TINYBLOB(), "AAE=", "A" * 344, "258 bytes are more than its column holds: 255"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, sa.types.TypeEngine) else "",
)
def test_what_a_column_would_alter_is_refused(
    engine: sa.Engine, type_: Any, fine: Any, bad: Any, message: str
) -> None:
    """Nothing is cut, rounded, padded or replaced; what fits comes back as it was."""
    model = item(type_)
    model.metadata.create_all(engine)
    catalog = catalog_of(model)
    import_document(engine, document([{"code": "fine", "value": fine}]), catalog=catalog)
    assert export_document(engine, catalog=catalog)["items"] == [{"code": "fine", "value": fine}]
    assert message in refusal(engine, model, bad)


def test_a_float_is_written_as_the_shortest_text_of_what_is_stored(engine: sa.Engine) -> None:
    """The server itself would show six digits of it."""
    assert kept(engine, item(sa.Float()), a=1 / 3, b=16777216.0, c=1e-30) == [
        0.33333334,
        16777216.0,
        1e-30,
    ]


def test_microseconds_survive_where_the_column_keeps_them(engine: sa.Engine) -> None:
    """Explicit fractions, as in a variant of the generic type, from year 1 to 9999."""
    moments = {
        "a": dt.datetime(1, 1, 1),
        "b": dt.datetime(2025, 1, 1, 1, 1, 1, 1),
        "c": dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
    }
    written = kept(engine, item(MOMENT), **moments)
    assert written == [moment.isoformat() for moment in moments.values()]


@pytest.mark.parametrize(
    ("type_", "stored", "message"),
    [
        (sa.Date(), "'0000-00-00'", "the database holds '0000-00-00', which is not a date"),
        (sa.Date(), "'2024-02-00'", "the database holds '2024-02-00', which is not a date"),
        (sa.DateTime(), "'0000-00-00 00:00:00'", "which is not a datetime"),
        (sa.Time(), "'-12:00:00'", "the database holds '-12:00:00', which is not a time of day"),
        (sa.Time(), "'838:59:59'", "which is not a time of day"),
        (sa.Boolean(), "2", "the database holds 2, which is not a boolean (0 or 1)"),
        (sa.Enum("x", "y", name="xy"), "'z'", "the database holds '', which is not one of x, y"),
    ],
)
def test_what_no_record_can_hold_is_named_at_export(
    engine: sa.Engine, type_: Any, stored: str, message: str
) -> None:
    """Zero dates, times beyond a day, a boolean of 2, the invalid value of an ENUM."""
    model = item(type_)
    model.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(f"INSERT INTO items VALUES ('a', {stored})")
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=catalog_of(model))
    assert message in str(caught.value)
    assert (caught.value.entity, caught.value.field) == ("items", "value")
    engine.dispose()  # the session's mode with it


def test_json_is_nested_no_deeper_than_its_check_allows(engine: sa.Engine) -> None:
    """JSON_VALID refuses 32 levels; lading does so before it is asked."""
    model = item(sa.JSON)
    deep: Any = 1
    for _ in range(31):
        deep = [deep]
    assert kept(engine, model, a=deep) == [deep]
    assert "deeper than the 31 levels MariaDB allows" in refusal(engine, model, [deep])


def test_a_timestamp_without_a_zone_wants_a_session_in_utc(
    mariadb: Backend, engine: sa.Engine
) -> None:
    """The server shifts it by the session's zone, which a move would leave behind."""
    model = item(sa.TIMESTAMP())
    catalog = catalog_of(model)
    assert kept(engine, model, a=dt.datetime(2025, 6, 1, 8)) == ["2025-06-01T08:00:00"]
    zone = {"init_command": "SET time_zone = '+02:00'"}
    with mariadb.database(model.metadata, connect_args=zone) as elsewhere:
        with pytest.raises(TargetError, match=r"items\.value is a TIMESTAMP, which the server"):
            export_document(elsewhere, catalog=catalog)
    aware = item(sa.TIMESTAMP(timezone=True))
    with mariadb.database(aware.metadata, connect_args=zone) as elsewhere:
        written = [{"code": "a", "value": "2025-06-01T08:00:00Z"}]
        import_document(elsewhere, document(written), catalog=catalog_of(aware))
        with elsewhere.connect() as connection:
            shown = connection.exec_driver_sql("SELECT CAST(value AS CHAR) FROM items").scalar()
        assert shown == "2025-06-01 10:00:00"
        assert export_document(elsewhere, catalog=catalog_of(aware))["items"] == written


class Half(sa.TypeDecorator[Any]):
    """Numbers kept as their halves."""

    impl = sa.Numeric(8, 1)
    cache_ok = True
    python_type = int  # type: ignore[assignment]

    def process_bind_param(self, value: Any, _dialect: Any) -> Any:
        return None if value is None else value / Decimal(4)

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        return None if value is None else int(value * 4)


def test_what_a_decorator_gives_the_driver_is_not_rounded_either(engine: sa.Engine) -> None:
    """The column's check looks at the driver's value, of whatever type."""
    model = item(Half)
    assert kept(engine, model, a=2, b=4) == [2, 4]
    assert refusal(engine, model, 3).startswith("0.75 has 2 decimal places, its column holds 1")


def test_a_set_travels_as_its_labels(engine: sa.Engine) -> None:
    """In the order of code points, whatever order the column declares."""
    for type_ in (mysql.SET("y", "x"), mysql.SET("y", "x", retrieve_as_bitwise=True)):
        model = item(type_)
        assert kept(engine, model, a={"x", "y"}, b=set(), c={"x"}, d=None) == [
            ["x", "y"],
            [],
            ["x"],
            None,
        ]
        with engine.connect() as connection:
            stored = connection.exec_driver_sql("SELECT value FROM items ORDER BY code").all()
        assert [row[0] for row in stored] == ["y,x", "", "x", None]
        schema = next(iter(catalog_of(model).use().roots.values())).schema()
        assert schema.load({"code": "a", "value": ["y", "x"]})["value"] == {"x", "y"}
        assert schema.dump(model(code="a", value={"y", "x"}))["value"] == ["x", "y"]
        for bad in (["z"], ["x", "x"], "x", ["X"], ["x "]):
            refusal(engine, model, bad)
        model.metadata.drop_all(engine)


def test_a_set_s_labels_are_the_real_column_s(engine: sa.Engine) -> None:
    """The server folds case, and takes a label that it lacks for none."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE items (code VARCHAR(60) PRIMARY KEY, value SET('x') COLLATE utf8mb4_general_ci)"
        )
    assert "'y' isn't a label of its column: x" in refusal(engine, item(mysql.SET("x", "y")), ["y"])
    assert "'X' isn't a label" in refusal(engine, item(mysql.SET("x", "X")), ["X"])


def test_labels_in_the_binary_character_set_are_texts(engine: sa.Engine) -> None:
    """MediaWiki's tables are in it as a whole, and the driver returns bytes of them."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        code = mapped_column(sa.Integer, primary_key=True)
        value = mapped_column(sa.Enum("é", "y"), nullable=False)
        labels = mapped_column(mysql.SET("é", "y"))

    declared = Catalog("labels", keep_ids=True)
    schema_for(Item, declared, natural_key=("value", "code"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE items (code INTEGER PRIMARY KEY, value ENUM('é', 'y') NOT NULL, "
            "labels SET('é', 'y')) CHARACTER SET binary"
        )
        connection.exec_driver_sql("INSERT INTO items VALUES (1, 'é', 'é,y'), (2, 'y', '')")
    reflected = Catalog.from_metadata(engine, natural_keys={"items": ("value", "code")})
    for catalog, labels in ((declared, [[], ["y", "é"]]), (reflected, ["", "é,y"])):
        payload = export_document(engine, catalog=catalog)
        assert [record["value"] for record in payload["items"]] == ["y", "é"]
        assert [record["labels"] for record in payload["items"]] == labels
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM items WHERE code = 1")
            connection.exec_driver_sql("UPDATE items SET labels = NULL")
        report = import_document(engine, payload, catalog=catalog, on_conflict="update")
        assert (report.inserted, report.updated) == (1, 1)
        assert export_document(engine, catalog=catalog)["items"] == payload["items"]


def test_a_set_with_an_empty_label_is_refused() -> None:
    """Its text is that of no label at all."""
    with pytest.raises(DeclarationError, match="value"):
        catalog_of(item(mysql.SET("x", "", retrieve_as_bitwise=True))).use()


class Letter(enum.Enum):
    """Names that differ in case alone."""

    a = 1
    A = 2
    b = 3


def test_enumerations_sort_by_name_in_any_collation(engine: sa.Engine) -> None:
    """Their rank is found by the exact name, where the collation folds case."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        code = mapped_column(sa.String(9), primary_key=True)
        letter = mapped_column(sa.Enum(Letter, native_enum=False, length=9), nullable=False)

    catalog = Catalog("letters")
    schema_for(Item, catalog, natural_key=("letter", "code"))
    Item.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE items MODIFY letter VARCHAR(9) COLLATE utf8mb4_general_ci NOT NULL"
        )
        rows = [{"code": f"c{n}", "letter": Letter[name]} for n, name in enumerate("baAa")]
        connection.execute(sa.insert(Item), rows)
    found = export_document(engine, catalog=catalog)["items"]
    assert [record["letter"] for record in found] == ["A", "a", "a", "b"]


# Transactions and settings


@pytest.mark.parametrize("kind", ["MyISAM", "Aria", "MEMORY"])
def test_71_an_engine_without_transactions_is_refused_by_name(
    engine: sa.Engine, kind: str, tmp_path: Path
) -> None:
    """Nothing can be all or nothing there, so nothing is written."""
    model = item(sa.Integer, table={"mysql_engine": kind, "mariadb_engine": kind})
    model.metadata.create_all(engine)
    catalog = catalog_of(model)
    with statements(engine) as seen, pytest.raises(TargetError, match=rf"items \({kind}\)"):
        import_document(engine, document([{"code": "a", "value": 1}]), catalog=catalog)
    assert not [sql for sql in seen if sql.startswith("INSERT")]
    with pytest.raises(TargetError, match=rf"items \({kind}\)"):
        export_all(engine, tmp_path / "a", catalog=catalog)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SET SESSION foreign_key_checks = 0", "foreign_key_checks"),
        ("SET SESSION unique_checks = 0", "unique_checks"),
        ("SET SESSION check_constraint_checks = 0", "check_constraint_checks"),
        ("SET SESSION sql_select_limit = 10", "sql_select_limit"),
        ("SET NAMES latin1", "character_set_client"),
    ],
)
def test_settings_under_which_rows_or_values_change_are_refused(
    engine: sa.Engine, statement: str, name: str
) -> None:
    """Rows loaded with the checks off are never checked again; another charset changes texts."""
    model = item(sa.Integer)
    model.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(sa.text(statement))
        for work in (
            lambda: export_document(session, catalog=catalog_of(model)),
            lambda: import_document(session, document([]), catalog=catalog_of(model)),
        ):
            with pytest.raises(TargetError, match=f"MariaDB's {name} is"):
                work()
    engine.dispose()


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("kind", ["engine", "session"])
def test_a_session_s_settings_are_given_back(engine: sa.Engine, kind: str, fails: bool) -> None:
    """Also after a failure, and to the pool."""
    model = item(sa.Integer)
    model.metadata.create_all(engine)
    single = sa.create_engine(engine.url, pool_size=1, max_overflow=0)
    lax = "SET SESSION sql_mode = 'ANSI', time_zone = '+03:00', max_sort_length = 2000, "
    lax += "in_predicate_conversion_threshold = 7"
    with single.connect() as connection:
        connection.exec_driver_sql(lax)
        before = connection.exec_driver_sql(SETTINGS).one()
    owner: Any = Session(single) if kind == "session" else single
    records = [{"code": "a", "value": "x" if fails else 1}]

    def work() -> None:
        import_document(owner, document(records), catalog=catalog_of(model))
        export_document(owner, catalog=catalog_of(model))

    if fails:
        with pytest.raises(ImportFailed):
            work()
    else:
        work()
    if kind == "session":
        assert owner.execute(sa.text(SETTINGS)).one() == before
        owner.close()
    with single.connect() as connection:
        assert connection.exec_driver_sql(SETTINGS).one() == before
    single.dispose()


def test_strictness_does_not_depend_on_the_session(engine: sa.Engine) -> None:
    """In a lax session the server would cut a text that it can't hold in its character set."""
    model = item(mysql.VARCHAR(20, charset="greek"))  # which lading knows no codec of
    model.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(sa.text("SET SESSION sql_mode = ''"))
        with pytest.raises(ImportFailed, match="Incorrect string value") as caught:
            import_document(
                session, document([{"code": "a", "value": "日"}]), catalog=catalog_of(model)
            )
    assert caught.value.report.problems[0].record == 1
    engine.dispose()


@pytest.mark.parametrize("level", ["READ COMMITTED", "READ UNCOMMITTED"])
def test_a_caller_s_transaction_that_sees_others_is_not_exported(
    engine: sa.Engine, level: str
) -> None:
    """The server doesn't tell whether others wrote meanwhile; nor imported, if they roll back."""
    model = item(sa.Integer)
    model.metadata.create_all(engine)
    records = document([{"code": "a", "value": 1}])
    with engine.connect().execution_options(isolation_level=level) as connection:
        with pytest.raises(TargetError, match=f"your transaction is in {level}"):
            export_document(connection, catalog=catalog_of(model))
        if level == "READ COMMITTED":
            report = import_document(connection, records, catalog=catalog_of(model))
            assert report.inserted == 1
            return
        with pytest.raises(TargetError, match="what others may roll back"):
            import_document(connection, records, catalog=catalog_of(model))


def test_an_export_sees_one_snapshot(engine: sa.Engine, tmp_path: Path) -> None:
    """What others commit between its statements isn't in it, and can't be written by it."""
    world = shop()
    world.filled(engine)

    def meanwhile(_: Any) -> None:
        with engine.begin() as other:
            other.execute(sa.update(world.models.Supplier).values(city="moved"))
            other.execute(sa.insert(world.models.Supplier).values(slug=f"n{next(numbers)}"))

    numbers = iter(range(100))
    first = export_all(engine, tmp_path / "a", catalog=world.catalog)
    second = export_all(engine, tmp_path / "b", catalog=world.catalog, progress=meanwhile)
    assert first.content_sha256 == second.content_sha256
    third = export_all(engine, tmp_path / "c", catalog=world.catalog)
    assert third.content_sha256 != first.content_sha256


def test_an_export_leaves_a_caller_s_work_uncommitted(engine: sa.Engine) -> None:
    """No statement of ours commits implicitly."""
    model = item(sa.Integer)
    model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(model(code="mine", value=1))
        assert len(export_document(session, catalog=catalog_of(model))["items"]) == 1
        session.rollback()
        assert export_document(session, catalog=catalog_of(model))["items"] == []


def held_up(engine: sa.Engine, world: Any, bundle: Path, trouble: Callable[[Any], None]) -> str:
    """Import while something goes wrong after the first entity, and return the error's text."""
    world.metadata.create_all(engine)
    happened: list[Any] = []

    def once(_: Any) -> None:
        if not happened:
            happened.append(1)
            trouble(session)

    with Session(engine) as session, pytest.raises(TargetError) as caught:
        import_all(session, bundle, catalog=world.catalog, progress=once)
    with Session(engine) as session:
        for model in vars(world.models).values():
            assert session.scalar(sa.select(sa.func.count()).select_from(model)) == 0
    return str(caught.value)


def test_a_lost_connection_is_a_target_error(engine: sa.Engine, tmp_path: Path) -> None:
    """Killed in the middle: one typed error, and nothing is written."""
    world = shop()

    def kill(session: Session) -> None:
        number = session.scalar(sa.text("SELECT connection_id()"))
        with engine.begin() as other:
            other.exec_driver_sql(f"KILL {number}")

    text = held_up(engine, world, packed(world, tmp_path / "b"), kill)
    assert "the connection to the database was lost before the commit" in text


def test_a_lock_that_others_hold_is_a_target_error(engine: sa.Engine, tmp_path: Path) -> None:
    """Waiting has an end, which the error names."""
    world = shop()
    others = engine.connect()

    def lock(session: Session) -> None:
        session.execute(sa.text("SET SESSION innodb_lock_wait_timeout = 1"))
        others.execute(sa.insert(world.models.Supplier).values(id=10_000, slug="theirs"))
        others.exec_driver_sql("SELECT * FROM suppliers FOR UPDATE")

    text = held_up(engine, world, packed(world, tmp_path / "b"), lock)
    others.close()
    assert "Lock wait timeout exceeded" in text
    assert "raise innodb_lock_wait_timeout" in text


def test_a_deadlock_is_a_target_error(engine: sa.Engine, tmp_path: Path) -> None:
    """The server gives up one of two transactions, whole."""
    world = shop()
    others = engine.connect()
    waiting: list[threading.Thread] = []

    def cross(session: Session) -> None:
        # More rows than ours, so that the server gives ours up.
        rows = [{"id": 10_000 + n, "slug": f"their{n}"} for n in range(500)]
        others.execute(sa.insert(world.models.Supplier), rows)
        theirs = sa.insert(world.models.Category).values(slug="theirs")
        waiting.append(threading.Thread(target=lambda: others.execute(theirs)))
        waiting[0].start()
        waiting[0].join(0.3)

    text = held_up(engine, world, packed(world, tmp_path / "b"), cross)
    waiting[0].join()
    others.rollback()
    others.close()
    assert "Deadlock found" in text
    assert "Try again" in text


def test_checks_and_triggers_object_to_single_records(engine: sa.Engine) -> None:
    """The driver takes what the server says of them for a fault of its own."""
    model = item(sa.Integer, table=(sa.CheckConstraint("value < 10", name="small"),))
    model.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no_seven BEFORE INSERT ON items FOR EACH ROW IF new.value = 7 THEN "
            "SIGNAL SQLSTATE '45000' SET message_text = 'no seven'; END IF"
        )
    items = [{"code": f"{n:02}", "value": n} for n in range(12)]
    report = import_document(
        engine, document(items), catalog=catalog_of(model), on_error="continue"
    )
    assert report.inserted == 9
    assert [(problem.record, problem.key["code"]) for problem in report.problems] == [
        (8, "07"),
        (11, "10"),
        (12, "11"),
    ]
    assert "no seven" in report.problems[0].message
    assert "small" in report.problems[1].message


# Who is there


def test_a_mysql_server_is_refused_by_name(engine: sa.Engine) -> None:
    """It isn't tried."""
    model = item(sa.Integer)
    with engine.connect() as connection, mock.patch.object(engine.dialect, "is_mariadb", False):
        with pytest.raises(TargetError, match="the server is MySQL, which isn't supported yet"):
            export_document(connection, catalog=catalog_of(model))


def test_another_driver_is_refused_by_name(engine: sa.Engine) -> None:
    """Each driver turns values into other things."""
    model = item(sa.Integer)
    with engine.connect() as connection, mock.patch.object(engine.dialect, "driver", "mysqldb"):
        with pytest.raises(TargetError, match="the driver 'mysqldb' isn't supported on MariaDB"):
            export_document(connection, catalog=catalog_of(model))


def test_the_mysql_name_works_for_a_mariadb_server(engine: sa.Engine) -> None:
    """SQLAlchemy speaks to one by either name; UUIDs are then texts, and variants are its own."""
    assert set(MARIADB) == {"mysql", "mariadb"}
    other = sa.create_engine(engine.url.set(drivername="mysql+pymysql"))
    base = new_base()

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        uuid = mapped_column(sa.Uuid, unique=True, nullable=False)
        value = mapped_column(MOMENT)

    base.metadata.create_all(other)
    moment = "2025-01-01T00:00:00.000001"
    items = [{"uuid": str(uuid.UUID(int=n)), "value": moment} for n in range(3)]
    import_document(other, document(items), catalog=catalog_of(Item))
    assert export_document(other, catalog=catalog_of(Item))["items"] == items
    other.dispose()


def test_a_missing_column_is_named(engine: sa.Engine) -> None:
    """The database is behind the models."""
    model = item(sa.Integer)
    model.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE items DROP COLUMN value")
    with pytest.raises(TargetError, match=r"the database has no column items\.value"):
        export_document(engine, catalog=catalog_of(model))


def test_keys_in_another_character_set_are_sorted_and_found(engine: sa.Engine) -> None:
    """Converted to be compared by code point, and asked for in the column's own set."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        code = mapped_column(mysql.VARCHAR(20, charset="latin1"), primary_key=True)
        room = mapped_column(mysql.VARCHAR(20, charset="latin1"), primary_key=True)

    catalog = Catalog("latin")
    schema_for(Item, catalog, natural_key=("code", "room"))
    Item.metadata.create_all(engine)
    keys = [(code, room) for code in ("é", "€", "B", "z\t", "z") for room in ("", "ü", "U")]
    items = [{"code": code, "room": room} for code, room in keys]
    import_document(engine, document(items), catalog=catalog)
    found = export_document(engine, catalog=catalog)["items"]
    assert [(record["code"], record["room"]) for record in found] == sorted(keys)
    columns = [Item.__table__.c.code, Item.__table__.c.room]
    sql = "SELECT code, room FROM items"
    with engine.connect() as connection:
        database = database_for(connection)
        database.look_up_columns([Item.__table__])
        both = rows_among(database, sql, columns, ["code", "room"], keys[:4])
        assert sorted(both) == sorted(keys[:4])
        assert len(rows_among(database, sql, columns[:1], ["code"], [("€",), ("日",)])) == 3


@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_a_plan_foresees_what_a_collation_takes_for_equal(mariadb: Backend, mode: str) -> None:
    """Of natural keys, which rows give up in mirrors alone, and of whatever else is unique."""
    base = new_base()
    shelf = table(base, "shelves")
    blind = mysql.VARCHAR(20, collation="utf8mb4_general_ci")
    mail = mapped_column(blind, unique=True)
    place = mapped_column(blind, nullable=False)
    book = table(base, "books", shelf_id=to("shelves.id", null=False), place=place, mail=mail)
    book.shelf = relationship(shelf)
    book.__table__.append_constraint(sa.UniqueConstraint("shelf_id", "place"))
    catalog = catalog_of(shelf)
    schema_for(book, catalog, natural_key=("shelf", "place"))

    def books(**mails: str) -> dict[str, Any]:
        places = [
            {"shelf": {"slug": "s"}, "place": place, "slug": place.casefold(), "mail": mail}
            for place, mail in mails.items()
        ]
        return {"shelves": [{"slug": "s"}], "books": places}

    options: Any = {"catalog": catalog, "on_conflict": mode}
    with mariadb.database(base.metadata) as engine:
        import_document(engine, books(a="x", b="y"), catalog=catalog)
        renamed = books(A="z", b="y")
        renamed["books"][0]["slug"] = "other"
        plan = import_document(engine, renamed, dry_run=True, **options)
        if mode == "update":
            with pytest.raises(ImportFailed) as caught:
                import_document(engine, renamed, **options)
            (problem,) = caught.value.report.problems
            assert list(plan.problems) == [problem]
            assert problem.message.startswith(
                "the database's collation takes shelf.slug 's' and place 'A' for shelf.slug 's' "
                "and place 'a', which is there already"
            )
        else:  # the row becomes the new record's
            import_document(engine, renamed, expect=plan, **options)
            import_document(engine, books(a="x", b="y"), **options)
        own = books(a="Y", b="X")  # rows that change give theirs up, whatever they are spelt like
        plan = import_document(engine, own, dry_run=True, **options)
        import_document(engine, own, expect=plan, **options)
        import_document(engine, books(c="é"), on_conflict="update", catalog=catalog)
        clash = books(d="E")
        plan = import_document(engine, clash, on_conflict="update", catalog=catalog, dry_run=True)
        with pytest.raises(ImportFailed, match="takes mail 'E' for mail 'é'") as caught:
            import_document(engine, clash, on_conflict="update", catalog=catalog)
        assert list(plan.problems) == list(caught.value.report.problems)
