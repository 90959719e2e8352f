"""What people who set out to break lading found: each stays mended."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    LeftOutWarning,
    Owned,
    Ref,
    TargetError,
    export_all,
    export_document,
    import_document,
)
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for
from support.world import key, slug, to


def thing(base: Any, table: str = "things", **columns: Any) -> Any:
    """Map a table with a slug and some columns."""
    attributes = {
        "__tablename__": table,
        "id": mapped_column(sa.Integer, primary_key=True),
        "slug": mapped_column(sa.String(50), unique=True, nullable=False),
        **columns,
    }
    return type(base)(table.title().replace("_", ""), (base,), attributes)


def moved(backend: Backend, base: Any, catalog: Catalog, *rows: Any) -> tuple[Any, Any]:
    """Return the documents of a filled database and of one that was restored from it."""
    with (
        backend.database(base.metadata) as old,
        backend.database(base.metadata) as new,
    ):
        with Session(old) as session, session.begin():
            session.add_all(rows)
        first = export_document(old, catalog=catalog)
        import_document(new, first, catalog=catalog)
        second = export_document(new, catalog=catalog)
    for document in (first, second):
        document.pop("exported_at")
    return first, second


def test_tables_may_be_named_like_aliases(backend: Backend) -> None:
    """What statements name by themselves never meets an application's names."""
    base = new_base()
    first = thing(base, "t1")
    second = thing(base, "t2", t1_id=mapped_column(sa.ForeignKey("t1.id"), nullable=False))
    catalog = catalog_of(first, second)
    rows = first(id=1, slug="c0"), second(slug="c1", t1_id=1)
    before, after = moved(backend, base, catalog, *rows)
    assert before == after
    assert before["t2"] == [{"slug": "c1", "t1": {"slug": "c0"}}]


def test_single_precision_floats_come_back(backend: Backend) -> None:
    """A four-byte float's shortest text is what it gives back."""
    base = new_base()
    model = thing(base, a=mapped_column(sa.REAL))
    catalog = catalog_of(model)
    rows = [model(slug=str(n), a=value) for n, value in enumerate((0.1, 1 / 4, 3.4e38, -7.5e-9))]
    before, after = moved(backend, base, catalog, *rows)
    assert before == after
    assert [record["a"] for record in before["things"]] == [0.1, 0.25, 3.4e38, -7.5e-9]


@pytest.mark.parametrize("value", [1e22, 1e300, 1e17, 5, 0.1, "1e5", [1e20], {"a": -0.0}])
def test_a_backup_takes_back_its_own_json(value: Any, backend: Backend) -> None:
    """SQLite keeps a lone JSON number as a number; what it kept, it can have again."""
    base = new_base()
    model = thing(base, data=mapped_column(sa.JSON))
    catalog = catalog_of(model)
    before, after = moved(backend, base, catalog, model(slug="a", data=value))
    assert before == after


def tagged(base: Any) -> tuple[Any, Any]:
    """Map posts and tags with a link table that has no key of its own."""
    sa.Table(
        "links",
        base.metadata,
        sa.Column("post_id", sa.ForeignKey("posts.id")),
        sa.Column("tag_id", sa.ForeignKey("tags.id")),
    )
    tag = thing(base, "tags", posts=relationship("Posts", secondary="links"))
    return tag, thing(base, "posts")


