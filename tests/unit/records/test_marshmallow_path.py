"""Records by marshmallow's own way: for which schemas, and what must come back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import marshmallow as ma
import pytest

from lading import Ref
from lading.errors import TargetError
from lading.model.rowsets import RowSet
from lading.records.marshmallow_path import (
    canonical_record,
    dumped,
    needs_marshmallow,
    view_of,
    writable_content,
)
from support.cookbook import RECIPE, cookbook, rows

LINE = json.dumps(RECIPE, separators=(",", ":")).encode()


def recipes(fields: dict[str, Any] | None = None, **meta: Any) -> RowSet:
    """Return the row set of recipes with these fields and options."""
    return rows("recipes", cookbook(fields, **meta))


def never(_value: Any) -> None:
    """Validate nothing."""
    raise ma.ValidationError("never")


def hook(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    """Return a marshmallow hook as an attribute of a schema."""
    return {"hook": getattr(ma, name)(lambda _self, data, **_: function(data))}


# Which schemas need it


@pytest.mark.parametrize(
    ("fields", "meta"),
    [
        ({}, {}),
        ({"author": Ref(flat=True)}, {}),
        ({}, {"exclude": ("minutes",)}),
        ({}, {"hidden": ("minutes",)}),
    ],
    ids=["derived", "reference", "exclude", "hidden"],
)
def test_what_is_derived_is_compiled(fields: Any, meta: Any) -> None:
    """And so is what only narrows it."""
    assert not needs_marshmallow(recipes(fields, **meta))


@pytest.mark.parametrize(
    "fields",
    [
        {"minutes": ma.fields.Integer()},
        {"computed": ma.fields.Function(lambda _: 1, dump_only=True)},
        {"author": Ref(flat=True, validate=never)},
        {"get_attribute": lambda self, obj, attr, default: None},
        hook("post_dump", lambda data: data),
        hook("pre_load", lambda data: data),
    ],
    ids=["field", "computed", "validated reference", "method", "dump hook", "load hook"],
)
def test_what_the_application_adds_is_not(fields: Any) -> None:
    """Nobody but marshmallow knows what it does."""
    assert needs_marshmallow(recipes(fields))


def test_an_owned_schema_counts_for_its_entity() -> None:
    """Its records are nested in the entity's."""
    catalog = cookbook({"words": ma.fields.String()}, entity="steps")
    assert needs_marshmallow(rows("recipes", catalog))
    assert not needs_marshmallow(rows("authors", catalog))


# On the way out


def test_a_record_passes_as_it_is() -> None:
    """Where hooks and fields change nothing, its bytes are the same."""
    assert dumped(recipes(hook("post_dump", lambda data: data)), [LINE, LINE]) == [LINE, LINE]


def test_ids_for_people_who_debug_pass_beside() -> None:
    """No schema knows them."""
    line = json.dumps({**RECIPE, "id": 7}, separators=(",", ":")).encode()
    assert dumped(recipes(hook("post_dump", lambda data: data)), [line]) == [line]


def test_what_a_hook_adds_is_written_if_load_takes_it_out() -> None:
    """Then the record is restored as it is."""

    class Both:
        add = ma.post_dump(lambda _self, data, **_: {**data, "extra": 1})
        take = ma.pre_load(lambda _self, data, **_: {k: v for k, v in data.items() if k != "extra"})

    (line,) = dumped(recipes({"add": Both.add, "take": Both.take}), [LINE])
    assert json.loads(line) == {**RECIPE, "extra": 1}


def broken(name: str) -> Callable[[Any], Any]:
    """Return a hook that fails."""

    def fail(_data: Any) -> Any:
        raise ZeroDivisionError(name)

    return fail


def without(name: str) -> Callable[[Any], Any]:
    """Return a hook that takes a field out."""
    return lambda data: {key: value for key, value in data.items() if key != name}


