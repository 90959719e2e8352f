"""Lines of a file decoded into batches of driver values, and the problems of those that aren't."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading.importing.batch import Batch
from lading.importing.decode import RecordDecoder, keys_of
from lading.importing.duplicates import Duplicate, KeyOrder, find_duplicates
from support.cookbook import RECIPE, cookbook, rows
from support.declaring import catalog_of, new_base, table
from support.dialects import sqlite_dialect

LINE = json.dumps(RECIPE, separators=(",", ":")).encode()


def decoder(
    fields: Any = None, /, entity: str = "recipes", *, ids: bool = False, **meta: Any
) -> RecordDecoder:
    """Return the decoder of an entity's records for SQLite."""
    row_set = rows(entity, cookbook(fields, entity, **meta))
    return RecordDecoder(sqlite_dialect(row_set.table.metadata), row_set, f"{entity}.json", ids=ids)


def line(change: dict[str, Any] | None = None) -> bytes:
    """Return the text of the recipe with some fields changed."""
    return json.dumps({**RECIPE, **(change or {})}, separators=(",", ":")).encode()


def summary(batch: Batch) -> Any:
    """Return what a batch holds, without the texts."""
    steps = batch.children["steps"]
    inner = steps.batch
    return {
        "numbers": batch.numbers,
        "keys": batch.keys,
        "values": batch.values,
        "references": batch.references,
        "links": batch.links,
        "steps": (steps.owners, inner.numbers, inner.values, inner.references),
    }


DECODED = {
    "numbers": [5],
    "keys": [("rye",)],
    "values": [
        ("rye", 90, 3.5, 4.5, True, "2025-01-31 08:00:00.000000", '{"a": [1, null]}'),
    ],
    "references": {"author": [("ann",)], "category": [(("bread",), ("sour",))]},
    "links": {"tags": [[("old",), ("plain",)]]},
    "steps": ([0, 0], [5, 5], [(1, "mix"), (2, "bake")], {"tag": [None, ("hot",)]}),
}


def test_a_record_becomes_driver_values_and_keys() -> None:
    """With what it nests, each row under its record's number."""
    batch, problems = decoder().decode([LINE], 5)
    assert summary(batch) == DECODED
    assert (batch.lines, problems) == ([LINE], [])


