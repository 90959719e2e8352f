"""Deletes the owned rows that left their records and that no other record took over."""

from __future__ import annotations

from collections.abc import Iterator

from lading.importing.context import LoadContext
from lading.importing.deletions.cascades import cascades_of
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.outcomes import EntityOutcome
from lading.importing.savepoints import path_to
from lading.importing.updates.record_matcher import LeftRow, RecordMatcher
from lading.model.rowsets import RowSet
from lading.report import Problem
from lading.scratch.sort import CHUNK, chunked


def note_left(
    context: LoadContext, root: RowSet, outcome: EntityOutcome, matcher: RecordMatcher
) -> None:
    """Note what goes along with the rows that left, and report what may not; this only reads.

    Args:
        context: the load; without its ``cascade``, no other rows may go along.
        root: the entity whose records they left.
        outcome: takes the problems.
        matcher: knows the rows.
    """
    trees = {}
    for rows in (rows for rows in root.tree() if rows.parent is not None):
        tree = DoomedTree(context.database, rows, context.journal.spool)
        for chunk in chunked(_going(matcher, rows), CHUNK):
            tree.add([left.partner.row.identity for left in chunk])
        trees[rows.name] = tree
    if not any(tree.counts[tree.root] for tree in trees.values()):
        return
    consequences = cascades_of(context.database, context.entities, context.order, trees)
    context.outcomes.cascades += consequences.cascades
    context.journal.add(consequences.log)
    refused = {
        (refusal.entity, refusal.record): refusal.message for refusal in consequences.refusals
    }
    for rows in root.tree() if refused else ():
        for left in _going(matcher, rows):
            message = refused.get((rows.name, left.partner.row.identity))
            if message is not None:
                outcome.fail(left.number, None, path_to(rows, root)[:-1], message)
    for along in consequences.cascades if not context.cascade else ():
        message = (
            f"deleting its rows would take others along: {along}. Delete or keep these first, or "
            "say cascade=True"
        )
        outcome.report(
            Problem(outcome.file, None, None, along.entity[len(root.name) + 1 :], message)
        )


def delete_left(
    context: LoadContext,
    root: RowSet,
    outcome: EntityOutcome,
    matcher: RecordMatcher,
    *,
    last: bool,
) -> None:
    """Delete the rows that left good records, with all that they nest.

    They go before others need their unique values; those that rows moved out of go last, when
    these have moved.

    Args:
        context: the load.
        root: the entity whose records they left.
        outcome: takes the problems of records whose rows the database refuses to delete.
        matcher: knows the rows.
        last: whether this is the last time.
    """
    for rows in reversed([rows for rows in root.tree() if rows.parent is not None]):
        tree = DoomedTree(context.database, rows, context.journal.spool)
        for chunk in chunked(_going(matcher, rows, last=last), CHUNK):
            good = (left for left in chunk if left.number not in outcome.bad)
            tree.add([left.partner.row.identity for left in good])
        deleter = Deleter(context.database, context.order, context.journal, {rows.name: tree})
        refused = {refusal.record: refusal.message for refusal in deleter.delete()}
        if not last:  # rows that still refer to these may change until the end
            matcher.emptied.add((rows.name, record) for record in refused)
            continue
        for left in _going(matcher, rows, last=last) if refused else ():
            message = refused.get(left.partner.row.identity)
            if message is not None:
                outcome.fail(left.number, None, None, message)


def _going(matcher: RecordMatcher, rows: RowSet, *, last: bool | None = None) -> Iterator[LeftRow]:
    """Yield the rows of a row set that go, at one time or, by default, at any."""
    for left in matcher.left.group(rows.name):
        is_last = (rows.name, left.partner.row.identity) in matcher.emptied
        if not left.is_nested and last in (None, is_last):
            yield left
