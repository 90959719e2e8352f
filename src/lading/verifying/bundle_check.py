"""Looks through a whole bundle: its store, its manifest, its files, and where references lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from lading.bundle import Block, BundleSurvey
from lading.bundle.manifest import FileEntry, Manifest
from lading.bundle.scan import Malformed
from lading.bundle.shape_format import is_shape
from lading.catalog import Catalog
from lading.changes.rewriting.shapes import is_owned
from lading.changes.run import without_unknown
from lading.errors import LadingError
from lading.filenames import MANIFEST
from lading.importing.bundle_payload import BundlePayload
from lading.importing.contradictions import contradictions
from lading.messages import DAMAGED, Message
from lading.model.entities import Entities
from lading.model.rowsets import RowSet
from lading.model.shape import shape_of
from lading.report import Problem, Progress
from lading.scratch.sort import CHUNK
from lading.values.json_text import on_own_stack, parse_json
from lading.verifying.dangling import Readable, compare_external, follow, leaving_of
from lading.verifying.file_check import FileCheck
from lading.verifying.findings import Findings
from lading.verifying.portable import PortableBinder, portable_of
from lading.verifying.references import BundleReferences, Spot
from lading.verifying.repeated_values import RepeatedValues
from lading.verifying.shape_rows import hide_as_declared, rows_of_shapes
from lading.verifying.upgraded_check import UpgradedCheck

Watch = Callable[[Progress], None]
NO_SHAPE = Message(
    "shape-malformed",
    f"isn't the shape of any records, which are looked at as plain JSON. {DAMAGED}",
)
UNREAD = Message(
    "file-unread",
    "none of its records could be read, so references to them aren't followed. Mend the file first",
)


@dataclass(frozen=True, slots=True)
class RecordReading:
    """How the records of a bundle are read as they stand there: by a catalog, or by its shapes."""

    rows: Mapping[str, RowSet]
    binder: PortableBinder
    is_by_shape: bool
    #: Whether its references are followed at once; otherwise once they are upgraded.
    follows: bool


def _by_shapes(manifest: Manifest, *, follows: bool) -> RecordReading:
    binder = PortableBinder()
    return RecordReading(rows_of_shapes(manifest.files, binder), binder, True, follows)


class BundleCheck:
    """One look through a bundle; ``findings`` are what is wrong.

    ``reading`` says how records were read, ``files`` what was seen of each entity's, and
    ``leaving`` how many links lead out of a partial bundle, of the references that were
    ``followed``.
    """

    def __init__(self, survey: BundleSurvey, catalog: Catalog | None, watch: Watch | None) -> None:
        self.survey = survey
        self.catalog = catalog
        self.watch = watch
        self.findings = Findings()
        self.reading: RecordReading | None = None
        self.files: dict[str, FileCheck] = {}
        self.leaving: Counter[Spot] = Counter()
        self.followed: set[Spot] = set()

    def run(self) -> None:
        """Look at everything."""
        for fault in (*self.survey.faults, *self.survey.store_faults()):
            self._note(fault)
        manifest = self.survey.manifest
        if manifest is None:
            return
        if self.catalog is None:
            for fault in contradictions(manifest, None, current=False):
                self._note(fault)
            self._check_files(manifest, _by_shapes(manifest, follows=True))
            return
        with closing(BundlePayload(self.survey)) as payload:
            self._by_catalog(manifest, payload, self.catalog)

    def _by_catalog(self, manifest: Manifest, payload: BundlePayload, catalog: Catalog) -> None:
        """Read records as the catalog declares them, where they are of its own shapes."""
        for fault in payload.faults(catalog):
            self._note(fault)
        entities = catalog.use()
        binder = entities.once(portable_of)
        if is_current(manifest, entities):
            self._check_files(manifest, RecordReading(entities.roots, binder, False, True))
            return
        is_readable = payload.streams is not None
        reading = _by_shapes(manifest, follows=not is_readable)
        hide_as_declared(reading.rows, entities)
        self._check_files(manifest, reading)
        if is_readable:
            UpgradedCheck(payload, entities, binder, self.findings).run()

    def _note(self, fault: LadingError) -> None:
        self.findings.add_error(fault, str(self.survey.path))

    def _check_files(self, manifest: Manifest, reading: RecordReading) -> None:
        self.reading = reading
        roots = [reading.rows[n] for n in _names(manifest) if n in reading.rows]
        with (
            closing(BundleReferences(roots if reading.follows else [])) as references,
            closing(RepeatedValues()) as repeated,
        ):
            readable = {}
            for place, entry in enumerate(manifest.files):
                rows = reading.rows.get(entry.entity_type)
                if rows is None and not (is_shape(entry.shape) and entry.shape.get("custom")):
                    field = f"files[{place}].shape"
                    self.findings.add(Problem.of(NO_SHAPE, MANIFEST, field=field))
                check = self._check_file(entry, rows, reading, references, repeated)
                self.files[entry.entity_type] = check
                if check.decoder is not None and rows is not None:
                    blocks = partial(self._again, entry, reading)
                    readable[rows.name] = Readable(rows, entry.filename, check.decoder, blocks)
            for problem in repeated.problems():
                self.findings.add(problem)
            self._ignore_unread(references)
            self.followed = set(references.spots)
            if not manifest.partial:
                follow(references, readable, self.findings.add)
                return
            may_leave = leaving_of(manifest)
            self.leaving = follow(references, readable, self.findings.add, may_leave)
            compare_external(references, self.leaving, manifest, self.findings.add)

    def _ignore_unread(self, references: BundleReferences) -> None:
        """Say of files that couldn't be read what else isn't looked at, in place of each link."""
        for check in self.files.values():
            if check.is_unread and check.rows is not None and references.ignore(check.rows):
                self.findings.add(Problem.of(UNREAD, check.entry.filename))

    def _again(self, entry: FileEntry, reading: RecordReading) -> Iterator[Block]:
        """Yield a file's records once more."""
        for block in self.survey.blocks(entry, CHUNK):
            yield _without_ids(entry, block) if reading.is_by_shape else block

    def _check_file(
        self,
        entry: FileEntry,
        rows: RowSet | None,
        reading: RecordReading,
        references: BundleReferences,
        repeated: RepeatedValues,
    ) -> FileCheck:
        """Look at one file; again, line by line, if it is malformed."""
        findings = Findings()

        def fault(error: LadingError) -> None:
            findings.add_error(error, entry.filename)

        def begun() -> FileCheck:
            unique = None if reading.is_by_shape else repeated
            return FileCheck(entry, rows, reading.binder, references, findings, repeated=unique)

        check = begun()
        try:
            for block in self.survey.examined(entry, CHUNK, fault):
                check.add(_without_ids(entry, block) if reading.is_by_shape else block)
                self._progress(entry, block)
        except Malformed as malformed:
            findings = Findings()
            if rows is not None:
                references.forget(rows)
                repeated.forget(rows)
            check = begun()
            for block in self.survey.salvaged(entry, malformed, fault):
                check.add(_without_ids(entry, block) if reading.is_by_shape else block)
            check.is_clean = False
        if entry.filename in self.survey.loose and not check.loose and check.is_clean:
            check.tell_layout()
        check.finish(lambda: self._again(entry, reading))
        self.findings.extend(findings)
        return check

    def _progress(self, entry: FileEntry, block: Block) -> None:
        if self.watch is not None:
            done = block.first - 1 + len(block.records)
            self.watch(Progress("verify", entry.entity_type, done, entry.record_count))


