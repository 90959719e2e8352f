"""What is compiled from schemas says and takes what the schemas themselves do, for drawn data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from lading import ImportFailed, export_document, import_document
from lading.fresh_databases.factories import EngineFactory, sqlite_engine
from lading.model.rowsets import Children, Reference, RowSet, Value
from lading.records.faults import faults_of
from lading.testing.compare.records import record_differences
from lading.testing.datasets.references import Draw
from lading.testing.trips.trip import Trip
from lading.values.datetimes import DateTime
from lading.values.scalars import JSON_KEY
from support.applications import NAMES, catalog_of, drawn, examples

Record = dict[str, Any]
#: What takes the place of a value: other types, and what is no value of most.
OTHERS = (None, True, 0, -1, 1.5, 10**40, "", "x", "1", "é" * 5000, [], {}, ["x"], {"x": 1}, [None])


def opened(trip: Trip, factory: EngineFactory = sqlite_engine) -> Any:
    """Return a database with the trip's dataset in it, and its document."""
    source = trip.opened(factory)
    trip.written(source)
    return source, export_document(source, catalog=trip.catalog)


# What leaves


def plain(rows: RowSet, record: Record) -> Record:
    """Return a record as the ORM knows it.

    JSON's own null and SQL's read back as one; what all rows of a table have, and only a
    subclass maps, isn't an attribute of other objects.
    """
    made = dict(record)
    mapped = rows.mapper.all_orm_descriptors
    for member in rows.members:
        if isinstance(member, Value) and member.classes is None and member.attribute not in mapped:
            made.pop(member.written, None)
            continue
        held = record.get(member.written)
        if isinstance(member, Value) and member.kind.is_json and held == {JSON_KEY: None}:
            made[member.written] = None
        elif isinstance(member, Children) and isinstance(held, list):
            made[member.written] = [plain(member.rows, item) for item in held]
    return made


@pytest.mark.parametrize("name", NAMES)
def test_objects_dump_as_what_is_exported(name: str, request: pytest.FixtureRequest) -> None:
    """``Schema().dump`` of the ORM's objects gives the bundle's records, and ``load`` takes them."""
    catalog = catalog_of(name)
    entities = catalog.use()
    kinds = [value.kind for rows in entities.all_rows() for value in rows.values]
    # The ORM gives moments without their zone on SQLite, and no schema takes those.
    is_aware = any(isinstance(kind, DateTime) and kind.aware for kind in kinds)
    factory = request.getfixturevalue("lading_postgresql") if is_aware else sqlite_engine

    @examples(2)
    @given(drawn(name))
    def same(dataset: Any) -> None:
        with Trip(catalog, dataset) as trip:
            source, document = opened(trip, factory)
            dumped: dict[str, list[Record]] = {}
            with Session(source) as session:
                for entity, rows in entities.roots.items():
                    objects = session.scalars(sa.select(rows.mapper.class_))
                    made = [rows.schema().dump(item) for item in objects]
                    dumped[entity] = [plain(rows, item) for item in made]
            exported = {
                entity: [plain(rows, item) for item in document[entity]]
                for entity, rows in entities.roots.items()
            }
            found = record_differences(entities, exported, dumped)
            assert not found, "\n".join(map(str, found))
            for entity, rows in entities.roots.items():
                for record in document[entity]:
                    rows.schema().load(record)

    same()


# What arrives


def places(rows: RowSet, record: Record) -> Iterator[tuple[Record, str]]:
    """Yield each dictionary within a record with each of its names."""
    for name in record:
        yield record, name
    for member in rows.members:
        held = record.get(member.written)
        if isinstance(member, Children) and isinstance(held, list):
            for item in held:
                yield from places(member.rows, item)
        elif isinstance(member, Reference) and isinstance(held, dict):
            yield from ((held, name) for name in held)


def damage(draw: Draw, rows: RowSet, record: Record) -> None:
    """Take a field away, add one, or give one another value, at any depth."""
    held, name = draw(st.sampled_from(list(places(rows, record))))
    way = draw(st.sampled_from(["value", "value", "value", "gone", "more"]))
    if way == "gone":
        del held[name]
    elif way == "more":
        held[draw(st.sampled_from(["surplus", "id", "Slug", ""]))] = 1
    else:
        held[name] = draw(st.sampled_from(OTHERS))


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_blame_the_same_fields(name: str) -> None:
    """What ``Schema().validate`` objects to is what an import reports, field by field."""
    catalog = catalog_of(name)
    entities = catalog.use()
    seen: Counter[str] = Counter()

    @examples(5)
    @given(drawn(name), st.data())
    def same(dataset: Any, data: Any) -> None:
        with Trip(catalog, dataset) as trip:
            _, document = opened(trip)
            there = [entity for entity in entities.roots if document[entity]]
            if not there:
                return
            entity = data.draw(st.sampled_from(there))
            place = data.draw(st.integers(0, len(document[entity]) - 1))
            record = json.loads(json.dumps(document[entity][place]))
            damage(data.draw, entities[entity], record)
            document[entity][place] = record
            rows = entities[entity]
            faults = faults_of(rows, record, rows.schema().validate(record))
            blamed = {field for field, _ in faults}
            seen["blamed" if blamed else "fine"] += 1
            found = problems(trip, document, entity, place + 1)
            if blamed:
                assert alike(found, blamed), (found, blamed, record)

    same()
    assert seen["blamed"], seen


def problems(trip: Trip, document: Any, entity: str, number: int) -> set[str]:
    """Return the fields of a record that an import of a document objects to."""
    try:
        import_document(trip.opened(sqlite_engine), document, catalog=trip.catalog)
    except ImportFailed as error:
        found = error.report.problems
        return {item.field or "" for item in found if (item.file, item.record) == (entity, number)}
    return set()


def alike(found: set[str], blamed: set[str]) -> bool:
    """Tell whether the same fields are named.

    A nested key that is too long for any row is nobody's key at all for an import, and what
    had to wait for its target has forgotten which of its siblings it was.
    """
    held, two = list(map(_steps, found)), list(map(_steps, blamed))
    return all(any(_covers(a, b) for a in held) for b in two) and all(
        any(_covers(a, b) for b in two) for a in held
    )


def _steps(field: str) -> list[str]:
    return [step for step in field.split(".") if not step.isdigit()]


def _covers(whole: list[str], part: list[str]) -> bool:
    return part[: len(whole)] == whole
