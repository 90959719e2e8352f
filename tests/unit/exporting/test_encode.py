"""Rows turned into records: values, references and nested lists by place, and which row fails."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading.errors import TargetError
from lading.exporting.encode import RowEncoder
from lading.exporting.query import Selection
from lading.exporting.row_faults import WRITTEN
from lading.model.rowsets import RowSet
from lading.records.layout import RecordLayout, WrittenKey
from lading.records.lines import encode_lines
from support.cookbook import RECIPE, cookbook, rows
from support.declaring import catalog_of, new_base, table
from support.dialects import sqlite_dialect

#: A recipe's row, by the columns that are selected of its table and of those joined to it.
ROW: dict[str, Any] = {
    "recipes.id": 7,
    "recipes.slug": "rye",
    "recipes.minutes": 90,
    "recipes.price": 3.5,
    "recipes.rating": 4.5,
    "recipes.is_vegan": 1,
    "recipes.tried_at": "2025-01-31 08:00:00.000000",
    "recipes.notes": '{"a": [1, null]}',
    "recipes.author_id": 3,
    "_lading_1.slug": "ann",
    "recipes.category_id": 5,
    "_lading_2.id": 5,
}
SOUR = WrittenKey(
    (("bread",), ("sour",)), msgspec.Raw(json.dumps(RECIPE["category"]).encode()), 2
)  # fmt: skip


class Encoding:
    """The encoder of a row set, with rows as mappings by column."""

    def __init__(self, rows: RowSet, *, ids: bool = False) -> None:
        selection = Selection(sqlite_dialect(rows.table.metadata), rows.table)
        selection.extend(rows)
        self.layout = RecordLayout(rows, ids=ids)
        self.encoder = RowEncoder(rows, selection, self.layout, ids=ids)
        elements = [column.element for column in selection.columns]  # type: ignore[attr-defined]
        self.names = [f"{element.table.name}.{element.name}" for element in elements]
        self.encoder.ready(len(self.names))
        self.rounded: dict[str, int] = {}

    def structs(
        self, row: dict[str, Any], nested: list[Any], keys: list[dict[Any, Any]]
    ) -> list[Any]:
        """Return the struct of one row."""
        columns = tuple(row[name] for name in self.names)
        return self.encoder.records([columns], [[item] for item in nested], keys, self.rounded)

    def record(
        self, row: dict[str, Any], nested: Any = (), keys: Any = ({(5,): SOUR},)
    ) -> dict[str, Any]:
        """Return the record that is written of one row."""
        (line,) = encode_lines(self.structs(row, list(nested), list(keys)))
        record: dict[str, Any] = json.loads(line)
        return record


def nested_of(layout: RecordLayout) -> list[Any]:
    """Return what the recipe nests: its tags' keys and its steps' texts."""
    tag = layout.keys["tags"].struct
    steps = [msgspec.Raw(json.dumps(step).encode()) for step in RECIPE["steps"]]
    return [[tag("old"), tag("plain")], steps]


def recipe(change: dict[str, Any], *, ids: bool = False, **meta: Any) -> dict[str, Any]:
    """Return the record of the recipe's row with some columns changed."""
    encoding = Encoding(rows("recipes", cookbook(**meta)), ids=ids)
    return encoding.record({**ROW, **change}, nested_of(encoding.layout))


def test_a_row_becomes_a_record() -> None:
    """In canonical form, with what it nests."""
    assert recipe({}) == RECIPE
    assert list(recipe({})) == list(RECIPE)


def test_null_columns_become_null() -> None:
    """A null foreign key is a null reference, whatever the outer join shows."""
    nothing = ("minutes", "price", "rating", "tried_at", "notes", "author_id", "category_id")
    change = {f"recipes.{name}": None for name in nothing}
    record = recipe({**change, "_lading_1.slug": None, "_lading_2.id": None})
    assert {name for name, value in record.items() if value is None} == {
        *("minutes", "price", "rating", "tried_at", "notes", "author_slug", "category")
    }


def test_json_null_is_not_sql_null() -> None:
    """It is wrapped."""
    assert recipe({"recipes.notes": "null"})["notes"] == {"$json": None}


def test_ids_for_people_who_debug_stand_behind() -> None:
    """The row's own and those that its references hold."""
    record = recipe({}, ids=True)
    assert record == {**RECIPE, "id": 7, "author_id": 3, "category_id": 5}


REMEDY_ROW = f"Correct the row, or let the column's model say what it holds; {WRITTEN}."


