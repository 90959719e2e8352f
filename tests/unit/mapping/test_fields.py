"""Entity schemas as marshmallow's users know them: dump, load, validate, hooks, options."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import ArgumentError, Catalog, EntitySchema, Owned, Ref
from lading.mapping.custom_fields import class_of, keep_json_null
from lading.values.scalars import JSON_NULL
from support.declaring import catalog_of, new_base, schema_for, table, to

WRITE_DECIMAL = (
    "Write digits in quotes, at most 6 before a point and 2 behind it, or let the column take more"
)
NO_STRING = "5 is not a string. Write a text of whole characters, in quotes"


class Size(enum.Enum):
    small = 1
    large = 2


class Shop(SimpleNamespace):
    """Models of a small shop and its schemas; attributes are set by ``shop``."""


def shop() -> Shop:
    """Declare brands, products, stores, tags, and recipes with owned lines and steps."""
    base = new_base()
    product_tags = sa.Table(
        "product_tags",
        base.metadata,
        sa.Column("product_id", sa.ForeignKey("products.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Brand(base):
        __tablename__ = "brands"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        name = mapped_column(sa.String(40), nullable=False)

    class Tag(base):
        __tablename__ = "tags"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    class Product(base):
        __tablename__ = "products"
        __table_args__ = (sa.UniqueConstraint("brand_id", "name"),)
        id = mapped_column(sa.Integer, primary_key=True)
        brand_id = mapped_column(sa.ForeignKey("brands.id"), nullable=False)
        name = mapped_column(sa.String(40), nullable=False)
        price = mapped_column(sa.Numeric(8, 2), nullable=True)
        brand = relationship(Brand)
        tags = relationship(Tag, secondary=product_tags)

    class Purchase(base):
        __tablename__ = "purchases"
        id = mapped_column(sa.Integer, primary_key=True)
        uuid = mapped_column(sa.Uuid, unique=True, nullable=False)
        product_id = mapped_column(sa.ForeignKey("products.id"), nullable=False)
        gift_id = mapped_column(sa.ForeignKey("products.id"), nullable=True)
        product = relationship(Product, foreign_keys=product_id)

    class Recipe(base):
        __tablename__ = "recipes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        lines = relationship("Line", order_by="Line.position", back_populates="recipe")
        notes = relationship("Note", back_populates="recipe")

    class Line(base):
        __tablename__ = "lines"
        id = mapped_column(sa.Integer, primary_key=True)
        recipe_id = mapped_column(sa.ForeignKey("recipes.id"), nullable=False)
        position = mapped_column(sa.Integer, nullable=False)
        product_id = mapped_column(sa.ForeignKey("products.id"), nullable=True)
        recipe = relationship(Recipe, back_populates="lines")
        product = relationship(Product)

    class Note(base):
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        recipe_id = mapped_column(sa.ForeignKey("recipes.id"), nullable=False)
        text = mapped_column(sa.String, nullable=False)
        recipe = relationship(Recipe, back_populates="notes")

    made = Shop(base=base, catalog=Catalog("shop"))
    for model in (Brand, Tag, Product, Purchase, Recipe, Line, Note):
        setattr(made, model.__name__, model)
    made.brands = schema_for(Brand, made.catalog)
    made.tags = schema_for(Tag, made.catalog)
    made.products = schema_for(Product, made.catalog)
    made.purchases = schema_for(Purchase, made.catalog)
    made.lines = schema_for(Line, made.catalog)
    made.notes = schema_for(Note, made.catalog)
    made.recipes = schema_for(
        Recipe, made.catalog, {"lines": Owned(made.lines), "notes": Owned(made.notes)}
    )
    return made


FLOUR = {"brand": {"slug": "mill"}, "name": "Flour"}


def errors_of(schema: Any, data: Any) -> Any:
    """Return the messages that a load raises, which ``validate`` returns as well."""
    with pytest.raises(ma.ValidationError) as caught:
        schema.load(data)
    assert schema.validate(data) == caught.value.messages
    return caught.value.messages


# Plain values


def test_surrogate_ids_and_foreign_keys_do_not_appear() -> None:
    """What means nothing outside of a database stays there."""
    made = shop()
    made.catalog.use()
    assert list(made.products().fields) == ["brand", "name", "price", "tags"]
    assert list(made.purchases().fields) == ["uuid", "product", "gift"]


def test_dump_writes_an_object_canonically() -> None:
    """An ORM object becomes the record that an export would write."""
    made = shop()
    mill = made.Brand(slug="mill", name="Mill")
    flour = made.Product(brand=mill, name="Flour", price=Decimal("1.5"), tags=[])
    assert made.products().dump(flour) == {**FLOUR, "price": "1.50", "tags": []}


def test_dump_takes_plain_dictionaries() -> None:
    """What load returned can be dumped again."""
    made = shop()
    record = {**FLOUR, "price": "1.50", "tags": [{"slug": "new"}]}
    assert made.products().dump(made.products().load(record)) == record


def test_dump_of_many() -> None:
    """``many`` works as in marshmallow."""
    made = shop()
    mills = [made.Brand(slug=slug, name=slug) for slug in ("b", "a")]
    assert made.brands(many=True).dump(mills) == [
        {"slug": "b", "name": "b"},
        {"slug": "a", "name": "a"},
    ]


def test_load_returns_plain_data() -> None:
    """Python values, natural keys for references; no session, no parent made."""
    made = shop()
    loaded = made.products().load({**FLOUR, "price": "1.5", "tags": [{"slug": "new"}]})
    assert loaded == {
        "brand": {"slug": "mill"},
        "name": "Flour",
        "price": Decimal("1.50"),
        "tags": [{"slug": "new"}],
    }
    assert type(loaded) is dict
    assert str(loaded["price"]) == "1.50"


def test_absent_is_not_null() -> None:
    """Every non-computed field is required, even a nullable one."""
    made = shop()
    assert errors_of(made.products(), {"brand": {"slug": "mill"}, "name": "x"}) == {
        "price": ["Missing data for required field."],
        "tags": ["Missing data for required field."],
    }
    assert made.products().load({**FLOUR, "price": None, "tags": []})["price"] is None


def test_null_is_refused_where_the_column_is_not_null() -> None:
    """Before any database is asked."""
    made = shop()
    assert errors_of(made.brands(), {"slug": "a", "name": None}) == {
        "name": ["Field may not be null."]
    }
    assert errors_of(made.products(), {**FLOUR, "brand": None, "price": None, "tags": None}) == {
        "brand": ["Field may not be null."],
        "tags": ["Field may not be null."],
    }


def test_unknown_fields_are_refused() -> None:
    """A field of a newer version isn't dropped in silence."""
    made = shop()
    assert errors_of(made.brands(), {"slug": "a", "name": "b", "colour": "red"}) == {
        "colour": ["Unknown field."]
    }


