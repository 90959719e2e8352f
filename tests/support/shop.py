"""A small shop: prices, references, links, owned rows and a tree, for tests of edited bundles."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, Ref
from support.declaring import new_base, schema_for
from support.world import World, key, slug, text, to


def shop(count: int = 3, *, version: int = 1) -> World:
    """Declare a shop that has so many products."""
    base, catalog = new_base(), Catalog("shop")
    tagged = sa.Table(
        "tagged",
        base.metadata,
        sa.Column("product_id", sa.ForeignKey("products.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Supplier(base):
        __tablename__ = "suppliers"
        id = key()
        slug = slug()

    class Tag(base):
        __tablename__ = "tags"
        id = key()
        slug = slug()

    class Aisle(base):
        __tablename__ = "aisles"
        id = key()
        above_id = to("aisles.id", null=True)
        name = text()
        above = relationship("Aisle", remote_side=id)

    class Product(base):
        __tablename__ = "products"
        id = key()
        slug = slug()
        price = mapped_column(sa.Numeric(8, 2), nullable=False)
        data = mapped_column(sa.JSON(none_as_null=True))
        supplier_id = to("suppliers.id")
        aisle_id = to("aisles.id", null=True)
        supplier = relationship(Supplier)
        aisle = relationship(Aisle)
        tags = relationship(Tag, secondary=tagged)
        parts = relationship("Part")

    class Part(base):
        __tablename__ = "parts"
        id = key()
        product_id = to("products.id")
        name = text()
        maker_id = to("suppliers.id", null=True)
        maker = relationship(Supplier)

    schema_for(Supplier, catalog)
    schema_for(Tag, catalog)
    schema_for(Aisle, catalog, natural_key=("above", "name"))
    part = schema_for(Part, catalog)
    fields = {"tags": Ref(), "parts": Owned(part)}
    schema_for(Product, catalog, fields, version=version)
    models = SimpleNamespace(Supplier=Supplier, Tag=Tag, Aisle=Aisle, Product=Product, Part=Part)

    def fill(session: Session) -> None:
        suppliers = [Supplier(slug=name) for name in ("mill", "port")]
        tags = [Tag(slug=name) for name in ("dry", "new")]
        food = Aisle(name="food")
        bread = Aisle(name="bread", above=food)
        for number in range(1, count + 1):
            session.add(
                Product(
                    slug=f"p{number:04}",
                    price=Decimal(number) / 2,
                    data={"a": [number], "b": None},
                    supplier=suppliers[number % 2],
                    aisle=bread if number % 2 else None,
                    tags=list(tags),
                    parts=[Part(name="lid", maker=suppliers[0]), Part(name="tin")],
                )
            )

    return World(base, catalog, models, fill)
