"""The lines that say what differs between two databases, for changes of every kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from lading.database.tables import tables_of
from lading.testing.compare.cells import differences
from lading.testing.compare.difference import DataDifference, apart
from lading.testing.compare.stored import Stored, stored_cells
from lading.testing.databases.factories import database, sqlite_engine
from support import worlds
from support.declaring import new_base, schema_for

WORLDS: dict[str, Callable[[], Any]] = {name: getattr(worlds, name) for name in worlds.ALL}


@cache
def world_of(name: str) -> Any:
    """Make a world once."""
    return WORLDS[name]()


def lines(name: str, *statements: str) -> list[str]:
    """Fill two databases alike, run SQL in the second, and say what differs."""
    world = world_of(name)
    found: list[Stored] = []
    for sql in ((), statements):
        with database(sqlite_engine, world.catalog) as engine:
            world.filled(engine)
            with engine.begin() as connection:
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                for statement in sql:
                    connection.exec_driver_sql(statement)
            found.append(stored_cells(engine, tables_of(world.catalog.use())))
    return list(map(str, differences(world.catalog, *found)))


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
        ["dishes slug 'soup', steps row 1, text: was 'boil' (text), is now 'stir' (text)"],
    ),
    "a stored type": (
        "shelves",
        [
            "UPDATE books SET editor_id = NULL",
            "UPDATE loans SET since = 20250101 WHERE since > '2025-01-02'",
        ],
        [
            "loans person.email 'adam@x.org' and book.uuid '00000000000000000000000000000002', since: "
            "was '2025-01-03' (text), is now 20250101 (integer)",
            "books uuid '00000000000000000000000000000002', editor: was email 'adam@x.org', is now null",
        ],
    ),
    "a key": (
        "shelves",
        ["UPDATE people SET email = 'eve@x.org' WHERE email = 'zoe@x.org'"],
        [
            "people email 'zoe@x.org', email: was 'zoe@x.org' (text), is now 'eve@x.org' (text)",
            "books uuid '00000000000000000000000000000002', owner: was email 'zoe@x.org', "
            "is now 'zoe@x.org' (which leads nowhere)",
            "loans person.email 'zoe@x.org' and book.uuid '00000000000000000000000000000002', person: "
            "was email 'zoe@x.org', is now email 'eve@x.org'",
        ],
    ),
    "a reference": (
        "kitchen",
        [f"UPDATE menus SET main_id = {BREAD}"],
        ["menus slug 'lunch', main_slug: was slug 'soup', is now slug 'bread'"],
    ),
    "a reference that leads nowhere": (
        "kitchen",
        ["UPDATE menus SET main_id = 77"],
        ["menus slug 'lunch', main_slug: was slug 'soup', is now 77 (which leads nowhere)"],
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
            "dishes, cuisines: was nothing, is now a row that belongs to no record (made-up ids alone)",
            "dishes slug 'soup', cuisines: was name 'europe', is now nothing",
        ],
    ),
    "a row that is gone": (
        "kitchen",
        ["DELETE FROM menus"],
        [
            "menus slug 'lunch': is missing",
            "dishes slug 'bread', best_menu: was slug 'lunch', is now 1 (which leads nowhere)",
        ],
    ),
    "a row that appeared": (
        "kitchen",
        ["INSERT INTO cuisines (name) VALUES ('asia')"],
        ["cuisines name 'asia': appeared"],
    ),
    "an owned row that is gone": (
        "nested",
        ["DELETE FROM remarks WHERE id = (SELECT id FROM remarks WHERE text = 'Flat')"],
        ["songs slug 'la', verses row 1, lines row 2, remarks row 1: is missing"],
    ),
    "an owned row of another": (
        "nested",
        ["UPDATE remarks SET person_id = 1, line_id = NULL WHERE text = 'Flat'"],
        [
            "songs slug 'la', verses row 1, lines row 2, remarks row 1: is missing",
            "people slug 'bo', remarks row 1: appeared",
        ],
    ),
    "an owned row of nobody": (
        "nested",
        ["UPDATE remarks SET line_id = NULL WHERE text = 'Flat'"],
        [
            "songs slug 'la', verses row 1, lines row 2, remarks row 1: is missing",
            "people, people.remarks: was nothing, is now a row that belongs to no record (text 'Flat')",
        ],
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


def test_swapped_rows_differ_by_what_they_hold() -> None:
    """Two names that changed places leave the rows where they are, and their fields apart."""
    found = lines(
        "kitchen",
        "UPDATE dishes SET slug = 'other' WHERE slug = 'soup'",
        "UPDATE dishes SET slug = 'soup' WHERE slug = 'bread'",
        "UPDATE dishes SET slug = 'bread' WHERE slug = 'other'",
    )
    assert "dishes slug 'soup', best_menu: was null, is now slug 'lunch'" in found[:6]
    assert "menus slug 'lunch', main_slug: was slug 'soup', is now slug 'bread'" in found[:6]


def twice(rows: Stored, table: str, n: int) -> Stored:
    """Put a row there once more."""
    return rows | {table: [*rows[table], rows[table][n]]}


def test_keys_that_are_there_twice_are_said_to_be() -> None:
    """Once more or once less, and compared with the row that is most alike."""
    world = world_of("kitchen")
    with database(sqlite_engine, world.catalog) as engine:
        before = stored_cells(world.filled(engine), tables_of(world.catalog.use()))
    after = twice(before, "menus", 0)
    found = differences(world.catalog, before, after)
    assert list(map(str, found)) == ["menus slug 'lunch': is there once more"]
    found = differences(world.catalog, after, before)
    assert list(map(str, found)) == ["menus slug 'lunch': is there once less"]
    assert found == [DataDifference("menus", "slug 'lunch'", None, "", "is there once less")]
    assert differences(world.catalog, after, after) == []


def test_keys_that_recur_in_a_circle_are_compared() -> None:
    """Though no key of theirs has an end, and wherever the circle is entered."""
    catalog, _ = categories()
    before = {"categories": [node(1, "a", 3), node(2, "b", 1), node(3, "c", 2), node(4, "d", 3)]}
    after = {"categories": before["categories"][::-1]}
    assert differences(catalog, before, after) == []
    after["categories"] = [node(1, "a", 2), node(2, "b", 3), node(3, "c", 1), node(4, "d", 3)]
    found = [str(item) for item in differences(catalog, before, after)]
    assert found[0].startswith("categories name 'a' and parent.name 'c' and parent.parent.name 'b'")
    assert {item.split(",")[0].split(" and ")[0] for item in found} == {
        f"categories name '{name}'" for name in "abcd"
    }


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


def node(id_: int, name: str, parent: int | None) -> dict[str, tuple[str, str]]:
    """Make one category's row."""
    above = ("null", "None") if parent is None else ("integer", str(parent))
    return {"id": ("integer", str(id_)), "name": ("text", repr(name)), "parent_id": above}