@pytest.mark.parametrize(
    ("fields", "problem", "field"),
    [
        (hook("post_dump", without("minutes")), "fails on it (ValidationError({'minutes'", "minutes"),
        (hook("post_dump", lambda data: {**data, "new": 1}), "'Unknown field.'", "new"),
        (hook("post_dump", lambda data: {**data, "minutes": 1}), "turns minutes 90 into 1", "minutes"),
        (hook("post_dump", lambda data: {**data, "minutes": object()}), "<object object", "minutes"),
        (hook("post_dump", lambda data: {**data, 5: 1}), "5 isn't a field's name; expected a string", "5"),
        (hook("post_dump", lambda _: []), "dumps [], which isn't a record", None),
        (hook("post_dump", broken("out")), "fails on it (ZeroDivisionError('out'))", None),
        (hook("post_load", broken("in")), "fails on it (ZeroDivisionError('in'))", None),
        (hook("post_load", lambda _: object()), "lading needs plain data", None),
        (hook("post_load", without("minutes")), "Missing data for required field", "minutes"),
        (hook("post_load", lambda data: {**data, "minutes": "x"}), "'x' is not an integer", "minutes"),
        ({"minutes": ma.fields.Function(broken("f"))}, "ZeroDivisionError('f')", "minutes"),
        ({"minutes": ma.fields.Integer(validate=never)}, "never", "minutes"),
    ],
    ids=[
        "dump forgets", "dump adds", "dump changes", "no json", "no name", "no record",
        "dump fails", "load fails", "load gives an object", "load forgets", "load gives another type",
        "field fails", "field refuses",
    ],
)  # fmt: skip
def test_a_record_that_would_not_be_restored_is_refused(
    fields: Any, problem: str, field: str | None
) -> None:
    """With its key, and with the field if one is to blame."""
    with pytest.raises(TargetError) as caught:
        dumped(recipes(fields), [LINE])
    error = caught.value
    assert problem in str(error)
    assert (error.entity, error.key, error.field) == ("recipes", {"slug": "rye"}, field)
    assert str(error).endswith("Correct the schema's hooks and fields: load must undo dump.")


def test_what_is_hidden_is_not_told() -> None:
    """An application's own error may hold it."""
    change = hook("post_dump", lambda data: {**data, "minutes": 1})
    with pytest.raises(TargetError) as caught:
        dumped(recipes(change, hidden=("minutes",)), [LINE])
    assert "90" not in str(caught.value)
    with pytest.raises(TargetError, match="the entity has hidden fields"):
        dumped(recipes(hook("post_dump", broken("90")), hidden=("minutes",)), [LINE])


# Python values


def test_a_view_has_python_values_as_attributes() -> None:
    """As the model's object would have them."""
    view = view_of(rows("recipes"), RECIPE)
    assert (str(view.price), view.tried_at.year, view.notes) == ("3.50", 2025, {"a": [1, None]})
    assert (view.author.slug, view.category.parent.name) == ("ann", "bread")
    assert view.category.parent.parent is None
    assert [tag.slug for tag in view.tags] == ["old", "plain"]
    assert [step.tag and step.tag.slug for step in view.steps] == [None, "hot"]


def test_a_view_shows_nothing_that_is_hidden() -> None:
    """It stands in the application's tracebacks."""
    parts = recipes(hidden=("minutes",))
    text = repr(view_of(parts, RECIPE))
    assert "'minutes': <hidden>" in text
    assert "'slug': 'rye'" in text


def test_null_is_none() -> None:
    """For values and references alike."""
    nothing = {"minutes": None, "author_slug": None, "category": None}
    view = view_of(rows("recipes"), {**RECIPE, **nothing})
    assert (view.minutes, view.author, view.category) == (None, None, None)


# On the way in


def test_what_load_returns_becomes_canonical() -> None:
    """Python values and keys by the fields' names, at any depth."""
    parts = recipes()
    assert canonical_record(parts, parts.schema().load(RECIPE)) == RECIPE


def test_what_an_import_writes_is_without_what_is_computed() -> None:
    """And without ids."""
    parts = recipes(dump_only=("minutes",))
    record = {**RECIPE, "id": 7}
    content = writable_content(parts, record)
    assert content == {name: value for name, value in RECIPE.items() if name != "minutes"}
