"""Mistakes planted in updates and mirrors: ``assert_import`` finds each, and names what it hits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa

from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import Conflicts
from lading.importing.updates import collected_updates, entity_updates
from lading.importing.updates.link_updater import LinkUpdater
from lading.importing.updates.matching import OwnedMatcher
from lading.importing.updates.parking import ParkedRows
from lading.importing.updates.record_matcher import RecordMatcher
from lading.importing.updates.row_updater import RowUpdater
from lading.testing import RoundTripError, assert_import
from support.halls import document, hall, halls
from support.planting import Patch, replaced, together, unchecked

BEFORE = document(hall(1, "a:xy", "b", guests="ab"), hall(2, "c:z"), hall(3))
SWAPPED = document(hall(1, "a:xy", "b", place=2, guests="ab"), hall(2, "c:z", place=1), hall(3))
#: Mistakes by name: how each is planted, the bundle, and what the failure says.
MISTAKES: dict[str, tuple[Callable[[], Patch], Any, str]] = {}
Plant = Callable[[], Patch]


def mistake(bundle: Any, text: str) -> Callable[[Plant], Plant]:
    """Add a mistake, with the bundle that brings it to light."""

    def add(plant: Plant) -> Plant:
        MISTAKES[plant.__name__] = plant, bundle, text
        return plant

    return add


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


@mistake(SWAPPED, "place")
def swap_lost() -> Patch:
    def make(plain: Any) -> Any:
        def write(self: Any, columns: Any, *arguments: Any, **options: Any) -> None:
            kept = [column for column in columns if column.name != "place"]
            plain(self, kept, *arguments, **options)

        return write

    return replaced(RowUpdater, "_write_columns", make)


@mistake(SWAPPED, "halls slug 'h1', wing: was 'w', is now null")
def parked_value_left() -> Patch:
    return mock.patch.object(ParkedRows, "complete", nothing)


@mistake(document(hall(1, "a:xyv", "b", guests="ab"), hall(2, "c:z"), hall(3)), "seats")
def new_child_dropped() -> Patch:
    return together(mock.patch.object(RowUpdater, "insert", nothing), unchecked())


@mistake(document(hall(1, "a:x", "b", guests="ab"), hall(2, "c:z"), hall(3)), "seats")
def old_child_kept() -> Patch:
    return mock.patch.object(entity_updates, "delete_left", return_value=())


@mistake(document(hall(1, "a:xy", "b", guests="a"), hall(2, "c:z", guests="b"), hall(3)), "guests")
def link_kept() -> Patch:
    return together(mock.patch.object(LinkUpdater, "remove", nothing), unchecked())


@mistake(document(hall(1, "a:xy", "b", guests="ab", words="x"), hall(2, "c:z"), hall(3)), "rows")
def unchanged_row_written() -> Patch:
    def make(plain: Any) -> Any:
        def changed(self: Any, rows: Any, *arguments: Any) -> dict[str, bool]:
            fields = plain(self, rows, *arguments)
            return {**fields, "code": True} if rows.name == "halls.rows" else fields

        return changed

    return replaced(RecordMatcher, "_changed", make)


@mistake(document(hall(1, "a:xy", "b", guests="ab", words="x"), hall(2, "c:z"), hall(3)), "id")
def rows_made_anew() -> Patch:
    return together(
        mock.patch.object(OwnedMatcher, "match", lambda self, new, old: [None] * len(new)),
        mock.patch.object(
            RecordMatcher, "_taken_over", lambda self, of, new, *_: [None] * len(new)
        ),
    )


@mistake(document(hall(1, "a:xy", "b", guests="ab")), "halls slug 'h[23]': appeared")
def row_forgotten_by_a_mirror() -> Patch:
    def make(plain: Any) -> Any:
        return lambda *arguments: (identities[:-1] for identities in plain(*arguments))

    return replaced(collected_updates, "doomed_rows", make)


def test_there_is_nothing_to_catch_without_a_mistake() -> None:
    """Each bundle goes in as it should."""
    for _, bundle, _ in MISTAKES.values():
        assert_import(halls(), BEFORE, bundle, "mirror")


@pytest.mark.parametrize("name", MISTAKES)
def test_assert_import_finds_a_planted_mistake(name: str) -> None:
    """By name."""
    plant, bundle, text = MISTAKES[name]
    with plant(), pytest.raises(RoundTripError, match=text):
        assert_import(halls(), BEFORE, bundle, "mirror")


def differences_uncounted() -> Patch:
    """Skipped records never differ."""
    return mock.patch.object(StoredComparison, "differing_lines", return_value=[])


def skipped_written() -> Patch:
    """Records that are skipped are written over those that are there."""

    def make(plain: Any) -> Any:
        def decide(self: Any, batch: Any) -> Any:
            decisions = plain(self, batch)
            if decisions.leave and "wing" in self.root.table.c:
                rows = sa.update(self.root.table).values(wing="z")
                self.context.database.connection.execute(rows)
            return decisions

        return decide

    return replaced(Conflicts, "decide", make)


@pytest.mark.parametrize(
    ("plant", "text"),
    [
        (differences_uncounted, "should be differing; the report says"),
        (skipped_written, r'records than it should:\n  halls {"slug": "h1"}: halls: wing changed'),
    ],
)
def test_mistakes_where_records_are_skipped_are_found(plant: Plant, text: str) -> None:
    """Though the bundle says otherwise of them."""
    other = document(hall(1, "a:xy", "b", guests="ab"), hall(2, "c:z", place=9))
    assert_import(halls(), BEFORE, other, "skip")
    with plant(), pytest.raises(RoundTripError, match=text):
        assert_import(halls(), BEFORE, other, "skip")
