"""Plans the records of one entity: decides, checks, and records what would change; only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from lading.importing.batch import Batch
from lading.importing.change_recorder import ChangeRecorder
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import Conflicts
from lading.importing.context import LoadContext
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import places_of_records
from lading.importing.row_marks import RowMarks
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.left_rows import rows_left_first
from lading.loading.agreement_checks import AgreementChecks
from lading.loading.doomed import rewritten_places
from lading.loading.doomed_targets import DoomedTargets
from lading.loading.plain_targets import PlainTargets
from lading.loading.planned_keys import PlannedKeys, PlannedReferences
from lading.loading.reference_keys import ReferenceKeys, reference_keys
from lading.loading.unique_checks import UniqueChecks
from lading.mapping.load_order import LoadOrder, link_name
from lading.model.rowsets import RowSet


class EntityPlanner:
    """Plans an entity's batches, in two passes.

    References may lead to records that come later, so ``load`` and ``finish`` decide what would
    be written of all entities before ``check`` looks at any of it.
    """

    def __init__(
        self,
        context: LoadContext,
        root: RowSet,
        outcome: EntityOutcome,
        conflicts: Conflicts,
        keys: PlannedKeys,
        *,
        updates: CollectedUpdates | None,
    ) -> None:
        self.context = context
        self.root = root
        self.outcome = outcome
        self.conflicts = conflicts
        self.updates = updates
        self.keys = keys
        self.comparison = StoredComparison(context.database, root)
        self.new = context.journal.spool()
        self.agreement = AgreementChecks(context, root, outcome)
        self.recorder = ChangeRecorder(context.outcomes.changes, self.comparison)
        self.reference_keys = reference_keys(context, root, outcome, is_planned=True)

    def load(self, batch: Batch) -> None:
        """Decide what would happen to a batch's records."""
        decisions = self.conflicts.decide(batch)
        decisions.note(self.outcome, batch)
        new = batch.take(decisions.insert)
        if len(new):
            self.new.append(new)
            self._add_keys(new, are_new=True)
            if self.reference_keys is not None:
                self.reference_keys.add_new(new)
            if self.updates is not None:
                self.updates.add_new(new)
        if decisions.update:
            self._add_keys(batch.take(decisions.update), are_new=False)

    def _add_keys(self, batch: Batch, *, are_new: bool) -> None:
        read = self.comparison.raw.new_content
        self.keys.add(self.root, batch, lambda: map(read, batch.lines), are_new=are_new)

    def finish(self) -> None:
        """Find what a mirror would delete, and which owned rows would change."""
        if self.updates is not None:
            self.updates.match()
        if self.updates is not None and self.reference_keys is not None:
            for updates in self.updates.updates:
                self.reference_keys.add_changed(updates)

    def check(
        self,
        sharing: Mapping[str, ReferenceKeys],
        freed: RowMarks,
        plain: PlainTargets,
        *,
        compete: bool,
    ) -> None:
        """Check what would be written, and record what passes.

        Args:
            sharing: knows the records that will share what references find them by, by entity.
            freed: has the owned rows that go before, by table and primary key; those that these
                records drop are added.
            plain: finds the plain fields that lead to doomed rows.
            compete: whether records are held against each other's unique values: not before
                those are left out that are bad by themselves, for they take nothing.
        """
        self._free(freed)
        references = self._references(sharing, self.context.order.when_loaded())
        unique = UniqueChecks(
            self.context,
            self.root,
            self.outcome,
            self.updates,
            self.comparison,
            freed=freed,
            compete=compete,
        )
        at_once = self._references(sharing, _at_once(self.context.order))
        self._check_new(at_once, references, unique, plain)
        if self.updates is not None:
            self._check_updates(self.updates, references, unique, plain)

    def _references(
        self, sharing: Mapping[str, ReferenceKeys], order: LoadOrder
    ) -> PlannedReferences:
        return PlannedReferences(self.context.resolvers, order, self.outcome, self.keys, sharing)

    def _check_new(
        self,
        at_once: PlannedReferences,
        references: PlannedReferences,
        unique: UniqueChecks,
        plain: PlainTargets,
    ) -> None:
        """Check new records, as an import does: what is written after them is looked at last."""
        waits = _waits(self.root, self.context.order)
        for batch in self.new:
            self._resolve(at_once, batch)
            unique.check(batch.without(self.outcome.bad))
            if waits:
                self._resolve(references, batch.without(self.outcome.bad))
            self._check_targets(batch.without(self.outcome.bad), plain)
            good = batch.without(self.outcome.bad)
            self.outcome.counts.inserted += len(good)
            self.recorder.insert(good)
            if not self.context.keeps_good:
                self._exclude(batch)

    def _resolve(self, references: PlannedReferences, batch: Batch) -> None:
        """Check the references of new records."""
        resolved = references.resolve(self.root, batch, places_of_records(self.outcome, batch))
        self.agreement.check(resolved.without(self.outcome.bad))

    def _check_targets(self, batch: Batch, plain: PlainTargets) -> None:
        """Check that nothing is to be deleted that records will refer to."""
        if self.keys.doomed:
            resolvers, order = self.context.resolvers, self.context.order
            targets = DoomedTargets(resolvers, order, self.outcome, self.keys)
            targets.resolve(self.root, batch, places_of_records(self.outcome, batch))
            plain.check(self.root, batch, self.outcome, self.keys.doomed)

    def _check_updates(
        self,
        collected: CollectedUpdates,
        references: PlannedReferences,
        unique: UniqueChecks,
        plain: PlainTargets,
    ) -> None:
        """Check the records that would change."""
        for updates in collected.updates:
            batch = updates.batch
            places = places_of_records(self.outcome, batch)
            resolved = references.resolve(self.root, batch, places)
            good_updates = updates.without(self.outcome.bad)
            self.agreement.check(resolved.without(self.outcome.bad), good_updates.changes)
            good_updates = updates.without(self.outcome.bad)
            unique.check(good_updates.batch, good_updates.changes)
            good_updates = updates.without(self.outcome.bad)
            rewritten = rewritten_places(self.root, good_updates, plain.fields)
            self._check_targets(good_updates.batch.take(rewritten), plain)
            self.outcome.counts.updated += len(batch.without(self.outcome.bad))
            self.recorder.update(batch.numbers, updates.alterations, self.outcome.bad)
            self._exclude(batch)
        for identities in collected.doomed:
            self.outcome.counts.deleted += len(identities)

    def _free(self, freed: RowMarks) -> None:
        """Note the rows that an import deletes before it writes those of others in their tables."""
        owned = Counter(rows.table for rows in self.context.entities.all_rows() if rows.parent)
        if self.updates is not None and any(owned[rows.table] > 1 for rows in self.root.tree()):
            matcher = self.updates.matcher
            for rows, identities in rows_left_first(self.context, self.root, self.outcome, matcher):
                freed.add((rows.table.fullname, *identity) for identity in identities)

    def exclude_new(self) -> None:
        """Plan again without new records that turned out bad."""
        for batch in self.new if self.outcome.bad else ():
            self._exclude(batch)

    def _exclude(self, batch: Batch) -> None:
        """Plan again without records that turned out bad, to which others may refer."""
        bad = self.outcome.bad.intersection(batch.numbers)
        self.context.exclusions.add_bad(self.root.name, bad)


def _at_once(order: LoadOrder) -> LoadOrder:
    """Return the order for new records all of whose parents are there."""
    return replace(order, parents_first=frozenset())


def _waits(root: RowSet, order: LoadOrder) -> bool:
    """Tell whether anything of an entity's new records is written after they are."""
    return any(
        rows.name in order.deferred
        or any((rows.name, reference.name) in order.updated for reference in rows.references)
        or any(link_name(rows, links) in order.deferred for links in rows.links)
        for rows in root.tree()
    )
