"""What marshmallow says of a record, by field, with the value and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from lading.messages import Message
from lading.records.faults import faults_of, unfit
from support.cookbook import RECIPE, cookbook, rows


def told(messages: Any, data: Any = None, **meta: Any) -> list[tuple[str, str, str]]:
    """Return the path, the code and the text of each fault of a recipe."""
    faults = faults_of(rows("recipes", cookbook(**meta)), data or RECIPE, messages)
    return [(path, message.code, message) for path, message in faults]


@pytest.mark.parametrize(
    ("messages", "paths"),
    [
        ("wrong", [""]),
        (["a", "b"], ["", ""]),
        ({"slug": ["a", "b"]}, ["slug", "slug"]),
        ({"_schema": ["a"]}, [""]),
        ({"steps": {0: {"place": ["a"], "_schema": ["b"]}}}, ["steps.1.place", "steps.1"]),
        ({"tags": {1: {"slug": ["a"]}}, "x": ["b"]}, ["tags.2.slug", "x"]),
        ({"x": [{"y": ["a"]}]}, ["x.y"]),
        ({"x": 5}, ["x"]),
    ],
    ids=repr,
)
def test_faults_are_told_by_their_paths(messages: Any, paths: list[str]) -> None:
    """Items of lists count from one, as records do."""
    assert [path for path, _, _ in told(messages)] == paths


@pytest.mark.parametrize(
    ("messages", "code", "text"),
    [
        (
            {"minutes": ["Missing data for required field."]},
            "field-missing",
            "Missing data for required field. Add it, with null if it has no value",
        ),
        (
            {"steps": {0: {"place": ["Missing data for required field."]}}},
            "field-missing",
            "Missing data for required field. Add it",
        ),
        (
            {"category": {"parent": {"nam": ["Unknown field."]}}},
            "field-unknown",
            "Unknown field. Expected one of: name, parent. Correct the name, or remove the field; if "
            "another version has it, declare a change",
        ),
        (
            {"slug": ["Field may not be null."]},
            "value-null",
            "Field may not be null. Give it a value",
        ),
        (
            {"slug": ["Longer than maximum length 2."]},
            "value-too-long",
            "Longer than maximum length 2: 'rye'. Shorten it, or let its field and column take more",
        ),
        (
            {"steps": {1: {"words": ["Must be one of: mix."]}}},
            "value-refused",
            "Must be one of: mix (the value is 'bake'). Correct it",
        ),
        ({"slug": ["'rye' is odd"]}, "value-refused", "'rye' is odd"),
        ({"_schema": ["too old"]}, "value-refused", "too old"),
        ({"slug": [Message("odd", "is odd")]}, "odd", "is odd"),
    ],
    ids=lambda case: case if isinstance(case, str) and " " not in case else "",
)
def test_a_fault_says_what_was_wrong_and_what_to_do(messages: Any, code: str, text: str) -> None:
    """At any depth, with the value where the message lacks it."""
    assert [(code_, text_) for _, code_, text_ in told(messages)] == [(code, text)]


def test_a_record_that_is_none_is_shown() -> None:
    """An object is expected in its place."""
    text = "Invalid input type. Expected an object with fields, found [1]"
    assert told({"_schema": ["Invalid input type."]}, [1]) == [("", "record-malformed", text)]


def test_a_field_of_another_class_is_told_as_such() -> None:
    """It is no misspelt name."""
    ((_, code, text),) = told({"minutes": ["Unknown field."]})
    assert (code, text.startswith("Unknown field. Records of another class")) == (
        "field-of-class",
        True,
    )


def test_hidden_values_are_not_shown() -> None:
    """Neither a field's own, nor those that owned rows hold, nor a record's with such fields."""
    odd = "Longer than maximum length 2."
    assert told({"slug": [odd]}, hidden=("slug",)) == [
        ("slug", "value-too-long", "its value <hidden> isn't one that the field takes. Correct it")
    ]
    assert "rye" not in str(told({"_schema": ["Invalid input type."]}, ["rye"], hidden=("slug",)))
    missing = "Missing data for required field."
    ((_, _, text),) = told({"slug": [missing]}, hidden=("slug",))
    assert text.startswith(missing)
    steps = cookbook(entity="steps", hidden=("words",))
    faults = faults_of(rows("recipes", steps), RECIPE, {"steps": ["is odd"]})
    assert [message for _, message in faults] == ["is odd"]


def test_what_does_not_fit_keeps_its_own_code() -> None:
    """Others have the code of all that a column doesn't hold."""
    texts = [("slug", "is odd"), ("slug", Message("value-too-long", "is long"))]
    assert [message.code for _, message in unfit(rows("recipes"), texts)] == [
        "value-unfit",
        "value-too-long",
    ]
