"""Plans an import: goes through its payload as a load does, and only reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from lading.importing.conflicts import POLICIES, Conflicts
from lading.importing.context import LoadContext
from lading.importing.entity_reader import EntityReader
from lading.importing.outcomes import EntityOutcome
from lading.importing.row_marks import RowMarks
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.replaced_rows import Renames
from lading.loading.doomed import (
    all_left,
    doomed_trees,
    gone_records,
    note_consequences,
    refuse_held,
    rewritten_records,
)
from lading.loading.entity_planner import EntityPlanner
from lading.loading.loader import Loader
from lading.loading.plain_targets import PlainTargets
from lading.loading.planned_keys import PlannedKeys
from lading.model.rowsets import RowSet


class Planner(Loader):
    """Finds out what a load would do."""

    #: Whether all records are left out that are bad by themselves.
    is_settled = False
    #: Records may refer to others that turn out bad later, so a plan always begins again without.
    leaves_bad_out = True
    #: Takes the rows that get the natural keys of new records first, where a load follows.
    noted_renames: Renames | None = None

    def _load(self, context: LoadContext) -> None:
        """Decide on all records, then check those that would be written."""
        with closing(PlannedKeys(self.entities)) as keys:
            planners: list[EntityPlanner] = []
            for name in self.order.entities:
                if name in self.roots:
                    planners.append(self._decide(context, self.roots[name], keys))
                    if self.exclusions.must_restart:
                        return
            updates = [planner.updates for planner in planners if planner.updates is not None]
            trees, left = doomed_trees(context, updates), all_left(context, updates)
            plain = PlainTargets(context, [*trees.values(), *left.values()])
            refuse_held(context, updates, left, trees, rewritten_records(updates, plain.fields))
            if self.exclusions.must_restart:
                return
            keys.add_going(left.values(), trees.values(), plain.tables)
            compete = self.is_settled or not self.options.keeps_good
            sharing = {p.root.name: p.reference_keys for p in planners if p.reference_keys}
            freed = context.journal.closing(RowMarks())
            for planner in planners:
                planner.check(sharing, freed, plain, compete=compete)
            if sharing:
                gone = gone_records(context, updates, rewritten=True)
                for reference_keys in sharing.values():
                    reference_keys.check(gone)
            self._exclude_new(planners)
            if not (compete or self.exclusions.must_restart):
                self.is_settled = self.exclusions.must_restart = True
            self._hand_on(updates)
        note_consequences(
            context,
            updates,
            trees,
            cascade=self.options.cascade,
            rewritten=rewritten_records(updates, plain.fields),
            beside=left,
            refuses=not context.outcomes.problems,
        )
        if not context.outcomes.problems:
            self._check_links(context.outcomes)

    def _hand_on(self, updates: Sequence[CollectedUpdates]) -> None:
        """Keep the rows that get other natural keys for a load."""
        if (noted := self.noted_renames) is not None:
            for entity in updates:
                for chunk in entity.replaced:
                    noted[entity.root.name].append(chunk)

    def _exclude_new(self, planners: list[EntityPlanner]) -> None:
        """Leave bad new records out last: without other records they may be good."""
        if not self.exclusions.must_restart:
            for planner in planners:
                planner.exclude_new()

    def _decide(self, context: LoadContext, root: RowSet, keys: PlannedKeys) -> EntityPlanner:
        """Decide what would happen to one entity's records."""
        outcome = EntityOutcome(context.outcomes, root, self.payload)
        updates = self._collected(context, root, outcome)
        policy = updates.policy if updates else POLICIES[self.options.mode(root.name)]
        conflicts = Conflicts(context, root, policy)
        reader = EntityReader(
            self.database.dialect, self.payload, outcome, self.exclusions, self.source_problems
        )
        planner = EntityPlanner(context, root, outcome, conflicts, keys, updates=updates)
        left_out = updates.leave_out if updates and updates.mirrors else None
        with self._reading_along(conflicts, updates):
            for batch in reader.batches(self.progress, conflicts.pass_equal, left_out):
                planner.load(batch)
        planner.finish()
        return planner