def test_a_value_of_another_type_is_refused() -> None:
    """No coercion; the message says what was expected."""
    made = shop()
    assert errors_of(made.products(), {**FLOUR, "price": 1.5, "tags": []}) == {
        "price": [f"1.5 is not a decimal (digits in a string). {WRITE_DECIMAL}"]
    }
    assert errors_of(made.products(), {**FLOUR, "price": "1.005", "tags": []}) == {
        "price": [f"1.005 has 3 decimal places, its column holds 2. {WRITE_DECIMAL}"]
    }


def test_a_text_longer_than_its_column_is_refused() -> None:
    """SQLite would keep it, and another engine couldn't."""
    made = shop()
    assert errors_of(made.brands(), {"slug": "a" * 21, "name": "b"}) == {
        "slug": ["Longer than maximum length 20."]
    }


def test_all_errors_of_a_record_are_reported() -> None:
    """One load tells everything."""
    made = shop()
    assert set(errors_of(made.products(), {"name": 5, "price": "x", "tags": 7, "more": 1})) == {
        "brand",
        "name",
        "price",
        "tags",
        "more",
    }


ALL_TYPES = {
    "flag": (sa.Boolean, True, True),
    "number": (sa.Integer, 7, 7),
    "weight": (sa.Float, 0.5, 0.5),
    "amount": (sa.Numeric(8, 3), Decimal("1.500"), "1.500"),
    "loose": (sa.Numeric, Decimal("1.5"), "1.5"),
    "day": (sa.Date, dt.date(2025, 1, 2), "2025-01-02"),
    "clock": (sa.Time, dt.time(8, 30), "08:30:00"),
    "moment": (sa.DateTime, dt.datetime(2025, 1, 2, 3, 4, 5), "2025-01-02T03:04:05"),
    "instant": (
        sa.DateTime(timezone=True),
        dt.datetime(2025, 1, 2, tzinfo=dt.UTC),
        "2025-01-02T00:00:00Z",
    ),
    "uid": (sa.Uuid, uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    "blob": (sa.LargeBinary, b"\xff\xfe", "//4="),
    "size": (sa.Enum(Size), Size.large, "large"),
    "label": (sa.Enum("x", "y", name="label"), "x", "x"),
    "doc": (sa.JSON, {"b": 1, "a": [None]}, {"a": [None], "b": 1}),
}


@pytest.mark.parametrize("name", ALL_TYPES)
def test_each_type_goes_out_and_in(name: str) -> None:
    """The derived fields are lossless, unlike those of marshmallow-sqlalchemy."""
    type_, value, written = ALL_TYPES[name]

    class Item(new_base()):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        value = mapped_column(type_, nullable=False)

    schema = next(iter(catalog_of(Item).schemas))()
    assert schema.dump(Item(slug="a", value=value)) == {"slug": "a", "value": written}
    loaded = schema.load({"slug": "a", "value": written})
    assert loaded == {"slug": "a", "value": value}
    assert type(loaded["value"]) is type(value)


def test_json_null_and_sql_null_differ() -> None:
    """Null means SQL NULL; JSON's null is wrapped."""

    class Item(new_base()):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        doc = mapped_column(sa.JSON, nullable=True)

    schema = next(iter(catalog_of(Item).schemas))()
    assert schema.load({"slug": "a", "doc": {"$json": None}})["doc"] is JSON_NULL
    assert schema.load({"slug": "a", "doc": None})["doc"] is None
    assert schema.dump({"slug": "a", "doc": JSON_NULL})["doc"] == {"$json": None}


# References


def test_a_reference_is_written_nested() -> None:
    """As the natural key of its target, through other references."""
    made = shop()
    flour = made.Product(brand=made.Brand(slug="mill", name="Mill"), name="Flour")
    purchase = made.Purchase(uuid=uuid.UUID(int=1), product=flour)
    dumped = made.purchases().dump(purchase)
    assert dumped["product"] == FLOUR
    assert made.purchases().load({**dumped, "gift": FLOUR}) == {
        "uuid": uuid.UUID(int=1),
        "product": FLOUR,
        "gift": FLOUR,
    }


def test_a_null_reference_is_null() -> None:
    """Null for a null foreign key, where the column may be null."""
    made = shop()
    record = {"uuid": str(uuid.UUID(int=1)), "product": FLOUR, "gift": None}
    assert made.purchases().load(record)["gift"] is None
    assert errors_of(made.purchases(), {**record, "product": None}) == {
        "product": ["Field may not be null."]
    }


def test_a_reference_without_relationship_is_found_by_its_foreign_key(sqlite_memory: Any) -> None:
    """The object's own session knows the target."""
    made = shop()
    with sqlite_memory.database(made.base.metadata) as engine, Session(engine) as session:
        flour = made.Product(brand=made.Brand(slug="mill", name="Mill"), name="Flour")
        purchase = made.Purchase(uuid=uuid.UUID(int=1), product=flour)
        session.add(purchase)
        session.flush()
        assert made.purchases().dump(purchase)["gift"] is None
        purchase.gift_id = flour.id
        assert made.purchases().dump(purchase)["gift"] == FLOUR


OBJECT = "expected an object with brand, name"
KEY = "Write the target's key"


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ("flour", [f"{OBJECT}, found 'flour'. {KEY}"]),
        (5, [f"{OBJECT}, found 5. {KEY}"]),
        ([], [f"{OBJECT}, found []. {KEY}"]),
        ({}, {"brand": ["Missing data for required field."], "name": ["Missing data for requi"]}),
        (
            {**FLOUR, "brand": "mill"},
            {"brand": [f"expected an object with slug, found 'mill'. {KEY}"]},
        ),
        ({**FLOUR, "brand": None}, {"brand": ["Field may not be null."]}),
        ({**FLOUR, "brand": {"slug": 5}}, {"brand": {"slug": ["5 is not a string"]}}),
        ({**FLOUR, "size": 1}, {"size": ["Unknown field."]}),
    ],
)
def test_a_malformed_reference_is_refused(given: Any, messages: Any) -> None:
    """All of the key's fields, no other, each as strict as in its own record."""
    made = shop()
    found = errors_of(
        made.purchases(), {"uuid": str(uuid.UUID(int=1)), "product": given, "gift": None}
    )["product"]
    assert str(found).startswith(str(messages)[:30])
    assert type(found) is type(messages)


