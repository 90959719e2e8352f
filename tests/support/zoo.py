"""Throwaway worlds: models, schemas and rows of every shape that an application may have.

Each function returns a :class:`World` with a metadata and a catalog of its own, so
that no test sees another's. ``WORLDS`` lists them by name.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.orm import Session, column_property, mapped_column, relationship

from lading import Catalog, Owned, Ref
from support.columns import CLOCK, DECIMAL, FLOAT, INSTANT, KEY_BYTES, KEY_TEXT, MOMENT
from support.declaring import new_base, schema_for
from support.world import NASTY, World, key, number, slug, text, to
from support.zoo_hierarchies import HIERARCHIES
from support.zoo_recurring import RECURRING
from support.zoo_tenants import TENANTS
from support.zoo_waves import WAVES

# References


def shop() -> World:
    """Required and optional references, and two between the same tables."""
    base, catalog = new_base(), Catalog("shop", source="shop 1")

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        slug = slug()

    class Supplier(base):  # type: ignore[misc, valid-type]
        __tablename__ = "suppliers"
        id = key()
        slug = slug()
        city = text(null=True)

    class Product(base):  # type: ignore[misc, valid-type]
        __tablename__ = "products"
        id = key()
        slug = slug()
        price = mapped_column(sa.Numeric(10, 2), nullable=False)
        category_id = to("categories.id")
        supplier_id = to("suppliers.id", null=True)
        fallback_id = to("suppliers.id", null=True)
        category = relationship(Category)
        supplier = relationship(Supplier, foreign_keys=supplier_id)
        fallback = relationship(Supplier, foreign_keys=fallback_id)

    class Order(base):  # type: ignore[misc, valid-type]
        __tablename__ = "order"  # a reserved word
        id = key()
        uuid = mapped_column(sa.Uuid, unique=True, nullable=False, default=uuid.uuid4)
        product_id = to("products.id")
        quantity = number()
        product = relationship(Product)

    for model in (Order, Product, Category, Supplier):  # declared against the order
        schema_for(model, catalog)

    def fill(session: Session) -> None:
        categories = [Category(slug=f"cat{n}") for n in range(3)]
        suppliers = [Supplier(slug=f"sup{n}", city=n % 2 or None) for n in range(3)]
        products = [
            Product(
                slug=f"p{n}",
                price=Decimal(n) / 4,
                category=categories[n % 3],
                supplier=suppliers[n % 3] if n % 2 else None,
                fallback=suppliers[(n + 1) % 3] if n % 3 else None,
            )
            for n in range(7)
        ]
        orders = [
            Order(uuid=uuid.UUID(int=100 - n), product=products[n % 7], quantity=n)
            for n in range(20)
        ]
        session.add_all([*categories, *suppliers, *products, *orders])

    def more(session: Session) -> None:
        category = Category(slug="more")
        product = Product(slug="more", price=1, category=category, supplier=Supplier(slug="more"))
        session.add(Order(product=product, quantity=1))

    return World(
        base,
        catalog,
        SimpleNamespace(Category=Category, Supplier=Supplier, Product=Product, Order=Order),
        fill,
        more,
    )


def family() -> World:
    """A nullable self reference, with children that sort before their parents."""
    base, catalog = new_base(), Catalog("family")

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "people"
        id = key()
        slug = slug()
        parent_id = to("people.id", null=True)
        parent = relationship("Person", remote_side=id)

    schema_for(Person, catalog)

    def fill(session: Session) -> None:
        above = None
        for n in range(9, -1, -1):
            above = Person(slug=f"p{n}", parent=above)
            session.add(above)
        session.add(Person(slug="alone"))
        session.flush()
        me = Person(slug="me")
        session.add(me)
        session.flush()
        session.execute(sa.update(Person).where(Person.slug == "me").values(parent_id=me.id))

    def more(session: Session) -> None:
        session.add(Person(slug="more", parent=Person(slug="more's parent")))

    return World(base, catalog, SimpleNamespace(Person=Person), fill, more)


def tree() -> World:
    """A required self reference: roots point at themselves, children sort first, depth 30."""
    base, catalog = new_base(), Catalog("tree")

    class Node(base):  # type: ignore[misc, valid-type]
        __tablename__ = "nodes"
        id = key()
        slug = slug()
        parent_id = to("nodes.id")
        parent = relationship("Node", remote_side=id)

    schema_for(Node, catalog)

    def fill(session: Session) -> None:
        rows = [{"id": 1, "slug": "z-root", "parent_id": 1}]
        rows += [
            {"id": n, "slug": f"n{40 - n:02}", "parent_id": n - 1} for n in range(2, 32)
        ]  # each child's slug sorts before its parent's
        rows += [{"id": n, "slug": f"wide{n}", "parent_id": 5} for n in range(100, 110)]
        rows += [{"id": 200, "slug": "a-root", "parent_id": 200}]
        # The foreign key is checked at the end of each statement, or row by row: parents first.
        for row in rows:
            session.execute(sa.insert(Node), [row])
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.text("SELECT setval('nodes_id_seq', 200)"))

    def more(session: Session) -> None:
        root = session.scalars(sa.select(Node).where(Node.slug == "z-root")).one()
        session.add(Node(slug="more", parent=root))

    return World(base, catalog, SimpleNamespace(Node=Node), fill, more)


def checked_tree() -> World:
    """A nullable self reference that is in a CHECK, so it can't be filled in later."""
    base, catalog = new_base(), Catalog("checked_tree")

    class Folder(base):  # type: ignore[misc, valid-type]
        __tablename__ = "folders"
        __table_args__ = (
            sa.CheckConstraint("kind = 'root' OR parent_id IS NOT NULL", name="rooted"),
        )
        id = key()
        slug = slug()
        kind = text(10)
        parent_id = to("folders.id", null=True)
        parent = relationship("Folder", remote_side=id)

    schema_for(Folder, catalog)

    def fill(session: Session) -> None:
        above = Folder(slug="z", kind="root")
        session.add_all([above, Folder(slug="lone", kind="root")])
        for n in range(8, 0, -1):
            above = Folder(slug=f"f{n}", kind="sub", parent=above)
            session.add(above)

    def more(session: Session) -> None:
        session.add(Folder(slug="more", kind="sub", parent=Folder(slug="m", kind="root")))

    return World(base, catalog, SimpleNamespace(Folder=Folder), fill, more)


