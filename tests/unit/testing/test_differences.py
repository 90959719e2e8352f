"""The lines that say what differs between two databases, for changes of every kind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from lading.fresh_databases.factories import database, sqlite_engine
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import cell_differences, record_differences
from lading.testing.compare.stored import Cell, Row, Stored, stored_cells
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.trips.state import State
from support import worlds
from support.declaring import new_base, schema_for

WORLDS: dict[str, Callable[[], Any]] = {name: getattr(worlds, name) for name in worlds.ALL}


@cache
def world_of(name: str) -> Any:
    """Make a world once."""
    return WORLDS[name]()


def lines(name: str, *statements: str) -> list[str]:
    """Fill two databases alike, run SQL in the second, and say what differs.

    Rows are compared where cells are equal.
    """
    world = world_of(name)
    plans = Plans(world.catalog)
    with ExitStack() as stack:
        source, target = (
            world.filled(stack.enter_context(database(sqlite_engine, world.catalog)))
            for _ in range(2)
        )
        with target.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            for statement in statements:
                connection.exec_driver_sql(statement)
        cells = (stored_cells(engine, plans.of) for engine in (source, target))
        differing = cell_differences(world.catalog, *cells)
        if not differing:
            before, after = (State.fresh("it", engine, plans).read() for engine in (source, target))
            differing = record_differences(plans.entities, before.document, after.document)
    return list(map(str, differing))


SOUP = "(SELECT id FROM dishes WHERE slug = 'soup')"
BREAD = "(SELECT id FROM dishes WHERE slug = 'bread')"
EUROPE = "(SELECT id FROM cuisines WHERE name = 'europe')"
CHANGES: dict[str, tuple[str, list[str], list[str]]] = {
    "nothing": ("kitchen", [], []),
    "ids alone": (
        "nested",
        ["UPDATE remarks SET id = id + 100"],
        [],
    ),
    "a value": (
        "kitchen",
        [f"UPDATE steps SET text = 'stir' WHERE text = 'boil' AND dish_id = {SOUP}"],
        ["dishes steps row 1, text: was 'boil' (text), is now 'stir' (text)"],
    ),
    "a stored type": (
        "shelves",
        ["UPDATE loans SET since = 20250101 WHERE since > '2025-01-02'"],
        ["loans row 3, since: was '2025-01-03' (text), is now 20250101 (integer)"],
    ),
    "a key": (
        "shelves",
        ["UPDATE people SET email = 'eve@x.org' WHERE email = 'zoe@x.org'"],
        ["people email 'zoe@x.org', email: was 'zoe@x.org' (text), is now 'eve@x.org' (text)"],
    ),
    "a reference": (
        "kitchen",
        [f"UPDATE menus SET main_id = {BREAD}"],
        ["menus slug 'lunch', main_slug: was 'soup', is now 'bread'"],
    ),
    "a reference that leads nowhere": (
        "kitchen",
        ["UPDATE menus SET main_id = 77"],
        ["menus slug 'lunch', main_slug: was 'soup', is now null"],
    ),
    "a lost link": (
        "kitchen",
        [f"DELETE FROM dish_cuisines WHERE cuisine_id = {EUROPE}"],
        ["dishes slug 'soup', cuisines: was name 'europe', is now nothing"],
    ),
    "another link": (
        "kitchen",
        [f"UPDATE dish_cuisines SET dish_id = {BREAD} WHERE cuisine_id = {EUROPE}"],
        [
            "dishes slug 'soup', cuisines: was name 'europe', is now nothing",
            "dishes slug 'bread', cuisines: was nothing, is now name 'europe'",
        ],
    ),
    "a link that belongs to nobody": (
        "kitchen",
        [f"UPDATE dish_cuisines SET dish_id = 77 WHERE cuisine_id = {EUROPE}"],
        [
            "dishes slug 'soup', cuisines: was name 'europe', is now nothing",
        ],
    ),
    "a row that is gone": (
        "kitchen",
        ["DELETE FROM menus"],
        ["menus slug 'lunch': is missing"],
    ),
    "a row that appeared": (
        "kitchen",
        ["INSERT INTO cuisines (name) VALUES ('asia')"],
        ["cuisines name 'asia': appeared"],
    ),
    "an owned row that is gone": (
        "nested",
        ["DELETE FROM remarks WHERE id = (SELECT id FROM remarks WHERE text = 'Flat')"],
        ["people remarks row 2: is missing"],
    ),
    "an owned row of another": (
        "nested",
        ["UPDATE remarks SET line_id = 2 WHERE text = 'Flat'"],
        [
            "songs slug 'la', verses row 1, lines row 1, remarks row 1: is missing",
            "songs slug 'la', verses row 1, lines row 2, remarks row 1: appeared",
        ],
    ),
    "an owned row of nobody": (
        "nested",
        ["UPDATE remarks SET line_id = NULL WHERE text = 'Flat'"],
        ["songs slug 'la', verses row 1, lines row 1, remarks row 1: is missing"],
    ),
    "a circle": (
        "kitchen",
        ["UPDATE cuisines SET parent_id = id"],
        [
            "cuisines name 'europe', parent: was null, is now name 'europe'",
            "cuisines name 'alps', parent: was name 'europe', is now name 'alps'",
        ],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_kind_of_change_has_its_line(change: str) -> None:
    """The most telling first."""
    name, statements, expected = CHANGES[change]
    assert lines(name, *statements) == expected


def twice(rows: Stored, table: str, n: int) -> Stored:
    """Put a row there once more."""
    return rows | {table: [*rows[table], rows[table][n]]}


def test_keys_that_are_there_twice_are_said_to_be() -> None:
    """Once more or once less, and compared with the row that is most alike."""
    world = world_of("kitchen")
    with database(sqlite_engine, world.catalog) as engine:
        before = stored_cells(world.filled(engine), [world.Menu.__table__])
    after = twice(before, "menus", 0)
    found = cell_differences(world.catalog, before, after)
    assert list(map(str, found)) == ["menus slug 'lunch': is there once more"]
    found = cell_differences(world.catalog, after, before)
    assert list(map(str, found)) == ["menus slug 'lunch': is there once less"]
    assert found == [DataDifference("menus", "slug 'lunch'", None, "", "is there once less")]
    assert cell_differences(world.catalog, after, after) == []


def categories() -> tuple[Catalog, sa.MetaData]:
    """Declare categories whose key recurs."""
    base, catalog = new_base(), Catalog("categories")

    class Category(base):
        __tablename__ = "categories"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), nullable=False)
        parent_id = mapped_column(sa.ForeignKey("categories.id"))
        parent = relationship("Category", remote_side=[id])

    schema_for(Category, catalog, natural_key=("name", "parent"))
    return catalog, base.metadata


def node(id_: int, name: str, parent: int | None) -> Row:
    """Make one category's row."""
    above = None if parent is None else Cell("integer", str(parent))
    return {"id": Cell("integer", str(id_)), "name": Cell("text", repr(name)), "parent_id": above}