def test_a_flat_reference() -> None:
    """``flat`` writes the target's only key field beside the others."""
    made = shop()
    catalog = Catalog("flat")
    schema_for(made.Brand, catalog)
    schema_for(made.Tag, catalog)
    products = schema_for(made.Product, catalog, {"brand": Ref(flat=True)})
    record = {"brand_slug": "mill", "name": "Flour", "price": None, "tags": []}
    loaded = products().load(record)
    assert loaded["brand"] == {"slug": "mill"}
    assert products().dump(loaded) == record
    mill = made.Brand(slug="mill", name="Mill")
    assert products().dump(made.Product(brand=mill, name="Flour", tags=[])) == record
    assert errors_of(products(), {**record, "brand_slug": 5}) == {"brand_slug": [NO_STRING]}


def test_a_flat_reference_under_a_name_of_its_own() -> None:
    """``data_key`` names the flat field."""
    made = shop()
    catalog = Catalog("flat")
    schema_for(made.Brand, catalog)
    schema_for(made.Tag, catalog)
    products = schema_for(made.Product, catalog, {"brand": Ref(flat=True, data_key="maker")})
    record = {"maker": "mill", "name": "Flour", "price": None, "tags": []}
    assert products().dump(products().load(record)) == record


def test_a_flat_reference_inside_of_a_key() -> None:
    """A key that holds a flat reference is written nested, under the flat name."""
    made = shop()
    catalog = Catalog("flat")
    schema_for(made.Brand, catalog)
    schema_for(made.Tag, catalog)
    schema_for(made.Product, catalog, {"brand": Ref(flat=True)})
    purchases = schema_for(made.Purchase, catalog)
    key = {"brand_slug": "mill", "name": "Flour"}
    record = {"uuid": str(uuid.UUID(int=1)), "product": key, "gift": None}
    assert purchases().dump(purchases().load(record)) == record


