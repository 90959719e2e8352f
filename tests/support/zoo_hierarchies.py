"""Worlds of inheritance: one table for all classes, a table for each, and both mixed."""

from __future__ import annotations

import enum
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, Ref
from support.declaring import new_base, schema_for
from support.world import World, key, number, slug, text, to


class Role(enum.Enum):
    plain = 1
    boss = 2
    maker = 3


def single_table() -> World:
    """All classes in one table.

    Nullable columns, one that others fill by a default, a column that two classes share,
    references of and to a subclass, owned rows and links of one.
    """
    base, catalog = new_base(), Catalog("single")

    class Skill(base):  # type: ignore[misc, valid-type]
        __tablename__ = "skills"
        id = key()
        slug = slug()

    links = sa.Table(
        "maker_skills",
        base.metadata,
        sa.Column("maker_id", sa.ForeignKey("staff.id"), primary_key=True),
        sa.Column("skill_id", sa.ForeignKey("skills.id"), primary_key=True),
    )

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "staff"
        id = key()
        slug = slug()
        role = mapped_column(sa.Enum(Role), nullable=False)
        boss_id = to("staff.id", null=True)
        __mapper_args__ = {"polymorphic_on": role, "polymorphic_identity": Role.plain}

    class Boss(Person):
        budget = mapped_column(sa.Numeric(10, 2))
        badge = mapped_column(sa.String(20))
        level = mapped_column(sa.Integer, server_default="7", nullable=False)
        deputy_id = to("staff.id", null=True)
        deputy = relationship(lambda: Maker, foreign_keys=deputy_id, remote_side=Person.id)
        notes = relationship(lambda: Note)
        __mapper_args__ = {"polymorphic_identity": Role.boss}

    class Maker(Person):
        tool = mapped_column("tool_name", sa.JSON(none_as_null=True))
        badge = mapped_column(sa.String(20), use_existing_column=True)
        skills = relationship(Skill, secondary=links)
        __mapper_args__ = {"polymorphic_identity": Role.maker}

    Person.boss = relationship(Boss, foreign_keys=Person.boss_id, remote_side=Person.id)

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        id = key()
        boss_id = to("staff.id")
        words = text()

    class Task(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tasks"
        id = key()
        slug = slug()
        maker_id = to("staff.id")
        maker = relationship(Maker)

    notes = schema_for(Note, catalog)
    schema_for(Task, catalog)
    schema_for(Person, catalog, {"notes": Owned(notes)})
    schema_for(Skill, catalog)

    def fill(session: Session) -> None:
        skills = [Skill(slug=f"s{n}") for n in range(3)]
        bosses = [Boss(slug=f"b{n}", budget=n if n else None, badge=f"B{n}") for n in range(3)]
        makers = [
            Maker(slug=f"m{n}", tool={"n": n} if n else None, skills=skills[:n], boss=bosses[0])
            for n in range(4)
        ]
        session.add_all([*bosses, *makers, Person(slug="plain", boss=bosses[1])])
        session.flush()
        bosses[0].notes = [Note(words="b"), Note(words="a")]
        bosses[0].deputy = makers[2]
        bosses[2].boss = bosses[0]
        session.add_all(Task(slug=f"t{n}", maker=makers[n % 4]) for n in range(6))

    def more(session: Session) -> None:
        session.add(Task(slug="more", maker=Maker(slug="more", badge="M")))

    models = SimpleNamespace(Person=Person, Boss=Boss, Maker=Maker, Note=Note, Task=Task)
    return World(base, catalog, models, fill, more)


def joined_tables() -> World:
    """A table for each class, three levels deep, one class without a table of its own.

    References of, to and within subclasses, required ones too; owned rows of a subclass.
    """
    base, catalog = new_base(), Catalog("joined")

    class Place(base):  # type: ignore[misc, valid-type]
        __tablename__ = "places"
        id = key()
        slug = slug()

    class Asset(base):  # type: ignore[misc, valid-type]
        __tablename__ = "assets"
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(20), nullable=False)
        title = text(40, null=True)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "asset"}

    class Machine(Asset):
        __tablename__ = "machines"
        asset_id = mapped_column(sa.ForeignKey("assets.id"), primary_key=True)
        power = number()
        place_id = to("places.id")
        spare_id = to("machines.asset_id", null=True)
        place = relationship(Place)
        spare = relationship(
            "Machine", foreign_keys=spare_id, remote_side=asset_id, post_update=True
        )
        parts = relationship(lambda: Part, order_by=lambda: Part.position)
        __mapper_args__ = {
            "polymorphic_identity": "machine",
            "inherit_condition": asset_id == Asset.id,
        }

    class Oven(Machine):
        __tablename__ = "ovens"
        machine_id = mapped_column(sa.ForeignKey("machines.asset_id"), primary_key=True)
        heat = number(null=True)
        __mapper_args__ = {"polymorphic_identity": "oven"}

    class SteamOven(Oven):
        litres = mapped_column(sa.Integer)
        __mapper_args__ = {"polymorphic_identity": "steam"}

    class Licence(Asset):
        __tablename__ = "licences"
        id = mapped_column(sa.ForeignKey("assets.id"), primary_key=True)
        code = mapped_column(sa.String(30), unique=True)
        until = mapped_column("valid_until", sa.Date)
        oven_id = to("ovens.machine_id", null=True)
        __mapper_args__ = {
            "polymorphic_identity": "licence",
            "inherit_condition": id == Asset.id,
        }

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = key()
        machine_id = to("machines.asset_id")
        position = number()
        words = text()

    class Check(base):  # type: ignore[misc, valid-type]
        __tablename__ = "checks"
        id = key()
        slug = slug()
        asset_id = to("assets.id")
        machine_id = to("machines.asset_id", null=True)
        licence_code = to("licences.code", null=True)

    parts = schema_for(Part, catalog)
    schema_for(Check, catalog, {"licence": Ref("licence_code")})
    schema_for(Asset, catalog, {"parts": Owned(parts)})
    schema_for(Place, catalog)

    def fill(session: Session) -> None:
        places = [Place(slug=f"p{n}") for n in range(2)]
        machines = [Machine(slug=f"m{n}", power=n, place=places[n % 2]) for n in range(4)]
        ovens = [Oven(slug=f"o{n}", power=n, place=places[0], heat=n or None) for n in range(3)]
        steam = SteamOven(slug="steam", power=9, place=places[1], heat=200, litres=5)
        session.add_all([*places, *machines, *ovens, steam, Asset(slug="a0", title="plain")])
        machines[0].spare, machines[1].spare, ovens[1].spare = machines[1], ovens[0], ovens[1]
        machines[2].parts = [Part(position=2, words="b"), Part(position=1, words="c")]
        steam.parts = [Part(position=1, words="s")]
        session.flush()
        licences = [Licence(slug=f"l{n}", title=f"L{n}", code=f"c{n}") for n in range(3)]
        licences[0].oven_id, licences[1].oven_id = steam.id, ovens[0].id
        session.add_all(licences)
        session.flush()
        session.add(Check(slug="k0", asset_id=machines[0].id))
        session.add(Check(slug="k1", asset_id=ovens[0].id, machine_id=steam.id))
        session.add(Check(slug="k2", asset_id=licences[0].id, licence_code="c1"))

    def more(session: Session) -> None:
        oven = Oven(
            slug="more", power=1, place=Place(slug="more"), parts=[Part(position=1, words="x")]
        )
        session.add(oven)

    models = SimpleNamespace(Asset=Asset, Machine=Machine, Oven=Oven, Licence=Licence, Check=Check)
    return World(base, catalog, models, fill, more)


