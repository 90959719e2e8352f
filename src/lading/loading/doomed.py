"""Deletes the records that mirrored bundles lack, unless that would take others along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lading.importing.context import LoadContext
from lading.importing.deletions.cascades import cascades_of
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.refusal import Refusal
from lading.importing.outcomes import EntityOutcome
from lading.importing.updates.entity_updates import EntityUpdates
from lading.report import Problem

Trees = Mapping[str, DoomedTree]


def delete_doomed(context: LoadContext, updates: Sequence[EntityUpdates], *, cascade: bool) -> None:
    """Delete the records that mirrored bundles lack; none after a problem.

    Args:
        context: the load.
        updates: what the load does to each entity that it updates.
        cascade: whether rows outside of the records may go along.
    """
    if context.outcomes.problems:
        return
    trees = doomed_trees(context, updates)
    note_consequences(context, updates, trees, cascade=cascade)
    if context.outcomes.problems:
        return
    outcomes = {entity.root.name: entity.outcome for entity in updates}
    deleter = Deleter(context.database, context.order, context.journal, trees)
    for refusal in deleter.delete():
        _report(outcomes[refusal.entity], refusal)
    for name, count in deleter.deleted.items():
        outcomes[name].counts.deleted += count


def doomed_trees(context: LoadContext, updates: Sequence[EntityUpdates]) -> Trees:
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
    updates: Sequence[EntityUpdates],
    trees: Trees,
    *,
    cascade: bool = True,
) -> None:
    """Note what goes along with doomed records, and report what holds them.

    Without ``cascade``, nothing may go along.
    """
    if not any(entity.doomed for entity in updates):
        return
    outcomes = {entity.root.name: entity.outcome for entity in updates}
    consequences = cascades_of(context.database, context.entities, context.order, trees)
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


def _report(outcome: EntityOutcome, refusal: Refusal) -> None:
    outcome.report(Problem(outcome.file, None, refusal.key, None, refusal.message))
