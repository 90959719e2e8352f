"""The default rule for natural keys, in every branch, and what may be declared instead."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog
from lading.errors import DeclarationError
from lading.mapping.load_order import load_order_of
from support.declaring import catalog_of, new_base, schema_for
from support.zoo import WORLDS, World


def model(*args: Any, **columns: Any) -> Any:
    """Make a model named Item over a table of these columns, with a surrogate id."""
    base = new_base()
    columns.setdefault("id", mapped_column(sa.Integer, primary_key=True, sort_order=-1))
    return type("Item", (base,), {"__tablename__": "items", "__table_args__": args, **columns})


def key_of(item: Any, **meta: Any) -> tuple[str, ...]:
    """Return the written names of the natural key of a model."""
    catalog = Catalog("test")
    schema_for(item, catalog, **meta)
    return catalog.use()["items"].key_names


def refusal(item: Any, **meta: Any) -> str:
    """Return the text of the declaration error."""
    with pytest.raises(DeclarationError) as caught:
        key_of(item, **meta)
    return str(caught.value)


def text(**options: Any) -> Any:
    """Make a NOT NULL text column."""
    return mapped_column(sa.String(20), **{"nullable": False, **options})


def test_a_unique_slug_is_the_key() -> None:
    """Slug comes before everything else that is unique."""
    item = model(slug=text(unique=True), uuid=text(unique=True), code=text(unique=True))
    assert key_of(item) == ("slug",)


def test_a_slug_that_is_not_unique_is_no_key() -> None:
    """The name alone identifies nothing; the uuid is next."""
    assert key_of(model(slug=text(), uuid=mapped_column(sa.Uuid, unique=True, nullable=False))) == (
        "uuid",
    )


def test_a_slug_unique_by_a_plain_index_counts() -> None:
    """Real applications say unique by indexes."""
    item = model(sa.Index("ix", "slug", unique=True), slug=text(), name=text(unique=True))
    assert key_of(item) == ("slug",)


def test_a_slug_unique_by_a_partial_index_does_not_count() -> None:
    """A partial index leaves twins; the other candidate is taken."""
    item = model(
        sa.Index("ix", "slug", unique=True, sqlite_where=sa.text("slug <> ''")),
        slug=text(),
        name=text(unique=True),
    )
    assert key_of(item) == ("name",)


def test_a_nullable_unique_slug_is_refused_with_the_candidates() -> None:
    """In one real application such a slug was null in every row."""
    item = model(slug=text(unique=True, nullable=True), name=text(unique=True))
    assert refusal(item) == (
        "ItemSchema: slug is unique but nullable; write natural_key = one of: 'name'; 'slug'; 'id'."
    )


def test_a_business_key_comes_before_what_is_made_up() -> None:
    """A bundle can then be imported where the application has made up other uuids."""
    made_up = mapped_column(sa.Uuid, unique=True, nullable=False, default=uuid.uuid4)
    assert key_of(model(uuid=made_up, code=text(unique=True))) == ("code",)


@pytest.mark.parametrize(
    "default", [{"default": lambda: "x"}, {"server_default": sa.text("(random())")}]
)
def test_what_is_made_up_is_the_key_where_nothing_else_is_unique(default: Any) -> None:
    """A uuid of the application's own identifies a record, if nothing better does."""
    assert key_of(model(uuid=text(unique=True, **default), name=text())) == ("uuid",)
    assert key_of(model(token=text(unique=True, **default), name=text())) == ("token",)
    both = model(token=text(unique=True, **default), uuid=text(unique=True, **default))
    assert key_of(both) == ("uuid",)


def test_several_that_are_made_up_are_refused_with_the_list() -> None:
    """As business keys are."""
    made = {"unique": True, "default": lambda: "x"}
    assert refusal(model(token=text(**made), secret=text(**made))) == (
        "ItemSchema: several columns could be its natural key; "
        "write natural_key = one of: 'token'; 'secret'; 'id'."
    )


def test_a_constant_default_makes_nothing_up() -> None:
    """A tenant that is 'main' unless somebody says so is part of a business key."""
    item = model(
        sa.UniqueConstraint("tenant", "name"),
        tenant=text(server_default="main"),
        name=text(),
        uuid=mapped_column(sa.Uuid, unique=True, nullable=False, default=uuid.uuid4),
    )
    assert key_of(item) == ("tenant", "name")


