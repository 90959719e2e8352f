"""Loads a payload's records in the catalog's order, again where written records turn out bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.changes.streams import refuse_links
from lading.database.columns import require_room
from lading.database.live.base import Database
from lading.database.tables import TableCounts
from lading.importing.conflicts import POLICIES, Conflicts
from lading.importing.context import Exclusions, LoadContext
from lading.importing.decode import keys_of
from lading.importing.deferred import DeferredLinkLoader, DeferredRowLoader
from lading.importing.deferred_references import DeferredReferenceLoader
from lading.importing.entity_reader import EntityReader, Watch
from lading.importing.import_options import MIRROR, UPDATING, ImportOptions
from lading.importing.journal import Journal
from lading.importing.outcomes import EntityOutcome, Outcomes, SourceProblems
from lading.importing.payload import Payload
from lading.importing.readback import read_back
from lading.importing.resolvers import Resolvers
from lading.importing.unique_sets import UniqueSets
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.entity_updates import EntityUpdates
from lading.importing.updates.renamed_rows import rename_rows
from lading.importing.updates.replaced_rows import Renames
from lading.loading.doomed import delete_doomed, gone_records
from lading.loading.entity_loader import EntityLoader
from lading.loading.reference_keys import ReferenceKeys, reference_keys
from lading.mapping.engine_types import EngineType
from lading.mapping.load_order import link_name, load_order_of
from lading.model.rowsets import RowSet
from lading.planning.change_log import ChangeLog
from lading.report import Counts, Problems
from lading.scratch.pool import Pool
from lading.scratch.sort import CHUNK


class Loader:
    """Loads a payload's records into a database."""

    #: Whether a load begins again without bad records even if it keeps none.
    leaves_bad_out = False
    #: The rows that get the natural keys of new records first; ``None`` if there may be others.
    renames: Renames | None = None

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        payload: Payload,
        options: ImportOptions,
        progress: Watch | None,
    ) -> None:
        self.database = database
        self.payload = payload
        self.options = options
        self.progress = progress
        self.entities = entities = catalog.use()
        self.order = load_order_of(entities)
        self.roots = {name: entities[name] for name in names_loaded(catalog, payload, options)}
        if payload.is_partial:
            options.refuse_partial(self.roots)
        trees = [rows for root in self.roots.values() for rows in root.tree()]
        require_room(database.dialect, trees)
        self.tables = TableCounts(database, list(self.roots.values()))
        self.unique = UniqueSets(database, entities)
        tables = list(self.tables.counted)
        self.reads_back = database.may_alter(tables) or any(map(_has_own_types, tables))
        self.exclusions = Exclusions(keeps_good=self.leaves_bad_out or options.keeps_good)
        self.source_problems = SourceProblems()

    def run(self) -> Outcomes:
        """Load everything; begin again whenever written records turn out bad."""
        while True:
            context = self._context()
            with closing(context.journal):
                self._load(context)
                problems = self._with_keys(context.outcomes.problems)
                if not self.exclusions.must_restart:
                    problems.extend(self.source_problems.beside(problems))
                    return replace(context.outcomes, problems=problems)
                for name in self.roots:
                    self.exclusions.explain(
                        name,
                        self.payload.file(name),
                        problems,
                        keeps_whole=not self.options.keeps_good,
                    )

    def _context(self) -> LoadContext:
        """Return the context of a new load, whose outcomes begin with the records left out."""
        self.exclusions.must_restart = False
        bad = self.exclusions.bad
        outcomes = Outcomes(
            {name: Counts(failed=len(bad.get(name, ()))) for name in self.roots},
            Problems(self.exclusions.problems, self.exclusions.problems.more),
            self.exclusions.failed_keys,
            changes=ChangeLog() if self.options.records else None,
        )
        journal = Journal(reads_back=self.reads_back)
        return LoadContext(
            self.database,
            self.entities,
            self.order,
            self.tables,
            Resolvers(self.database),
            self.unique,
            outcomes,
            self.exclusions,
            journal,
            self.options.cascade,
            self.options.keeps_good,
            self.renames,
            journal.closing(Pool()),
        )

    def _load(self, context: LoadContext) -> None:
        """Load everything in a savepoint, which is rolled back if it must begin again."""
        with self.database.connection.begin_nested() as savepoint:
            for step in self._steps(context):
                step()
                if self.exclusions.must_restart:
                    savepoint.rollback()
                    return
            self._finish(context)

    def _steps(self, context: LoadContext) -> Iterator[Callable[[], None]]:
        """Yield what is to be done: row sets in their order, deferred references, and updates."""
        updates: list[EntityUpdates] = []
        keys: list[ReferenceKeys] = []
        for name in self.order.steps:
            if name in self.roots:
                yield partial(self._load_entity, context, self.roots[name], updates, keys)
            else:
                yield from self._deferred_rows(context, name)
        for root in self.roots.values():
            outcome = EntityOutcome(context.outcomes, root, self.payload)
            for rows in root.tree():
                for reference in rows.references:
                    if (rows.name, reference.name) in self.order.updated:
                        yield DeferredReferenceLoader(context, rows, reference, outcome).load
        for step in (EntityUpdates.release, EntityUpdates.finish, EntityUpdates.settle):
            for entity_updates in updates:
                yield partial(step, entity_updates)
        if updates:
            collected = [entity_updates.collected for entity_updates in updates]
            yield partial(delete_doomed, context, collected, cascade=self.options.cascade)
        yield partial(_check_shared, context, keys, updates)

    def _deferred_rows(self, context: LoadContext, name: str) -> Iterator[Callable[[], None]]:
        """Yield what loads the owned rows, or the links, of a deferred step."""
        for root in self.roots.values():
            outcome = EntityOutcome(context.outcomes, root, self.payload)
            for rows in root.tree():
                if rows.name == name:
                    yield DeferredRowLoader(context, rows, outcome).load
                for links in rows.links:
                    if link_name(rows, links) == name:
                        yield DeferredLinkLoader(context, rows, links, outcome).load

    def _load_entity(
        self,
        context: LoadContext,
        root: RowSet,
        all_updates: list[EntityUpdates],
        all_keys: list[ReferenceKeys],
    ) -> None:
        """Load one entity's records, chunk by chunk; what updates existing ones is added."""
        outcome = EntityOutcome(context.outcomes, root, self.payload)
        if self.renames:
            rename_rows(context, root, outcome, self.renames)
        collected = self._collected(context, root, outcome)
        updates = EntityUpdates(collected) if collected is not None else None
        all_updates += [updates] if updates else []
        policy = collected.policy if collected else POLICIES[self.options.mode(root.name)]
        conflicts = Conflicts(context, root, policy)
        reader = EntityReader(
            self.database.dialect, self.payload, outcome, self.exclusions, self.source_problems
        )
        loader = EntityLoader(context, root, outcome, conflicts, reader.decoder, updates=updates)
        loader.reference_keys = reference_keys(context, root, outcome, is_planned=False)
        all_keys += [loader.reference_keys] if loader.reference_keys else []
        left_out = collected.leave_out if collected and collected.mirrors else None
        with self._reading_along(conflicts, collected):
            for batch in reader.batches(self.progress, conflicts.pass_equal, left_out):
                loader.load(batch)
                if self.exclusions.must_restart:
                    return
        if not self.exclusions.must_restart:
            loader.finish()

    @contextmanager
    def _reading_along(
        self, conflicts: Conflicts, collected: CollectedUpdates | None
    ) -> Iterator[None]:
        """Read the database's records beside those of the payload."""
        total = self.payload.total(conflicts.root.name) or 0
        mirrored = collected if collected is not None and collected.mirrors else None
        with closing(conflicts):
            conflicts.read_along(total, mirrored.lacking if mirrored else None)
            yield
            if mirrored and not self.exclusions.must_restart:
                mirrored.knows_lacking = conflicts.finish()

    def _collected(
        self, context: LoadContext, root: RowSet, outcome: EntityOutcome
    ) -> CollectedUpdates | None:
        """Return what collects an entity's updates, if its mode has any."""
        mode = self.options.mode(root.name)
        if mode not in UPDATING:
            return None
        return CollectedUpdates(context, root, outcome, mirrors=mode == MIRROR)

    # After the load

    def _finish(self, context: LoadContext) -> None:
        """Compare what was read and written with what should be."""
        outcomes, journal = context.outcomes, context.journal
        self._synchronise()
        if not outcomes.problems:
            self._check_links(outcomes)
        if self.options.keeps_good or not outcomes.problems:
            self.tables.check(journal.row_counts, journal.link_counts)
        if self.reads_back and (self.options.keeps_good or not outcomes.problems):
            for root in self.roots.values():
                outcomes.alterations += read_back(context, root)

    def _check_links(self, outcomes: Outcomes) -> None:
        """Compare the links that were read with the manifest."""
        for name in self.roots:
            expected = self.payload.links(name)
            refuse_links(self.payload.file(name), expected, outcomes.links.get(name, {}))

    def _synchronise(self) -> None:
        """Move sequences behind the values that were imported."""
        columns = {
            column: None
            for root in self.roots.values()
            for rows in root.tree()
            for column in sorted(rows.carried(), key=str)
        }
        self.database.synchronise(list(columns))

    def _with_keys(self, problems: Problems) -> Problems:
        """Give problems that were found late the keys of their records, from the payload."""
        unnamed = {(problem.file, problem.record) for problem in problems if problem.key is None}
        keys: dict[tuple[str, int | None], Any] = {}
        for name, root in self.roots.items():
            file = self.payload.file(name)
            numbers = {number for where, number in unnamed if where == file and number}
            if numbers:
                by_number = keys_of(root, self.payload.blocks(name, CHUNK), numbers)
                keys |= {(file, number): key for number, key in by_number.items()}
        named = (replace(p, key=keys.get((p.file, p.record), p.key)) for p in problems)
        return Problems(named, problems.more)


def _check_shared(
    context: LoadContext, all_keys: list[ReferenceKeys], all_updates: list[EntityUpdates]
) -> None:
    """Report the written records that share with others what references find them by."""
    if not all_keys:
        return
    # After a problem they are still there.
    doomed = gone_records(context, [each.collected for each in all_updates], rewritten=False)
    for keys in all_keys:
        for entity in all_updates:
            for updates in entity.updates if entity.root is keys.root else ():
                keys.add_changed(updates)
        keys.check(doomed)


def _has_own_types(table: sa.Table) -> bool:
    """Tell whether a table has columns whose values the server may take in another text's place."""
    return any(isinstance(column.type, EngineType) for column in table.columns)


def names_loaded(catalog: Catalog, payload: Payload, options: ImportOptions) -> list[str]:
    """Name the entities that an import loads, in their order."""
    return [
        name
        for name in load_order_of(catalog.use()).entities
        if name in payload.names and options.takes(name)
    ]
