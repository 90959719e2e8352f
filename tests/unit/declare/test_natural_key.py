"""The default rule for natural keys, in every branch, and what may be declared instead."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog
from lading.errors import DeclarationError
from support.declaring import catalog_of, new_base, schema_for


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
        "ItemSchema: slug is unique but nullable; write natural_key = one of: 'slug'; 'name'."
    )


def test_a_nullable_unique_uuid_is_refused_likewise() -> None:
    """The rule for uuid is that of slug."""
    assert refusal(model(uuid=text(unique=True, nullable=True))) == (
        "ItemSchema: uuid is unique but nullable; write natural_key = one of: 'uuid'."
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
        "write natural_key = one of: ('a', 'b'); 'name'."
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


def test_a_made_up_uuid_primary_key_is_a_surrogate() -> None:
    """What the model makes up means nothing elsewhere."""
    item = model(id=mapped_column(sa.Uuid, primary_key=True, default=uuid.uuid4), name=text())
    assert "it has no natural key" in refusal(item)


def test_a_key_must_be_a_field() -> None:
    """A misspelt key is told what there is."""
    assert refusal(model(name=text(unique=True)), natural_key="nmae") == (
        "ItemSchema: natural_key names 'nmae', which is no field of it; its fields are name, id."
    )


@pytest.mark.parametrize(("type_", "kind"), [(sa.Float(), "float"), (sa.JSON(), "json")])
def test_floats_and_json_are_no_keys(type_: Any, kind: str) -> None:
    """They can't be compared for equality on every engine."""
    item = model(name=mapped_column(type_, nullable=False))
    assert refusal(item, natural_key="name") == (
        f"ItemSchema: natural_key names 'name', and a {kind} field is no key; name another field."
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
