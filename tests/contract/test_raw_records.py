"""Records read field by field say what their schemas say of them, in every world of the zoo."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from lading import export_document
from lading.records.compared_records import ComparedRecords
from lading.records.comparison import RecordComparison
from lading.records.raw_records import RawReader
from lading.values.json_text import json_text
from support.backends import ON_SQLITE, Backend
from support.zoo import WORLDS


@ON_SQLITE
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
def test_fields_say_what_schemas_say(backend: Backend, world: Any) -> None:
    """Of new records, of stored ones, and of those that are compared with others."""
    made = world()
    with backend.database() as engine:
        document = export_document(made.filled(engine), catalog=made.catalog)
    for name, rows in made.catalog.use().roots.items():
        comparison = RecordComparison(rows)
        raw = RawReader(rows, comparison)
        lines = [msgspec.json.encode(record) for record in document[name]]
        for line in lines:
            assert json_text(raw.new_content(line)) == json_text(comparison.loaded(line))
            assert json_text(raw.stored_content(line)) == json_text(comparison.stored(line))
        for line, stored in pairwise([*lines, *lines[:2]]):
            expected = comparison.loaded(line), comparison.stored(stored)
            assert list(map(json_text, raw.contents(line, stored))) == list(
                map(json_text, expected)
            )


@ON_SQLITE
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
def test_masks_of_texts_tell_what_values_tell(backend: Backend, world: Any) -> None:
    """In which members records differ, which were set, and what an update alters."""
    made = world()
    with backend.database() as engine:
        document = export_document(made.filled(engine), catalog=made.catalog)
    for name, rows in made.catalog.use().roots.items():
        comparison = RecordComparison(rows)
        raw = RawReader(rows, comparison)
        lines = [msgspec.json.encode(record) for record in document[name]]
        pairs = [(a, b) for a, b in pairwise([*lines, *lines[:2]]) if a != b]
        compared = ComparedRecords(raw, [a for a, _ in pairs], [b for _, b in pairs], exact=True)
        for place, (line, stored) in enumerate(pairs):
            record, content = raw.contents(line, stored)
            members = list(comparison.differing(rows, record, content))
            assert list(compared.members(place)) == members
            assert compared.fields(place) == {
                member.name: content.get(member.written) is not None for member in members
            }
            altered = comparison.update(content, record)
            key = {part: record[part] for part in rows.key_names}
            expected = None if altered is None else (key, *altered)
            assert json_text(compared.alteration(place)) == json_text(expected)


def test_what_differs_is_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of many fields may differ in as many ways as there are records."""
    monkeypatch.setattr("lading.records.raw_records.REMEMBERED", 2)
    rows = WORLDS["shop"]().catalog.use().roots["products"]
    raw = RawReader(rows, RecordComparison(rows))
    for mask in range(2 ** len(raw.members)):
        raw.differing_by(mask)
    assert raw.differing_by.cache_info().currsize == 2
