"""A depot at two versions: with another key for goods, an entity split off, and two merged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Merge, Owned, Ref, Rekey, Rename, Split
from support.aged import changed
from support.declaring import new_base, schema_for
from support.world import World, key, number, slug, text, to


def depot(version: int, *, flat: bool = True) -> World:
    """Goods that everything refers to: nested, through keys, in lists, flat, and themselves.

    In version 2 goods are known by area and code, their makers are an entity, and cats and
    dogs are animals.  ``flat`` says that version 1 has a flat reference.
    """
    old = version == 1
    base, catalog = new_base(), Catalog("depot")
    models = SimpleNamespace(**_goods(base, old=old), **_animals(base, old=old))
    _users(base, models)
    _schemas(catalog, models, old=old, flat=flat)
    if not old:
        _changes(catalog)
    return World(base, catalog, models, lambda session: _fill(session, models, old=old))


def _goods(base: Any, *, old: bool) -> dict[str, Any]:
    class Good(base):
        __tablename__ = "goods"
        id = key()
        area = text(10)
        parent_id = to("goods.id", null=True)
        if old:
            slug = slug()
            maker_name = text(40, null=True)
            maker_town = text(null=True)
        else:
            code = text(60)
            maker_id = to("makers.id", null=True)
            maker = relationship("Maker")
            __table_args__ = (sa.UniqueConstraint("area", "code"),)
        parent = relationship("Good", remote_side=id)

    if old:
        return {"Good": Good}

    class Maker(base):
        __tablename__ = "makers"
        id = key()
        name = mapped_column(sa.String(40), unique=True, nullable=False)
        town = text(null=True)

    return {"Good": Good, "Maker": Maker}


def _animals(base: Any, *, old: bool) -> dict[str, Any]:
    def animal(name: str) -> Any:
        body = {"id": key(), "slug": slug(), "name": text(), "good_id": to("goods.id")}
        body["good"] = relationship("Good")
        return type(name, (base,), {"__tablename__": f"{name.lower()}s", **body})

    kinds = {name: animal(name) for name in (("Cat", "Dog") if old else ("Animal",))}
    (tom, *_), rex = kinds.values(), list(kinds.values())[-1]

    class Home(base):
        __tablename__ = "homes"
        id = key()
        slug = slug()
        cat_id = to(f"{tom.__tablename__}.id", null=True)
        dog_id = to(f"{rex.__tablename__}.id", null=True)
        cat = relationship(tom, foreign_keys=cat_id)
        dog = relationship(rex, foreign_keys=dog_id)

    return {**kinds, "Home": Home}


def _users(base: Any, models: SimpleNamespace) -> None:
    links = sa.Table(
        "wanted",
        base.metadata,
        sa.Column("order_id", sa.ForeignKey("orders.id"), primary_key=True),
        sa.Column("good_id", sa.ForeignKey("goods.id"), primary_key=True),
    )

    class Crate(base):
        __tablename__ = "crates"
        __table_args__ = (sa.UniqueConstraint("good_id", "number"),)
        id = key()
        good_id = to("goods.id")
        number = number()
        notes = mapped_column(sa.JSON)
        good = relationship("Good")

    class Line(base):
        __tablename__ = "lines"
        id = key()
        order_id = to("orders.id")
        crate_id = to("crates.id", null=True)
        good_id = to("goods.id")
        spare_id = to("goods.id", null=True)
        crate = relationship(Crate)
        good = relationship("Good", foreign_keys=good_id)
        spare = relationship("Good", foreign_keys=spare_id)

    class Order(base):
        __tablename__ = "orders"
        id = key()
        slug = slug()
        lines = relationship(Line, order_by=Line.id)
        wanted = relationship("Good", secondary=links)

    models.__dict__.update(Crate=Crate, Line=Line, Order=Order)


def _schemas(catalog: Catalog, models: SimpleNamespace, *, old: bool, flat: bool) -> None:
    version = 1 if old else 2
    if old:
        schema_for(models.Good, catalog, natural_key="slug")
        schema_for(models.Cat, catalog)
        schema_for(models.Dog, catalog)
    else:
        schema_for(models.Maker, catalog)
        schema_for(models.Good, catalog, natural_key=("area", "code"), version=2)
        schema_for(models.Animal, catalog)
    schema_for(models.Home, catalog)
    schema_for(models.Crate, catalog)
    spare = Ref("spare", flat=old and flat)
    lines = schema_for(models.Line, catalog, {"spare": spare}, natural_key="id")
    schema_for(models.Order, catalog, {"lines": Owned(lines)}, version=version)


def _changes(catalog: Catalog) -> None:
    goods = changed(
        catalog,
        {"goods": (1, 2), "makers": (None, 1)},
        Rename("goods", "slug", "code"),
        Rekey("goods", ("area", "code"), was="code"),
        Split(
            "goods",
            "makers",
            fields={"maker_name": "name", "maker_town": "town"},
            key="name",
            ref="maker",
        ),
        name="Goods",
    )
    animals = changed(
        catalog,
        {"cats": (1, None), "dogs": (1, None), "animals": (None, 1)},
        Merge(["cats", "dogs"], "animals"),
        after=[goods],
        name="Animals",
    )
    changed(catalog, {"orders": (1, 2)}, after=[goods, animals], name="Orders")


def _fill(session: Session, models: SimpleNamespace, *, old: bool) -> None:
    makers: dict[str, Any] = {}

    def good(name: str, area: str, maker: str | None, parent: Any = None) -> Any:
        if old:
            town = maker and f"{maker}town"
            made = {"slug": name, "maker_name": maker, "maker_town": town}
        else:
            if maker and maker not in makers:
                makers[maker] = models.Maker(name=maker, town=f"{maker}town")
            made = {"code": name, "maker": makers.get(maker or "")}
        return models.Good(area=area, parent=parent, **made)

    salt = good("salt", "z", "Sea")
    pepper = good("pepper", "a", "Hill", salt)
    mill = good("mill", "m", "Sea", pepper)
    plain = good("plain", "a", None, mill)
    crates = [
        models.Crate(good=one, number=n, notes={"good": {"slug": "salt"}, "n": n})
        for one in (salt, pepper, mill)
        for n in (2, 1)
    ]
    for n in (1, 2):
        models_lines = [
            models.Line(crate=crates[n], good=mill, spare=salt),
            models.Line(crate=None, good=salt, spare=None),
        ]
        session.add(models.Order(slug=f"o{n}", lines=models_lines, wanted=[salt, plain, pepper]))
    session.add_all([*crates, plain])
    tom, rex = ("Cat", "Dog") if old else ("Animal", "Animal")
    cats = [getattr(models, tom)(slug=f"cat{n}", name=f"Tom {n}", good=mill) for n in (3, 1)]
    dogs = [getattr(models, rex)(slug=f"dog{n}", name=f"Rex {n}", good=salt) for n in (2, 4)]
    session.add_all([*cats, *dogs])
    session.add(models.Home(slug="h1", cat=cats[0], dog=dogs[1]))
    session.add(models.Home(slug="h2", cat=cats[1], dog=None))