def test_what_no_import_restores_is_not_compared() -> None:
    """Excluded, only written, and computed from such; computed from what is restored, it is."""
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
    row = {column.name: ("integer", "1") for column in Item.__table__.columns}
    for name in row:
        found = differences(catalog, {"items": [row]}, {"items": [row | {name: ("integer", "2")}]})
        assert [item.field for item in found] == ([name] if name in ("slug", "n", "of_n") else [])


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
    one = ("integer", "1")
    recipes = [{"id": one, "slug": ("text", "'a'")}]
    step = {"id": one, "recipe_id": one, "number": one, "text": ("text", "'x'")}
    before = {"recipes": recipes, "steps": [step]}
    after = {"recipes": recipes, "steps": [step | {"text": ("text", "'y'")}]}
    (found,) = differences(catalog, before, after)
    assert str(found) == "recipes slug 'a', steps number 1, text: was 'x' (text), is now 'y' (text)"
    assert differences(catalog, before, {"recipes": recipes}) == [
        DataDifference("recipes", "slug 'a', steps number 1", None, "", "is missing")
    ]


def test_rows_of_one_of_several_parents_are_said_to_be_its() -> None:
    """Though they hold the key of another as well."""
    base, catalog = new_base(), Catalog("parents")

    class Tenant(base):
        __tablename__ = "tenants"
        slug = mapped_column(sa.String(20), primary_key=True)
        notes = relationship("Note", foreign_keys="Note.tenant")

    class Order(base):
        __tablename__ = "orders"
        tenant = mapped_column(sa.ForeignKey("tenants.slug"), primary_key=True)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        notes = relationship("Note", foreign_keys="[Note.tenant, Note.number]", overlaps="notes")

    class Note(base):
        __tablename__ = "notes"
        __table_args__ = (
            sa.ForeignKeyConstraint(["tenant", "number"], ["orders.tenant", "orders.number"]),
        )
        id = mapped_column(sa.Integer, primary_key=True)
        tenant = mapped_column(sa.ForeignKey("tenants.slug"), nullable=False)
        number = mapped_column(sa.Integer)
        text = mapped_column(sa.Text)
        order = relationship(Order, overlaps="notes")

    notes = schema_for(Note, catalog)
    schema_for(Tenant, catalog, {"notes": Owned(notes)})
    schema_for(Order, catalog, {"notes": Owned(notes)})
    one, tenant = ("integer", "1"), ("text", "'t'")
    note = {"id": one, "tenant": tenant, "number": one, "text": ("text", "'x'")}
    before = {
        "tenants": [{"slug": tenant}],
        "orders": [{"tenant": tenant, "number": one}],
        "notes": [note],
    }
    after = before | {"notes": [note | {"text": ("text", "'y'")}]}
    (found,) = differences(catalog, before, after)
    assert str(found) == (
        "orders tenant.slug 't' and number 1, notes row 1, text: was 'x' (text), is now 'y' (text)"
    )


