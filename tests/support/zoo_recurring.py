"""Worlds whose natural keys recur through a nullable self reference."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, Ref
from support.declaring import new_base, schema_for
from support.world import NASTY, World, key, number, slug, text, to


def categories() -> World:
    """A tree keyed by parent and name; records, owned rows, links and keys refer into it."""
    base, catalog = new_base(), Catalog("categories")
    links = sa.Table(
        "listed",
        base.metadata,
        sa.Column("product_id", sa.ForeignKey("products.id"), primary_key=True),
        sa.Column("category_id", sa.ForeignKey("categories.id"), primary_key=True),
    )

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        parent_id = to("categories.id", null=True)
        name = text()
        twin_id = to("categories.id", null=True)  # no part of the key, so it is set later
        parent = relationship("Category", remote_side=id, foreign_keys=parent_id)
        twin = relationship("Category", remote_side=id, foreign_keys=twin_id, post_update=True)

    class Share(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shares"
        id = key()
        product_id = to("products.id")
        category_id = to("categories.id", null=True)
        percent = number()
        category = relationship(Category)

    class Product(base):  # type: ignore[misc, valid-type]
        __tablename__ = "products"
        id = key()
        category_id = to("categories.id")
        name = text(30)
        spare_id = to("categories.id", null=True)
        category = relationship(Category, foreign_keys=category_id)
        spare = relationship(Category, foreign_keys=spare_id)
        listed = relationship(Category, secondary=links)
        shares = relationship(Share)

    class Offer(base):  # type: ignore[misc, valid-type]
        __tablename__ = "offers"
        id = key()
        slug = slug()
        product_id = to("products.id")
        product = relationship(Product)

    schema_for(Category, catalog, natural_key=("parent", "name"))
    shares = schema_for(Share, catalog)
    schema_for(Product, catalog, {"shares": Owned(shares)}, natural_key=("category", "name"))
    schema_for(Offer, catalog)

    def fill(session: Session) -> None:
        names = ["food", "food ", "Food", "f", *NASTY]
        made = [Category(name=name) for name in names]
        for n, name in enumerate(names):
            made.append(Category(name=name, parent=made[n]))
            made.append(Category(name="same", parent=made[n]))
        for n in range(12):
            made.append(Category(name=f"d{9 - n % 10}", parent=made[-1]))
        session.add_all(made)
        session.flush()
        for n in range(0, 20, 3):
            made[n].twin = made[-n - 1]
        products = [
            Product(
                category=made[-n * 3],
                name=f"p{n % 2}",
                spare=made[n] if n % 3 else None,
                listed=[made[n], made[-1 - n], made[5]],
                shares=[
                    Share(percent=p, category=made[-p] if p % 2 else None) for p in range(1, n % 4)
                ],
            )
            for n in range(6, 20)
        ]
        session.add_all(products)
        session.add_all(Offer(slug=f"o{n}", product=item) for n, item in enumerate(products))

    def more(session: Session) -> None:
        above = Category(name="more")
        session.add(Product(category=Category(name="more", parent=above), name="more"))

    models = SimpleNamespace(Category=Category, Product=Product, Share=Share, Offer=Offer)
    return World(base, catalog, models, fill, more)


def sections() -> World:
    """The self reference between other parts: nullable, a decimal, and two references."""
    base, catalog = new_base(), Catalog("sections")

    class Region(base):  # type: ignore[misc, valid-type]
        __tablename__ = "regions"
        id = key()
        name = text(20)
        within_id = to("regions.id", null=True)
        within = relationship("Region", remote_side=id)

    class Kind(base):  # type: ignore[misc, valid-type]
        __tablename__ = "kinds"
        __table_args__ = (sa.UniqueConstraint("name", "grade"),)
        id = key()
        name = text(20)
        grade = number()

    class Section(base):  # type: ignore[misc, valid-type]
        __tablename__ = "sections"
        id = key()
        position = number(null=True)
        kind_id = to("kinds.id", null=True)
        above_id = to("sections.id", null=True)
        region_id = to("regions.id")
        weight = mapped_column(sa.Numeric(8, 2), nullable=False)
        kind = relationship(Kind)
        above = relationship("Section", remote_side=id)
        region = relationship(Region)

    schema_for(Region, catalog, natural_key=("name", "within"))
    schema_for(Kind, catalog)
    schema_for(Section, catalog, natural_key=("position", "kind", "above", "region", "weight"))

    def fill(session: Session) -> None:
        regions: list[Any] = [Region(name="r")]
        for n in range(8):
            regions.append(Region(name=f"r{n % 3}", within=regions[n // 2]))
        kinds = [Kind(name=f"k{n % 2}", grade=10 - n) for n in range(4)]
        made: list[Any] = []
        for n in range(40):
            made.append(
                Section(
                    position=(n * 7) % 11 if n % 4 else None,
                    kind=kinds[n % 4] if n % 5 else None,
                    above=made[n // 2 - 1] if n > 3 else None,
                    region=regions[n % 9],
                    weight=Decimal(n * 13 % 17) - 8,
                )
            )
        session.add_all([*regions, *kinds, *made])

    def more(session: Session) -> None:
        region = Region(name="more")
        top = Section(position=None, region=region, weight=0)
        session.add(Section(position=1, region=region, weight=1, above=top))

    return World(
        base, catalog, SimpleNamespace(Region=Region, Kind=Kind, Section=Section), fill, more
    )


def accounts() -> World:
    """Self references of two columns, and to a unique column; what refers to them likewise."""
    base, catalog = new_base(), Catalog("accounts")

    class Account(base):  # type: ignore[misc, valid-type]
        __tablename__ = "accounts"
        __table_args__ = (
            sa.UniqueConstraint("book", "code"),
            sa.ForeignKeyConstraint(
                ["parent_book", "parent_code"], ["accounts.book", "accounts.code"]
            ),
        )
        id = key()
        book = text(5)
        code = number()
        name = text(20)
        parent_book = text(5, null=True)
        parent_code = number(null=True)
        parent = relationship("Account", remote_side=[book, code])

    class Unit(base):  # type: ignore[misc, valid-type]
        __tablename__ = "units"
        code = mapped_column(sa.String(10), unique=True, nullable=False)
        id = key()
        name = text(20)
        parent_code = to("units.code", null=True)
        account_book = text(5)
        account_code = number()
        __table_args__ = (
            sa.ForeignKeyConstraint(
                ["account_book", "account_code"], ["accounts.book", "accounts.code"]
            ),
        )
        parent = relationship("Unit", remote_side=code)
        account = relationship(Account)

    class Post(base):  # type: ignore[misc, valid-type]
        __tablename__ = "posts"
        unit_code = to("units.code", primary_key=True)
        account_id = to("accounts.id", primary_key=True)
        amount = number()
        unit = relationship(Unit)
        account = relationship(Account)

    schema_for(Account, catalog, natural_key=("parent", "name"))
    schema_for(Unit, catalog, natural_key=("name", "parent"))
    schema_for(Post, catalog)

    def fill(session: Session) -> None:
        accounts: list[Any] = []
        for n in range(20):
            above = accounts[n // 3] if n > 1 else None
            accounts.append(Account(book=f"b{n % 2}", code=n, name=f"a{n % 7}", parent=above))
        units: list[Any] = []
        for n in range(15):
            above = units[n - 2] if n > 1 else None
            units.append(
                Unit(code=f"u{50 - n}", name=f"n{n % 4}", parent=above, account=accounts[n])
            )
        session.add_all([*accounts, *units])
        session.add_all(Post(unit=units[n], account=accounts[-n - 1], amount=n) for n in range(9))

    def more(session: Session) -> None:
        above = Account(book="m", code=1, name="more")
        account = Account(book="m", code=2, name="more", parent=above)
        session.add(Unit(code="m", name="more", account=account))

    return World(base, catalog, SimpleNamespace(Account=Account, Unit=Unit, Post=Post), fill, more)


def hooked_categories() -> World:
    """The same, with schemas that take marshmallow's own way."""
    base, catalog = new_base(), Catalog("hooked_categories")
    links = sa.Table(
        "listed",
        base.metadata,
        sa.Column("product_id", sa.ForeignKey("products.id"), primary_key=True),
        sa.Column("category_id", sa.ForeignKey("categories.id"), primary_key=True),
    )

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        parent_id = to("categories.id", null=True)
        name = text(20)
        grade = number(null=True)
        parent = relationship("Category", remote_side=id)

    class Product(base):  # type: ignore[misc, valid-type]
        __tablename__ = "products"
        id = key()
        category_id = to("categories.id")
        name = text(20)
        category = relationship(Category)
        listed = relationship(Category, secondary=links)

    hook = {"copied": ma.pre_load(lambda self, data, **_: dict(data))}
    schema_for(
        Category,
        catalog,
        {**hook, "parent": Ref(data_key="within")},
        natural_key=("name", "parent", "grade"),
    )
    schema_for(Product, catalog, {**hook}, natural_key=("name", "category"))

    def fill(session: Session) -> None:
        made: list[Any] = []
        for n in range(30):
            above = made[n - 2] if n > 2 else None
            made.append(Category(name=f"c{n * 7 % 10}", grade=n % 3 or None, parent=above))
        session.add_all(made)
        session.add_all(
            Product(name=f"p{n}", category=made[n], listed=[made[-n], made[3], made[n + 4]])
            for n in range(5, 12)
        )

    def more(session: Session) -> None:
        session.add(Category(name="more", parent=Category(name="more")))

    return World(base, catalog, SimpleNamespace(Category=Category, Product=Product), fill, more)


