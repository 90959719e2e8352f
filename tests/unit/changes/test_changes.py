"""What an application says of its versions is checked when its catalog is first used."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import relationship

from lading import (
    Add,
    Catalog,
    Change,
    Convert,
    DeclarationError,
    Drop,
    Each,
    Move,
    Owned,
    Rename,
    Split,
    change,
)
from lading.changes.history import history_of
from support.aged import changed
from support.declaring import new_base, schema_for
from support.world import key, number, slug, text, to


def shop(items: int = 2, orders: int = 1, **options: Any) -> Catalog:
    """Items with owned parts, and orders that refer to items."""
    base, catalog = new_base(), Catalog("shop", **options)

    class Part(base):
        __tablename__ = "parts"
        id = key()
        item_id = to("items.id")
        position = number()

    class Item(base):
        __tablename__ = "items"
        id = key()
        slug = slug()
        amount = number()
        parts = relationship(Part, order_by=Part.position)

    class Order(base):
        __tablename__ = "orders"
        id = key()
        slug = slug()
        item_id = to("items.id")
        words = text()
        item = relationship(Item)

    schema_for(Item, catalog, {"parts": Owned(schema_for(Part, catalog))}, version=items)
    schema_for(Order, catalog, version=orders)
    return catalog


def mistakes(catalog: Catalog) -> tuple[str, ...]:
    """Return what a catalog's first use finds wrong."""
    with pytest.raises(DeclarationError) as caught:
        history_of(catalog)
    return caught.value.mistakes


ITEMS = {"items": (1, 2)}
EXPECTED = (
    "write (1, 2) and its like, one version up; (None, 1) begins an entity, (2, None) ends one"
)