def test_links_that_a_partial_export_cuts_are_named(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Links carried by an entity that isn't written are no silent loss."""
    base = new_base()
    tag, post = tagged(base)
    catalog = catalog_of(tag, post)
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add(tag(slug="t", posts=[post(slug="p")]))
        with pytest.warns(LeftOutWarning, match="carries no links"):
            manifest = export_all(engine, tmp_path / "out", catalog=catalog, only=["posts"])
    assert manifest.left_out == {"links": None}


def test_a_link_twice_is_refused_at_export(sqlite_memory: Backend) -> None:
    """No import could take it, so no bundle may hold it."""
    base = new_base()
    tag, post = tagged(base)
    catalog = catalog_of(tag, post)
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add_all([tag(id=1, slug="t"), post(id=1, slug="p")])
            session.flush()
            for _ in range(2):
                session.execute(sa.text("INSERT INTO links VALUES (1, 1)"))
        with pytest.raises(TargetError, match="links holds a link twice"):
            export_document(engine, catalog=catalog)


def test_a_key_that_several_rows_share_cannot_be_referred_to(sqlite_memory: Backend) -> None:
    """``by`` and owned rows' keys may not be unique; an export finds out, not a restore."""
    base, catalog = new_base(), Catalog("test")
    person = thing(base, "people", name=mapped_column(sa.String(20)))
    book = thing(base, "books", owner_id=mapped_column(sa.ForeignKey("people.id"), nullable=False))
    schema_for(person, catalog)
    schema_for(book, catalog, {"owner": Ref(by="name")})
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add_all([person(id=n, slug=str(n), name="Ann") for n in (1, 2)])
            session.add(person(id=3, slug="3", name="Bob"))
            session.flush()
            session.add(book(slug="b", owner_id=3))
        assert export_document(engine, catalog=catalog)["books"][0]["owner"] == {"name": "Bob"}
        with Session(engine) as session, session.begin():
            session.add(book(slug="c", owner_id=1))
        with pytest.raises(TargetError, match="several people have name 'Ann'"):
            export_document(engine, catalog=catalog)


def test_a_condition_on_another_table_is_refused(sqlite_memory: Backend) -> None:
    """It would multiply rows where the user meant to filter them."""
    base = new_base()
    tag, post = tagged(base)
    catalog = catalog_of(tag, post)
    with sqlite_memory.database(base.metadata) as engine:
        with pytest.raises(TargetError, match="draws in tags, which would multiply rows"):
            export_document(engine, catalog=catalog, where={"posts": tag.slug == "t"})
        with pytest.raises(TargetError, match="draws in an alias of posts, which would"):
            export_document(engine, catalog=catalog, where={"posts": aliased(post).slug == "p"})
        condition = sa.exists().where(tag.slug == "t")
        assert export_document(engine, catalog=catalog, where={"posts": condition})["posts"] == []


def test_ids_are_taken_only_where_they_were_asked_for(sqlite_memory: Backend) -> None:
    """Who corrects an id by hand is told, not ignored; exported ids are left aside."""
    base = new_base()
    model = thing(base)
    catalog = catalog_of(model)
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add(model(id=7, slug="a"))
        plain = export_document(engine, catalog=catalog)
        debug = export_document(engine, catalog=catalog, include_ids=True)
        assert debug["things"] == [{"slug": "a", "id": 7}]
        assert import_document(engine, debug, catalog=catalog).skipped == 1
        plain["things"][0]["id"] = 8
        with pytest.raises(ImportFailed, match="things record 1, id: Unknown field"):
            import_document(engine, plain, catalog=catalog)


def test_a_failed_commit_leaves_nothing_for_the_next_one(tmp_path: Path) -> None:
    """SQLite stays in its transaction when a commit finds the file locked."""
    base = new_base()
    model = thing(base)
    catalog = catalog_of(model)
    path = tmp_path / "locked.db"
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.1})
    base.metadata.create_all(engine)
    document = {"things": [{"slug": "a"}]}
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM things").fetchall()
    with pytest.raises(TargetError, match="locked"):
        import_document(engine, document, catalog=catalog)
    reader.execute("ROLLBACK")
    reader.close()
    with Session(engine) as session, session.begin():
        session.add(model(slug="innocent"))
    with Session(engine) as session:
        assert session.scalars(sa.select(model.slug)).all() == ["innocent"]
    engine.dispose()


