"""What steps refuse of the shapes and records that they meet, without a catalog or a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lading import Add, Convert, Drop, Each, Merge, Move, Rekey, Rename, Split
from lading.changes.rewriting.lookups import KeyLookup, MergedEntities, SplitPart
from lading.changes.rewriting.records import Refused
from lading.changes.rewriting.shapes import Shape, Shapes, StepMismatch, open_shape
from lading.changes.steps.base import Effect, Known, Step

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def shape_of(key: str = "slug", **fields: Shape) -> Shape:
    """Return the shape of records with these fields and a slug."""
    return {"fields": {"slug": dict(TEXT), **fields}, "key": [key]}


def owned(**fields: Shape) -> Shape:
    """Return the shape of a list of owned records."""
    return {"type": "owned", "fields": fields, "key": []}


def link(entity: str, **options: Any) -> Shape:
    """Return the shape of a reference."""
    return {"type": "reference", "entity": entity, **options}


def shapes_of(**roots: Shape) -> Shapes:
    """Return the shapes of these entities."""
    return Shapes(roots, {})


def undone(step: Step, shapes: Shapes) -> list[Effect]:
    """Undo a step on the newer shapes, and run it on what that gives."""
    return list(step.run(shapes, step.undo(shapes)))


def done(effects: Sequence[Effect], record: dict[str, Any]) -> dict[str, Any]:
    """Let the actions among effects have a record, and return it."""
    for effect in effects:
        if isinstance(effect, tuple):
            effect[1](record)
    return record


CATS = {"type": "string", "classes": ["cat"]}


def hierarchy(**fields: Shape) -> Shape:
    """Return the shape of a hierarchy's records."""
    return {**shape_of(kind=TEXT, **fields), "discriminator": "kind", "kinds": ["cat", "dog"]}


@pytest.mark.parametrize(
    ("step", "shapes", "text"),
    [
        (Drop("a"), shapes_of(a=shape_of()), "entity 'a' still exists after this step"),
        (Merge(["a", "b"], "a"), shapes_of(a=shape_of(), b=shape_of()), "entity 'b' still exists"),
        (Merge(["a", "b"], "c"), shapes_of(d=shape_of()), "unknown entity 'c' at that point"),
        (Rename("a", to="b"), shapes_of(c=shape_of()), "unknown entity 'b' at that point"),
        (
            Rename("a", to="b"),
            shapes_of(a=shape_of(), b=shape_of()),
            "the entity 'a' already exists at that point",
        ),
        (
            Rename("a", "size", "slug"),
            shapes_of(a=shape_of(size=TEXT)),
            "the field 'size' of a still exists after this step; remove it from the schema",
        ),
        (
            Move("a.bits", "size", "a"),
            shapes_of(a=shape_of(size=TEXT, bits=owned(size=TEXT))),
            "the field 'size' of a.bits still exists after this step; remove it from the schema",
        ),
        (
            Each("a", lambda r: r, drops="slug"),
            shapes_of(a=shape_of()),
            "the field 'slug' of a still exists after this step",
        ),
        (
            Split("a", "b", fields="slug", key="slug", ref="b"),
            shapes_of(a=shape_of(b=TEXT), b=shape_of()),
            "'b' of a is not a reference after this step",
        ),
        (
            Split("a", "b", fields=["slug", "town"], key="slug", ref="b"),
            shapes_of(a=shape_of(b=link("b")), b=shape_of()),
            "the field 'town' of b doesn't exist after this step",
        ),
    ],
)
def test_a_step_can_t_have_led_to_other_shapes(step: Step, shapes: Shapes, text: str) -> None:
    """The schemas say what is there afterwards, and the step something else."""
    with pytest.raises(StepMismatch) as caught:
        step.undo(shapes)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("step", "shapes", "text"),
    [
        (
            Merge(["a", "b"], "c"),
            shapes_of(a=shape_of(), b=shape_of(), c=shape_of()),
            "the entity 'c' already exists at that point",
        ),
        (
            Split("a", "b", fields="slug", key="slug", ref="b"),
            shapes_of(a=shape_of(), b=shape_of()),
            "the entity 'b' already exists at that point",
        ),
        (Rekey("a", "slug"), shapes_of(a=shape_of()), "the natural key of a is 'slug' already"),
        (
            Rekey("a", "bits"),
            shapes_of(a=shape_of(bits=owned())),
            "'bits' of a is a list, which can't be part of a key",
        ),
        (
            Rekey("a", "tags"),
            shapes_of(a=shape_of(tags={"type": "references", "entity": "b"})),
            "'tags' of a is a list, which can't be part of a key",
        ),
    ],
)
def test_a_bundle_may_have_other_shapes_than_a_step_is_for(
    step: Step, shapes: Shapes, text: str
) -> None:
    """Its manifest says so before any record is read."""
    with pytest.raises(StepMismatch) as caught:
        step.run(shapes, Known())
    assert text in str(caught.value)