def test_what_no_import_restores_is_not_compared() -> None:
    """Excluded, only written, and computed: that follows from what is compared, or isn't restored."""
    base, catalog = new_base(), Catalog("unrestored")

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        secret = mapped_column(sa.Integer)
        shown = mapped_column(sa.Integer)
        n = mapped_column(sa.Integer)
        of_secret = mapped_column(sa.Integer, sa.Computed("secret + 1"))
        of_that = mapped_column(sa.Integer, sa.Computed("of_secret + 1"))
        of_id = mapped_column(sa.Integer, sa.Computed("id + 1"))
        of_n = mapped_column(sa.Integer, sa.Computed("n + 1"))

    schema_for(Item, catalog, exclude=("secret",), dump_only=("shown",))
    row = {column.name: Cell("integer", "1") for column in Item.__table__.columns}
    for name in row:
        found = cell_differences(
            catalog, {"items": [row]}, {"items": [row | {name: Cell("integer", "2")}]}
        )
        assert [item.field for item in found] == ([name] if name in ("slug", "n") else [])


def test_owned_rows_with_keys_are_named_by_them() -> None:
    """Within their record."""
    base, catalog = new_base(), Catalog("owned")

    class Recipe(base):
        __tablename__ = "recipes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        steps = relationship("Step")

    class Step(base):
        __tablename__ = "steps"
        id = mapped_column(sa.Integer, primary_key=True)
        recipe_id = mapped_column(sa.ForeignKey("recipes.id"), nullable=False)
        number = mapped_column(sa.Integer, nullable=False)
        text = mapped_column(sa.Text)

    steps = schema_for(Step, catalog, natural_key=("recipe", "number"))
    schema_for(Recipe, catalog, {"steps": Owned(steps)})
    one = Cell("integer", "1")
    recipes = [{"id": one, "slug": Cell("text", "'a'")}]
    step = {"id": one, "recipe_id": one, "number": one, "text": Cell("text", "'x'")}
    before = {"recipes": recipes, "steps": [step]}
    after = {"recipes": recipes, "steps": [step | {"text": Cell("text", "'y'")}]}
    (found,) = cell_differences(catalog, before, after)
    assert str(found) == "recipes steps number 1, text: was 'x' (text), is now 'y' (text)"
    assert cell_differences(catalog, before, {"recipes": recipes}) == [
        DataDifference("recipes", "steps number 1", None, "", "is missing")
    ]


def test_of_each_field_one_difference_comes_first() -> None:
    """So that those that a caller shows say more than one thing."""
    catalog, _ = categories()
    before = {"categories": [node(n, f"n{n}", None) for n in range(5)]}
    after = {"categories": [node(n, f"m{n}", None) for n in range(4)]}
    found = cell_differences(catalog, before, after)
    assert [item.field for item in found] == ["name", None, "name", "name", "name"]


@pytest.mark.parametrize("place", [0, 50, 120, 300])
def test_long_values_are_cut_where_they_differ(place: int) -> None:
    """What is alike at both ends says nothing."""
    catalog, _ = categories()
    one = "x" * 400
    other = one[:place] + "y" + one[place + 1 :]
    sides = [{"categories": [node(1, name, None), node(2, "z", 1)]} for name in (one, other)]
    (found,) = cell_differences(catalog, *sides)
    assert found.was != found.now
    assert max(len(found.was), len(found.now)) <= 86
