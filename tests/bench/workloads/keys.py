"""Keys through references: a booking is known by its room, a room by its building, and so on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.by_hand import Slug, ids_by_slug, insert, read_lines, write_lines
from bench.workloads.base import Workload, add_rows, schema_for
from lading import Catalog

SITES, BUILDINGS, ROOMS = 10, 50, 500
FIRST_DAY = dt.date(2020, 1, 1)


class Base(DeclarativeBase):
    """The models of this workload."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Site(Base):
    """A place with buildings."""

    __tablename__ = "sites"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)


class Building(Base):
    """A building, lettered within its site."""

    __tablename__ = "buildings"
    __table_args__ = (sa.UniqueConstraint("site_id", "letter"),)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"))
    letter: Mapped[str] = mapped_column(sa.String(8))
    site: Mapped[Site] = relationship()


class Room(Base):
    """A room, numbered within its building."""

    __tablename__ = "rooms"
    __table_args__ = (sa.UniqueConstraint("building_id", "number"),)
    building_id: Mapped[int] = mapped_column(sa.ForeignKey("buildings.id"))
    number: Mapped[int]
    building: Mapped[Building] = relationship()


class Booking(Base):
    """A room, booked for a day."""

    __tablename__ = "bookings"
    __table_args__ = (sa.UniqueConstraint("room_id", "day"),)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
    day: Mapped[dt.date]
    guests: Mapped[int]
    room: Mapped[Room] = relationship()


catalog = Catalog("keys")
for model in (Site, Building, Room, Booking):
    schema_for(catalog, model)


class BuildingLine(msgspec.Struct):
    """A building, by hand."""

    site: Slug
    letter: str


class RoomLine(msgspec.Struct):
    """A room, by hand."""

    building: BuildingLine
    number: int


class BookingLine(msgspec.Struct):
    """A booking, by hand."""

    room: RoomLine
    day: dt.date
    guests: int


def fill(engine: sa.Engine, records: int) -> None:
    """Make so many bookings, of at most 500 rooms in 50 buildings on 10 sites."""
    rooms = min(ROOMS, records)
    with engine.begin() as connection:
        add_rows(connection, Site, ({"id": n + 1, "slug": f"site-{n}"} for n in range(SITES)))
        add_rows(
            connection,
            Building,
            (
                {"id": n + 1, "site_id": n % SITES + 1, "letter": f"B{n // SITES}"}
                for n in range(BUILDINGS)
            ),
        )
        add_rows(
            connection,
            Room,
            (
                {"id": n + 1, "building_id": n % BUILDINGS + 1, "number": n // BUILDINGS}
                for n in range(rooms)
            ),
        )
        add_rows(connection, Booking, (booking(n, rooms) for n in range(records)))


def booking(number: int, rooms: int) -> dict[str, Any]:
    """Return one booking's row."""
    return {
        "id": number + 1,
        "room_id": number % rooms + 1,
        "day": FIRST_DAY + dt.timedelta(days=number // rooms),
        "guests": number % 4 + 1,
    }


def export_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Join, encode, write."""
    building = (Site.slug, Building.letter)
    buildings = sa.select(*building).join(Building.site).order_by(*building)
    room = (*building, Room.number)
    rooms = sa.select(*room).join(Room.building).join(Building.site).order_by(*room)
    day = (*room, Booking.day)
    bookings = (
        sa.select(*day, Booking.guests)
        .join(Booking.room)
        .join(Room.building)
        .join(Building.site)
        .order_by(*day)
    )
    with engine.connect() as connection:
        write_lines(
            connection,
            sa.select(Site.slug).order_by(Site.slug),
            lambda rows: [Slug(s) for (s,) in rows],
            folder / "sites.jsonl",
        )
        write_lines(
            connection,
            buildings,
            lambda rows: [BuildingLine(Slug(s), letter) for s, letter in rows],
            folder / "buildings.jsonl",
        )
        write_lines(
            connection,
            rooms,
            lambda rows: [RoomLine(BuildingLine(Slug(s), b), n) for s, b, n in rows],
            folder / "rooms.jsonl",
        )
        write_lines(
            connection,
            bookings,
            lambda rows: [
                BookingLine(RoomLine(BuildingLine(Slug(s), b), n), d, g) for s, b, n, d, g in rows
            ],
            folder / "bookings.jsonl",
        )


def import_by_hand(engine: sa.Engine, folder: Path) -> None:
    """Decode, look up, insert."""
    with engine.begin() as connection:
        for slugs in read_lines(folder / "sites.jsonl", Slug):
            insert(connection, Site, "slug", [(record.slug,) for record in slugs])
        sites = ids_by_slug(connection, Site)
        for buildings in read_lines(folder / "buildings.jsonl", BuildingLine):
            rows: list[Any] = [(sites[r.site.slug], r.letter) for r in buildings]
            insert(connection, Building, "site_id, letter", rows)
        query = sa.select(Site.slug, Building.letter, Building.id).join(Building.site)
        building_ids = {(slug, letter): id_ for slug, letter, id_ in connection.execute(query)}
        for rooms in read_lines(folder / "rooms.jsonl", RoomLine):
            rows = [
                (building_ids[r.building.site.slug, r.building.letter], r.number) for r in rooms
            ]
            insert(connection, Room, "building_id, number", rows)
        query = sa.select(Site.slug, Building.letter, Room.number, Room.id)
        query = query.join(Room.building).join(Building.site)
        room_ids = {tuple(key): id_ for *key, id_ in connection.execute(query)}
        for bookings in read_lines(folder / "bookings.jsonl", BookingLine):
            rows = [
                (
                    room_ids[r.room.building.site.slug, r.room.building.letter, r.room.number],
                    r.day.isoformat(),
                    r.guests,
                )
                for r in bookings
            ]
            insert(connection, Booking, "room_id, day, guests", rows)


WORKLOAD = Workload(
    name="keys",
    title="keys through three references",
    metadata=Base.metadata,
    catalog=catalog,
    fill=fill,
    by_hand=(export_by_hand, import_by_hand),
)
