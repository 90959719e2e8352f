"""Deletes the owned rows that left their records and that no other record took over."""

from __future__ import annotations

from collections.abc import Iterator

from lading.importing.context import LoadContext
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.updates.record_matcher import LeftRow, RecordMatcher
from lading.model.rowsets import RowSet
from lading.scratch.sort import CHUNK, chunked


def delete_left(
    context: LoadContext, root: RowSet, matcher: RecordMatcher, *, last: bool
) -> Iterator[tuple[int, str]]:
    """Delete the rows that left, with all that they nest.

    They go before others need their unique values; those that rows moved out of go last, when
    these have moved.

    Args:
        context: the load.
        root: the entity whose records they left.
        matcher: knows the rows.
        last: whether this is the last time.

    Yields:
        The number of each record whose row the database refuses to delete, and why.
    """
    for rows in reversed([rows for rows in root.tree() if rows.parent is not None]):
        tree = DoomedTree(context.database, rows, context.journal.spool)
        numbers = {}
        for chunk in chunked(_going(matcher, rows, last=last), CHUNK):
            tree.add([left.partner.row.identity for left in chunk])
        deleter = Deleter(context.database, context.order, context.journal, {rows.name: tree})
        for refusal in deleter.delete():
            numbers[refusal.record] = refusal.message
        for left in _going(matcher, rows, last=last) if numbers else ():
            if left.partner.row.identity in numbers:
                yield left.number, numbers[left.partner.row.identity]


def _going(matcher: RecordMatcher, rows: RowSet, *, last: bool) -> Iterator[LeftRow]:
    for left in matcher.left.group(rows.name):
        is_last = (rows.name, left.partner.row.identity) in matcher.emptied
        if not left.is_nested and is_last == last:
            yield left
