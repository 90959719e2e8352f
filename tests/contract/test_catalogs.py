"""Several catalogs over the same models: none sees what another derives."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Ref, VersionError, export_all, export_document, import_all
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
