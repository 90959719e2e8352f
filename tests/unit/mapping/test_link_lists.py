"""Which side of a many-to-many relationship carries its links, whatever the order of declaration."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, DeclarationError, Owned, Ref
from lading.mapping.load_order import load_order_of
from lading.model.shape import shape_of
from support.declaring import new_base, schema_for
from support.zoo import WORLDS, World


def leaf_and_twig(leaf: Any = None, twig: Any = None) -> tuple[Any, Any]:
    """Make two models with a link table between them, and more columns of theirs."""
    base = new_base()
    found: list[Any] = []  # registries hold their classes weakly
    for name, other in (("leaf", "twig"), ("twig", "leaf")):
        body = {
            "__tablename__": name,
            "id": mapped_column(sa.Integer, primary_key=True),
            "slug": mapped_column(sa.String(9), unique=True, nullable=False),
            "others": relationship(other.title(), secondary="links", back_populates="others"),
        }
        found.append(type(name.title(), (base,), body | ((leaf if name == "leaf" else twig) or {})))
    sa.Table(
        "links",
        base.metadata,
        sa.Column("leaf_id", sa.ForeignKey("leaf.id"), primary_key=True),
        sa.Column("twig_id", sa.ForeignKey("twig.id"), primary_key=True),
    )
    return found[0], found[1]


def carrying(models: tuple[Any, ...], **attributes: Any) -> set[str]:
    """Return the entities with a list, which must be the same for every order of declaration."""
    found = []
    for order in permutations(models):
        catalog = Catalog("test")
        for model in order:
            schema_for(model, catalog, attributes.get(model.__tablename__))
        found.append({root.name for root in catalog.use().roots.values() if root.links})
    assert all(item == found[0] for item in found)
    return found[0]


def to(target: str, *, null: bool = False) -> Any:
    """Make a foreign key that no relationship follows."""
    return mapped_column(sa.ForeignKey(f"{target}.id"), nullable=null)


def test_without_any_other_tie_the_first_by_name_has_the_list() -> None:
    """Names don't change from process to process."""
    assert carrying(leaf_and_twig()) == {"leaf"}


def test_a_side_that_leaves_the_list_out_has_none() -> None:
    """The other one has it then, or nobody, and the coverage says so."""
    leaf, twig = leaf_and_twig()
    catalog = Catalog("test")
    schema_for(leaf, catalog, exclude=("others",))
    schema_for(twig, catalog)
    assert [root.name for root in catalog.use().roots.values() if root.links] == ["twig"]


def test_a_list_of_what_has_no_schema_is_told() -> None:
    """Its links would lead nowhere."""
    leaf, _ = leaf_and_twig()
    catalog = Catalog("test")
    schema_for(leaf, catalog)
    with pytest.raises(DeclarationError, match="others refers to table twig"):
        catalog.use()


def test_what_depends_on_the_other_has_the_list() -> None:
    """As if it referred to it."""
    leaf, twig = leaf_and_twig()
    catalog = Catalog("test")
    schema_for(leaf, catalog)
    schema_for(twig, catalog, depends_on=("leaf",))
    assert [root.name for root in catalog.use().roots.values() if root.links] == ["twig"]


def test_the_side_that_declares_the_list_has_it() -> None:
    """Whoever writes ``Ref()`` means it."""
    assert carrying(leaf_and_twig(), twig={"others": Ref()}) == {"twig"}


@pytest.mark.parametrize("null", [False, True])
def test_the_entity_that_loads_later_has_the_list(null: bool) -> None:
    """It needs the other by a reference of its own, be it one that may be null."""
    assert carrying(leaf_and_twig(twig={"first_id": to("leaf", null=null)})) == {"twig"}


def test_a_required_reference_decides_before_one_that_may_be_null() -> None:
    """The latter is deferred, so the entity that has the former loads later."""
    made = leaf_and_twig({"best_id": to("twig", null=True)}, {"first_id": to("leaf")})
    assert carrying(made) == {"twig"}


def test_of_two_optional_references_the_first_by_name_counts() -> None:
    """As in the import order: the other one would close a cycle."""
    made = leaf_and_twig({"best_id": to("twig", null=True)}, {"first_id": to("leaf", null=True)})
    assert carrying(made) == {"leaf"}


def test_of_two_relationships_of_one_entity_the_first_by_name_is_the_list() -> None:
    """Followers and those who are followed share one table."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("one_id", sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("two_id", sa.ForeignKey("people.id"), primary_key=True),
    )

    class Person(base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        leaders = relationship(
            "Person",
            secondary=links,
            primaryjoin=id == links.c.two_id,
            secondaryjoin=id == links.c.one_id,
            back_populates="followers",
        )
        followers = relationship(
            "Person",
            secondary=links,
            primaryjoin=id == links.c.one_id,
            secondaryjoin=id == links.c.two_id,
            back_populates="leaders",
        )

    catalog = Catalog("test")
    schema_for(Person, catalog)
    assert [item.name for item in catalog.use()["people"].links] == ["followers"]


def test_an_owned_row_counts_for_the_entity_that_holds_it() -> None:
    """A part that refers to the other side makes its owner load later."""
    leaf, twig = leaf_and_twig()

    class Bud(leaf.__base__):
        __tablename__ = "buds"
        id = mapped_column(sa.Integer, primary_key=True)
        twig_id = to("twig")
        leaf_id = to("leaf")
        owner = relationship("Twig", backref="buds")

    catalog = Catalog("test")
    buds = schema_for(Bud, catalog)
    schema_for(twig, catalog, {"buds": Owned(buds)})
    schema_for(leaf, catalog)
    assert {root.name for root in catalog.use().roots.values() if root.links} == {"twig"}


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS.keys())
def test_nothing_that_is_derived_depends_on_the_order_of_declaration(
    make: Callable[[], World],
) -> None:
    """Shapes and the whole order of loading are the same for every order of the schemas."""

    def derived(catalog: Catalog) -> Any:
        entities = catalog.use()
        shapes = {
            name: list(shape_of(rows)["fields"].items()) for name, rows in entities.roots.items()
        }
        return list(shapes.items()), load_order_of(entities)

    catalog = make().catalog
    first = derived(catalog)
    for rearrange in (list.reverse, random.Random(7).shuffle):
        rearrange(catalog.schemas)
        catalog._entities = None
        assert derived(catalog) == first
