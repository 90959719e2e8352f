"""The story of an import: a bundle's or a document's records, into a database."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from lading.bundle import with_bundle
from lading.catalog import Catalog, catalog_of
from lading.changes.streams import refuse_links
from lading.database.columns import require_room
from lading.database.refusals import veiled
from lading.database.session import Opened, writing
from lading.database.tables import TableCounts
from lading.errors import AlteredWarning, ImportFailed
from lading.importing.batch import Batch
from lading.importing.bundle_payload import BundlePayload
from lading.importing.decode import RecordDecoder, keys_of
from lading.importing.deferred import DeferredLoader
from lading.importing.document_payload import DocumentPayload
from lading.importing.duplicates import Ascending, Duplicate, find_duplicates
from lading.importing.entity_loader import EntityLoader
from lading.importing.existing import Existing
from lading.importing.loader import LoadState, RememberedKeys, Restart
from lading.importing.options import ImportOptions
from lading.importing.payload import Payload
from lading.importing.readback import read_back
from lading.importing.resolvers import Resolvers
from lading.mapping.load_order import Order, link_name, load_order_of
from lading.messages import listed
from lading.model.rowsets import RowSet
from lading.options import (
    DOCUMENT,
    check_mapping,
    check_number,
    check_path,
    check_progress,
    refuse_plans,
    session_of,
)
from lading.records.describe import told_key
from lading.report import (
    MOST_PROBLEMS,
    Alteration,
    Counts,
    ImportReport,
    Problem,
    Problems,
    Progress,
)
from lading.scratch.sort import CHUNK
from lading.values.json_text import json_text

Watch = Callable[[Progress], None]


def import_all(
    session: Any,
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    on_conflict: str | Mapping[str, str] = "skip",
    on_error: str = "rollback",
    only: Iterable[str] | None = None,
    dry_run: bool = False,
    expect: Any = None,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> ImportReport:
    """Load a bundle into a database, empty or not, and say what became of its records.

    A bundle that is replaced while it is read is read once more, from the beginning.

    Args:
        session: what :func:`export_all` takes; a caller's session is not committed, and is
            expired afterwards.
        path: the bundle's folder, or its ZIP file, whose members may stand in one folder.
        catalog: the catalog that the bundle was exported from; by default the default one.
        on_conflict: what happens to a record whose natural key is there already: ``"skip"``
            or ``"error"``, for all or as a mapping by entity with ``"*"`` for the rest.
        on_error: with ``"rollback"`` every problem is found, nothing is written and
            ``ImportFailed`` is raised, whose ``report`` lists them; with ``"continue"`` good
            records are kept, and bad ones are reported and counted as failed.
        only: the entities loaded; by default all.
        dry_run: for import plans, which don't exist yet; refused.
        expect: likewise.
        progress: is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes the entity files may hold in all.  By default a folder may
            hold any number, and an archive 256 MiB or 200 times its own size, whichever is more.

    Returns:
        The report, whose ``str`` says what a person needs.

    Raises:
        BundleError: the bundle is damaged, isn't one, or holds more than ``max_bytes``.
        VersionError: its versions, or those of its format, aren't read by this catalog.
        TargetError: the database refuses.  In each case nothing is written, or all of it is
            rolled back.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_path("path", path)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    refuse_plans(dry_run=dry_run, expect=expect)
    options = ImportOptions(catalog.use(), on_conflict, on_error, only)
    return with_bundle(
        path,
        lambda reader: _import(session, BundlePayload(reader), catalog, options, progress),
        max_bytes=max_bytes,
    )


def import_document(
    session: Any,
    document: Mapping[str, Any],
    *,
    catalog: Catalog | None = None,
    on_conflict: str | Mapping[str, str] = "skip",
    on_error: str = "rollback",
    only: Iterable[str] | None = None,
    dry_run: bool = False,
    expect: Any = None,
    progress: Watch | None = None,
) -> ImportReport:
    """Load a document, as :func:`import_all` loads a bundle; it is not changed."""
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_mapping("document", document, DOCUMENT)
    check_progress(progress)
    refuse_plans(dry_run=dry_run, expect=expect)
    options = ImportOptions(catalog.use(), on_conflict, on_error, only)
    return _import(session, DocumentPayload(document), catalog, options, progress)


def _import(
    session: Any, payload: Payload, catalog: Catalog, options: ImportOptions, progress: Watch | None
) -> ImportReport:
    with veiled(catalog.use()), closing(payload):
        payload.check(catalog)
        return _load(session, payload, catalog, options, progress)


