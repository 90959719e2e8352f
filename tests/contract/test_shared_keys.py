"""References by a key that nothing in the database keeps unique: one row may have it, no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, Ref, TargetError, export_document
from support.backends import Backend
from support.declaring import new_base, schema_for, table
from support.statements import statements


def ident() -> Any:
    """Make a surrogate primary key."""
    return mapped_column(sa.Integer, primary_key=True)


def text(**options: Any) -> Any:
    """Make a NOT NULL text column."""
    return mapped_column(sa.String(20), **{"nullable": False, **options})


class Shop:
    """Products whose slug is unique among the living alone, and notes on them."""

    def __init__(self, *, attributes: Any = None, **meta: Any) -> None:
        base = new_base()

        class Product(base):  # type: ignore[misc]
            __tablename__ = "products"
            shelf = mapped_column(sa.Integer, primary_key=True)
            number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
            slug = text()
            label = mapped_column(sa.String(20))
            is_alive = mapped_column(sa.Boolean, nullable=False)

        class Note(base):  # type: ignore[misc]
            __tablename__ = "notes"
            __table_args__ = (
                sa.ForeignKeyConstraint(
                    ["product_shelf", "product_number"], ["products.shelf", "products.number"]
                ),
            )
            id = ident()
            slug = text(unique=True)
            product_shelf = mapped_column(sa.Integer)
            product_number = mapped_column(sa.Integer)
            product = relationship(Product)

        self.metadata = base.metadata
        self.product, self.note = Product, Note
        self.catalog = Catalog("shop")
        self.alive = {"products": Product.is_alive}
        schema_for(Product, self.catalog, **{"natural_key": "slug", **meta})
        schema_for(Note, self.catalog, attributes)

    def products(self) -> list[Any]:
        """Return a living and a deleted product of one slug, and one that is alone."""
        return [
            self.product(shelf=1, number=1, slug="x", is_alive=True),
            self.product(shelf=1, number=2, slug="x", is_alive=False),
            self.product(shelf=2, number=1, slug="y", is_alive=True),
        ]


@contextmanager
def filled(backend: Backend, metadata: sa.MetaData, *objects: Any) -> Iterator[sa.Engine]:
    """Yield an engine over a database that holds these objects."""
    with backend.database(metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add_all(objects)
        yield engine


def test_a_filtered_duplicate_is_not_taken_for_the_row_that_is_left(backend: Backend) -> None:
    """A note on the deleted product would be restored onto its living namesake."""
    shop = Shop()
    living, deleted, alone = shop.products()
    notes = [shop.note(slug="a", product=deleted), shop.note(slug="b", product=alone)]
    with filled(backend, shop.metadata, living, *notes) as engine:
        with pytest.raises(TargetError) as caught:
            export_document(engine, catalog=shop.catalog, where=shop.alive)
        assert str(caught.value) == (
            "notes, product: several products have slug 'x': the rows with the primary keys "
            "(1, 2) and (1, 1). The record with slug 'a' (primary key 1) refers to (1, 2), and a "
            "restore could take the other. Change or remove one of the two rows, or declare a "
            "natural_key of products that tells them apart."
        )
        assert (caught.value.entity, caught.value.field) == ("notes", "product")
        assert caught.value.key == {"slug": "a"}


@pytest.mark.parametrize("refers_to", [0, 1])
@pytest.mark.parametrize("scope", ["only", "where", "closure", "closure of one"])
def test_each_way_to_export_a_part_looks_at_the_whole_table(
    sqlite_memory: Backend, scope: str, refers_to: int
) -> None:
    """Whichever of the two is referred to, and whether any product is written or none."""
    shop = Shop()
    products = shop.products()
    note = shop.note(slug="a", product=products[refers_to])
    options: dict[str, Any] = {
        "only": {"only": "notes"},
        "where": {"where": shop.alive},
        "closure": {"where": shop.alive, "closure": True},
        "closure of one": {"only": "notes", "closure": True},
    }
    with (
        filled(sqlite_memory, shop.metadata, note, *products) as engine,
        pytest.raises(TargetError, match=r"several products have slug 'x': the rows .*\(1, [12]\)"),
    ):
        export_document(engine, catalog=shop.catalog, **options[scope])


@pytest.mark.parametrize("closure", [False, True])
def test_records_outside_of_the_export_may_refer_to_what_they_like(
    sqlite_memory: Backend, closure: bool
) -> None:
    """Only what is written could be restored onto another row."""
    shop = Shop()
    living, deleted, alone = shop.products()
    notes = [shop.note(slug="a", product=deleted), shop.note(slug="b", product=alone)]
    with filled(sqlite_memory, shop.metadata, living, *notes) as engine:
        document = export_document(
            engine,
            catalog=shop.catalog,
            where={**shop.alive, "notes": shop.note.slug == "b"},
            only=["notes", "products"],
            closure=closure,
        )
        assert document["notes"] == [{"slug": "b", "product": {"slug": "y"}}]
        assert [product["slug"] for product in document["products"]] == ["x", "y"]


def test_nulls_of_a_key_are_equal(backend: Backend) -> None:
    """``by`` may name a field that is null in many rows."""
    shop = Shop(natural_key=("shelf", "number"), attributes={"product": Ref(by="label")})
    living, deleted, alone = shop.products()
    alone.label = "alone"
    note = shop.note(slug="a", product=alone)
    with filled(backend, shop.metadata, living, deleted, note) as engine:
        document = export_document(engine, catalog=shop.catalog)
        assert document["notes"][0]["product"] == {"label": "alone"}
        with Session(engine) as session, session.begin():
            session.add(shop.note(slug="b", product_shelf=1, product_number=2))
        with pytest.raises(TargetError, match=r"have label None: .* remove by='label'"):
            export_document(engine, catalog=shop.catalog)


def test_texts_that_only_a_collation_holds_for_equal_are_two_keys(backend: Backend) -> None:
    """An import tells them apart as well."""
    shop = Shop()
    collation = {"mariadb": "utf8mb4_general_ci", "sqlite": "NOCASE"}.get(backend.dialect)
    shop.product.__table__.c.slug.type = sa.String(20, collation=collation)
    products = shop.products()
    products[1].slug = "X"
    note = shop.note(slug="a", product=products[1])
    with filled(backend, shop.metadata, note, *products) as engine:
        document = export_document(engine, catalog=shop.catalog, where=shop.alive)
        assert document["notes"][0]["product"] == {"slug": "X"}


def test_keys_that_are_written_alike_are_one_key_though_they_are_stored_otherwise(
    sqlite_memory: Backend,
) -> None:
    """SQLite keeps a moment as text, of which a unique constraint sees every form."""
    base = new_base()

    class Day(base):  # type: ignore[misc]
        __tablename__ = "days"
        id = ident()
        start = mapped_column(sa.DateTime, unique=True, nullable=False)
        kind = text()

    class Visit(base):  # type: ignore[misc]
        __tablename__ = "visits"
        id = ident()
        slug = text(unique=True)
        day_id = mapped_column(sa.ForeignKey(Day.id), nullable=False)
        day = relationship(Day)

    catalog = Catalog("test")
    schema_for(Day, catalog)
    schema_for(Visit, catalog)
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            for number, start in enumerate(["2025-01-01 00:00:00", "2025-01-01 00:00:00.000000"]):
                connection.exec_driver_sql(
                    "INSERT INTO days VALUES (?, ?, ?)", (number, start, f"k{number}")
                )
            connection.exec_driver_sql("INSERT INTO visits VALUES (1, 'v', 1)")
        with pytest.raises(TargetError, match="several days have start '2025-01-01T00:00:00'"):
            export_document(engine, catalog=catalog, where={"days": Day.kind == "k0"})


class Garden:
    """Every place that a reference can stand, all leading to plots of which two have one key."""

    def __init__(self) -> None:
        base = new_base()

        class Region(base):  # type: ignore[misc]
            __tablename__ = "regions"
            id = ident()
            name = text()

        class Plot(base):  # type: ignore[misc]
            __tablename__ = "plots"
            id = ident()
            region_id = mapped_column(sa.ForeignKey(Region.id), nullable=False)
            region = relationship(Region)
            above_id = mapped_column(sa.ForeignKey("plots.id"))
            above = relationship("Plot", remote_side=id)
            name = text()

        links = sa.Table(
            "plants_plots",
            base.metadata,
            sa.Column("plant_id", sa.ForeignKey("plants.id"), primary_key=True),
            sa.Column("plot_id", sa.ForeignKey(Plot.id), primary_key=True),
        )

        class Plant(base):  # type: ignore[misc]
            __tablename__ = "plants"
            __mapper_args__ = {"polymorphic_on": "sort", "polymorphic_identity": "plant"}
            id = ident()
            sort = text()
            slug = text(unique=True)
            plots = relationship(Plot, secondary=links)
            leaves = relationship("Leaf")

        class Tree(Plant):
            __tablename__ = "trees"
            __mapper_args__ = {"polymorphic_identity": "tree"}
            id = mapped_column(sa.ForeignKey(Plant.id), primary_key=True)
            root_id = mapped_column(sa.ForeignKey(Plot.id))
            root = relationship(Plot)

        class Leaf(base):  # type: ignore[misc]
            __tablename__ = "leaves"
            id = ident()
            plant_id = mapped_column(sa.ForeignKey(Plant.id), nullable=False)
            fell_on_id = mapped_column(sa.ForeignKey(Plot.id))
            fell_on = relationship(Plot)

        class Visit(base):  # type: ignore[misc]
            __tablename__ = "visits"
            id = ident()
            plot_id = mapped_column(sa.ForeignKey(Plot.id), nullable=False)
            plot = relationship(Plot)

        class Bill(base):  # type: ignore[misc]
            __tablename__ = "bills"
            id = ident()
            slug = text(unique=True)
            visit_id = mapped_column(sa.ForeignKey(Visit.id), nullable=False)
            visit = relationship(Visit)

        self.metadata = base.metadata
        self.region, self.plot, self.plant, self.tree = Region, Plot, Plant, Tree
        self.leaf, self.visit, self.bill = Leaf, Visit, Bill
        self.catalog = Catalog("garden")
        schema_for(Region, self.catalog, natural_key="name")
        schema_for(Plot, self.catalog, natural_key=("region", "above", "name"))
        schema_for(Visit, self.catalog, natural_key="plot")
        schema_for(Bill, self.catalog)
        leaves = schema_for(Leaf, self.catalog)
        schema_for(Plant, self.catalog, {"leaves": Owned(leaves)})

    def referring(self, where: str, plot: Any) -> Any:
        """Return an object that refers to a plot, in one of the places."""
        if where == "link":
            return self.plant(slug="p", plots=[plot])
        if where == "subclass":
            return self.tree(slug="p", root=plot)
        if where == "owned":
            return self.plant(slug="p", leaves=[self.leaf(fell_on=plot)])
        if where == "key":
            return self.bill(slug="p", visit=self.visit(plot=plot))
        return self.plot(region=self.region(name="s"), above=plot, name="below")


PLACES = {
    "link": ("plants", "plants, plots: several plots have region "),
    "subclass": ("plants", "plants, root: several plots have region "),
    "owned": ("plants", "plants.leaves, fell_on: several plots have region "),
    "key": ("bills", "bills, visit: several visits have plot "),
    "self": ("plots", "plots, above: several plots have region "),
}


@pytest.mark.parametrize("where", PLACES)
def test_every_place_of_a_reference_is_looked_at(backend: Backend, where: str) -> None:
    """Keys recur and lead through references here, and two regions of one name make two plots."""
    entity, expected = PLACES[where]
    garden = Garden()
    first, second = garden.region(name="r"), garden.region(name="r")
    top = garden.plot(region=first, name="top")
    plots = [garden.plot(region=first, above=top, name="a")]
    plots += [garden.plot(region=second, above=top, name="a")]
    found = garden.referring(where, plots[0])
    other = garden.visit(plot=plots[1])
    with filled(backend, garden.metadata, first, second, *plots, found, other) as engine:
        scope: Any = {"where": {"plots": garden.plot.name == "below"}} if where == "self" else {}
        with pytest.raises(TargetError) as caught:
            export_document(engine, catalog=garden.catalog, only=entity, **scope)
        assert str(caught.value).startswith(expected)


def test_only_a_key_that_nothing_guards_costs_a_statement(sqlite_memory: Backend) -> None:
    """None where a constraint guards it or all of its rows are written; else one for each key."""

    def ran(world: Any, **scope: Any) -> list[str]:
        with sqlite_memory.database(world.metadata) as engine, statements(engine) as texts:
            export_document(engine, catalog=world.catalog, **scope)
        return [text for text in texts if text.startswith("SELECT")]

    shop = Shop()
    whole = len(ran(shop))
    assert len(ran(shop, where=shop.alive)) == whole + 1
    guarded = Shop(natural_key=("shelf", "number"))
    assert len(ran(guarded, where=guarded.alive)) == whole
    assert sum("FROM plots" in text for text in ran(Garden(), only="plants")) == 1


def test_a_foreign_key_to_several_rows_is_refused_by_name(mariadb: Backend) -> None:
    """MariaDB allows foreign keys to columns that aren't unique; each row would join several."""
    base = new_base()

    class Draft(base):  # type: ignore[misc]
        __tablename__ = "drafts"
        slug = mapped_column(sa.String(9), primary_key=True)
        doc = mapped_column(sa.String(9), index=True)

    class Visit(base):  # type: ignore[misc]
        __tablename__ = "visits"
        slug = mapped_column(sa.String(9), primary_key=True)
        doc = mapped_column(sa.ForeignKey(Draft.doc))
        draft = relationship(Draft)

    catalog = Catalog("test")
    schema_for(Draft, catalog)
    schema_for(Visit, catalog)
    with filled(
        mariadb, base.metadata, Draft(slug="1", doc="d"), Draft(slug="2", doc="e")
    ) as engine:
        with Session(engine) as session, session.begin():
            session.add(Visit(slug="v", doc="d"))
        document = export_document(engine, catalog=catalog)
        assert document["visits"] == [{"slug": "v", "draft": {"slug": "1"}}]
        with Session(engine) as session, session.begin():
            session.add(Draft(slug="3", doc="d"))
        with pytest.raises(TargetError) as caught:
            export_document(engine, catalog=catalog)
        assert str(caught.value) == (
            "visits, draft: several drafts have one doc: the rows with the primary keys '1' and "
            "'3'. The record with slug 'v' (primary key 'v') refers to '1', and a restore could "
            "take the other. Make doc unique in drafts."
        )


def test_a_key_that_several_rows_share_cannot_be_referred_to(sqlite_memory: Backend) -> None:
    """``by`` and owned rows' keys may not be unique; an export finds out, not a restore."""
    base, catalog = new_base(), Catalog("test")
    person = table(base, "people", name=mapped_column(sa.String(20)))
    book = table(base, "books", owner_id=mapped_column(sa.ForeignKey("people.id"), nullable=False))
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
