"""The SELECTs of an export: columns once, joined tables under names of their own, and order."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog
from lading.exporting.joins import MOST_TABLES
from lading.exporting.query import Selection, having_row_in, identity_of, is_set, with_extensions
from lading.model.rowsets import Reference, RowSet, Value
from support.cookbook import cookbook, rows
from support.declaring import catalog_of, new_base, schema_for, table
from support.dialects import sqlite_dialect

RECIPES = rows("recipes")


def selection(of: RowSet = RECIPES) -> Selection:
    """Return an empty selection of a row set's rows."""
    return Selection(sqlite_dialect(of.table.metadata), of.table)


def member(name: str, of: RowSet = RECIPES) -> Any:
    """Return a member of a row set by its name."""
    return next(item for item in of.members if item.name == name)


def sql(made: Selection) -> str:
    """Return the statement on one line."""
    return " ".join(made.dialect.text_of(made.statement()).split())


def test_a_column_is_selected_once() -> None:
    """Whoever asks for it gets its place."""
    made = selection()
    slug, minutes = member("slug"), member("minutes")
    places = [made.value(item, RECIPES.table).place for item in (slug, minutes, slug)]
    assert places == [0, 1, 0]
    assert made.raw(RECIPES.table.c.minutes) == 1
    assert sql(made) == "SELECT recipes.slug AS c0, recipes.minutes AS c1 FROM recipes"


def test_a_reference_is_joined_by_an_outer_join() -> None:
    """Under a name that no application's table has, once for each foreign key."""
    made = selection()
    for _ in range(2):
        slot = made.reference(member("author"), RECIPES.table)
    assert (slot.foreign, slot.present) == ((0,), 1)
    assert slot.is_null() == "c0 is None"
    assert sql(made) == (
        "SELECT recipes.author_id AS c0, _lading_1.slug AS c1 FROM recipes "
        "LEFT OUTER JOIN authors AS _lading_1 ON recipes.author_id = _lading_1.id"
    )


def test_a_key_that_recurs_is_found_by_its_target_s_primary_key() -> None:
    """Its levels are read beside the rows."""
    made = selection()
    slot = made.reference(member("category"), RECIPES.table)
    assert slot.parts == []
    assert slot.key_text() == "keys[0][(c1, )]"
    assert made.recurring == [slot]


def two_columns(*, share: bool) -> tuple[RowSet, Reference]:
    """Return rows with a foreign key of two columns, of which one may be another's as well."""
    base = new_base()
    number: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    box = table(
        base,
        "boxes",
        id=None,
        slug=None,
        shelf=mapped_column(sa.Integer, **number),
        place=mapped_column(sa.Integer, **number),
    )
    shelf = sa.ForeignKey("shelves.id") if share else None
    model = table(
        base,
        "lines",
        shelf=mapped_column(sa.Integer, *([shelf] if share else [])),
        place=mapped_column(sa.Integer),
        box=relationship(box),
        __table_args__=(
            sa.ForeignKeyConstraint(["shelf", "place"], ["boxes.shelf", "boxes.place"]),
        ),
    )
    shelves = table(base, "shelves", id=mapped_column(sa.Integer, **number), slug=None)
    lines = catalog_of(box, model, shelves).use()["lines"]
    return lines, next(item for item in lines.references if item.name == "box")


@pytest.mark.parametrize(
    ("share", "null", "condition"),
    [
        (False, "c0 is None and c1 is None", "lines.shelf IS NOT NULL"),
        (True, "c1 is None", "lines.place IS NOT NULL"),
    ],
)
def test_a_reference_is_null_where_what_it_alone_carries_is(
    share: bool, null: str, condition: str
) -> None:
    """What others carry as well says nothing of it."""
    lines, box = two_columns(share=share)
    slot = selection(lines).reference(box, lines.table)
    assert slot.is_null() == null
    assert str(is_set(box, lines.table)) == condition


def ordering(of: RowSet) -> list[str] | None:
    """Return what a row set's rows are sorted by."""
    clauses = selection(of).order(of.key, of.table)
    return None if clauses is None else [str(clause) for clause in clauses]


def test_rows_are_sorted_by_their_key() -> None:
    """By code point, null first, through references."""
    assert ordering(RECIPES) == ['recipes.slug COLLATE "BINARY"']
    assert ordering(rows("categories")) is None
    catalog = cookbook()
    base = catalog.schemas[0].Meta.model.__mro__[1]
    day, recipe_id = mapped_column(sa.Date), mapped_column(sa.ForeignKey("recipes.id"))
    model = table(base, "reviews", slug=None, recipe_id=recipe_id, day=day)
    schema_for(model, catalog, natural_key=("recipe", "day"))
    assert ordering(catalog.use()["reviews"]) == [
        "reviews.recipe_id IS NOT NULL",
        '_lading_1.slug COLLATE "BINARY"',
        "reviews.day IS NOT NULL",
        "reviews.day",
    ]


def test_bytes_are_sorted_by_us() -> None:
    """Their written form sorts otherwise than they do."""
    model = table(new_base(), "files", slug=mapped_column(sa.LargeBinary, unique=True))
    catalog = Catalog("test")
    schema_for(model, catalog, natural_key="slug")
    assert ordering(catalog.use()["files"]) is None


def test_more_references_than_an_engine_joins_are_read_in_parts() -> None:
    """Each part reads the rows at hand by their primary keys."""
    base = new_base()
    target = table(base, "targets")
    count = 2 * MOST_TABLES
    keys = {f"t{n}_id": mapped_column(sa.ForeignKey("targets.id")) for n in range(count)}
    many = catalog_of(target, table(base, "many", **keys)).use()["many"]
    made = selection(many)
    identity_of(made, many)
    for reference in many.references:
        made.reference(reference, many.table)
    assert len(made.joins.parts) == 3
    assert max(made.joins.counts) <= MOST_TABLES
    assert sum(made.joins.counts) == count + 3
    assert sql(made).count("LEFT OUTER JOIN") == MOST_TABLES - 1


def test_tables_of_subclasses_are_joined_where_they_are_asked_for() -> None:
    """All of them by outer joins, or those that rows must have."""
    base = new_base()
    asset = table(
        base,
        "assets",
        kind=mapped_column(sa.String, nullable=False),
        __mapper_args__={"polymorphic_on": "kind", "polymorphic_identity": "asset"},
    )
    type(
        "Machine",
        (asset,),
        {
            "__tablename__": "machines",
            "id": mapped_column(sa.ForeignKey("assets.id"), primary_key=True),
            "power": mapped_column(sa.Integer),
            "__mapper_args__": {"polymorphic_identity": "machine"},
        },
    )
    assets = catalog_of(asset).use()["assets"]
    power: Value = member("power", assets)
    assert str(with_extensions(assets)).startswith("assets LEFT OUTER JOIN machines ON ")
    assert str(having_row_in(assets, [power.column])).startswith("assets JOIN machines ON ")
    assert str(having_row_in(assets, assets.identity)) == "assets"
    made = selection(assets)
    made.extend(assets)
    made.value(power, power.column.table)
    assert "LEFT OUTER JOIN machines ON machines.id = assets.id" in sql(made)
