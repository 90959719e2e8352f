"""Keys as sentences name them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Ref
from lading.records.describe import described, masked_key
from support.cookbook import cookbook, rows
from support.declaring import schema_for, table


def path(*names: str) -> tuple[Any, ...]:
    """Return a category's key by the names from the root down."""
    return tuple((name,) for name in names)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (path("bread"), "name 'bread' and parent null"),
        (path("bread", "sour"), "name 'sour' and parent.name 'bread'"),
        (
            path("food", "bread", "sour"),
            "name 'sour' and parent.name 'bread' and parent.parent.name 'food'",
        ),
        (
            path("all", "food", "bread", "sour"),
            "name 'sour' and parent.name 'bread' and parent.parent.name 'food' "
            "and 1 more level above",
        ),
        (
            path("x", "all", "food", "bread", "sour"),
            "name 'sour' and parent.name 'bread' and parent.parent.name 'food' "
            "and 2 more levels above",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_lowest_levels_of_a_key_that_recurs_are_spelt_out(key: Any, text: str) -> None:
    """The others are counted."""
    assert described(rows("categories").key, key) == text


def reviews(flat: bool) -> tuple[Any, ...]:
    """Return the parts of a key that holds a reference to a recipe, and a date."""
    catalog = cookbook()
    base = catalog.schemas[0].Meta.model.__mro__[1]
    day = mapped_column(sa.Date)
    recipe_id = mapped_column(sa.ForeignKey("recipes.id"))
    model = table(base, "reviews", slug=None, recipe_id=recipe_id, day=day)
    schema_for(model, catalog, {"recipe": Ref(flat=flat)}, natural_key=("recipe", "day"))
    return catalog.use()["reviews"].key


@pytest.mark.parametrize(
    ("flat", "key", "text"),
    [
        (False, (("rye",), "2025-01-31"), "recipe.slug 'rye' and day '2025-01-31'"),
        (False, (None, None), "recipe null and day null"),
        (True, (("rye",), None), "recipe_slug 'rye' and day null"),
        (True, (None, "2025-01-31"), "recipe_slug null and day '2025-01-31'"),
    ],
)
def test_each_part_is_named_as_it_is_written(flat: bool, key: Any, text: str) -> None:
    """Nested by dots, and null by its word."""
    assert described(reviews(flat), key) == text


def test_what_is_hidden_is_not_shown() -> None:
    """Neither in a sentence nor in a key that a report holds."""
    parts = rows("authors", cookbook(entity="authors", hidden=("slug",))).key
    assert described(parts, ("ann",)) == "slug <hidden>"
    assert described(parts, (None,)) == "slug null"
    assert masked_key(parts, ("ann",)) == {"slug": "<hidden>"}
    assert masked_key(rows("authors").key, ("ann",)) == {"slug": "ann"}
    assert masked_key(parts, None) is None


def test_long_values_are_cut() -> None:
    """As everywhere in messages."""
    text = described(rows("authors").key, ("x" * 500,))
    assert len(text) == len("slug ") + 80
    assert text.endswith("...")