def test_a_reference_by_another_field() -> None:
    """``by`` writes what people know the target by."""
    made = shop()
    catalog = Catalog("by")
    schema_for(made.Brand, catalog)
    schema_for(made.Tag, catalog)
    products = schema_for(made.Product, catalog, {"brand": Ref(by="name")})
    mill = made.Brand(slug="mill", name="The Mill")
    record = {"brand": {"name": "The Mill"}, "name": "Flour", "price": None, "tags": []}
    assert products().dump(made.Product(brand=mill, name="Flour", tags=[])) == record
    assert products().load(record)["brand"] == {"name": "The Mill"}
    assert errors_of(products(), {**record, "brand": {"slug": "mill"}})["brand"] == {
        "name": ["Missing data for required field."],
        "slug": ["Unknown field."],
    }


def test_a_reference_named_otherwise() -> None:
    """The field's name is the application's choice."""
    made = shop()
    catalog = Catalog("named")
    schema_for(made.Brand, catalog)
    schema_for(made.Tag, catalog)
    products = schema_for(made.Product, catalog, {"maker": Ref("brand")}, natural_key="name")
    mill = made.Brand(slug="mill", name="The Mill")
    dumped = products().dump(made.Product(brand=mill, name="Flour", tags=[]))
    assert dumped == {"name": "Flour", "maker": {"slug": "mill"}, "price": None, "tags": []}


def test_a_composite_foreign_key_is_one_reference() -> None:
    """Several columns, one target, one nested key; the columns themselves don't appear."""
    base = new_base()

    class Shelf(base):
        __tablename__ = "shelves"
        room = mapped_column(sa.String, primary_key=True)
        number = mapped_column(sa.Integer, primary_key=True)

    class Item(base):
        __tablename__ = "items"
        __table_args__ = (
            sa.ForeignKeyConstraint(["room", "number"], ["shelves.room", "shelves.number"]),
        )
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        room = mapped_column(sa.String, nullable=True)
        number = mapped_column(sa.Integer, nullable=True)
        shelf = relationship(Shelf)

    catalog = catalog_of(Shelf, Item)
    schema = catalog.use()["items"].schema()
    record = {"slug": "a", "shelf": {"room": "cellar", "number": 3}}
    assert schema.dump(Item(slug="a", shelf=Shelf(room="cellar", number=3))) == record
    assert schema.load(record) == record
    assert schema.load({"slug": "a", "shelf": None})["shelf"] is None


