"""Records in canonical form without a database."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma
import pytest

from lading.records.canonical import Canonical, Canonicaliser, encoded, links_in
from support.cookbook import RECIPE, cookbook, rows

TEXT = json.dumps(RECIPE, separators=(",", ":")).encode()


def made(record: Any, **meta: Any) -> Canonical:
    """Return the canonical form of a recipe that has one."""
    data = record if isinstance(record, bytes) else json.dumps(record).encode()
    canonical = Canonicaliser(rows("recipes", cookbook(**meta))).make(data, "recipes.json", 1)
    assert isinstance(canonical, Canonical)
    return canonical


def faults(record: Any, fields: Any = None, **meta: Any) -> list[tuple[str | None, str]]:
    """Return the fields and texts of the problems of a recipe."""
    data = record if isinstance(record, bytes) else json.dumps(record).encode()
    make = Canonicaliser(rows("recipes", cookbook(fields, **meta))).make
    problems = make(data, "recipes.json", 7)
    assert isinstance(problems, list)
    assert {(problem.file, problem.record) for problem in problems} == {("recipes.json", 7)}
    return [(problem.field, problem.message) for problem in problems]


def test_a_canonical_record_stays_as_it_is() -> None:
    """With its key and what it sorts by."""
    canonical = made(TEXT)
    assert canonical.text == TEXT
    assert canonical.record == RECIPE
    assert canonical.key == {"slug": "rye"}
    assert canonical.order == made({**RECIPE, "minutes": 1}).order


@pytest.mark.parametrize(
    "change",
    [
        {"price": "3.5"},
        {"tried_at": "2025-01-31T08:00:00.000000"},
        {"tags": RECIPE["tags"][::-1]},
        {"steps": RECIPE["steps"][::-1]},
        {"id": 7, "author_id": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_spellings_become_canonical(change: dict[str, Any]) -> None:
    """Values, the order of lists, and ids for people who debug."""
    assert made({**RECIPE, **change}).text == TEXT


def test_the_order_of_fields_is_the_schema_s() -> None:
    """Whatever the record's is."""
    assert made(dict(reversed(RECIPE.items()))).text == TEXT


def test_what_the_database_computes_stays_as_it_is_said() -> None:
    """No import writes it; absent it stays absent."""
    assert made({**RECIPE, "minutes": 5}, dump_only=("minutes",)).record["minutes"] == 5
    without = {name: value for name, value in RECIPE.items() if name != "minutes"}
    assert "minutes" not in made(without, dump_only=("minutes",)).record


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"{", [(None, "isn't valid JSON: ")]),
        (b'{"slug":"a","slug":"b"}', [(None, "isn't valid JSON: ")]),
        (b"[]", [(None, "Invalid input type.")]),
        ({**RECIPE, "price": "x"}, [("price", "'x'")]),
        ({**RECIPE, "price": "x", "new": 1}, [("new", "Unknown field."), ("price", "'x'")]),
        (
            {**RECIPE, "steps": [{**RECIPE["steps"][0], "place": None}]},
            [("steps.1.place", "Field may not be null.")],
        ),
        ({**RECIPE, "tags": [{"slug": 5}]}, [("tags.1.slug", "5")]),
    ],
    ids=["no json", "twice", "no object", "value", "two", "owned", "link"],
)
def test_what_is_wrong_is_told_by_field(record: Any, expected: list[tuple[Any, str]]) -> None:
    """All of it, by its dotted path."""
    problems = sorted(faults(record), key=lambda problem: str(problem[0]))
    assert [field for field, _ in problems] == [field for field, _ in expected]
    for (_, message), (_, part) in zip(problems, expected, strict=True):
        assert part in message


def test_what_the_application_s_own_code_raises_is_a_problem() -> None:
    """With the name of the schema."""

    def fail(_value: Any) -> None:
        raise ZeroDivisionError("oops")

    field = ma.fields.Integer(validate=fail)
    assert faults(TEXT, {"minutes": field}) == [
        (
            None,
            "RecipesSchema.load failed: ZeroDivisionError('oops'). Correct the schema, or the record",
        )
    ]


def test_what_is_hidden_is_told_without_its_value() -> None:
    """The field and the kind of the fault are enough."""
    (problem,) = faults({**RECIPE, "price": "secret"}, hidden=("price",))
    assert problem == ("price", "its value <hidden> isn't one that the field takes. Correct it")


def test_a_record_is_encoded_without_what_it_lacks() -> None:
    """Or without what stands for nothing."""
    parts = rows("recipes")
    assert encoded(parts, {"minutes": None, "slug": "a"}) == b'{"slug":"a","minutes":null}'
    nothing = object()
    record = {"minutes": None, "slug": nothing, "steps": [{"place": 1, "words": nothing}]}
    assert encoded(parts, record, omit=nothing) == b'{"minutes":null,"steps":[{"place":1}]}'


def test_json_is_encoded_canonically() -> None:
    """Its keys by code point, and letters as they are."""
    notes = {"b": 1, "a": {"ü": None, "B": "ü"}}
    assert encoded(rows("recipes"), {"notes": notes}).decode() == (
        '{"notes":{"a":{"B":"ü","ü":null},"b":1}}'
    )


def test_links_are_found_at_any_depth() -> None:
    """By their path; null ones lead nowhere."""
    assert list(links_in(rows("recipes"), RECIPE)) == [
        ("author_slug", "ann"),
        ("category", RECIPE["category"]),
        ("tags", {"slug": "old"}),
        ("tags", {"slug": "plain"}),
        ("steps.tag", {"slug": "hot"}),
    ]
    assert list(links_in(rows("recipes"), {"slug": "a", "author_slug": None, "steps": []})) == []