def test_constraints_that_wait_for_the_commit_name_their_records(postgresql: Backend) -> None:
    """They are checked while the record is known, and wait again for a caller's commit."""
    base = new_base()
    model = thing(base, code=mapped_column(sa.Integer))
    model.__table__.append_constraint(
        sa.UniqueConstraint("code", name="uq_code", deferrable=True, initially="DEFERRED")
    )
    catalog = Catalog("test")
    schema_for(model, catalog, natural_key="slug")
    document = {"things": [{"slug": "a", "code": 1}, {"slug": "b", "code": 1}]}
    with postgresql.database(base.metadata) as engine:
        report = import_document(engine, document, catalog=catalog, on_error="continue")
        assert (report.inserted, report.failed) == (1, 1)
        assert report.errors[0].startswith(
            "things record 2, code: its code 1 is that of record 1 already, "
        )
        with Session(engine) as session:
            import_document(session, {"things": [{"slug": "c", "code": 2}]}, catalog=catalog)
            session.add(model(slug="d", code=2))
            session.flush()  # still waiting, as the model says
            session.rollback()


@pytest.mark.parametrize("as_uuid", [True, False])
def test_uuids_kept_as_text_come_back(backend: Backend, as_uuid: bool) -> None:
    """``native_uuid=False`` means 32 digits on PostgreSQL as well, for Python values of any type."""
    base = new_base()
    model = thing(base, code=mapped_column(sa.Uuid(as_uuid=as_uuid, native_uuid=False)))
    value = uuid.UUID(int=5) if as_uuid else str(uuid.UUID(int=5))
    before, after = moved(backend, base, catalog_of(model), model(slug="a", code=value))
    assert before["things"] == [{"slug": "a", "code": str(value)}]
    assert before == after


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("extra_float_digits", "0"),
        ("standard_conforming_strings", "off"),
        ("DateStyle", "'German'"),
    ],
)
def test_settings_that_change_values_are_refused(
    setting: str, value: str, postgresql: Backend
) -> None:
    """Floats would be rounded, bytes and dates misread."""
    base = new_base()
    catalog = catalog_of(thing(base))
    with postgresql.database(base.metadata) as engine, Session(engine) as session:
        session.execute(sa.text(f"SET LOCAL {setting} = {value}"))
        with pytest.raises(TargetError, match=f"PostgreSQL's {setting} is"):
            export_document(session, catalog=catalog)


def test_what_others_write_meanwhile_tears_no_export(postgresql: Backend, tmp_path: Path) -> None:
    """READ COMMITTED sees their work statement by statement, so such an export is refused."""
    base = new_base()
    model = thing(base)
    catalog = catalog_of(model)
    with postgresql.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add(model(slug="a"))

        def write(_progress: Any) -> None:
            with Session(engine) as other, other.begin():
                other.add(model(slug="b"))

        def write_c() -> None:
            with Session(engine) as other, other.begin():
                other.add(model(slug="c"))

        with Session(engine) as session, pytest.raises(TargetError, match="others wrote while"):
            export_all(session, tmp_path / "torn", catalog=catalog, progress=write)
        assert list(tmp_path.iterdir()) == []
        export_all(engine, tmp_path / "whole", catalog=catalog, progress=lambda _: write_c())
        with Session(engine) as session:
            manifest = export_all(session, tmp_path / "quiet", catalog=catalog)
    assert manifest.snapshot == (
        "read committed, in the caller's transaction (nobody else wrote meanwhile)"
    )


def test_another_spelling_is_no_difference(backend: Backend) -> None:
    """Skipped records differ by their values, not by how a person wrote them."""
    base, catalog = new_base(), Catalog("test")
    line = thing(
        base,
        "lines",
        order_id=mapped_column(sa.ForeignKey("orders.id"), nullable=False),
        price=mapped_column(sa.Numeric(8, 2)),
    )
    order = thing(base, "orders", lines=relationship("Lines"))
    schema_for(order, catalog, {"lines": Owned(schema_for(line, catalog))})
    written = [{"slug": "b", "price": "0.5"}, {"slug": "a", "price": "1.00"}]
    with backend.database(base.metadata) as engine:
        document = {"orders": [{"slug": "o", "lines": written}]}
        import_document(engine, document, catalog=catalog)
        again = import_document(engine, document, catalog=catalog)
        assert (again.skipped, again.differing) == (1, 0)
        written[0]["price"] = "0.51"
        assert import_document(engine, document, catalog=catalog).differing == 1