def test_using_a_bound_schema_before_its_catalog_says_so() -> None:
    """A field alone knows no target."""
    with pytest.raises(RuntimeError, match="is used before its catalog was"):
        Ref().reference  # noqa: B018


# Links


def test_links_are_a_sorted_list_of_references() -> None:
    """Sorted by key, whatever order the relationship has."""
    made = shop()
    mill = made.Brand(slug="mill", name="Mill")
    tags = [made.Tag(slug=slug) for slug in ("b", "a", "Z")]
    flour = made.Product(brand=mill, name="Flour", tags=tags)
    assert made.products().dump(flour)["tags"] == [{"slug": "Z"}, {"slug": "a"}, {"slug": "b"}]


def test_a_malformed_link_names_its_place() -> None:
    """Errors stand at the item's index."""
    made = shop()
    record = {**FLOUR, "price": None, "tags": [{"slug": "a"}, {"slug": 5}, "b"]}
    assert errors_of(made.products(), record) == {
        "tags": {
            1: {"slug": [NO_STRING]},
            2: [f"expected an object with slug, found 'b'. {KEY}"],
        }
    }
    assert errors_of(made.products(), {**record, "tags": {"slug": "a"}}) == {
        "tags": ["Not a valid list. Write a list, in brackets, of one thing as well"]
    }


def test_links_written_by_another_field() -> None:
    """``by`` holds for lists as well."""
    made = shop()
    base = made.base
    links = sa.Table(
        "brand_friends",
        base.metadata,
        sa.Column("one_id", sa.ForeignKey("brands.id"), primary_key=True),
        sa.Column("other_id", sa.ForeignKey("brands.id"), primary_key=True),
    )
    made.Brand.friends = relationship(
        made.Brand,
        secondary=links,
        primaryjoin=made.Brand.id == links.c.one_id,
        secondaryjoin=made.Brand.id == links.c.other_id,
    )
    catalog = Catalog("by")
    brands = schema_for(made.Brand, catalog, {"friends": Ref(by="name")})
    record = {"slug": "a", "name": "A", "friends": [{"name": "B"}]}
    assert brands().load(record) == record
    friend = made.Brand(slug="b", name="B")
    assert brands().dump(made.Brand(slug="a", name="A", friends=[friend])) == record


