"""Worlds whose foreign keys share columns, with each other and with primary keys."""

from __future__ import annotations

from types import SimpleNamespace

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, Ref
from support.declaring import new_base, schema_for
from support.world import World, key, number, slug, text, to


def tenants() -> World:
    """A tenant's id is in every key: required, optional, owned and linked references share it."""
    base, catalog = new_base(), Catalog("tenants")
    fk = sa.ForeignKeyConstraint

    class Tenant(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tenants"
        id = key()
        slug = slug()

    links = sa.Table(
        "order_labels",
        base.metadata,
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.Integer, primary_key=True),
        sa.Column("label_id", sa.Integer, primary_key=True),
        fk(["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"]),
        fk(["tenant_id", "label_id"], ["labels.tenant_id", "labels.id"]),
    )

    class Customer(base):  # type: ignore[misc, valid-type]
        __tablename__ = "customers"
        tenant_id = mapped_column(sa.ForeignKey("tenants.id"), primary_key=True)
        id = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        name = text(20)
        advisor_id = mapped_column(sa.Integer)
        tenant = relationship(Tenant)
        advisor = relationship(
            "Customer",
            remote_side=[tenant_id, id],
            foreign_keys=[advisor_id, tenant_id],
            overlaps="tenant",
            post_update=True,
        )
        __table_args__ = (fk(["tenant_id", "advisor_id"], ["customers.tenant_id", "customers.id"]),)

    class Label(base):  # type: ignore[misc, valid-type]
        __tablename__ = "labels"
        tenant_id = mapped_column(sa.ForeignKey("tenants.id"), primary_key=True)
        id = mapped_column(sa.Integer, primary_key=True, autoincrement=False)

    class Order(base):  # type: ignore[misc, valid-type]
        __tablename__ = "orders"
        tenant_id = mapped_column(sa.ForeignKey("tenants.id"), primary_key=True)
        id = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        customer_id = mapped_column(sa.Integer, nullable=False)
        payer_id = mapped_column(sa.Integer)
        customer = relationship(Customer, foreign_keys=[tenant_id, customer_id], viewonly=False)
        payer = relationship(Customer, foreign_keys=[tenant_id, payer_id], overlaps="customer")
        lines = relationship(lambda: Line, back_populates="order")
        labels = relationship(Label, secondary=links, overlaps="labels")
        __table_args__ = (
            fk(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
            fk(["tenant_id", "payer_id"], ["customers.tenant_id", "customers.id"]),
        )

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        id = key()
        tenant_id = mapped_column(sa.Integer, nullable=False)
        order_id = mapped_column(sa.Integer, nullable=False)
        label_id = mapped_column(sa.Integer)
        amount = number()
        order = relationship(Order, foreign_keys=[tenant_id, order_id], back_populates="lines")
        label = relationship(Label, foreign_keys=[tenant_id, label_id], overlaps="lines,order")
        __table_args__ = (
            fk(["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"]),
            fk(["tenant_id", "label_id"], ["labels.tenant_id", "labels.id"]),
        )

    lines = schema_for(Line, catalog)
    schema_for(Order, catalog, {"lines": Owned(lines)})
    schema_for(Customer, catalog)
    schema_for(Label, catalog)
    schema_for(Tenant, catalog)

    def fill(session: Session) -> None:
        session.add_all(Tenant(id=n + 1, slug=f"t{2 - n}") for n in range(3))
        session.flush()
        for tenant in (1, 2):
            session.add_all(Label(tenant_id=tenant, id=n) for n in range(3))
            session.add_all(Customer(tenant_id=tenant, id=n, name=f"c{n}") for n in range(4))
        session.flush()
        customers = base.metadata.tables["customers"]
        session.execute(
            sa.update(customers).where(customers.c.id > 0).values(advisor_id=customers.c.id - 1)
        )
        orders = [
            {
                "tenant_id": n % 2 + 1,
                "id": n,
                "customer_id": n % 4,
                "payer_id": (n + 1) % 4 if n % 3 else None,
            }
            for n in range(9)
        ]
        session.execute(sa.insert(Order), orders)
        session.execute(
            sa.insert(Line),
            [
                {
                    "tenant_id": order["tenant_id"],
                    "order_id": order["id"],
                    "label_id": n if n else None,
                    "amount": 5 - n,
                }
                for order in orders[:4]
                for n in range(3)
            ],
        )
        session.execute(
            sa.insert(links),
            [
                {"tenant_id": order["tenant_id"], "order_id": order["id"], "label_id": n}
                for order in orders[2:]
                for n in range(3)
                if (order["id"] or 0) % (n + 1) == 0
            ],
        )

    def more(session: Session) -> None:
        order = session.scalars(sa.select(Order).limit(1)).one()
        session.add(Line(order=order, amount=1))

    models = SimpleNamespace(Tenant=Tenant, Customer=Customer, Order=Order, Label=Label, Line=Line)
    return World(base, catalog, models, fill, more)


def branches() -> World:
    """Shared columns that are plain values, and references that carry none of their own."""
    base, catalog = new_base(), Catalog("branches")
    fk = sa.ForeignKeyConstraint

    class City(base):  # type: ignore[misc, valid-type]
        __tablename__ = "cities"
        country = mapped_column(sa.String(2), primary_key=True)
        name = mapped_column(sa.String(20), primary_key=True)

    class Country(base):  # type: ignore[misc, valid-type]
        __tablename__ = "countries"
        code = mapped_column(sa.String(2), primary_key=True)

    class Branch(base):  # type: ignore[misc, valid-type]
        __tablename__ = "branches"
        country = mapped_column(sa.String(2), primary_key=True)
        code = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        city_name = mapped_column(sa.String(20))
        head_code = mapped_column(sa.Integer)
        city = relationship(City, foreign_keys=[country, city_name])
        __table_args__ = (
            fk(["country", "city_name"], ["cities.country", "cities.name"]),
            fk(["country", "head_code"], ["branches.country", "branches.code"]),
        )

    Branch.head = relationship(
        Branch,
        remote_side=[Branch.country, Branch.code],
        foreign_keys=[Branch.country, Branch.head_code],
        overlaps="city",
    )

    class Visit(base):  # type: ignore[misc, valid-type]
        __tablename__ = "visits"
        id = key()
        slug = slug()
        country = mapped_column(sa.ForeignKey("countries.code"))
        code = mapped_column(sa.Integer)
        city_name = mapped_column(sa.String(20))
        land = relationship(Country)
        branch = relationship(Branch, foreign_keys=[country, code], overlaps="land")
        city = relationship(City, foreign_keys=[country, city_name], overlaps="land,branch")
        both = relationship(
            Branch,
            primaryjoin=lambda: sa.and_(Visit.country == Branch.country, Visit.code == Branch.code),
            foreign_keys=[code],
            viewonly=True,
        )
        __table_args__ = (
            fk(["country", "code"], ["branches.country", "branches.code"]),
            fk(["country", "city_name"], ["cities.country", "cities.name"]),
        )

    schema_for(Visit, catalog, {"land": Ref("country")})
    schema_for(Branch, catalog)
    schema_for(City, catalog)
    schema_for(Country, catalog)

    def fill(session: Session) -> None:
        for country in ("no", "dk"):
            session.add(Country(code=country))
            session.add_all(City(country=country, name=f"{country}{n}") for n in range(3))
        session.flush()
        rows = [
            {
                "country": country,
                "code": n,
                "city_name": f"{country}{n % 3}" if n % 2 else None,
                "head_code": n - 1 if n else None,
            }
            for country in ("dk", "no")
            for n in range(4)
        ]
        session.execute(sa.insert(Branch), rows)
        visits = [
            {"slug": "nowhere", "country": None, "code": None, "city_name": None},
            {"slug": "land", "country": "no", "code": None, "city_name": None},
            {"slug": "branch", "country": "no", "code": 2, "city_name": None},
            {"slug": "city", "country": "dk", "code": None, "city_name": "dk0"},
            {"slug": "both", "country": "dk", "code": 3, "city_name": "dk2"},
        ]
        session.execute(sa.insert(Visit), visits)

    def more(session: Session) -> None:
        session.add(Visit(slug="more"))

    models = SimpleNamespace(City=City, Country=Country, Branch=Branch, Visit=Visit)
    return World(base, catalog, models, fill, more, keep=("cities", "countries", "branches"))


def folders() -> World:
    """A key that recurs through a foreign key that shares its tenant, within a hierarchy."""
    base, catalog = new_base(), Catalog("folders")
    fk = sa.ForeignKeyConstraint

    class Tenant(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tenants"
        id = key()
        slug = slug()

    class Folder(base):  # type: ignore[misc, valid-type]
        __tablename__ = "folders"
        tenant_id = mapped_column(sa.ForeignKey("tenants.id"), primary_key=True)
        id = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        parent_id = mapped_column(sa.Integer)
        name = text(20)
        kind = mapped_column(sa.String(10), nullable=False)
        tenant = relationship(Tenant)
        parent = relationship(
            "Folder",
            remote_side=[tenant_id, id],
            foreign_keys=[tenant_id, parent_id],
            overlaps="tenant",
        )
        __table_args__ = (fk(["tenant_id", "parent_id"], ["folders.tenant_id", "folders.id"]),)
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "plain"}

    class Shared(Folder):
        __tablename__ = "shared_folders"
        owner = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        group = text(20, null=True)
        __table_args__ = (fk(["owner", "number"], ["folders.tenant_id", "folders.id"]),)
        __mapper_args__ = {"polymorphic_identity": "shared"}

    class File(base):  # type: ignore[misc, valid-type]
        __tablename__ = "files"
        id = key()
        slug = slug()
        tenant_id = to("tenants.id")
        folder_id = mapped_column(sa.Integer)
        shared_id = mapped_column(sa.Integer)
        tenant = relationship(Tenant)
        folder = relationship(Folder, foreign_keys=[tenant_id, folder_id], overlaps="tenant")
        shared = relationship(Shared, foreign_keys=[tenant_id, shared_id], overlaps="tenant,folder")
        __table_args__ = (
            fk(["tenant_id", "folder_id"], ["folders.tenant_id", "folders.id"]),
            fk(["tenant_id", "shared_id"], ["shared_folders.owner", "shared_folders.number"]),
        )

    schema_for(File, catalog)
    schema_for(Folder, catalog, natural_key=("tenant", "parent", "name"))
    schema_for(Tenant, catalog)

    def fill(session: Session) -> None:
        session.add_all(Tenant(id=n + 1, slug=f"t{2 - n}") for n in range(3))
        session.flush()
        for tenant in (1, 2):
            for n in range(12):
                parent = None if n < 2 else n // 2
                made = Shared if n % 3 == 0 else Folder
                session.add(made(tenant_id=tenant, id=n, parent_id=parent, name=f"f{n % 4}"))
                session.flush()
        session.execute(
            sa.insert(File),
            [
                {
                    "slug": f"x{n}",
                    "tenant_id": n % 2 + 1,
                    "folder_id": n if n % 4 else None,
                    "shared_id": n // 3 * 3 if n > 4 else None,
                }
                for n in range(10)
            ],
        )

    def more(session: Session) -> None:
        tenant = Tenant(slug="more")
        session.add(File(slug="more", tenant=tenant))

    return World(base, catalog, SimpleNamespace(Folder=Folder, File=File), fill, more)


def events() -> World:
    """Deferred references that share a column: with a deferred one, and with one another."""
    base, catalog = new_base(), Catalog("events")
    fk = sa.ForeignKeyConstraint

    class Zone(base):  # type: ignore[misc, valid-type]
        __tablename__ = "zones"
        id = key()
        slug = slug()
        chief_id = mapped_column(sa.ForeignKey("events.id", use_alter=True, name="zone_chief"))
        chief = relationship(lambda: Event, foreign_keys=chief_id, post_update=True)

    class Event(base):  # type: ignore[misc, valid-type]
        __tablename__ = "events"
        id = key()
        slug = slug()
        level = number()
        zone_id = to("zones.id", null=True)
        before_number = number(null=True)
        above_number = number(null=True)
        below_number = number(null=True)
        other_level = number(null=True)
        number = number()
        zone = relationship(Zone, foreign_keys=zone_id)
        before = relationship(
            "Event",
            foreign_keys=[zone_id, before_number],
            remote_side=[zone_id, number],
            overlaps="zone",
        )
        above = relationship(
            "Event", foreign_keys=[other_level, above_number], remote_side=[level, number]
        )
        below = relationship(
            "Event",
            foreign_keys=[other_level, below_number],
            remote_side=[level, number],
            overlaps="above",
        )
        __table_args__ = (
            sa.UniqueConstraint("zone_id", "number"),
            sa.UniqueConstraint("level", "number"),
            fk(["zone_id", "before_number"], ["events.zone_id", "events.number"]),
            fk(["other_level", "above_number"], ["events.level", "events.number"]),
            fk(["other_level", "below_number"], ["events.level", "events.number"]),
        )

    schema_for(Zone, catalog)
    schema_for(Event, catalog, natural_key="slug")

    def fill(session: Session) -> None:
        session.execute(sa.insert(Zone), [{"id": n, "slug": f"z{3 - n}"} for n in (1, 2)])
        rows = [
            {
                "id": n + 1,
                "slug": f"e{11 - n}",
                "number": n,
                "level": n % 2,
                "zone_id": n % 3 or None,
                "before_number": n - 3 if n > 3 and n % 3 else None,
                "above_number": n - 2 if n > 4 and n % 4 else None,
                "below_number": n - 4 if n > 4 and n % 5 else None,
                "other_level": n % 2 if n > 4 else None,
            }
            for n in range(12)
        ]
        for row in rows:
            session.execute(sa.insert(Event), row)
        session.execute(sa.update(Zone).where(Zone.id == 1).values(chief_id=5))

    def more(session: Session) -> None:
        session.add(Event(slug="more", number=99, level=9))

    return World(base, catalog, SimpleNamespace(Zone=Zone, Event=Event), fill, more)


TENANTS = (tenants, branches, folders, events)