def test_a_list_of_owned_records_is_dropped_by_its_path() -> None:
    """Whether a field is named or the path leads to it is the same."""
    shapes = shapes_of(a=shape_of())
    effects = undone(Drop("a.bits"), shapes)
    assert done(effects, {"slug": "x", "bits": [{"n": 1}]}) == {"slug": "x"}
    assert "bits" not in shapes.roots["a"]["fields"]


def test_a_converted_list_stays_a_list() -> None:
    """What is known of owned records is known before the step too."""
    shapes = shapes_of(a=shape_of(bits=owned(n=NUMBER)))
    effects = undone(Convert("a", "bits", lambda bits: bits[:1]), shapes)
    assert done(effects, {"slug": "x", "bits": [{"n": 1}, {"n": 2}]})["bits"] == [{"n": 1}]
    assert shapes.roots["a"]["fields"]["bits"] == owned(n=NUMBER)


def test_a_class_without_the_field_is_passed_over() -> None:
    """Convert and Move leave records of other classes of a hierarchy as they are."""
    known = Known({"purr": CATS})
    effects = Convert("a", "purr", str.upper).run(shapes_of(a=hierarchy(purr=CATS)), known)
    assert done(effects, {"kind": "dog"}) == {"kind": "dog"}
    assert done(effects, {"kind": "cat", "purr": "r"}) == {"kind": "cat", "purr": "R"}
    bits = owned(purr={**NUMBER, "computed": True})
    effects = Move("a.bits", "purr", "a").run(shapes_of(a=shape_of(bits=bits)), known)
    assert done(effects, {"bits": [{}]}) == {"bits": [{}], "purr": None}


def test_a_field_that_moves_up_is_null_where_the_list_was_empty() -> None:
    """Its newer shape tells whether that may be; a list is empty then."""
    bits = owned(unit={**TEXT, "nullable": False}, parts=owned(n=NUMBER))
    older = shapes_of(a=shape_of(bits=bits))
    shapes = shapes_of(a=shape_of(bits=owned(), unit={**TEXT, "nullable": True}, parts=owned()))
    known = Move("a.bits", "unit", "a").undo(shapes)
    effects = list(Move("a.bits", "unit", "a").run(older, known))
    effects += Move("a.bits", "parts", "a").run(older, Known({"parts": owned(n=NUMBER)}))
    assert older.roots["a"]["fields"]["unit"] == {**TEXT, "nullable": True}
    assert done(effects, {"slug": "x", "bits": []}) == {
        "slug": "x",
        "bits": [],
        "unit": None,
        "parts": [],
    }


def test_a_converted_discriminator_gives_classes_other_names() -> None:
    """Each field is of the classes that its newer shape names."""
    step = Convert("a", "kind", {"cat": "lynx"}.get)
    older, newer = hierarchy(purr=CATS), hierarchy(purr={**CATS, "classes": ["lynx"]})
    step.run(shapes_of(a=older), step.undo(shapes_of(a=newer)))
    assert older["fields"]["purr"]["classes"] == ["lynx"]