def test_only_one_side_carries_a_link_table() -> None:
    """A two-sided secondary would be written, and inserted, twice."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("left_id", sa.ForeignKey("lefts.id"), primary_key=True),
        sa.Column("right_id", sa.ForeignKey("rights.id"), primary_key=True),
    )

    class Left(base):
        __tablename__ = "lefts"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        rights = relationship("Right", secondary=links, back_populates="lefts")

    class Right(base):
        __tablename__ = "rights"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        lefts = relationship("Left", secondary=links, back_populates="rights")

    entities = catalog_of(Left, Right).use()
    assert [links.name for links in entities["lefts"].links] == ["rights"]
    assert entities["rights"].links == []
    catalog = catalog_of(Left)
    schema_for(Right, catalog, {"lefts": Ref()})
    entities = catalog.use()
    assert entities["lefts"].links == []
    assert [links.name for links in entities["rights"].links] == ["lefts"]


# Owned children


def recipe_record() -> dict[str, Any]:
    """Make a record with owned lines and notes."""
    return {
        "slug": "cake",
        "lines": [{"position": 1, "product": FLOUR}, {"position": 2, "product": None}],
        "notes": [{"text": "a"}, {"text": "b"}],
    }


def test_owned_children_live_in_their_record() -> None:
    """Without ids and without the reference to their parent."""
    made = shop()
    loaded = made.recipes().load(recipe_record())
    assert loaded == recipe_record()
    assert made.recipes().dump(loaded) == recipe_record()


def test_owned_children_of_an_object() -> None:
    """An ORM object is dumped with all that it owns."""
    made = shop()
    flour = made.Product(brand=made.Brand(slug="mill", name="Mill"), name="Flour")
    lines = [made.Line(position=1, product=flour), made.Line(position=2)]
    notes = [made.Note(text="a"), made.Note(text="b")]
    recipe = made.Recipe(slug="cake", lines=lines, notes=notes)
    assert made.recipes().dump(recipe) == recipe_record()


def test_an_owned_set_is_sorted_by_its_written_bytes() -> None:
    """Without an order_by the list is a set, whose order says nothing."""
    made = shop()
    notes = [made.Note(text=text) for text in ("b", "é", "Z", "a")]
    dumped = made.recipes().dump(made.Recipe(slug="cake", lines=[], notes=notes))
    assert [note["text"] for note in dumped["notes"]] == ["Z", "a", "b", "é"]


def test_a_sequence_keeps_its_order() -> None:
    """With an order_by the relationship's order is the record's."""
    made = shop()
    lines = [made.Line(position=2), made.Line(position=1)]
    dumped = made.recipes().dump(made.Recipe(slug="cake", lines=lines, notes=[]))
    assert [line["position"] for line in dumped["lines"]] == [2, 1]


def test_errors_of_owned_children_name_their_place() -> None:
    """Index and field, at any depth."""
    made = shop()
    record = recipe_record()
    record["lines"][1] = {"position": "x", "product": {**FLOUR, "name": 5}}
    record["notes"] = None
    assert errors_of(made.recipes(), record) == {
        "lines": {
            1: {
                "position": ["'x' is not an integer. Write a whole number, without quotes"],
                "product": {"name": [NO_STRING]},
            }
        },
        "notes": ["Field may not be null."],
    }


def test_owned_children_are_required_and_strict() -> None:
    """An absent list is not an empty one, and a parent's reference is not a child's field."""
    made = shop()
    assert errors_of(made.recipes(), {"slug": "cake", "lines": []}) == {
        "notes": ["Missing data for required field."]
    }
    record = {"slug": "cake", "lines": [], "notes": [{"text": "a", "recipe": {"slug": "x"}}]}
    assert errors_of(made.recipes(), record) == {"notes": {0: {"recipe": ["Unknown field."]}}}


def test_owned_children_under_a_data_key() -> None:
    """The record's name of the list is the application's choice."""
    made = shop()
    catalog = Catalog("named")
    notes = schema_for(made.Note, catalog)
    recipes = schema_for(made.Recipe, catalog, {"notes": Owned(notes, data_key="remarks")})
    record = {"slug": "cake", "remarks": [{"text": "a"}]}
    assert recipes().dump(recipes().load(record)) == record
    assert catalog.use()["recipes"].children[0].rows.name == "recipes.remarks"


def test_an_owned_list_under_another_attribute() -> None:
    """``attribute`` names the relationship, as for any field."""
    made = shop()
    catalog = Catalog("named")
    notes = schema_for(made.Note, catalog)
    recipes = schema_for(made.Recipe, catalog, {"remarks": Owned(notes, attribute="notes")})
    recipe = made.Recipe(slug="cake", notes=[made.Note(text="a")])
    assert recipes().dump(recipe) == {"slug": "cake", "remarks": [{"text": "a"}]}


# What marshmallow's users expect


def item_schema(fields: Any = None, /, **meta: Any) -> Any:
    """Declare a schema over a table of slug, name and note; ``label`` maps a column named name."""

    class Item(new_base()):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        label = mapped_column("name", sa.String(10), nullable=False)
        note = mapped_column(sa.String, nullable=True)

    return schema_for(Item, Catalog("test"), fields, **meta)


RECORD = {"slug": "a", "label": "b", "note": None}


def test_an_attribute_named_unlike_its_column() -> None:
    """Records speak the application's language: the attribute's."""
    schema = item_schema()
    assert schema().load(RECORD) == RECORD
    assert schema().dump(schema.Meta.model(slug="a", label="b")) == RECORD


def test_a_data_key_renames_in_the_record() -> None:
    """The field keeps its name, the record gets the other."""
    schema = item_schema({"label": ma.fields.String(data_key="Name")})
    record = {"slug": "a", "Name": "b", "note": None}
    assert schema().load(record) == RECORD
    assert schema().dump(RECORD) == record
    assert errors_of(schema(), {"slug": "a", "note": None}) == {
        "Name": ["Missing data for required field."]
    }


def test_a_declared_field_is_required_as_derived_ones_are() -> None:
    """Absent is not null, whoever declared the field."""
    schema = item_schema({"note": ma.fields.String()})
    assert errors_of(schema(), {"slug": "a", "label": "b"}) == {
        "note": ["Missing data for required field."]
    }


def test_a_declared_field_of_a_nullable_column_may_be_null() -> None:
    """Else its own nulls couldn't come back."""
    schema = item_schema({"note": ma.fields.String(validate=ma.validate.Length(max=3))})
    assert schema().load(RECORD)["note"] is None
    schema = item_schema({"note": ma.fields.String(required=True)})
    assert schema().load(RECORD)["note"] is None


