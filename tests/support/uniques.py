"""Unique values of many types, alone and together, whose rows trade them."""

from __future__ import annotations

import enum
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from support.declaring import new_base, schema_for
from support.zoo import key, number, slug, text, to

Color = enum.Enum("Color", "red green blue white black grey pink gold")
Shape = enum.Enum("Shape", "dot line square disc star ring cone ball cube arc")


@cache
def uniques() -> Catalog:
    """Owners whose every field is unique, and lines, parts and cards that are theirs."""
    base, catalog = new_base(), Catalog("uniques")

    class Place(base):  # type: ignore[misc, valid-type]
        __tablename__ = "places"
        id = key()
        slug = slug()

    class Owner(base):  # type: ignore[misc, valid-type]
        __tablename__ = "owners"
        id = key()
        slug = slug()
        best_id = to("places.id")
        spare_id = to("places.id", null=True, unique=True)
        day = mapped_column(sa.Date, unique=True, nullable=False)
        color = mapped_column(sa.Enum(Color), unique=True, nullable=False)
        level = mapped_column(
            sa.Integer, sa.CheckConstraint("level BETWEEN 1 AND 9"), unique=True, nullable=False
        )
        code = mapped_column(sa.String(3), unique=True)
        price = mapped_column(sa.Numeric(6, 2), unique=True, nullable=False)
        active = mapped_column(sa.Boolean, nullable=False)
        seat = number()
        uid = mapped_column(sa.Uuid, unique=True, nullable=False)
        label = text(20)
        edition = mapped_column(sa.Integer, nullable=False, default=1)
        parent_id = to("owners.id", null=True)
        best = relationship(Place, foreign_keys=best_id)
        spare = relationship(Place, foreign_keys=spare_id)
        parent = relationship("Owner", remote_side=id)
        lines = relationship("Line", order_by="Line.position")
        parts = relationship("Part", order_by="Part.id")
        card = relationship("Card", uselist=False)
        is_active = sa.text("active")
        __mapper_args__ = {"version_id_col": edition}
        __table_args__ = (
            sa.UniqueConstraint("best_id", "label"),
            sa.UniqueConstraint("parent_id", "label"),
            sa.Index(
                "active_seat",
                "seat",
                unique=True,
                sqlite_where=is_active,
                postgresql_where=is_active,
            ),
        )

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        __table_args__ = (sa.UniqueConstraint("owner_id", "shape"),)
        owner_id = mapped_column(sa.ForeignKey("owners.id"), primary_key=True)
        position = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        words = text(20)
        shape = mapped_column(sa.Enum(Shape), nullable=False)
        place_id = to("places.id")
        place = relationship(Place)

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = key()
        owner_id = to("owners.id")
        code = mapped_column(sa.String(5), unique=True, nullable=False)
        next_id = to("parts.id", null=True)
        size = mapped_column(sa.BigInteger, nullable=False)
        same = mapped_column(sa.BigInteger, sa.Computed("size"))
        next = relationship("Part", remote_side=id)

    class Card(base):  # type: ignore[misc, valid-type]
        __tablename__ = "cards"
        id = key()
        owner_id = to("owners.id", unique=True)
        number = mapped_column(sa.Integer, unique=True, nullable=False)
        stamps = relationship("Stamp", order_by="Stamp.place")

    class Stamp(base):  # type: ignore[misc, valid-type]
        __tablename__ = "stamps"
        __table_args__ = (sa.UniqueConstraint("card_id", "place"),)
        id = key()
        card_id = to("cards.id")
        place = number()
        code = mapped_column(sa.String(5), unique=True, nullable=False)

    owned = {
        "lines": Owned(schema_for(Line, catalog, natural_key="position")),
        "parts": Owned(schema_for(Part, catalog, natural_key="code")),
        "card": Owned(schema_for(Card, catalog, {"stamps": Owned(schema_for(Stamp, catalog))})),
    }
    schema_for(Place, catalog)
    schema_for(Owner, catalog, owned, natural_key="slug")
    return catalog