def test_a_field_is_added_to_the_class_that_gets_another_name_later() -> None:
    """The newer shape names the class as it is called now, and the entity as well."""
    steps = [
        Add("a", "purr", "r"),
        Rename("a", to="b"),
        Convert("b", "kind", {"cat": "lynx", "dog": "wolf"}.get),
    ]
    shapes = shapes_of(b=hierarchy(purr={**CATS, "classes": ["lynx"]}))
    known = [step.undo(shapes) for step in reversed(steps)]
    effects = [effect for step in steps for effect in step.run(shapes, known.pop())]
    assert done(effects, {"kind": "cat"}) == {"kind": "lynx", "purr": "r"}
    assert done(effects, {"kind": "dog"}) == {"kind": "wolf"}


def test_a_key_may_change_twice() -> None:
    """The later Rekey needn't say what the earlier one made."""
    shapes = shapes_of(a=shape_of("code", code=TEXT, name=TEXT))
    first, second = Rekey("a", "name"), Rekey("a", "code")
    second.undo(shapes)
    first.undo(shapes)
    shapes.roots["a"]["key"] = ["slug"]
    shapes.roots["a"].pop("key_unknown")
    for step in (first, second):
        step.run(shapes, Known())
    assert shapes.roots["a"]["key"] == ["code"]


@pytest.mark.parametrize(
    ("step", "shape", "record", "text"),
    [
        (
            Move("a.bits", "n", "a"),
            shape_of(bits=owned(n=NUMBER)),
            {"slug": "x", "n": 5, "bits": [{"n": 1}]},
            "'n' is there already",
        ),
        (
            Each("a", lambda record: record, adds="n", drops="old"),
            shape_of(old=TEXT),
            {"slug": "x", "old": "y"},
            "its function didn't do with 'n' what adds and drops say",
        ),
        (
            Each("a", lambda record: {**record, "n": 1}, adds="n", drops="old"),
            shape_of(old=TEXT),
            {"slug": "x", "old": "y"},
            "its function didn't do with 'old' what adds and drops say",
        ),
        (
            Split("a", "b", fields="old", key="old", ref="b"),
            shape_of(old=TEXT),
            {"slug": "x", "old": "y", "b": None},
            "'b' is there already, and isn't overwritten",
        ),
    ],
)
def test_a_record_that_a_step_can_t_change_is_refused(
    step: Step, shape: Shape, record: dict[str, Any], text: str
) -> None:
    """Nothing is overwritten, and a function does what it announced."""
    known = Known({"n": NUMBER, "b": link("b")}, root=shape_of())
    effects = step.run(shapes_of(a=shape), known)
    for effect in effects:
        if isinstance(effect, SplitPart):
            effect.find = lambda _: None
    with pytest.raises(Refused, match=text):
        done(effects, record)


def test_entities_are_merged_into_one_of_them() -> None:
    """The others end, and references to them lead to it."""
    shapes = shapes_of(a=shape_of(), c=shape_of(to=link("a")))
    step = Merge(["b", "a"], "a")
    assert (step.begins, step.ends) == (None, ("b",))
    known = step.undo(shapes)
    assert set(shapes.roots) == {"a", "b", "c"}
    shapes.roots["c"]["fields"]["to"]["entity"] = "b"
    (effect,) = step.run(shapes, known)
    assert isinstance(effect, MergedEntities)
    assert set(shapes.roots) == {"a", "c"}
    assert shapes.roots["c"]["fields"]["to"]["entity"] == "a"


def test_a_merged_hierarchy_has_the_classes_of_the_schema() -> None:
    """Each of the entities may be one class of it."""
    shapes = shapes_of(pets=hierarchy())
    undone(Merge(["cats", "dogs"], "pets"), shapes)
    assert shapes.roots == {"pets": hierarchy()}


