"""Rules that follow from what databases and drivers really do, each on every engine it is about.

How keys sort and are found is in ``test_key_orders``, what MariaDB alone does in
``test_mariadb``, and what a column can hold in ``test_values``.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    Owned,
    TargetError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.database.live import database_for
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.importing import resolver as resolve
from support import worlds, zoo
from support.backends import Backend
from support.columns import FLOAT, MOMENT
from support.declaring import catalog_of, new_base, schema_for
from support.packing import packed
from support.statements import statements
from support.zoo import World
from support.zoo_waves import sections

LEVELS = {
    "sqlite": ["SERIALIZABLE"],
    "postgresql": ["READ COMMITTED", "SERIALIZABLE"],
    "mariadb": ["REPEATABLE READ", "SERIALIZABLE"],
}


def thing(**columns: Any) -> Any:
    """Map a table with a slug and these columns."""

    class Thing(new_base()):  # type: ignore[misc]
        __tablename__ = "things"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        locals().update(columns)

    return Thing


@contextmanager
def unchecked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection that enforces no foreign keys, as a careless restore would."""
    off = {
        "sqlite": "PRAGMA foreign_keys=OFF",
        "postgresql": "SET session_replication_role = replica",
        "mariadb": "SET foreign_key_checks = 0",
    }
    on = {
        "sqlite": "PRAGMA foreign_keys=ON",
        "postgresql": "SET session_replication_role = origin",
        "mariadb": "SET foreign_key_checks = 1",
    }
    with engine.connect() as connection:
        connection.exec_driver_sql(off[engine.dialect.name])
        connection.commit()
        yield connection
        connection.commit()
        connection.exec_driver_sql(on[engine.dialect.name])
        connection.commit()


# Transactions and streams