def test_a_field_with_attribute() -> None:
    """A field may be named unlike the model's attribute."""
    schema = item_schema({"title": ma.fields.String(attribute="label")})
    record = {"slug": "a", "title": "b", "note": None}
    assert schema().dump(schema.Meta.model(slug="a", label="b")) == record
    assert schema().load(record) == {"slug": "a", "label": "b", "note": None}


def test_validators_run() -> None:
    """A validator beside a field refuses what the type allows."""
    schema = item_schema({"label": ma.fields.String(validate=ma.validate.Length(min=2))})
    assert errors_of(schema(), RECORD) == {"label": ["Shorter than minimum length 2."]}


def test_validation_decorators_run() -> None:
    """``validates`` and ``validates_schema`` see Python values."""

    def no_x(self: Any, value: str, **_options: Any) -> None:
        if value == "x":
            raise ma.ValidationError("no x")

    def not_equal(self: Any, data: Any, **_options: Any) -> None:
        if data["slug"] == data["label"]:
            raise ma.ValidationError("slug and label are equal")

    schema = item_schema(
        {"no_x": ma.validates("label")(no_x), "differ": ma.validates_schema(not_equal)}
    )
    assert errors_of(schema(), {**RECORD, "label": "x"}) == {"label": ["no x"]}
    assert errors_of(schema(), {**RECORD, "label": "a"}) == {
        "_schema": ["slug and label are equal"]
    }


def test_hooks_run() -> None:
    """pre_load, post_load, pre_dump and post_dump work as in marshmallow."""

    def strip(self: Any, data: Any, **_options: Any) -> Any:
        return {**data, "label": data["label"].strip()}

    def shout(self: Any, data: Any, **_options: Any) -> Any:
        return {**data, "label": data["label"].upper()}

    schema = item_schema({"strip": ma.pre_load(strip), "shout": ma.post_dump(shout)})
    assert schema().load({**RECORD, "label": " b "})["label"] == "b"
    assert schema().dump(RECORD)["label"] == "B"


def test_dump_only_fields_are_exported_and_never_written() -> None:
    """A computed value goes out; on its way in it is left aside and not refused."""
    schema = item_schema(
        {"loud": ma.fields.Function(lambda item: item.label.upper(), dump_only=True)}
    )
    dumped = schema().dump(schema.Meta.model(slug="a", label="b"))
    assert dumped == {**RECORD, "loud": "B"}
    assert schema().load(dumped) == RECORD
    assert schema().validate(dumped) == {}
    assert schema(many=True).load([dumped]) == [RECORD]
    assert schema().load([dumped], many=True) == [RECORD]


@pytest.mark.parametrize("way", ["field", "meta"])
def test_a_dump_only_column_is_exported_and_never_written(way: str) -> None:
    """Two ways to say it, one meaning."""
    schema = (
        item_schema({"note": ma.fields.String(dump_only=True)})
        if way == "field"
        else item_schema(dump_only=("note",))
    )
    item = schema.Meta.model(slug="a", label="b", note="c")
    assert schema().dump(item)["note"] == "c"
    assert schema().load({**RECORD, "note": "c"}) == {"slug": "a", "label": "b"}
    rows = schema.catalog.use()["items"]
    assert [value.writable for value in rows.values] == [True, True, False]


def test_a_computed_column_is_exported_and_never_written() -> None:
    """The database computes it again."""

    class Item(new_base()):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        double = mapped_column(sa.Integer, sa.Computed("id * 2"))

    schema = next(iter(catalog_of(Item).schemas))()
    assert schema.dump(Item(slug="a", double=4)) == {"slug": "a", "double": 4}
    assert schema.load({"slug": "a", "double": 4}) == {"slug": "a"}
    assert schema.load({"slug": "a"}) == {"slug": "a"}


