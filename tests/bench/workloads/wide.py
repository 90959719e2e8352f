"""A wide table with two references: text, a number, a decimal, a date and a null."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.by_hand import Slug, ids_by_slug, insert, read_lines, write_lines
from bench.workloads.base import Workload, add_rows, scattered, schema_for
from lading import Catalog

SUPPLIERS, PRODUCTS = 50, 1_000


class Base(DeclarativeBase):
    """The models of this workload."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Supplier(Base):
    """Where things are bought."""

    __tablename__ = "suppliers"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)


class Product(Base):
    """What is bought."""

    __tablename__ = "products"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)


class Purchase(Base):
    """What was bought where."""

    __tablename__ = "purchases"
    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    purchased_on: Mapped[dt.date]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(sa.Numeric(10, 4))
    notes: Mapped[str | None] = mapped_column(sa.Text)
    product: Mapped[Product] = relationship()
    supplier: Mapped[Supplier] = relationship()


catalog = Catalog("wide")
for model in (Supplier, Product, Purchase):
    schema_for(catalog, model)


class Line(msgspec.Struct):
    """A purchase, by hand."""

    uuid: str
    product: Slug
    supplier: Slug
    purchased_on: dt.date
    quantity: int
    unit_price: Decimal
    notes: str | None


def fill(engine: sa.Engine, records: int) -> None:
    """Make so many purchases, of at most 1,000 products from at most 50 suppliers."""
    suppliers, products = min(SUPPLIERS, records), min(PRODUCTS, records)
    with engine.begin() as connection:
        for model, count in ((Supplier, suppliers), (Product, products)):
            slugs = ({"id": n, "slug": f"{model.__tablename__}-{n}"} for n in range(1, count + 1))
            add_rows(connection, model, slugs)
        rows = (purchase(n, products, suppliers) for n in range(1, records + 1))
        add_rows(connection, Purchase, rows)


def purchase(number: int, products: int, suppliers: int) -> dict[str, Any]:
    """Return one purchase's row."""
    return {
        "id": number,
        "uuid": f"{scattered(number)}-0000-4000-8000-{number:012x}",
        "product_id": number % products + 1,
        "supplier_id": number % suppliers + 1,
        "purchased_on": dt.date(2024, 1, 1) + dt.timedelta(days=number % 700),
        "quantity": number % 12 + 1,
        "unit_price": Decimal(number % 99_999) / 10_000,
        "notes": None if number % 3 else f"lot {number}",
    }


def export_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Join, encode, write."""
    purchases = (
        sa.select(
            Purchase.uuid,
            Product.slug,
            Supplier.slug,
            Purchase.purchased_on,
            Purchase.quantity,
            Purchase.unit_price,
            Purchase.notes,
        )
        .join(Product, Purchase.product_id == Product.id)
        .join(Supplier, Purchase.supplier_id == Supplier.id)
        .order_by(Purchase.uuid)
    )
    with engine.connect() as connection:
        for model in (Supplier, Product):
            slugs = sa.select(model.slug).order_by(model.slug)
            path = folder / f"{model.__tablename__}.jsonl"
            write_lines(connection, slugs, lambda rows: [Slug(slug) for (slug,) in rows], path)
        write_lines(
            connection,
            purchases,
            lambda rows: [Line(u, Slug(p), Slug(s), d, q, x, n) for u, p, s, d, q, x, n in rows],
            folder / "purchases.jsonl",
        )


def import_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Decode, look up, insert."""
    is_sqlite = engine.dialect.name == "sqlite"
    number: Any = float if is_sqlite else Decimal
    day: Any = dt.date.isoformat if is_sqlite else lambda date: date
    names = "uuid, product_id, supplier_id, purchased_on, quantity, unit_price, notes"
    with engine.begin() as connection:
        for model in (Supplier, Product):
            for slugs in read_lines(folder / f"{model.__tablename__}.jsonl", Slug):
                insert(connection, model, "slug", [(record.slug,) for record in slugs])
        products, suppliers = (ids_by_slug(connection, model) for model in (Product, Supplier))
        for records in read_lines(folder / "purchases.jsonl", Line):
            rows = [
                (
                    r.uuid,
                    products[r.product.slug],
                    suppliers[r.supplier.slug],
                    day(r.purchased_on),
                    r.quantity,
                    number(r.unit_price),
                    r.notes,
                )
                for r in records
            ]
            insert(connection, Purchase, names, rows)


WORKLOAD = Workload(
    name="wide",
    title="wide table, two references",
    metadata=Base.metadata,
    catalog=catalog,
    fill=fill,
    by_hand=(export_by_hand, import_by_hand),
)