def test_rows_that_a_stream_loses_are_missed(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a driver does to its result, as many rows arrive as the same snapshot counts."""
    stream = Database.stream

    def losing(self: Any, statement: Any, size: int) -> Iterator[Any]:
        for rows in stream(self, statement, size):
            yield rows[:-1] if len(rows) > 1 else rows

    world = zoo.shop()
    with backend.database() as engine:
        world.filled(engine)
        export_all(engine, tmp_path / "whole", catalog=world.catalog)
        monkeypatch.setattr(Database, "stream", losing)
        with pytest.raises(TargetError, match=r"\d+ of \d+ rows arrived"):
            export_all(engine, tmp_path / "b", catalog=world.catalog)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


#: How a statement of an export or import may begin: none of these commits implicitly, makes a
#: temporary table, or switches a check off.
STATEMENTS = {
    "sqlite": ("BEGIN", "INSERT INTO ", "PRAGMA encoding", "PRAGMA main.table_"),
    "postgresql": ("COPY ", "SHOW transaction_isolation", "SET TRANSACTION READ ONLY"),
    "mariadb": (
        "DESCRIBE ",
        "INSERT INTO ",
        "SHOW GRANTS",
        "START TRANSACTION READ ONLY",
        "SET SESSION sql_mode = %s, time_zone = %s, max_sort_length = %s",
    ),
}
USUAL = (
    "SELECT ",
    "WITH RECURSIVE ",
    "WITH given AS (SELECT ",
    "UPDATE ",
    "SAVEPOINT ",
    "RELEASE SAVEPOINT ",
)


@pytest.mark.parametrize("world", [zoo.teams, zoo.cycle, zoo.recipes, zoo.checked_tree])
def test_no_statement_commits_or_switches_checks_off(
    world: Callable[[], World], backend: Backend, tmp_path: Path
) -> None:
    """Neither DDL nor temporary tables, no snapshot but a transaction's, no check is suspended."""
    made = world()
    with backend.database() as source, backend.database(made.metadata) as target:
        made.filled(source)
        with statements(source) as exporting, statements(target) as importing:
            export_all(source, tmp_path / "b", catalog=made.catalog)
            import_all(target, tmp_path / "b", catalog=made.catalog)
            import_all(target, tmp_path / "b", catalog=made.catalog)
    assert len(exporting) > 2
    assert len(importing) > 5
    odd = [
        sql
        for sql in (*exporting, *importing)
        if not sql.startswith((*USUAL, *STATEMENTS[backend.dialect])) or "TEMPORARY" in sql.upper()
    ]
    assert odd == []


@pytest.mark.parametrize("kind", ["engine", "session", "connection"])
@pytest.mark.parametrize("name", ["sqlite_memory", "sqlite_file"])
def test_sqlite_is_in_a_transaction_before_the_first_read(
    name: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Its driver begins none for reads, and RELEASE of a savepoint alone would commit.

    An import takes the write lock at once, so that nobody's ids lie between its own.
    """
    backend = request.getfixturevalue(name)
    world = zoo.family()
    with backend.database(world.metadata) as engine:
        bundle = packed(world, tmp_path / "b")
        for run, begin in (
            (lambda owner: export_all(owner, tmp_path / "c", catalog=world.catalog), "BEGIN"),
            (lambda owner: import_all(owner, bundle, catalog=world.catalog), "BEGIN IMMEDIATE"),
        ):
            with statements(engine) as seen:
                if kind == "engine":
                    run(engine)
                else:
                    with Session(engine) if kind == "session" else engine.connect() as owner:
                        run(owner)
                        owner.rollback()
            assert seen[0] == begin
            assert [sql for sql in seen if sql.startswith("BEGIN")] == [begin]
        with engine.connect() as connection:
            count = sa.select(sa.func.count()).select_from(world.models.Person)
            kept = connection.scalar(count)
    assert kept == (0 if kind != "engine" else 12)


@pytest.mark.parametrize("kind", ["session", "connection"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_caller_s_transaction_keeps_its_level_and_may_write(
    place: int, kind: str, backend: Backend, tmp_path: Path
) -> None:
    """Isolation and READ ONLY are set on transactions of ours alone; a begun one ignores the first.

    Nor do they cling to the connection when it goes back.
    """
    level = LEVELS[backend.dialect][place % len(LEVELS[backend.dialect])]
    world = zoo.family()
    with backend.database(world.metadata, isolation_level=level) as engine:
        bundle = packed(world, tmp_path / "b")
        with Session(engine) if kind == "session" else engine.connect() as owner:
            owner.execute(sa.insert(world.models.Person).values(slug="before"))
            export_all(owner, tmp_path / "c", catalog=world.catalog)
            import_all(owner, bundle, catalog=world.catalog)
            connection = owner.connection() if isinstance(owner, Session) else owner
            assert connection.get_isolation_level() == level
            owner.execute(sa.insert(world.models.Person).values(slug="after"))
            owner.commit()
        export_all(engine, tmp_path / "d", catalog=world.catalog)
        for _ in range(2):
            with engine.begin() as connection:
                assert connection.get_isolation_level() == level
                slugs = connection.scalars(sa.select(world.models.Person.slug)).all()
                connection.execute(sa.insert(world.models.Person).values(slug=f"n{len(slugs)}"))
    assert {"before", "after"} < set(slugs)


def test_unflushed_objects_are_there_and_old_ones_are_read_again(backend: Backend) -> None:
    """A session is flushed before it is joined, and expired once rows were written past it."""
    world = zoo.family()
    Person = world.models.Person
    with backend.database(world.metadata) as engine, Session(engine) as session:
        old = Person(slug="old")
        session.add(old)
        session.commit()
        assert old.slug == "old"
        session.add(Person(slug="pending"))
        found = export_document(session, catalog=world.catalog)["people"]
        assert [record["slug"] for record in found] == ["old", "pending"]
        assert not sa.inspect(old).expired
        session.add(Person(slug="parent"))
        records = [{"slug": "child", "parent": {"slug": "parent"}}]
        report = import_document(session, {"people": records}, catalog=world.catalog)
        assert (report.inserted, report.problems) == (1, [])
        assert sa.inspect(old).expired


# Order


def test_null_dangling_and_nameless_references_are_told_apart(backend: Backend) -> None:
    """An outer join shows all three as nulls; an inner one would drop their rows.

    A reference to a record whose key is null is written, a null reference is null, and a set
    foreign key without a target is an error.
    """
    base, catalog = new_base(), Catalog("brands")

    class Brand(base):  # type: ignore[misc, valid-type]
        __tablename__ = "brands"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20))

    class Maker(base):  # type: ignore[misc, valid-type]
        __tablename__ = "makers"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), nullable=False, unique=True)

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), nullable=False, unique=True)
        brand_id = mapped_column(sa.ForeignKey("brands.id"))
        maker_id = mapped_column(sa.ForeignKey("makers.id"))
        brand = relationship(Brand)
        maker = relationship(Maker)

    schema_for(Brand, catalog, natural_key="name")
    schema_for(Maker, catalog)
    schema_for(Item, catalog)
    with backend.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(Brand), [{"id": 1, "name": None}, {"id": 2, "name": "b"}])
            connection.execute(sa.insert(Maker), [{"id": 1, "slug": "m"}])
            connection.execute(
                sa.insert(Item),
                [
                    {"id": 1, "slug": "a", "brand_id": 1, "maker_id": 1},
                    {"id": 2, "slug": "b", "brand_id": 2, "maker_id": None},
                    {"id": 3, "slug": "c", "brand_id": None, "maker_id": None},
                ],
            )
        assert export_document(engine, catalog=catalog)["items"] == [
            {"slug": "a", "brand": {"name": None}, "maker": {"slug": "m"}},
            {"slug": "b", "brand": {"name": "b"}, "maker": None},
            {"slug": "c", "brand": None, "maker": None},
        ]
        for field in ("brand", "maker"):
            column = Item.__table__.c[f"{field}_id"]
            change = sa.update(Item).where(Item.slug == "c")
            with unchecked(engine) as connection:
                connection.execute(change.values({column.name: 77}))
            with pytest.raises(TargetError, match=f"{column.name} = 77 refers to no row") as caught:
                export_document(engine, catalog=catalog)
            assert (caught.value.entity, caught.value.field) == ("items", field)
            with unchecked(engine) as connection:
                connection.execute(change.values({column.name: None}))


def test_rows_whose_target_is_gone_are_named_or_counted(backend: Backend) -> None:
    """A required reference, a link and an owned row; joins that drop rows would forget them."""
    broken = {
        "UPDATE loans SET book_id = 77": "loans, book",
        "INSERT INTO book_authors (book_id, person_id) VALUES (1, 77)": "refers to no row",
        "INSERT INTO book_authors (book_id, person_id) VALUES (77, 1)": "belong to no record",
        "UPDATE pages SET book_id = 77": "1 of 1 rows belong to no record",
    }
    base, catalog = new_base(), Catalog("library")
    book_authors = sa.Table(
        "book_authors",
        base.metadata,
        sa.Column("book_id", sa.ForeignKey("books.id"), primary_key=True),
        sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    )

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    class Book(base):  # type: ignore[misc, valid-type]
        __tablename__ = "books"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        authors = relationship(Person, secondary=book_authors)
        pages = relationship("Page")

    class Page(base):  # type: ignore[misc, valid-type]
        __tablename__ = "pages"
        id = mapped_column(sa.Integer, primary_key=True)
        book_id = mapped_column(sa.ForeignKey("books.id"), nullable=False)
        words = mapped_column(sa.String(20), nullable=False)

    class Loan(base):  # type: ignore[misc, valid-type]
        __tablename__ = "loans"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        book_id = mapped_column(sa.ForeignKey("books.id"), nullable=False)
        book = relationship(Book)

    pages = schema_for(Page, catalog)
    schema_for(Person, catalog)
    schema_for(Book, catalog, {"pages": Owned(pages)})
    schema_for(Loan, catalog)
    with backend.database(base.metadata) as engine:
        for statement, message in broken.items():
            with Session(engine) as session:
                book = Book(id=1, slug="b", pages=[Page(words="w")])
                session.add_all([Person(id=1, slug="p"), book, Loan(slug="l", book=book)])
                session.commit()
            assert len(export_document(engine, catalog=catalog)["loans"]) == 1
            with unchecked(engine) as connection:
                connection.exec_driver_sql(statement)
            with pytest.raises(TargetError, match=message):
                export_document(engine, catalog=catalog)
            with unchecked(engine) as connection:
                for table in base.metadata.tables.values():
                    connection.execute(sa.delete(table))


def test_an_export_s_order_is_that_of_the_key_s_index(backend: Backend, tmp_path: Path) -> None:
    """NULLS FIRST, IS NOT NULL and COLLATE are left out where they change nothing but the plan."""
    plans = {
        "sqlite": ("EXPLAIN QUERY PLAN ", "TEMP B-TREE"),
        "postgresql": ("EXPLAIN ", "Sort"),
        "mariadb": ("EXPLAIN ", "filesort"),
    }
    explain, sorting = plans[backend.dialect]
    model = thing(words=mapped_column(sa.String(20)))
    with backend.database(model.metadata) as engine:
        with engine.begin() as connection:
            rows = [{"slug": f"s{n * 7 % 500:03}", "words": "w"} for n in range(500)]
            connection.execute(sa.insert(model), rows)
        with statements(engine) as seen:
            export_all(engine, tmp_path / "b", catalog=catalog_of(model))
        (sql,) = [sql for sql in seen if "ORDER BY" in sql and "FROM things" in sql]
        with engine.connect() as connection:
            if backend.dialect == "postgresql":
                connection.exec_driver_sql("SET enable_sort = off")
                connection.exec_driver_sql("SET enable_seqscan = off")
            forced = sql
            if backend.dialect == "mariadb":
                forced = sql.replace("FROM things", "FROM things FORCE INDEX (slug)")
            plan = str(connection.exec_driver_sql(explain + forced).fetchall())
    assert sorting not in plan, plan


# Lookups


def test_a_lookup_has_no_more_parameters_than_a_server_takes(backend: Backend) -> None:
    """Thirty thousand at most, so that a chunk of long keys is asked for in several statements."""
    model = thing(number=mapped_column(sa.Integer))
    columns = [model.__table__.c.slug, model.__table__.c.number]
    keys = [(f"s{n}", n) for n in range(20_001)]
    with backend.database(model.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(
                sa.insert(model), [{"slug": f"s{n}", "number": n} for n in (0, 14_999, 20_000)]
            )
        with engine.connect() as connection, statements(engine) as seen:
            database = database_for(connection)
            database.look_up_columns([model.__table__])
            found = rows_among(
                database, "SELECT number FROM things", columns, ["slug", "number"], keys
            )
    assert sorted(row[0] for row in found) == [0, 14_999, 20_000]
    asked = [sql for sql in seen if "FROM things" in sql]
    assert 2 <= len(asked) <= 4
    assert all(sql.count("?") + sql.count("%s") <= 30_000 for sql in asked)


def test_keys_with_nulls_cost_a_query_per_pattern(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IN finds no row for a null part: half of the keys would have been inserted again."""
    monkeypatch.setattr(resolve, "SMALL", 0)
    model = thing(number=mapped_column(sa.Integer), words=mapped_column(sa.String(20)))
    model.__table__.c.slug.nullable = True
    catalog = Catalog("patterns")
    schema_for(model, catalog, natural_key=("number", "words"))
    records = [
        {"number": number, "words": words, "slug": f"{number}/{words}"}
        for number in (None, *range(30))
        for words in (None, *"abcdefghij")
    ]
    with backend.database(model.metadata) as engine:
        report = import_document(engine, {"things": records}, catalog=catalog)
        assert report.inserted == len(records)
        few = records[::3]  # of so few the keys are looked up, and not read along
        with statements(engine) as seen:
            again = import_document(engine, {"things": few}, catalog=catalog)
    assert (again.inserted, again.skipped, again.differing) == (0, len(few), 0)
    asked = [
        sql
        for sql in seen
        if sql.startswith("SELECT") and "things.number" in sql and "WHERE" in sql
    ]
    by_pattern = [sql for sql in asked if "slug" not in sql.partition("FROM")[0]]
    assert len(by_pattern) == 4


@pytest.mark.parametrize(("collation", "held"), [("NOCASE", "A"), ("RTRIM", "a  ")])
@pytest.mark.parametrize("way", ["reference", "owned", "link"])
def test_sqlite_s_foreign_keys_are_exactly_their_targets(
    way: str, collation: str, held: str, sqlite_memory: Backend
) -> None:
    """A column's collation lets ``A`` refer to ``a``; written as ``a`` it would have been altered."""
    base, catalog = new_base(), Catalog("folded")
    folded = sa.String(20, collation=collation)
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("child_slug", sa.ForeignKey("children.slug"), primary_key=True),
        sa.Column("parent_code", folded, sa.ForeignKey("parents.code"), primary_key=True),
    )

    class Parent(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parents"
        code = mapped_column(folded, primary_key=True)
        children = relationship("Child", back_populates="parent")

    class Child(base):  # type: ignore[misc, valid-type]
        __tablename__ = "children"
        slug = mapped_column(sa.String(20), primary_key=True)
        parent_code = mapped_column(folded, sa.ForeignKey("parents.code"))
        parent = relationship(Parent, back_populates="children")
        others = relationship(Parent, secondary=links)

    children = schema_for(Child, catalog)
    schema_for(Parent, catalog, {"children": Owned(children)} if way == "owned" else {})
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(Parent).values(code="a"))
            code = "a" if way == "link" else held
            connection.execute(sa.insert(Child).values(slug="c", parent_code=code))
            if way == "link":
                connection.execute(sa.insert(links).values(child_slug="c", parent_code=held))
        with pytest.raises(TargetError, match="refers to"):
            export_document(engine, catalog=catalog)


@pytest.mark.parametrize("name", ["sqlite_memory", "mariadb"])
def test_a_subclass_s_row_is_exactly_its_base_s(name: str, request: pytest.FixtureRequest) -> None:
    """By a folding collation ``A`` extends ``a``; written as ``a`` it would have been altered."""
    theirs = mysql.VARCHAR(20, collation="utf8mb4_general_ci")
    folded = sa.String(20, collation="NOCASE").with_variant(theirs, "mariadb")

    class Animal(new_base()):  # type: ignore[misc]
        __tablename__ = "animals"
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}
        code = mapped_column(folded, primary_key=True)
        kind = mapped_column(sa.String(9), nullable=False)

    class Bird(Animal):
        __tablename__ = "birds"
        __mapper_args__ = {"polymorphic_identity": "bird"}
        code = mapped_column(folded, sa.ForeignKey("animals.code"), primary_key=True)
        span = mapped_column(sa.Integer, nullable=False)

    catalog = catalog_of(Animal)
    with request.getfixturevalue(name).database(Animal.metadata) as engine:
        for code in ("a", "A"):
            with engine.begin() as connection:
                connection.execute(sa.delete(Bird.__table__))
                connection.execute(sa.delete(Animal.__table__))
                connection.execute(sa.insert(Animal.__table__).values(code="a", kind="bird"))
                connection.execute(sa.insert(Bird.__table__).values(code=code, span=1))
            if code == "a":
                assert export_document(engine, catalog=catalog)["animals"] == [
                    {"code": "a", "kind": "bird", "span": 1}
                ]
        with pytest.raises(TargetError, match="animals"):
            export_document(engine, catalog=catalog)


