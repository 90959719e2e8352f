"""Lines of JSON from structs, keys as they are written, and ids."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lading.records.layout import RecordLayout, WrittenKey
from lading.records.lines import encode_lines, portable_key, without_ids
from support.cookbook import RECIPE, cookbook, rows


def test_records_are_lines_of_json() -> None:
    """A newline within a text is escaped, so that lines can be cut at newlines."""
    struct = RecordLayout(rows("authors")).encoded
    assert encode_lines([struct("a\nb"), struct("ü")]) == [
        b'{"slug":"a\\nb"}',
        '{"slug":"ü"}'.encode(),
    ]
    assert encode_lines([]) == []


def test_a_key_that_recurs_is_written_as_its_text() -> None:
    """Which was made once for all records that hold it."""
    struct = RecordLayout(rows("categories")).encoded
    text = b'{"parent":null,"name":"a"}'
    key = WrittenKey((("a",),), msgspec.Raw(text), 1)
    assert encode_lines([struct(key, "b")]) == [b'{"parent":%s,"name":"b"}' % text]


def test_what_json_lacks_is_not_written() -> None:
    """It can't be in a struct that was made of written forms."""
    with pytest.raises(NotImplementedError):
        encode_lines([RecordLayout(rows("authors")).encoded(object())])


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"parent": None, "name": "a", "x": 1}, {"parent": None, "name": "a"}),
        ({"name": 5}, {"name": 5}),
        ({"x": 1}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_can_be_read_of_a_key_names_a_record(data: Any, key: Any) -> None:
    """Right or wrong, for a report is read by people."""
    assert portable_key(rows("categories"), data) == key


def test_a_hidden_key_names_no_record() -> None:
    """Only that it has one."""
    parts = rows("authors", cookbook(entity="authors", hidden=("slug",)))
    assert portable_key(parts, {"slug": "ann"}) == {"slug": "<hidden>"}


def test_ids_are_taken_out_at_every_depth() -> None:
    """Of records that carry them for people who debug."""
    steps = [{**step, "id": number, "tag_id": 9} for number, step in enumerate(RECIPE["steps"])]
    record = {**RECIPE, "id": 7, "author_id": 3, "category_id": None, "steps": steps}
    assert without_ids(RecordLayout(rows("recipes"), ids=True), record) == RECIPE
    assert without_ids(RecordLayout(rows("recipes")), record) == record


@pytest.mark.parametrize("data", [None, [], "x", {"steps": None}, {"steps": ["x"]}])
def test_what_is_no_record_keeps_what_it_is(data: Any) -> None:
    """Its fault is told elsewhere."""
    assert without_ids(RecordLayout(rows("recipes"), ids=True), data) == data
