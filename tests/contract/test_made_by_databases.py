"""What databases do by themselves: defaults in SQL, sequences, triggers, generated columns."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    AlteredWarning,
    Catalog,
    TargetError,
    export_document,
    import_document,
    importer,
)
from lading.database.live import database_for
from lading.report import Alteration
from support import zoo
from support.backends import Backend
from support.columns import MOMENT
from support.declaring import catalog_of, new_base, schema_for
from support.statements import statements

#: SQL that makes another text for each row.
RANDOM = {
    "sqlite": sa.func.hex(sa.func.randomblob(8)),
    "postgresql": sa.func.md5(sa.cast(sa.func.random(), sa.Text)),
    "mariadb": sa.text("uuid()"),
}


def thing(base: Any = None, /, **columns: Any) -> Any:
    """Map a table with a slug and these columns."""

    class Thing(base or new_base()):  # type: ignore[misc]
        __tablename__ = "things"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        locals().update(columns)

    return Thing


def document(*slugs: str, **values: Any) -> dict[str, Any]:
    """Return a document of things."""
    return {
        "schema_versions": {"things": 1},
        "things": [{"slug": slug, **values} for slug in slugs],
    }


def loaded(engine: sa.Engine, model: Any, records: dict[str, Any], *left_out: str) -> list[Any]:
    """Import things whose schema leaves some columns out, and return the rows."""
    catalog = Catalog("defaults")
    schema_for(model, catalog, exclude=left_out)
    model.metadata.create_all(engine)
    report = import_document(engine, records, catalog=catalog)
    assert report.inserted == len(records["things"])
    with Session(engine) as session:
        return list(session.scalars(sa.select(model).order_by(model.slug)))


# Defaults in SQL


def test_left_out_columns_get_what_an_expression_gives(backend: Backend) -> None:
    """The database evaluates a default in SQL, for each row, as it would for the application."""
    expression = RANDOM[backend.dialect]
    model = thing(
        token=mapped_column(sa.String(40), default=expression, nullable=False),
        selected=mapped_column(sa.String(40), default=sa.select(expression).scalar_subquery()),
        number=mapped_column(sa.Integer, default=sa.literal(40) + 2),
        at=mapped_column(MOMENT, default=sa.func.now()),
        day=mapped_column(sa.Date, default=sa.func.current_date()),
        percent=mapped_column(sa.String(5), default=sa.literal("5 %")),
    )
    names = ("token", "selected", "number", "at", "day", "percent")
    with backend.database() as engine:
        rows = loaded(engine, model, document(*(f"s{n:04}" for n in range(700))), *names)
    assert len({row.token for row in rows}) == len({row.selected for row in rows}) == 700
    assert {(row.number, row.percent) for row in rows} == {(42, "5 %")}
    assert all(isinstance(row.at, dt.datetime) and isinstance(row.day, dt.date) for row in rows)


def test_expressions_cost_one_statement_a_chunk(backend: Backend) -> None:
    """However many rows and columns there are, a chunk's defaults are asked for at once."""
    model = thing(
        token=mapped_column(sa.String(40), default=RANDOM[backend.dialect]),
        at=mapped_column(MOMENT, default=sa.func.now()),
    )
    counts = []
    for rows in (20, 1_500):
        with backend.database(model.metadata) as engine, statements(engine) as seen:
            loaded(engine, model, document(*(f"s{n:04}" for n in range(rows))), "token", "at")
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("form", ["function", "text", "select"])
def test_keys_made_by_an_expression_are_imported(backend: Backend, form: str) -> None:
    """A primary key whose default is SQL is no text of that SQL after an import."""
    expression: Any = RANDOM[backend.dialect]
    made = {
        "function": expression,
        "text": sa.text(
            str(
                expression.compile(
                    dialect=backend_dialect(backend), compile_kwargs={"literal_binds": True}
                )
            )
        ),
        "select": sa.select(expression).scalar_subquery(),
    }

    class Thing(new_base()):  # type: ignore[misc]
        __tablename__ = "things"
        id = mapped_column(sa.String(40), primary_key=True, default=made[form])
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    with backend.database(Thing.metadata) as old, backend.database(Thing.metadata) as new:
        with Session(old) as session, session.begin():
            session.add_all([Thing(slug="a"), Thing(slug="b")])
        catalog = catalog_of(Thing)
        first = export_document(old, catalog=catalog)
        assert import_document(new, first, catalog=catalog).inserted == 2
        assert export_document(new, catalog=catalog)["things"] == first["things"]
        with new.connect() as connection:
            ids = connection.scalars(sa.select(Thing.id)).all()
        assert len(set(ids)) == 2
        assert all(10 < len(id_) <= 36 for id_ in ids)


