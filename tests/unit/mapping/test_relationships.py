"""Relationships without a foreign key: a reference if the target is unique, else plain fields."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import foreign, mapped_column, relationship

from lading import Catalog, DeclarationError, Ref
from support.declaring import catalog_of, new_base, schema_for


def visits(attributes: Any = None, **options: Any) -> Catalog:
    """Return a catalog of drafts, and visits whose relationship to them has no foreign key."""
    base = new_base()

    class Draft(base):  # type: ignore[misc]
        __tablename__ = "drafts"
        __table_args__ = tuple(options.pop("args", ()))
        code = mapped_column(sa.String(9), primary_key=True)
        doc = mapped_column(sa.String(9), **options)

    class Visit(base):  # type: ignore[misc]
        __tablename__ = "visits"
        code = mapped_column(sa.String(9), primary_key=True)
        doc = mapped_column(sa.String(9))
        draft = relationship(Draft, primaryjoin=lambda: foreign(Visit.doc) == Draft.doc)

    catalog = catalog_of(Draft)
    schema_for(Visit, catalog, attributes)
    return catalog


def fields_of(catalog: Catalog) -> list[str]:
    """Name the fields of a visit."""
    return [member.name for member in catalog.use()["visits"].members]


@pytest.mark.parametrize("options", [{"unique": True}, {"unique": True, "nullable": False}])
def test_a_relationship_to_a_unique_column_is_a_reference(options: Any) -> None:
    """Nulls of the target are referred to by nobody, so they may be many."""
    assert fields_of(visits(**options)) == ["code", "draft"]


@pytest.mark.parametrize(
    "args",
    [
        (),
        (sa.Index("ix", "doc", unique=True, sqlite_where=sa.text("code > 'a'")),),
        (sa.UniqueConstraint("doc", "code"),),
    ],
)
def test_a_relationship_to_what_is_not_unique_leaves_its_columns_plain_fields(args: Any) -> None:
    """It may lead to several rows, and its columns hold all that there is."""
    assert fields_of(visits(args=args)) == ["code", "doc"]


def test_a_ref_to_what_is_not_unique_is_refused() -> None:
    """Whoever declares it expects a reference."""
    with pytest.raises(DeclarationError) as caught:
        visits({"drafted": Ref("draft")}).use()
    assert str(caught.value) == (
        "VisitSchema: drafted = Ref(...): draft has no foreign key, and no constraint makes doc of "
        "drafts unique, so it could lead to several rows; make doc unique in the model, or remove "
        "drafted: without it doc is a plain field."
    )


@pytest.mark.parametrize("side", ["owner", "target"])
def test_links_by_columns_that_are_not_unique_are_refused(side: str) -> None:
    """Each link would stand in several lists, or lead to several rows."""
    base = new_base()
    links = sa.Table(
        "links", base.metadata, sa.Column("post", sa.String(9)), sa.Column("tag", sa.String(9))
    )

    class Tag(base):  # type: ignore[misc]
        __tablename__ = "tags"
        code = mapped_column(sa.String(9), primary_key=True)
        label = mapped_column(sa.String(9), unique=side == "owner")

    class Post(base):  # type: ignore[misc]
        __tablename__ = "posts"
        code = mapped_column(sa.String(9), primary_key=True)
        label = mapped_column(sa.String(9), unique=side == "target")
        tags = relationship(
            Tag,
            secondary=links,
            primaryjoin=lambda: Post.label == foreign(links.c.post),
            secondaryjoin=lambda: Tag.label == foreign(links.c.tag),
        )

    wrong = "posts.label" if side == "owner" else "tags.label"
    catalog = catalog_of(Tag)
    schema_for(Post, catalog, natural_key="code")
    with pytest.raises(DeclarationError) as caught:
        catalog.use()
    assert str(caught.value) == (
        f"PostSchema: tags: its link table links leads to {wrong}, which no constraint makes "
        "unique; make it unique in the model, or map links to a class and declare a schema for "
        "that."
    )


def located(attributes: Any = None, **relationships: Any) -> Catalog:
    """Return a catalog of places and visits, which have a composite foreign key to one."""
    base = new_base()

    class Place(base):  # type: ignore[misc]
        __tablename__ = "places"
        x = mapped_column(sa.Integer, primary_key=True)
        y = mapped_column(sa.Integer, primary_key=True)

    visit = type(
        "Visit",
        (base,),
        {
            "__tablename__": "visits",
            "__table_args__": (
                sa.ForeignKeyConstraint(["place_x", "place_y"], ["places.x", "places.y"]),
            ),
            "code": mapped_column(sa.String(9), primary_key=True),
            "across": mapped_column("place_x", sa.Integer),
            "place_y": mapped_column(sa.Integer),
            **{
                name: relationship(Place, viewonly=True, overlaps="*")
                for name in relationships.get("views", ())
            },
        },
    )
    catalog = catalog_of(Place)
    schema_for(visit, catalog, attributes)
    return catalog


def test_a_composite_foreign_key_goes_by_the_name_of_its_only_view() -> None:
    """A relationship that is viewonly writes nothing, and names what its columns hold."""
    assert fields_of(located(views=["place"])) == ["code", "place"]
    assert fields_of(located({"at": Ref("place")}, views=["place", "other"])) == ["code", "at"]


@pytest.mark.parametrize("columns", [("across", "place_y"), ["place_y", "place_x"]])
def test_a_ref_may_name_the_columns_of_a_composite_foreign_key(columns: Any) -> None:
    """By attributes or columns, in any order; then it needs no relationship."""
    assert fields_of(located({"at": Ref(columns)})) == ["code", "at"]


def test_a_composite_foreign_key_without_one_name_is_told_how_to_name_it() -> None:
    """Several views don't say which."""
    with pytest.raises(DeclarationError) as caught:
        located(views=["place", "other"]).use()
    assert str(caught.value) == (
        "VisitSchema: the foreign key (place_x, place_y) has no relationship to be named after; "
        "name it by its columns, as in name = Ref(('across', 'place_y'))."
    )
