"""A small application at two versions, whose files are fuzzed."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from lading import Catalog, Change, Convert, Owned, Rekey
from support.declaring import schema_for


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


labels = sa.Table(
    "labels",
    Base.metadata,
    sa.Column("thing", sa.ForeignKey("things.id"), primary_key=True),
    sa.Column("tag", sa.ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"
    slug: Mapped[str] = mapped_column(sa.String(20), unique=True)
    name: Mapped[str] = mapped_column(sa.String(20), unique=True)


class Thing(Base):
    __tablename__ = "things"
    slug: Mapped[str] = mapped_column(sa.String(20), unique=True)
    colour: Mapped[Colour]
    price: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    data: Mapped[Any] = mapped_column(sa.JSON)
    first_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tags.id"))
    first: Mapped[Tag | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=labels)
    parts: Mapped[list[Part]] = relationship(order_by="Part.place")


class Part(Base):
    __tablename__ = "parts"
    thing_id: Mapped[int] = mapped_column(sa.ForeignKey("things.id"))
    place: Mapped[int]
    __table_args__ = (sa.UniqueConstraint("thing_id", "place"),)


def older(engine: sa.Engine) -> Catalog:
    """Declare version 1, and fill a database."""
    catalog = _declared(1, natural_key="slug")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        tags = [Tag(slug=name, name=name.upper()) for name in ("a", "b")]
        parts = [Part(place=place) for place in (1, 2)]
        session.add(
            Thing(
                slug="x", colour=Colour.RED, price=Decimal("1.50"), data={"a": [1, None]},
                first=tags[0], tags=tags, parts=parts,
            )
        )  # fmt: skip
    return catalog


def newer() -> Catalog:
    """Declare version 2: tags are known by their names, and parts were numbered anew."""
    catalog = _declared(2, natural_key="name")
    steps: list[Any] = [Rekey("tags", "name"), Convert("things.parts", "place", _next)]
    upgrades = {"tags": (1, 2), "things": (1, 2)}
    body = {"__doc__": "Newer.", "catalog": catalog, "upgrades": upgrades, "steps": steps}
    type("Newer", (Change,), body)
    return catalog


def _next(place: Any) -> Any:
    return place + 1 if isinstance(place, int) else place


def _declared(version: int, *, natural_key: str) -> Catalog:
    catalog = Catalog("c")
    schema_for(Tag, catalog, version=version, natural_key=natural_key)
    parts = schema_for(Part, catalog)
    schema_for(Thing, catalog, {"parts": Owned(parts)}, version=version)
    return catalog
