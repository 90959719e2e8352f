"""Updates and mirrors of shapes that are easily got wrong, each held to what its mode means."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import relationship

from lading import Catalog, ImportFailed, Owned, Ref, diff, export_document, import_document
from lading.testing import assert_import
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.halls import document, hall, halls
from support.zoo import WORLDS, key, number, slug, text, to


@cache
def routes() -> Catalog:
    """Routes whose stops stand by their place, and whose remarks by their ids."""
    base, catalog = new_base(), Catalog("routes")

    class Stop(base):  # type: ignore[misc, valid-type]
        __tablename__ = "stops"
        __table_args__ = (sa.UniqueConstraint("route_id", "place"),)
        id = key()
        route_id = to("routes.id")
        place = number()
        words = text()

    class Remark(base):  # type: ignore[misc, valid-type]
        __tablename__ = "remarks"
        id = key()
        route_id = to("routes.id")
        words = text()

    class Route(base):  # type: ignore[misc, valid-type]
        __tablename__ = "routes"
        id = key()
        slug = slug()
        stops = relationship(Stop, order_by=Stop.place)
        remarks = relationship(Remark, order_by=Remark.id)

    owned = {
        "stops": Owned(schema_for(Stop, catalog)),
        "remarks": Owned(schema_for(Remark, catalog)),
    }
    schema_for(Route, catalog, owned)
    return catalog


def route(slug: str, *remarks: str, stops: tuple[tuple[int, str], ...] = ()) -> dict[str, Any]:
    """Return a record of a route."""
    return {
        "slug": slug,
        "stops": [{"place": place, "words": words} for place, words in stops],
        "remarks": [{"words": words} for words in remarks],
    }


def check(backend: Backend, before: Any, bundle: Any, mode: str) -> None:
    """Import routes into a database that has others."""
    documents = [{"routes": records} for records in (before, bundle)]
    assert_import(routes(), *documents, mode, engine_factory=backend.database)


def test_a_mirror_fills_an_empty_table(backend: Backend) -> None:
    """What it has just inserted isn't what the bundle lacks."""
    check(backend, [], [route("a"), route("b")], "mirror")


@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_a_list_may_be_written_in_another_order_than_its_columns(
    backend: Backend, mode: str
) -> None:
    """The places order it, so nothing differs."""
    stops = ((1, "x"), (2, "y"), (3, "z"))
    check(backend, [route("a", stops=stops)], [route("a", stops=stops[::-1])], mode)


def test_rows_that_come_from_elsewhere_stand_where_the_bundle_has_them(backend: Backend) -> None:
    """Ids order the list: a row with a low one can't come to its end."""
    before = [route("a", "first", "second"), route("b", "third", "fourth")]
    bundle = [route("a", "second"), route("b", "third", "fourth", "first")]
    check(backend, before, bundle, "update")


@pytest.mark.parametrize(
    ("before", "bundle"),
    [
        ([hall(1), hall(2)], [hall(1, place=2), hall(2, place=1)]),
        ([hall(1), hall(2), hall(3)], [hall(1, small=3), hall(2, small=1), hall(3, small=2)]),
        ([hall(1, "a:x", "b:yz"), hall(2)], [hall(2, "b:zx", "a:y")]),
        ([hall(1, "a:x", "b:yz"), hall(2)], [hall(1, "c:y"), hall(3, "b:zx", "d"), hall(2, "a")]),
        ([hall(1, "a:xy"), hall(2, "b:z")], [hall(1, "b:xy"), hall(2, "a:z")]),
        ([hall(1, "a:xy")], [hall(1, "b:yx", "a")]),
        ([hall(1, "a:xyz", "b")], [hall(1, "c:xy", "b:z")]),
        ([hall(1, guests="ab"), hall(2)], [hall(1, guests="bc"), hall(2, guests="a", words="x")]),
    ],
    ids=[
        "places",
        "narrow",
        "out of a deleted record",
        "into new ones",
        "parents",
        "beside",
        "out of a row that goes",
        "links",
    ],
)
@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_what_moves_arrives(backend: Backend, before: Any, bundle: Any, mode: str) -> None:
    """Unique values, and owned rows at two depths, out of what goes and into what is new."""
    if mode == "update":
        names = {record["slug"] for record in bundle}
        bundle = bundle + [
            hall(int(r["slug"][1:]), place=90) for r in before if r["slug"] not in names
        ]
    documents = (document(*records) for records in (before, bundle))
    assert_import(halls(), *documents, mode, engine_factory=backend.database)


