"""Halls: unique values that trade places, owned rows at two depths, and links."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import relationship

from lading import Catalog, Owned
from support.declaring import new_base, schema_for
from support.zoo import key, number, slug, text, to


@cache
def halls() -> Catalog:
    """Halls with places that are unique in two ways, one plan each, and rows at two depths."""
    base, catalog = new_base(), Catalog("halls")

    links = sa.Table(
        "hall_guests",
        base.metadata,
        sa.Column("hall_id", sa.ForeignKey("halls.id"), primary_key=True),
        sa.Column("guest_id", sa.ForeignKey("guests.id"), primary_key=True),
    )

    class Guest(base):  # type: ignore[misc, valid-type]
        __tablename__ = "guests"
        id = key()
        slug = slug()

    class Plan(base):  # type: ignore[misc, valid-type]
        __tablename__ = "plans"
        id = key()
        hall_id = to("halls.id", unique=True)
        words = text()

    class Seat(base):  # type: ignore[misc, valid-type]
        __tablename__ = "seats"
        id = key()
        row_id = to("rows.id")
        code = slug()

    class Row(base):  # type: ignore[misc, valid-type]
        __tablename__ = "rows"
        id = key()
        hall_id = to("halls.id")
        code = slug()
        seats = relationship(Seat)

    class Hall(base):  # type: ignore[misc, valid-type]
        __tablename__ = "halls"
        __table_args__ = (sa.UniqueConstraint("wing", "place"),)
        id = key()
        slug = slug()
        wing = text(5, null=True)
        place = number()
        small = sa.orm.mapped_column(sa.SmallInteger, unique=True, nullable=False)
        plan = relationship(Plan, uselist=False)
        rows = relationship(Row)
        guests = relationship(Guest, secondary=links)

    rows = schema_for(Row, catalog, {"seats": Owned(schema_for(Seat, catalog))})
    schema_for(Guest, catalog)
    schema_for(Hall, catalog, {"plan": Owned(schema_for(Plan, catalog)), "rows": Owned(rows)})
    return catalog


def hall(
    n: int,
    *rows: str,
    place: int | None = None,
    small: int | None = None,
    guests: str = "",
    words: str = "",
) -> dict[str, Any]:
    """Return a record of a hall; a row ``r:ab`` has the seats a and b."""
    nested = [row.partition(":") for row in rows]
    return {
        "slug": f"h{n}",
        "wing": "w",
        "place": n if place is None else place,
        "small": n if small is None else small,
        "plan": [{"words": f"plan {words}"}],
        "guests": [{"slug": slug} for slug in guests],
        "rows": [{"code": r, "seats": [{"code": s} for s in seats]} for r, _, seats in nested],
    }


def document(*records: dict[str, Any]) -> dict[str, Any]:
    """Return a document of halls, and of the guests that they have."""
    guests = sorted({guest["slug"] for record in records for guest in record["guests"]})
    return {"halls": list(records), "guests": [{"slug": slug} for slug in guests]}