def cycle() -> World:
    """Two tables that refer to each other, one edge nullable."""
    base, catalog = new_base(), Catalog("cycle")

    class Department(base):  # type: ignore[misc, valid-type]
        __tablename__ = "departments"
        id = key()
        slug = slug()
        head_id = mapped_column(
            sa.ForeignKey("employees.id", use_alter=True, name="head"), nullable=True
        )
        updated_at = mapped_column(
            MOMENT,
            nullable=False,
            default=lambda: dt.datetime(2025, 1, 1),
            onupdate=lambda: dt.datetime(2099, 1, 1),
        )
        head = relationship("Employee", foreign_keys=head_id, post_update=True)

    class Employee(base):  # type: ignore[misc, valid-type]
        __tablename__ = "employees"
        id = key()
        slug = slug()
        department_id = to("departments.id")
        department = relationship(Department, foreign_keys=department_id)

    schema_for(Department, catalog)
    schema_for(Employee, catalog)

    def fill(session: Session) -> None:
        departments = [Department(slug=f"d{n}") for n in range(4)]
        employees = [Employee(slug=f"e{n}", department=departments[n % 4]) for n in range(9)]
        session.add_all([*departments, *employees])
        session.flush()
        for n, department in enumerate(departments[:3]):
            department.head = employees[8 - n]
        session.flush()

    def more(session: Session) -> None:
        session.add(Employee(slug="more", department=Department(slug="more")))

    return World(
        base, catalog, SimpleNamespace(Department=Department, Employee=Employee), fill, more
    )


def places() -> World:
    """Composite natural keys through references, three levels deep."""
    base, catalog = new_base(), Catalog("places")

    class Country(base):  # type: ignore[misc, valid-type]
        __tablename__ = "countries"
        id = key()
        code = mapped_column(sa.CHAR(2), unique=True, nullable=False)

    class Region(base):  # type: ignore[misc, valid-type]
        __tablename__ = "regions"
        __table_args__ = (sa.UniqueConstraint("country_id", "number"),)
        id = key()
        country_id = to("countries.id")
        number = number()
        country = relationship(Country)

    class City(base):  # type: ignore[misc, valid-type]
        __tablename__ = "cities"
        __table_args__ = (sa.UniqueConstraint("name", "region_id"),)
        id = key()
        name = text(40)
        region_id = to("regions.id")
        region = relationship(Region)

    class Street(base):  # type: ignore[misc, valid-type]
        __tablename__ = "streets"
        id = key()
        slug = slug()
        city_id = to("cities.id", null=True)
        other_id = to("cities.id", null=True)
        city = relationship(City, foreign_keys=city_id)
        other = relationship(City, foreign_keys=other_id)

    for model in (Country, Region, City, Street):
        schema_for(model, catalog)

    def fill(session: Session) -> None:
        countries = [Country(code=code) for code in ("NZ", "AT", "DE")]
        regions = [Region(country=c, number=n) for n in (10, 9, -1) for c in countries]
        cities = [
            City(name=name, region=regions[n % 9])
            for n, name in enumerate(("A", "a", "Z ", "") * 4)
        ]
        streets = [
            Street(
                slug=f"s{n}",
                city=cities[n % 16] if n % 3 else None,
                other=cities[(n * 5) % 16] if n % 4 else None,
            )
            for n in range(20)
        ]
        session.add_all([*countries, *regions, *cities, *streets])

    def more(session: Session) -> None:
        region = Region(country=Country(code="XX"), number=1)
        session.add(Street(slug="more", city=City(name="more", region=region)))

    return World(
        base,
        catalog,
        SimpleNamespace(Country=Country, Region=Region, City=City, Street=Street),
        fill,
        more,
    )


def warehouses() -> World:
    """Composite primary and foreign keys, all nullable or all required."""
    base, catalog = new_base(), Catalog("warehouses")

    class Bay(base):  # type: ignore[misc, valid-type]
        __tablename__ = "bays"
        site = mapped_column(sa.String(10), primary_key=True)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        label = text(null=True)

    class Box(base):  # type: ignore[misc, valid-type]
        __tablename__ = "boxes"
        __table_args__ = (
            sa.ForeignKeyConstraint(["site", "number"], ["bays.site", "bays.number"]),
            sa.ForeignKeyConstraint(["old_site", "old_number"], ["bays.site", "bays.number"]),
        )
        id = key()
        slug = slug()
        site = mapped_column(sa.String(10), nullable=False)
        number = number()
        old_site = mapped_column(sa.String(10))
        old_number = mapped_column(sa.Integer)
        bay = relationship(Bay, foreign_keys=[site, number])
        old = relationship(Bay, foreign_keys=[old_site, old_number])

    schema_for(Box, catalog)
    schema_for(Bay, catalog)

    def fill(session: Session) -> None:
        bays = [Bay(site=site, number=n) for n in (10, 9, 1) for site in ("b", "a ", "B")]
        boxes = [
            Box(slug=f"x{n}", bay=bays[n % 9], old=bays[(n * 2) % 9] if n % 2 else None)
            for n in range(15)
        ]
        session.add_all([*bays, *boxes])

    def more(session: Session) -> None:
        session.add(Box(slug="more", bay=Bay(site="more", number=1)))

    return World(base, catalog, SimpleNamespace(Bay=Bay, Box=Box), fill, more)


def currencies() -> World:
    """Foreign keys to unique columns that are no primary key, one of them the natural key."""
    base, catalog = new_base(), Catalog("currencies")

    class Currency(base):  # type: ignore[misc, valid-type]
        __tablename__ = "currencies"
        id = key()
        code = mapped_column(sa.String(3), unique=True, nullable=False)
        number = mapped_column(sa.SmallInteger, unique=True, nullable=False)

    class Account(base):  # type: ignore[misc, valid-type]
        __tablename__ = "accounts"
        id = key()
        slug = slug()
        currency_code = mapped_column(sa.ForeignKey("currencies.code"), nullable=False)
        second_number = mapped_column(sa.ForeignKey("currencies.number"), nullable=True)
        currency = relationship(Currency, foreign_keys=currency_code)
        second = relationship(Currency, foreign_keys=second_number)

    schema_for(Currency, catalog, natural_key="code")
    schema_for(Account, catalog, {"second": Ref(by="code")})

    def fill(session: Session) -> None:
        found = [Currency(code=c, number=n) for n, c in ((978, "EUR"), (756, "CHF"), (8, "ALL"))]
        session.add_all(found)
        session.flush()
        session.add_all(
            Account(slug=f"a{n}", currency=found[n % 3], second=found[-n % 3] if n % 2 else None)
            for n in range(8)
        )

    def more(session: Session) -> None:
        session.add(Account(slug="more", currency=Currency(code="NEW", number=1)))

    return World(base, catalog, SimpleNamespace(Currency=Currency, Account=Account), fill, more)


