"""The structs of records and of keys, and the tuples that are made from them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog
from lading.mapping.columns import kind_of
from lading.records.layout import (
    KeyLayout,
    RecordLayout,
    id_names,
    wire_type,
)
from support.cookbook import RECIPE, cookbook, rows
from support.declaring import new_base, schema_for, table

STEP = {"place": 1, "words": "mix", "tag": None}


def decoded(record: Any, *, ids: bool = False) -> Any:
    """Decode a recipe into its struct."""
    layout = RecordLayout(rows("recipes"), ids=ids)
    return msgspec.json.decode(json.dumps(record), type=layout.decoded)


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