def test_rows_that_a_policy_hides_are_not_forgotten(postgresql: Backend, tmp_path: Path) -> None:
    """An export that sees a part of a table would pass for the whole."""
    base = new_base()
    model = thing(base)
    catalog = catalog_of(model)
    with postgresql.database(base.metadata) as engine:
        with engine.begin() as connection:
            for sql in (
                "CREATE ROLE lading_reader",
                "GRANT ALL ON things TO lading_reader",
                "ALTER TABLE things ENABLE ROW LEVEL SECURITY",
            ):
                connection.exec_driver_sql(sql)
        try:
            with Session(engine) as session:
                session.execute(sa.text("SET LOCAL ROLE lading_reader"))
                with pytest.raises(TargetError, match="row-level security is active on things"):
                    export_all(session, tmp_path / "out", catalog=catalog)
            assert export_all(engine, tmp_path / "out", catalog=catalog)["things"].bytes > 0
        finally:
            with engine.begin() as connection:
                connection.exec_driver_sql("DROP OWNED BY lading_reader; DROP ROLE lading_reader")


def test_an_interval_is_no_finer_than_its_column(backend: Backend) -> None:
    """MariaDB keeps a generic interval as a moment without a fraction, and would cut it."""
    base = new_base()

    class Span(base):  # type: ignore[misc, valid-type]
        __tablename__ = "spans"
        id = key()
        slug = slug()
        length = sa.orm.mapped_column(sa.Interval, nullable=False)

    catalog = catalog_of(Span)
    with backend.database(base.metadata) as engine:
        span = {"slug": "a", "length": "PT0.900000S"}
        try:
            import_document(engine, {"spans": [span]}, catalog=catalog)
        except ImportFailed as error:
            (problem,) = error.report.problems
            assert (backend.dialect, problem.field) == ("mariadb", "length")
            assert "digits of a second" in problem.message
            span = {"slug": "a", "length": "-PT3S"}
            import_document(engine, {"spans": [span]}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["spans"] == [span]


@pytest.mark.parametrize("where", ["reference", "links", "owned"])
def test_validators_of_references_and_lists_count(sqlite_memory: Backend, where: str) -> None:
    """What ``load`` refuses, an import refuses, whatever kind of field says so."""
    base = new_base()
    tied = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("other_id", sa.ForeignKey("others.id"), primary_key=True),
    )

    class Other(base):  # type: ignore[misc, valid-type]
        __tablename__ = "others"
        id = key()
        slug = slug()

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = key()
        item_id = to("items.id")
        slug = slug()

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = key()
        slug = slug()
        reference_id = to("others.id")
        reference = relationship(Other)
        links = relationship(Other, secondary=tied)
        owned = relationship(Part)

    def never(_value: Any) -> None:
        raise ma.ValidationError("never")

    catalog = Catalog("test")
    schema_for(Other, catalog)
    part = schema_for(Part, catalog)
    made = {"reference": Ref(), "links": Ref(), "owned": Owned(part)}
    made[where].validators = [never]
    schema_for(Item, catalog, made)
    item = {"slug": "i", "reference": {"slug": "o"}, "links": [], "owned": []}
    document = {"others": [{"slug": "o"}], "items": [item]}
    with sqlite_memory.database(base.metadata) as engine:
        with pytest.raises(ImportFailed, match=f"items record 1, {where}: never"):
            import_document(engine, document, catalog=catalog)
