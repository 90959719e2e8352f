"""Deletes the records that mirrored bundles lack, unless that would take others along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lading.database.dialects.base import Row
from lading.importing.context import LoadContext
from lading.importing.deletions.cascades import cascades_of
from lading.importing.deletions.catalog_references import Rewritten
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.refusal import Refusal
from lading.importing.journal import WriteLog
from lading.importing.outcomes import EntityOutcome
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.report import Problem

Trees = Mapping[str, DoomedTree]


def delete_doomed(
    context: LoadContext, updates: Sequence[CollectedUpdates], *, cascade: bool
) -> None:
    """Delete the records that mirrored bundles lack; none after a problem.

    Args:
        context: the load.
        updates: what the load does to each entity that it updates.
        cascade: whether rows outside of the records may go along.
    """
    if context.outcomes.problems:
        return
    trees = doomed_trees(context, updates)
    log = note_consequences(context, updates, trees, cascade=cascade)
    if context.outcomes.problems:
        return
    context.journal.add(log)
    outcomes = {entity.root.name: entity.outcome for entity in updates}
    deleter = Deleter(context.database, context.order, context.journal, trees)
    for refusal in deleter.delete():
        _report(outcomes[refusal.entity], refusal)
    for name, count in deleter.deleted.items():
        outcomes[name].counts.deleted += count


def doomed_trees(context: LoadContext, updates: Sequence[CollectedUpdates]) -> Trees:
    """Return the rows that go with doomed records, of every entity that is mirrored."""
    trees: dict[str, DoomedTree] = {}
    for entity in updates:
        if entity.mirrors:
            tree = DoomedTree(context.database, entity.root, context.journal.spool)
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
) -> WriteLog:
    """Note what goes along with doomed records, and report what holds them.

    Args:
        context: the load.
        updates: what the load does to each entity that it updates.
        trees: the rows that go with doomed records.
        cascade: whether rows outside of the records may go along.
        rewritten: the records that are yet to be updated.

    Returns:
        What would go along in the catalog's own tables, for the journal.
    """
    if not any(entity.doomed for entity in updates):
        return WriteLog()
    outcomes = {entity.root.name: entity.outcome for entity in updates}
    consequences = cascades_of(context.database, context.entities, context.order, trees, rewritten)
    context.outcomes.cascades += consequences.cascades
    for refusal in consequences.refusals:
        _report(outcomes[refusal.entity], refusal)
    context.outcomes.problems.more += consequences.more_refusals
    for along in consequences.cascades if not cascade else ():
        message = (
            f"deleting its records would take others along: {along}. Delete or keep these first, "
            "or say cascade=True"
        )
        _report(outcomes[along.entity], Refusal(along.entity, None, message))
    return consequences.log


def rewritten_records(updates: Sequence[CollectedUpdates]) -> Rewritten:
    """Return the primary keys of the records whose references an update will change, by entity.

    To be read once, after the changes are found.
    """
    return {entity.root.name: _rewritten(entity) for entity in updates}


def _rewritten(entity: CollectedUpdates) -> Iterator[list[Row]]:
    plain = {value.name for value in entity.root.values}
    for updates in entity.updates:
        changed = zip(updates.changes.identities, updates.changes.fields, strict=True)
        yield [
            identity
            for identity, fields in changed
            if identity is not None and (entity.root.children or not fields.keys() <= plain)
        ]


def _report(outcome: EntityOutcome, refusal: Refusal) -> None:
    outcome.report(Problem(outcome.file, None, refusal.key, None, refusal.message))
