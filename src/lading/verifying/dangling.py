"""Finds the records whose references lead nowhere, once it is known that some do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

from lading.bundle.manifest import Manifest
from lading.filenames import MANIFEST
from lading.importing.batch import Batch
from lading.messages import Message
from lading.model.rowsets import Reference, RowSet
from lading.records.describe import described, masked_key
from lading.records.layout import Key
from lading.report import Problem
from lading.verifying.references import BundleReferences, Spot
from lading.verifying.strict_decoder import StrictDecoder


@dataclass(frozen=True, slots=True)
class Readable:
    """The records of an entity, which can be read as often as asked for."""

    rows: RowSet
    file: str
    decoder: StrictDecoder
    blocks: Callable[[], Iterator[Any]]


class Tell(Protocol):
    """Takes a problem; ``mends`` says that rewriting the bundle ends it."""

    def __call__(self, problem: Problem, *, mends: bool = False) -> None:
        """Take it."""


def follow(
    references: BundleReferences,
    readable: Mapping[str, Readable],
    tell: Callable[[Problem], None] = lambda _: None,
    leaving: Container[Spot] = (),
) -> Counter[Spot]:
    """Count the links of each reference that lead to no record, and tell of each in file order.

    Args:
        references: the keys of all records and references.
        readable: what reads the records again, by entity.
        tell: is called with a problem for each link.
        leaving: the references whose links may lead out of the bundle, which aren't told.
    """
    counts: Counter[Spot] = Counter()
    for source, batch, number, path, reference, key in _dangling(references, readable):
        counts[source.rows.name, path] += 1
        if (source.rows.name, path) in leaving:
            continue
        target = reference.target.name
        near = references.nearest(reference, key)
        nearest = f"; closest is {near!r}" if near is not None else ""
        text = Message(
            "reference-missing",
            f"leads nowhere: {target}: no record of this bundle has "
            f"{described(reference.parts, key)}{nearest}. Add the record to {target}, or correct "
            "the key",
        )
        tell(Problem.of(text, source.file, number, _key_of(source.rows, batch, number), path))
    return counts


def _dangling(
    references: BundleReferences, readable: Mapping[str, Readable]
) -> Iterator[tuple[Readable, Batch, int, str, Reference, Key]]:
    lost = references.dangling()
    try:
        for name, indexes in lost.items():
            source = readable[name]
            for block in source.blocks():
                strict = source.decoder.read(block.records, block.first)
                links = references.dangling_links(source.rows, strict, indexes)
                for link in sorted(links, key=itemgetter(1)):  # by the record's number
                    yield source, *link
    finally:
        for indexes in lost.values():
            for index in indexes.values():
                index.close()


def leaving_of(manifest: Manifest) -> dict[Spot, int]:
    """Map the references of a partial bundle that lead out of it to how many links do."""
    return {(edge.entity, edge.field): edge.count for edge in manifest.external}


def compare_external(
    references: BundleReferences, counts: Mapping[Spot, int], manifest: Manifest, tell: Tell
) -> None:
    """Compare the links that lead out of a partial bundle with what its manifest says.

    Those of references of which it says none are told by ``follow``, each with its place.  Fewer
    are mended by counting anew; one more may be a reference that is misspelt.

    Args:
        references: those that were followed.
        counts: how many links of each lead out of the bundle.
        manifest: what the bundle says of them.
        tell: takes the problems.
    """
    expected = leaving_of(manifest)
    for name, path in references.spots:
        leaving, count = counts.get((name, path), 0), expected.get((name, path), 0)
        if leaving != count and count:
            text = Message(
                "external-count",
                f"{leaving} links of {name}.{path} lead nowhere in this bundle, and the manifest "
                f"says {count}. Look for a misspelt key, or seal the bundle if links were removed",
            )
            tell(Problem.of(text, MANIFEST, field="external"), mends=leaving < count)


def _key_of(rows: RowSet, batch: Batch, number: int) -> Any:
    key = batch.keys[batch.numbers.index(number)]
    return masked_key(rows.key, key) if key else None