@pytest.mark.parametrize(
    ("change", "field", "problem", "remedy"),
    [
        (
            {"recipes.minutes": "long"},
            "minutes",
            "the database holds 'long', which is not an integer",
            REMEDY_ROW,
        ),
        (
            {"recipes.slug": None},
            "slug",
            "the database holds NULL, which the model doesn't allow",
            REMEDY_ROW,
        ),
        (
            {"recipes.price": 0.125},
            "price",
            "the database holds 0.125, which is not 0.12",
            "Correct the row, or export such numbers as SQLAlchemy reads them, by the "
            "catalog's option sqlite_decimals='as_read'.",
        ),
        (
            {"recipes.tried_at": 5},
            "tried_at",
            "the database holds 5, which is not a datetime (YYYY-MM-DD HH:MM:SS)",
            REMEDY_ROW,
        ),
        (
            {"_lading_1.slug": None},
            "author_slug",
            "author_id = 3 refers to no row of authors",
            "Add the missing row, or set the foreign key to one that exists.",
        ),
        (
            {"_lading_2.id": None},
            "category",
            "category_id = 5 refers to no row of categories",
            "Add the missing row, or set the foreign key to one that exists.",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_row_that_no_record_can_hold_is_named(
    change: dict[str, Any], field: str, problem: str, remedy: str
) -> None:
    """With its field, what the database holds, and what to do."""
    with pytest.raises(TargetError) as caught:
        recipe(change)
    error = caught.value
    assert (error.entity, error.field) == ("recipes", field)
    assert error.problem.startswith(problem)
    assert error.remedy == remedy
    assert error.key == (None if field == "slug" else 'slug "rye"')


def test_what_is_hidden_is_not_shown() -> None:
    """Neither the value nor a key."""
    with pytest.raises(TargetError) as caught:
        recipe({"recipes.minutes": "long"}, hidden=("minutes", "slug"))
    assert "long" not in str(caught.value)
    assert "rye" not in str(caught.value)


@pytest.mark.parametrize("bad", [0, 2])
def test_of_many_rows_the_bad_one_is_found(bad: int) -> None:
    """Wherever it stands."""
    encoding = Encoding(rows("authors"))
    columns = [(f"a{number}",) for number in range(3)]
    columns[bad] = (5,)  # type: ignore[assignment]
    with pytest.raises(TargetError, match="the database holds 5, which is not a string"):
        encoding.encoder.records(columns, [], [], {})


# Keys and their order


def test_keys_are_tuples_of_what_was_written() -> None:
    """And what they sort by, where that is something else."""
    encoding = Encoding(rows("recipes"))
    encoder = encoding.encoder
    structs = encoding.structs(ROW, nested_of(encoding.layout), [{(5,): SOUR}])
    assert encoder.keys(structs) == [("rye",)]
    assert encoder.order([("b",), ("a",)]) == [("b",), ("a",)]


def test_a_key_that_recurs_is_its_parent_s_and_one_more_level() -> None:
    """Or its own level alone."""
    encoding = Encoding(rows("categories"))
    row = dict.fromkeys(encoding.names) | {"categories.name": "new"}
    parent = {"categories.parent_id": 5, "_lading_1.id": 5}
    keys = [{(5,): SOUR}]
    below = encoding.structs(row | parent, [], keys)
    assert encoding.encoder.keys(below) == [(("bread",), ("sour",), ("new",))]
    assert encoding.encoder.keys(encoding.structs(row, [], keys)) == [(("new",),)]
    orders = encoding.encoder.order([(("b",),), (("a",), ("z",)), (("a",),)])
    assert sorted(range(3), key=orders.__getitem__) == [2, 0, 1]


# Composite foreign keys


@pytest.mark.parametrize(
    ("shelf", "place", "box"),
    [(3, 4, {"shelf": 3, "place": 4}), (None, None, None)],
)
def test_a_composite_foreign_key_is_one_reference(shelf: Any, place: Any, box: Any) -> None:
    """Null where all of its columns are."""
    assert line(shelf, place)["box"] == box


def test_a_foreign_key_that_is_partly_null_is_refused() -> None:
    """What it holds would be forgotten."""
    with pytest.raises(TargetError, match=r"the foreign key \(shelf, place\) is partly null"):
        line(3, None)


def line(shelf: Any, place: Any) -> dict[str, Any]:
    """Return the record of a line whose foreign key has two columns."""
    base = new_base()
    number = {"type_": sa.Integer, "primary_key": True, "autoincrement": False}
    box = table(
        base,
        "boxes",
        id=None,
        slug=None,
        shelf=mapped_column(**number),
        place=mapped_column(**number),
    )
    model = table(
        base,
        "lines",
        shelf=mapped_column(sa.Integer),
        place=mapped_column(sa.Integer),
        box=sa.orm.relationship(box),
        __table_args__=(
            sa.ForeignKeyConstraint(["shelf", "place"], ["boxes.shelf", "boxes.place"]),
        ),
    )
    encoding = Encoding(catalog_of(box, model).use()["lines"])
    row = dict.fromkeys(encoding.names) | {"lines.slug": "a"}
    row |= {"lines.shelf": shelf, "lines.place": place}
    row |= {"_lading_1.shelf": shelf, "_lading_1.place": place}
    return encoding.record(row, keys=())


# Hierarchies


def asset_row(**columns: Any) -> dict[str, Any]:
    """Return the record of one row of a hierarchy of assets and machines."""
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
    encoding = Encoding(catalog_of(asset).use()["assets"])
    row = dict.fromkeys(encoding.names) | {"assets.slug": "a"} | columns
    row = {name.replace("__", "."): value for name, value in row.items()}
    return encoding.record(row, keys=())


def test_a_row_has_the_fields_of_its_class() -> None:
    """Others are absent, not null."""
    assert asset_row(assets__kind="asset") == {"slug": "a", "kind": "asset"}
    machine = asset_row(assets__kind="machine", machines__id=1, machines__power=None)
    assert machine == {"slug": "a", "kind": "machine", "power": None}


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"assets__kind": "robot"}, "'robot' is the polymorphic_identity of no mapped class"),
        ({"assets__kind": "machine"}, "a row of class 'machine' has no row in machines"),
        ({"assets__kind": "asset", "machines__id": 1}, "'asset' has a row in machines"),
        ({"assets__kind": "asset", "machines__power": 5}, "rows of class 'asset' have no power"),
    ],
)
def test_a_row_that_is_not_as_its_class_has_it_is_refused(
    columns: dict[str, Any], problem: str
) -> None:
    """What only other classes have would be forgotten."""
    with pytest.raises(TargetError) as caught:
        asset_row(**columns)
    assert problem in str(caught.value)
