"""What a catalog adopts of each source."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry, relationship

from lading import Catalog, DeclarationError
from support.declaring import new_base, schema_for, table, to


def shop() -> Any:
    """Shelves and goods, the links between them, and a table that no class maps."""
    base = new_base()
    links = sa.Table("shelf_goods", base.metadata, to_key("shelves"), to_key("goods"))
    table(base, "goods", shelf_id=to("shelves.id"))
    table(base, "shelves", goods=relationship("Goods", secondary=links))
    sa.Table("notes", base.metadata, sa.Column("id", sa.Integer, primary_key=True))
    return base


def to_key(target: str) -> sa.Column[Any]:
    return sa.Column(f"{target}_id", sa.ForeignKey(f"{target}.id"))


def names(catalog: Catalog) -> list[str]:
    """Return the names of a catalog's entities."""
    return sorted(catalog.use().roots)


@pytest.mark.parametrize(
    "source",
    [lambda base: base, lambda base: base.registry, lambda base: base.metadata],
    ids=["base", "registry", "metadata"],
)
def test_every_table_gets_an_entity_and_links_a_list(source: Any) -> None:
    """A table of links without a primary key is a list of one side, mapped or not."""
    catalog = Catalog.from_metadata(source(shop()))
    assert names(catalog) == ["goods", "notes", "shelves"]
    assert [links.table.name for rows in catalog.use().all_rows() for links in rows.links] == [
        "shelf_goods"
    ]
    assert catalog.coverage() == {}


def test_a_list_of_models_is_adopted_alone() -> None:
    """What its models refer to is left out by name, and the ids stay."""
    base = shop()
    goods = next(m.class_ for m in base.registry.mappers if m.class_.__name__ == "Goods")
    catalog = Catalog.from_metadata([goods])
    (choice,) = catalog.choices()
    assert choice.fields == (("shelf_id", "holds the id itself, for shelves isn't carried"),)
    assert sorted(catalog.coverage()) == ["notes", "shelf_goods", "shelves"]
    assert "shelf_id" in str(choice)


def test_models_that_come_later_are_adopted_too() -> None:
    """A base is looked at when the catalog is first used."""
    base = new_base()
    catalog = Catalog.from_metadata(base, name="late")
    table(base, "things")
    assert (catalog.name, names(catalog)) == ("late", ["things"])


def test_bases_of_other_libraries_serve() -> None:
    """SQLModel keeps its registry under a name of its own, and Flask-SQLAlchemy has several metadata."""

    class Model:
        _sa_registry = registry()

    things = table(new_base(), "things")
    Model._sa_registry = things.registry
    other = type(
        "Other",
        (things.__base__,),
        {
            "__tablename__": "others",
            "metadata": sa.MetaData(),
            "id": mapped_column(sa.Integer, primary_key=True),
        },
    )
    assert other.metadata is not things.metadata
    assert names(Catalog.from_metadata(Model)) == ["others", "things"]


@pytest.mark.parametrize("source", [None, "sqlite://", 3, DeclarativeBase, object], ids=str)
def test_other_sources_are_refused(source: Any) -> None:
    """At once, and not when the catalog is first used."""
    with pytest.raises(DeclarationError, match=r"source is .*; expected a declarative base, a reg"):
        Catalog.from_metadata(source)


def test_a_list_of_other_things_is_refused() -> None:
    """Each of its classes must be mapped."""
    with pytest.raises(DeclarationError, match="source holds <class 'int'>, which isn't a mapped"):
        Catalog.from_metadata([int])


def test_schemas_of_your_own_win() -> None:
    """The rest is filled in beside them, and refers to them by their keys."""
    base = shop()
    shelves = next(m.class_ for m in base.registry.mappers if m.class_.__name__ == "Shelves")
    own = schema_for(shelves, Catalog("own"), natural_key="id", name="boards")
    catalog = Catalog.from_metadata(base, schemas=[own])
    assert names(catalog) == ["boards", "goods", "notes"]
    (shelf,) = catalog.use()["goods"].references
    assert (shelf.target.schema, [part.name for part in shelf.parts]) == (own, ["id"])
    with pytest.raises(DeclarationError, match="can't register 3"):
        Catalog.from_metadata(base, schemas=[3])  # type: ignore[list-item]
    with pytest.raises(DeclarationError, match="; give it a list of schemas"):
        Catalog.from_metadata(base, schemas=own)  # type: ignore[arg-type]


def test_mistakes_in_schemas_of_your_own_stay_mistakes() -> None:
    """Only what nobody declared is decided."""
    base = shop()
    goods = next(m.class_ for m in base.registry.mappers if m.class_.__name__ == "Goods")
    own = schema_for(goods, Catalog("own"), natural_key="nothing")
    with pytest.raises(DeclarationError, match="GoodsSchema: natural_key names an unknown field"):
        Catalog.from_metadata(base, schemas=[own]).use()


def test_one_class_is_adopted_alone() -> None:
    """As a list of it is."""
    base = shop()
    goods = next(m.class_ for m in base.registry.mappers if m.class_.__name__ == "Goods")
    assert names(Catalog.from_metadata(goods)) == ["goods"]


def test_links_with_columns_of_their_own_are_an_entity() -> None:
    """A relationship passes by them, and would lose what they hold."""
    base = new_base()
    links = sa.Table(
        "shelf_goods",
        base.metadata,
        sa.Column("shelves_id", sa.ForeignKey("shelves.id"), primary_key=True),
        sa.Column("goods_id", sa.ForeignKey("goods.id"), primary_key=True),
        sa.Column("amount", sa.Integer, nullable=False),
    )
    table(base, "goods")
    table(base, "shelves", goods=relationship("Goods", secondary=links))
    catalog = Catalog.from_metadata(base)
    assert names(catalog) == ["goods", "shelf_goods", "shelves"]
    assert catalog.coverage() == {}
