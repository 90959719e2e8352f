"""Several catalogs over the same models: none sees what another derives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    EntitySchema,
    Owned,
    Ref,
    VersionError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.errors import DeclarationError, LeftOutWarning
from lading.mapping.fields import schema_of
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.world import key, slug, text, to


def test_the_same_models_in_two_catalogs(backend: Backend, tmp_path: Path) -> None:
    """Each has keys, names and references of its own, and its bundle is its own."""
    base = new_base()

    class Author(base):  # type: ignore[misc, valid-type]
        __tablename__ = "authors"
        id = key()
        slug = slug()
        name = mapped_column(sa.String(20), unique=True, nullable=False)

    class Book(base):  # type: ignore[misc, valid-type]
        __tablename__ = "books"
        id = key()
        slug = slug()
        title = text(20)
        author_id = to("authors.id")
        author = relationship(Author)

    one, other = Catalog("one"), Catalog("other", leaves_out={"books.title": "not asked for"})
    for model in (Author, Book):
        schema_for(model, one)
    schema_for(Author, other, name="people", natural_key="name")
    schema_for(Book, other, {"written_by": Ref("author")}, exclude=("title",), version=3)
    with backend.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add(Book(slug="b", title="t", author=Author(slug="a", name="A. N.")))
        first = export_document(engine, catalog=one)
        second = export_document(engine, catalog=other)
        assert first["books"] == [{"slug": "b", "title": "t", "author": {"slug": "a"}}]
        assert second["books"] == [{"slug": "b", "written_by": {"name": "A. N."}}]
        assert second["people"] == [{"name": "A. N.", "slug": "a"}]
        export_all(engine, tmp_path / "one", catalog=one)
        with backend.database(base.metadata) as target:
            with pytest.raises(VersionError, match="is of catalog 'one', not of 'other'"):
                import_all(target, tmp_path / "one", catalog=other)
            import_all(target, tmp_path / "one", catalog=one)
            assert export_document(target, catalog=one)["books"] == first["books"]
            assert export_document(target, catalog=other)["people"] == second["people"]


class Shelf:
    """Schemas of one declared catalog, which serve a second one as well."""

    def __init__(self) -> None:
        base = new_base()

        class Author(base):  # type: ignore[misc, valid-type]
            __tablename__ = "authors"
            id = key()
            slug = slug()
            secret = mapped_column(sa.String(20))
            books = relationship("Book")

        class Book(base):  # type: ignore[misc, valid-type]
            __tablename__ = "books"
            id = key()
            slug = slug()
            author_id = to("authors.id")

        self.author, self.book, self.metadata = Author, Book, base.metadata
        self.plain = Catalog("shelf", leaves_out={"authors.secret": "it is one"})
        self.whole = Catalog("shelf", keep_ids=True)
        shout = ma.fields.Function(lambda author: author.slug.upper(), dump_only=True)
        self.books = schema_for(Book, self.plain)
        fields = {"books": Owned(self.books), "loud": shout}
        self.authors = schema_for(Author, self.plain, fields, exclude=("secret",))
        for schema in (self.authors, self.books):
            self.whole.register(schema)

    def states(self) -> list[object]:
        """Return all that the schema classes are, as far as somebody could alter it."""
        return [
            (
                dict(vars(schema)),
                dict(schema._declared_fields),
                {name: dict(vars(field)) for name, field in schema._declared_fields.items()},
                dict(vars(schema.Meta)),
                dict(vars(schema.opts)),
            )
            for schema in (self.authors, self.books)
        ]


def test_one_schema_in_two_catalogs(backend: Backend) -> None:
    """Each catalog carries the rows by its own options, and loads what it wrote."""
    shelf = Shelf()
    with backend.database(shelf.metadata) as engine:
        with Session(engine) as session, session.begin():
            book = shelf.book(id=9, slug="b")
            session.add(shelf.author(id=7, slug="a", secret=None, books=[book]))
        plain = export_document(engine, catalog=shelf.plain)
        with pytest.warns(LeftOutWarning, match="authors.secret"):
            whole = export_document(engine, catalog=shelf.whole)
        again = export_document(engine, catalog=shelf.plain)
    assert plain["authors"] == [{"slug": "a", "books": [{"slug": "b"}], "loud": "A"}]
    assert whole["authors"] == [
        {"slug": "a", "id": 7, "books": [{"slug": "b", "id": 9}], "loud": "A"}
    ]
    assert again["authors"] == plain["authors"]
    for catalog, document, author in ((shelf.whole, whole, 7), (shelf.plain, plain, 1)):
        with backend.database(shelf.metadata) as target:
            import_document(target, document, catalog=catalog)
            with Session(target) as session:
                assert session.query(shelf.author).one().id == author


def test_catalogs_leave_their_schemas_as_they_are() -> None:
    """What is derived lives in the catalogs: the classes are the same before and after."""
    shelf = Shelf()
    before = shelf.states()
    for catalog in (shelf.whole, shelf.plain):
        catalog.use()
    record = shelf.authors().dump(shelf.author(id=7, slug="a", books=[shelf.book(id=9, slug="b")]))
    shelf.authors().load(record)
    assert shelf.states() == before


def test_a_bare_schema_works_by_the_catalog_of_its_declaration() -> None:
    """Which further catalogs it serves, and which is used first, makes no difference."""
    shelf = Shelf()
    author = shelf.author(id=7, slug="a", books=[shelf.book(id=9, slug="b")])
    shelf.whole.use()
    assert shelf.authors().dump(author) == {"slug": "a", "books": [{"slug": "b"}], "loud": "A"}
    assert list(shelf.authors().fields) == ["slug", "books", "loud"]
    assert list(schema_of(shelf.whole.use()["authors"]).fields) == ["slug", "id", "books", "loud"]


def test_a_further_schema_is_derived_with_the_others() -> None:
    """What was computed before is computed anew; a schema that is there already stays one."""
    shelf = Shelf()
    before = shelf.plain.use(), shelf.plain.coverage()
    shelf.plain.register(shelf.books)
    assert [s.__name__ for s in shelf.plain.schemas] == ["BookSchema", "AuthorSchema"]

    class Reader(new_base()):  # type: ignore[misc]
        __tablename__ = "readers"
        id = key()
        slug = slug()

    schema_for(Reader, shelf.plain, exclude=("slug",), natural_key="id")
    assert (shelf.plain.use() is before[0], list(before[0].roots)) == (False, ["authors"])
    assert list(shelf.plain.use().roots) == ["authors", "readers"]
    assert shelf.plain.coverage() == {**before[1], "readers.slug": None}


@pytest.mark.parametrize("given", [5, Catalog, EntitySchema, EntitySchema()])
def test_only_schemas_of_models_are_registered(given: Any) -> None:
    """Anything else would fail far from where it was given."""
    with pytest.raises(DeclarationError, match=r"catalog 'shelf' can't register .* model = …"):
        Catalog("shelf").register(given)


def test_what_is_excluded_is_not_written_by_a_declared_field_either() -> None:
    """A base's fields may be left out by name, as in any marshmallow schema."""
    base, catalog = new_base(), Catalog("test", leaves_out={"authors.secret": "it is one"})

    class Author(base):  # type: ignore[misc, valid-type]
        __tablename__ = "authors"
        id = key()
        slug = slug()
        secret = mapped_column(sa.String(20))

    fields = {
        "secret": ma.fields.String(required=True),
        "loud": ma.fields.Function(lambda author: author.slug.upper(), dump_only=True),
    }
    schema = schema_for(Author, catalog, fields, exclude=("secret", "loud"))
    assert schema().dump(Author(slug="a", secret="s")) == {"slug": "a"}
    assert schema().load({"slug": "a"}) == {"slug": "a"}


