"""Ids that are data: kept, carried, compared, and refused where another record has them."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    Owned,
    export_all,
    export_document,
    import_all,
    import_document,
)
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.packing import packed
from support.rewriting import rewritten
from support.world import key, slug, text, to
from support.zoo import kept_ids, uuids


def goods(*, keep_ids: bool = True, may_lack_code: bool = True, **meta: Any) -> Any:
    """Make an application of goods with owned parts; return base, catalog and models."""
    base, catalog = new_base(), Catalog("goods", keep_ids=keep_ids)

    class Good(base):
        __tablename__ = "goods"
        id = key()
        slug = slug()
        code = mapped_column(sa.String(20), unique=True, nullable=may_lack_code)
        parts = relationship("Part")

    class Part(base):
        __tablename__ = "parts"
        id = mapped_column(sa.Uuid, primary_key=True, default=uuid.uuid4)
        good_id = to("goods.id")
        name = text(20)

    schema_for(Good, catalog, {"parts": Owned(schema_for(Part, catalog))}, **meta)
    return base, catalog, Good, Part


def ids_of(engine: sa.Engine, model: Any) -> dict[str, Any]:
    """Return the ids of goods by slug."""
    with Session(engine) as session:
        return {row.slug: row.id for row in session.scalars(sa.select(model))}


def bundle_of(made: Any, path: Path, **ids: int) -> Path:
    """Export goods with these ids, each with a part, from a database of their own."""
    base, catalog, good, part = made
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        for name, number in ids.items():
            parts = [part(id=uuid.UUID(int=number), name="part")]
            session.add(good(id=number, slug=name, code=f"code {number}", parts=parts))
    export_all(engine, path, catalog=catalog)
    return path


def target_of(made: Any, backend: Backend, **ids: int) -> sa.Engine:
    """Return a database with such goods in it."""
    base, _, good, part = made
    engine = backend.fresh()
    base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        for name, number in ids.items():
            parts = [part(id=uuid.UUID(int=number), name="part")]
            session.add(good(id=number, slug=name, code=f"code {number}", parts=parts))
    return engine


def problems(engine: sa.Engine, path: Path, catalog: Catalog) -> list[str]:
    """Import what can't be; return the problems, without their files."""
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, path, catalog=catalog)
    return [str(problem).partition(".json ")[2] for problem in caught.value.report.problems]


def test_kept_ids_stand_in_records_under_one_name(tmp_path: Path, sqlite_memory: Backend) -> None:
    """``id``, whatever the attribute is called, unless something else has that name."""
    path = packed(kept_ids(), tmp_path / "b")
    found = {
        file.stem[3:]: json.loads(file.read_text())["records"][0] for file in path.glob("0*.json")
    }
    assert list(found["projects"])[:2] == ["name", "id"]
    assert found["projects"]["id"] == 40
    assert list(found["tags"]) == ["name", "id", "pk"]
    assert "id" in found["actors"]
    assert "id" not in found["pins"]


@pytest.mark.parametrize(
    ("type_", "identity", "name"),
    [
        (sa.Integer, 7, "id"),
        (sa.String(9), "x7", "code"),
        (sa.Numeric(9, 2), Decimal("7.50"), "code"),
        (sa.Uuid, uuid.UUID(int=7), "code"),
    ],
    ids=["integer", "text", "decimal", "uuid"],
)
def test_only_integers_that_are_kept_are_called_id(
    sqlite_memory: Backend, type_: Any, identity: Any, name: str
) -> None:
    """A primary key of another type is a field under its own name, ids kept or not."""
    base, catalog = new_base(), Catalog("goods", keep_ids=True)
    columns = {"code": mapped_column(type_, primary_key=True), "slug": slug()}
    good = type("Good", (base,), {"__tablename__": "goods", **columns})
    schema_for(good, catalog)
    engine, target = sqlite_memory.fresh(), sqlite_memory.fresh()
    for side in (engine, target):
        base.metadata.create_all(side)
    with Session(engine) as session, session.begin():
        session.add(good(code=identity, slug="bread"))
    document = export_document(engine, catalog=catalog)
    assert list(document["goods"][0]) == ["slug", name]
    import_document(target, document, catalog=catalog)
    with Session(target) as session:
        assert session.scalars(sa.select(good.code)).all() == [identity]


