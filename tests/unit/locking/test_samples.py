"""Records that are made up: each value is one that its field takes."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from marshmallow import validate
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, DeclarationError, Owned
from lading.locking.samples import sample_records
from lading.samples.patterns import matching
from support.declaring import catalog_of, new_base, schema_for


def made(type_: Any, field: Any = None, **column: Any) -> list[Any]:
    """Return the values that are made up for a column, of the plain, least and fullest record."""
    base, catalog = new_base(), Catalog("test")

    class Thing(base):
        __tablename__ = "things"
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        value = mapped_column(type_, **{"nullable": False, **column})

    schema_for(Thing, catalog, {} if field is None else {"value": field})
    records = sample_records(catalog.use())["things"]
    schema = catalog.schemas[0]()
    for record in records:
        schema.load(record)
    return [record["value"] for record in sorted(records, key=lambda one: one["number"])]


def test_texts_are_plain_empty_and_as_long_as_they_may_be() -> None:
    """One of each, so that what cuts a text is found."""
    assert [len(value) for value in made(sa.String(12))] == [0, 7, 12]
    assert [len(value) for value in made(sa.String(1))] == [0, 1, 1]


def test_numbers_go_to_their_bounds() -> None:
    """Those of the column, or of the validators."""
    assert made(sa.SmallInteger)[-1] == 2**15 - 1
    field = ma.fields.Integer(validate=validate.Range(min=3, max=9))
    assert {min(made(sa.Integer, field)), max(made(sa.Integer, field))} == {3, 9}
    field = ma.fields.Integer(
        validate=validate.Range(min=3, max=9, min_inclusive=False, max_inclusive=False)
    )
    assert {min(made(sa.Integer, field)), max(made(sa.Integer, field))} == {4, 8}
    assert made(sa.Numeric(5, 2))[-1] == "999.99"


@pytest.mark.parametrize(
    "pattern",
    [
        r"[A-Z]{3}",
        r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
        r"\d{4}-\d{2}",
        r"(EUR|USD) \d+\.\d\d",
        r"#[0-9a-f]{6}\Z",
        r"\+?[1-9]\d{6,14}",
        r"[^\W\d_]+@x\.org",
        r"(?P<a>[ab])(?P=a)!",
        r".x",
        r"[^a]x",
        r"(?>x[yz])",
    ],
)
def test_patterns_are_met(pattern: str) -> None:
    """By a text made from the pattern itself, another one for each record."""
    field = ma.fields.String(validate=validate.Regexp(pattern))
    values = made(sa.String(30), field)
    assert all(re.match(pattern, value) for value in values)
    texts = [matching(re.compile(pattern), n) for n in range(2)]
    assert texts[0] != texts[1]


@pytest.mark.parametrize("type_", [sa.Float(24), mysql.DATETIME(fsp=3), mysql.TIME(fsp=2)])
def test_what_a_column_s_precision_cuts_off_is_not_made_up(type_: Any) -> None:
    """Values come back as they were from every database."""
    values = made(type_)
    assert len(values) == 3
    for value in values:
        assert len(str(value).partition(".")[2]) <= 7


def test_a_pattern_that_nothing_meets_gives_nothing() -> None:
    """Other ways to make a value up are tried then."""
    assert matching(re.compile(r"[^\s\S]"), 0) is None


@pytest.mark.parametrize(
    "field",
    [
        ma.fields.Email(),
        ma.fields.Url(),
        ma.fields.String(validate=validate.OneOf(["one", "two"])),
        ma.fields.String(validate=[validate.Length(min=4, max=6)]),
        ma.fields.String(
            validate=validate.And(validate.Length(equal=5), validate.Regexp("[0-9]+$"))
        ),
    ],
)
def test_fields_of_the_applications_own_are_tried(field: Any) -> None:
    """Whatever form it has, it is one that the field itself takes."""
    assert len(made(sa.String(60), field)) == 3


@pytest.mark.parametrize(
    ("type_", "field"),
    [
        (sa.Date, ma.fields.Date()),
        (sa.DateTime, ma.fields.NaiveDateTime()),
        (sa.Uuid, ma.fields.UUID()),
        (sa.Boolean, ma.fields.Boolean()),
        (sa.PickleType, ma.fields.List(ma.fields.Integer())),
        (sa.PickleType, ma.fields.IPv4()),
        (sa.PickleType, ma.fields.Raw()),
        (sa.PickleType, ma.fields.List(ma.fields.Integer(allow_none=True))),
        (sa.PickleType, ma.fields.Decimal(allow_nan=True)),
        (sa.Integer, ma.fields.Integer(validate=[validate.Range(min=1), validate.Range(2, 9)])),
        (sa.Integer, ma.fields.Integer(validate=[validate.NoneOf([1]), validate.NoneOf([2])])),
        (sa.Integer, ma.fields.Integer(validate=[validate.Range(max=7), validate.Range(2, 9)])),
    ],
)
def test_fields_over_other_columns_are_tried_as_well(type_: Any, field: Any) -> None:
    """Also where only the field knows what its column holds."""
    assert len(made(type_, field)) == 3


def test_a_field_that_takes_nothing_asks_for_goldens() -> None:
    """Nobody can guess what only a function knows."""

    def sesame(value: str) -> None:
        if value != "sesame":
            raise ma.ValidationError("closed")

    field = ma.fields.String(validate=sesame)
    with pytest.raises(DeclarationError) as caught:
        made(sa.String(60), field)
    assert caught.value.mistakes == (
        "ThingSchema: value takes nothing of what can be made up for it; give lock(..., "
        "goldens=...) records of yours",
    )


def test_nulls_and_empty_lists_are_the_least() -> None:
    """Where they may be."""
    values = made(sa.Integer, nullable=True)
    assert values.count(None) == 1


@pytest.mark.parametrize("down", [False, True])
def test_owned_rows_stand_in_the_order_of_their_list(down: bool) -> None:
    """A sequence by what it is ordered by, downwards too; at most one where the table says so."""
    base, catalog = new_base(), Catalog("test")

    class Line(base):
        __tablename__ = "lines"
        id = mapped_column(sa.Integer, primary_key=True)
        page_id = mapped_column(sa.ForeignKey("pages.id"), nullable=False)
        place = mapped_column(sa.Integer, nullable=False)

    class Cover(base):
        __tablename__ = "covers"
        id = mapped_column(sa.Integer, primary_key=True)
        page_id = mapped_column(sa.ForeignKey("pages.id"), nullable=False, unique=True)
        text = mapped_column(sa.String(9), nullable=False)

    class Page(base):
        __tablename__ = "pages"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        lines = relationship(Line, order_by=Line.place.desc() if down else Line.place)
        cover = relationship(Cover)

    lines, covers = schema_for(Line, catalog), schema_for(Cover, catalog)
    schema_for(Page, catalog, {"lines": Owned(lines), "cover": Owned(covers)})
    records = sample_records(catalog.use())["pages"]
    assert sorted(len(one["lines"]) for one in records) == [0, 1, 2]
    assert {len(one["cover"]) for one in records} == {0, 1}
    places = [[line["place"] for line in one["lines"]] for one in records]
    assert all(found == sorted(found, reverse=down) for found in places)


def test_known_records_stay_and_are_referred_to() -> None:
    """An entity that has records gets no others."""
    base = new_base()

    class Shop(base):
        __tablename__ = "shops"
        slug = mapped_column(sa.String(9), primary_key=True)

    class Sale(base):
        __tablename__ = "sales"
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        shop_slug = mapped_column(sa.ForeignKey("shops.slug"), nullable=False)
        shop = relationship(Shop)

    entities = catalog_of(Shop, Sale).use()
    records = sample_records(entities, {"shops": [{"slug": "ours"}]})
    assert records["shops"] == [{"slug": "ours"}]
    assert {one["shop"]["slug"] for one in records["sales"]} == {"ours"}


def test_a_reference_to_nothing_asks_for_goldens() -> None:
    """A required reference whose target can't be had is told."""
    base, catalog = new_base(), Catalog("test")

    class Node(base):
        __tablename__ = "nodes"
        slug = mapped_column(sa.String(9), primary_key=True)
        kind = mapped_column(sa.String(9), nullable=False)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "node"}

    class Leaf(Node):
        __tablename__ = "leaves"
        slug = mapped_column(sa.ForeignKey("nodes.slug"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "leaf"}

    class Bug(base):
        __tablename__ = "bugs"
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        leaf_slug = mapped_column(sa.ForeignKey("leaves.slug"), nullable=False)
        leaf = relationship(Leaf)

    for model in (Node, Bug):
        schema_for(model, catalog)
    entities = catalog.use()
    found = sample_records(entities)
    kinds = {one["slug"]: one["kind"] for one in found["nodes"]}
    assert {kinds[one["leaf"]["slug"]] for one in found["bugs"]} == {"leaf"}
    with pytest.raises(DeclarationError, match=r"BugSchema: leaf takes nothing"):
        sample_records(entities, {"nodes": [{"slug": "a", "kind": "node"}]})