@pytest.mark.parametrize(
    ("upgrades", "steps", "text"),
    [
        (
            {"item": (1, 2)},
            [],
            "upgrades an unknown entity 'item'; expected one of: items, orders; if it was "
            'removed, declare a change that ends it, with upgrades = {"item": (2, None)} and '
            'steps = [Drop("item")], else correct the name',
        ),
        (
            {"parts": (1, 2)},
            [],
            "upgrades an unknown entity 'parts'; expected one of: items, orders; if it was "
            'removed, declare a change that ends it, with upgrades = {"parts": (2, None)} and '
            'steps = [Drop("parts")], else correct the name',
        ),
        ({"items": (1, 3)}, [], f"upgrades items by (1, 3); {EXPECTED}"),
        ({"items": (2, 1)}, [], f"upgrades items by (2, 1); {EXPECTED}"),
        ({"items": (0, 1)}, [], f"upgrades items by (0, 1); {EXPECTED}"),
        ({"items": (None, 2)}, [], f"upgrades items by (None, 2); {EXPECTED}"),
        ({"items": (True, 2)}, [], f"upgrades items by (True, 2); {EXPECTED}"),
        ({"items": 2}, [], f"upgrades items by 2; {EXPECTED}"),
        ({}, [], 'upgrades = {}; write {"entity": (1, 2)}'),
        (["items"], [], "upgrades = ['items']; write {\"entity\": (1, 2)}"),
        ({5: (1, 2)}, [], "upgrades names 5; write an entity's name"),
        (
            {"items": (2, 3)},
            [],
            "upgrades items to 3, and its schema is at version 2; write version = 3 in its Meta",
        ),
        (
            {"items": (2, None)},
            [Drop("items")],
            "ends items, which still has a schema; remove one of the two",
        ),
        (
            {"gone": (2, None)},
            [],
            "upgrades gone to None, and doesn't drop it; add Drop('gone') to its steps",
        ),
        (ITEMS, [Drop("items")], "Drop('items') ends items; write (n, None) as its versions"),
        (
            ITEMS,
            [Add("orders", "x", 1)],
            "Add('orders', 'x') is for orders, which it doesn't upgrade; it upgrades items",
        ),
        (
            ITEMS,
            [Add("itemsx", "x", 1)],
            "Add('itemsx', 'x') is for itemsx, which it doesn't upgrade; it upgrades items",
        ),
        (ITEMS, ["x"], "steps hold 'x'; write Add(...), Drop(...), Rename(...) and their like"),
        (
            ITEMS,
            [Add(5, "x", 1)],
            "Add(5, 'x'): path = 5; write an entity's name, or a path into owned records",
        ),  # type: ignore[arg-type]
        (ITEMS, [Add("items", "", 1)], "Add('items'): field = ''; write a name"),
        (
            ITEMS,
            [Add("items", "amount", {1})],
            "Add('items', 'amount'): value isn't plain JSON: {1} isn't a JSON value",
        ),
        (
            ITEMS,
            [Add("items", "amount", lambda: 1)],
            "Add('items', 'amount'): value takes other arguments; give it a function of (record, parent) or (record)",
        ),
        (
            ITEMS,
            [Convert("items", "amount", 5)],
            "Convert('items', 'amount'): fn = 5; give it a function of (value)",
        ),  # type: ignore[arg-type]
        (
            ITEMS,
            [Convert("items", "amount", lambda a, b: a)],
            "Convert('items', 'amount'): fn takes other arguments; give it a function of (value)",
        ),  # type: ignore[arg-type, misc]
        (
            ITEMS,
            [Rename("items", "amount", "amount")],
            "Rename('items', 'amount', 'amount'): renames 'amount' to itself; remove it",
        ),
        (ITEMS, [Rename("items", "amount")], "Rename('items', 'amount'): new = None; write a name"),
        (
            ITEMS,
            [Rename("items", "a", "b", to="c")],
            "Rename('items', 'a', 'b', 'c'): names both fields and to; write one Rename for each",
        ),
        (
            ITEMS,
            [Move("items", "amount", "orders")],
            "Move('items', 'amount', 'orders'): to = 'orders'; write a path that items is in, or one within it",
        ),
        (ITEMS, [Each("items", lambda r: r, adds=[""])], "Each('items'): adds = ''; write a name"),
        # What the newest shapes contradict
        (
            ITEMS,
            [Add("items", "colour", 1)],
            "Add('items', 'colour'): items: unknown field 'colour' at that point; expected one of: slug, amount, parts; correct the step, or the schema",
        ),
        (
            ITEMS,
            [Add("items", "slug", 1)],
            "Add('items', 'slug'): 'slug' is part of the natural key of items, which this step may not alter; use Rename or Rekey; correct the step, or the schema",
        ),
        (
            ITEMS,
            [Drop("items", "amount")],
            "Drop('items', 'amount'): the field 'amount' of items still exists after this step; remove it from the schema; correct the step, or the schema",
        ),
        (
            ITEMS,
            [Rename("items", "old", "new")],
            "Rename('items', 'old', 'new'): items: unknown field 'new' at that point; expected one of: slug, amount, parts; correct the step, or the schema",
        ),
        (
            ITEMS,
            [Rename("items", "slug", "amount")],
            "Rename('items', 'slug', 'amount'): the field 'slug' of items still exists after this step; remove it from the schema; correct the step, or the schema",
        ),
        (
            ITEMS,
            [Add("items.bits", "x", 1)],
            "Add('items.bits', 'x'): items.bits: unknown owned list 'bits' at that point; expected one of: slug, amount, parts; correct the step, or the schema",
        ),
        (
            ITEMS,
            [Add("items.amount", "x", 1)],
            "Add('items.amount', 'x'): 'amount' in 'items.amount' is not an owned list but an integer; correct the step, or the schema",
        ),
    ],
)
def test_each_mistake_says_what_to_write(upgrades: Any, steps: list[Any], text: str) -> None:
    """Each names the change, what is wrong and what would be right."""
    catalog = shop()
    changed(catalog, upgrades, *steps)
    separator = ", " if text.endswith("the schema") and "correct the step" in text else ": "
    assert mistakes(catalog) == (f"Some{separator}{text}",)


def test_all_mistakes_are_told_at_once() -> None:
    """Whoever corrects one needn't come back for the next."""
    catalog = shop()
    changed(catalog, {"items": (1, 5)}, name="One")
    changed(catalog, {"orders": 1}, 5, name="Two")
    assert len(mistakes(catalog)) == 3


def test_a_docstring_is_asked_for() -> None:
    """A change that nobody explains is a riddle to whoever restores a backup."""
    catalog = shop()

    type("Silent", (Change,), {"catalog": catalog, "upgrades": ITEMS})

    @change("items", to=2, catalog=catalog)
    def quiet(record: Any) -> Any:
        return record

    assert set(mistakes(catalog)) == {
        "Silent: has no docstring; say in it what became of the records",
        "quiet: has no docstring; say in it what became of the records",
    }


