"""Columns that records leave out or that databases compute: what fills them, and what fails."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column

from lading import (
    Catalog,
    ImportFailed,
    TargetError,
    export_document,
    import_document,
)
from support.backends import Backend
from support.columns import MOMENT
from support.declaring import catalog_of, new_base, schema_for, table, things
from support.raw import raw_values
from support.statements import run_sql, statements

#: SQL that makes another text for each row.
RANDOM = {
    "sqlite": sa.func.hex(sa.func.randomblob(8)),
    "postgresql": sa.func.md5(sa.cast(sa.func.random(), sa.Text)),
    "mariadb": sa.text("uuid()"),
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


def test_left_out_columns_get_what_an_expression_gives(backend: Backend) -> None:
    """The database evaluates a default in SQL, for each row, as it would for the application."""
    expression = RANDOM[backend.dialect]
    model = table(
        new_base(),
        "things",
        token=mapped_column(sa.String(40), default=expression, nullable=False),
        selected=mapped_column(sa.String(40), default=sa.select(expression).scalar_subquery()),
        number=mapped_column(sa.Integer, default=sa.literal(40) + 2),
        at=mapped_column(MOMENT, default=sa.func.now()),
        day=mapped_column(sa.Date, default=sa.func.current_date()),
        percent=mapped_column(sa.String(5), default=sa.literal("5 %")),
    )
    names = ("token", "selected", "number", "at", "day", "percent")
    with backend.database() as engine:
        rows = loaded(engine, model, things(*(f"s{n:04}" for n in range(700))), *names)
    assert len({row.token for row in rows}) == len({row.selected for row in rows}) == 700
    assert {(row.number, row.percent) for row in rows} == {(42, "5 %")}
    assert all(isinstance(row.at, dt.datetime) and isinstance(row.day, dt.date) for row in rows)


def test_expressions_cost_one_statement_a_chunk(backend: Backend) -> None:
    """However many rows and columns there are, a chunk's defaults are asked for at once."""
    model = table(
        new_base(),
        "things",
        token=mapped_column(sa.String(40), default=RANDOM[backend.dialect]),
        at=mapped_column(MOMENT, default=sa.func.now()),
    )
    counts = []
    for rows in (20, 1_500):
        with backend.database(model.metadata) as engine, statements(engine) as seen:
            loaded(engine, model, things(*(f"s{n:04}" for n in range(rows))), "token", "at")
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("form", ["expression", "select"])
def test_keys_made_by_an_expression_are_imported(backend: Backend, form: str) -> None:
    """A primary key whose default is SQL is no text of that SQL after an import."""
    default = RANDOM[backend.dialect]
    if form == "select":
        default = sa.select(default).scalar_subquery()
    id_ = mapped_column(sa.String(40), primary_key=True, default=default)
    Thing = table(new_base(), "things", id=id_)
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
    highest = sa.func.max(sa.table("things", sa.column("id")).c.id)
    default = sa.select(sa.func.coalesce(highest, 0) + 10).scalar_subquery()
    id_ = mapped_column(sa.Integer, primary_key=True, autoincrement=False, default=default)
    base = new_base()
    Thing = table(base, "things", id=id_)
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
    highest = sa.func.max(sa.table("things", sa.column("place")).c.place)
    counted = sa.select(sa.func.coalesce(highest, 0) + 1).scalar_subquery()
    model = table(new_base(), "things", place=mapped_column(sa.Integer, default=counted))
    message = (
        r"things, place: the model's default of things.place, which records don't carry, is "
        "computed from other rows of its table, which a bulk load inserts at once. Carry the column"
    )
    with backend.database() as engine, pytest.raises(TargetError, match=message):
        loaded(engine, model, things("a"), "place")


