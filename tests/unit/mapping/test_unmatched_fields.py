"""Misspelt names are told what there is, nearest first; one mistake gives one message."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, Ref
from lading.errors import DeclarationError
from lading.messages import alike, nearest
from support.declaring import catalog_of, new_base, schema_for


def mistakes(catalog: Catalog) -> tuple[str, ...]:
    """Return what a catalog's declaration error lists."""
    with pytest.raises(DeclarationError) as caught:
        catalog.use()
    return caught.value.mistakes


def id_column() -> Any:
    """Make a surrogate key."""
    return mapped_column(sa.Integer, primary_key=True)


def slug_column() -> Any:
    """Make a natural key."""
    return mapped_column(sa.String(20), unique=True, nullable=False)


def to(target: str, **options: Any) -> Any:
    """Make a foreign key column that is never null."""
    return mapped_column(sa.ForeignKey(target), **{"nullable": False, **options})


class Library:
    """Authors, shelves, and books that refer to both."""

    def __init__(self, book: Any = None, **author: Any) -> None:
        base = new_base()
        self.author = type(
            "Author",
            (base,),
            {"__tablename__": "authors", "id": id_column(), "slug": slug_column(), **author},
        )
        self.shelf = type(
            "Shelf", (base,), {"__tablename__": "shelves", "id": id_column(), "slug": slug_column()}
        )
        columns = {
            "__tablename__": "books",
            "id": id_column(),
            "title": slug_column(),
            "author_id": to("authors.id"),
            "author": relationship("Author"),
            "place_id": to("shelves.id"),
        }
        self.book = type("Book", (base,), {**columns, **(book or {})})
        self.catalog = Catalog("library")

    def with_others(self) -> Library:
        """Declare authors and shelves."""
        schema_for(self.author, self.catalog)
        schema_for(self.shelf, self.catalog)
        return self


# Names


def test_the_names_most_alike_come_first() -> None:
    """Whoever misspelt one finds it at once; the others stand as they did."""
    assert nearest("slugg", ["title", "slug", "author"]) == "slug, title, author"
    assert nearest("USER", ["users", "roles", "Users"]) == "users, Users, roles"
    assert nearest("nothing", ["title", "slug"]) == "title, slug"
    assert nearest("slug", []) == "none"
    assert alike("titel", ["slug", "title"]) == ["title"]


def test_a_long_list_of_names_is_cut() -> None:
    """An application may have hundreds of tables; the nearest are among those told."""
    names = [f"table_{n}" for n in range(500)] + ["customers"]
    told = nearest("costumers", names)
    assert told.startswith("customers, table_0, ")
    assert told.endswith(", and 481 more")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"writer": Ref("auther")},
            "writer = Ref('auther') names no relationship or foreign-key column of books; "
            "expected one of: author, author_id, place_id",
        ),
        (
            {"plase_id": Ref()},
            "plase_id = Ref(...) names no relationship or foreign-key column of books; "
            "expected one of: place_id, author, author_id",
        ),
        (
            {"titel": ma.fields.String()},
            "titel isn't a column of books, so nothing could restore it; did you mean title? Else "
            "give it attribute=..., or dump_only=True",
        ),
        (
            {"author": Ref(by="slugg")},
            "author: by='slugg' isn't a field of AuthorSchema that can be a key; name another such "
            "as slug, or remove by",
        ),
    ],
)
def test_a_misspelt_field_is_told_what_there_is(fields: dict[str, Any], told: str) -> None:
    """Fields and references alike."""
    library = Library().with_others()
    schema_for(library.book, library.catalog, fields)
    assert mistakes(library.catalog) == (f"BookSchema: {told}",)


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        (
            {"natural_key": "titel"},
            "natural_key names an unknown field 'titel'; expected one of: title, id, author, place",
        ),
        (
            {"exclude": ("auhtor",)},
            "Meta names an unknown field 'auhtor'; expected one of: author, id, place, title",
        ),
        (
            {"exclude": ("author_id",)},  # the reference would be written all the same
            "Meta names an unknown field 'author_id', which stands in records as 'author'; "
            "expected one of: author, id, place, title",
        ),
        (
            {"natural_key": ("author", "place_id")},
            "natural_key names an unknown field 'place_id', which stands in records as 'place'; "
            "expected one of: place, id, title, author",
        ),
        (
            {"natural_key": ("author", "slug")},
            "natural_key names an unknown field 'slug', which is reached by the reference "
            "'author' or 'place'; expected one of: author, id, title, place",
        ),
        (
            {"natural_key": "shelves"},
            "natural_key names an unknown field 'shelves', which is reached by the reference "
            "'place'; expected one of: place, id, title, author",
        ),
        (
            {"natural_key": "title", "exclude": ("title",)},
            "natural_key names an unknown field 'title', which Meta.exclude leaves out; expected "
            "one of: id, author, place",
        ),
        (
            {"volatile": "titel"},
            "volatile names an unknown field 'titel'; expected one of: title, author, place",
        ),
        (
            {"depends_on": "shelfs"},
            "depends_on names an unknown entity 'shelfs'; expected one of: shelves, authors, books",
        ),
    ],
)
def test_a_misspelt_name_in_meta_is_told_what_there_is(meta: dict[str, Any], told: str) -> None:
    """Keys, left out fields and entities alike."""
    library = Library().with_others()
    schema_for(library.book, library.catalog, **meta)
    assert mistakes(library.catalog) == (f"BookSchema: {told}",)


