"""How long a hundred round trips of a shop of five tables take."""

from __future__ import annotations

import cProfile
import pstats
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.timing import timed
from lading import Catalog, EntitySchema, Owned
from lading.testing import assert_round_trip, datasets

EXAMPLES = 100


class Base(DeclarativeBase):
    """The shop's tables."""


class Supplier(Base):
    """Whom products come from."""

    __tablename__ = "suppliers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    since: Mapped[Any] = mapped_column(sa.DateTime, nullable=True)


tagged = sa.Table(
    "tagged",
    Base.metadata,
    sa.Column("product_id", sa.ForeignKey("products.id"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    """What products are found by."""

    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(sa.String(20), unique=True)


class Product(Base):
    """What is sold."""

    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(30), unique=True)
    price: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    note: Mapped[str | None] = mapped_column(sa.Text)
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("suppliers.id"))
    supplier: Mapped[Supplier | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=tagged)


class Line(Base):
    """What an order holds."""

    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    place: Mapped[int]
    amount: Mapped[int]
    product: Mapped[Product] = relationship()


class Order(Base):
    """What is bought."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(12), unique=True)
    placed: Mapped[Any] = mapped_column(sa.DateTime(timezone=True))
    lines: Mapped[list[Line]] = relationship(order_by=Line.place)


catalog = Catalog("shop")


def _schema(model_: type, members: dict[str, Any] | None = None, **options: Any) -> Any:
    meta = type("Meta", (), {"model": model_, "catalog": catalog, **options})
    return type(f"{model_.__name__}Schema", (EntitySchema,), {**(members or {}), "Meta": meta})


_schema(Supplier)
_schema(Tag)
_schema(Product)
_schema(Order, {"lines": Owned(_schema(Line))})


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(datasets(catalog))
def trips(dataset: Any) -> None:
    """Move a dataset there and back."""
    assert_round_trip(catalog, dataset)


def measure(*, profiled: bool) -> None:
    """Print what the round trips take, and where they spend it if they are profiled."""
    profile = cProfile.Profile()
    timing = timed(partial(profile.runcall, trips) if profiled else trips)
    if profiled:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
    print(f"{EXAMPLES} round trips: {timing.wall:.1f} s, {timing.cpu:.1f} s of CPU")