def test_fields_may_name_what_one_of_two_catalogs_carries() -> None:
    """Such as an id; an instance has the fields of its own catalog."""
    base = new_base()

    class Author(base):  # type: ignore[misc, valid-type]
        __tablename__ = "authors"
        id = key()
        slug = slug()

    class Book(base):  # type: ignore[misc, valid-type]
        __tablename__ = "books"
        id = key()
        slug = slug()
        title = text(20)
        author_id = to("authors.id")
        author = relationship(Author)

    plain, whole = Catalog("plain"), Catalog("whole", keep_ids=True)
    schemas = [schema_for(Author, plain), schema_for(Book, plain, fields=("id", "slug", "author"))]
    for schema in schemas:
        whole.register(schema)
    assert list(schemas[1]().fields) == ["slug", "author"]
    assert list(schema_of(whole.use()["books"]).fields) == ["slug", "id", "author"]
    by_column = Catalog("by column")
    schema_for(Author, by_column)
    schema_for(Book, by_column, fields=("slug", "author_id"))
    with pytest.raises(DeclarationError, match="unknown field 'author_id'; expected one of: autho"):
        by_column.use()
    assert schemas[1]().load({"slug": "b", "author": {"slug": "a"}}) == {
        "slug": "b",
        "author": {"slug": "a"},
    }
