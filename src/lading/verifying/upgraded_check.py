"""Looks at the records of an older bundle as the catalog's changes make them today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from lading.changes.run import Piece
from lading.errors import BundleError
from lading.importing.bundle_payload import BundlePayload
from lading.importing.duplicates import KeyOrder, duplicates_in, key_repeated
from lading.messages import noted
from lading.model.entities import Entities
from lading.records.describe import masked_key
from lading.report import Problem
from lading.scratch.sort import CHUNK
from lading.verifying.dangling import Readable, compare_external, follow, leaving_of
from lading.verifying.findings import Findings, problem_of
from lading.verifying.portable import PortableBinder
from lading.verifying.references import BundleReferences
from lading.verifying.repeated_values import RepeatedValues
from lading.verifying.strict_decoder import StrictDecoder


class UpgradedCheck:
    """Checks upgraded records; what its own shapes showed of a record already isn't told again."""

    def __init__(
        self, payload: BundlePayload, entities: Entities, binder: PortableBinder, findings: Findings
    ) -> None:
        self.payload = payload
        self.entities = entities
        self.binder = binder
        self.findings = findings
        self.known = {(problem.file, problem.record) for problem in findings.problems}

    def run(self) -> None:
        """Read every entity, and follow its references."""
        names = [name for name in self.payload.names if name in self.entities.roots]
        readable = {name: self._readable(name) for name in names}
        with (
            closing(BundleReferences(self.entities[name] for name in names)) as references,
            closing(RepeatedValues()) as repeated,
        ):
            for source in readable.values():
                self._check(source, references, repeated)
            for problem in repeated.problems(self._place):
                self._tell(problem)
            manifest = self.payload.manifest
            if manifest.partial:
                leaving = follow(references, readable, self._tell, leaving_of(manifest))
                compare_external(references, leaving, manifest, self._tell)
            else:
                follow(references, readable, self._tell)

    def _readable(self, name: str) -> Readable:
        rows, file = self.entities[name], self.payload.file(name)
        decoder = StrictDecoder(self.binder, rows, file, ids=self.payload.has_ids(name))
        return Readable(rows, file, decoder, lambda: self._pieces(name))

    def _pieces(self, name: str, failed: Any = lambda _: None) -> Iterator[Piece]:
        """Yield upgraded records; an upgrade that can't go on is a problem of its file."""
        try:
            yield from self.payload.blocks(name, CHUNK, failed)
        except BundleError as error:
            self._tell(problem_of(error, self.payload.file(name)))

    def _check(
        self, source: Readable, references: BundleReferences, repeated: RepeatedValues
    ) -> None:
        name = source.rows.name
        order, is_ordered = KeyOrder(source.decoder), True
        for piece in self._pieces(name, self._tell):
            strict = source.decoder.read(piece.records, piece.first)
            for problem in strict.problems:
                note = self.payload.note(name, source.rows.version)
                self._tell(replace(problem, message=noted(problem.text, note).plain))
            is_ordered = is_ordered and order.holds(strict.batch)
            references.add(source.rows, strict)
            repeated.add(source.rows, source.file, strict.batch)
        if not is_ordered:
            for number, duplicate in duplicates_in(source.decoder, self._pieces(name)):
                other = self.payload.record_at(name, duplicate.other)
                key = masked_key(source.rows.key, duplicate.key)
                self._tell(Problem.of(key_repeated(other), source.file, number, key))

    def _place(self, file: str, number: int) -> str:
        """Name the record of the bundle that an upgraded one comes from."""
        name = next(name for name in self.payload.names if self.payload.file(name) == file)
        place = self.payload.record_at(name, number)
        return place if " of " in place else f"{place} of {file}"

    def _tell(self, problem: Problem, *, mends: bool = False) -> None:
        (located,) = self.payload.located([problem])
        if (located.file, located.record) not in self.known:
            self.findings.add(located, mends=mends)
