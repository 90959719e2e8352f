"""The structs of records and of keys, and the tuples that are made from them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog
from lading.codegen import Source
from lading.mapping.columns import kind_of
from lading.records.layout import (
    KeyLayout,
    RecordLayout,
    id_names,
    key_source,
    named_key,
    order_source,
    own_key_source,
    sorts_as_written,
    wire_type,
)
from support.cookbook import RECIPE, cookbook, rows
from support.declaring import new_base, schema_for, table

STEP = {"place": 1, "words": "mix", "tag": None}


def decoded(record: Any, *, ids: bool = False) -> Any:
    """Decode a recipe into its struct."""
    layout = RecordLayout(rows("recipes"), ids=ids)
    return msgspec.json.decode(json.dumps(record), type=layout.decoded)


def keys_of(entity: str) -> Any:
    """Return what makes a key tuple from the text of an entity's nested key."""
    parts = rows(entity).key
    layout, source = KeyLayout(parts), Source("test")
    function = source.compile(f"lambda x: {key_source(parts, 'x')}")
    return lambda key: function(msgspec.json.decode(json.dumps(key), type=layout.struct))


# Structs


def test_a_record_is_decoded_into_written_forms() -> None:
    """JSON and keys that recur stay texts; other keys and owned records are structs."""
    struct = decoded(RECIPE)
    values = dict(
        zip(RecordLayout(rows("recipes")).place, msgspec.structs.astuple(struct), strict=True)
    )
    assert (values["slug"], values["price"], values["author"]) == ("rye", "3.50", "ann")
    assert bytes(values["notes"]) == b'{"a": [1, null]}'
    assert json.loads(bytes(values["category"])) == RECIPE["category"]
    assert [tag.f0 for tag in values["tags"]] == ["old", "plain"]
    assert values["steps"][1].f2.f0 == "hot"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"slug": 5}, "Expected `str`, got `int` - at `$.slug`"),
        ({"slug": None}, "Expected `str`, got `null` - at `$.slug`"),
        ({"minutes": "90"}, "Expected `int | null`, got `str` - at `$.minutes`"),
        ({"minutes": 1.5}, "Expected `int | null`, got `float` - at `$.minutes`"),
        ({"is_vegan": 1}, "Expected `bool`, got `int` - at `$.is_vegan`"),
        ({"rating": True}, "Expected `int | float | str | null`, got `bool` - at `$.rating`"),
        ({"author_slug": {"slug": "ann"}}, "Expected `str | null`, got `object`"),
        ({"tags": None}, "Expected `array`, got `null` - at `$.tags`"),
        ({"tags": [{"slug": "a", "x": 1}]}, "unknown field `x` - at `$.tags[0]`"),
        ({"steps": [{"place": 1, "words": "a"}]}, "missing required field `tag`"),
        ({"steps": [{**STEP, "recipe": {"slug": "rye"}}]}, "unknown field `recipe`"),
        ({"id": 7}, "unknown field `id`"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_record_of_another_form_is_not_decoded(change: dict[str, Any], fault: str) -> None:
    """So that marshmallow is asked, which tells more."""
    with pytest.raises(msgspec.ValidationError) as caught:
        decoded({**RECIPE, **change})
    assert fault in str(caught.value)


@pytest.mark.parametrize("missing", RECIPE)
def test_every_field_is_required(missing: str) -> None:
    """Absent is not null."""
    record = {name: value for name, value in RECIPE.items() if name != missing}
    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{missing}`"):
        decoded(record)


def test_null_is_a_value_where_the_column_may_be_null() -> None:
    """And nowhere else."""
    nullable = ("minutes", "price", "rating", "tried_at", "notes", "author_slug", "category")
    struct = decoded({**RECIPE, **dict.fromkeys(nullable)})
    assert struct.f1 is None


def test_what_the_database_computes_may_be_absent() -> None:
    """An import leaves it aside, of whatever type it is."""
    layout = RecordLayout(rows("recipes", cookbook(dump_only=("minutes",))))
    record = {name: value for name, value in RECIPE.items() if name != "minutes"}
    for given in (record, {**record, "minutes": ["x"]}):
        msgspec.json.decode(json.dumps(given), type=layout.decoded)


def test_records_are_encoded_in_the_order_of_their_members() -> None:
    """By the names that are written."""
    layout = RecordLayout(rows("recipes"))
    struct = layout.encoded(*range(len(RECIPE)))
    assert json.loads(msgspec.json.encode(struct)) == {
        name: place for place, name in enumerate(RECIPE)
    }
    assert list(json.loads(msgspec.json.encode(struct))) == list(RECIPE)


def test_ids_stand_behind_the_fields() -> None:
    """An import takes them where it was told that records have some."""
    assert id_names(rows("recipes")) == ["id", "author_id", "category_id"]
    layout = RecordLayout(rows("recipes"), ids=True)
    assert list(layout.encoded.__struct_encode_fields__)[-3:] == ["id", "author_id", "category_id"]
    decoded({**RECIPE, "id": 7, "author_id": None}, ids=True)


def test_an_id_whose_name_is_taken_is_left_out() -> None:
    """A record can't have two fields of one name."""
    base, catalog = new_base(), Catalog("test")
    model = table(base, "items", id=mapped_column("code", sa.Integer, primary_key=True))
    model.code = mapped_column("number", sa.Integer)
    schema_for(model, catalog)
    assert id_names(catalog.use()["items"]) == []


@pytest.mark.parametrize(
    ("type_", "wire"),
    [
        (sa.String(5), str),
        (sa.Numeric(5, 2), str),
        (sa.DateTime(), str),
        (sa.LargeBinary(), str),
        (sa.Uuid(), str),
        (sa.Integer(), int),
        (sa.Boolean(), bool),
        (sa.Float(), float | int | str),
        (sa.JSON(), msgspec.Raw),
    ],
    ids=repr,
)
def test_each_kind_has_one_type_in_json(type_: Any, wire: Any) -> None:
    """A nullable one takes null beside it; JSON's text does in any case."""
    kind = kind_of(type_)
    assert kind is not None
    assert wire_type(kind, nullable=False) == wire
    assert wire_type(kind, nullable=True) == (wire if wire is msgspec.Raw else wire | None)


# Keys


def test_the_key_of_a_struct_is_a_tuple() -> None:
    """Of written forms."""
    assert keys_of("recipes")({"slug": "rye"}) == ("rye",)


def test_of_a_key_that_recurs_a_struct_gives_one_level() -> None:
    """All parts but the reference to the next."""
    assert keys_of("categories")({"parent": {"parent": None, "name": "a"}, "name": "b"}) == ("b",)


def test_a_key_may_hold_references_that_recur_or_are_null() -> None:
    """The former stand as text, to be read level by level."""
    catalog = cookbook()
    base = catalog.schemas[0].Meta.model.__mro__[1]
    columns = {
        f"{name}_id": mapped_column(sa.ForeignKey(f"{target}.id"))
        for name, target in (("recipe", "recipes"), ("category", "categories"))
    }
    model = table(base, "reviews", slug=None, **columns)
    schema_for(model, catalog, natural_key=("recipe", "category"))
    layout = KeyLayout(catalog.use()["reviews"].key)
    text = b'{"recipe":{"slug":"rye"},"category":{"parent":null,"name":"a"}}'
    struct = msgspec.json.decode(text, type=layout.struct)
    assert struct.f0.f0 == "rye"
    assert bytes(struct.f1) == b'{"parent":null,"name":"a"}'
    assert msgspec.json.decode(b'{"recipe":null,"category":null}', type=layout.struct).f0 is None


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


def order_of(parts: Any, keys: list[Any]) -> list[Any]:
    """Sort keys by the generated order."""
    source = Source("test")
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