@pytest.mark.parametrize("after", [None, 5, "Other", ["Other"]])
def test_an_after_that_lists_no_changes_is_told(after: Any) -> None:
    """With the other mistakes, when the catalog is first used."""
    catalog = shop()

    @change("items", to=2, catalog=catalog, after=after)
    def later(record: Any) -> Any:
        """Come later."""
        return record

    (text,) = mistakes(catalog)
    assert text.startswith("later: after ")


@pytest.mark.parametrize("function", [None, 5, "fn"])
def test_what_is_no_function_is_told(function: Any) -> None:
    """A decorator may be called with anything."""
    catalog = shop()
    change("items", to=2, catalog=catalog)(function)
    assert any("fn = " in text for text in mistakes(catalog))


def test_a_base_without_upgrades_is_no_change() -> None:
    """A base passes its catalog on."""
    owner = shop()

    class Base(Change):
        catalog = owner

    class Real(Base):
        """Nothing happens."""

        upgrades = ITEMS

    assert owner.changes == [Real]
    assert history_of(owner).order == [Real]
    with pytest.raises(DeclarationError, match="Wrong: catalog = 5; give it a Catalog"):

        class Wrong(Change):
            catalog = 5  # type: ignore[assignment]


def test_63_two_changes_of_one_version_are_refused() -> None:
    """A fork leads nowhere."""
    catalog = shop(3)
    changed(catalog, ITEMS, name="One")
    changed(catalog, ITEMS, name="Two")
    assert mistakes(catalog) == (
        "Two: leads to version 2 of items, as One does already; make one of them the next version, or "
        "both one change",
    )


def test_two_changes_that_begin_or_end_one_entity_are_refused() -> None:
    """Only one of them can have done so."""
    catalog = shop()
    changed(catalog, ITEMS, name="First")
    for name in ("One", "Two"):
        changed(catalog, {"orders": (None, 1), "gone": (2, None)}, Drop("gone"), name=name)
    rest = "as One does already; make one of them the next version, or both one change"
    assert mistakes(catalog) == (f"Two: begins orders, {rest}", f"Two: ends gone, {rest}")


def test_what_a_step_begins_has_no_version_before() -> None:
    """Whoever has the entity already would get it twice."""
    catalog = shop(2, 2)
    step = Split("items", "orders", fields="amount", key="amount", ref="order")
    changed(catalog, {"items": (1, 2), "orders": (1, 2)}, step)
    assert mistakes(catalog) == (f"Some: {step!r} begins orders; write (None, 1) as its versions",)


def test_steps_are_a_list() -> None:
    """With a docstring, and nothing else to say."""
    catalog = shop()
    body = {"__doc__": "Nothing.", "catalog": catalog, "upgrades": ITEMS, "steps": Drop("items")}
    type("Some", (Change,), body)
    assert mistakes(catalog) == ("Some: steps = Drop('items'); write a list of steps",)


def test_changes_that_wait_for_each_other_are_refused_by_their_path() -> None:
    """By after, or by the versions."""
    catalog = shop(3)
    one = changed(catalog, ITEMS, name="One")
    two = changed(catalog, {"items": (2, 3)}, name="Two")
    one.after = [two]
    assert mistakes(catalog) in (
        (
            "changes must come before each other: One before Two before One; remove one of their after",
        ),
        (
            "changes must come before each other: Two before One before Two; remove one of their after",
        ),
    )


def test_after_names_changes_of_the_same_catalog() -> None:
    """Anything else would be ignored."""
    catalog = shop()
    other = changed(shop(), ITEMS, name="Other")
    changed(catalog, ITEMS, after=[other, "x"])
    assert mistakes(catalog) == (
        "Some: after names Other, which isn't a change of catalog 'shop'; name one that has upgrades and "
        "that catalog",
        "Some: after names 'x'; write the class of a change",
    )


def test_what_refers_to_what_is_renamed_needs_an_order() -> None:
    """Whether a reference is added in the old or the new way must be known."""
    for after in (True, False):
        catalog = shop(2, 2)
        first = changed(catalog, ITEMS, Rename("items", "code", "slug"), name="Codes")
        changed(
            catalog,
            {"orders": (1, 2)},
            Add("orders", "words", ""),
            after=[first] if after else [],
            name="Words",
        )
        if after:
            assert [made.__name__ for made in history_of(catalog).order] == ["Codes", "Words"]
            continue
        assert mistakes(catalog) == (
            "Codes renames what references are written by, and Words changes orders, which has such "
            "references: their order matters; write after = [...] in one of them",
        )