def test_a_misspelt_option_is_told_what_there_is() -> None:
    """The option that was meant stands first."""
    library = Library().with_others()
    schema_for(library.book, library.catalog, natural_keys="title")
    told = "BookSchema: Meta.natural_keys isn't an option; expected one of: natural_key, "
    assert mistakes(library.catalog)[0].startswith(told)


# Relationships that nothing is written by


def viewonly(**options: Any) -> dict[str, Any]:
    """Map the author's column, and a relationship that only reads it."""
    return {
        "author": relationship("Author", viewonly=True, **options),
        "writer_id": to("authors.id"),
        "author_id": mapped_column(sa.Integer),
    }


def test_a_reference_by_a_viewonly_relationship_is_called_what_it_is() -> None:
    """It leads to one row, so it isn't "to many"; its column can be named instead."""
    told = (
        "BookSchema: writer = Ref('author') is a relationship that is viewonly, so nothing is "
        "written by it; name its column: writer = Ref('writer_id'), or remove viewonly=True "
        "from it"
    )
    library = Library(viewonly()).with_others()
    schema_for(library.book, library.catalog, {"writer": Ref("author")})
    assert mistakes(library.catalog) == (told,)


@pytest.mark.parametrize(
    ("author", "told"),
    [
        (
            relationship("Author", viewonly=True, primaryjoin="Book.title == foreign(Author.slug)"),
            "viewonly, so nothing is written by it; remove viewonly=True from it, or remove the "
            "field",
        ),
        (
            relationship("Author", uselist=True, primaryjoin="Book.title == foreign(Author.slug)"),
            "is a relationship to many; write writer = Owned(...) if they live in its record, or "
            "remove it",
        ),
    ],
    ids=["viewonly", "many"],
)
def test_a_reference_by_a_relationship_to_many_is_called_what_it_is(author: Any, told: str) -> None:
    """There is no column that could be named instead."""
    columns = {"author": author, "author_id": mapped_column(sa.Integer)}
    library = Library(columns).with_others()
    schema_for(library.book, library.catalog, {"writer": Ref("author")})
    (mistake,) = mistakes(library.catalog)
    assert mistake.startswith("BookSchema: writer = Ref('author') ")
    assert mistake.endswith(told)


def test_the_column_of_a_viewonly_relationship_can_be_named() -> None:
    """What the message says to write is taken."""
    library = Library(viewonly()).with_others()
    schema_for(library.book, library.catalog, {"writer": Ref("writer_id")})
    assert "writer" in {item.name for item in library.catalog.use()["books"].references}


def test_a_viewonly_relationship_of_a_reference_that_is_declared_already_is_told_so() -> None:
    """Naming its column once more would be the next mistake."""
    fields = {"author": Ref("writer_id"), "writer": Ref("author")}
    library = Library(viewonly()).with_others()
    schema_for(library.book, library.catalog, fields)
    (mistake,) = mistakes(library.catalog)
    assert mistake.endswith(
        "its foreign key is the reference author already; remove one of the two"
    )


def test_a_viewonly_relationship_by_several_columns_can_be_named_by_them() -> None:
    """Where it leads elsewhere than their foreign key, which has a relationship of its own."""
    base = new_base()

    def column() -> Any:
        return mapped_column(sa.Integer, nullable=False)

    class Place(base):
        __tablename__ = "places"
        __table_args__ = (sa.UniqueConstraint("a", "b"),)
        id, slug, a, b, c = id_column(), slug_column(), column(), column(), column()

    class Trip(base):
        __tablename__ = "trips"
        __table_args__ = (sa.ForeignKeyConstraint(["x", "y"], ["places.a", "places.b"]),)
        id, slug, x, y = id_column(), slug_column(), column(), column()
        place = relationship(Place)
        near = relationship(
            Place,
            viewonly=True,
            primaryjoin=lambda: sa.and_(
                orm.foreign(Trip.x) == Place.a, orm.foreign(Trip.y) == Place.c
            ),
        )

    def declared(wanted: Any) -> Catalog:
        catalog = Catalog("trips")
        schema_for(Place, catalog)
        schema_for(Trip, catalog, {"to": Ref(wanted)})
        return catalog

    (mistake,) = mistakes(declared("near"))
    assert "name its columns: to = Ref(('x', 'y')), or remove viewonly=True" in mistake
    assert [reference.name for reference in declared(("x", "y")).use()["trips"].references] == [
        "to"
    ]