def test_what_nobody_knows_any_more_may_be_merged_and_split() -> None:
    """An open shape has whatever a step names."""
    shapes = shapes_of(a=open_shape(), b=shape_of())
    Merge(["a", "b"], "c").run(shapes, Known())
    assert set(shapes.roots) == {"c"}
    shapes = shapes_of(a=shape_of(b=link("b")), b=open_shape())
    Split("a", "b", fields="old", key="old", ref="b").undo(shapes)
    assert shapes.roots["a"]["fields"]["old"] == {"type": "unknown"}


def test_a_class_without_the_fields_is_not_split() -> None:
    """Its records keep what they have, and no part is made of them."""
    shapes = shapes_of(a=hierarchy(old=CATS))
    part, act = Split("a", "b", fields="old", key="old", ref="b").run(
        shapes, Known({"b": link("b")}, root=shape_of())
    )
    assert isinstance(part, SplitPart)
    part.find = lambda _: None
    assert part.extract({"kind": "dog"}) is None
    assert done([act], {"kind": "dog"}) == {"kind": "dog"}
    assert done([act], {"kind": "cat", "old": "x"}) == {"kind": "cat", "b": {"old": "x"}}


def lookup_of(step: Step, shapes: Shapes, known: Known) -> KeyLookup:
    """Run a step, and return the lookup of keys that it asks for."""
    (lookup,) = (each for each in step.run(shapes, known) if isinstance(each, KeyLookup))
    return lookup


def test_a_record_without_its_keys_has_no_newer_key() -> None:
    """The decoder says what it lacks."""
    rekey = lookup_of(Rekey("a", "code"), shapes_of(a=shape_of(code=TEXT)), Known())
    assert rekey.pair({"slug": "x"}, ["slug"]) is None
    assert rekey.pair({"slug": "x", "code": "y"}, ["slug"]) == ({"slug": "x"}, {"code": "y"})
    split = lookup_of(
        Split("a", "b", fields="slug", key="slug", ref="b"),
        shapes_of(a=shape_of()),
        Known({"b": link("b")}, root=shape_of()),
    )
    assert split.pair({}, ["slug"]) is None
    assert split.pair({"slug": "x"}, ["slug"]) == ({"slug": "x"}, {"b": {"slug": "x"}})


def test_keys_within_keys_are_replaced_by_what_they_are_written_by() -> None:
    """A flat reference to what has the entity in its key, and what is no key at all."""
    shapes = shapes_of(
        a=shape_of(code=TEXT),
        b={"fields": {"a_slug": link("a", flat=True)}, "key": ["a_slug"]},
        c=shape_of(b=link("b", flat=True), a=link("a")),
    )
    lookup, *actions = Rekey("a", "code", was="slug").run(shapes, Known())
    assert isinstance(lookup, KeyLookup)
    lookup.find = lambda key: {"code": key["slug"].upper()}
    (act,) = (effect for effect in actions if isinstance(effect, tuple) and effect[0] == "c")
    assert done([act], {"b": "x", "a": {"slug": "y"}}) == {"b": "X", "a": {"code": "Y"}}
    assert done([act], {"b": None, "a": 5}) == {"b": None, "a": 5}


def test_the_arguments_of_a_split_say_what_it_takes() -> None:
    """Nothing to take is nothing to split."""
    faults = list(Split("a", "b", fields=(), key="slug", ref="b").faults())
    assert faults[0] == "fields is empty; name what the new entity takes"


def test_a_function_can_t_be_awaited() -> None:
    """It would return a coroutine for a value."""

    async def later(value: Any) -> Any:
        return value

    assert list(Convert("a", "slug", later).faults()) == [
        "fn is a coroutine function; give it a plain one, of (value)"
    ]


def test_a_path_through_what_nobody_knows_leads_to_anything() -> None:
    """What a dropped list held isn't known, so a step into it is taken as it is."""
    shapes = shapes_of(a=shape_of(bits={"type": "unknown"}))
    assert shapes.at("a.bits") == open_shape()