def test_a_unique_set_that_holds_the_primary_key_is_no_candidate() -> None:
    """The primary key alone is unique, so what stands beside it adds nothing."""
    item = model(sa.UniqueConstraint("id", "tenant"), tenant=text(), name=text(unique=True))
    assert key_of(item) == ("name",)


def test_a_unique_uuid_that_may_be_null_is_passed_over() -> None:
    """It is offered, after what is never null."""
    nullable = text(unique=True, nullable=True)
    assert key_of(model(uuid=nullable, name=text(unique=True))) == ("name",)
    assert refusal(model(uuid=text(unique=True, nullable=True))) == (
        "ItemSchema: it has no natural key; write natural_key = one of: 'uuid'; 'id'."
    )


def test_the_only_unique_constraint_is_the_key() -> None:
    """In the constraint's own column order."""
    item = model(sa.UniqueConstraint("b", "a"), a=text(), b=text())
    assert set(key_of(item)) == {"a", "b"}


def test_a_unique_constraint_with_nullable_columns_is_passed_over() -> None:
    """Its nulls would be twins for the database."""
    item = model(
        sa.UniqueConstraint("a", "b"), a=text(), b=text(nullable=True), name=text(unique=True)
    )
    assert key_of(item) == ("name",)


def test_several_candidates_are_refused_with_the_list() -> None:
    """Guessing one would make bundles that another guess can't read."""
    item = model(
        sa.UniqueConstraint("a", "b"), a=text(), b=text(), name=text(unique=True), note=text()
    )
    assert refusal(item) == (
        "ItemSchema: several columns could be its natural key; "
        "write natural_key = one of: ('a', 'b'); 'name'; 'id'."
    )


def test_no_candidate_at_all_is_refused() -> None:
    """A surrogate id is no identity outside of its database."""
    assert refusal(model(name=text())) == (
        "ItemSchema: it has no natural key; write natural_key = (...) with the fields that "
        "identify a record outside any database, or natural_key = 'id' if the id itself is "
        "the identity."
    )


def test_a_primary_key_that_nobody_generates_is_the_key() -> None:
    """A code that people chose identifies a record everywhere."""
    assert key_of(model(id=None, code=text(primary_key=True), name=text())) == ("code",)


def test_a_composite_primary_key_is_the_key() -> None:
    """Its columns are fields and no surrogates."""
    item = model(id=None, a=text(primary_key=True), b=text(primary_key=True))
    assert key_of(item) == ("a", "b")


def test_a_primary_key_made_of_references_is_the_key() -> None:
    """An association object is known by the two that it ties."""
    base = new_base()

    class Left(base):
        __tablename__ = "lefts"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)

    class Right(base):
        __tablename__ = "rights"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)

    class Item(base):
        __tablename__ = "items"
        left_id = mapped_column(sa.ForeignKey("lefts.id"), primary_key=True)
        right_id = mapped_column(sa.ForeignKey("rights.id"), primary_key=True)
        note = text()
        left = relationship(Left)
        right = relationship(Right)

    rows = catalog_of(Left, Right, Item).use()["items"]
    assert rows.key_names == ("left", "right")
    assert rows.surrogate is None


def test_a_shared_primary_key_is_the_reference() -> None:
    """One-to-one by a shared id: the record is known by what it extends."""
    base = new_base()

    class User(base):
        __tablename__ = "users"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)

    class Profile(base):
        __tablename__ = "profiles"
        user_id = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
        bio = text()
        user = relationship(User)

    rows = catalog_of(User, Profile).use()["profiles"]
    assert rows.key_names == ("user",)
    assert [member.name for member in rows.members] == ["user", "bio"]


def test_a_unique_constraint_over_a_reference_is_a_key() -> None:
    """A reference may be part of a key; its target's key is nested."""
    base = new_base()

    class Brand(base):
        __tablename__ = "brands"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)

    class Item(base):
        __tablename__ = "items"
        __table_args__ = (sa.UniqueConstraint("brand_id", "name"),)
        id = mapped_column(sa.Integer, primary_key=True)
        name = text()
        brand_id = mapped_column(sa.ForeignKey("brands.id"), nullable=False)
        brand = relationship(Brand)

    assert set(catalog_of(Brand, Item).use()["items"].key_names) == {"brand", "name"}