@pytest.mark.parametrize(
    ("record", "field", "message"),
    [
        (hall(1, small=2), "small", "small 2 already belongs to halls {'slug': 'h2'}"),
        (hall(1, "b"), "rows.1.code", "code 'b' already belongs to a row of halls {'slug': 'h2'}"),
    ],
    ids=["of records", "of owned rows"],
)
def test_a_refused_update_says_who_has_the_value(
    backend: Backend, record: Any, field: str, message: str
) -> None:
    """With the record, its key and its field; the bundle leaves the holder as it is."""
    before = document(hall(1, "a"), hall(2, "b"))
    with pytest.raises(ImportFailed) as raised:
        assert_import(halls(), before, document(record), "update", engine_factory=backend.database)
    (problem,) = raised.value.report.problems
    assert (problem.file, problem.record, problem.key) == ("halls", 1, {"slug": "h1"})
    assert problem.field == field
    assert message in problem.message


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "stored"])
def test_rows_that_a_bad_record_would_have_taken_over_go_with_what_dropped_them(
    backend: Backend, on_error: str, is_new: bool
) -> None:
    """The record that dropped them is good: it is written whole, and blamed for nothing."""
    before = document(hall(1, "a:x", "b"), hall(9), *([] if is_new else [hall(2, "c")]))
    bundle = document(hall(1), hall(2, "a:x" if is_new else "c:x", small=9))
    options: Any = {"catalog": halls(), "on_conflict": "update", "on_error": on_error}
    with backend.database(halls().use()["halls"].table.metadata) as engine:
        import_document(engine, before, catalog=halls())
        plan: Any = import_document(engine, bundle, dry_run=True, **options)
        if on_error == "rollback":
            with pytest.raises(ImportFailed) as caught:
                import_document(engine, bundle, **options)
            report = caught.value.report
        else:
            report = import_document(engine, bundle, expect=plan, **options)
            assert report.entities == plan.entities
            (first, *_) = export_document(engine, catalog=halls())["halls"]
            assert first["rows"] == []
        assert [problem.record for problem in report.problems] == [2]
        assert list(map(str, report.problems)) == list(map(str, plan.problems))


def test_a_new_record_takes_what_a_subclass_gives_up(backend: Backend) -> None:
    """A unique column in a subclass's own table is freed as well."""
    catalog = WORLDS["joined_tables"]().catalog

    def assets(**codes: str) -> dict[str, Any]:
        licence = {"kind": "licence", "title": None, "until": None, "oven": None}
        records = [{"slug": slug, "code": code, **licence} for slug, code in codes.items()]
        return {"places": [], "assets": records, "checks": []}

    before, bundle = assets(b="one", c="two"), assets(a="one", b="two", c="three")
    assert_import(catalog, before, bundle, "update", engine_factory=backend.database)


def test_a_plan_tells_of_owned_rows_what_an_update_sets(backend: Backend) -> None:
    """What the database computes and the ORM counts stands on neither side of a change."""
    base, catalog = new_base(), Catalog("orders")

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        __table_args__ = (sa.UniqueConstraint("order_id", "place"),)
        id = key()
        order_id = to("orders.id")
        place = number()
        price = number()
        twice = sa.orm.mapped_column(sa.Integer, sa.Computed("price + price"))
        version = number()
        __mapper_args__ = {"version_id_col": version}

    class Order(base):  # type: ignore[misc, valid-type]
        __tablename__ = "orders"
        id = key()
        slug = slug()
        lines = relationship(Line, order_by=Line.place)

    schema_for(Order, catalog, {"lines": Owned(schema_for(Line, catalog))})

    def lines(*prices: int, **more: Any) -> list[dict[str, Any]]:
        return [{"place": n, "price": price, **more} for n, price in enumerate(prices)]

    with backend.database(base.metadata) as engine:
        old = {"orders": [{"slug": "a", "lines": lines(1, 2, version=1)}]}
        import_document(engine, old, catalog=catalog)
        new = {"orders": [{"slug": "a", "lines": lines(1, 3, version=7)}]}
        plan = import_document(engine, new, catalog=catalog, on_conflict="update", dry_run=True)
        (told,) = plan.changes()
        assert (told.before, told.after) == ({"lines": lines(1, 2)}, {"lines": lines(1, 3)})
        import_document(engine, new, catalog=catalog, on_conflict="update", expect=plan)
        (told,) = diff(engine, old, catalog=catalog).changes()
        assert (told.before, told.after) == ({"lines": lines(1, 3)}, {"lines": lines(1, 2)})


