"""Mistakes planted in the engine: one of the usual drawn applications finds each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import ExitStack
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


#: Each mistake with one of the seeds in ``test_drawn_schemas`` that it shows in.
MISTAKES: list[tuple[Callable[[], Any], int]] = [
    (forgotten_column, 21),
    (swapped_references, 144),
    (json_null_for_sql_null, 57),
    (reversed_sequences, 144),
    (dropped_links, 156),
    (null_twins, 355),
    (lost_fractions, 87),
]


@pytest.mark.parametrize(
    ("mistake", "seed"), MISTAKES, ids=lambda item: getattr(item, "__name__", "")
)
def test_the_drawn_applications_find_a_planted_mistake(
    mistake: Callable[[], Any], seed: int, sqlite_memory: Backend, tmp_path: Path
) -> None:
    """The invariant itself can fail."""
    with ExitStack() as patches:
        for patch in mistake():
            patches.enter_context(patch)
        with pytest.raises(Broken):
            run(seed, sqlite_memory, tmp_path)
