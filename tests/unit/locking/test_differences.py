"""What is said of a field or entity that isn't declared as it was sealed, by shapes alone."""

from __future__ import annotations

from typing import Any

import pytest

from lading.changes.rewriting.shapes import Shape, Shapes
from lading.locking.differences import FREE, ShapeDifference, differences, marked
from lading.locking.renames import renamed_entities, split_entities
from lading.report import NEEDS_CHANGE, SAFE

TEXT = {"type": "string", "nullable": False}


def shape_of(**fields: Any) -> Shape:
    """Return a shape of these fields and a slug."""
    return {"fields": {"slug": dict(TEXT), **fields}, "key": ["slug"]}


def classed(*names: str, **fields: Any) -> Shape:
    """Return the shape of a hierarchy with these classes."""
    return {**shape_of(sort=dict(TEXT), **fields), "discriminator": "sort", "kinds": list(names)}


def between(before: Shape, after: Shape) -> list[ShapeDifference]:
    """Return what differs between a sealed shape and a declared one."""
    return list(differences("a", Shapes({"a": marked("a", before)}, {}), Shapes({"a": after}, {})))


@pytest.mark.parametrize(
    ("before", "after", "severity", "text"),
    [
        ({"computed": True}, {}, NEEDS_CHANGE, "it is read back now"),
        ({}, {"computed": True}, NEEDS_CHANGE, "it is written and never read back now"),
        ({"optional": True}, {}, NEEDS_CHANGE, "records must now have it"),
        (
            {"classes": ["cat"]},
            {},
            NEEDS_CHANGE,
            "it now belongs to all classes, formerly to class 'cat'",
        ),
    ],
)
def test_who_has_a_field_and_who_reads_it(
    before: Shape, after: Shape, severity: str, text: str
) -> None:
    """Older records have it, or lack it, otherwise than newer ones."""
    (difference,) = between(shape_of(n={**TEXT, **before}), shape_of(n={**TEXT, **after}))
    assert (difference.place, difference.severity, difference.text) == ("a.n", severity, text)


def test_a_new_class_may_have_fields_that_others_have() -> None:
    """No older record is of it."""
    before = classed("cat", n={**TEXT, "classes": ["cat"]})
    after = classed("cat", "dog", n={**TEXT, "classes": ["cat", "dog"]})
    rules = {difference.rule: difference.severity for difference in between(before, after)}
    assert rules == {"CLASS_ADDED": SAFE, "CLASSES_WIDENED": SAFE}


def test_another_discriminator_needs_a_change() -> None:
    """Records say by another field, or no longer, which class they are of."""
    (gone,) = between(classed("cat"), shape_of(sort=dict(TEXT)))
    assert gone.rule == "DISCRIMINATOR_CHANGED"
    assert gone.text == "the discriminator is now no field, formerly sort"
    assert gone.severity == NEEDS_CHANGE


def test_an_entity_takes_no_name_that_another_one_had() -> None:
    """What is gone is renamed only to what is new."""
    sealed = Shapes({"a": marked("a", shape_of()), "b": marked("b", shape_of(n=dict(TEXT)))}, {})
    declared = Shapes({"b": shape_of()}, {})
    assert renamed_entities(sealed, declared, ["a"], ["b"]) == {}
    declared = Shapes({"b": shape_of(n=dict(TEXT)), "c": shape_of()}, {})
    assert renamed_entities(sealed, declared, ["a"], ["c"]) == {"a": "c"}
    assert set(sealed.roots) == {"b", "c"}


@pytest.mark.parametrize(
    ("old", "new", "link", "is_taken"),
    [
        ({}, {}, {}, True),
        ({"nullable": True}, {}, {}, False),
        ({"nullable": True}, {}, {"nullable": True}, True),
        ({"type": "integer"}, {}, {}, False),
        ({FREE: True}, {}, {}, False),
    ],
)
def test_fields_that_went_may_have_become_an_entity(
    old: Shape, new: Shape, link: Shape, is_taken: bool
) -> None:
    """If they have the same shape, and null can be said by the reference."""
    went = {**TEXT, **old}
    sealed = marked("a", {"fields": {"slug": dict(TEXT), "town": went}, "key": ["slug"]})
    reference = {"type": "reference", "entity": "b", "nullable": False, **link}
    declared = Shapes(
        {
            "a": shape_of(b=reference),
            "b": {"fields": {"town": {**TEXT, **new}}, "key": ["town"]},
        },
        {},
    )
    steps = list(split_entities(Shapes({"a": sealed}, {}), declared, ["a"], ["b"]))
    assert bool(steps) is is_taken


def test_a_field_that_a_function_may_have_altered_can_be_anything() -> None:
    """Only whether it is there is compared."""
    before = marked("a", shape_of(n=dict(TEXT)))
    before["fields"]["n"][FREE] = True
    shapes = Shapes({"a": before}, {}), Shapes({"a": shape_of(n={"type": "integer"})}, {})
    assert list(differences("a", *shapes)) == []