def by_slug() -> World:
    """A key of parent and name where the parent is written by its slug, so it doesn't recur."""
    base, catalog = new_base(), Catalog("by_slug")

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        slug = slug()
        parent_id = to("categories.id", null=True)
        name = text(20)
        parent = relationship("Category", remote_side=id)

    schema_for(Category, catalog, {"parent": Ref(by="slug")}, natural_key=("parent", "name"))

    def fill(session: Session) -> None:
        made: list[Any] = []
        for n in range(20):
            above = made[n // 2] if n > 2 else None
            made.append(Category(slug=f"s{40 - n}", name=f"n{n % 9}", parent=above))
        session.add_all(made)

    def more(session: Session) -> None:
        session.add(Category(slug="more", name="more", parent=Category(slug="m", name="m")))

    return World(base, catalog, SimpleNamespace(Category=Category), fill, more)


def flat_parts() -> World:
    """Keys with a flat reference among their parts: one that recurs, and one that doesn't."""
    base, catalog = new_base(), Catalog("flat_parts")
    links = sa.Table(
        "offered",
        base.metadata,
        sa.Column("offer_id", sa.ForeignKey("offers.id"), primary_key=True),
        sa.Column("product_id", sa.ForeignKey("products.id"), primary_key=True),
    )

    class Kind(base):  # type: ignore[misc, valid-type]
        __tablename__ = "kinds"
        id = key()
        slug = slug()

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        parent_id = to("categories.id", null=True)
        kind_id = to("kinds.id", null=True)
        name = text(20)
        parent = relationship("Category", remote_side=id)
        kind = relationship(Kind)

    class Product(base):  # type: ignore[misc, valid-type]
        __tablename__ = "products"
        id = key()
        kind_id = to("kinds.id")
        category_id = to("categories.id", null=True)
        kind = relationship(Kind)
        category = relationship(Category)

    class Offer(base):  # type: ignore[misc, valid-type]
        __tablename__ = "offers"
        id = key()
        slug = slug()
        product_id = to("products.id")
        product = relationship(Product)
        offered = relationship(Product, secondary=links)

    flat = {"kind": Ref(flat=True)}
    schema_for(Kind, catalog)
    schema_for(Category, catalog, flat, natural_key=("kind", "parent", "name"))
    schema_for(Product, catalog, flat, natural_key=("kind", "category"))
    hook = {"copied": ma.pre_load(lambda self, data, **_: dict(data))}
    schema_for(Offer, catalog, hook)

    def fill(session: Session) -> None:
        kinds = [Kind(slug=f"k{n}") for n in range(3)]
        made: list[Any] = []
        for n in range(12):
            above, kind = (made[n // 3] if n > 2 else None), (kinds[n % 3] if n % 4 else None)
            made.append(Category(name=f"c{n % 5}", kind=kind, parent=above))
        products = [Product(kind=kinds[n % 3], category=made[n] if n else None) for n in range(9)]
        session.add_all([*kinds, *made, *products])
        session.add_all(
            Offer(slug=f"o{n}", product=item, offered=[item, products[-n]])
            for n, item in enumerate(products[1:4], 1)
        )

    def more(session: Session) -> None:
        session.add(Product(kind=Kind(slug="more"), category=Category(name="more")))

    models = SimpleNamespace(Kind=Kind, Category=Category, Product=Product, Offer=Offer)
    return World(base, catalog, models, fill, more)


RECURRING: tuple[Callable[[], World], ...] = (
    categories,
    sections,
    accounts,
    hooked_categories,
    by_slug,
    flat_parts,
)