# One mistake, one message


class Odd(sa.types.UserDefinedType[Any]):
    """A type that nobody knows."""

    cache_ok = True

    def get_col_spec(self) -> str:
        """Return its name."""
        return "ODD"


def test_a_schema_that_is_refused_is_no_missing_target() -> None:
    """Those that refer to its records aren't wrong."""
    library = Library()
    schema_for(library.shelf, library.catalog)
    schema_for(library.book, library.catalog, depends_on="authors")
    author = schema_for(library.author, library.catalog)
    author.Meta.model = "Author"
    assert mistakes(library.catalog) == (
        "AuthorSchema: model = 'Author' isn't a mapped class; map it, or name another",
    )


def test_a_subclass_declared_alone_is_no_missing_target() -> None:
    """The base's table would be carried, were the schema declared on the base."""
    library = Library(
        kind=mapped_column(sa.String(9)),
        __mapper_args__={"polymorphic_on": "kind", "polymorphic_identity": "a"},
    )
    novelist = type(
        "Novelist", (library.author,), {"__mapper_args__": {"polymorphic_identity": "novelist"}}
    )
    schema_for(novelist, library.catalog)
    schema_for(library.shelf, library.catalog)
    schema_for(library.book, library.catalog)
    assert len(mistakes(library.catalog)) == 1


def test_an_owner_that_is_refused_makes_no_entity_of_its_children() -> None:
    """The children need no key of their own, and their way to it isn't missing."""
    base = new_base()
    order = type("Order", (base,), {"__tablename__": "orders", "id": id_column()})
    line = type(
        "Line", (base,), {"__tablename__": "lines", "id": id_column(), "order_id": to("orders.id")}
    )
    catalog = Catalog("shop")
    child = schema_for(line, catalog)
    schema_for(order, catalog, {"lines": Owned(child)}).Meta.model = "Order"
    assert mistakes(catalog) == (
        "OrderSchema: model = 'Order' isn't a mapped class; map it, or name another",
    )


@pytest.mark.parametrize("option", ["flat", "key", "owned"])
def test_a_missing_key_is_told_once(option: str) -> None:
    """Whatever is written by that key isn't wrong in itself."""
    library = Library(slug=mapped_column(sa.String(20)))
    schema_for(library.author, library.catalog)
    fields = {"author": Ref(flat=True)} if option == "flat" else {}
    key = {"natural_key": ("author", "title")} if option == "key" else {}
    child = schema_for(library.book, library.catalog, fields, **key)
    schema_for(library.shelf, library.catalog, {"books": Owned(child)} if option == "owned" else {})
    (told,) = mistakes(library.catalog)
    assert told.startswith("AuthorSchema: it has no natural key; write natural_key = ")


def test_a_field_of_no_known_type_is_told_once() -> None:
    """Key, options and references that name it aren't wrong in themselves."""
    library = Library({"isbn": mapped_column(Odd(), nullable=False)}).with_others()
    schema_for(library.book, library.catalog, natural_key="isbn", volatile="isbn")
    (told,) = mistakes(library.catalog)
    assert told.startswith("BookSchema: isbn: Odd() has a Python type that lading doesn't know")


def test_a_reference_that_needs_a_name_is_told_once() -> None:
    """A key that holds the reference isn't wrong in itself."""
    twice = {"writer": relationship("Author", overlaps="author")}
    library = Library(twice).with_others()
    schema_for(library.book, library.catalog, natural_key=("author", "title"), exclude=("writer",))
    (told,) = mistakes(library.catalog)
    assert told.startswith("BookSchema: author_id has several relationships; write ")


def test_mistakes_that_do_not_follow_are_all_told() -> None:
    """One after the other would take as many rounds as there are mistakes."""
    library = Library(slug=mapped_column(sa.String(20)))
    schema_for(library.author, library.catalog)
    schema_for(library.shelf, library.catalog)
    schema_for(library.book, library.catalog, {"titel": ma.fields.String()}, natural_key="nmae")
    assert [told.partition(" ")[0] for told in mistakes(library.catalog)] == [
        "BookSchema:",
        "AuthorSchema:",
        "BookSchema:",
    ]


def test_a_catalog_without_mistakes_is_taken() -> None:
    """The models of these tests are right."""
    library = Library()
    catalog = catalog_of(library.author, library.shelf, library.book)
    assert set(catalog.use().roots) == {"authors", "shelves", "books"}
