"""References resolved by what is found of their keys; what isn't found is a problem."""

from __future__ import annotations

from typing import Any

import pytest

from lading.importing.batch import Batch, Nested, ResolvedBatch
from lading.importing.outcomes import EntityOutcome, KeyHashes, Outcomes
from lading.importing.references import (
    ReferenceResolver,
    RowPlaces,
    places_of_records,
    places_within,
)
from lading.mapping.load_order import load_order_of
from lading.report import Counts, Problems
from support.cookbook import cookbook, rows
from support.fake_resolvers import AMBIGUOUS, FakeResolvers

CATALOG = cookbook()
RECIPES = rows("recipes", CATALOG)
FOUND = {
    "authors": {("ann",): (3,), ("two",): AMBIGUOUS},
    "tags": {("hot",): (1,), ("old",): (2,), ("two",): AMBIGUOUS},
    "categories": {(("bread",),): (5,)},
}
SOUR = (("bread",), ("sour",))


class Payload:
    """A payload of one file an entity."""

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return name

    def note(self, _name: str, _version: int) -> str:
        """Say nothing."""
        return ""


class Case:
    """The resolver of recipes, and what it notes."""

    def __init__(self, near: str | None = None, **meta: Any) -> None:
        catalog = cookbook(**meta)
        entities = catalog.use()
        self.rows = entities["recipes"]
        outcomes = Outcomes({"recipes": Counts()}, Problems(), KeyHashes())
        self.outcome = EntityOutcome(outcomes, self.rows, Payload())  # type: ignore[arg-type]
        resolvers: Any = FakeResolvers(FOUND, near)
        self.resolver = ReferenceResolver(resolvers, load_order_of(entities), self.outcome)

    def resolve(self, batch: Batch) -> ResolvedBatch:
        """Resolve a batch of recipes."""
        return self.resolver.resolve(self.rows, batch, places_of_records(self.outcome, batch))

    @property
    def problems(self) -> list[tuple[int | None, Any, str | None, str]]:
        """The record, key, field and text of each problem."""
        return [
            (item.record, item.key, item.field, item.message)
            for item in self.outcome.outcomes.problems
        ]


def recipes(*, author: Any = None, category: Any = None, tags: Any = (), steps: Any = ()) -> Batch:
    """Return a batch of two recipes, of which the second refers to these."""
    inner = Batch([8] * len(steps), [()] * len(steps), [()] * len(steps), {"tag": list(steps)})
    return Batch(
        [7, 8],
        [("a",), ("b",)],
        [(), ()],
        {"author": [None, author], "category": [None, category]},
        {"tags": [[], list(tags)]},
        {"steps": Nested(inner, [1] * len(steps))},
    )


def test_keys_become_what_foreign_keys_hold() -> None:
    """Nulls stay null; lists and owned rows are resolved alike."""
    case = Case()
    batch = recipes(
        author=("ann",),
        category=(("bread",),),
        tags=[("old",), ("hot",)],
        steps=[None, ("hot",)],
    )
    resolved = case.resolve(batch)
    assert resolved.foreign == {"author": [None, (3,)], "category": [None, (5,)]}
    assert resolved.links == {"tags": [[], [(2,), (1,)]]}
    assert resolved.children["steps"].foreign == {"tag": [None, (1,)]}
    assert case.problems == []


MISSING = "Add the record to {0}, or correct the key"


@pytest.mark.parametrize(
    ("references", "field", "message"),
    [
        (
            {"author": ("bob",)},
            "author_slug",
            "authors: no record has slug 'bob'; closest is 'near'. " + MISSING.format("authors"),
        ),
        (
            {"category": SOUR},
            "category",
            "categories: no record has name 'sour' and parent.name 'bread'; closest is 'near'. "
            + MISSING.format("categories"),
        ),
        (
            {"author": ("two",)},
            "author_slug",
            "authors: several records have slug 'two'; make it unique, or refer to them by another key",
        ),
        (
            {"tags": [("hot",), ("new",)]},
            "tags",
            "tags: no record has slug 'new'; closest is 'near'. " + MISSING.format("tags"),
        ),
        ({"tags": [("hot",), ("hot",)]}, "tags", "holds slug 'hot' twice; remove one"),
        (
            {"tags": [("two",)]},
            "tags",
            "tags: several records have slug 'two'; make it unique, or refer to them by another key",
        ),
        (
            {"steps": [("hot",), ("new",)]},
            "steps.2.tag",
            "tags: no record has slug 'new'; closest is 'near'. " + MISSING.format("tags"),
        ),
    ],
    ids=["author", "category", "several", "link", "twice", "several links", "owned"],
)
def test_a_reference_that_is_not_found_is_a_problem_of_its_record(
    references: dict[str, Any], field: str, message: str
) -> None:
    """By its path, with what to do."""
    case = Case(near="'near'")
    case.resolve(recipes(**references))
    assert case.problems == [(8, {"slug": "b"}, field, message)]


def test_what_is_not_found_is_null_and_leaves_the_other_rows_alone() -> None:
    """The import goes on, to find every problem."""
    resolved = Case().resolve(recipes(author=("bob",), tags=[("hot",), ("new",)]))
    assert resolved.foreign["author"] == [None, None]
    assert resolved.links["tags"] == [[], [(1,)]]


def test_a_target_that_failed_itself_is_told_as_such() -> None:
    """Adding it is no help."""
    case = Case()
    case.outcome.outcomes.failed_keys.add("authors", {"slug": "bob"})
    case.resolve(recipes(author=("bob",)))
    ((_, _, _, message),) = case.problems
    assert message == "authors: the record with slug 'bob' has a problem of its own. Mend that one"


def test_a_hidden_key_is_not_shown() -> None:
    """Nor the one that is nearest."""
    case = Case(near="'near'", entity="authors", hidden=("slug",))
    case.resolve(recipes(author=("bob",)))
    ((_, _, field, message),) = case.problems
    assert field == "author_slug"
    assert message.startswith("authors: no record has slug <hidden>. Add the record")


def test_deferred_references_stay_unresolved() -> None:
    """They are resolved when all rows are there."""
    case = Case()
    case.resolver.unresolved = frozenset({("recipes", "author")})
    case.resolver.deferred = frozenset({"recipes.tags", "recipes.steps"})
    resolved = case.resolve(recipes(author=("bob",), tags=[("new",)], steps=[("new",)]))
    assert resolved.foreign == {"category": [None, None]}
    assert (resolved.links, resolved.children, case.problems) == ({}, {}, [])


def test_owned_rows_are_counted_within_their_list() -> None:
    """However the lists are mixed, and at any depth."""
    records = RowPlaces(lambda number: {"slug": number}, lambda _: "")
    steps = records.nested("steps", [0, 1, 0, 1, 1])
    assert [steps.path(place) for place in range(5)] == [
        "steps.1.",
        "steps.1.",
        "steps.2.",
        "steps.2.",
        "steps.3.",
    ]
    assert steps.nested("notes", [4]).path(0) == "steps.3.notes.1."
    assert steps.key(7) == {"slug": 7}
    within = places_within("steps.")
    assert (within.key(7), within.path(3)) == (None, "steps.")
