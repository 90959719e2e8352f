"""Key tuples made from structs by generated source, and what they sort by."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog
from lading.codegen import CodeBuilder
from lading.records.key_source import (
    key_source,
    named_key,
    order_source,
    own_key_source,
    sorts_as_written,
)
from lading.records.layout import KeyLayout
from support.cookbook import rows
from support.declaring import new_base, schema_for, table


def keys_of(entity: str) -> Any:
    """Return what makes a key tuple from the text of an entity's nested key."""
    parts = rows(entity).key
    layout, source = KeyLayout(parts), CodeBuilder("test")
    function = source.compile(f"lambda x: {key_source(parts, 'x')}")
    return lambda key: function(msgspec.json.decode(json.dumps(key), type=layout.struct))


def test_the_key_of_a_struct_is_a_tuple() -> None:
    """Of written forms."""
    assert keys_of("recipes")({"slug": "rye"}) == ("rye",)


def test_of_a_key_that_recurs_a_struct_gives_one_level() -> None:
    """All parts but the reference to the next."""
    assert keys_of("categories")({"parent": {"parent": None, "name": "a"}, "name": "b"}) == ("b",)


BREAD = (("bread",), ("sour",))


@pytest.mark.parametrize(
    ("entity", "items", "key"),
    [
        ("recipes", ["'rye'"], ("rye",)),
        ("categories", ["None", "'bread'"], (("bread",),)),
        ("categories", [repr(BREAD), "'new'"], (*BREAD, ("new",))),
    ],
)
def test_a_record_s_own_key_is_made_of_its_parts(
    entity: str, items: list[str], key: tuple[Any, ...]
) -> None:
    """One that recurs is its parent's levels and one more."""
    assert eval(own_key_source(rows(entity).key, items)) == key


def test_a_record_without_key_has_an_empty_one() -> None:
    """Owned rows need none."""
    assert eval(own_key_source((), [])) == ()


def order_of(parts: Any, keys: list[Any]) -> list[Any]:
    """Sort keys by the generated order."""
    source = CodeBuilder("test")
    return sorted(keys, key=source.compile(f"lambda x: {order_source(source, parts, 'x')}"))


def test_levels_sort_from_the_root() -> None:
    """Parents before their children, siblings by name."""
    keys = [(("b",),), (("a",), ("b",)), (("a",),), (("a",), ("a",)), (("b",), ("a",))]
    expected = [(("a",),), (("b",),), (("a",), ("a",)), (("a",), ("b",)), (("b",), ("a",))]
    assert order_of(rows("categories").key, keys) == expected


def test_parts_sort_by_value_and_null_first() -> None:
    """A number's text doesn't sort as the number; null would not compare at all."""
    base, catalog = new_base(), Catalog("test")
    columns = {
        "price": mapped_column(sa.Numeric(6, 2), nullable=False),
        "size": mapped_column(sa.Integer),
    }
    model = table(base, "items", slug=None, **columns)
    schema_for(model, catalog, natural_key=("price", "size"))
    parts = catalog.use()["items"].key
    keys = [("10.00", 1), ("9.00", 2), ("9.00", None), ("-1.00", 0)]
    assert order_of(parts, keys) == [("-1.00", 0), ("9.00", None), ("9.00", 2), ("10.00", 1)]
    assert not sorts_as_written(parts)
    assert sorts_as_written(rows("recipes").key)
    assert not sorts_as_written(rows("categories").key)


@pytest.mark.parametrize(
    ("entity", "key", "named"),
    [
        ("recipes", ("rye",), {"slug": "rye"}),
        ("recipes", None, None),
        ("categories", (("bread",),), {"parent": None, "name": "bread"}),
        (
            "categories",
            BREAD,
            {"parent": {"parent": None, "name": "bread"}, "name": "sour"},
        ),
    ],
)
def test_a_key_has_a_portable_form(entity: str, key: Any, named: Any) -> None:
    """As records write it."""
    assert named_key(rows(entity).key, key) == named
