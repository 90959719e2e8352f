"""Deletes the owned rows that left their records and that no other record took over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from lading.database.dialects.base import Row
from lading.importing.context import LoadContext
from lading.importing.deletions.cascades import cascades_of
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.outcomes import EntityOutcome
from lading.importing.row_marks import RowMarks
from lading.importing.savepoints import path_to
from lading.importing.updates.record_matcher import LeftRow, RecordMatcher
from lading.messages import Message
from lading.model.rowsets import RowSet
from lading.planning.record_change import Cascade
from lading.report import Problem
from lading.scratch.sort import CHUNK, chunked


def note_left(
    context: LoadContext, root: RowSet, outcome: EntityOutcome, matcher: RecordMatcher
) -> None:
    """Note what the database deletes or alters along with the rows that left; this only reads.

    Args:
        context: the load; without its ``cascade``, no other rows may go along: an import that
            keeps good records begins again without the records that would take some.
        root: the entity whose records they left.
        outcome: takes the problems.
        matcher: knows the rows.
    """
    trees = dict(left_trees(context, root, matcher))
    if not any(tree.counts[tree.root] for tree in trees.values()):
        return
    leaves_out = context.keeps_good and not context.cascade
    more = context.journal.closing(RowMarks()) if leaves_out else None
    consequences = cascades_of(
        context.database, context.entities, context.order, trees, by_record=more
    )
    context.outcomes.cascades += consequences.cascades
    context.journal.add(consequences.log)
    if leaves_out:
        takers = {key: _message(along) for key, along in consequences.takers.items()}
        fail_held(context, root, outcome, matcher, takers, more=more)
    elif not context.cascade:
        for along in consequences.cascades:
            path = along.entity[len(root.name) + 1 :]
            outcome.report(Problem.of(_message([along]), outcome.file, field=path))


def _message(along: Sequence[Cascade] = ()) -> Message:
    named = f": {', '.join(map(str, along))}" if along else ""
    return Message(
        "cascade-needed",
        f"deleting its rows would take others along{named}. Delete or keep these first, or say "
        "cascade=True",
    )


def left_trees(
    context: LoadContext,
    root: RowSet,
    matcher: RecordMatcher,
    *,
    last: bool | None = None,
    bad: Collection[int] = (),
) -> Iterator[tuple[str, DoomedTree]]:
    """Yield each row set's name with its rows that left an entity's records, and what they nest.

    Args:
        context: the load.
        root: the entity.
        matcher: knows the rows.
        last: whether these are the rows that go last; by default they go at any time.
        bad: the numbers of records whose rows stay.
    """
    for rows in reversed([rows for rows in root.tree() if rows.parent is not None]):
        tree = DoomedTree(context.database, rows, context.journal.spool, matcher.moved)
        for chunk in chunked(_going(matcher, rows, last=last), CHUNK):
            tree.add([left.partner.row.identity for left in chunk if left.number not in bad])
        yield rows.name, tree


def delete_left(
    context: LoadContext,
    root: RowSet,
    outcome: EntityOutcome,
    matcher: RecordMatcher,
    *,
    last: bool,
) -> None:
    """Delete the rows that left good records, with all that they nest, if nothing holds them.

    They go before others need their unique values.  Those that rows moved out of go last, when
    these have moved, and so do those that others refer to until they are updated.

    Args:
        context: the load.
        root: the entity whose records they left.
        outcome: knows the bad records.
        matcher: knows the rows, and is told of those that must go last.
        last: whether these are the rows that go last.
    """
    for name, tree in left_trees(context, root, matcher, last=last, bad=outcome.bad):
        deleter = Deleter(context.database, context.order, context.journal, {name: tree})
        if refused := [(name, refusal.record) for refusal in deleter.delete()]:
            matcher.emptied.add(refused)


def rows_left_first(
    context: LoadContext, root: RowSet, outcome: EntityOutcome, matcher: RecordMatcher
) -> Iterator[tuple[RowSet, list[Row]]]:
    """Yield the rows that ``delete_left`` deletes first, by their row sets; this only reads.

    Args:
        context: the load.
        root: the entity whose records they left.
        outcome: knows the bad records.
        matcher: knows the rows.
    """
    for name, tree in left_trees(context, root, matcher, last=False, bad=outcome.bad):
        if tree.counts[tree.root]:
            trees = {name: tree}
            consequences = cascades_of(context.database, context.entities, context.order, trees)
            held = {refusal.record for refusal in consequences.refusals}
            for rows in tree.spools if not consequences.more_refusals else ():
                for chunk in tree.chunks(rows):
                    yield rows, tree.columns(rows).identities(chunk.without(held).rows)


def fail_held(
    context: LoadContext,
    root: RowSet,
    outcome: EntityOutcome,
    matcher: RecordMatcher,
    held: Mapping[tuple[str, Row], Message],
    *,
    more: RowMarks | None = None,
) -> None:
    """Report the records whose rows can't be deleted.

    Args:
        context: the load, which begins again without these records if it keeps good ones.
        root: the entity.
        outcome: takes the problems.
        matcher: knows the rows.
        held: what holds rows, by their row sets and primary keys.
        more: further rows that would take others along.
    """
    numbers = set()
    for rows in root.tree() if held or more else ():
        for left in _going(matcher, rows):
            row = rows.name, left.partner.row.identity
            message = held.get(row)
            if message is None and more and row in more:
                message = _message()
            if message is not None:
                outcome.fail(left.number, None, path_to(rows, root)[:-1], message)
                numbers.add(left.number)
    context.exclusions.add_bad(root.name, numbers)


def _going(matcher: RecordMatcher, rows: RowSet, *, last: bool | None = None) -> Iterator[LeftRow]:
    """Yield the rows of a row set that go, at one time or, by default, at any."""
    for left in matcher.left.group(rows.name):
        is_last = (rows.name, left.partner.row.identity) in matcher.emptied
        if not left.is_nested and last in (None, is_last):
            yield left
