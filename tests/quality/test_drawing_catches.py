"""Mistakes planted in the engine: the drawn applications find each within their usual number."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa

from lading.database.dialects import sqlite_values
from lading.exporting.reader import RecordReader
from lading.importing.link_writer import LinkWriter
from lading.importing.references import ReferenceResolver
from lading.importing.writer import RowWriter
from lading.mapping.members import Members
from lading.model.rowsets import RowSet
from lading.values.datetimes import Time
from support.backends import Backend
from support.drawn.running import Broken, run

#: As many as ``test_drawn_schemas`` draws on SQLite.
SEEDS = range(360)
Patch = Callable[[], Any]


def forgotten_column() -> Any:
    """Nullable columns of dates aren't carried, and coverage says that they are."""
    plain, carried = Members._value, RowSet.carried

    def value(self: Members, column: sa.Column[Any]) -> None:
        if not (column.nullable and isinstance(column.type, sa.Date)):
            plain(self, column)

    def all_of(self: RowSet) -> set[sa.Column[Any]]:
        return carried(self) | set(self.table.columns)

    return mock.patch.multiple(Members, _value=value), mock.patch.object(RowSet, "carried", all_of)


def swapped_references() -> Any:
    """Two records of a chunk get each other's targets."""
    plain = ReferenceResolver._resolve

    def resolve(self: ReferenceResolver, *given: Any) -> Any:
        rows = plain(self, *given)
        if len(rows) > 1 and None not in rows[:2]:
            rows[:2] = rows[1], rows[0]
        return rows

    return (mock.patch.object(ReferenceResolver, "_resolve", resolve),)


def json_null_for_sql_null() -> Any:
    """JSON's own null is written like SQL's."""
    plain = sqlite_values.written_json

    def written(value: Any) -> bytes:
        return b"null" if value is None else plain(value)

    return (mock.patch.object(sqlite_values, "written_json", written),)


def reversed_sequences() -> Any:
    """Owned rows get their ids backwards."""
    plain = RowWriter.allocate

    def allocate(self: RowWriter, count: int) -> Any:
        return plain(self, count)[::-1]

    return (mock.patch.object(RowWriter, "allocate", allocate),)


def dropped_links() -> Any:
    """The last link of a chunk isn't written."""
    plain = LinkWriter.write

    def write(self: LinkWriter, rows: Any, log: Any) -> Any:
        return plain(self, rows[:-1] or rows, log)

    return (mock.patch.object(LinkWriter, "write", write),)


def null_twins() -> Any:
    """Two records with one key leave together."""
    return (mock.patch.object(RecordReader, "_check_ascending", return_value=None),)


def lost_fractions() -> Any:
    """Fractions of a second are cut off."""
    plain = Time.write

    def write(self: Time, value: Any) -> str:
        return plain(self, value.replace(microsecond=0) if isinstance(value, dt.time) else value)

    return (mock.patch.object(Time, "write", write),)


MISTAKES = [
    forgotten_column,
    swapped_references,
    json_null_for_sql_null,
    reversed_sequences,
    dropped_links,
    null_twins,
    lost_fractions,
]


@pytest.fixture(params=MISTAKES, ids=lambda made: made.__name__)
def mistake(request: pytest.FixtureRequest) -> Iterator[str]:
    """One mistake in the engine, while the test runs."""
    patches = request.param()
    for patch in patches:
        patch.start()
    yield request.param.__name__
    for patch in patches:
        patch.stop()


@pytest.mark.timeout(300)
def test_the_drawn_applications_find_a_planted_mistake(
    mistake: str, sqlite_memory: Backend, tmp_path: Path
) -> None:
    """The invariant itself can fail."""
    for seed in reversed(SEEDS):  # in this order they happen to be found sooner
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            run(seed, sqlite_memory, folder)
        except Broken:
            return
        shutil.rmtree(folder)
    pytest.fail(f"{len(SEEDS)} drawn applications don't notice {mistake}")