def test_integer_keys_may_count_by_a_subquery(backend: Backend) -> None:
    """``max(id) + 1`` gives the first id of those that are inserted at once."""
    base = new_base()
    table = sa.table("things", sa.column("id"))

    class Thing(base):  # type: ignore[misc, valid-type]
        __tablename__ = "things"
        id = mapped_column(
            sa.Integer,
            primary_key=True,
            autoincrement=False,
            default=sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0) + 10).scalar_subquery(),
        )
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    with backend.database(base.metadata) as old, backend.database(base.metadata) as new:
        with Session(old) as session, session.begin():
            for slug in ("a", "b", "c"):
                session.add(Thing(slug=slug))
                session.flush()
        catalog = catalog_of(Thing)
        assert import_document(new, export_document(old, catalog=catalog), catalog=catalog)
        with Session(new) as session, session.begin():
            assert len(set(session.scalars(sa.select(Thing.id)))) == 3
            session.add(Thing(slug="next"))


def test_a_default_from_other_rows_of_its_table_is_refused(backend: Backend) -> None:
    """Rows that are inserted at once can't each be counted on from the one before."""
    table = sa.table("things", sa.column("place"))
    counted = sa.select(sa.func.coalesce(sa.func.max(table.c.place), 0) + 1).scalar_subquery()
    model = thing(place=mapped_column(sa.Integer, default=counted))
    message = (
        r"things, place: the model's default of things.place, which records don't carry, is "
        "computed from other rows of its table, which a bulk load inserts at once. Carry the column"
    )
    with backend.database() as engine, pytest.raises(TargetError, match=message):
        loaded(engine, model, document("a"), "place")


def test_an_expression_that_fails_names_its_column(backend: Backend) -> None:
    """What the server says of a default comes with the entity and the column."""
    model = thing(token=mapped_column(sa.String(40), default=sa.func.no_such_function()))
    with backend.database() as engine, pytest.raises(TargetError) as caught:
        loaded(engine, model, document("a"), "token")
    assert (caught.value.entity, caught.value.field) == ("things", "token")
    assert "the model's default of things.token, an SQL expression, fails" in str(caught.value)


def test_a_default_that_asks_for_the_row_is_refused(sqlite_memory: Backend) -> None:
    """A bulk load has no context of SQLAlchemy's, and a default may hide that it misses one."""

    def shouted(context: Any) -> Any:
        return getattr(context, "current_parameters", {}).get("slug", "?").upper()

    model = thing(loud=mapped_column(sa.String(20), default=shouted))
    with sqlite_memory.database() as engine, pytest.raises(TargetError) as caught:
        loaded(engine, model, document("a"), "loud")
    assert str(caught.value) == (
        "things, loud: the model's default of things.loud, which records don't carry, asks "
        "SQLAlchemy's context for current_parameters, and a bulk load has none. Carry the column, "
        "or give it a default that needs no context."
    )


# Sequences


def next_number(engine: sa.Engine, model: Any) -> Any:
    """Insert a row as the application would, and return its number."""
    with Session(engine) as session, session.begin():
        row = model(slug="next")
        session.add(row)
        session.flush()
        return row.number


@pytest.fixture(params=["postgresql", "mariadb"])
def having_sequences(request: pytest.FixtureRequest) -> Backend:
    """Each engine that has sequences."""
    made: Backend = request.getfixturevalue(request.param)
    return made


@pytest.mark.parametrize("default", ["client", "server", "both", "text"])
def test_69_sequences_of_columns_follow(having_sequences: Backend, default: str) -> None:
    """Whoever draws a number for a column that isn't a key, the next one is free."""
    base = new_base()
    sequence = sa.Sequence("numbers", metadata=base.metadata)
    drawn: Any = sequence.next_value()
    type_: Any = sa.Integer
    if default == "text":
        type_, drawn = sa.String(20), sa.func.concat("INV-", drawn)
    options: dict[str, Any] = {"unique": True}
    if default != "client":
        options["server_default"] = drawn
    given = [sequence] if default in ("client", "both") else []
    model = thing(base, number=mapped_column(type_, *given, **options))
    numbers = [f"INV-{n}" for n in (1, 2, 12)] if default == "text" else [1, 2, 12]
    records = document("a", "b", "c")
    for record, number in zip(records["things"], numbers, strict=True):
        record["number"] = number
    with having_sequences.database(base.metadata) as engine:
        import_document(engine, records, catalog=catalog_of(model))
        assert next_number(engine, model) == ("INV-13" if default == "text" else 13)


