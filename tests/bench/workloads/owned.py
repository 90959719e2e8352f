"""Owned children two deep: each order has two lines, and each line two parcels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.by_hand import insert, read_lines, write_records
from bench.workloads.base import Workload, add_rows, scattered, schema_for
from lading import Catalog, Owned

#: Lines of an order, and parcels of a line.
EACH = 2


class Base(DeclarativeBase):
    """The models of this workload."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Parcel(Base):
    """What a line was sent in."""

    __tablename__ = "parcels"
    __table_args__ = (sa.UniqueConstraint("line_id", "position"),)
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("lines.id"))
    position: Mapped[int]
    grams: Mapped[int]


class Line(Base):
    """A line of an order."""

    __tablename__ = "lines"
    __table_args__ = (sa.UniqueConstraint("order_id", "position"),)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    position: Mapped[int]
    words: Mapped[str] = mapped_column(sa.String(60))
    parcels: Mapped[list[Parcel]] = relationship(order_by=Parcel.position)


class Order(Base):
    """What is bought."""

    __tablename__ = "orders"
    number: Mapped[str] = mapped_column(sa.String(12), unique=True)
    city: Mapped[str] = mapped_column(sa.String(60))
    lines: Mapped[list[Line]] = relationship(order_by=Line.position)


catalog = Catalog("owned")
schema_for(
    catalog,
    Order,
    lines=Owned(schema_for(catalog, Line, parcels=Owned(schema_for(catalog, Parcel)))),
)


class ParcelPart(msgspec.Struct):
    """A parcel, by hand."""

    position: int
    grams: int


class LinePart(msgspec.Struct):
    """A line, by hand."""

    position: int
    words: str
    parcels: list[ParcelPart]


class OrderLine(msgspec.Struct):
    """An order, by hand."""

    number: str
    city: str
    lines: list[LinePart]


def fill(engine: sa.Engine, records: int) -> None:
    """Make so many orders; there are seven times as many rows."""
    with engine.begin() as connection:
        add_rows(
            connection,
            Order,
            (
                {"id": n + 1, "number": scattered(n), "city": f"City {n % 90}"}
                for n in range(records)
            ),
        )
        add_rows(
            connection,
            Line,
            (
                {"id": n + 1, "order_id": n // EACH + 1, "position": n % EACH, "words": f"Item {n}"}
                for n in range(records * EACH)
            ),
        )
        add_rows(
            connection,
            Parcel,
            (
                {"id": n + 1, "line_id": n // EACH + 1, "position": n % EACH, "grams": n % 5_000}
                for n in range(records * EACH * EACH)
            ),
        )


def export_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Join everything in one order, and nest neighbours."""
    statement = (
        sa.select(
            Order.number, Order.city, Line.position, Line.words, Parcel.position, Parcel.grams
        )
        .join(Line, Line.order_id == Order.id)
        .join(Parcel, Parcel.line_id == Line.id)
        .order_by(Order.number, Line.position, Parcel.position)
    )
    with engine.connect() as connection:
        result = connection.execute(statement, execution_options={"stream_results": True})
        rows = (row for part in result.partitions(10_000) for row in part)
        write_records(nested(rows), folder / "orders.jsonl")


def nested(rows: Iterable[Any]) -> Iterator[OrderLine]:
    """Yield the orders of joined rows."""
    for (number, city), of_order in groupby(rows, itemgetter(0, 1)):
        lines = [
            LinePart(position, words, [ParcelPart(*row[4:]) for row in of_line])
            for (position, words), of_line in groupby(of_order, itemgetter(2, 3))
        ]
        yield OrderLine(number, city, lines)


def import_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Decode, number, insert."""
    order_ids, line_ids = count(1), count(1)
    with engine.begin() as connection:
        for records in read_lines(folder / "orders.jsonl", OrderLine):
            orders = [(next(order_ids), order) for order in records]
            lines = [(next(line_ids), id_, line) for id_, order in orders for line in order.lines]
            insert(
                connection,
                Order,
                "id, number, city",
                [(id_, order.number, order.city) for id_, order in orders],
            )
            insert(
                connection,
                Line,
                "id, order_id, position, words",
                [(id_, order_id, line.position, line.words) for id_, order_id, line in lines],
            )
            insert(
                connection,
                Parcel,
                "line_id, position, grams",
                [(id_, p.position, p.grams) for id_, _, line in lines for p in line.parcels],
            )


WORKLOAD = Workload(
    name="owned",
    title="owned rows, two deep",
    metadata=Base.metadata,
    catalog=catalog,
    fill=fill,
    by_hand=(export_by_hand, import_by_hand),
)