@cache
def halls_and_leases() -> Catalog:
    """Leases, each of another hall, with a number from 1 to 4 of its own; neither may be null."""
    base, catalog = new_base(), Catalog("leases")

    class Hall(base):  # type: ignore[misc, valid-type]
        __tablename__ = "halls"
        id = key()
        slug = slug()

    class Lease(base):  # type: ignore[misc, valid-type]
        __tablename__ = "leases"
        __table_args__ = (sa.CheckConstraint("number BETWEEN 1 AND 4", name="few"),)
        id = key()
        slug = slug()
        hall_id = to("halls.id", unique=True)
        number = number(unique=True)
        hall = relationship(Hall)

    schema_for(Hall, catalog)
    schema_for(Lease, catalog)
    return catalog


@pytest.mark.parametrize(
    ("old", "new"),
    [({"a": 3, "b": 4}, {"a": 4, "b": 3, "c": 1}), ({"a": 2, "b": 3}, {"a": 3, "b": 1, "c": 2})],
    ids=["a swap", "a chain"],
)
@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_no_row_waits_on_a_value_that_a_new_one_takes(
    backend: Backend, mode: str, old: dict[str, int], new: dict[str, int]
) -> None:
    """Leases wait for each other in halls that are free and that no new lease is of."""

    def leases(**places: int) -> dict[str, Any]:
        records = [
            {"slug": slug, "hall": {"slug": f"h{n}"}, "number": n} for slug, n in places.items()
        ]
        return {"halls": [{"slug": f"h{n}"} for n in range(1, 5)], "leases": records}

    assert_import(
        halls_and_leases(), leases(**old), leases(**new), mode, engine_factory=backend.database
    )


def taken_along(target: str) -> Any:
    """Make a required foreign key whose rows are deleted with those that they refer to."""
    return sa.orm.mapped_column(sa.ForeignKey(target, ondelete="CASCADE"), nullable=False)


@cache
def albums() -> Catalog:
    """Albums of photos, known by a code, which have prints with marks; deletions take all along."""
    base, catalog = new_base(), Catalog("albums")

    class Mark(base):  # type: ignore[misc, valid-type]
        __tablename__ = "marks"
        id = key()
        print_id = taken_along("prints.id")
        words = text()

    class Print(base):  # type: ignore[misc, valid-type]
        __tablename__ = "prints"
        __table_args__ = (sa.UniqueConstraint("photo_id", "place"),)
        id = key()
        photo_id = taken_along("photos.id")
        place = number()
        marks = relationship(Mark)

    class Photo(base):  # type: ignore[misc, valid-type]
        __tablename__ = "photos"
        id = key()
        album_id = taken_along("albums.id")
        code = slug()
        prints = relationship(Print)

    class Album(base):  # type: ignore[misc, valid-type]
        __tablename__ = "albums"
        id = key()
        slug = slug()
        photos = relationship(Photo)

    schema = schema_for(Mark, catalog)
    schema = schema_for(Print, catalog, {"marks": Owned(schema)})
    schema = schema_for(Photo, catalog, {"prints": Owned(schema)})
    schema_for(Album, catalog, {"photos": Owned(schema)})
    return catalog


def album(slug: str, code: str, **prints: str) -> dict[str, Any]:
    """Return an album of one photo, whose prints, by place, have a mark for each letter."""
    nested = [
        {"place": int(place[1:]), "marks": [{"words": mark} for mark in marks]}
        for place, marks in prints.items()
    ]
    return {"slug": slug, "photos": [{"code": code, "prints": nested}]}


def test_what_moved_out_of_a_row_that_moves_as_well_stays(backend: Backend) -> None:
    """A print that its moved photo drops isn't deleted before its mark has moved elsewhere."""
    before = [album("gone", "a", p9="x"), album("stays", "b", p1="y", p2="z")]
    bundle = [album("stays", "a", p9="z"), album("new", "b", p1="y")]
    documents = ({"albums": records} for records in (before, bundle))
    assert_import(albums(), *documents, "mirror", engine_factory=backend.database)


