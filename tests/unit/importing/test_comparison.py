"""Records compared with those that the database has: values, not their spelling."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lading.importing.comparison import StoredComparison
from lading.importing.journal import Journal
from lading.importing.readback import read_back
from lading.report import Alteration
from support.cookbook import RECIPE, cookbook, rows
from support.dialects import sqlite_dialect

STEPS = RECIPE["steps"]


def line(change: dict[str, Any] | None = None) -> bytes:
    """Return the text of the recipe with some fields changed."""
    return json.dumps({**RECIPE, **(change or {})}).encode()


def comparison(**meta: Any) -> StoredComparison:
    """Return the comparison of recipes."""
    row_set = rows("recipes", cookbook(**meta))
    database: Any = SimpleNamespace(dialect=sqlite_dialect(row_set.table.metadata))
    return StoredComparison(database, row_set)


def differences(change: dict[str, Any], **meta: Any) -> list[Any]:
    """Return how a changed recipe differs from the one that is there."""
    return list(comparison(**meta).changes(line(change), line()))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"price": "3.5"},
        {"tried_at": "2025-01-31T08:00:00.000000"},
        {"tags": RECIPE["tags"][::-1]},
        {"id": 7, "author_id": 3},
        {"notes": {"a": [1, None]}},
    ],
    ids=str,
)
def test_another_spelling_is_no_difference(change: dict[str, Any]) -> None:
    """Of a value, of a set's order, or of ids that mean nothing."""
    assert differences(change) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"minutes": 91}, [("minutes", 91, 90)]),
        ({"minutes": None, "price": "4.00"}, [("minutes", None, 90), ("price", "4.00", "3.50")]),
        ({"notes": {"a": 1}}, [("notes", {"a": 1}, {"a": [1, None]})]),
        ({"author_slug": None}, [("author_slug", None, "ann")]),
        ({"tags": []}, [("tags", [], RECIPE["tags"])]),
        (
            {"steps": [{**STEPS[0], "words": "stir"}, STEPS[1]]},
            [("steps.words", "stir", "mix")],
        ),
        ({"steps": STEPS[:1]}, [("steps", STEPS[:1], STEPS)]),
    ],
    ids=["value", "two", "json", "reference", "links", "owned value", "owned rows"],
)
def test_what_differs_is_told_by_its_path(change: dict[str, Any], expected: list[Any]) -> None:
    """With what the bundle says and what the database has."""
    assert differences(change) == expected


def test_the_places_of_a_sequence_count() -> None:
    """Each step has its place; in which order a file lists them makes no difference."""
    assert differences({"steps": STEPS[::-1]}) == []
    swapped = [
        {**step, "place": other["place"]} for step, other in zip(STEPS, STEPS[::-1], strict=True)
    ]
    assert [path for path, _, _ in differences({"steps": swapped})] == [
        "steps.words",
        "steps.tag",
        "steps.words",
        "steps.tag",
    ]


@pytest.mark.parametrize("meta", [{"volatile": ("minutes",)}, {"dump_only": ("minutes",)}], ids=str)
def test_what_changes_by_itself_is_no_difference(meta: dict[str, Any]) -> None:
    """A volatile field is carried and not compared; a computed one isn't even written."""
    assert differences({"minutes": 1}, **meta) == []
    assert differences({"minutes": 1, "is_vegan": False}, **meta) == [("is_vegan", False, True)]


def reader(**lines: bytes) -> Any:
    """Return a reader of rows by their primary keys."""
    known = {(name,): text for name, text in lines.items()}
    return SimpleNamespace(
        lines_of=lambda identities: {i: known[i] for i in identities if i in known}
    )


def test_records_that_differ_are_counted() -> None:
    """Once, however much of them differs."""
    made = comparison()
    stored = [line(), line({"minutes": 1, "price": None}), line()]
    differing = made.differing_lines([line()] * 3, stored)
    assert [place for place, _ in differing] == [1]


def test_each_altered_field_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number of records and the first of them."""
    made = comparison()
    made.reader = reader(
        a=line(), b=line({"minutes": 1}), c=line({"minutes": 2, "steps": [STEPS[0]]})
    )
    journal = Journal(reads_back=True)
    keys = [("a",), ("b",), ("c",)]
    journal.add_inserted("recipes", (keys, [line()] * 3, keys))
    monkeypatch.setattr("lading.importing.readback.StoredComparison", lambda *_: made)
    context: Any = SimpleNamespace(journal=journal, database=None)
    assert list(read_back(context, made.rows)) == [
        Alteration("recipes", "minutes", 2, {"slug": "b"}, 90, 1),
        Alteration("recipes", "steps", 1, {"slug": "c"}, STEPS, [STEPS[0]]),
    ]
    journal.close()