# Values


def test_json_numbers_and_keys_have_one_form(backend: Backend) -> None:
    """One encoder everywhere: 1e20 is an integer, no 64 bits limit one, keys sort by code point.

    JSONB reorders keys and turns exponents into digits, so that all engines agree on that.
    """
    json_type = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    model = thing(value=mapped_column(json_type), plain=mapped_column(sa.JSON()))
    value = {
        "z": 1e20,
        "\uff5e": 2**64,
        "\U0001f600": -(2**70),
        "A": [0.1, 1.5, 1e-7],
        "": None,
        "$json": {"$json": None},
    }
    with backend.database(model.metadata) as engine:
        catalog = catalog_of(model)
        with Session(engine) as session:
            session.add(model(slug="a", value=value, plain=value))
            session.commit()
        (record,) = export_document(engine, catalog=catalog)["things"]
        with engine.begin() as connection:
            connection.execute(sa.delete(model))
        import_document(engine, {"things": [record]}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["things"] == [record]
    for name in ("value", "plain"):
        assert json.dumps(record[name], ensure_ascii=False) == (
            '{"": null, "$json": {"$json": null}, "A": [0.1, 1.5, 1e-07], '
            '"z": 100000000000000000000, "\uff5e": 18446744073709551616, '
            '"\U0001f600": -1180591620717411303424}'
        )


# Rows, ids, defaults


def test_a_negative_zero_is_zero(backend: Backend) -> None:
    """Some engines lose its sign, so that no record has one and no import writes one."""
    model = thing(
        ratio=mapped_column(FLOAT),
        price=mapped_column(sa.Numeric(9, 2)),
        doc=mapped_column(sa.JSON()),
    )
    values = {"ratio": -0.0, "doc": [-0.0]}
    catalog = catalog_of(model)
    with backend.database(model.metadata) as engine:
        with Session(engine) as session:
            session.add(model(slug="a", price=Decimal("-0.00"), **values))
            session.commit()
        import_document(
            engine,
            {"things": [{"slug": "b", "price": "-0.00", **values}]},
            catalog=catalog,
        )
        records = export_document(engine, catalog=catalog)["things"]
        with engine.connect() as connection:
            column = model.__table__.c.ratio
            (ratio,) = connection.scalars(sa.select(column).where(model.slug == "b"))
    for record in records:
        assert (str(record["ratio"]), record["price"], str(record["doc"])) == (
            "0.0",
            "0.00",
            "[0.0]",
        )
    assert str(ratio) == "0.0"


def test_nulls_are_written_where_there_are_defaults(backend: Backend) -> None:
    """An insert names every column, so that no default stands for what a record says is null."""
    model = thing(
        words=mapped_column(sa.String(20), default="python's"),
        remark=mapped_column(sa.String(20), server_default="server's"),
        at=mapped_column(MOMENT, server_default=sa.func.now(), onupdate=dt.datetime.now),
    )
    records = [{"slug": "a", "words": None, "remark": None, "at": None}]
    catalog = catalog_of(model)
    with backend.database(model.metadata) as engine:
        import_document(engine, {"things": records}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["things"] == records


def test_an_id_of_zero_is_kept_and_the_next_one_works(backend: Backend) -> None:
    """Where ids mean something zero is one of them, whatever a server does to a generated key."""
    model = thing(words=mapped_column(sa.String(20)))
    catalog = Catalog("ids")
    schema_for(model, catalog, natural_key="id")
    records = [{"id": n, "slug": f"s{n}", "words": None} for n in (-1, 0, 4)]
    with backend.database(model.metadata) as engine:
        import_document(engine, {"things": records}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["things"] == records
        with Session(engine) as session:
            session.add(model(slug="next"))
            session.commit()
            assert session.scalars(sa.select(model.id).where(model.slug == "next")).one() > 4


#: What makes a key at the server.
SERVER_SIDE = {
    "sqlite": sa.text("(abs(random() >> 10) + 1)"),
    "postgresql": sa.text("(1 + floor(random() * 9007199254740991))::bigint"),
    "mariadb": sa.text("(1 + floor(rand() * 9007199254740991))"),
}


def server_side(backend: Backend) -> Any:
    """Map a key that the server makes up, of which no record knows."""
    default = SERVER_SIDE[backend.dialect]
    return mapped_column(sa.BigInteger, primary_key=True, server_default=default)


def test_server_side_keys_are_allocated_ahead(backend: Backend) -> None:
    """RETURNING in the order of the parameters would take one statement a row."""
    base = new_base()

    class Token(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tokens"
        id = server_side(backend)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        parent_id = mapped_column(sa.ForeignKey("tokens.id"))
        parent = relationship("Token", remote_side=[id])

    catalog = catalog_of(Token)
    counts = []
    for rows in (10, 400):
        records = [
            {"slug": f"t{n:03}", "parent": {"slug": f"t{n // 2:03}"} if n else None}
            for n in range(rows)
        ]
        with backend.database(base.metadata) as engine:
            with statements(engine) as seen:
                import_document(engine, {"tokens": records}, catalog=catalog)
            assert export_document(engine, catalog=catalog)["tokens"] == records
            with Session(engine) as session:
                session.add(Token(slug="next"))
                session.commit()
                made = session.scalars(sa.select(Token.id)).all()
            assert len(set(made)) == rows + 1
        assert not [sql for sql in seen if "RETURNING" in sql]
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_no_keys_are_asked_for_where_no_row_can_be_placed(backend: Backend) -> None:
    """A server asked for keys from 1 to 0 gives some; rows in waves may all have to wait."""
    base = new_base()

    class Node(base):  # type: ignore[misc, valid-type]
        __tablename__ = "nodes"
        id = server_side(backend)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        parent_id = mapped_column(sa.ForeignKey("nodes.id"), nullable=False)
        parent = relationship("Node", remote_side=[id])

    records = [{"slug": "a", "parent": {"slug": "b"}}, {"slug": "b", "parent": {"slug": "c"}}]
    with backend.database(base.metadata) as engine, pytest.raises(ImportFailed) as caught:
        import_document(engine, {"nodes": records}, catalog=catalog_of(Node))
    assert [problem.field for problem in caught.value.report.problems] == ["parent", "parent"]


# Deferred references, waves, late rows


def cyclic(rows: int) -> dict[str, Any]:
    """Departments and employees that refer to each other."""
    return {
        "departments": [
            {
                "slug": f"d{n:04}",
                "updated_at": "2025-01-01T00:00:00",
                "head": {"slug": f"e{n:04}"} if n % 5 else None,
            }
            for n in range(rows)
        ],
        "employees": [
            {"slug": f"e{n:04}", "department": {"slug": f"d{(n * 7) % rows:04}"}}
            for n in range(rows)
        ],
    }


def checked(rows: int) -> dict[str, Any]:
    """Folders whose parent may be null for roots alone, in no order of depth."""
    return {
        "folders": [
            {
                "slug": f"f{n * 7919 % 10_007:05}",
                "kind": "sub" if n else "root",
                "parent": {"slug": f"f{n // 10 * 7919 % 10_007:05}"} if n else None,
            }
            for n in range(rows)
        ]
    }


def team_records(rows: int) -> dict[str, Any]:
    """Owned rows and links that need what needs their own owner."""

    def player(number: int) -> dict[str, Any]:
        return {"slug": f"p{number % rows:04}"}

    return {
        "teams": [
            {
                "slug": f"t{n:04}",
                "shifts": [
                    {
                        "words": f"s{k}",
                        "captain": player(n + k),
                        "second": player(n * 3) if k else None,
                        "helpers": sorted(
                            (player(n + 1), player(n + 2)), key=lambda item: str(item["slug"])
                        ),
                        "breaks": [
                            {"minute": m, "cover": player(m) if m else None} for m in range(2)
                        ],
                    }
                    for k in range(2)
                ],
            }
            for n in range(rows)
        ],
        "players": [
            {
                **player(n),
                "team": {"slug": f"t{n * 3 % rows:04}"},
                "mentor": player(n + 1) if n % 3 else None,
            }
            for n in range(rows)
        ],
    }


def section_records(rows: int) -> dict[str, Any]:
    """Owned rows that need others of their own table, of any owner, one level above."""

    def section(number: int) -> dict[str, Any]:
        return {"paper": {"slug": f"p{number % rows:04}"}, "number": number // rows}

    return {
        "tags": [{"slug": f"t{n}"} for n in range(3)],
        "papers": [
            {
                "slug": f"p{n:04}",
                "sections": [
                    {
                        "number": level,
                        "above": section((n * 3 + 1) % rows + (level - 1) * rows if level else n),
                        "remarks": [{"words": "r"}],
                        "tags": [{"slug": f"t{n % 3}"}],
                    }
                    for level in range(3)
                ],
            }
            for n in range(rows)
        ],
    }


#: Worlds by how they are loaded: what makes them, their records, the UPDATEs that an import
#: runs per chunk, and the most statements that it runs at all.
DEFERRED: dict[str, tuple[Callable[[], World], Callable[[int], dict[str, Any]], int]] = {
    "updated later": (zoo.cycle, cyclic, 1),
    "in waves": (zoo.checked_tree, checked, 0),
    "late with late links": (zoo.teams, team_records, 0),
    "late in waves": (sections, section_records, 0),
}


@pytest.mark.parametrize("name", DEFERRED)
def test_cycles_are_opened_in_a_fixed_number_of_statements(name: str, backend: Backend) -> None:
    """Null and then one bulk update, or later, or in waves: never a statement a row.

    A column that a CHECK holds is never null for a time, and nothing else is touched.
    """
    make, records, updates = DEFERRED[name]
    counts = []
    for rows in (40, 400):
        world = make()
        document = records(rows)
        with backend.database(world.metadata) as engine:
            with statements(engine) as seen:
                report = import_document(engine, document, catalog=world.catalog)
            assert report.inserted == sum(map(len, document.values()))
            after = export_document(engine, catalog=world.catalog)
        for entity, items in document.items():
            assert sorted(after[entity], key=str) == sorted(items, key=str), entity
        assert len([sql for sql in seen if sql.startswith("UPDATE")]) == updates
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_bulk_update_touches_no_other_column(backend: Backend, tmp_path: Path) -> None:
    """An executemany would be one statement a row, and set what the model sets on update to now."""
    world = zoo.cycle()
    document = cyclic(60)
    with backend.database(world.metadata) as engine:
        with statements(engine) as seen:
            import_document(engine, document, catalog=world.catalog)
        assert len([sql for sql in seen if sql.startswith("UPDATE")]) == 1
        with Session(engine) as session:
            stamps = set(session.scalars(sa.select(world.models.Department.updated_at)))
            heads = session.scalar(sa.select(sa.func.count(world.models.Department.head_id)))
    assert stamps == {dt.datetime(2025, 1, 1)}
    assert heads == 48


# What makes it fast, as far as statements and types show it


def ledger() -> tuple[Any, Catalog]:
    """Brands, kinds by brand and number, and items that refer to kinds."""
    base, catalog = new_base(), Catalog("ledger")

    class Brand(base):  # type: ignore[misc, valid-type]
        __tablename__ = "brands"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    class Kind(base):  # type: ignore[misc, valid-type]
        __tablename__ = "kinds"
        __table_args__ = (sa.UniqueConstraint("brand_id", "number"),)
        id = mapped_column(sa.Integer, primary_key=True)
        brand_id = mapped_column(sa.ForeignKey("brands.id"), nullable=False)
        number = mapped_column(sa.Integer, nullable=False)
        brand = relationship(Brand)

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        kind_id = mapped_column(sa.ForeignKey("kinds.id"), nullable=False)
        kind = relationship(Kind)

    for model in (Brand, Kind, Item):
        schema_for(model, catalog)
    return base, catalog


@pytest.mark.parametrize("small", [True, False])
def test_references_are_resolved_inside_out_one_table_a_query(
    small: bool, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small target is read once and whole; of a large one each chunk asks once, nothing cached.

    PostgreSQL gets arrays, of one parameter a column, and each chunk's rows by one COPY.
    """
    chunks, size = 4, 50
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", size)
    monkeypatch.setattr(resolve, "SMALL", 5_000 if small else 0)
    base, catalog = ledger()
    kinds = [{"brand": {"slug": f"b{n % 9}"}, "number": n} for n in range(60)]
    document = {
        "brands": [{"slug": f"b{n}"} for n in range(9)],
        "kinds": kinds[:size],
        "items": [{"slug": f"i{n:05}", "kind": kinds[n * 7 % size]} for n in range(chunks * size)],
    }
    with backend.database(base.metadata) as engine:
        with statements(engine) as seen:
            import_document(engine, document, catalog=catalog)
        assert {
            name: sorted(map(str, items))
            for name, items in export_document(engine, catalog=catalog).items()
            if name in document
        } == {name: sorted(map(str, items)) for name, items in document.items()}
    reads = [sql for sql in seen if sql.startswith("SELECT") and "count(" not in sql]
    kinds_read = [sql for sql in reads if "FROM kinds" in sql and "number" in sql]
    by_chunk = [sql for sql in kinds_read if "WHERE" in sql]
    if small:
        assert by_chunk == []
        assert 1 <= len(kinds_read) <= 2
    else:
        assert len(by_chunk) == chunks
    writes = [sql for sql in seen if sql.startswith(("INSERT INTO items", "COPY items"))]
    assert len(writes) == chunks
    if backend.dialect == "postgresql":
        assert all(sql.startswith("COPY") for sql in writes)
        assert all("ANY(" in sql or "unnest(" in sql for sql in by_chunk)
        assert all(sql.count("%s") <= 2 for sql in by_chunk)


def test_streams_give_the_driver_s_own_tuples(backend: Backend) -> None:
    """No Row is made of them: records are made of what the driver's cursor gives."""
    model = thing(words=mapped_column(sa.String(20)))
    with backend.database(model.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(model), [{"slug": f"s{n}"} for n in range(25)])
        with engine.connect() as connection:
            stream = database_for(connection).stream(sa.select(model.__table__), 10)
            chunks = list(stream)
    assert [len(rows) for rows in chunks] == [10, 10, 5]
    assert {type(row) for rows in chunks for row in rows} == {tuple}


def test_reflected_tables_go_round(backend: Backend) -> None:
    """Names that the database tells are no plain strings, and have to be made ones."""
    base, _ = ledger()
    with backend.database(base.metadata) as engine:
        reflected = new_base()
        reflected.metadata.reflect(engine)
        catalog = Catalog("reflected")
        for name in ("brands", "kinds", "items"):
            table = reflected.metadata.tables[name]
            assert type(table.c.id.key) is not str
            schema_for(type(name.title(), (reflected,), {"__table__": table}), catalog)
        document: dict[str, Any] = {
            "brands": [{"slug": "b"}],
            "kinds": [{"brand": {"slug": "b"}, "number": 1}],
            "items": [{"slug": "i", "kind": {"brand": {"slug": "b"}, "number": 1}}],
        }
        import_document(engine, document, catalog=catalog)
        after = export_document(engine, catalog=catalog)
        assert {name: after[name] for name in document} == document
        with_ids = export_document(engine, catalog=catalog, include_ids=True)
    assert set(with_ids["items"][0]) == {"id", "slug", "kind", "kind_id"}
    assert {type(name) for record in with_ids["items"] for name in record} == {str}


@pytest.mark.parametrize("options", [{"stream_results": True}, {"yield_per": 2}], ids=str)
def test_an_engine_that_streams_every_result_gives_the_same(
    options: dict[str, Any], backend: Backend, tmp_path: Path
) -> None:
    """Some applications set execution options for all that they read."""
    world = worlds.kitchen()
    with backend.database(world.metadata) as engine:
        exported = export_all(world.filled(engine), tmp_path / "first", catalog=world.catalog)
    with backend.database(world.metadata) as engine:
        streaming = engine.execution_options(**options)
        for mode in ("error", "mirror"):
            import_all(streaming, tmp_path / "first", catalog=world.catalog, on_conflict=mode)
        again = export_all(streaming, tmp_path / "again", catalog=world.catalog)
        assert again.content_sha256 == exported.content_sha256