def tickets() -> World:
    """``natural_key = "id"``: the id itself is the identity."""
    base, catalog = new_base(), Catalog("tickets")

    class Ticket(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tickets"
        id = key()
        title = text()
        duplicate_of_id = to("tickets.id", null=True)
        duplicate_of = relationship("Ticket", remote_side=id)

    class Comment(base):  # type: ignore[misc, valid-type]
        __tablename__ = "comments"
        id = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
        ticket_id = to("tickets.id")
        words = text()
        ticket = relationship(Ticket)

    schema_for(Ticket, catalog, natural_key="id")
    schema_for(Comment, catalog, natural_key="id")

    def fill(session: Session) -> None:
        session.add_all(Ticket(id=n, title=f"t{n}") for n in (1, 7, 70, 700, -7))
        session.flush()
        session.get_one(Ticket, 7).duplicate_of_id = 700
        session.add_all(Comment(id=n, ticket_id=(7, 70, -7)[n % 3], words="w") for n in range(1, 9))

    def more(session: Session) -> None:
        session.add(Comment(words="more", ticket=Ticket(title="more")))

    return World(
        base,
        catalog,
        SimpleNamespace(Ticket=Ticket, Comment=Comment),
        fill,
        more,
        keep=("tickets", "comments"),
    )


def uuids() -> World:
    """UUID primary keys with a Python default beside slugs, and references to them."""
    base, catalog = new_base(), Catalog("uuids")

    class Author(base):  # type: ignore[misc, valid-type]
        __tablename__ = "authors"
        id = mapped_column(sa.Uuid, primary_key=True, default=uuid.uuid4)
        slug = slug()

    class Book(base):  # type: ignore[misc, valid-type]
        __tablename__ = "books"
        id = mapped_column(sa.Uuid, primary_key=True, default=uuid.uuid4)
        slug = slug()
        author_id = to("authors.id")
        author = relationship(Author)
        pages = relationship("Page", order_by="Page.id")

    class Page(base):  # type: ignore[misc, valid-type]
        __tablename__ = "pages"
        id = mapped_column(sa.Uuid, primary_key=True, default=uuid.uuid4)
        book_id = to("books.id")
        words = text()

    schema_for(Author, catalog)
    pages = schema_for(Page, catalog)
    schema_for(Book, catalog, {"pages": Owned(pages)})

    def fill(session: Session) -> None:
        authors = [Author(slug=f"a{n}") for n in range(3)]
        books = [Book(slug=f"b{n}", author=authors[n % 3]) for n in range(8)]
        for n, book in enumerate(books):
            book.pages = [Page(words=f"w{k}") for k in range(n % 4)]
        session.add_all([*authors, *books])

    def more(session: Session) -> None:
        session.add(Book(slug="more", author=Author(slug="more"), pages=[Page(words="more")]))

    return World(base, catalog, SimpleNamespace(Author=Author, Book=Book, Page=Page), fill, more)


def kept_ids() -> World:
    """``keep_ids``: ids of every kind are data, beside natural keys, owned rows and links."""
    base, catalog = new_base(), Catalog("kept_ids", keep_ids=True)
    links = sa.Table(
        "project_tags",
        base.metadata,
        sa.Column("project_id", sa.ForeignKey("projects.project_id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.pk"), primary_key=True),
    )

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = mapped_column(sa.String(20), nullable=False)  # no primary key, though it's called so
        pk = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
        name = mapped_column(sa.String(60), unique=True, nullable=False)

    class Project(base):  # type: ignore[misc, valid-type]
        __tablename__ = "projects"
        project_id = key()
        name = mapped_column(sa.String(60), unique=True, nullable=False)
        above_id = to("projects.project_id", null=True)
        above = relationship("Project", remote_side=project_id)
        tags = relationship(Tag, secondary=links)
        tasks = relationship("Task", order_by="Task.id.desc()")

    class Task(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tasks"
        id = mapped_column(sa.Integer, sa.Identity(always=True), primary_key=True)
        project_id = to("projects.project_id")
        words = text()

    class Actor(base):  # type: ignore[misc, valid-type]
        __tablename__ = "actors"
        id = mapped_column(sa.Integer, sa.Identity(), primary_key=True)
        slug = slug()
        kind = text(10)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "actor"}

    class Robot(Actor):
        __tablename__ = "robots"
        id = mapped_column(sa.ForeignKey("actors.id"), primary_key=True)
        project_id = to("projects.project_id", null=True)
        project = relationship(Project)
        __mapper_args__ = {"polymorphic_identity": "robot"}

    class Pin(base):  # type: ignore[misc, valid-type]
        __tablename__ = "pins"
        id = key()
        slug = slug()

    for model in (Tag, Actor):
        schema_for(model, catalog)
    owned = schema_for(Task, catalog)
    schema_for(Project, catalog, {"tasks": Owned(owned)})
    schema_for(Pin, catalog, keep_id=False)

    def fill(session: Session) -> None:
        some = [Tag(pk=n, id=f"x{n}", name=f"t{7 - n}") for n in (700, 3, 5)]
        projects = [Project(project_id=40 - n, name=f"p{n}") for n in range(6)]
        session.add_all([*some, *projects])
        session.flush()
        for n, project in enumerate(projects[1:]):
            project.above, project.tags = projects[n // 2], some[: n % 4]
            project.tasks = [Task(words=f"w{k}") for k in range(n % 3)]
        session.add_all(Actor(slug=f"a{n}") for n in range(2))
        session.add_all(Robot(slug=f"r{n}", project=(None, *projects)[n]) for n in range(4))
        session.add_all(Pin(slug=f"pin{n}") for n in range(3))

    def more(session: Session) -> None:
        project = Project(name="more", tags=[Tag(id="more", name="more")], tasks=[Task(words="m")])
        session.add_all([Robot(slug="more", project=project), Actor(slug="a more")])

    return World(
        base,
        catalog,
        SimpleNamespace(Tag=Tag, Project=Project, Task=Task, Actor=Actor, Robot=Robot, Pin=Pin),
        fill,
        more,
        keep=("tags", "projects", "tasks", "actors", "robots"),
    )


def optional_keys() -> World:
    """Keys with nullable parts, plain and referring: null equals null."""
    base, catalog = new_base(), Catalog("optional_keys")

    class Shelf(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shelves"
        id = key()
        room = text(20)
        level = number(null=True)

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = key()
        shelf_id = to("shelves.id", null=True)
        name = text(20, null=True)
        note = text(null=True)
        shelf = relationship(Shelf)

    class Loan(base):  # type: ignore[misc, valid-type]
        __tablename__ = "loans"
        id = key()
        slug = slug()
        item_id = to("items.id", null=True)
        item = relationship(Item)

    schema_for(Shelf, catalog, natural_key=("room", "level"))
    schema_for(Item, catalog, natural_key=("shelf", "name"))
    schema_for(Loan, catalog)

    def fill(session: Session) -> None:
        shelves = [Shelf(room=r, level=n) for r in ("b", "a") for n in (None, 10, 9, -1)]
        items = [Item(shelf=s, name=n) for s in (None, *shelves) for n in (None, "", "x")]
        loans = [Loan(slug=f"l{n}", item=(None, *items)[n]) for n in range(len(items))]
        session.add_all([*shelves, *items, *loans])

    def more(session: Session) -> None:
        item = Item(shelf=Shelf(room="more"), name="more")
        session.add(Loan(slug="more", item=item))

    return World(base, catalog, SimpleNamespace(Shelf=Shelf, Item=Item, Loan=Loan), fill, more)


# Owned children and links


def books() -> World:
    """Owned children to depth three: sequences by position, by id and descending, and a set."""
    base, catalog = new_base(), Catalog("books")

    class Book(base):  # type: ignore[misc, valid-type]
        __tablename__ = "books"
        id = key()
        slug = slug()
        chapters = relationship("Chapter", order_by="Chapter.position")
        reviews = relationship("Review", order_by="desc(Review.stars)")

    class Chapter(base):  # type: ignore[misc, valid-type]
        __tablename__ = "chapters"
        __table_args__ = (sa.UniqueConstraint("book_id", "position"),)
        id = key()
        book_id = to("books.id")
        position = number()
        title = text()
        sections = relationship("Section", order_by="Section.id")

    class Section(base):  # type: ignore[misc, valid-type]
        __tablename__ = "sections"
        id = key()
        chapter_id = to("chapters.id")
        words = text()
        notes = relationship("Note")

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        id = key()
        section_id = to("sections.id")
        words = text(null=True)

    class Review(base):  # type: ignore[misc, valid-type]
        __tablename__ = "reviews"
        id = key()
        book_id = to("books.id")
        stars = number(null=True)
        words = text()

    notes = schema_for(Note, catalog)
    sections = schema_for(Section, catalog, {"notes": Owned(notes)})
    chapters = schema_for(Chapter, catalog, {"sections": Owned(sections)})
    reviews = schema_for(Review, catalog)
    schema_for(Book, catalog, {"chapters": Owned(chapters), "reviews": Owned(reviews)})

    def fill(session: Session) -> None:
        for n in range(6):
            book = Book(slug=f"b{n}")
            session.add(book)
            for position in (10, 9, -1)[: n % 4]:
                chapter = Chapter(position=position, title=f"c{position}")
                book.chapters.append(chapter)
                for words in ("z", "a", "z", "m")[: n + 1]:
                    section = Section(words=words)
                    chapter.sections.append(section)
                    # Twins in a set stay two rows.
                    section.notes = [Note(words=w) for w in ("same", None, "same")[:n]]
            book.reviews = [Review(stars=s, words=f"r{s}") for s in (3, None, 5, 1)[:n]]

    def more(session: Session) -> None:
        section = Section(words="more", notes=[Note(words="more")])
        chapter = Chapter(position=1, title="more", sections=[section])
        session.add(Book(slug="more", chapters=[chapter], reviews=[Review(words="more")]))

    return World(
        base,
        catalog,
        SimpleNamespace(Book=Book, Chapter=Chapter, Section=Section, Note=Note, Review=Review),
        fill,
        more,
    )


def packages() -> World:
    """One child schema owned by two parents, each row by one of them."""
    base, catalog = new_base(), Catalog("packages")

    class Thing(base):  # type: ignore[misc, valid-type]
        __tablename__ = "things"
        id = key()
        slug = slug()

    class Good(base):  # type: ignore[misc, valid-type]
        __tablename__ = "goods"
        id = key()
        slug = slug()
        parts = relationship("Part", foreign_keys="Part.good_id", order_by="Part.id")

    class Package(base):  # type: ignore[misc, valid-type]
        __tablename__ = "packages"
        id = key()
        slug = slug()
        parts = relationship("Part", foreign_keys="Part.package_id")

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        __table_args__ = (
            sa.CheckConstraint("(good_id IS NULL) <> (package_id IS NULL)", name="one_owner"),
        )
        id = key()
        good_id = to("goods.id", null=True)
        package_id = to("packages.id", null=True)
        inner_id = to("goods.id", null=True)
        thing_id = to("things.id")
        count = number()
        good = relationship(Good, foreign_keys=good_id, back_populates="parts")
        package = relationship(Package, foreign_keys=package_id, back_populates="parts")
        inner = relationship(Good, foreign_keys=inner_id)
        thing = relationship(Thing)

    parts = schema_for(Part, catalog)
    schema_for(Thing, catalog)
    schema_for(Package, catalog, {"parts": Owned(parts)})
    schema_for(Good, catalog, {"parts": Owned(parts)})

    def fill(session: Session) -> None:
        things = [Thing(slug=f"t{n}") for n in range(3)]
        goods = [Good(slug=f"g{n}") for n in range(5)]
        packages = [Package(slug=f"k{n}") for n in range(3)]
        session.add_all([*things, *goods, *packages])
        session.flush()
        for n, owner in enumerate([*goods, *packages]):
            owner.parts = [
                Part(thing=things[k % 3], count=k, inner=goods[(n + k) % 5] if k % 2 else None)
                for k in range(n % 4)
            ]

    def more(session: Session) -> None:
        session.add(Good(slug="more", parts=[Part(thing=Thing(slug="more"), count=1)]))

    return World(
        base,
        catalog,
        SimpleNamespace(Thing=Thing, Good=Good, Package=Package, Part=Part),
        fill,
        more,
    )


def recipes() -> World:
    """Owned children that refer to their own root entity, and an entity that refers to them."""
    base, catalog = new_base(), Catalog("recipes")

    class Recipe(base):  # type: ignore[misc, valid-type]
        __tablename__ = "recipes"
        id = key()
        slug = slug()
        parts = relationship("RecipePart", foreign_keys="RecipePart.recipe_id")

    class RecipePart(base):  # type: ignore[misc, valid-type]
        __tablename__ = "recipe_parts"
        __table_args__ = (sa.UniqueConstraint("recipe_id", "part_id"),)
        id = key()
        recipe_id = to("recipes.id")
        part_id = to("recipes.id")
        amount = mapped_column(sa.Numeric(6, 3), nullable=False)
        recipe = relationship(Recipe, foreign_keys=recipe_id, back_populates="parts")
        part = relationship(Recipe, foreign_keys=part_id)

    class Remark(base):  # type: ignore[misc, valid-type]
        __tablename__ = "remarks"
        id = key()
        slug = slug()
        about_id = to("recipe_parts.id")
        about = relationship(RecipePart)

    parts = schema_for(RecipePart, catalog)
    schema_for(Recipe, catalog, {"parts": Owned(parts)})
    schema_for(Remark, catalog)

    def fill(session: Session) -> None:
        recipes = [Recipe(slug=f"r{n}") for n in range(6)]
        session.add_all(recipes)
        session.flush()
        made = []
        for n, recipe in enumerate(recipes):
            for k in range(n % 3 + 1):
                part = RecipePart(part=recipes[(n + k) % 6], amount=Decimal(k) / 8)
                recipe.parts.append(part)
                made.append(part)
        session.flush()
        session.add_all(Remark(slug=f"m{n}", about=part) for n, part in enumerate(made))

    def more(session: Session) -> None:
        recipe = Recipe(slug="more")
        session.add(recipe)
        session.flush()
        recipe.parts = [RecipePart(part=recipe, amount=1)]
        session.add(Remark(slug="more", about=recipe.parts[0]))

    return World(
        base,
        catalog,
        SimpleNamespace(Recipe=Recipe, RecipePart=RecipePart, Remark=Remark),
        fill,
        more,
    )


def tags() -> World:
    """Many-to-many: from an entity, from an owned row, to itself, and both sides declared."""
    base, catalog = new_base(), Catalog("tags")
    link, part_link, friends = (
        sa.Table(
            name,
            base.metadata,
            sa.Column(left, sa.ForeignKey(f"{table}.id"), primary_key=True),
            sa.Column(right, sa.ForeignKey(f"{other}.id"), primary_key=True),
        )
        for name, left, table, right, other in (
            ("post_tags", "post_id", "posts", "tag_id", "tags"),
            ("part_tags", "part_id", "parts", "tag_id", "tags"),
            ("related", "post_id", "posts", "other_id", "posts"),
        )
    )

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = key()
        slug = slug()
        posts = relationship("Post", secondary=link, back_populates="tags")

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = key()
        post_id = to("posts.id")
        words = text()
        tags = relationship(Tag, secondary=part_link)

    class Post(base):  # type: ignore[misc, valid-type]
        __tablename__ = "posts"
        id = key()
        slug = slug()
        tags = relationship(Tag, secondary=link, back_populates="posts")
        related = relationship(
            "Post",
            secondary=friends,
            primaryjoin=lambda: Post.id == friends.c.post_id,
            secondaryjoin=lambda: Post.id == friends.c.other_id,
        )
        parts = relationship(Part, order_by=Part.id)

    parts = schema_for(Part, catalog)
    schema_for(Post, catalog, {"parts": Owned(parts)})
    schema_for(Tag, catalog)

    def fill(session: Session) -> None:
        tags = [Tag(slug=f"t{n}") for n in range(12)]
        posts = [Post(slug=f"p{n}") for n in range(8)]
        session.add_all([*tags, *posts])
        for n, post in enumerate(posts):
            post.tags = tags[n : 2 * n]
            post.parts = [Part(words=f"w{k}", tags=tags[k : k + n]) for k in range(n % 3)]
        session.flush()
        for n, post in enumerate(posts):
            post.related = [posts[(n * 3 + k) % 8] for k in range(n % 4)]

    def more(session: Session) -> None:
        tag = Tag(slug="more")
        session.add(Post(slug="more", tags=[tag], parts=[Part(words="more", tags=[tag])]))

    return World(base, catalog, SimpleNamespace(Tag=Tag, Part=Part, Post=Post), fill, more)


def enrollments() -> World:
    """Association objects: a primary key made of references, with values beside it."""
    base, catalog = new_base(), Catalog("enrollments")

    class Student(base):  # type: ignore[misc, valid-type]
        __tablename__ = "students"
        id = key()
        slug = slug()

    class Course(base):  # type: ignore[misc, valid-type]
        __tablename__ = "courses"
        id = key()
        slug = slug()

    class Enrollment(base):  # type: ignore[misc, valid-type]
        __tablename__ = "enrollments"
        student_id = mapped_column(sa.ForeignKey("students.id"), primary_key=True)
        course_id = mapped_column(sa.ForeignKey("courses.id"), primary_key=True)
        grade = mapped_column(FLOAT, nullable=True)
        student = relationship(Student)
        course = relationship(Course)

    class Exam(base):  # type: ignore[misc, valid-type]
        __tablename__ = "exams"
        __table_args__ = (
            sa.ForeignKeyConstraint(
                ["student_id", "course_id"], ["enrollments.student_id", "enrollments.course_id"]
            ),
        )
        id = key()
        slug = slug()
        student_id = number()
        course_id = number()
        enrollment = relationship(Enrollment)

    for model in (Exam, Enrollment, Student, Course):
        schema_for(model, catalog)

    def fill(session: Session) -> None:
        students = [Student(slug=f"s{n}") for n in range(5)]
        courses = [Course(slug=f"c{9 - n}") for n in range(4)]
        session.add_all([*students, *courses])
        session.flush()
        held = [
            Enrollment(student=s, course=c, grade=(s.id + c.id) / 3 if s.id % 2 else None)
            for s in students
            for c in courses
            if (s.id + c.id) % 3
        ]
        session.add_all(held)
        session.flush()
        session.add_all(Exam(slug=f"x{n}", enrollment=e) for n, e in enumerate(held * 2))

    def more(session: Session) -> None:
        enrollment = Enrollment(student=Student(slug="more"), course=Course(slug="more"))
        session.add(Exam(slug="more", enrollment=enrollment))

    return World(
        base,
        catalog,
        SimpleNamespace(Student=Student, Course=Course, Enrollment=Enrollment, Exam=Exam),
        fill,
        more,
    )


def invoices() -> World:
    """Owned rows whose primary key is their owner and their position, with rows of their own."""
    base, catalog = new_base(), Catalog("invoices")

    class Invoice(base):  # type: ignore[misc, valid-type]
        __tablename__ = "invoices"
        id = key()
        number = mapped_column(sa.String(10), unique=True, nullable=False)
        lines = relationship("Line", order_by="Line.position")

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        invoice_id = mapped_column(sa.ForeignKey("invoices.id"), primary_key=True)
        position = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        words = text()
        taxes = relationship("Tax")

    class Tax(base):  # type: ignore[misc, valid-type]
        __tablename__ = "taxes"
        __table_args__ = (
            sa.ForeignKeyConstraint(
                ["invoice_id", "position"], ["lines.invoice_id", "lines.position"]
            ),
        )
        invoice_id = mapped_column(sa.Integer, primary_key=True)
        position = mapped_column(sa.Integer, primary_key=True)
        code = mapped_column(sa.String(5), primary_key=True)
        line = relationship(Line, back_populates="taxes")

    Line.taxes.property.back_populates = "line"
    taxes = schema_for(Tax, catalog, natural_key="code")
    lines = schema_for(Line, catalog, {"taxes": Owned(taxes)}, natural_key="position")
    schema_for(Invoice, catalog, {"lines": Owned(lines)})

    def fill(session: Session) -> None:
        for n in range(5):
            lines = [Line(position=k, words=f"w{k}") for k in range(n)]
            for line in lines:
                line.taxes = [Tax(code=c) for c in ("vat", "alc", "co2")[: line.position]]
            session.add(Invoice(number=f"i{n}", lines=lines))

    def more(session: Session) -> None:
        session.add(Invoice(number="more", lines=[Line(position=1, words="more")]))

    return World(base, catalog, SimpleNamespace(Invoice=Invoice, Line=Line, Tax=Tax), fill, more)


def outlines(*checks: sa.CheckConstraint) -> World:
    """Owned rows that refer to each other, within their record and beyond it."""
    base, catalog = new_base(), Catalog("outlines")

    class Paper(base):  # type: ignore[misc, valid-type]
        __tablename__ = "papers"
        id = key()
        slug = slug()
        points = relationship("Point")

    class Point(base):  # type: ignore[misc, valid-type]
        __tablename__ = "points"
        __table_args__ = checks
        id = key()
        paper_id = to("papers.id")
        slug = slug()
        above_id = to("points.id", null=True)
        see_id = to("points.id", null=True)
        above = relationship("Point", foreign_keys=above_id, remote_side=id)
        see = relationship("Point", foreign_keys=see_id, remote_side=id, post_update=True)

    points = schema_for(Point, catalog)
    schema_for(Paper, catalog, {"points": Owned(points)})

    def fill(session: Session) -> None:
        above = None
        for n in range(6, 0, -1):  # each point is above one of another paper, or of its own
            paper = Paper(slug=f"p{n}")
            for k in range(2):
                above = Point(slug=f"{n}{k}", above=above)
                paper.points.append(above)
            session.add(paper)
        session.flush()
        points = session.scalars(sa.select(Point).order_by(Point.slug)).all()
        for n, point in enumerate(points[:-1]):
            point.see = points[n - 3]

    def more(session: Session) -> None:
        above = Point(slug="above")
        session.add(Paper(slug="more", points=[above, Point(slug="below", above=above)]))

    return World(base, catalog, SimpleNamespace(Paper=Paper, Point=Point), fill, more)


def checked_outlines() -> World:
    """The same under a CHECK, so that no reference can be null for a time."""
    return outlines(sa.CheckConstraint("above_id IS NULL OR above_id > 0", name="there"))


def teams() -> World:
    """Late owned rows with late links and references: everything that can be deferred."""
    base, catalog = new_base(), Catalog("teams")

    class Team(base):  # type: ignore[misc, valid-type]
        __tablename__ = "teams"
        id = key()
        slug = slug()
        shifts = relationship("Shift", order_by="Shift.id")

    shift_helpers = sa.Table(
        "shift_helpers",
        base.metadata,
        sa.Column("shift_id", sa.ForeignKey("shifts.id"), primary_key=True),
        sa.Column("player_id", sa.ForeignKey("players.id"), primary_key=True),
    )

    class Player(base):  # type: ignore[misc, valid-type]
        __tablename__ = "players"
        id = key()
        slug = slug()
        team_id = to("teams.id")
        mentor_id = to("players.id", null=True)
        team = relationship(Team)
        mentor = relationship("Player", remote_side=id)

    class Shift(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shifts"
        id = key()
        team_id = to("teams.id")
        captain_id = to("players.id")
        second_id = to("players.id", null=True)
        words = text()
        captain = relationship(Player, foreign_keys=captain_id)
        second = relationship(Player, foreign_keys=second_id)
        helpers = relationship(Player, secondary=shift_helpers)
        breaks = relationship("Break", order_by="Break.minute")

    class Break(base):  # type: ignore[misc, valid-type]
        __tablename__ = "breaks"
        id = key()
        shift_id = to("shifts.id")
        minute = number()
        cover_id = to("players.id", null=True)
        cover = relationship(Player)

    breaks = schema_for(Break, catalog)
    shifts = schema_for(Shift, catalog, {"breaks": Owned(breaks)})
    schema_for(Team, catalog, {"shifts": Owned(shifts)})
    schema_for(Player, catalog)

    def fill(session: Session) -> None:
        teams = [Team(slug=f"t{n}") for n in range(3)]
        players = [Player(slug=f"p{n}", team=teams[n % 3]) for n in range(9)]
        session.add_all([*teams, *players])
        session.flush()
        for n, player in enumerate(players[:-2]):
            player.mentor = players[n + 2]
        for n, team in enumerate(teams):
            team.shifts = [
                Shift(
                    captain=players[n + k],
                    second=players[k] if k % 2 else None,
                    words=f"s{k}",
                    helpers=players[k : k + n],
                    breaks=[
                        Break(minute=m, cover=players[m % 9] if m % 2 else None)
                        for m in range(10 - k, 10)
                    ],
                )
                for k in range(n + 1)
            ]

    def more(session: Session) -> None:
        team = Team(slug="more")
        player = Player(slug="more", team=team)
        session.add(player)
        session.flush()
        team.shifts = [Shift(captain=player, words="more", breaks=[Break(minute=1)])]

    return World(
        base,
        catalog,
        SimpleNamespace(Team=Team, Player=Player, Shift=Shift, Break=Break),
        fill,
        more,
    )


# Values


class Color(enum.Enum):
    """Names and values differ, and neither is in order."""

    red = "R"
    green = "G"
    blue = "B"


class Size(enum.IntEnum):
    """Numbers with names."""

    small = 1
    large = 10


class Upper(sa.TypeDecorator[str]):
    """Text that is kept in upper case behind a mark, and read without the mark."""

    impl = sa.String(50)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else f"!{value}"

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value[1:]


class Cents(sa.TypeDecorator[Decimal]):
    """Money kept as whole cents."""

    impl = sa.Integer
    cache_ok = True
    python_type = Decimal  # type: ignore[assignment]

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else Decimal(value) / 100


def listed(item: Any, **options: Any) -> Any:
    """An array, which engines without arrays keep as JSON."""
    as_json = sa.JSON(none_as_null=True)
    return sa.ARRAY(item, **options).with_variant(as_json, "sqlite", "mysql", "mariadb")


UTC = dt.UTC
SQL_NULL = sa.null()
VALUES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "words": (sa.Text(), (*NASTY, None)),
    "code": (sa.CHAR(3), ("a", "ab", "abc", None)),
    "tiny": (sa.SmallInteger(), (-(2**15), 2**15 - 1, 0, None)),
    "whole": (sa.Integer(), (-(2**31), 2**31 - 1, 0, None)),
    "big": (sa.BigInteger(), (-(2**63), 2**63 - 1, 2**53 + 1, None)),
    "flag": (sa.Boolean(), (True, False, None)),
    "measure": (
        sa.Double(),
        (0.1, -1e308, 5e-324, 1 / 3, 2.0, 1e16, 123456789.123, None),
    ),
    "price": (
        sa.Numeric(12, 4),
        (*map(Decimal, ("0", "1.5", "-12345678.9999", "0.0001", "99999999.9999")), None),
    ),
    "free": (
        DECIMAL,
        (*map(Decimal, ("0", "1.5", "-0.25", "1000000", "12345678.875")), None),
    ),
    "whole_number": (sa.Numeric(10, 0), (Decimal(0), Decimal(-1234567890), Decimal(7), None)),
    "day": (sa.Date(), (dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2024, 2, 29), None)),
    "clock": (
        CLOCK,
        (dt.time(0, 0), dt.time(23, 59, 59, 999999), dt.time(8, 30, 0, 500000), None),
    ),
    "moment": (
        MOMENT,
        (
            dt.datetime(1, 1, 1),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
            dt.datetime(2025, 6, 1, 8, 30, 0, 1),
            dt.datetime(2025, 6, 1, 8, 30),
            None,
        ),
    ),
    "aware": (
        INSTANT,
        (
            dt.datetime(2, 1, 1, tzinfo=UTC),
            dt.datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
            dt.datetime(2025, 6, 1, 8, 30, 0, 1, tzinfo=UTC),
            dt.datetime(2025, 6, 1, 8, 30, tzinfo=UTC),
            None,
        ),
    ),
    "token": (sa.Uuid(), (uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID(int=2**64), None)),
    "token_text": (sa.Uuid(as_uuid=False), (str(uuid.UUID(int=5)), None)),
    "blob": (sa.LargeBinary(), (b"", b"\0", bytes(range(256)), b"text", None)),
    "color": (sa.Enum(Color), (*Color, None)),
    "size": (sa.Enum(Size, name="sizes", native_enum=False), (*Size, None)),
    "shade": (
        sa.Enum(Color, name="shades", values_callable=lambda e: [m.value for m in e]),
        (*Color, None),
    ),
    "label": (sa.Enum("b", "a", "c d", name="labels"), ("b", "a", "c d", None)),
    "upper": (Upper(), ("x", "", "%", None)),
    "cents": (Cents(), (Decimal("1.25"), Decimal(0), Decimal("-0.5"), None)),
    "data": (
        sa.JSON(none_as_null=True),
        (
            {},
            [],
            0,
            1.5,
            -(2**53) - 1,
            "text",
            "",
            False,
            {"a": None, "b": [1, None, {"a": "\U0001f35e"}]},
            {"$json": None},
            {"$json": {"$json": 1}},
            {"$json": 1, "x": 2},
            sa.JSON.NULL,
            None,
        ),
    ),
    "lasting": (
        sa.Interval(),
        (
            dt.timedelta(0),
            dt.timedelta(days=-3, hours=5),
            dt.timedelta(days=40, minutes=59, seconds=1),
            -dt.timedelta(seconds=1),
            dt.timedelta(hours=36),
            None,
        ),
    ),
    "counts": (listed(sa.Integer), ([], [1], [3, None, -(2**31)], [[1, 2], [None, 4]], None)),
    "tags": (listed(sa.Text), ([], [*NASTY], [None], ["NULL", "null", "{}", ",", 'a"\\b'], None)),
    "flags": (listed(sa.Boolean, dimensions=1), ([True, False, None], None)),
    "labels": (listed(sa.Enum("b", "a", "c d", name="array_labels")), (["c d", None], ["a"], None)),
    "data_null": (sa.JSON(), (None, SQL_NULL, sa.JSON.NULL, {"a": None}, [None])),
}


def values() -> World:
    """A column of every type, nullable and not, with the values at its ends."""
    base, catalog = new_base(), Catalog("values")
    columns = {name: mapped_column(type_, nullable=True) for name, (type_, _) in VALUES.items()}
    must = {
        f"must_{name}": mapped_column(type_, nullable=False) for name, (type_, _) in VALUES.items()
    }
    Value = type(
        "Value",
        (base,),
        {"__tablename__": "values", "id": key(), "slug": slug(), **columns, **must},
    )
    schema_for(Value, catalog)

    def fill(session: Session) -> None:
        for n in range(max(len(held) for _, held in VALUES.values())):
            row = {name: held[n % len(held)] for name, (_, held) in VALUES.items()}
            for name, (_, held) in VALUES.items():
                there = [item for item in held if item is not None and item is not SQL_NULL]
                row[f"must_{name}"] = there[n % len(there)]
            session.add(Value(slug=f"v{n:02}", **row))

    def more(session: Session) -> None:
        session.add(Value(slug="more", **{n: getattr_first(session, Value, n) for n in must}))

    return World(base, catalog, SimpleNamespace(Value=Value), fill, more)


def getattr_first(session: Session, model: Any, name: str) -> Any:
    """Return a value that some row of a model has."""
    return session.scalars(sa.select(getattr(model, name)).limit(1)).one()


def keys() -> World:
    """Natural keys of every type that may be one, each referred to."""
    base, catalog = new_base(), Catalog("keys")
    models, held = {}, {}
    for name, (type_, items) in VALUES.items():
        if isinstance(type_, sa.JSON | sa.Double | sa.ARRAY):
            continue
        table = f"by_{name}"
        model = type(
            f"By{name.title().replace('_', '')}",
            (base,),
            {
                "__tablename__": table,
                "id": key(),
                "value": mapped_column(_own_name(type_, table), unique=True, nullable=False),
                "other_id": to(f"{table}.id", null=True),
            },
        )
        model.other = relationship(model, remote_side=model.id)
        models[name] = model
        held[name] = [item for item in items if item is not None]
        schema_for(model, catalog, natural_key="value")

    def fill(session: Session) -> None:
        for name, model in models.items():
            rows = [model(value=value) for value in held[name]]
            session.add_all(rows)
            session.flush()
            for n, row in enumerate(rows):
                change = sa.update(model).where(model.id == row.id)
                session.execute(change.values(other_id=rows[-n].id))

    return World(base, catalog, SimpleNamespace(**models), fill)


def _own_name(type_: Any, table: str) -> Any:
    """A copy of a type; PostgreSQL's native enums are named, MariaDB's keys have a length."""
    if isinstance(type_, sa.Text):
        return KEY_TEXT
    if isinstance(type_, sa.LargeBinary):
        return KEY_BYTES
    if not isinstance(type_, sa.Enum):
        return type_
    if type_.enum_class is None:
        return sa.Enum(*type_.enums, name=f"{table}_enum")
    by_value = {"values_callable": type_.values_callable} if type_.values_callable else {}
    name = f"{table}_enum"
    return sa.Enum(type_.enum_class, name=name, native_enum=type_.native_enum, **by_value)


def names() -> World:
    """Attributes named unlike their columns, a ``data_key``, and names that want quoting."""
    base, catalog = new_base(), Catalog("names")

    class Owner(base):  # type: ignore[misc, valid-type]
        __tablename__ = "The Owners"
        ident = mapped_column("ID", sa.Integer, primary_key=True)
        slug = mapped_column("Slug %", sa.String(40), unique=True, nullable=False)

    class Thing(base):  # type: ignore[misc, valid-type]
        __tablename__ = "select"
        ident = mapped_column("order", sa.Integer, primary_key=True)
        slug = mapped_column("from", sa.String(40), unique=True, nullable=False)
        title = mapped_column('the "title"', sa.Text, nullable=True)
        percent = mapped_column("%s", sa.Integer, nullable=True)
        colon = mapped_column(":colon", sa.Integer, nullable=True)
        owner_ident = mapped_column("Owner", sa.ForeignKey(Owner.__table__.c["ID"]), nullable=False)
        owned_by = relationship(Owner)

    schema_for(Owner, catalog, name="owners")
    schema_for(
        Thing,
        catalog,
        {
            "heading": ma.fields.String(attribute="title", data_key="Heading", allow_none=True),
            "owner": Ref("owned_by", data_key="belongs-to"),
        },
        name="things",
    )

    def fill(session: Session) -> None:
        owners = [Owner(slug=f"o{n}") for n in range(3)]
        session.add_all(owners)
        session.add_all(
            Thing(slug=f"t{n}", title=NASTY[n], percent=n, colon=-n, owned_by=owners[n % 3])
            for n in range(9)
        )

    def more(session: Session) -> None:
        session.add(Thing(slug="more", owned_by=Owner(slug="more")))

    return World(base, catalog, SimpleNamespace(Owner=Owner, Thing=Thing), fill, more)


def defaults() -> World:
    """Server defaults, ``onupdate``, computed columns, and excluded columns with defaults."""
    base, catalog = new_base(), Catalog("defaults", leaves_out={"users.password": "a secret"})

    class User(base):  # type: ignore[misc, valid-type]
        __tablename__ = "users"
        id = key()
        slug = slug()
        first = text(20, server_default="Ann")
        last = text(20, null=True, server_default="Lee")
        full = mapped_column(
            sa.String(50),
            sa.Computed(
                sa.column("first", sa.String()).concat(" ").concat(sa.column("last")),
                persisted=True,
            ),
        )
        created = mapped_column(
            MOMENT, nullable=False, server_default=sa.text("'2025-01-01 00:00:00.000000'")
        )
        updated = mapped_column(
            MOMENT,
            nullable=False,
            default=lambda: dt.datetime(2025, 1, 1),
            onupdate=lambda: dt.datetime(2099, 1, 1),
        )
        logins = number(default=7)
        password = text(20, default="changeme")
        boss_id = to("users.id", null=True)
        boss = relationship("User", remote_side=id)

    User.shout = column_property(sa.func.upper(User.__table__.c.first))
    schema_for(User, catalog, exclude=("password",), volatile=("updated",))

    def fill(session: Session) -> None:
        people = [
            User(slug="a"),
            User(slug="b", first="", last=SQL_NULL, logins=0),
            User(slug="c", created=dt.datetime(2020, 2, 2, 2, 2, 2, 2)),
        ]
        session.add_all(people)
        session.flush()
        change = sa.update(User.__table__).where(User.id == people[0].id)
        session.execute(change.values(boss_id=people[2].id, updated=User.updated))

    def more(session: Session) -> None:
        session.add(User(slug="more"))

    return World(base, catalog, SimpleNamespace(User=User), fill, more)


def hooks() -> World:
    """Schemas with hooks and validators of their own, which take marshmallow's way."""
    base, catalog = new_base(), Catalog("hooks")

    class Maker(base):  # type: ignore[misc, valid-type]
        __tablename__ = "makers"
        id = key()
        slug = slug()

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = key()
        machine_id = to("machines.id")
        words = text()
        price = mapped_column(sa.Numeric(8, 2), nullable=False)

    class Machine(base):  # type: ignore[misc, valid-type]
        __tablename__ = "machines"
        id = key()
        slug = slug()
        power = number()
        built = mapped_column(sa.Date, nullable=True)
        price = mapped_column(sa.Numeric(8, 2), nullable=False)
        secret = text(10, default="none")
        maker_id = to("makers.id", null=True)
        maker = relationship(Maker)
        parts = relationship(Part, order_by=Part.id)

    def as_text(self: Any, data: Any, **_: Any) -> Any:
        return {**data, "power": f"{data['power']} kW"}

    def as_number(self: Any, data: Any, **_: Any) -> Any:
        kilowatts = str(data.get("power")).removesuffix(" kW")
        return {**data, "power": int(kilowatts)} if kilowatts.isdecimal() else data

    def sane(self: Any, value: int, **_: Any) -> None:
        if value < 0:
            raise ma.ValidationError("Power can't be negative.")

    parts = schema_for(
        Part,
        catalog,
        {"strip": ma.pre_load(lambda self, data, **_: dict(data))},
    )
    schema_for(Maker, catalog)
    schema_for(
        Machine,
        catalog,
        {
            "parts": Owned(parts),
            "secret": ma.fields.String(dump_only=True),
            "as_text": ma.post_dump(as_text),
            "as_number": ma.pre_load(as_number),
            "sane": ma.validates("power")(sane),
        },
    )

    def fill(session: Session) -> None:
        makers = [Maker(slug=f"k{n}") for n in range(2)]
        session.add_all(makers)
        session.add_all(
            Machine(
                slug=f"m{n}",
                power=n,
                built=dt.date(2020, 1, n + 1) if n % 2 else None,
                price=Decimal(n) / 4,
                maker=makers[n % 2] if n % 3 else None,
                parts=[Part(words=f"w{k}", price=k) for k in range(n % 3)],
            )
            for n in range(6)
        )

    def more(session: Session) -> None:
        session.add(Machine(slug="more", power=1, price=1, parts=[Part(words="more", price=1)]))

    return World(
        base, catalog, SimpleNamespace(Maker=Maker, Part=Part, Machine=Machine), fill, more
    )


def flat() -> World:
    """Flat references, references by another field, and ``depends_on``."""
    base, catalog = new_base(), Catalog("flat")

    class Unit(base):  # type: ignore[misc, valid-type]
        __tablename__ = "units"
        id = key()
        slug = slug()
        name = text(30)

    class Reading(base):  # type: ignore[misc, valid-type]
        __tablename__ = "readings"
        id = key()
        uuid = mapped_column(sa.Uuid, unique=True, nullable=False)
        unit_id = to("units.id")
        other_id = to("units.id", null=True)
        third_id = to("units.id", null=True)
        unit = relationship(Unit, foreign_keys=unit_id)
        other = relationship(Unit, foreign_keys=other_id)

    class Setting(base):  # type: ignore[misc, valid-type]
        __tablename__ = "settings"
        name = mapped_column(sa.String(20), primary_key=True)
        value = text(null=True)

    schema_for(Setting, catalog, depends_on=("readings",))
    schema_for(
        Reading,
        catalog,
        {"unit": Ref(flat=True), "other": Ref(by="name"), "third": Ref(flat=True, by="name")},
    )
    schema_for(Unit, catalog)

    def fill(session: Session) -> None:
        units = [Unit(slug=f"u{n}", name=f"Unit {9 - n}") for n in range(4)]
        session.add_all(units)
        session.flush()
        session.add_all(
            Reading(
                uuid=uuid.UUID(int=n),
                unit=units[n % 4],
                other=units[-n % 4] if n % 2 else None,
                third_id=units[n % 4].id if n % 3 else None,
            )
            for n in range(10)
        )
        session.add_all(Setting(name=name, value=name.upper()) for name in ("b", "a", "c"))

    def more(session: Session) -> None:
        session.add(Reading(uuid=uuid.UUID(int=99), unit=Unit(slug="more", name="more")))

    return World(
        base, catalog, SimpleNamespace(Unit=Unit, Reading=Reading, Setting=Setting), fill, more
    )


WORLDS: dict[str, Callable[[], World]] = {
    make.__name__: make
    for make in (
        shop,
        family,
        tree,
        checked_tree,
        cycle,
        places,
        warehouses,
        currencies,
        tickets,
        uuids,
        kept_ids,
        optional_keys,
        books,
        packages,
        recipes,
        tags,
        enrollments,
        invoices,
        outlines,
        checked_outlines,
        teams,
        values,
        keys,
        names,
        defaults,
        hooks,
        flat,
        *HIERARCHIES,
        *RECURRING,
        *TENANTS,
        *WAVES,
    )
}
