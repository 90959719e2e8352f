"""The merge of two sides' records in key order: only records that differ are read."""

from __future__ import annotations

from lading.diffing.cursors import UnusualLayout
from lading.diffing.places import OutOfOrder, SidePlace
from lading.diffing.results import EntityResult
from lading.planning.record_change import DELETE, INSERT
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text


def merge(left: SidePlace, right: SidePlace, result: EntityResult) -> None:
    """Note what would make the left side's records the right one's.

    Raises ``OutOfOrder`` where records aren't in the order of their keys, or share one.  As equal
    records are skipped unread, that shows in a key which one side lacks here and the other there.
    """
    while True:
        left.skip_equal(right)
        before, after = left.cursor.line(), right.cursor.line()
        if before is None and after is None:
            break
        if before == after:  # but for the comma after them
            _advance([left, right])
            continue
        places = [place for place, line in ((left, before), (right, after)) if line is not None]
        try:
            _take(_first(places), left, right, result)
        except (UnusualLayout, OutOfOrder):
            raise
        except Exception:  # whatever the schema raises, the problems of the records say it
            failed = [place for place in places if place.fail(result)]
            if not failed:
                raise
            _advance(failed)
    counts = result.counts
    counts.unchanged = left.cursor.total() - left.failed - counts.updated - counts.deleted
    if not (left.is_sorted and right.is_sorted):
        _refuse_moved(result)


def _first(places: list[SidePlace]) -> list[SidePlace]:
    """Return the place whose record comes first, or both where they have one key."""
    if len(places) < 2:
        return places
    left, right = places
    if left.reading.same_texts(left.record(), right.record()):
        return places
    if left.order() == right.order():
        return places
    return [left] if left.order() < right.order() else [right]


def _take(places: list[SidePlace], left: SidePlace, right: SidePlace, result: EntityResult) -> None:
    """Note what becomes of the records at some places, and go on."""
    reading, builder = left.reading, result.builder
    if len(places) == 2:
        fields = reading.update(left.record(), right.record())
        if fields is not None:
            result.log.add(builder.update(reading.key(left.record()), *fields))
            result.counts.updated += 1
    else:
        (place,) = places
        place.refuse_disorder()
        content = reading.content(place.record())
        if place is left:
            result.log.add(builder.deletion(content))
            result.counts.deleted += 1
        else:
            result.log.add(builder.insertion(content))
            result.counts.inserted += 1
    _advance(places)


def _advance(places: list[SidePlace]) -> None:
    for place in places:
        place.advance()


def _refuse_moved(result: EntityResult) -> None:
    """Raise ``OutOfOrder`` for a key that is both deleted and inserted, or twice either."""
    if not (result.counts.deleted and result.counts.inserted):
        return
    index = KeyIndex()
    try:
        index.fill(
            (json_text(change.key), b"%d" % number, number)
            for number, change in enumerate(result.log.changes())
            if change.action in (INSERT, DELETE)
        )
        if any(True for _ in index.clashes()):
            raise OutOfOrder
    finally:
        index.close()