def test_a_declared_key_wins() -> None:
    """Whatever could be derived, the declaration is what holds, in its own order."""
    item = model(slug=text(unique=True), a=text(), b=text())
    assert key_of(item, natural_key=("b", "a")) == ("b", "a")
    assert key_of(item, natural_key="a") == ("a",)


def test_a_declared_key_may_have_nullable_parts() -> None:
    """Nulls compare equal then; twins are found when they are met."""
    assert key_of(model(a=text(), b=text(nullable=True)), natural_key=("a", "b")) == ("a", "b")


def test_the_id_itself_may_be_declared_as_the_identity() -> None:
    """Then it is a field like any other, and no surrogate."""
    catalog = Catalog("test")
    schema_for(model(name=text()), catalog, natural_key="id")
    rows = catalog.use()["items"]
    assert rows.key_names == ("id",)
    assert rows.surrogate is None
    assert [member.name for member in rows.members] == ["id", "name"]


@pytest.mark.parametrize(
    ("type_", "default"),
    [
        (sa.Uuid, {"default": uuid.uuid4}),
        (sa.Uuid, {"server_default": sa.text("gen_random_uuid()")}),
        (sa.String(32), {"default": sa.func.hex(sa.func.randomblob(8))}),
        (sa.BigInteger, {"default": lambda: 7}),
    ],
)
def test_a_primary_key_that_the_database_does_not_number_is_a_field(
    type_: Any, default: Any
) -> None:
    """Whoever makes it up, the world may know it; without anything unique it is the key."""
    catalog = Catalog("test")
    key = partial(mapped_column, type_, primary_key=True, **default)
    schema_for(model(id=key(), name=text(unique=True)), catalog)
    rows = catalog.use()["items"]
    assert [member.name for member in rows.members] == ["name", "id"]
    assert rows.surrogate is None
    assert key_of(model(id=key(), name=text())) == ("id",)


def test_a_declared_field_for_a_numbered_primary_key_is_carried() -> None:
    """Who declares it wants it."""
    catalog = Catalog("test")
    field = fields.Integer(required=True)
    schema_for(model(slug=text(unique=True)), catalog, {"id": field})
    rows = catalog.use()["items"]
    assert [member.name for member in rows.members] == ["slug", "id"]
    assert rows.surrogate is None


@pytest.mark.parametrize(
    ("attributes", "meta"),
    [({}, {"exclude": ("id",)}), ({}, {"fields": ("slug",)}), ({}, {"dump_only": ("id",)})],
)
@pytest.mark.parametrize("type_", [sa.Integer, sa.Uuid])
def test_a_primary_key_that_is_excluded_or_only_written_is_made_anew(
    type_: Any, attributes: Any, meta: Any
) -> None:
    """What the schema says holds, for ids that something makes up."""
    catalog = Catalog("test", keep_ids=True)
    default = {} if type_ is sa.Integer else {"default": uuid.uuid4}
    item = model(id=mapped_column(type_, primary_key=True, **default), slug=text(unique=True))
    schema_for(item, catalog, attributes, **meta)
    rows = catalog.use()["items"]
    assert rows.surrogate is rows.table.c.id
    written = ["slug", "id"] if "dump_only" in meta else ["slug"]
    assert [member.name for member in rows.members] == written


def test_what_refers_to_a_primary_key_that_is_only_written_follows_it() -> None:
    """The reference is a natural key, so it leads to the row whatever its id is."""
    base = new_base()

    class Zone(base):
        __tablename__ = "zones"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)

    class Area(base):
        __tablename__ = "areas"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)
        zone_id = mapped_column(sa.ForeignKey("zones.id"), nullable=False)

    catalog = catalog_of(Area)
    schema_for(Zone, catalog, dump_only=("id",))
    assert [member.name for member in catalog.use()["areas"].members] == ["slug", "zone"]


