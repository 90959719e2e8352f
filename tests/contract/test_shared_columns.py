"""Foreign keys that share columns: one carrier for each column, and references that agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

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
    verify,
    write_bundle,
)
from lading.model.rowsets import Reference
from lading.testing import assert_import
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for
from support.packing import packed, stored
from support.rewriting import Edit
from support.world import key, slug
from support.zoo import WORLDS


def in_order(field: str, value: Any, *, number: int = 2) -> Edit:
    """Return an edit that changes a field of one order."""

    def edit(name: str, found: list[Any]) -> list[Any]:
        if name == "orders":
            (order,) = (record for record in found if record["id"] == number)
            target = order["lines"][0] if field == "label" else order
            target[field] = value
        return found

    return edit


def other(name: str, number: int) -> dict[str, Any]:
    """Return the key of another tenant's row."""
    return {"tenant": {"slug": name}, "id": number}


def test_each_column_is_carried_once() -> None:
    """The reference with the fewest columns carries what others share with it."""
    rows = WORLDS["tenants"]().catalog.use()["orders"]
    own = {item.name: [column.name for column in item.carried_columns] for item in rows.references}
    assert own == {"tenant": ["tenant_id"], "customer": ["customer_id"], "payer": ["payer_id"]}
    assert rows.key_names == ("tenant", "id")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("customer", other("t1", 0), "customer"),
        ("payer", other("t1", 0), "payer"),
        ("label", other("t1", 0), "lines.1.label"),
        ("labels", [other("t1", 0)], "labels"),
    ],
)
def test_references_that_disagree_are_refused(
    backend: Backend, tmp_path: Path, field: str, value: Any, shown: str
) -> None:
    """A row of another tenant is found by its key, and would silently become one of ours."""
    world = WORLDS["tenants"]()
    path = packed(world, tmp_path / "a", in_order(field, value))
    with backend.database(world.metadata) as engine:
        plan = import_all(engine, path, catalog=world.catalog, dry_run=True)
        with pytest.raises(ImportFailed) as caught:
            import_all(engine, path, catalog=world.catalog)
        (problem,) = caught.value.report.problems
        assert problem.key == {"tenant": {"slug": "t2"}, "id": 2}
        assert problem.field == shown
        assert problem.message == (
            "refers to a row of another tenant_id than the record's other fields say; correct one "
            "of them"
        )
        assert list(plan.problems) == [problem]
        assert not any(stored(engine, world).values())


def test_a_deferred_reference_that_disagrees_is_refused(backend: Backend, tmp_path: Path) -> None:
    """A self reference is set at the end, and compared then."""
    world = WORLDS["tenants"]()

    def edit(name: str, found: list[Any]) -> list[Any]:
        if name == "customers":
            found[-1]["advisor"] = other("t2" if found[-1]["tenant"]["slug"] == "t1" else "t1", 0)
        return found

    path = packed(world, tmp_path / "a", edit)
    with backend.database(world.metadata) as engine:
        with pytest.raises(ImportFailed, match="advisor: refers to a row of another tenant_id"):
            import_all(engine, path, catalog=world.catalog)
        keeping: Any = {"catalog": world.catalog, "on_error": "continue"}
        plan = import_all(engine, path, dry_run=True, **keeping)
        report = import_all(engine, path, expect=plan, **keeping)
        assert (report["customers"].inserted, report["customers"].failed) == (7, 1)
        assert list(plan.problems) == list(report.problems)


def event(slug: str, number: int, **fields: Any) -> dict[str, Any]:
    """Return an event of a level of its own."""
    nothing = dict.fromkeys(("zone", "before", "above", "below", "other_level"))
    return {"slug": slug, **nothing, "level": number, "number": number, **fields}


@pytest.mark.parametrize("mode", ["skip", "update"])
def test_a_plan_finds_references_that_disagree_with_stored_rows(
    backend: Backend, mode: str
) -> None:
    """A record that is skipped stays in its zone, whatever the bundle says of it."""
    world = WORLDS["events"]()
    zones = [{"slug": slug, "chief": None} for slug in "ab"]
    first, second = event("e", 1, zone={"slug": "a"}), event("e", 1, zone={"slug": "b"})
    later = event("f", 2, zone={"slug": "b"}, before={"slug": "e"})
    keeping: Any = {"catalog": world.catalog, "on_conflict": mode, "on_error": "continue"}
    with backend.database(world.metadata) as engine:
        import_document(engine, {"zones": zones, "events": [first]}, catalog=world.catalog)
        bundle = {"zones": zones, "events": [second, later]}
        plan = import_document(engine, bundle, dry_run=True, **keeping)
        report = import_document(engine, bundle, expect=plan, **keeping)
    assert (report.inserted, report.failed) == (0, 1)
    assert list(plan.problems) == list(report.problems)