def test_what_no_reference_is_written_by_needs_none() -> None:
    """Other fields may be renamed in any order."""
    catalog = shop(2, 2)
    changed(catalog, ITEMS, Rename("items", "weight", "amount"), name="One")
    changed(catalog, {"orders": (1, 2)}, Add("orders", "words", ""), name="Two")
    assert len(history_of(catalog).order) == 2


def test_changes_run_in_the_order_in_which_they_were_declared_but_for_what_is_said() -> None:
    """The same on every machine."""
    catalog = shop(4, 3)
    late = changed(catalog, {"orders": (2, 3)}, name="C")
    changed(catalog, {"orders": (1, 2)}, name="B")
    changed(catalog, {"items": (3, 4)}, name="F")
    changed(catalog, {"items": (2, 3)}, after=[late], name="E")
    changed(catalog, {"items": (1, 2)}, name="A")
    assert [made.__name__ for made in history_of(catalog).order] == ["B", "C", "A", "E", "F"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"releases": {"1": {"items": 3}}},
            "releases: '1' has 'items' at version 3, which doesn't exist; today's versions are items 2, orders 1",
        ),
        (
            {"releases": {"1": {"item": 1}}},
            "releases: '1' has 'item' at version 1, which doesn't exist; today's versions are items 2, orders 1",
        ),
        (
            {"releases": {"1": {"items": "1"}}},
            "releases: '1' has 'items' at version '1', which doesn't exist; today's versions are items 2, orders 1",
        ),
        (
            {"releases": {"1": 1}},
            'releases: \'1\': 1; map a label to versions by entity: {"1.0": {"recipes": 1}}',
        ),
        (
            {"releases": {1: {}}},
            'releases: 1: {}; map a label to versions by entity: {"1.0": {"recipes": 1}}',
        ),
        ({"unlabelled": "1"}, "unlabelled = '1' isn't a release; expected one of: none"),
        (
            {"unlabelled": "2", "releases": {"1": {}}},
            "unlabelled = '2' isn't a release; expected one of: '1'",
        ),
    ],
)
def test_releases_name_what_there_was(options: Any, text: str) -> None:
    """A label that leads nowhere is found before a document needs it."""
    assert mistakes(shop(**options)) == (text,)


def test_an_entity_that_was_removed_is_ended_by_the_change_that_the_mistake_names() -> None:
    """The last of its names and versions counts, and with that change nothing is wrong."""
    catalog = shop(1)
    changed(catalog, {"things": (1, 2)}, name="One")
    changed(catalog, {"things": (2, 3)}, Rename("things", to="tools"), name="Two")
    wrong = mistakes(catalog)
    assert [text.split(";", maxsplit=1)[0] for text in wrong] == [
        "One: upgrades an unknown entity 'things'",
        "Two: upgrades an unknown entity 'tools'",
    ]
    for mistake in wrong:
        assert 'upgrades = {"tools": (3, None)} and steps = [Drop("tools")]' in mistake
    changed(catalog, {"tools": (3, None)}, Drop("tools"), name="Three")
    assert len(history_of(catalog).order) == 3


def test_releases_may_name_what_was_renamed_or_dropped() -> None:
    """Labels are of the past, and so are their names."""
    catalog = shop(
        3, releases={"1": {"things": 1, "gone": 2}, "2": {"items": 2}, "3": {"items": 3}}
    )
    changed(catalog, {"things": (1, 2)}, Rename("things", to="items"), name="One")
    changed(catalog, {"items": (2, 3), "gone": (2, None)}, Drop("gone"), name="Two")
    assert len(history_of(catalog).order) == 2


def test_a_change_may_serve_a_further_catalog_of_the_same_schemas() -> None:
    """Each catalog asks for the changes that it was given, and for no others."""
    catalog, whole = shop(2), Catalog("shop", keep_ids=True)
    first = changed(catalog, {"items": (1, 2)}, name="First")
    second = changed(catalog, {"orders": (None, 1)}, name="Second", after=[first])
    for schema in catalog.schemas:
        whole.register(schema)
    whole.register_change(second)
    assert mistakes(whole) == (
        "Second: after names First, which isn't a change of catalog 'shop'; name one that has "
        "upgrades and that catalog",
    )
    whole.register_change(first)
    assert history_of(whole).order == [first, second] == history_of(catalog).order