def test_a_key_must_be_a_field() -> None:
    """A misspelt key is told what there is."""
    assert refusal(model(name=text(unique=True)), natural_key="nmae") == (
        "ItemSchema: natural_key names an unknown field 'nmae'; expected one of: name, id."
    )


@pytest.mark.parametrize(("type_", "kind"), [(sa.Float(), "float"), (sa.JSON(), "json")])
def test_floats_and_json_are_no_keys(type_: Any, kind: str) -> None:
    """They can't be compared for equality on every engine."""
    item = model(name=mapped_column(type_, nullable=False))
    assert refusal(item, natural_key="name") == (
        f"ItemSchema: natural_key names 'name', and a {kind} field can't be a key; name another field."
    )


def test_a_unique_float_is_no_candidate() -> None:
    """A constraint over a float is passed over like one over nothing."""
    item = model(
        weight=mapped_column(sa.Float, unique=True, nullable=False), code=text(unique=True)
    )
    assert key_of(item) == ("code",)


def test_a_list_is_no_key() -> None:
    """Links live in another table."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Tag(base):
        __tablename__ = "tags"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = text(unique=True)

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        tags = relationship(Tag, secondary=links)

    catalog = catalog_of(Tag)
    schema_for(Item, catalog, natural_key="tags")
    with pytest.raises(
        DeclarationError, match="ItemSchema: natural_key names 'tags', which is a l"
    ):
        catalog.use()


def test_key_fields_come_first_in_a_record() -> None:
    """Key fields first, in key order, then declared order."""
    item = model(a=text(), b=text(), c=text(unique=True), d=text())
    catalog = Catalog("test")
    schema_for(item, catalog, natural_key=("d", "b"))
    rows = catalog.use()["items"]
    assert [member.name for member in rows.members] == ["d", "b", "a", "c"]


def test_a_catalog_says_which_keys_it_chose_and_why() -> None:
    """Among which candidates, and whether a constraint guards the key; sorted by name."""
    base = new_base()

    class Zone(base):
        __tablename__ = "zones"
        id = mapped_column(sa.Integer, primary_key=True)
        uuid = mapped_column(sa.Uuid, unique=True, nullable=False, default=uuid.uuid4)
        code = text(unique=True)
        label = text(unique=True, nullable=True)

    class Area(base):
        __tablename__ = "areas"
        id = mapped_column(sa.Integer, primary_key=True)
        name = text()

    catalog = Catalog("test")
    schema_for(Zone, catalog)
    schema_for(Area, catalog, natural_key="name")
    areas, zones = catalog.choices()
    assert (areas.entity, areas.key, areas.guarded) == ("areas", ("name",), False)
    assert areas.candidates == (("id",),)
    assert str(areas) == (
        "areas: 'name' (natural_key is declared); the other candidates are 'id'; "
        "no constraint guards it, lading alone does"
    )
    assert zones.candidates == (("uuid",), ("code",), ("label",), ("id",))
    assert str(zones) == (
        "zones: 'code' (the only unique columns that are never null and not generated); "
        "the other candidates are 'uuid'; 'label'; 'id'"
    )


def test_a_composite_primary_key_is_offered_whole() -> None:
    """It stands among the unique sets, before what may be null."""
    item = model(
        sa.UniqueConstraint("c", "d"),
        id=None,
        a=text(primary_key=True),
        b=text(primary_key=True),
        c=text(),
        d=text(),
        slug=text(unique=True, nullable=True),
    )
    assert refusal(item) == (
        "ItemSchema: slug is unique but nullable; "
        "write natural_key = one of: ('c', 'd'); ('a', 'b'); 'slug'."
    )


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS.keys())
def test_whatever_is_offered_works_when_it_is_written_down(make: Callable[[], World]) -> None:
    """Each candidate of each entity is a key that the catalog takes and can put in order."""
    catalog = make().catalog
    for choice in catalog.choices():
        schema = next(s for s, rows in catalog.use().plain.items() if rows.name == choice.entity)
        before = getattr(schema.Meta, "natural_key", None)
        for candidate in choice.candidates:
            schema.Meta.natural_key = candidate
            catalog._entities = None
            load_order_of(catalog.use())
        schema.Meta.natural_key = before
        catalog._entities = None