def test_an_expression_that_fails_names_its_column(backend: Backend) -> None:
    """What the server says of a default comes with the entity and the column."""
    model = table(
        new_base(), "things", token=mapped_column(sa.String(40), default=sa.func.no_such_function())
    )
    with backend.database() as engine, pytest.raises(TargetError) as caught:
        loaded(engine, model, things("a"), "token")
    assert (caught.value.entity, caught.value.field) == ("things", "token")
    assert "the model's default of things.token, an SQL expression, fails" in str(caught.value)


def test_a_default_that_asks_for_the_row_is_refused(sqlite_memory: Backend) -> None:
    """A bulk load has no context of SQLAlchemy's, and a default may hide that it misses one."""

    def shouted(context: Any) -> Any:
        return getattr(context, "current_parameters", {}).get("slug", "?").upper()

    model = table(new_base(), "things", loud=mapped_column(sa.String(20), default=shouted))
    with sqlite_memory.database() as engine, pytest.raises(TargetError) as caught:
        loaded(engine, model, things("a"), "loud")
    assert str(caught.value) == (
        "things, loud: the model's default of things.loud, which records don't carry, asks "
        "SQLAlchemy's context for current_parameters, and a bulk load has none. Carry the column, "
        "or give it a default that needs no context."
    )


@pytest.mark.parametrize("is_key", [False, True])
def test_generated_columns_that_are_fetched_are_left_to_the_database(
    backend: Backend, is_key: bool
) -> None:
    """``FetchedValue`` says that the database makes values; a generated column takes none."""
    Thing = table(
        new_base(),
        "things",
        name=mapped_column(sa.String(20), unique=not is_key, nullable=False),
        slug=mapped_column(
            sa.String(20),
            sa.FetchedValue(),
            server_onupdate=sa.FetchedValue(),
            unique=is_key,
            nullable=not is_key,
        ),
    )
    catalog = catalog_of(Thing)
    with backend.database() as old, backend.database() as new:
        for engine in (old, new):
            run_sql(
                engine,
                "CREATE TABLE things (id integer PRIMARY KEY "
                f"{'GENERATED BY DEFAULT AS IDENTITY' if backend.dialect == 'postgresql' else ''}"
                f"{'AUTO_INCREMENT' if backend.dialect == 'mariadb' else ''}, "
                "name varchar(20) NOT NULL, "
                "slug varchar(20) GENERATED ALWAYS AS (lower(name)) STORED)",
            )
        run_sql(old, "INSERT INTO things (name) VALUES ('Flour'), ('Rye')")
        records = export_document(old, catalog=catalog)
        assert [record["slug"] for record in records["things"]] == ["flour", "rye"]
        assert import_document(new, records, catalog=catalog).inserted == 2
        assert export_document(new, catalog=catalog)["things"] == records["things"]
        again = import_document(new, records, catalog=catalog)
        assert (again.skipped, again.differing) == (2, 0)


def test_a_model_s_default_that_fails_is_refused_with_its_column(sqlite_memory: Backend) -> None:
    """What the application's own code raises says where and what to do."""
    code = mapped_column(sa.Uuid(as_uuid=False), default=uuid4)  # no text, as the type wants it
    model = table(new_base(), "things", code=code)
    text = "the model's default of things.code, which records don't carry, fails"
    with sqlite_memory.database() as engine:
        with pytest.raises(TargetError, match=text) as caught:
            loaded(engine, model, things("a"), "code")
        assert not any(raw_values(engine, model.metadata).values())
    assert (caught.value.entity, caught.value.field) == ("things", "code")


def test_a_column_left_out_that_the_database_insists_on_is_each_record_s_problem(
    backend: Backend,
) -> None:
    """What the database says of a row has a place, whichever way it says so."""
    model = table(new_base(), "things", code=mapped_column(sa.Integer, nullable=False))
    with backend.database() as engine, pytest.raises(ImportFailed) as caught:
        loaded(engine, model, things("a", "b"), "code")
    problems = caught.value.report.problems
    assert [(problem.record, problem.key) for problem in problems] == [
        (1, {"slug": "a"}),
        (2, {"slug": "b"}),
    ]
    assert all("the database refused it: " in problem.message for problem in problems)