def _without_ids(entry: FileEntry, block: Block) -> Block:
    """Take out the ids of records made for debugging, whose names no shape tells."""
    if entry.shape.get("ids") is not True:
        return block
    lines = []
    for line in block.records:
        try:
            record = parse_json(line)
            if isinstance(record, dict):
                without_unknown(dict(entry.shape), record)
            lines.append(on_own_stack(msgspec.json.encode, record))
        except (ValueError, TypeError, KeyError, OverflowError):
            lines.append(line)  # which the decoder says
    return Block(block.first, lines)


def _names(manifest: Manifest) -> list[str]:
    return list(dict.fromkeys(entry.entity_type for entry in manifest.files))


def is_current(manifest: Manifest, entities: Entities) -> bool:
    """Tell whether all records are of the shapes that a catalog declares, in written order."""
    return all(
        entry.entity_type in entities.roots
        and entry.schema_version == entities[entry.entity_type].version
        and _is_written_as(entry.shape, shape_of(entities[entry.entity_type]))
        for entry in manifest.files
    )


def _is_written_as(shape: Mapping[str, Any], declared: Mapping[str, Any]) -> bool:
    return shape.items() >= declared.items() and _order(shape) == _order(declared)


def _order(shape: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields of records, and of what they own, as they stand in them."""
    fields = shape["fields"].items()
    return [(name, _order(inner) if is_owned(inner) else None) for name, inner in fields]