def owned_hierarchy() -> World:
    """Owned rows of several classes, with a composite key that they share.

    The base has no rows of its own, and the class is a number.
    """
    base, catalog = new_base(), Catalog("lines")

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = key()
        slug = slug()

    class Bill(base):  # type: ignore[misc, valid-type]
        __tablename__ = "bills"
        slug = mapped_column(sa.String(30), primary_key=True)
        lines = relationship(lambda: Line, order_by=lambda: Line.number)

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        bill_slug = mapped_column(sa.ForeignKey("bills.slug"), primary_key=True)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        type = mapped_column(sa.Integer)
        __mapper_args__ = {"polymorphic_on": type, "polymorphic_abstract": True}

    class ItemLine(Line):
        __tablename__ = "item_lines"
        bill = mapped_column(sa.String(30), primary_key=True)
        line = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        amount = mapped_column(sa.Numeric(8, 3), nullable=False)
        item_id = to("items.id")
        item = relationship(Item)
        __table_args__ = (
            sa.ForeignKeyConstraint(["bill", "line"], ["lines.bill_slug", "lines.number"]),
        )
        __mapper_args__ = {"polymorphic_identity": 1}

    class TextLine(Line):
        words = mapped_column(sa.String(50))
        __mapper_args__ = {"polymorphic_identity": 2}

    lines = schema_for(Line, catalog)
    schema_for(Bill, catalog, {"lines": Owned(lines)})
    schema_for(Item, catalog)

    def fill(session: Session) -> None:
        items = [Item(slug=f"i{n}") for n in range(3)]
        session.add_all(items)
        for n in range(3):
            made: list[Any] = [
                ItemLine(number=9 - k, amount=k, item=items[k])
                if k % 2
                else TextLine(number=9 - k, words=f"w{k}")
                for k in range(n)
            ]
            session.add(Bill(slug=f"bill{n}", lines=made))

    def more(session: Session) -> None:
        session.add(Bill(slug="more", lines=[TextLine(number=1, words="more")]))

    return World(base, catalog, SimpleNamespace(Bill=Bill, Line=Line, Item=Item), fill, more)


HIERARCHIES = (single_table, joined_tables, owned_hierarchy)
