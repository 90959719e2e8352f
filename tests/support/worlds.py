"""Small worlds to export and import: models of many shapes, their catalogs and their data.

Each function declares anew, so that no test sees another's mappers.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, Ref
from support.columns import CLOCK, DECIMAL, INSTANT, MOMENT
from support.declaring import new_base, schema_for

#: What keeps arrays on engines that have none.
AS_JSON = sa.JSON(none_as_null=True)
WITHOUT_ARRAYS = ("sqlite", "mysql", "mariadb")


class Size(enum.Enum):
    small = "s"
    large = "l"
    Huge = "h"


class Upper(sa.TypeDecorator[str]):
    """Kept in lower case, upper case for Python."""

    impl = sa.String(20)
    cache_ok = True
    python_type = str  # type: ignore[assignment]

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.lower()

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.upper()


@dataclass
class World:
    """Models by name, their metadata, the catalog over them, and what fills a database."""

    catalog: Catalog
    metadata: sa.MetaData
    models: dict[str, Any]
    fill: Callable[[Session], None]

    def __getattr__(self, name: str) -> Any:
        return self.models[name]

    def filled(self, engine: sa.Engine) -> sa.Engine:
        """Create the tables and the data in an empty database."""
        self.metadata.create_all(engine)
        with Session(engine) as session:
            self.fill(session)
            session.commit()
        return engine


def types() -> World:
    """Declare one entity with a column of every type, and the values at their edges."""
    base = new_base()

    class Thing(base):
        __tablename__ = "things"
        id = mapped_column(sa.Integer, primary_key=True)
        code = mapped_column(sa.String(30), unique=True, nullable=False)
        flag = mapped_column(sa.Boolean)
        small = mapped_column(sa.SmallInteger)
        big = mapped_column(sa.BigInteger)
        weight = mapped_column(sa.Double)
        price = mapped_column(sa.Numeric(12, 4))
        loose = mapped_column(DECIMAL)
        whole = mapped_column(sa.Numeric(9, 0))
        padded = mapped_column(sa.CHAR(5))
        long = mapped_column(sa.Text)
        day = mapped_column(sa.Date)
        clock = mapped_column(CLOCK)
        moment = mapped_column(MOMENT)
        instant = mapped_column(INSTANT)
        uid = mapped_column(sa.Uuid)
        uid_text = mapped_column(sa.Uuid(as_uuid=False))
        blob = mapped_column(sa.LargeBinary)
        size = mapped_column(sa.Enum(Size))
        label = mapped_column(sa.Enum("one", "two", name="label"))
        doc = mapped_column(sa.JSON)
        upper = mapped_column(Upper)
        lasting = mapped_column(sa.Interval)
        tags = mapped_column(sa.ARRAY(sa.Text).with_variant(AS_JSON, *WITHOUT_ARRAYS))

    def fill(session: Session) -> None:
        session.add_all(
            [
                Thing(
                    code="full",
                    flag=True,
                    small=-32768,
                    big=2**63 - 1,
                    weight=0.1,
                    price=Decimal("1234.5000"),
                    loose=Decimal("1.50"),
                    whole=Decimal(7),
                    padded="ab",
                    long='línea 1\nline\t2 "quoted" \\ \u2028 😀',
                    day=dt.date(1, 1, 1),
                    clock=dt.time(8, 30),
                    moment=dt.datetime(2025, 12, 24, 18, 0, 0, 5),
                    instant=dt.datetime(2025, 12, 24, 18, tzinfo=dt.UTC),
                    uid=uuid.UUID("0b0e1a2c-3d4e-5f60-7182-93a4b5c6d7e8"),
                    uid_text="0b0e1a2c-3d4e-5f60-7182-93a4b5c6d7e8",
                    blob=b"\x00\xff",
                    size=Size.large,
                    label="two",
                    doc={"b": [1, 2.5, None, "é"], "a": {}, "$json": 1},
                    upper="ABC",
                    lasting=dt.timedelta(days=3, hours=4, minutes=5, seconds=6),
                    tags=['a"b\\c', "NULL", None, "", "é, {}"],
                ),
                Thing(
                    code="edges",
                    flag=False,
                    small=0,
                    big=-(2**63),
                    weight=-1e308,
                    price=Decimal("-0.0001"),
                    loose=Decimal(100),
                    whole=Decimal(-7),
                    padded="",
                    long="",
                    day=dt.date(9999, 12, 31),
                    clock=dt.time(23, 59, 59, 999999),
                    moment=dt.datetime(1, 1, 1),
                    instant=dt.datetime(2025, 1, 1, 0, 0, 0, 120000, tzinfo=dt.UTC),
                    uid=uuid.UUID(int=0),
                    uid_text=str(uuid.UUID(int=0)),
                    blob=b"",
                    size=Size.Huge,
                    label="one",
                    doc={"$json": None},
                    upper="",
                    lasting=-dt.timedelta(hours=26),
                    tags=[],
                ),
                Thing(code="json null", doc=sa.JSON.NULL),
                Thing(code="nulls", doc=sa.null()),
            ]
        )

    catalog = Catalog("types")
    schema_for(Thing, catalog)
    return World(catalog, base.metadata, {"Thing": Thing}, fill)


# The bytes of the file, as they must be on every engine and in every later release.
TYPES_BYTES = (
    '{"entity_type":"things","schema_version":1,"records":[\n'
    '{"code":"edges","flag":false,"small":0,"big":-9223372036854775808,"weight":-1e308,'
    '"price":"-0.0001","loose":"100","whole":"-7","padded":"","long":"","day":"9999-12-31",'
    '"clock":"23:59:59.999999","moment":"0001-01-01T00:00:00",'
    '"instant":"2025-01-01T00:00:00.120000Z","uid":"00000000-0000-0000-0000-000000000000",'
    '"uid_text":"00000000-0000-0000-0000-000000000000","blob":"","size":"Huge","label":"one",'
    '"doc":{"$json":{"$json":null}},"upper":"","lasting":"-P1DT2H","tags":[]},\n'
    '{"code":"full","flag":true,"small":-32768,"big":9223372036854775807,"weight":0.1,'
    '"price":"1234.5000","loose":"1.5","whole":"7","padded":"ab",'
    '"long":"línea 1\\nline\\t2 \\"quoted\\" \\\\ \u2028 😀","day":"0001-01-01",'
    '"clock":"08:30:00","moment":"2025-12-24T18:00:00.000005",'
    '"instant":"2025-12-24T18:00:00Z","uid":"0b0e1a2c-3d4e-5f60-7182-93a4b5c6d7e8",'
    '"uid_text":"0b0e1a2c-3d4e-5f60-7182-93a4b5c6d7e8","blob":"AP8=","size":"large",'
    '"label":"two","doc":{"$json":1,"a":{},"b":[1,2.5,null,"é"]},"upper":"ABC",'
    '"lasting":"P3DT4H5M6S","tags":["a\\"b\\\\c","NULL",null,"","é, {}"]},\n'
    '{"code":"json null","flag":null,"small":null,"big":null,"weight":null,"price":null,'
    '"loose":null,"whole":null,"padded":null,"long":null,"day":null,"clock":null,"moment":null,'
    '"instant":null,"uid":null,"uid_text":null,"blob":null,"size":null,"label":null,'
    '"doc":{"$json":null},"upper":null,"lasting":null,"tags":null},\n'
    '{"code":"nulls","flag":null,"small":null,"big":null,"weight":null,"price":null,'
    '"loose":null,"whole":null,"padded":null,"long":null,"day":null,"clock":null,"moment":null,'
    '"instant":null,"uid":null,"uid_text":null,"blob":null,"size":null,"label":null,"doc":null,'
    '"upper":null,"lasting":null,"tags":null}\n'
    "]}\n"
).encode()


def shelves() -> World:
    """Declare composite keys, a foreign key to a unique column, and an association object."""
    base = new_base()

    class Shelf(base):
        __tablename__ = "shelves"
        room = mapped_column(sa.String(20), primary_key=True)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)

    class Person(base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        email = mapped_column(sa.String(40), unique=True, nullable=False)

    class Book(base):
        __tablename__ = "books"
        __table_args__ = (
            sa.ForeignKeyConstraint(["room", "number"], ["shelves.room", "shelves.number"]),
        )
        id = mapped_column(sa.Integer, primary_key=True)
        uuid = mapped_column(sa.Uuid, unique=True, nullable=False)
        room = mapped_column(sa.String(20))
        number = mapped_column(sa.Integer)
        owner_email = mapped_column(sa.ForeignKey("people.email"), nullable=False)
        editor_id = mapped_column(sa.ForeignKey("people.id"))
        shelf = relationship(Shelf)
        owner = relationship(Person, foreign_keys=owner_email)
        editor = relationship(Person, foreign_keys=editor_id)

    class Loan(base):
        __tablename__ = "loans"
        person_id = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
        book_id = mapped_column(sa.ForeignKey("books.id"), primary_key=True)
        since = mapped_column(sa.Date, nullable=False)
        person = relationship(Person)
        book = relationship(Book)

    def fill(session: Session) -> None:
        shelf = [Shelf(room="hall", number=n) for n in (10, 9)]
        zoe, adam = Person(email="zoe@x.org"), Person(email="adam@x.org")
        books = [
            Book(uuid=uuid.UUID(int=2), shelf=shelf[0], owner=zoe, editor=adam),
            Book(uuid=uuid.UUID(int=1), shelf=None, owner=adam),
        ]
        loans = [
            Loan(person=zoe, book=books[0], since=dt.date(2025, 1, 1)),
            Loan(person=adam, book=books[1], since=dt.date(2025, 1, 2)),
            Loan(person=adam, book=books[0], since=dt.date(2025, 1, 3)),
        ]
        session.add_all([*shelf, zoe, adam, *books, *loans])

    catalog = Catalog("shelves")
    for model in (Loan, Book, Person, Shelf):
        schema_for(model, catalog)
    models = {"Shelf": Shelf, "Person": Person, "Book": Book, "Loan": Loan}
    return World(catalog, base.metadata, models, fill)


SHELVES = {
    "people": '{"email":"adam@x.org"}\n{"email":"zoe@x.org"}',
    "shelves": '{"room":"hall","number":9}\n{"room":"hall","number":10}',
    "books": (
        '{"uuid":"00000000-0000-0000-0000-000000000001","shelf":null,'
        '"owner":{"email":"adam@x.org"},"editor":null}\n'
        '{"uuid":"00000000-0000-0000-0000-000000000002","shelf":{"room":"hall","number":10},'
        '"owner":{"email":"zoe@x.org"},"editor":{"email":"adam@x.org"}}'
    ),
    "loans": (
        '{"person":{"email":"adam@x.org"},"book":{"uuid":"00000000-0000-0000-0000-000000000001"},'
        '"since":"2025-01-02"}\n'
        '{"person":{"email":"adam@x.org"},"book":{"uuid":"00000000-0000-0000-0000-000000000002"},'
        '"since":"2025-01-03"}\n'
        '{"person":{"email":"zoe@x.org"},"book":{"uuid":"00000000-0000-0000-0000-000000000002"},'
        '"since":"2025-01-01"}'
    ),
}


def kitchen() -> World:
    """Declare cycles, self references, links, and owned rows: a sequence and a set."""
    base = new_base()
    dish_cuisines = sa.Table(
        "dish_cuisines",
        base.metadata,
        sa.Column("dish_id", sa.ForeignKey("dishes.id"), primary_key=True),
        sa.Column("cuisine_id", sa.ForeignKey("cuisines.id"), primary_key=True),
    )

    class Cuisine(base):
        __tablename__ = "cuisines"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), unique=True, nullable=False)
        parent_id = mapped_column(sa.ForeignKey("cuisines.id"))
        parent = relationship("Cuisine", remote_side=[id])

    class Dish(base):
        __tablename__ = "dishes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        best_menu_id = mapped_column(sa.ForeignKey("menus.id", use_alter=True))
        cuisines = relationship(Cuisine, secondary=dish_cuisines)
        steps = relationship("Step", order_by="Step.position.desc()")
        parts = relationship("Part", foreign_keys="Part.dish_id")
        best_menu = relationship("Menu", foreign_keys=best_menu_id, post_update=True)

    class Step(base):
        __tablename__ = "steps"
        id = mapped_column(sa.Integer, primary_key=True)
        dish_id = mapped_column(sa.ForeignKey("dishes.id"), nullable=False)
        position = mapped_column(sa.Integer, nullable=False)
        text = mapped_column(sa.String(40), nullable=False)

    class Part(base):
        __tablename__ = "parts"
        id = mapped_column(sa.Integer, primary_key=True)
        dish_id = mapped_column(sa.ForeignKey("dishes.id"), nullable=False)
        other_id = mapped_column(sa.ForeignKey("dishes.id"), nullable=False)
        other = relationship(Dish, foreign_keys=other_id)

    class Menu(base):
        __tablename__ = "menus"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        main_id = mapped_column(sa.ForeignKey("dishes.id"), nullable=False)
        main = relationship(Dish, foreign_keys=main_id)

    def fill(session: Session) -> None:
        europe = Cuisine(name="europe")
        alps = Cuisine(name="alps", parent=europe)
        soup, bread = Dish(slug="soup"), Dish(slug="bread")
        soup.cuisines = [europe, alps]
        soup.steps = [
            Step(position=1, text="boil"),
            Step(position=2, text="serve"),
        ]
        soup.parts = [Part(other=bread)]
        menu = Menu(slug="lunch", main=soup)
        bread.best_menu = menu
        session.add_all([europe, alps, soup, bread, menu])

    catalog = Catalog("kitchen")
    steps = schema_for(Step, catalog)
    schema_for(Dish, catalog, {"steps": Owned(steps), "parts": Owned(schema_for(Part, catalog))})
    schema_for(Menu, catalog, {"main": Ref(flat=True)})
    schema_for(Cuisine, catalog)
    models = {"Cuisine": Cuisine, "Dish": Dish, "Step": Step, "Part": Part, "Menu": Menu}
    return World(catalog, base.metadata, models, fill)


KITCHEN = {
    "cuisines": '{"name":"alps","parent":{"name":"europe"}}\n{"name":"europe","parent":null}',
    "dishes": (
        '{"slug":"bread","best_menu":{"slug":"lunch"},"cuisines":[],"steps":[],"parts":[]}\n'
        '{"slug":"soup","best_menu":null,"cuisines":[{"name":"alps"},{"name":"europe"}],'
        '"steps":[{"position":2,"text":"serve"},{"position":1,"text":"boil"}],'
        '"parts":[{"other":{"slug":"bread"}}]}'
    ),
    "menus": '{"slug":"lunch","main_slug":"soup"}',
}


def nested() -> World:
    """Declare owned rows three levels deep, none with a key, and one table with two owners."""
    base = new_base()

    class Song(base):
        __tablename__ = "songs"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        verses = relationship("Verse", order_by="Verse.position")

    class Verse(base):
        __tablename__ = "verses"
        id = mapped_column(sa.Integer, primary_key=True)
        song_id = mapped_column(sa.ForeignKey("songs.id"), nullable=False)
        position = mapped_column(sa.Integer, nullable=False)
        lines = relationship("Line")

    class Line(base):
        __tablename__ = "lines"
        id = mapped_column(sa.Integer, primary_key=True)
        verse_id = mapped_column(sa.ForeignKey("verses.id"), nullable=False)
        text = mapped_column(sa.String(40))
        remarks = relationship("Remark", foreign_keys="Remark.line_id")

    class Person(base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        remarks = relationship("Remark", foreign_keys="Remark.person_id")

    class Remark(base):
        __tablename__ = "remarks"
        id = mapped_column(sa.Integer, primary_key=True)
        line_id = mapped_column(sa.ForeignKey("lines.id"))
        person_id = mapped_column(sa.ForeignKey("people.id"))
        text = mapped_column(sa.String(40), nullable=False)

    def fill(session: Session) -> None:
        first = Verse(position=1, lines=[Line(text="la"), Line(text=None)])
        first.lines[0].remarks = [Remark(text="flat"), Remark(text="Flat"), Remark(text="flat")]
        song = Song(slug="la", verses=[Verse(position=2), first])
        session.add_all([song, Person(slug="bo", remarks=[Remark(text="late")])])

    catalog = Catalog("nested")
    remarks = schema_for(Remark, catalog)
    lines = schema_for(Line, catalog, {"remarks": Owned(remarks)})
    verses = schema_for(Verse, catalog, {"lines": Owned(lines)})
    schema_for(Song, catalog, {"verses": Owned(verses)})
    schema_for(Person, catalog, {"remarks": Owned(remarks)})
    models = {"Song": Song, "Verse": Verse, "Line": Line, "Person": Person, "Remark": Remark}
    return World(catalog, base.metadata, models, fill)


NESTED = {
    "songs": (
        '{"slug":"la","verses":[{"position":1,"lines":[{"text":"la","remarks":[{"text":"Flat"},'
        '{"text":"flat"},{"text":"flat"}]},{"text":null,"remarks":[]}]},'
        '{"position":2,"lines":[]}]}'
    ),
    "people": '{"slug":"bo","remarks":[{"text":"late"}]}',
}


def oddities() -> World:
    """Declare names that must be quoted, in SQL and in drivers, and columns the database fills."""
    base = new_base()

    class Order(base):
        __tablename__ = 'or"der %s'
        select = mapped_column("select", sa.Integer, primary_key=True)
        key = mapped_column("a b", sa.String(20), unique=True, nullable=False)
        share = mapped_column("100% :x", sa.Integer, nullable=False)
        number = mapped_column("Number", sa.Integer, nullable=False)
        twice = mapped_column(
            "twice{x}", sa.Integer, sa.Computed(sa.column("Number") * 2, persisted=True)
        )
        state = mapped_column(sa.String(10), server_default="new", nullable=False)
        seen = mapped_column("Seen", MOMENT, default=dt.datetime.now, onupdate=dt.datetime.now)

    def fill(session: Session) -> None:
        session.add_all(
            [
                Order(key=key, share=share, number=share, seen=dt.datetime(2025, 1, 1))
                for key, share in (("b", 2), ("B", 3), ("a%s", -1))
            ]
        )

    catalog = Catalog("oddities")
    schema_for(Order, catalog, name="orders")
    return World(catalog, base.metadata, {"Order": Order}, fill)


ODDITIES = {
    "orders": "\n".join(
        f'{{"key":"{key}","share":{share},"number":{share},"twice":{2 * share},"state":"new",'
        '"seen":"2025-01-01T00:00:00"}'
        for key, share in (("B", 3), ("a%s", -1), ("b", 2))
    )
}

ALL = {
    "shelves": (shelves, SHELVES),
    "kitchen": (kitchen, KITCHEN),
    "nested": (nested, NESTED),
    "oddities": (oddities, ODDITIES),
}