def test_an_id_of_zero_is_kept(backend: Backend, tmp_path: Path) -> None:
    """A well-known row 0 stays that row, and fresh ids come after the highest."""
    made = goods()
    _, catalog, good, _ = made
    path = bundle_of(made, tmp_path / "b", default=0, last=70)
    engine = target_of(made, backend)
    import_all(engine, path, catalog=catalog)
    assert ids_of(engine, good) == {"default": 0, "last": 70}
    with Session(engine) as session, session.begin():
        session.add(good(slug="fresh"))
    assert ids_of(engine, good)["fresh"] == 71


def test_a_record_that_is_there_under_another_id_differs(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """It is matched by its natural key, skipped, and counted."""
    made = goods()
    engine = target_of(made, sqlite_memory, bread=5)
    report = import_all(engine, bundle_of(made, tmp_path / "b", bread=6), catalog=made[1])
    assert (report.skipped, report.differing) == (1, 1)
    assert ids_of(engine, made[2]) == {"bread": 5}


def test_an_id_that_another_record_has_is_a_problem_that_names_both(
    backend: Backend, tmp_path: Path
) -> None:
    """The driver would name an index, or nothing."""
    made = goods()
    engine = target_of(made, backend, bread=5, rye=6)
    path = bundle_of(made, tmp_path / "b", cake=5, pie=7, tart=6)

    def apart(name: str, records: list[Any]) -> list[Any]:
        return [{**record, "code": None, "parts": []} for record in records]

    assert problems(engine, rewritten(path, apart), made[1]) == [
        "record 1, id: id 5 already belongs to goods {'slug': 'bread'}, which has another natural "
        "key ('slug'). Correct one of them, or declare natural_key = 'id' if that is what "
        "identifies it, or leave ids out of the records; or, if the bundle lacks it, delete that "
        "record first, which mirrors do where they can.",
        "record 3, id: id 6 already belongs to goods {'slug': 'rye'}, which has another natural "
        "key ('slug'). Correct one of them, or declare natural_key = 'id' if that is what "
        "identifies it, or leave ids out of the records; or, if the bundle lacks it, delete that "
        "record first, which mirrors do where they can.",
    ]
    report = import_all(engine, path, catalog=made[1], on_error="continue")
    assert (report.inserted, report.failed) == (1, 2)
    assert ids_of(engine, made[2]) == {"bread": 5, "rye": 6, "pie": 7}


def test_two_records_with_one_id_name_each_other(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Of the same file as well."""
    made = goods()
    path = bundle_of(made, tmp_path / "b", cake=5, pie=7)

    def alike(name: str, records: list[Any]) -> list[Any]:
        return [{**record, "id": 9} for record in records]

    (problem,) = problems(target_of(made, sqlite_memory), rewritten(path, alike), made[1])
    assert problem.startswith("record 2, id: id 9 already belongs to record 1,")


@pytest.mark.parametrize("may_lack_code", [False, True])
def test_a_record_that_is_the_same_by_another_unique_set_is_told_so(
    backend: Backend, tmp_path: Path, may_lack_code: bool
) -> None:
    """With both keys, and the declaration that would match the two, unless a record may lack it."""
    made = goods(keep_ids=False, may_lack_code=may_lack_code)
    engine = target_of(made, backend, bread=5)
    path = bundle_of(made, tmp_path / "b", cake=5)
    also = (
        "" if may_lack_code else ", or declare natural_key = 'code' if that is what identifies it"
    )
    assert problems(engine, path, made[1]) == [
        "record 1, code: code 'code 5' already belongs to goods {'slug': 'bread'}, which has "
        f"another natural key ('slug'). Correct one of them{also}."
    ]


def test_names_that_records_with_ids_swap_are_told_by_both(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """Each is matched by its name, and the ids say otherwise; the error says what would help."""
    made = goods()
    engine = target_of(made, sqlite_memory, bread=5, rye=6)
    path = bundle_of(made, tmp_path / "b", bread=6, rye=5)
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, path, catalog=made[1], on_conflict="update")
    assert [problem.message for problem in caught.value.report.problems] == [
        f"id: the record with slug {slug!r} has {now} in the database and {new} here, and an update "
        "can't change a primary key. Correct it here, or delete the record there first; if id is "
        "what identifies it, and slug may change, declare natural_key = 'id'"
        for slug, now, new in (("bread", 5, 6), ("rye", 6, 5))
    ]


def test_the_id_of_an_owned_row_that_another_record_has_is_told(
    backend: Backend, tmp_path: Path
) -> None:
    """By its place in the record, and the record that holds the other row."""
    made = goods(keep_ids=False)
    engine = target_of(made, backend, bread=5)
    path = bundle_of(made, tmp_path / "b", cake=5, pie=8)

    def apart(name: str, records: list[Any]) -> list[Any]:
        return [{**record, "code": None} for record in records]

    assert problems(engine, rewritten(path, apart), made[1]) == [
        "record 1, parts.1.id: id '00000000-0000-0000-0000-000000000005' already belongs to a row "
        "of goods {'slug': 'bread'}. Correct one of them."
    ]


def test_a_plan_tells_of_owned_rows_of_two_records_with_one_id(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """No other natural key would help there, so none is proposed."""
    made = goods(keep_ids=False)
    path = bundle_of(made, tmp_path / "b", cake=5, pie=7)

    def alike(name: str, records: list[Any]) -> list[Any]:
        return [{**record, "parts": records[0]["parts"]} for record in records]

    engine = target_of(made, sqlite_memory)
    plan = import_all(engine, rewritten(path, alike), catalog=made[1], dry_run=True)
    assert [problem.message for problem in plan.problems] == [
        "id '00000000-0000-0000-0000-000000000005' already belongs to a row of record 1. Correct "
        "one of them"
    ]


def test_uuid_primary_keys_come_back_as_they_were(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Of owned rows as well, and what refers to them without a foreign key still finds them."""
    world = uuids()
    source = world.filled(sqlite_memory.fresh())
    export_all(source, tmp_path / "b", catalog=world.catalog)
    target = sqlite_memory.fresh()
    world.metadata.create_all(target)
    import_all(target, tmp_path / "b", catalog=world.catalog)
    for stored in world.metadata.sorted_tables:
        with source.connect() as one, target.connect() as other:
            statement = sa.select(*stored.columns).order_by(*stored.primary_key.columns)
            assert one.execute(statement).all() == other.execute(statement).all()


def test_ids_for_people_who_debug_are_in_their_written_form(backend: Backend) -> None:
    """A UUID is one on every engine, whatever the driver gives."""
    world = uuids()
    with backend.database() as engine:
        document = export_document(world.filled(engine), catalog=world.catalog, include_ids=True)
    authors = {record["slug"]: record["id"] for record in document["authors"]}
    assert all(str(uuid.UUID(found)) == found for found in authors.values())
    for book in document["books"]:
        assert book["author_id"] == authors[book["author"]["slug"]]


def test_ids_are_taken_only_where_they_were_asked_for(sqlite_memory: Backend) -> None:
    """Who corrects an id by hand is told, not ignored; exported ids are left aside."""
    base = new_base()
    model = table(base, "things")
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


def test_ids_for_people_who_debug_have_a_name_each(sqlite_memory: Backend) -> None:
    """A record's own id may have the name of the column that a reference holds."""
    base = new_base()
    shelf = table(base, "shelves")
    box = table(
        base,
        "boxes",
        id=None,
        box_id=mapped_column(sa.Integer, primary_key=True),
        in_id=mapped_column(sa.ForeignKey("shelves.id"), nullable=False),
        box=relationship(shelf),
    )
    catalog = catalog_of(shelf, box)
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(shelf), [{"id": 3, "slug": "s"}])
            connection.execute(sa.insert(box), [{"box_id": 7, "slug": "b", "in_id": 3}])
        document = export_document(engine, catalog=catalog, include_ids=True)
        assert document["boxes"] == [{"slug": "b", "box": {"slug": "s"}, "box_id": 7}]
        assert import_document(engine, document, catalog=catalog).differing == 0


def test_an_id_whose_name_json_would_escape_is_left_out(sqlite_memory: Backend) -> None:
    """No field may have such a name, and for people who debug none is made up."""
    base = new_base()
    model = table(base, "things", id=mapped_column("back\\slash", sa.Integer, primary_key=True))
    catalog = catalog_of(model)
    with sqlite_memory.database(base.metadata) as engine:
        import_document(engine, {"things": [{"slug": "a"}]}, catalog=catalog)
        document = export_document(engine, catalog=catalog, include_ids=True)
    assert document["things"] == [{"slug": "a"}]
