"""Deletes what bundles lack in the end: records, and owned rows that others held until then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from lading.database.dialects.base import Row
from lading.importing.context import LoadContext
from lading.importing.deletions.cascades import Consequences, cascades_of
from lading.importing.deletions.catalog_references import Rewritten
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.records import keys_of_records
from lading.importing.deletions.refusal import Refusal
from lading.importing.journal import WriteLog
from lading.importing.outcomes import EntityOutcome
from lading.importing.row_marks import RowMarks
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.left_rows import fail_held, left_trees
from lading.importing.updates.row_changes import RecordUpdates
from lading.messages import Message, shown
from lading.model.hidden import has_hidden
from lading.model.rowsets import RowSet
from lading.report import Problem

Trees = Mapping[str, DoomedTree]
#: The names of the plain fields that are foreign keys, by row set.
ForeignFields = Mapping[RowSet, Collection[str]]


def delete_doomed(
    context: LoadContext, updates: Sequence[CollectedUpdates], *, cascade: bool
) -> None:
    """Delete the owned rows that are left, and the records that mirrored bundles lack.

    After a problem no record is deleted.

    Args:
        context: the load.
        updates: what the load does to each entity that it updates.
        cascade: whether rows outside of the records may go along.
    """
    trees, left = doomed_trees(context, updates), all_left(context, updates, last=True)
    had_problems = bool(context.outcomes.problems)
    refuse_held(context, updates, left, trees)
    trees = {} if had_problems else trees
    log = note_consequences(context, updates, trees, cascade=cascade, beside=left)
    if context.outcomes.problems:
        trees, left = {}, all_left(context, updates, last=True)
    context.journal.add(log)
    outcomes = {entity.root.name: entity.outcome for entity in updates}
    deleter = Deleter(context.database, context.order, context.journal, {**left, **trees})
    held: dict[tuple[str, Row], Message] = {}
    for refusal in deleter.delete():
        if refusal.entity in outcomes:
            _report(outcomes[refusal.entity], refusal)
        else:
            held[refusal.entity, refusal.record] = refusal.message
    if not context.outcomes.problems:  # else bad records may have left rows where they were
        _fail(context, updates, held)
    for name in trees:
        outcomes[name].counts.deleted += deleter.deleted[name]


def all_left(
    context: LoadContext, updates: Sequence[CollectedUpdates], *, last: bool | None = None
) -> Trees:
    """Return the owned rows that left good records, by row set; by default all, else the last."""
    trees: dict[str, DoomedTree] = {}
    for entity in updates:
        matcher, bad = entity.matcher, entity.outcome.bad
        if matcher.emptied or not last:
            trees.update(left_trees(context, entity.root, matcher, last=last, bad=bad))
    return {name: tree for name, tree in trees.items() if tree.counts[tree.root]}


def refuse_held(
    context: LoadContext,
    updates: Sequence[CollectedUpdates],
    left: Trees,
    doomed: Trees,
    rewritten: Rewritten | None = None,
) -> None:
    """Report the records whose owned rows can't be deleted, because others refer to them.

    Args:
        context: the load.
        updates: what the load does to each entity that it updates.
        left: the owned rows.
        doomed: the rows that go with doomed records.
        rewritten: the records that are yet to be updated.
    """
    if left:
        database, entities, order = context.database, context.entities, context.order
        consequences = cascades_of(database, entities, order, left, rewritten, beside=doomed)
        _fail(context, updates, {(r.entity, r.record): r.message for r in consequences.refusals})


def _fail(
    context: LoadContext,
    updates: Sequence[CollectedUpdates],
    held: Mapping[tuple[str, Row], Message],
) -> None:
    for entity in updates:
        fail_held(context, entity.root, entity.outcome, entity.matcher, held)


def doomed_trees(context: LoadContext, updates: Sequence[CollectedUpdates]) -> Trees:
    """Return the rows that go with doomed records, of every entity that is mirrored."""
    trees: dict[str, DoomedTree] = {}
    for entity in updates:
        if entity.mirrors:
            spool, moved = context.journal.spool, entity.matcher.moved
            tree = DoomedTree(context.database, entity.root, spool, moved)
            for identities in entity.doomed:
                tree.add(identities)
            trees[entity.root.name] = tree
    return trees


def note_consequences(
    context: LoadContext,
    updates: Sequence[CollectedUpdates],
    trees: Trees,
    *,
    cascade: bool,
    rewritten: Rewritten | None = None,
    beside: Trees | None = None,
    refuses: bool = True,
) -> WriteLog:
    """Note what goes along with doomed records, and report what holds them.

    Args:
        context: the load.
        updates: what the load does to each entity that it updates.
        trees: the rows that go with doomed records.
        cascade: whether rows outside of the records may go along.
        rewritten: the records that are yet to be updated.
        beside: further rows that go.
        refuses: whether that is a problem; not of a plan with others, after which nothing goes.

    Returns:
        What would go along in the catalog's own tables, for the journal.
    """
    if not any(tree.counts[tree.root] for tree in trees.values()):
        return WriteLog()
    outcomes = {entity.root.name: entity.outcome for entity in updates}
    more = context.journal.closing(RowMarks()) if any(e.replaced for e in updates) else None
    consequences = cascades_of(
        context.database,
        context.entities,
        context.order,
        trees,
        rewritten,
        beside=beside,
        by_record=more,
    )
    context.outcomes.cascades += consequences.cascades
    if not refuses:
        return consequences.log
    for refusal in consequences.refusals:
        _report(outcomes[refusal.entity], refusal)
    context.outcomes.problems.more += consequences.more_refusals
    if more is not None:
        for entity in updates:
            _refuse_replaced(context, entity, consequences, more)
    for along in consequences.cascades if not cascade else ():
        message = Message(
            "cascade-needed",
            f"deleting its records would take others along: {along}. Delete or keep these first, "
            "or say cascade=True",
        )
        _report(outcomes[along.entity], Refusal(along.entity, None, message))
    return consequences.log


def _refuse_replaced(
    context: LoadContext, entity: CollectedUpdates, consequences: Consequences, more: RowMarks
) -> None:
    """Report the new records that need the rows of records which others refer to from outside.

    Args:
        context: the load.
        entity: what the load does to the records.
        consequences: what would go along with the rows, and what holds them.
        more: further rows that would take others along.
    """
    root, takers = entity.root, consequences.takers
    held = {(refusal.entity, refusal.record) for refusal in consequences.refusals}
    for chunk in entity.replaced:
        for place, row in enumerate(chunk.changes.identities):
            stored = root.name, row or ()
            if stored not in takers and stored not in held and stored not in more:
                continue
            old = keys_of_records(context.database, root, [stored[1]])
            new = entity.outcome.key_at(chunk.batch, place)
            id_ = "" if has_hidden(root) else f" (primary key {', '.join(map(shown, stored[1]))})"
            along = f": {', '.join(map(str, takers[stored]))}" if stored in takers else ""
            message = Message(
                "cascade-needed",
                f"{shown(new)} needs the row of {shown(old.get(stored[1]))}{id_}, which the bundle "
                f"lacks, and other rows that refer to that one would stay{along}. Give the row the "
                "new natural key in the database, or delete it there first",
            )
            entity.outcome.fail(chunk.batch.numbers[place], new, None, message)


def rewritten_records(updates: Sequence[CollectedUpdates], foreign: ForeignFields) -> Rewritten:
    """Return the primary keys of the records whose references an update will change, by entity.

    To be read once, after the changes are found.
    """
    return {entity.root.name: _rewritten(entity, foreign) for entity in updates}


def gone_records(
    context: LoadContext, updates: Sequence[CollectedUpdates], *, rewritten: bool
) -> dict[str, RowMarks]:
    """Return the records that are to be deleted, by entity.

    ``rewritten`` says whether those whose references are yet to be changed are among them.
    """
    gone: dict[str, RowMarks] = {}
    for entity in updates:
        gone[entity.root.name] = marks = context.journal.closing(RowMarks())
        for identities in chain(entity.doomed, _rewritten(entity, {}) if rewritten else ()):
            marks.add(identities)
    return gone


def _rewritten(entity: CollectedUpdates, foreign: ForeignFields) -> Iterator[list[Row]]:
    for updates in entity.updates:
        identities = updates.changes.identities
        places = rewritten_places(entity.root, updates, foreign)
        yield [row for place in places if (row := identities[place]) is not None]


def rewritten_places(root: RowSet, updates: RecordUpdates, foreign: ForeignFields) -> list[int]:
    """Return the places of the records whose references an update may change.

    ``foreign`` names the plain fields that are foreign keys.
    """
    plain = {value.name for value in root.values} - set(foreign.get(root, ()))
    changed = enumerate(updates.changes.fields)
    return [place for place, fields in changed if root.children or not fields.keys() <= plain]


def _report(outcome: EntityOutcome, refusal: Refusal) -> None:
    outcome.report(Problem.of(refusal.message, outcome.file, key=refusal.key))