@pytest.mark.parametrize("start", [100, -100])
def test_sequences_are_never_moved_back(having_sequences: Backend, start: int) -> None:
    """Of two tables and a sequence that runs down, the furthest number counts."""
    base = new_base()
    step = 1 if start > 0 else -1
    sequence = sa.Sequence(
        "numbers",
        start=start,
        increment=step,
        minvalue=-1000,
        maxvalue=1000,
        metadata=base.metadata,
    )

    def table(name: str) -> Any:
        return type(
            name.title(),
            (base,),
            {
                "__tablename__": name,
                "id": mapped_column(sa.Integer, primary_key=True),
                "slug": mapped_column(sa.String(20), unique=True, nullable=False),
                "number": mapped_column(sa.Integer, sequence, server_default=sequence.next_value()),
            },
        )

    first, second = table("first"), table("second")
    records = {
        "schema_versions": {"first": 1, "second": 1},
        "first": [{"slug": "a", "number": start + 7 * step}, {"slug": "b", "number": 5000 * step}],
        "second": [{"slug": "a", "number": start - 7 * step}, {"slug": "b", "number": None}],
    }
    with having_sequences.database(base.metadata) as engine:
        import_document(engine, records, catalog=catalog_of(first, second))
        assert next_number(engine, second) == start + 8 * step


def test_sequences_that_only_the_database_knows_follow(postgresql: Backend) -> None:
    """SERIAL and identity columns beside the key, and defaults that no model mentions."""
    model = thing(
        number=mapped_column(sa.Integer),
        serial=mapped_column(sa.Integer),
        identity=mapped_column(sa.Integer),
        named=mapped_column(sa.Integer),
    )
    with postgresql.database() as engine:
        with engine.begin() as connection:
            for sql in (
                'CREATE SEQUENCE "the Numbers"',
                "CREATE SEQUENCE named",
                "CREATE SEQUENCE ids",
                "CREATE TABLE things (id integer PRIMARY KEY DEFAULT nextval('ids'), "
                "slug varchar(20) UNIQUE NOT NULL, "
                "number integer DEFAULT nextval('\"the Numbers\"'), serial serial, "
                "identity integer GENERATED ALWAYS AS IDENTITY, "
                "named integer DEFAULT nextval('named'::text))",
            ):
                connection.exec_driver_sql(sql)
        held = {"number": 5, "serial": 6, "identity": 7, "named": 8}
        import_document(engine, document("a", **held), catalog=catalog_of(model))
        with engine.begin() as connection:
            found = connection.exec_driver_sql(
                "INSERT INTO things (slug) VALUES ('b') RETURNING id, number, serial, identity, named"
            ).one()
    assert tuple(found) == (2, 6, 7, 8, 9)


def test_counters_of_columns_follow(backend: Backend) -> None:
    """AUTO_INCREMENT and AUTOINCREMENT go on behind the highest number that was imported."""
    if backend.dialect == "postgresql":
        pytest.skip("has sequences")

    class Thing(new_base()):  # type: ignore[misc]
        __tablename__ = "things"
        __table_args__ = {"sqlite_autoincrement": True}
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        number = mapped_column(sa.Integer, nullable=False, unique=True, default=1)

    catalog = Catalog("counters")
    schema_for(Thing, catalog, natural_key="id")
    records = document("a", number=9)
    records["things"][0]["id"] = 70
    with backend.database(Thing.metadata) as engine:
        if backend.dialect == "mariadb":
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "ALTER TABLE things MODIFY id integer NOT NULL, "
                    "MODIFY number integer NOT NULL AUTO_INCREMENT"
                )
        import_document(engine, records, catalog=catalog)
        with engine.begin() as connection:
            if backend.dialect == "mariadb":
                connection.exec_driver_sql("INSERT INTO things (id, slug) VALUES (71, 'b')")
                assert connection.scalar(sa.select(Thing.number).where(Thing.slug == "b")) == 10
            else:
                connection.exec_driver_sql("DELETE FROM things")
                connection.exec_driver_sql("INSERT INTO things (slug, number) VALUES ('b', 1)")
                assert connection.scalar(sa.select(Thing.id)) == 71


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("counts", [True, False])
def test_autoincrement_is_what_the_real_table_has(
    sqlite_memory: Backend, says: bool, counts: bool
) -> None:
    """An id that went isn't given again, or is, by the database's table and not by its model."""
    model = thing(__table_args__={"sqlite_autoincrement": says})
    with sqlite_memory.database() as engine:
        having(
            engine,
            [
                f"CREATE TABLE Things (id INTEGER PRIMARY KEY {'AUTOINCREMENT' * counts}, "
                "slug TEXT NOT NULL UNIQUE)",
                "INSERT INTO things (id, slug) VALUES (50, 'gone')",
                "DELETE FROM things",
            ],
        )
        import_document(engine, document("a", "b"), catalog=catalog_of(model))
        with engine.connect() as connection:
            ids = connection.scalars(sa.select(model.id).order_by(model.slug)).all()
    assert ids == ([51, 52] if counts else [1, 2])


