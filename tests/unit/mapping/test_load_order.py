"""Import order: a graph of row sets, how its cycles open, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, import_order
from lading.errors import DeclarationError
from lading.mapping.load_order import LoadOrder, load_order_of
from support.declaring import catalog_of, new_base, schema_for


def node(base: Any, table_name: str, /, *args: Any, **refers: Any) -> Any:
    """Make a model with a slug; ``parent="items!"`` is a required reference, ``"items"`` not."""
    attributes: dict[str, Any] = {}
    for name, target in refers.items():
        if isinstance(target, str):
            foreign = sa.ForeignKey(f"{target.rstrip('!')}.id", use_alter=True)
            attributes[f"{name}_id"] = mapped_column(foreign, nullable=not target.endswith("!"))
        else:
            attributes[name] = target
    return type(
        table_name.title(),
        (base,),
        {
            "__tablename__": table_name,
            "__table_args__": args,
            "id": mapped_column(sa.Integer, primary_key=True),
            "slug": mapped_column(sa.String, unique=True, nullable=False),
            **attributes,
        },
    )


def order(*models: Any, **meta: Any) -> LoadOrder:
    """Return the order of a catalog with a schema for each model."""
    return load_order_of(catalog_of(*models).use())


def refusal(catalog: Catalog) -> str:
    """Return the text of the declaration error."""
    with pytest.raises(DeclarationError) as caught:
        import_order(catalog)
    return str(caught.value)


def test_ties_go_by_name() -> None:
    """Equal catalogs number their files alike, however they are declared."""
    base = new_base()
    models = [node(base, name) for name in ("c", "a", "b")]
    assert import_order(catalog_of(*models)) == {"a": 1, "b": 2, "c": 3}
    assert list(import_order(catalog_of(*models))) == ["a", "b", "c"]


def test_what_is_referred_to_comes_first() -> None:
    """However it was declared, and at any distance."""
    base = new_base()
    third = node(base, "third", up="second!")
    second = node(base, "second", up="first")
    first = node(base, "first")
    assert import_order(catalog_of(third, second, first)) == {"first": 1, "second": 2, "third": 3}


def test_only_what_must_wait_waits() -> None:
    """The sort is lexicographic: an entity comes as early as its declaration allows."""
    base = new_base()
    models = [node(base, "a", up="d!"), node(base, "b"), node(base, "c", up="a!"), node(base, "d")]
    assert list(import_order(catalog_of(*models))) == ["b", "d", "a", "c"]


def test_depends_on_is_an_edge() -> None:
    """A dependency that no foreign key shows."""
    base = new_base()
    catalog = Catalog("test")
    schema_for(node(base, "a"), catalog, depends_on=("b",))
    schema_for(node(base, "b"), catalog)
    assert import_order(catalog) == {"b": 1, "a": 2}


def test_one_depends_on_may_be_a_string() -> None:
    """Like natural_key: one or a tuple."""
    base = new_base()
    catalog = Catalog("test")
    schema_for(node(base, "ab"), catalog, depends_on="cd")
    schema_for(node(base, "cd"), catalog)
    assert import_order(catalog) == {"cd": 1, "ab": 2}


def test_dependencies_name_every_entity_referred_to() -> None:
    """For the manifest: by references, links and owned rows, the entity itself aside."""
    base = new_base()
    tag = node(base, "tag")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
    )
    unit = node(base, "unit")
    item = node(base, "item", up="item", tags=relationship(tag, secondary=links))
    line = node(base, "line", item="item!", unit="unit!", other="item")
    catalog = catalog_of(tag, unit)
    schema_for(item, catalog, {"lines": Owned(schema_for(line, catalog), via="item")})
    made = load_order_of(catalog.use())
    assert made.dependencies == {"tag": (), "unit": (), "item": ("tag", "unit")}


# Cycles


def test_a_required_cycle_prints_its_whole_path() -> None:
    """The path, not the members: what to change is an edge."""
    base = new_base()
    a, b, c = node(base, "a", x="b!"), node(base, "b", y="c!"), node(base, "c", z="a!")
    text = refusal(catalog_of(a, b, c))
    paths = {
        "a.x -> b.y -> c.z -> a",
        "b.y -> c.z -> a.x -> b",
        "c.z -> a.x -> b.y -> c",
    }
    assert text in {
        f"import order: {path} is a cycle of required references. Make one nullable, or own one "
        "by the other."
        for path in paths
    }


def test_a_cycle_by_depends_on_names_it() -> None:
    """What isn't a reference stands in the path under its own name."""
    base = new_base()
    catalog = Catalog("test")
    schema_for(node(base, "a", x="b!"), catalog)
    schema_for(node(base, "b"), catalog, depends_on=("a",))
    text = refusal(catalog)
    assert "a.x" in text
    assert "b.depends_on" in text
    assert "is a cycle of required references" in text