def test_the_order_of_made_up_ids_counts_where_a_list_goes_by_it() -> None:
    """After what else it is ordered by, and in no other list."""
    base, catalog = new_base(), Catalog("ordered")

    class Song(base):
        __tablename__ = "songs"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        lines = relationship("Line", order_by="[Line.verse, Line.id]")

    class Line(base):
        __tablename__ = "lines"
        id = mapped_column(sa.Integer, primary_key=True)
        song_id = mapped_column(sa.ForeignKey("songs.id"), nullable=False)
        verse = mapped_column(sa.Integer)
        text = mapped_column(sa.Text)

    schema_for(Song, catalog, {"lines": Owned(schema_for(Line, catalog))})
    songs = [{"id": ("integer", "1"), "slug": ("text", "'a'")}]

    def held(*rows: tuple[int, int, str]) -> Stored:
        lines = [
            {
                "id": ("integer", str(id_)),
                "song_id": ("integer", "1"),
                "verse": ("integer", str(verse)),
                "text": ("text", repr(text)),
            }
            for id_, verse, text in rows
        ]
        return {"songs": songs, "lines": lines}

    before = held((9, 1, "la"), (10, 1, "li"), (11, 2, "lo"))
    assert differences(catalog, before, held((2, 1, "la"), (3, 1, "li"), (1, 2, "lo"))) == []
    found = differences(catalog, before, held((10, 1, "la"), (9, 1, "li"), (11, 2, "lo")))
    assert list(map(str, found)) == ["songs slug 'a', lines: was in one order, is now in another"]


def test_of_each_field_one_difference_comes_first() -> None:
    """So that those that a caller shows say more than one thing."""
    catalog, _ = categories()
    before = {"categories": [node(n, f"n{n}", None) for n in range(5)]}
    after = {"categories": [node(n, f"m{n}", None) for n in range(4)]}
    found = differences(catalog, before, after)
    assert [item.field for item in found] == ["name", None, "name", "name", "name"]


@pytest.mark.parametrize("place", [0, 50, 120, 300])
def test_long_values_are_cut_where_they_differ(place: int) -> None:
    """What is alike at both ends says nothing."""
    one = "x" * 400
    other = one[:place] + "y" + one[place + 1 :]
    was, now = apart(one, other)
    assert was != now
    assert max(len(was), len(now)) <= 86
    assert apart("short", "shorter") == ("short", "shorter")
