"""What applications drawn at random found: each stays mended."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    DeclarationError,
    ImportFailed,
    Owned,
    TargetError,
    export_document,
    import_document,
)
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for
from support.raw import raw_values


class Shortened(sa.TypeDecorator[str]):
    """A plain text under a name of the application's."""

    impl = sa.String(5)
    cache_ok = True


class Instant(sa.TypeDecorator[dt.datetime]):
    """Aware for Python, naive UTC in the database."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return None if value is None else value.replace(tzinfo=dt.UTC)


def moved(backend: Backend, base: Any, catalog: Catalog, **rows: list[dict[str, Any]]) -> Any:
    """Fill, export and import; the stored cells are the same. Return the document."""
    with backend.database(base.metadata) as old, backend.database(base.metadata) as new:
        with old.begin() as connection:
            for name, values in rows.items():
                connection.execute(sa.insert(base.metadata.tables[name]), values)
        document = export_document(old, catalog=catalog)
        import_document(new, document, catalog=catalog)
        assert raw_values(old, base.metadata) == raw_values(new, base.metadata)
        again = import_document(new, document, catalog=catalog)
        assert (again.imported, again.differing) == (0, 0)
    return document


def test_a_decorated_text_is_held_to_its_length_at_export(sqlite_memory: Backend) -> None:
    """SQLite keeps what is too long, and no import would take it back."""
    base = new_base()

    class Thing(base):
        __tablename__ = "things"
        code = mapped_column(Shortened, primary_key=True)

    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(Thing.__table__), [{"code": "much too long"}])
        with pytest.raises(TargetError, match="has 13 characters, its column holds 5"):
            export_document(engine, catalog=catalog_of(Thing))


def test_a_declared_field_tells_of_a_zone_that_its_column_has_not(backend: Backend) -> None:
    """A decorator's annotation says datetime; only the field says that it is an aware one."""
    base, catalog = new_base(), Catalog("test")

    class Thing(base):
        __tablename__ = "things"
        code = mapped_column(sa.String(5), primary_key=True)
        seen = mapped_column(Instant)

    schema_for(Thing, catalog, {"seen": ma.fields.AwareDateTime()})
    seen = dt.datetime(2025, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    document = moved(backend, base, catalog, things=[{"code": "a", "seen": seen}])
    assert document["things"] == [{"code": "a", "seen": "2025-01-02T03:04:05+00:00"}]


def test_a_bad_late_reference_is_reported_beside_an_empty_one(
    backend: Backend, tmp_path: Path
) -> None:
    """Of two references that are set later, one has no target and the other is null throughout."""
    base = new_base()

    class Step(base):
        __tablename__ = "steps"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        person_id = mapped_column(sa.ForeignKey("people.id"))
        next_id = mapped_column(sa.ForeignKey("steps.id"))

    class Person(base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        step_id = mapped_column(sa.ForeignKey("steps.id"))

    catalog = catalog_of(Person, Step)
    missing = {"slug": "gone"}
    document = {
        "people": [{"slug": "p", "step": missing}],
        "steps": [{"slug": "s", "person": missing, "next": None}],
    }
    with backend.database(base.metadata) as engine:
        with pytest.raises(ImportFailed, match="no people has slug 'gone'"):
            import_document(engine, document, catalog=catalog)
        assert not any(raw_values(engine, base.metadata).values())


def test_a_closure_follows_links_of_a_subclass_by_its_own_table(backend: Backend) -> None:
    """What a link holds may be the subclass's key, and no column of the base's table."""
    base, catalog = new_base(), Catalog("test")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("rare_id", sa.ForeignKey("rares.rare_id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Tag(base):
        __tablename__ = "tags"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)

    class Note(base):
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        rare_id = mapped_column(sa.ForeignKey("rares.rare_id"), nullable=False)
        tag_id = mapped_column(sa.ForeignKey("tags.id"))

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        kind = mapped_column(sa.String(9), nullable=False)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "item"}

    class Rare(Item):
        __tablename__ = "rares"
        id = mapped_column("rare_id", sa.ForeignKey("items.id"), primary_key=True)
        tags = relationship(Tag, secondary=links)
        notes = relationship(Note)
        __mapper_args__ = {"polymorphic_identity": "rare"}

    schema_for(Item, catalog, {"notes": Owned(schema_for(Note, catalog))})
    schema_for(Tag, catalog)
    document = {
        "items": [
            {
                "slug": f"i{n}",
                "kind": "rare",
                "tags": [{"slug": f"t{n}"}],
                "notes": [{"slug": f"n{n}", "tag": {"slug": f"t{n + 2}"}}],
            }
            for n in (1, 2)
        ],
        "tags": [{"slug": f"t{n}"} for n in range(1, 6)],
    }
    with backend.database(base.metadata) as engine:
        import_document(engine, document, catalog=catalog)
        some = export_document(
            engine,
            catalog=catalog,
            only=["items"],
            where={"items": Item.slug == "i1"},
            closure=True,
        )
    assert [record["slug"] for record in some["items"]] == ["i1"]
    assert [record["slug"] for record in some["tags"]] == ["t1", "t3"]


def test_ids_for_people_who_debug_have_a_name_each(sqlite_memory: Backend) -> None:
    """A record's own id may have the name of the column that a reference holds."""
    base, catalog = new_base(), Catalog("test")

    class Shelf(base):
        __tablename__ = "shelves"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)

    class Box(base):
        __tablename__ = "boxes"
        box_id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        in_id = mapped_column(sa.ForeignKey("shelves.id"), nullable=False)
        box = relationship(Shelf)

    schema_for(Shelf, catalog)
    schema_for(Box, catalog)
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(Shelf.__table__), [{"id": 3, "slug": "s"}])
            connection.execute(sa.insert(Box.__table__), [{"box_id": 7, "slug": "b", "in_id": 3}])
        document = export_document(engine, catalog=catalog, include_ids=True)
        assert document["boxes"] == [{"slug": "b", "box": {"slug": "s"}, "box_id": 7}]
        assert import_document(engine, document, catalog=catalog).differing == 0


