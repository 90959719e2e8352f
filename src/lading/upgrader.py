"""The story of an upgrade: an old bundle, written again as today's application would."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from lading.bundle import BundleWriter, with_bundle
from lading.bundle.manifest import FileEntry, Manifest
from lading.catalog import Catalog, catalog_of
from lading.errors import ImportFailed
from lading.exporting.external_links import Externals
from lading.exporting.manifest_builder import Contents
from lading.importing.bundle_payload import BundlePayload
from lading.mapping.coverage import uncarried
from lading.mapping.load_order import load_order_of
from lading.options import check_flags, check_number, check_path, check_progress
from lading.records.canonical import Canonicaliser, links_in
from lading.report import ImportReport, Problem, Problems, Progress
from lading.scratch.sort import CHUNK, chunked, externally_sorted

Watch = Callable[[Progress], None]


def upgrade(
    path: str | os.PathLike[str],
    to_path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    overwrite: bool = False,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> Manifest:
    """Write an old bundle again at the catalog's versions, without a database.

    The entity files are those of an export after an import of the old bundle; what the
    database computes is as the old bundle says.  Every record is loaded by its schema, and natural
    keys are unique; whether references lead anywhere is for an import to say.  A partial
    bundle stays one.

    Args:
        path: the old bundle.
        to_path: where the new one is written, as in :func:`export_all`; it may be ``path``.
        catalog: the catalog that both are of; by default the default one.
        overwrite: whether a bundle at ``to_path`` is replaced.
        progress: is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes the old bundle may hold, as in :func:`import_all`.

    Returns:
        The manifest of the new bundle, with its ``path``.

    Raises:
        ImportFailed: ``report`` lists every problem of a record.
        BundleError: either path is wrong, or the old bundle is.
        VersionError: no changes lead from its versions.  In each case nothing is left behind.
    """
    catalog = catalog_of(catalog)
    check_path("path", path)
    check_path("to_path", to_path)
    check_flags(overwrite=overwrite)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    catalog.use()
    return with_bundle(
        path,
        lambda reader: _upgraded(
            BundlePayload(reader), to_path, catalog, overwrite=overwrite, progress=progress
        ),
        max_bytes=max_bytes,
    )


def _upgraded(
    payload: BundlePayload,
    to_path: str | os.PathLike[str],
    catalog: Catalog,
    *,
    overwrite: bool,
    progress: Watch | None,
) -> Manifest:
    with closing(payload):
        payload.check(catalog)
        with (
            BundleWriter(to_path, overwrite=overwrite) as writer,
            closing(_Upgrade(catalog, payload, progress)) as story,
        ):
            files = [story.write_file(writer, name) for name in story.names]
            story.refuse_problems()
            return writer.finish(story.manifest(files))


class _Upgrade:
    """One upgrade: the records of each entity, and what the manifest says of them."""

    def __init__(self, catalog: Catalog, payload: BundlePayload, progress: Watch | None) -> None:
        self.catalog = catalog
        self.payload = payload
        self.progress = progress
        self.entities = catalog.use()
        order = load_order_of(self.entities)
        self.is_partial = payload.manifest.partial
        self.names = [
            name for name in order.entities if name in payload.names or not self.is_partial
        ]
        self.contents = Contents(self.entities, order, self.names)
        self.problems = Problems()
        self.external = Externals(self.entities, self.names) if self.is_partial else None

    def close(self) -> None:
        """Give temporary files back."""
        if self.external is not None:
            self.external.close()

    def write_file(self, writer: BundleWriter, name: str) -> FileEntry:
        """Write one entity's file in key order, and return its entry."""
        links: Counter[str] = Counter()
        version = self.entities[name].version
        with writer.entity_file(self.contents.filename(name), name, version) as file:
            for lines in chunked(self._in_order(name, links), CHUNK):
                file.write(lines)
        return self.contents.entry(file, links)

    def _in_order(self, name: str, links: Counter[str]) -> Iterator[bytes]:
        if name not in self.payload.names:
            return  # there was no such entity yet
        last: Any = None
        records = externally_sorted(self._records(name, links), size=lambda entry: len(entry[1][2]))
        for order, (number, key, text) in records:
            if last is not None and last[0] == order:
                self._refuse_twins(name, key, last[1], number)
            last = (order, number)
            yield text

    def _records(self, name: str, links: Counter[str]) -> Iterator[tuple[Any, Any]]:
        """Yield (order, (number, key, text)) of every record; note the problems of others."""
        rows, file = self.entities[name], self.payload.file(name)
        canonicaliser = Canonicaliser(rows)
        total = self.payload.total(name)
        for block in self.payload.blocks(name, CHUNK, self.problems.append):
            for number, line in enumerate(block.records, block.first):
                result = canonicaliser.make(line, file, number)
                if isinstance(result, list):
                    self.problems.extend(result)
                    continue
                links.update(path for path, _ in links_in(rows, result.record))
                if self.external is not None:
                    self.external.note(rows, result.record)
                yield result.order, (number, result.key, result.text)
            done = block.first - 1 + len(block.records)
            if self.progress is not None:
                self.progress(Progress("upgrade", name, done, total))

    def _refuse_twins(self, name: str, key: Any, number: int, other: int) -> None:
        text = (
            f"has the natural key of {self.payload.record_at(name, number)}; it must be unique. "
            "Remove or rename one"
        )
        self.problems.append(Problem(self.payload.file(name), other, key, None, text))

    def refuse_problems(self) -> None:
        """Raise ``ImportFailed`` if anything is wrong with any record."""
        if self.problems:
            problems = self.payload.located(self.problems)
            raise ImportFailed(
                ImportReport(problems=problems, more_problems=self.problems.more, rolled_back=True)
            )

    def manifest(self, files: list[FileEntry]) -> Manifest:
        """Say what the bundle holds: what the old one left out isn't in this one either."""
        old = self.payload.manifest
        return self.contents.manifest(
            files,
            source=self.catalog.source or old.source,
            partial=self.is_partial,
            left_out={**old.left_out, **uncarried(self.entities)},
            external=()
            if self.external is None
            else self.external.links_outside(files, old.external),
            snapshot=old.snapshot,
            brought_back=old.brought_back,
            rounded=old.rounded,
        )
