"""What databases do by themselves: defaults in SQL, sequences, triggers, generated columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    TargetError,
    export_document,
    import_document,
    importer,
)
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
def test_sequences_of_columns_follow(having_sequences: Backend, default: str) -> None:
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


def having(engine: sa.Engine, sql: list[str]) -> None:
    """Run statements that make triggers and what they need."""
    with engine.begin() as connection:
        for statement in sql:
            connection.exec_driver_sql(statement)


def test_a_tree_needs_no_update(backend: Backend) -> None:
    """Rows are inserted parents first, so a trigger on updates finds nothing to touch."""
    model = page()
    records = pages(tree(300))
    with backend.database(model.metadata) as engine:
        having(engine, TOUCH[backend.dialect])
        with statements(engine) as seen:
            import_document(engine, records, catalog=catalog_of(model))
        assert not [sql for sql in seen if sql.startswith("UPDATE")]
        assert export_document(engine, catalog=catalog_of(model))["pages"] == records["pages"]


def test_parents_of_earlier_chunks_and_of_circles_are_set(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What refers forward into a later chunk, or round in a circle, is updated; nothing else is."""
    monkeypatch.setattr(importer, "CHUNK", 50)
    above = {**tree(220), "a": "b", "b": "c", "c": "a", "d": "d", "e": "c"}
    records = pages(above)
    model = page()
    with backend.database(model.metadata) as engine:
        with statements(engine) as seen:
            import_document(engine, records, catalog=catalog_of(model))
        updates = [sql for sql in seen if sql.startswith("UPDATE")]
        assert 0 < len(updates) <= 5
        assert export_document(engine, catalog=catalog_of(model))["pages"] == records["pages"]
        again = import_document(engine, records, catalog=catalog_of(model))
        assert (again.skipped, again.differing) == (225, 0)


def test_what_hangs_from_a_bad_page_falls_with_it(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a page's parent was set, a page isn't kept where the one above it is refused."""
    monkeypatch.setattr(importer, "CHUNK", 3)
    above = {f"p{n}": f"p{n - 1}" if n else None for n in range(9)}
    records = pages(above)
    records["pages"][2]["at"] = "yesterday"
    records["pages"].append({"slug": "z", "at": THEN, "parent": {"slug": "p1"}})
    model = page()
    with backend.database(model.metadata) as engine:
        for mode in ("rollback", "continue"):
            try:
                report = import_document(engine, records, catalog=catalog_of(model), on_error=mode)
            except ImportFailed as error:
                report = error.report
            fallen = sorted(problem.key["slug"] for problem in report.problems)
            assert fallen == [f"p{n}" for n in range(2, 9)]
        assert (report.inserted, report.failed) == (3, 7)