@pytest.mark.parametrize("meta", [{"exclude": ("note",)}, {"fields": ("slug", "label")}], ids=str)
def test_a_field_that_is_left_out_is_no_field(meta: dict[str, Any]) -> None:
    """``Meta.exclude`` and ``Meta.fields`` leave fields out, and the schema still works."""
    schema = item_schema(**meta)
    assert schema().load({"slug": "a", "label": "b"}) == {"slug": "a", "label": "b"}
    assert [member.name for member in schema.catalog.use()["items"].members] == ["slug", "label"]
    assert schema.catalog.coverage() == {"items.note": None}


def test_only_and_exclude_of_an_instance() -> None:
    """A schema's instance may be narrowed, as in marshmallow."""
    schema = item_schema()
    assert schema(only=("slug",)).dump(RECORD) == {"slug": "a"}
    assert schema(exclude=("note",)).load({"slug": "a", "label": "b"}) == {
        "slug": "a",
        "label": "b",
    }
    assert schema(partial=True).load({"slug": "a"}) == {"slug": "a"}


def test_the_data_is_not_changed() -> None:
    """What the caller gave stays as it was."""
    schema = item_schema(
        {"loud": ma.fields.Function(lambda item: item["label"].upper(), dump_only=True)}
    )
    record = {**RECORD, "loud": "B"}
    schema().load(record)
    assert record == {**RECORD, "loud": "B"}


def test_a_schema_says_which_entity_it_is() -> None:
    """The class keeps its catalog; a plain marshmallow schema isn't touched."""
    schema = item_schema()
    assert issubclass(schema, EntitySchema)
    assert schema.catalog.name == "test"
    assert schema().rows is schema.catalog.use()["items"]
    assert schema.rows is None


def test_a_mapping_without_a_part_of_a_key_is_not_dumped() -> None:
    """A reference by half a key would lead to nobody, or to anybody."""
    base = new_base()
    author = table(base, "authors")
    schema_for(author, catalog := Catalog("library"))
    book = table(base, "books", author_id=to("authors.id", null=False), author=relationship(author))
    schema = schema_for(book, catalog)
    catalog.use()
    with pytest.raises(ma.ValidationError, match="has no slug"):
        schema().dump({"slug": "a", "author": {}})


def test_a_field_keeps_json_s_null_by_one_class() -> None:
    """However often a catalog is derived anew."""
    field = ma.fields.Raw()
    keep_json_null(field)
    first = type(field)
    keep_json_null(field)
    assert type(field) is first
    assert class_of(field) is ma.fields.Raw


class Boxed(new_base()):  # type: ignore[misc]
    """A model, to declare fields by what isn't a name."""

    __tablename__ = "boxed"
    id = mapped_column(sa.Integer, primary_key=True)
    other_id = mapped_column(sa.ForeignKey("boxed.id"))
    other = relationship("Boxed", remote_side=id)


@pytest.mark.parametrize(
    "name",
    [EntitySchema, Boxed, Boxed.other, Boxed.other_id, Boxed.__table__.c.other_id, 3, ""],
    ids=lambda name: str(name)[:20],
)
def test_fields_are_declared_by_names(name: Any) -> None:
    """Not by classes, attributes or columns, which SQLAlchemy compares in ways of its own."""
    for argument, declare in {
        "relationship": lambda: Ref(name),
        "by": lambda: Ref(by=name),
        "via": lambda: Owned(EntitySchema, via=name),
    }.items():
        with pytest.raises(ArgumentError, match="expected the name of an attribute") as caught:
            declare()
        assert caught.value.argument == argument
    with pytest.raises(ArgumentError, match="expected the name of an attribute"):
        Ref(("other_id", name))


@pytest.mark.parametrize("schema", [Boxed, "BoxedSchema", None, [EntitySchema], EntitySchema()])
def test_owned_rows_are_declared_by_a_schema_class(schema: Any) -> None:
    """Neither by its name, nor by its model, nor by an instance."""
    with pytest.raises(ArgumentError, match="expected the schema class of the children"):
        Owned(schema)