def test_a_key_that_is_set_in_part_cannot_be_written(backend: Backend, tmp_path: Path) -> None:
    """A branch's number without its country would be forgotten, for no reference says it."""
    world = WORLDS["branches"]()
    with backend.database() as engine:
        world.filled(engine)
        with engine.begin() as connection:
            connection.execute(sa.update(world.models.Visit).values(country=None, city_name=None))
        with pytest.raises(TargetError, match=r"the foreign key \(country, code\) is partly null"):
            export_all(engine, tmp_path / "a", catalog=world.catalog)


def routes() -> tuple[Any, Catalog]:
    """Return models of which one reference has no column of its own."""
    base = new_base()
    fk = sa.ForeignKeyConstraint

    class Port(base):  # type: ignore[misc, valid-type]
        __tablename__ = "ports"
        code = mapped_column(sa.String(3), primary_key=True)

    class Lane(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lanes"
        start = mapped_column(sa.ForeignKey("ports.code"), primary_key=True)
        goal = mapped_column(sa.ForeignKey("ports.code"), primary_key=True)

    class Ship(base):  # type: ignore[misc, valid-type]
        __tablename__ = "ships"
        name = mapped_column(sa.String(20), primary_key=True)
        start = mapped_column(sa.ForeignKey("ports.code"))
        goal = mapped_column(sa.ForeignKey("ports.code"))
        lane = relationship(Lane, foreign_keys=[start, goal])
        __table_args__ = (fk(["start", "goal"], ["lanes.start", "lanes.goal"]),)

    return base, catalog_of(Ship, Lane, Port)


LANE = {"start": {"code": "osl"}, "goal": {"code": "cph"}}
PORTS = [{"code": "cph"}, {"code": "osl"}]


def test_a_reference_of_shared_columns_alone_follows_from_others(backend: Backend) -> None:
    """It is null where any of its columns is, and set where all of them are."""
    base, catalog = routes()
    ships = [
        {"name": "a", "start": None, "goal": None, "lane": None},
        {"name": "b", "start": {"code": "osl"}, "goal": None, "lane": None},
        {"name": "c", **LANE, "lane": LANE},
    ]
    document = {"ports": PORTS, "lanes": [LANE], "ships": ships}
    with backend.database(base.metadata) as engine:
        import_document(engine, document, catalog=catalog)
        again = export_document(engine, catalog=catalog)
        assert {name: again[name] for name in document} == document


@pytest.mark.parametrize(
    ("ship", "message"),
    [
        ({**LANE, "lane": None}, "lane: is null, though the record's other fields set start, goal"),
        (
            {"start": LANE["goal"], "goal": LANE["start"], "lane": LANE},
            "lane: refers to a row of another start than",
        ),
    ],
)
def test_a_reference_of_shared_columns_alone_must_agree(
    backend: Backend, ship: Any, message: str
) -> None:
    """Otherwise the record would come back as another than it was."""
    base, catalog = routes()
    document = {"ports": PORTS, "lanes": [LANE], "ships": [{"name": "a", **ship}]}
    with backend.database(base.metadata) as engine:
        plan = import_document(engine, document, catalog=catalog, dry_run=True)
        with pytest.raises(ImportFailed, match=message) as caught:
            import_document(engine, document, catalog=catalog)
    assert list(plan.problems) == list(caught.value.report.problems)


def test_two_foreign_keys_over_one_column_are_two_references(backend: Backend) -> None:
    """A column may refer to two tables at once; both references must name the same."""
    base = new_base()

    class Left(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lefts"
        code = mapped_column(sa.String(3), primary_key=True)

    class Right(base):  # type: ignore[misc, valid-type]
        __tablename__ = "rights"
        code = mapped_column(sa.String(3), primary_key=True)

    class Both(base):  # type: ignore[misc, valid-type]
        __tablename__ = "boths"
        name = mapped_column(sa.String(3), primary_key=True)
        code = mapped_column(sa.String(3), nullable=False)
        left = relationship(Left, foreign_keys=code, overlaps="right")
        right = relationship(Right, foreign_keys=code, overlaps="left")
        __table_args__ = (
            sa.ForeignKeyConstraint(["code"], ["lefts.code"]),
            sa.ForeignKeyConstraint(["code"], ["rights.code"]),
        )

    catalog = catalog_of(Left, Right, Both)
    document = {
        "lefts": [{"code": "x"}],
        "rights": [{"code": "x"}],
        "boths": [{"name": "b", "left": {"code": "x"}, "right": {"code": "x"}}],
    }
    with backend.database(base.metadata) as engine:
        import_document(engine, document, catalog=catalog)
        again = export_document(engine, catalog=catalog)
        assert {name: again[name] for name in document} == document


def test_a_column_that_holds_ids_of_two_tables_is_refused() -> None:
    """Another database makes both up anew, so that no value could be both."""
    base = new_base()

    class Left(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lefts"
        id = key()
        slug = slug()

    class Right(base):  # type: ignore[misc, valid-type]
        __tablename__ = "rights"
        id = key()
        slug = slug()

    class Both(base):  # type: ignore[misc, valid-type]
        __tablename__ = "boths"
        id = key()
        slug = slug()
        side_id = mapped_column(sa.Integer)
        left = relationship(Left, foreign_keys=side_id, overlaps="right")
        right = relationship(Right, foreign_keys=side_id, overlaps="left")
        __table_args__ = (
            sa.ForeignKeyConstraint(["side_id"], ["lefts.id"]),
            sa.ForeignKeyConstraint(["side_id"], ["rights.id"]),
        )

    with pytest.raises(DeclarationError) as caught:
        catalog_of(Left, Right, Both).use()
    text = str(caught.value)
    assert text.startswith("BothSchema: ")
    assert "share side_id, which would have to hold lefts.id, rights.id" in text
    catalog = catalog_of(Left, Right)
    schema_for(Both, catalog, exclude=("right",))
    assert [item.name for item in catalog.use()["boths"].references] == ["left"]


def test_an_owner_s_key_that_another_way_shares_is_no_second_owner(backend: Backend) -> None:
    """Rows belong to two parents only where what the other way alone has is set."""
    base = new_base()
    fk = sa.ForeignKeyConstraint

    class Page(base):  # type: ignore[misc, valid-type]
        __tablename__ = "pages"
        book = mapped_column(sa.String(5), primary_key=True)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        notes = relationship(lambda: Note, foreign_keys=lambda: [Note.book, Note.page])
        margins = relationship(
            lambda: Note, foreign_keys=lambda: [Note.book, Note.margin], overlaps="notes"
        )

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        id = key()
        book = mapped_column(sa.String(5), nullable=False)
        page = mapped_column(sa.Integer)
        margin = mapped_column(sa.Integer)
        words = mapped_column(sa.String(20), nullable=False)
        of = relationship(Page, foreign_keys=[book, page], overlaps="notes,margins")
        beside = relationship(Page, foreign_keys=[book, margin], overlaps="notes,margins,of")
        __table_args__ = (
            fk(["book", "page"], ["pages.book", "pages.number"]),
            fk(["book", "margin"], ["pages.book", "pages.number"]),
        )

    catalog = Catalog("test")
    notes = schema_for(Note, catalog)
    schema_for(
        Page, catalog, {"notes": Owned(notes, via="of"), "margins": Owned(notes, via="beside")}
    )
    pages = [
        {"book": "a", "number": 1, "notes": [{"words": "x"}], "margins": []},
        {"book": "a", "number": 2, "notes": [], "margins": [{"words": "y"}, {"words": "z"}]},
    ]
    with backend.database(base.metadata) as engine:
        import_document(engine, {"pages": pages}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["pages"] == pages


def test_an_excluded_reference_leaves_its_columns_to_others() -> None:
    """Where the carrier is left out, the next reference carries what it shared."""
    world = WORLDS["tenants"]()
    catalog = Catalog("test", leaves_out={})
    models = world.models
    for model in (models.Tenant, models.Customer, models.Label):
        schema_for(model, catalog)
    schema_for(models.Line, catalog, natural_key="id")
    schema_for(models.Order, catalog, natural_key=("customer", "id"), exclude=("tenant",))
    order = catalog.use()["orders"]
    found = [item for item in order.references if isinstance(item, Reference)]
    own = {item.name: [column.name for column in item.carried_columns] for item in found}
    assert own["customer"] == ["tenant_id", "customer_id"]
    assert own["payer"] == ["payer_id"]


@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_a_reference_may_change_beside_the_part_of_a_primary_key_that_it_shares(
    backend: Backend, mode: str
) -> None:
    """A shift's ward identifies it, and says where the shift before it was; that one may change."""
    base = new_base()

    class Ward(base):  # type: ignore[misc, valid-type]
        __tablename__ = "wards"
        code = mapped_column(sa.String(3), primary_key=True)

    class Shift(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shifts"
        ward = mapped_column(sa.ForeignKey("wards.code"), primary_key=True)
        slot = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        before_slot = mapped_column(sa.Integer)
        __table_args__ = (
            sa.ForeignKeyConstraint(["ward", "before_slot"], ["shifts.ward", "shifts.slot"]),
        )

    Shift.at = relationship(Ward, overlaps="before")
    columns = [Shift.ward, Shift.before_slot]
    Shift.before = relationship(
        Shift, foreign_keys=columns, remote_side=[Shift.ward, Shift.slot], overlaps="at"
    )
    catalog = catalog_of(Ward, Shift)

    def shifts(*befores: int | None) -> dict[str, Any]:
        ward = {"code": "icu"}
        keys = [None if n is None else {"at": ward, "slot": n} for n in befores]
        slots = [{"at": ward, "slot": n, "before": key} for n, key in enumerate(keys)]
        return {"wards": [ward], "shifts": slots}

    with backend.database(base.metadata) as engine:
        import_document(engine, shifts(None, None, 1, 2), catalog=catalog)
        wanted = shifts(None, 0, None, 1)
        options: Any = {"catalog": catalog, "on_conflict": mode}
        plan = import_document(engine, wanted, dry_run=True, **options)
        assert plan["shifts"].updated == 3
        import_document(engine, wanted, expect=plan, **options)
        again = export_document(engine, catalog=catalog)
        assert {name: again[name] for name in wanted} == wanted


def months_and_entries() -> tuple[Any, Catalog]:
    """Return entries whose numbers are unique in a year, which only the key of the month tells."""
    base = new_base()

    class Month(base):  # type: ignore[misc, valid-type]
        __tablename__ = "months"
        year = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        month = mapped_column(sa.Integer, primary_key=True, autoincrement=False)

    class Entry(base):  # type: ignore[misc, valid-type]
        __tablename__ = "entries"
        id = key()
        year = mapped_column(sa.Integer, nullable=False)
        month = mapped_column(sa.Integer, nullable=False)
        number = mapped_column(sa.Integer, nullable=False)
        at = relationship(Month)
        __table_args__ = (
            sa.ForeignKeyConstraint(["year", "month"], ["months.year", "months.month"]),
            sa.UniqueConstraint("year", "number"),
        )

    catalog = catalog_of(Month)
    schema_for(Entry, catalog, natural_key=("at", "number"))
    return base, catalog


def entries(*places: tuple[int, int]) -> dict[str, Any]:
    """Return entries of months and numbers, all of one year."""
    months = [{"year": 2024, "month": month} for month in (1, 2)]
    records = [{"at": {"year": 2024, "month": m}, "number": number} for m, number in places]
    return {"months": months, "entries": records}


def test_what_is_unique_beside_a_part_of_a_reference_is_foreseen(backend: Backend) -> None:
    """A plan names who has the number, and a mirror frees it."""
    base, catalog = months_and_entries()
    before, after = entries((2, 0), (2, 1)), entries((1, 0), (2, 1))
    options: Any = {"catalog": catalog, "on_conflict": "update"}
    with backend.database(base.metadata) as engine:
        import_document(engine, before, catalog=catalog)
        plan = import_document(engine, after, dry_run=True, **options)
        with pytest.raises(
            ImportFailed, match=r"number 0 and at\.year 2024 already belong to"
        ) as caught:
            import_document(engine, after, **options)
        assert list(plan.problems) == list(caught.value.report.problems)
    assert_import(catalog, before, after, "mirror", engine_factory=backend.database)


def test_what_is_unique_beside_a_part_of_a_reference_is_verified(tmp_path: Path) -> None:
    """No database would take the second entry of that number in a year."""
    _, catalog = months_and_entries()
    write_bundle(entries((1, 7), (2, 7), (2, 8)), tmp_path / "a", catalog=catalog)
    (problem,) = verify(tmp_path / "a", catalog=catalog).problems
    assert problem.message.startswith("number and at.year must be unique")