@pytest.mark.parametrize(
    "change",
    [
        {"price": "3.5"},
        {"tried_at": "2025-01-31T08:00:00.000000"},
        {"category": dict(reversed(RECIPE["category"].items()))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_marshmallow_takes_becomes_the_same(change: dict[str, Any]) -> None:
    """Other spellings of a value, and any order of a key's fields."""
    batch, problems = decoder().decode([line(change)], 5)
    assert problems == []
    assert summary(batch) == DECODED


def test_the_fields_of_a_record_may_stand_in_any_order() -> None:
    """And with blanks between them."""
    text = json.dumps(dict(reversed(RECIPE.items())), indent=1).encode()
    batch, problems = decoder().decode([text], 5)
    assert problems == []
    assert summary(batch) == DECODED


def test_null_becomes_none() -> None:
    """SQL's; JSON's own is a value."""
    nothing = ("minutes", "price", "rating", "tried_at", "notes", "author_slug", "category")
    batch, _ = decoder().decode([line(dict.fromkeys(nothing))], 1)
    assert batch.values == [("rye", None, None, None, True, None, None)]
    assert batch.references == {"author": [None], "category": [None]}
    batch, _ = decoder().decode([line({"notes": {"$json": None}})], 1)
    assert batch.values[0][-1] == "null"


def test_ids_are_left_aside_where_records_carry_them() -> None:
    """Elsewhere they are unknown fields."""
    text = line({"id": 7, "author_id": 3, "category_id": None})
    batch, problems = decoder(ids=True).decode([text], 5)
    assert (summary(batch), problems) == (DECODED, [])
    _, problems = decoder().decode([text], 5)
    assert {problem.field for problem in problems} == {"id", "author_id", "category_id"}


def test_the_empty_block_is_an_empty_batch() -> None:
    """With all of its parts."""
    batch, problems = decoder().decode([], 1)
    assert len(batch) == len(problems) == 0
    assert set(batch.children) == {"steps"}


# Problems


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (b"{", None, "isn't valid JSON: "),
        (line()[:-1] + b',"slug":"other"}', None, "twice"),
        (b"[]", None, "Invalid input type."),
        (line({"price": "x"}), "price", "'x'"),
        (line({"minutes": 2**63}), "minutes", "is outside"),
        (line({"slug": "x" * 51}), "slug", "Longer than maximum length 50"),
        (line({"is_vegan": None}), "is_vegan", "Field may not be null."),
        (line({"new": 1}), "new", "Unknown field."),
        (line({"tags": [{"slug": 5}]}), "tags.1.slug", "5"),
        (line({"steps": [{**RECIPE["steps"][0], "place": 2**63}]}), "steps.1.place", "outside"),
        (line({"category": {"parent": None}}), "category.name", "Missing data"),
    ],
    ids=[
        *("no json", "key twice", "no object", "value", "column", "length", "null", "unknown"),
        *("link", "owned", "key"),
    ],
)
def test_a_bad_record_is_a_problem_and_the_others_go_on(
    text: bytes, field: str | None, message: str
) -> None:
    """By its number, key and field."""
    batch, problems = decoder().decode([line({"slug": "a"}), text, line({"slug": "b"})], 5)
    assert (batch.numbers, batch.keys) == ([5, 7], [("a",), ("b",)])
    (problem,) = problems
    assert (problem.file, problem.record, problem.field) == ("recipes.json", 6, field)
    assert message in problem.message


def test_all_problems_of_a_record_are_told() -> None:
    """Whether marshmallow or the column says so."""
    _, problems = decoder().decode([line({"price": "x", "minutes": "y", "is_vegan": 5})], 1)
    assert sorted(problem.field or "" for problem in problems) == ["is_vegan", "minutes", "price"]
    steps = [{**step, "place": 2**63} for step in RECIPE["steps"]]
    _, problems = decoder().decode([line({"minutes": 2**63, "steps": steps})], 1)
    assert [problem.field for problem in problems] == ["minutes", "steps.1.place", "steps.2.place"]


def test_a_value_that_is_hidden_is_not_shown() -> None:
    """The field and the kind of the fault are enough."""
    _, (problem,) = decoder(hidden=("price",)).decode([line({"price": "secret"})], 1)
    assert problem.message == "its value <hidden> isn't one that the field takes. Correct it"


def test_a_schema_of_the_application_s_own_is_asked() -> None:
    """Its fields decide, and what it raises is a problem."""

    def check(value: int) -> None:
        if value > 60:
            raise ma.ValidationError("too long")
        if value < 0:
            raise ZeroDivisionError("oops")

    made = decoder({"minutes": ma.fields.Integer(validate=check, allow_none=True)})
    batch, problems = made.decode([line({"minutes": n}) for n in (60, 61, -1)], 1)
    assert [values[1] for values in batch.values] == [60]
    assert [(item.record, item.field, item.message) for item in problems] == [
        (2, "minutes", "too long (the value is 61). Correct it"),
        (
            3,
            None,
            "RecipesSchema.load failed: ZeroDivisionError('oops'). Correct the schema, or the record",
        ),
    ]


def test_a_deep_key_is_decoded_and_a_deeper_one_is_a_problem() -> None:
    """Neither ends the process."""

    def category(depth: int) -> bytes:
        text = b'{"parent":' * depth + b"null" + b',"name":"a"}' * depth
        start, end = line({"category": "HERE"}).split(b'"HERE"')
        return start + text + end

    batch, problems = decoder().decode([category(400)], 1)
    assert problems == []
    assert len(batch.references["category"][0] or ()) == 400
    for depth in (501, 100_000):
        batch, problems = decoder().decode([category(depth)], 1)
        assert (len(batch), len(problems)) == (0, 1)


# Hierarchies


def assets() -> RecordDecoder:
    """Return the decoder of assets, some of which are machines."""
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
            "spare_id": mapped_column(sa.ForeignKey("spares.id")),
            "__mapper_args__": {"polymorphic_identity": "machine"},
        },
    )
    row_set = catalog_of(asset, table(base, "spares")).use()["assets"]
    return RecordDecoder(sqlite_dialect(base.metadata), row_set, "assets.json")


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ({"slug": "a", "kind": "asset"}, []),
        ({"slug": "a", "kind": "machine", "power": 5, "spare": None}, []),
        ({"slug": "a", "kind": "machine", "power": 5, "spare": {"slug": "b"}}, []),
        ({"slug": "a", "kind": "asset", "power": 5}, ["power"]),
        ({"slug": "a", "kind": "machine", "spare": None}, ["power"]),
        ({"slug": "a", "kind": "robot"}, ["kind"]),
    ],
    ids=["base", "subclass", "reference", "foreign", "missing", "unknown"],
)
def test_a_record_has_the_fields_of_its_class(record: dict[str, Any], fields: list[str]) -> None:
    """The others are unknown to it, and its own required."""
    batch, problems = assets().decode([json.dumps(record, separators=(",", ":")).encode()], 1)
    assert [problem.field for problem in problems] == fields
    assert batch.classes == ([] if fields else [record["kind"]])


# Keys


def blocks(*keys: tuple[str, ...]) -> list[Any]:
    """Return blocks of authors with these keys."""
    first, made = 1, []
    for part in keys:
        records = [json.dumps({"slug": key}, separators=(",", ":")).encode() for key in part]
        made.append(SimpleNamespace(first=first, records=records))
        first += len(part)
    return made


def test_duplicates_are_found_in_any_order() -> None:
    """Each with the number of another."""
    made = decoder(entity="authors")
    found = find_duplicates(made, blocks(("b", "a", "c"), ("a", "d", "a")))
    assert found == {
        2: Duplicate(("a",), 4),
        4: Duplicate(("a",), 2),
        6: Duplicate(("a",), 4),
    }
    assert find_duplicates(made, blocks(("b", "a"), ("c",))) == {}


@pytest.mark.parametrize(
    ("parts", "holds"),
    [
        ((("a", "b"), ("c",)), [True, True]),
        ((("a", "b"), ("b",)), [True, False]),
        ((("b", "a"),), [False]),
        (((), ("a",), (), ("a",)), [True, True, True, False]),
    ],
)
def test_keys_that_ascend_have_no_duplicates(parts: Any, holds: list[bool]) -> None:
    """From one batch to the next as well."""
    made = decoder(entity="authors")
    order = KeyOrder(made)
    batches = [made.decode(block.records, block.first)[0] for block in blocks(*parts)]
    assert [order.holds(batch) for batch in batches] == holds


def test_keys_of_some_records_are_read_for_people() -> None:
    """Whatever else is wrong with them; what can't be read has none."""
    made = blocks(("a", "b"))
    made.append(SimpleNamespace(first=3, records=[b"{", b'{"slug":5}']))
    found = keys_of(rows("authors"), made, {2, 3, 4, 9})
    assert found == {2: {"slug": "b"}, 4: {"slug": 5}}
    assert decoder(entity="authors").named(("a",)) == {"slug": "a"}