@cache
def shelves(*, keep_ids: bool = False) -> Catalog:
    """Shelves of boxes, each known by its name and in a place; labels refer to boxes."""
    base, catalog = new_base(), Catalog("shelves", keep_ids=keep_ids)

    class Box(base):  # type: ignore[misc, valid-type]
        __tablename__ = "boxes"
        __table_args__ = (sa.UniqueConstraint("shelf_id", "place"),)
        id = key()
        shelf_id = to("shelves.id")
        place = number()
        name = slug()

    class Shelf(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shelves"
        id = key()
        slug = slug()
        boxes = relationship(Box, order_by=Box.place)

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = key()
        slug = slug()
        box_id = to("boxes.id")
        box = relationship(Box)

    boxes = Owned(schema_for(Box, catalog, natural_key="name"))
    schema_for(Shelf, catalog, {"boxes": boxes})
    schema_for(Tag, catalog)
    return catalog


def shelved(shelves: dict[str, str], tags: dict[str, str]) -> dict[str, Any]:
    """Return shelves with a box for each letter, in this order, and tags of boxes."""
    return {
        "shelves": [
            {"slug": slug, "boxes": [{"place": n, "name": name} for n, name in enumerate(names)]}
            for slug, names in shelves.items()
        ],
        "tags": [{"slug": slug, "box": {"name": name}} for slug, name in tags.items()],
    }


@pytest.mark.parametrize(
    ("before", "bundle"),
    [
        (({"p": "ab"}, {"t": "a"}), ({"p": "cb"}, {"t": "c", "u": "c"})),
        (
            ({"p": "ab", "q": "c"}, {"t": "a", "u": "c"}),
            ({"p": "cb", "q": "a"}, {"t": "a", "u": "c"}),
        ),
        (
            ({"p": "ab", "q": "c"}, {"t": "a"}),
            ({"p": "db", "q": "a", "r": "c"}, {"t": "c", "u": "d"}),
        ),
    ],
    ids=["renamed", "swapped", "into a new record"],
)
@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_references_find_owned_rows_by_the_keys_that_an_import_gives_them(
    backend: Backend, before: Any, bundle: Any, mode: str
) -> None:
    """New records too, and none is thought to change while keys wait on unused values."""
    documents = [shelved(*each) for each in (before, bundle)]
    assert_import(shelves(), *documents, mode, engine_factory=backend.database)


def test_a_reference_finds_the_new_row_of_a_name_whose_old_row_goes(backend: Backend) -> None:
    """By its id it is another row, so that of the deleted record doesn't move."""
    catalog = shelves(keep_ids=True)
    shelf: Any = {"slug": "p", "id": 1, "boxes": [{"name": "a", "id": 7, "place": 1}]}
    new: Any = {"slug": "q", "id": 2, "boxes": [{"name": "a", "id": 8, "place": 1}]}
    tag = {"slug": "t", "id": 1, "box": {"name": "a"}}
    before, bundle = {"shelves": [shelf], "tags": []}, {"shelves": [new], "tags": [tag]}
    with backend.database(catalog.use()["tags"].table.metadata) as engine:
        import_document(engine, before, catalog=catalog)
        options: Any = {"catalog": catalog, "on_conflict": "mirror"}
        plan: Any = import_document(engine, bundle, dry_run=True, **options)
        assert list(plan.problems) == []
        import_document(engine, bundle, expect=plan, **options)
        assert not diff(engine, bundle, catalog=catalog)


def test_what_a_doomed_record_refers_to_is_no_problem_beside_another(backend: Backend) -> None:
    """Though nothing is deleted then: the shelf that drops the box is good."""
    catalog = shelves()
    before, bundle = shelved({"p": "ab"}, {"t": "a"}), shelved({"p": "b"}, {"u": "z"})
    with backend.database(catalog.use()["tags"].table.metadata) as engine:
        import_document(engine, before, catalog=catalog)
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, bundle, catalog=catalog, on_conflict="mirror")
    assert [(problem.file, problem.field) for problem in caught.value.report.problems] == [
        ("tags", "box")
    ]


