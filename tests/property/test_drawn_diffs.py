"""A diff of drawn data is what a comparison by hand finds, whatever the application."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading import Catalog, diff, export_document
from lading.fresh_databases.factories import sqlite_engine
from lading.testing.trips.trip import Trip
from support.applications import NAMES, catalog_of, drawn, examples
from support.changed import by_hand, changes_of


def edited(draw: Any, document: dict[str, Any], catalog: Catalog) -> dict[str, Any]:
    """Take records away, and give others the values of their neighbours."""
    after = json.loads(json.dumps(document))
    for name, rows in catalog.use().roots.items():
        records = after[name]
        # A record of another class has other fields.
        names = {m.written for m in rows.members if m.classes or m is rows.discriminator}
        names |= set(rows.key_names)
        for record in records:
            other = draw(st.sampled_from(records))
            common = sorted(record.keys() & other.keys() - names)
            if common and draw(st.booleans()):
                field = draw(st.sampled_from(common))
                record[field] = other[field]
        after[name] = [record for record in records if draw(st.integers(0, 3))]
    return after


@pytest.mark.parametrize("name", NAMES)
def test_a_diff_of_drawn_data_is_what_a_comparison_by_hand_finds(name: str) -> None:
    """Documents in order and in none, a database, and a bundle."""
    catalog = catalog_of(name)

    @examples(2)
    @given(drawn(name), st.data())
    def same(dataset: Any, data: Any) -> None:
        with Trip(catalog, dataset) as trip:
            engine = trip.opened(sqlite_engine)
            trip.written(engine)
            path = trip.exported(engine, "the export")
            before = export_document(engine, catalog=catalog)
            assert not diff(path, engine, catalog=catalog)
            after = edited(data.draw, before, catalog)
            expected = by_hand(catalog, before, after)
            for side in (path, engine, before):
                found = diff(side, after, catalog=catalog)
                assert not found.problems
                assert changes_of(found) == expected
            for entity in catalog.use().roots:
                after[entity] = data.draw(st.permutations(after[entity]))
            assert changes_of(diff(after, path, catalog=catalog)) == {
                (entity, key, {"delete": "insert"}.get(action, action))
                for entity, key, action in expected
            }

    same()