def test_a_key_may_recur_through_a_subclass_s_own_table(backend: Backend) -> None:
    """The rows above are found by the base's key, which the subclass's repeats."""
    base = new_base()

    class Node(base):
        __tablename__ = "nodes"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), nullable=False)
        kind = mapped_column(sa.String(10), nullable=False)
        up_id = mapped_column(sa.Integer)
        up = relationship(
            lambda: Branch, foreign_keys=up_id, remote_side=lambda: Branch.pk, post_update=True
        )
        __table_args__ = (
            sa.ForeignKeyConstraint(["up_id"], ["branches.pk"], use_alter=True, name="up"),
        )
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "leaf"}

    class Branch(Node):
        __tablename__ = "branches"
        pk = mapped_column(sa.ForeignKey("nodes.id"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "branch", "inherit_condition": pk == Node.id}

    catalog = Catalog("test")
    schema_for(Node, catalog, natural_key=("up", "name"))
    root = {"up": None, "name": "a"}
    nodes = [
        {**root, "kind": "branch"},
        {"up": root, "name": "b", "kind": "branch"},
        {"up": {"up": root, "name": "b"}, "name": "c", "kind": "leaf"},
    ]
    with backend.database(base.metadata) as engine:
        import_document(engine, {"nodes": nodes}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["nodes"] == nodes


def test_names_that_no_field_may_have(sqlite_memory: Backend) -> None:
    """A field whose name JSON would have to escape is refused; an id of such a name is left out."""
    base = new_base()

    class Thing(base):
        __tablename__ = "things"
        pk = mapped_column("back\\slash", sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    catalog = Catalog("test")
    schema_for(Thing, catalog)
    with sqlite_memory.database(base.metadata) as engine:
        import_document(engine, {"things": [{"slug": "a"}]}, catalog=catalog)
        document = export_document(engine, catalog=catalog, include_ids=True)
        assert document["things"] == [{"slug": "a"}]
    other = Catalog("other")
    schema_for(Thing, other, {"slug": ma.fields.String(data_key='a"b')})
    with pytest.raises(DeclarationError, match="no field's name may have quotes, backslashes"):
        other.use()


def test_a_key_may_recur_through_a_unique_column_of_a_subclass_s_table(backend: Backend) -> None:
    """The row above is found by a column that the base's table hasn't."""
    base, catalog = new_base(), Catalog("test")

    class Place(base):
        __tablename__ = "places"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(9), nullable=False)
        kind = mapped_column(sa.String(9), nullable=False)
        in_code = mapped_column(sa.ForeignKey("towns.code", use_alter=True, name="fk_in"))
        town = relationship(
            "Town",
            foreign_keys=[in_code],
            primaryjoin=lambda: Place.in_code == Town.code,
            remote_side=lambda: [Town.code],
        )
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "place"}

    class Town(Place):
        __tablename__ = "towns"
        id = mapped_column("town_id", sa.ForeignKey("places.id"), primary_key=True)
        code = mapped_column(sa.String(9), unique=True, nullable=False)
        __mapper_args__ = {
            "polymorphic_identity": "town",
            "inherit_condition": id == Place.id,
        }

    schema_for(Place, catalog, natural_key=("town", "name"))
    above = {"town": None, "name": "a"}
    within = {"town": above, "name": "a"}
    places = [
        {**above, "kind": "town", "code": "x"},
        {**within, "kind": "town", "code": "y"},
        {"town": within, "name": "a", "kind": "place"},
    ]
    with backend.database(base.metadata) as engine:
        import_document(engine, {"places": places}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["places"] == places


def test_an_unreadable_row_is_named_by_a_key_that_recurs(backend: Backend) -> None:
    """Its key is made by the export itself, and no value of the row's own."""
    base, catalog = new_base(), Catalog("test")

    class Place(base):
        __tablename__ = "places"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(9), nullable=False)
        state = mapped_column(sa.Enum("open", "shut", native_enum=False), nullable=False)
        town_id = mapped_column(sa.ForeignKey("places.id"))
        town = relationship("Place", remote_side=id)

    schema_for(Place, catalog, natural_key=("town", "name"))
    rows = "(1, 'a', 'open', NULL), (2, 'b', 'lost', 1)"
    with backend.database(base.metadata) as engine:
        with engine.begin() as connection:
            columns = "id, name, state, town_id"
            connection.exec_driver_sql(f"INSERT INTO places ({columns}) VALUES {rows}")
        with pytest.raises(TargetError) as caught:
            export_document(engine, catalog=catalog)
    assert caught.value.key == 'town {"town":null,"name":"a"}, name "b"'