def backend_dialect(backend: Backend) -> Any:
    """Return SQLAlchemy's dialect of a backend."""
    with backend.database() as engine:
        return engine.dialect


# Triggers


def page(**columns: Any) -> Any:
    """Map pages that refer to the page above them."""

    class Page(new_base()):  # type: ignore[misc]
        __tablename__ = "pages"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        at = mapped_column(MOMENT, nullable=False)
        parent_id = mapped_column(sa.ForeignKey("pages.id"))
        parent = relationship("Page", remote_side=[id])
        locals().update(columns)

    return Page


THEN = "2001-02-03T04:05:06"


def pages(above: dict[str, str | None], **values: Any) -> dict[str, Any]:
    """Return a document of pages, in key order, each with the page above it."""
    return {
        "schema_versions": {"pages": 1},
        "pages": [
            {"slug": slug, "at": THEN, "parent": parent and {"slug": parent}, **values}
            for slug, parent in sorted(above.items())
        ],
    }


def tree(count: int) -> dict[str, str | None]:
    """Return a tree whose keys say nothing of how deep a page is."""
    slugs = [f"p{n * 7919 % 10_007:05}" for n in range(count)]
    return {slug: slugs[(n - 1) // 2] if n else None for n, slug in enumerate(slugs)}


#: A trigger that sets a page's time whenever it is updated.
TOUCH = {
    "sqlite": [
        "CREATE TRIGGER touch AFTER UPDATE ON pages BEGIN "
        "UPDATE pages SET at = '2025-01-01 00:00:00.000000' WHERE id = new.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN new.at = now(); RETURN new; END $$",
        "CREATE TRIGGER touch BEFORE UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION touch()",
    ],
    "mariadb": ["CREATE TRIGGER touch BEFORE UPDATE ON pages FOR EACH ROW SET new.at = now()"],
}


#: A trigger that drops the third of three pages and adds another.
_EXCHANGED = "INSERT INTO pages (id, slug, at) VALUES (99, 'new', '2001-01-01 00:00:00.000000')"
EXCHANGE = {
    "sqlite": [
        "CREATE TRIGGER other AFTER INSERT ON pages WHEN new.slug = 'c' BEGIN "
        f"DELETE FROM pages WHERE slug = 'c'; {_EXCHANGED}; END"
    ],
    "postgresql": [
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"DELETE FROM pages WHERE slug = 'c'; {_EXCHANGED}; RETURN NULL; END $$",
        "CREATE TRIGGER other AFTER INSERT ON pages FOR EACH ROW WHEN (new.slug = 'c') "
        "EXECUTE FUNCTION other()",
    ],
    "mariadb": [
        "CREATE TRIGGER other BEFORE INSERT ON pages FOR EACH ROW "
        "IF new.slug = 'c' THEN SET new.slug = 'new', new.id = 99; END IF"
    ],
}


def having(engine: sa.Engine, sql: list[str]) -> None:
    """Run statements that make triggers and what they need."""
    with engine.begin() as connection:
        for statement in sql:
            connection.exec_driver_sql(statement)


#: Triggers that count a page's children, and that write its slug in capitals.
COUNTING = {
    "sqlite": [
        "CREATE TRIGGER counting AFTER INSERT ON pages BEGIN "
        "UPDATE pages SET children = children + 1 WHERE id = new.parent_id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION counting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE pages SET children = children + 1 WHERE id = new.parent_id; RETURN NULL; END $$",
        "CREATE TRIGGER counting AFTER INSERT ON pages FOR EACH ROW EXECUTE FUNCTION counting()",
    ],
    "mariadb": [
        "CREATE TRIGGER counting BEFORE INSERT ON pages FOR EACH ROW "
        "SET new.children = new.children + 1"
    ],
}


@pytest.mark.parametrize("mode", ["told", "volatile", "error"])
def test_68_what_triggers_change_is_told(backend: Backend, mode: str) -> None:
    """Once per column, with the count and an example; a warning made an error rolls back."""
    model = page(children=mapped_column(sa.Integer, nullable=False))
    catalog = Catalog("counting")
    schema_for(model, catalog, volatile=("children",) if mode == "volatile" else ())
    records = pages({"a": None, "b": "a", "c": "a", "d": "b"}, children=7)
    changed = 4 if backend.dialect == "mariadb" else 2
    found = 9 if changed == 2 else 8
    with backend.database(model.metadata) as engine:
        having(engine, COUNTING[backend.dialect])
        if mode == "volatile":
            assert import_document(engine, records, catalog=catalog).altered == []
            return
        if mode == "error":
            with pytest.raises(AlteredWarning), warnings.catch_warnings():
                warnings.simplefilter("error")
                import_document(engine, records, catalog=catalog)
            with engine.connect() as connection:
                assert connection.scalar(sa.select(sa.func.count()).select_from(model)) == 0
            return
        with pytest.warns(AlteredWarning, match="name these fields in Meta.volatile"):
            report = import_document(engine, records, catalog=catalog)
    (alteration,) = report.altered
    assert alteration == Alteration("pages", "children", changed, {"slug": "a"}, 7, found)
    assert str(report).endswith(
        f"\n  ~ pages, children: {changed} records don't hold what was written; that of "
        f"{{'slug': 'a'}} was 7 and is {found}"
    )
    assert report.committed


def test_what_triggers_change_in_owned_rows_and_links_is_told(sqlite_memory: Backend) -> None:
    """An owned row's field by its path, a missing row or link by the list that lacks it."""
    world = zoo.recipes()
    with sqlite_memory.database() as source, sqlite_memory.database(world.metadata) as engine:
        world.filled(source)
        document = export_document(source, catalog=world.catalog)
        tables = list(world.metadata.tables)
        having(
            engine,
            [
                f"CREATE TRIGGER {name}_t AFTER INSERT ON {name} BEGIN SELECT 1; END"
                for name in tables
            ],
        )
        assert import_document(engine, document, catalog=world.catalog).altered == []


def test_trees_wait_where_triggers_could_fire(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With triggers, even rows whose parents come in later chunks need no update."""
    monkeypatch.setattr(importer, "CHUNK", 20)
    model = page()
    records = pages({**tree(150), "a": "b", "b": "a"})
    with backend.database(model.metadata) as engine:
        having(engine, TOUCH[backend.dialect])
        with pytest.warns(AlteredWarning, match="pages, at: 1 record doesn't hold"):
            report = import_document(engine, records, catalog=catalog_of(model))
        held = export_document(engine, catalog=catalog_of(model))["pages"]
    assert [item.key for item in report.altered] in ([{"slug": "a"}], [{"slug": "b"}])
    changed = [(was, now) for was, now in zip(records["pages"], held, strict=True) if was != now]
    assert len(changed) == 1


def test_reading_back_costs_as_much_for_each_chunk(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With triggers a chunk costs some statements more, without any an import one in all."""
    monkeypatch.setattr(importer, "CHUNK", 50)
    model = page()
    counts: dict[bool, list[int]] = {}
    for triggers in (False, True):
        for chunks in (6, 7, 8):
            records = pages(
                {f"p{n:04}": f"p{n // 2:04}" if n else None for n in range(50 * chunks)}
            )
            with backend.database(model.metadata) as engine:
                having(engine, TOUCH[backend.dialect] if triggers else [])
                with statements(engine) as seen:
                    import_document(engine, records, catalog=catalog_of(model))
            counts.setdefault(triggers, []).append(len(seen))
    plain, reading = counts[False], counts[True]
    assert plain[2] - plain[1] == plain[1] - plain[0]
    assert reading[2] - reading[1] == reading[1] - reading[0] <= plain[1] - plain[0] + 1


def test_changed_ids_are_no_alteration(postgresql: Backend) -> None:
    """A trigger that numbers rows by itself changes nothing that a record says."""
    model = thing(words=mapped_column(sa.String(20)))
    with postgresql.database(model.metadata) as engine:
        having(
            engine,
            [
                "CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN new.id = new.id + 100; new.words = upper(new.words); RETURN new; END $$",
                "CREATE TRIGGER number BEFORE INSERT ON things "
                "FOR EACH ROW EXECUTE FUNCTION number()",
            ],
        )
        with pytest.warns(AlteredWarning):
            report = import_document(
                engine, document("a", "b", words="x"), catalog=catalog_of(model)
            )
    assert report.altered == [Alteration("things", "words", 2, {"slug": "a"}, "x", "X")]


def test_rows_that_triggers_exchange_for_others_fail_the_import(backend: Backend) -> None:
    """One dropped and one added agree in number; what was written is missed all the same."""
    model = page()
    records = pages({"a": None, "b": "a", "c": None})
    with backend.database(model.metadata) as engine:
        having(engine, EXCHANGE[backend.dialect])
        with pytest.raises(TargetError, match="the record with slug 'c' was written and isn't"):
            import_document(engine, records, catalog=catalog_of(model))
        with engine.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(model)) == 0


@pytest.mark.parametrize("clause", ["ON CONFLICT REPLACE", "on\n conflict  replace"])
def test_defaults_that_replace_nulls_are_told(sqlite_memory: Backend, clause: str) -> None:
    """SQLite's clause of NOT NULL stores a default where a record says null."""
    model = thing(words=mapped_column(sa.String(20)))
    with sqlite_memory.database() as engine:
        having(
            engine,
            [
                "CREATE TABLE things (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, "
                f"words TEXT NOT NULL {clause} DEFAULT 'none')"
            ],
        )
        with pytest.warns(AlteredWarning, match="things, words"):
            report = import_document(
                engine, document("a", "b", words=None), catalog=catalog_of(model)
            )
    assert report.altered == [Alteration("things", "words", 2, {"slug": "a"}, None, "none")]


def test_users_who_may_not_be_told_of_triggers_are_read_back(mariadb: Backend) -> None:
    """Where the server may keep triggers from a user, what was written is compared anyway."""
    model = page(children=mapped_column(sa.Integer, nullable=False))
    with mariadb.database(model.metadata) as engine:
        name = engine.url.database
        for user, grants, told in (
            ("app", "SELECT, INSERT, UPDATE, DELETE", True),
            ("own", "ALL PRIVILEGES", False),
        ):
            having(
                engine,
                [
                    f"CREATE USER {user}_{name}@localhost",
                    f"GRANT {grants} ON {name}.* TO {user}_{name}@localhost",
                ],
            )
            other = sa.create_engine(engine.url.set(username=f"{user}_{name}"))
            with other.connect() as connection:
                database = database_for(connection)
                assert database.may_alter([model.__table__]) is told
            other.dispose()
            having(engine, [f"DROP USER {user}_{name}@localhost"])


# Generated columns


@pytest.mark.parametrize("is_key", [False, True])
def test_generated_columns_that_are_fetched_are_left_to_the_database(
    backend: Backend, is_key: bool
) -> None:
    """``FetchedValue`` says that the database makes values; a generated column takes none."""

    class Thing(new_base()):  # type: ignore[misc]
        __tablename__ = "things"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), unique=not is_key, nullable=False)
        slug = mapped_column(
            sa.String(20),
            sa.FetchedValue(),
            server_onupdate=sa.FetchedValue(),
            unique=is_key,
            nullable=not is_key,
        )

    catalog = catalog_of(Thing)
    with backend.database() as old, backend.database() as new:
        for engine in (old, new):
            having(
                engine,
                [
                    "CREATE TABLE things (id integer PRIMARY KEY "
                    f"{'GENERATED BY DEFAULT AS IDENTITY' if backend.dialect == 'postgresql' else ''}"
                    f"{'AUTO_INCREMENT' if backend.dialect == 'mariadb' else ''}, "
                    "name varchar(20) NOT NULL, "
                    "slug varchar(20) GENERATED ALWAYS AS (lower(name)) STORED)"
                ],
            )
        having(old, ["INSERT INTO things (name) VALUES ('Flour'), ('Rye')"])
        records = export_document(old, catalog=catalog)
        assert [record["slug"] for record in records["things"]] == ["flour", "rye"]
        assert import_document(new, records, catalog=catalog).inserted == 2
        assert export_document(new, catalog=catalog)["things"] == records["things"]
        again = import_document(new, records, catalog=catalog)
        assert (again.skipped, again.differing) == (2, 0)
