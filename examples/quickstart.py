"""Two entities, exported from one database and restored into another."""

from tempfile import mkdtemp

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from lading import EntitySchema, export_all, import_all


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)

class Author(Base):
    __tablename__ = "authors"
    slug: Mapped[str] = mapped_column(unique=True)

class Recipe(Base):
    __tablename__ = "recipes"
    slug: Mapped[str] = mapped_column(unique=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()

class AuthorSchema(EntitySchema):
    class Meta:
        model = Author

class RecipeSchema(EntitySchema):
    class Meta:
        model = Recipe

old, new, backup = create_engine("sqlite://"), create_engine("sqlite://"), mkdtemp()
for engine in (old, new):
    Base.metadata.create_all(engine)
with Session(old) as session, session.begin():
    session.add(Recipe(slug="coq-au-vin", author=Author(slug="julia-child")))
print(export_all(old, backup))
print(import_all(new, backup))
