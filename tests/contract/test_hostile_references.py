"""References that an import must refuse, by the numbers of the hostile list."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, ImportFailed, export_document, import_document
from support.backends import Backend
from support.declaring import new_base, schema_for

ENGINES = ["sqlite_memory", "postgresql", "mariadb"]


def shelves() -> tuple[Any, Any, Catalog]:
    """Return rooms, shelves in them (key: room and number), and books on them."""
    base = new_base()

    class Room(base):
        __tablename__ = "rooms"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    class Shelf(base):
        __tablename__ = "shelves"
        id = mapped_column(sa.Integer, primary_key=True)
        number = mapped_column(sa.Integer, nullable=False)
        room_id = mapped_column(sa.ForeignKey("rooms.id"), nullable=False)
        room = relationship(Room)
        below_id = mapped_column(sa.ForeignKey("shelves.id"))
        below = relationship("Shelf", remote_side=[id])
        __table_args__ = (sa.UniqueConstraint("room_id", "number"),)

    catalog = Catalog("test")
    schema_for(Room, catalog)
    schema_for(Shelf, catalog, natural_key=("room", "number"))
    return Room, Shelf, catalog


HALL = {"slug": "hall"}


def shelf(number: Any = 1, room: Any = HALL, **more: Any) -> dict[str, Any]:
    """Return a record of a shelf."""
    return {"room": room, "number": number, "below": None, **more}


def document(*records: dict[str, Any], rooms: Any = (HALL,)) -> dict[str, Any]:
    """Return a document of rooms and shelves."""
    return {
        "schema_versions": {"rooms": 1, "shelves": 1},
        "rooms": list(rooms),
        "shelves": list(records),
    }


FIRST = {"room": HALL, "number": 1}
CASES: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "51-dangling": ([shelf(room={"slug": "hill"})], "room", "closest is 'hall'"),
    "51-dangling-self": (
        [shelf(below={"room": HALL, "number": 9})],
        "below",
        "shelves: no record has",
    ),
    "52-twins": ([shelf(), shelf()], "", "it must be unique"),
    "54-null-part": ([shelf(None)], "number", "null"),
    "54-null-reference": ([shelf(room=None)], "room", "null"),
    "55-circle-of-rows": (
        [
            shelf(1, below={"room": HALL, "number": 2}),
            shelf(2, below={"room": HALL, "number": 1}),
            shelf(3, below={"room": HALL, "number": 4}),
        ],
        "below",
        "shelves: no record has",
    ),
    "57-incomplete": ([shelf(below={"room": HALL})], "below", "Missing data"),
    "57-extra": ([shelf(below=FIRST | {"colour": "red"})], "below", "Unknown field"),
    "57-not-nested": ([shelf(room="hall")], "room", "expected an object with slug"),
    "57-a-list": ([shelf(room=[HALL])], "room", "slug"),
    "57-wrong-type": ([shelf(below={"room": HALL, "number": "1"})], "below", "integer"),
    "57-key-of-wrong-type": ([shelf(room={"slug": 7})], "room", "string"),
}


WAYS: dict[str, dict[str, Any]] = {
    "skip": {},
    "update": {"on_conflict": "update"},
    "mirror": {"on_conflict": "mirror"},
    "dry run": {"on_conflict": "mirror", "dry_run": True},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_a_bad_reference_is_located(case: str, way: str, sqlite_memory: Backend) -> None:
    """By record and field; nothing is written, whatever happens to records that are there."""
    _, model, catalog = shelves()
    records, field, said = CASES[case]
    with sqlite_memory.database(model.metadata) as engine:
        import_document(engine, document(shelf(5), shelf(6)), catalog=catalog)
        before = _records(engine, catalog)
        bad = document(*records, shelf(5, below=FIRST | {"number": 5}))
        if way == "dry run":
            plan = import_document(engine, bad, catalog=catalog, **WAYS[way])
            problem = plan.problems[0]
            assert plan.total.failed > 0
        else:
            with pytest.raises(ImportFailed) as caught:
                import_document(engine, bad, catalog=catalog, **WAYS[way])
            problem = caught.value.report.problems[0]
        assert problem.file == "shelves"
        assert (problem.field or "").startswith(field)
        assert said.lower() in str(problem).lower()
        assert _records(engine, catalog) == before


def _records(engine: sa.Engine, catalog: Catalog) -> list[Any]:
    exported = export_document(engine, catalog=catalog)
    return [exported["rooms"], exported["shelves"]]


def test_53_keys_that_the_target_s_collation_takes_for_one_are_a_problem(mariadb: Backend) -> None:
    """Distinct in the file, and one to the target's unique index."""
    room, _, catalog = shelves()
    with mariadb.database() as engine:
        room.__table__.c.slug.type = sa.String(20, collation="utf8mb4_general_ci")
        room.metadata.create_all(engine)
        rooms = [{"slug": "hall"}, {"slug": "HALL"}]
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, document(rooms=rooms), catalog=catalog)
        assert [problem.record for problem in caught.value.report.problems] == [2]


@pytest.mark.parametrize("name", ["sqlite_memory", "mariadb"])
def test_a_key_that_a_collation_takes_for_another_is_told_with_it(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Who reads of an equal key that isn't equal needs to see both; references are told the near."""
    backend: Backend = request.getfixturevalue(name)
    room, _, catalog = shelves()
    collation = "NOCASE" if name == "sqlite_memory" else "utf8mb4_general_ci"
    room.__table__.c.slug.type = sa.String(20, collation=collation)
    with backend.database(room.metadata) as engine:
        import_document(engine, document(rooms=[{"slug": "HALL"}]), catalog=catalog)
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, document(rooms=[{"slug": "hall"}]), catalog=catalog)
        (problem,) = caught.value.report.problems
        assert problem.field == "slug"
        assert problem.message == (
            "the database's collation takes slug 'hall' for slug 'HALL', which is there already. "
            "Correct one of the two, or give the column a collation that tells them apart"
        )
        with pytest.raises(
            ImportFailed, match="rooms: no record has slug 'hall'; closest is 'HALL'"
        ):
            import_document(engine, document(shelf(), rooms=()), catalog=catalog)


@pytest.mark.parametrize("name", ENGINES)
def test_56_a_parent_that_only_the_target_has_is_found(
    name: str, request: pytest.FixtureRequest
) -> None:
    """A bundle may refer to what is there already."""
    backend: Backend = request.getfixturevalue(name)
    _, model, catalog = shelves()
    with backend.database(model.metadata) as engine:
        import_document(engine, document(), catalog=catalog)
        report = import_document(engine, document(shelf(), rooms=()), catalog=catalog)
        assert report.inserted == 1