def test_a_nullable_edge_of_a_cycle_is_updated_later() -> None:
    """Null first, then one update in bulk."""
    base = new_base()
    a, b = node(base, "a", x="b!"), node(base, "b", y="a")
    made = order(a, b)
    assert made.entities == ("b", "a")
    assert made.updated == {("b", "y")}
    assert made.deferred == frozenset()


def test_required_edges_are_laid_before_nullable_ones() -> None:
    """A nullable edge that is declared first doesn't win over a required one."""
    base = new_base()
    a, b = node(base, "a", x="b"), node(base, "b", y="a!")
    made = order(a, b)
    assert made.entities == ("a", "b")
    assert made.updated == {("a", "x")}


def test_of_two_nullable_edges_that_of_the_later_name_is_deferred() -> None:
    """The others are laid by entity and field; what would close a cycle is deferred."""
    base = new_base()
    a, b = node(base, "a", x="b"), node(base, "b", y="a")
    made = order(a, b)
    assert made.entities == ("b", "a")
    assert made.updated == {("b", "y")}
    assert order(b, a) == made


def test_an_edge_outside_of_any_cycle_is_not_deferred() -> None:
    """An update costs; only what must is updated."""
    base = new_base()
    a, b = node(base, "a"), node(base, "b", x="a", y="a")
    assert order(a, b).updated == frozenset()


def test_an_edge_in_a_check_cannot_be_deferred() -> None:
    """Null would violate the CHECK, on all engines."""
    base = new_base()
    check = sa.CheckConstraint("y_id IS NOT NULL OR slug = 'x'")
    a, b = node(base, "a", x="b"), node(base, "b", check, y="a")
    made = order(a, b)
    assert made.updated == {("a", "x")}
    assert made.entities == ("a", "b")


def test_two_edges_in_checks_are_a_cycle() -> None:
    """Neither can be null for a while."""
    base = new_base()
    a = node(base, "a", sa.CheckConstraint("x_id > 0 OR slug = 'x'"), x="b")
    b = node(base, "b", sa.CheckConstraint("y_id > 0 OR slug = 'x'"), y="a")
    assert "is a cycle of required references" in refusal(catalog_of(a, b))


def test_a_check_within_a_column_counts_as_one_of_its_table() -> None:
    """It forbids null wherever it is written."""
    base = new_base()
    check = sa.CheckConstraint("x_id IS NOT NULL OR slug = 'x'")
    a = node(base, "a", x_id=mapped_column(sa.ForeignKey("b.id", use_alter=True), check))
    b = node(base, "b", y="a!")
    assert "is a cycle of required references" in refusal(catalog_of(a, b))


def test_a_natural_key_s_edge_cannot_be_deferred() -> None:
    """A record without its key is nobody."""
    base = new_base()
    a, b = node(base, "a", x="b"), node(base, "b", y="a")
    catalog = catalog_of(a)
    schema_for(b, catalog, natural_key=("y", "slug"))
    made = load_order_of(catalog.use())
    assert made.updated == {("a", "x")}
    assert made.entities == ("a", "b")


# Self references


def test_a_nullable_self_reference_is_updated_later() -> None:
    """No cycle over entities: one update after the insert."""
    made = order(node(new_base(), "a", up="a"))
    assert made.updated == {("a", "up")}
    assert made.parents_first == frozenset()


def test_a_required_self_reference_loads_in_waves() -> None:
    """Parents first."""
    made = order(node(new_base(), "a", up="a!"))
    assert made.parents_first == {("a", "up")}
    assert made.updated == frozenset()


def test_rows_of_several_parents_need_none_of_their_own_first() -> None:
    """Which parent's rows would come first can't be told."""
    base, catalog = new_base(), Catalog("test")
    part = node(base, "parts", one="ones", two="twos", before="parts!")
    schema = schema_for(part, catalog)
    for name in ("ones", "twos"):
        owner = node(base, name, parts=relationship(part))
        schema_for(owner, catalog, {"parts": Owned(schema)})
    assert "PartsSchema: before ties rows that several parents own to others" in refusal(catalog)


def test_a_self_reference_in_a_check_loads_in_waves() -> None:
    """It can't be null for a while."""
    made = order(node(new_base(), "a", sa.CheckConstraint("up_id <> id"), up="a"))
    assert made.parents_first == {("a", "up")}


# Owned rows and links


def with_owned(base: Any, line: Any, *models: Any, **columns: Any) -> Any:
    """Return the order of models where ``item`` owns ``line``."""
    catalog = catalog_of(*models)
    item = node(base, "item", **columns)
    schema_for(item, catalog, {"lines": Owned(schema_for(line, catalog), via="item")})
    return load_order_of(catalog.use())