@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_no_row_waits_on_a_value_by_which_references_find_it(backend: Backend, mode: str) -> None:
    """If a unique set shares a member with the natural key, another member is parked."""
    base, catalog = new_base(), Catalog("rooms")

    class Room(base):  # type: ignore[misc, valid-type]
        __tablename__ = "rooms"
        __table_args__ = (
            sa.UniqueConstraint("house", "label"),
            sa.UniqueConstraint("label", "floor"),
        )
        id = key()
        house = number()
        label = text()
        floor = number()

    class Guest(base):  # type: ignore[misc, valid-type]
        __tablename__ = "guests"
        id = key()
        slug = slug()
        room_id = to("rooms.id")
        room = relationship(Room)

    schema_for(Room, catalog, natural_key=("house", "label"))
    schema_for(Guest, catalog)

    def rooms(*floors: int, guests: str) -> dict[str, Any]:
        return {
            "rooms": [{"house": n, "label": "a", "floor": each} for n, each in enumerate(floors)],
            "guests": [{"slug": s, "room": {"house": 0, "label": "a"}} for s in guests],
        }

    before, bundle = rooms(1, 2, guests="x"), rooms(2, 1, guests="xy")
    assert_import(catalog, before, bundle, mode, engine_factory=backend.database)


def test_an_import_that_is_held_to_its_plan_counts_as_the_plan_does(
    sqlite_memory: Backend,
) -> None:
    """Though references mean other rows by then, for names of boxes were exchanged."""
    catalog = shelves()
    before = shelved({"p": "ab", "q": "c"}, {"t": "a", "u": "c"})
    bundle = shelved({"p": "cb", "q": "a"}, {"t": "c", "u": "c"})
    metadata = catalog.use()["tags"].table.metadata
    with sqlite_memory.database(metadata) as engine:
        import_document(engine, before, catalog=catalog)
        options: dict[str, Any] = {"catalog": catalog, "on_conflict": "update"}
        plan = import_document(engine, bundle, dry_run=True, **options)
        report = import_document(engine, bundle, expect=plan, **options)
        assert report.total == plan.total
        assert not diff(engine, bundle, catalog=catalog)


@cache
def tenants() -> Catalog:
    """Users of tenants with doors, whose labels no two users of one tenant share."""
    base, catalog = new_base(), Catalog("tenants")

    class Door(base):  # type: ignore[misc, valid-type]
        __tablename__ = "doors"
        __table_args__ = (
            sa.ForeignKeyConstraint(["tenant", "owner"], ["users.tenant", "users.number"]),
            sa.UniqueConstraint("tenant", "label"),
        )
        id = key()
        tenant = text(10)
        owner = number()
        code = slug()
        label = text(10)

    class User(base):  # type: ignore[misc, valid-type]
        __tablename__ = "users"
        tenant = text(10, primary_key=True)
        number = number(primary_key=True, autoincrement=False)
        doors = relationship(Door)

    user = Ref(("tenant", "owner"))
    doors = Owned(schema_for(Door, catalog, {"user": user}, natural_key="code"))
    schema_for(User, catalog, {"doors": doors})
    return catalog


def users(**doors: str) -> dict[str, Any]:
    """Return users by tenant and number, with a door for each letter, which is its label."""
    records = [
        {
            "tenant": name[0],
            "number": int(name[1:]),
            "doors": [{"code": f"{name}-{n}", "label": label} for n, label in enumerate(labels)],
        }
        for name, labels in doors.items()
    ]
    return {"users": records}


@pytest.mark.parametrize(
    ("before", "bundle"),
    [
        (users(a1="x", a2="y", b1="xy"), users(a1="y", a2="x", b1="yx")),
        (users(a1="x"), users(a1="y", a2="x")),
        (users(a1="x", a2="y"), users(a1="zy", a2="q")),
    ],
    ids=["swapped", "to a new user", "to a new door"],
)
@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_unique_values_move_between_owners_that_share_a_part_of_their_key(
    backend: Backend, before: Any, bundle: Any, mode: str
) -> None:
    """Such as all users of a tenant."""
    assert_import(tenants(), before, bundle, mode, engine_factory=backend.database)


def test_a_plan_names_what_is_unique_among_owners_that_share_a_part_of_their_key(
    backend: Backend,
) -> None:
    """It can't tell whether a user of the same tenant whom the bundle lacks has the value."""
    catalog = tenants()
    with backend.database(catalog.use()["users"].table.metadata) as engine:
        import_document(engine, users(a1="x"), catalog=catalog)
        plan = import_document(engine, users(a2="x"), catalog=catalog, dry_run=True)
        assert "doors" in str(plan.unchecked)
        with pytest.raises(ImportFailed):
            import_document(engine, users(a2="x"), catalog=catalog)
