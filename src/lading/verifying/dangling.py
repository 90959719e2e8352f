"""Finds the records whose references lead nowhere, once it is known that some do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lading.bundle.manifest import Manifest
from lading.filenames import MANIFEST
from lading.importing.batch import Batch
from lading.model.rowsets import RowSet
from lading.records.describe import described, masked_key
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


def dangling(
    references: BundleReferences, readable: Mapping[str, Readable], manifest: Manifest
) -> Iterator[Problem]:
    """Yield the references that lead nowhere; of a partial bundle, numbers that differ.

    Args:
        references: the keys of all records and references.
        readable: what reads the records again, by entity.
        manifest: says how many references of a partial bundle lead out of it.
    """
    lost = references.dangling()
    counts: Counter[Spot] = Counter()
    try:
        for name, indexes in lost.items():
            source = readable[name]
            for block in source.blocks():
                batch, _ = source.decoder.decode(block.records, block.first)
                for number, path, reference, key in references.found(source.rows, batch, indexes):
                    counts[name, path] += 1
                    if not manifest.partial:
                        text = (
                            f"leads nowhere: {reference.target.name}: no record of this bundle has "
                            f"{described(reference.parts, key)}"
                        )
                        own = _key_of(source.rows, batch, number)
                        yield Problem(source.file, number, own, path, text)
    finally:
        for indexes in lost.values():
            for index in indexes.values():
                index.close()
    if manifest.partial:
        yield from _miscounted(references, counts, manifest)


def _miscounted(
    references: BundleReferences, counts: Mapping[Spot, int], manifest: Manifest
) -> Iterator[Problem]:
    """Compare the links that lead out of a partial bundle with what its manifest says."""
    expected = {(edge.entity, edge.field): edge.count for edge in manifest.external}
    for name, path in references.spots:
        leaving, count = counts.get((name, path), 0), expected.get((name, path), 0)
        if leaving != count:
            text = (
                f"{leaving} links of {name}.{path} lead nowhere in this bundle, and it says {count}"
            )
            yield Problem(MANIFEST, None, None, "external", text)


def _key_of(rows: RowSet, batch: Batch, number: int) -> Any:
    key = batch.keys[batch.numbers.index(number)]
    return masked_key(rows.key, key) if key else None
