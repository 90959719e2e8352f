"""A bundle of a payload's records at today's versions, as an export would write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from lading.bundle import BundleWriter
from lading.bundle.manifest import External, FileEntry
from lading.catalog import Catalog
from lading.changes.run import Piece
from lading.errors import ImportFailed
from lading.exporting.manifest_builder import Contents
from lading.importing.duplicates import key_repeated
from lading.importing.outcomes import count_links
from lading.importing.payload import Payload
from lading.mapping.load_order import load_order_of
from lading.model.rowsets import references_of
from lading.records.describe import masked_key
from lading.records.layout import Key
from lading.report import MOST_PROBLEMS, ImportReport, Problem, Problems, Progress
from lading.scratch.sort import CHUNK, chunked
from lading.verifying.dangling import Readable, follow
from lading.verifying.in_order import lines_in_order
from lading.verifying.portable import portable_of
from lading.verifying.references import BundleReferences, Spot
from lading.verifying.strict_decoder import StrictBatch, StrictDecoder

Watch = Callable[[Progress], None]


class CanonicalBundle:
    """The records of each entity, and what a manifest says of them.

    Args:
        catalog: what the records are of.
        payload: where they come from.
        partial: whether entities of the catalog may be missing.
        follows: whether references are held against the records.
        step: what ``watch`` is told is going on.
        watch: is called after each chunk.
    """

    def __init__(
        self,
        catalog: Catalog,
        payload: Payload,
        *,
        partial: bool,
        follows: bool,
        step: str,
        watch: Watch | None,
    ) -> None:
        self.payload = payload
        self.step = step
        self.watch = watch
        self.entities = catalog.use()
        self.is_partial = partial
        order = load_order_of(self.entities)
        self.names = [name for name in order.entities if name in payload.names or not partial]
        self.contents = Contents(self.entities, order, self.names)
        self.problems = Problems()
        self.unread: set[str] = set()
        self.links: dict[str, Counter[str]] = {}
        roots = [self.entities[name] for name in self.names] if follows else []
        self.references = BundleReferences(roots)

    def write(self, writer: BundleWriter) -> list[FileEntry]:
        """Write all files, and return their entries; the problems of records are noted."""
        return [self._write_file(writer, name) for name in self.names]

    def close(self) -> None:
        """Give temporary files back."""
        self.references.close()

    def _write_file(self, writer: BundleWriter, name: str) -> FileEntry:
        links = self.links[name] = Counter()
        version = self.entities[name].version
        with writer.entity_file(self.contents.filename(name), name, version) as file:
            if name in self.payload.names:  # else there was no such entity yet
                for lines in chunked(self._lines(name), CHUNK):
                    file.write(lines)
        return self.contents.entry(file, links)

    def _lines(self, name: str) -> Iterator[bytes]:
        decoder = self._decoder(name)
        blocks = self._pieces(name)
        return lines_in_order(
            decoder, blocks, partial(self._take, name), partial(self._twins, name)
        )

    def _decoder(self, name: str) -> StrictDecoder:
        binder = self.entities.once(portable_of)
        rows, file = self.entities[name], self.payload.file(name)
        return StrictDecoder(binder, rows, file, ids=self.payload.has_ids(name), keeps_ids=False)

    def _pieces(self, name: str) -> Iterator[Piece]:
        for piece in self.payload.blocks(name, CHUNK, self._note_unread):
            yield piece
            if self.watch is not None:
                done = piece.first - 1 + len(piece.records)
                self.watch(Progress(self.step, name, done, self.payload.total(name)))

    def _note_unread(self, problem: Problem) -> None:
        """Note what can't be upgraded, once: records may be read for several entities."""
        text = str(problem)
        if text not in self.unread:
            self.problems.append(problem)
            self.unread |= {text} if len(self.unread) < MOST_PROBLEMS else set()

    def _take(self, name: str, strict: StrictBatch) -> None:
        rows = self.entities[name]
        self.problems.extend(strict.problems)
        count_links(self.links[name], rows, strict.batch)
        self.references.add(rows, strict)

    def _twins(self, name: str, number: int, key: Key, other: int) -> None:
        text = key_repeated(self.payload.record_at(name, other))
        own = masked_key(self.entities[name].key, key)
        self.problems.append(Problem.of(text, self.payload.file(name), number, own))

    # References

    def leaving(self) -> Counter[Spot]:
        """Count the links that lead to none of the records, of references to written entities."""
        return follow(self.references, self._readable())

    def note_dangling(self) -> None:
        """Note each link that leads to none of the records as a problem."""
        follow(self.references, self._readable(), self.problems.append)

    def _readable(self) -> dict[str, Readable]:
        return {
            name: Readable(
                self.entities[name],
                self.payload.file(name),
                self._decoder(name),
                partial(self.payload.blocks, name, CHUNK),
            )
            for name in self.names
            if name in self.payload.names
        }

    def external(self, leaving: Mapping[Spot, int]) -> Iterator[External]:
        """Yield the references that lead out of the bundle, with the number of their links."""
        for name in self.names:
            for path, _, reference in references_of(self.entities[name]):
                count = self.links[name][path]
                if (name, path) in self.references.spots:
                    count = leaving.get((name, path), 0)
                if count:
                    yield External(name, path, reference.target.name, count)

    def refuse_problems(self) -> None:
        """Raise ``ImportFailed`` if anything is wrong with any record."""
        if self.problems:
            raise failed(self.payload.located(self.problems), self.problems.more)


def failed(problems: Sequence[Problem], more: int) -> ImportFailed:
    """Return the error for records that can't be written."""
    report = ImportReport(problems=list(problems), more_problems=more, rolled_back=True)
    return ImportFailed(report)