def test_an_owned_reference_orders_its_parent() -> None:
    """What owned rows refer to is there before the record that nests them."""
    base = new_base()
    line = node(base, "line", item="item!", unit="unit!")
    catalog = Catalog("test")
    schema_for(node(base, "item"), catalog, {"lines": Owned(schema_for(line, catalog))})
    schema_for(node(base, "unit"), catalog)
    made = load_order_of(catalog.use())
    assert made.entities == ("unit", "item")
    assert made.deferred == frozenset()
    assert made.steps == ("unit", "item")


def test_owned_rows_that_refer_to_their_own_entity_come_late() -> None:
    """A recipe's components are recipes: all recipes first, then the components."""
    base = new_base()
    made = with_owned(base, node(base, "line", item="item!", part="item!"))
    assert made.entities == ("item",)
    assert made.deferred == {"item.lines"}
    assert made.steps == ("item", "item.lines")
    assert made.updated == frozenset()


def test_an_owned_reference_does_not_tie_its_parent_into_a_cycle() -> None:
    """Owned tables are nodes of their own."""
    base = new_base()
    line = node(base, "line", item="item!", unit="unit!")
    unit = node(base, "unit", item="item!")
    made = with_owned(base, line, unit)
    assert made.entities == ("item", "unit")
    assert made.deferred == {"item.lines"}
    assert made.steps == ("item", "unit", "item.lines")


def test_grandchildren_of_late_rows_are_late() -> None:
    """Rows can't come before the rows that own them."""
    base = new_base()
    catalog = Catalog("test")
    word = node(base, "word", line="line!")
    line = node(base, "line", item="item!", part="item!")
    lines = schema_for(line, catalog, {"words": Owned(schema_for(word, catalog))})
    schema_for(node(base, "item"), catalog, {"lines": Owned(lines, via="item")})
    made = load_order_of(catalog.use())
    assert made.deferred == {"item.lines", "item.lines.words"}
    assert made.steps == ("item", "item.lines", "item.lines.words")


def test_a_reference_to_an_owned_child_orders_its_owner() -> None:
    """The child's rows come with the record that nests them."""
    base = new_base()
    user = node(base, "user", line="line!")
    made = with_owned(base, node(base, "line", item="item!"), user)
    assert made.entities == ("item", "user")
    assert made.deferred == frozenset()


def test_links_to_the_own_entity_are_inserted_later() -> None:
    """Both ends of a link must be there."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("one_id", sa.ForeignKey("item.id"), primary_key=True),
        sa.Column("two_id", sa.ForeignKey("item.id"), primary_key=True),
    )
    item = node(base, "item")
    item.friends = relationship(
        item,
        secondary=links,
        primaryjoin=item.id == links.c.one_id,
        secondaryjoin=item.id == links.c.two_id,
    )
    made = order(item)
    assert made.deferred == {"item.friends"}
    assert made.steps == ("item", "item.friends")


def test_links_to_an_earlier_entity_go_in_with_their_record() -> None:
    """And order it."""
    base = new_base()
    tag = node(base, "tag")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
    )
    item = node(base, "item", tags=relationship(tag, secondary=links))
    made = order(item, tag)
    assert made.entities == ("tag", "item")
    assert made.deferred == frozenset()


def test_links_that_close_a_cycle_are_inserted_later() -> None:
    """A tag that needs an item can't be there before the item's links."""
    base = new_base()
    tag = node(base, "tag", item="item!")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
    )
    item = node(base, "item", tags=relationship(tag, secondary=links))
    made = order(item, tag)
    assert made.entities == ("item", "tag")
    assert made.deferred == {"item.tags"}
    assert made.steps == ("item", "tag", "item.tags")


def test_the_order_holds_for_every_edge_of_a_tangle() -> None:
    """Whatever is neither deferred nor late really comes before what needs it."""
    base = new_base()
    models = [
        node(base, "a", b="b", c="c!", me="a"),
        node(base, "b", a="a", d="d"),
        node(base, "c", d="d", b="b"),
        node(base, "d", a="a", e="e!"),
        node(base, "e"),
    ]
    catalog = catalog_of(*models)
    entities = catalog.use()
    made = load_order_of(entities)
    place = {name: n for n, name in enumerate(made.entities)}
    assert sorted(place) == ["a", "b", "c", "d", "e"]
    kept = 0
    for rows in entities.roots.values():
        for reference in rows.references:
            if (rows.name, reference.name) not in made.updated:
                assert place[reference.target.name] < place[rows.name]
                kept += 1
    assert kept >= 5
    assert ("a", "c") not in made.updated
    assert ("d", "e") not in made.updated