def _load(
    session: Any, payload: Payload, catalog: Catalog, options: ImportOptions, progress: Watch | None
) -> ImportReport:
    report = ImportReport()
    order = load_order_of(catalog.use())
    names = [name for name in order.entities if name in payload.names and options.takes(name)]
    with writing(session, catalog, names) as opened:
        report.callers = opened.callers
        story = _Import(catalog, order, payload, options, opened, names=names, progress=progress)
        state = story.run()
        report.entities = state.counts
        report.problems = payload.located(state.problems)
        report.more_problems = state.problems.more
        if report.problems and not options.keeps_good:
            report.rolled_back = True
            for counts in report.entities.values():
                counts.inserted = 0
            raise ImportFailed(report)
        report.altered = state.altered
        _warn_of(report.altered)
    report.committed = not report.callers
    return report


def _warn_of(altered: list[Alteration]) -> None:
    """Warn of what triggers changed; a warning that is made an error rolls the import back."""
    if altered:
        warnings.warn(
            f"the database changed what was imported: {listed(map(str, altered), separator='; ')}. "
            "Where its triggers should not, disable them for the import; where they should, name "
            "these fields in Meta.volatile",
            AlteredWarning,
            stacklevel=4,
        )


class _Import:
    """One import: passes over the payload until the good records are in."""

    def __init__(
        self,
        catalog: Catalog,
        order: Order,
        payload: Payload,
        options: ImportOptions,
        opened: Opened,
        *,
        names: list[str],
        progress: Watch | None,
    ) -> None:
        self.entities = catalog.use()
        self.order = order
        self.payload = payload
        self.options = options
        self.database = opened.database
        self.progress = progress
        self.names = names
        trees = [rows for name in self.names for rows in self.entities[name].tree()]
        require_room(self.database.dialect, trees)
        self.tables = TableCounts(self.database, [self.entities[name] for name in self.names])
        self.reads_back = self.database.may_alter(list(self.tables.counted))
        self.duplicates: dict[str, dict[int, Duplicate]] = {}
        self.excluded: dict[str, set[int]] = {}
        self.blamed = Problems()
        self.failed = RememberedKeys()
        #: Problems of records of which others were made, which their own file may tell as well.
        self.beside: dict[tuple[str, int | None], Problem] = {}

    def run(self) -> LoadState:
        """Load everything; begin again whenever written records turn out bad."""
        while True:
            state = self._state()
            try:
                with self.database.connection.begin_nested():
                    self._pass(state)
                state.problems = self._named(state.problems)
                self._add_beside(state.problems)
                return state
            except Restart:
                self._blame(self._named(state.problems))
            finally:
                state.close()

    def _add_beside(self, problems: Problems) -> None:
        """Add what only stands in the way of records that were made of others."""
        known = {(item.file, item.record) for item in problems}
        problems.extend(item for place, item in self.beside.items() if place not in known)

    def _blame(self, problems: Problems) -> None:
        """Remember why records are left out of the next pass."""
        known = {(item.file, item.record) for item in self.blamed}
        for name in self.names:
            numbers = self.excluded.get(name, set())
            for item in problems:
                if item.file == self.payload.file(name) and item.record in numbers:
                    self.failed.add((name, json_text(item.key)))
                    if (item.file, item.record) not in known:
                        self.blamed.append(item)
        # Where too many were bad to keep each one's problem, it still counts.
        blamed = {(item.file, item.record) for item in self.blamed}
        self.blamed.more = sum(map(len, self.excluded.values())) - len(blamed)

    def _named(self, problems: Problems) -> Problems:
        """Give problems that were found late the keys of their records, from the payload."""
        wanted = {(item.file, item.record) for item in problems if item.key is None}
        keys: dict[Any, Any] = {}
        for name in self.names:
            file = self.payload.file(name)
            numbers = {number for where, number in wanted if where == file and number}
            if numbers:
                found = keys_of(self.entities[name], self.payload.blocks(name, CHUNK), numbers)
                keys |= {(file, number): key for number, key in found.items()}
        named = (replace(p, key=keys.get((p.file, p.record), p.key)) for p in problems)
        return Problems(named, problems.more)

    def _state(self) -> LoadState:
        state = LoadState(
            self.database,
            self.entities,
            self.order,
            self.tables,
            Resolvers(self.database),
            self.options.keeps_good,
            self.excluded,
            failed=self.failed,
        )
        state.reads_back = self.reads_back
        state.counts = {name: Counts() for name in self.names}
        state.notes = {
            name: self.payload.note(name, self.entities[name].version) for name in self.names
        }
        state.problems = Problems(self.blamed, self.blamed.more)
        for name in self.names:
            state.counts[name].failed = len(self.excluded.get(name, ()))
        return state

    def _pass(self, state: LoadState) -> None:
        """Load every row set in order, then set the references that were deferred."""
        for step in self.order.steps:
            if step in self.entities.roots:
                if step in self.names:
                    self._load(state, self.entities[step])
            else:
                self._late(state, step)
        for root in (self.entities[name] for name in self.names):
            self._update(state, root)
        self._synchronise()
        if not state.problems:
            self._check_links(state)
        self.tables.check(state.written, state.linked)
        if self.reads_back and (self.options.keeps_good or not state.problems):
            for name in self.names:
                state.altered += read_back(state, self.entities[name])

    def _update(self, state: LoadState, root: RowSet) -> None:
        """Set the references that were inserted as null."""
        loader = DeferredLoader(state, root, self.payload.file(root.name))
        for rows in root.tree():
            for reference in rows.references:
                if (rows.name, reference.name) in self.order.updated:
                    loader.update(rows, reference)

    def _load(self, state: LoadState, root: RowSet) -> None:
        """Load one entity's records, block by block."""
        file = self.payload.file(root.name)
        has_ids = self.payload.has_ids(root.name)
        decoder = RecordDecoder(self.database.dialect, root, file, ids=has_ids)
        loader = EntityLoader(state, root, file)
        refuses = self.options.refuses_existing(root.name)
        existing = Existing(state, root, loader, refuses=refuses)
        excluded = self.excluded.get(root.name, set()) | set(self.duplicates.get(root.name, ()))
        self._report_duplicates(loader, root)
        ascending = Ascending(decoder)

        def failed(problem: Problem) -> None:
            if problem.file == file:
                loader.report(problem)
            else:
                place = (problem.file, problem.record)
                if place in self.beside or len(self.beside) < MOST_PROBLEMS:
                    self.beside.setdefault(place, problem)
                else:
                    state.problems.more += 1

        for block in self.payload.blocks(root.name, CHUNK, failed):
            batch, problems = decoder.decode(block.records, block.first)
            for item in problems:
                loader.fail(item.record or 0, item.key, item.field, item.message)
            if root.name not in self.duplicates and not ascending.holds(batch):
                # A file out of key order is searched for duplicates first, once.
                self.duplicates[root.name] = find_duplicates(
                    decoder, self.payload.blocks(root.name, CHUNK)
                )
                raise Restart
            _count_links(state.links.setdefault(root.name, {}), root, batch)
            loader.load(existing.without(batch.without(excluded)))
            done = block.first - 1 + len(block.records)
            if self.progress is not None:
                self.progress(Progress("import", root.name, done, self.payload.total(root.name)))
        loader.finish()

    def _late(self, state: LoadState, step: str) -> None:
        for root in (self.entities[name] for name in self.names):
            loader = DeferredLoader(state, root, self.payload.file(root.name))
            for rows in root.tree():
                if rows.name == step:
                    loader.rows(rows)
                for links in rows.links:
                    if link_name(rows, links) == step:
                        loader.links(rows, links)

    def _report_duplicates(self, loader: EntityLoader, root: RowSet) -> None:
        for number, duplicate in self.duplicates.get(root.name, {}).items():
            other = self.payload.record_at(root.name, duplicate.other)
            message = f"has the natural key of {other}; it must be unique. Remove or rename one"
            loader.fail(number, told_key(root.key, duplicate.key), None, message)

    # After the load

    def _check_links(self, state: LoadState) -> None:
        """Compare the links that were read with the manifest."""
        for name in self.names:
            refuse_links(
                self.payload.file(name), self.payload.links(name), state.links.get(name, {})
            )

    def _synchronise(self) -> None:
        """Sequences that imported values went past are moved behind them."""
        columns = {
            column: None
            for name in self.names
            for rows in self.entities[name].tree()
            for column in sorted(rows.carried(), key=str)
        }
        self.database.synchronise(list(columns))


def _count_links(counts: dict[str, int], rows: RowSet, batch: Batch, path: str = "") -> None:
    """Add a batch's links to the counts, by dotted path."""
    for reference in rows.references:
        held = batch.references[reference.name]
        name = f"{path}{reference.written}"
        counts[name] = counts.get(name, 0) + len(held) - held.count(None)
    for links in rows.links:
        name = f"{path}{links.written}"
        counts[name] = counts.get(name, 0) + sum(map(len, batch.links[links.name]))
    for children in rows.children:
        nested = batch.children[children.name].batch
        _count_links(counts, children.rows, nested, f"{path}{children.written}.")
