"""Looks through the file of one entity: its records, their form and order, and their links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import lt
from typing import Any

from lading.bundle import Block
from lading.bundle.manifest import FileEntry
from lading.importing.batch import Batch
from lading.importing.duplicates import duplicates_in, key_repeated
from lading.importing.outcomes import count_links
from lading.messages import EDITED, Message
from lading.model.recursive_keys import Parts
from lading.model.rowsets import RowSet, Value
from lading.records.describe import masked_key
from lading.report import Problem
from lading.values.by_shape import AnyJson
from lading.verifying.findings import Findings
from lading.verifying.open_decoder import OpenDecoder
from lading.verifying.portable import PortableBinder
from lading.verifying.references import BundleReferences
from lading.verifying.repeated_values import RepeatedValues
from lading.verifying.strict_decoder import StrictDecoder

LOOSE = Message(
    "not-canonical", "isn't written as an export writes it. seal() rewrites it in canonical form"
)

LAYOUT = Message(
    "not-canonical", "isn't laid out as an export lays it out. seal() rewrites it in canonical form"
)


class FileCheck:
    """What is wrong with the records of one file.

    Args:
        entry: what the manifest says of it.
        rows: how its records are read; ``None`` where nobody knows.
        binder: what checks values.
        references: collects the keys of its records, and those that they refer to.
        findings: takes the problems.
        repeated: collects the unique values of its rows, where these are known.
    """

    def __init__(
        self,
        entry: FileEntry,
        rows: RowSet | None,
        binder: PortableBinder,
        references: BundleReferences,
        findings: Findings,
        *,
        repeated: RepeatedValues | None,
    ) -> None:
        self.entry = entry
        self.rows = rows
        self.references = references
        self.findings = findings
        #: How many records aren't in canonical form, and how many stand before their place.
        self.loose = 0
        self.misplaced = 0
        self.links: Counter[str] = Counter()
        self.record_count = 0
        self.is_clean = True
        self.is_canonical = True
        self.needs_search = False
        self.last: tuple[Any, int] | None = None
        ids = entry.shape.get("ids") is True
        self.decoder = (
            None if rows is None else StrictDecoder(binder, rows, entry.filename, ids=ids)
        )
        self.open = OpenDecoder(entry.filename, hides="hidden" in entry.shape)
        self.is_ordered = rows is None or not _is_opaque(rows.key)
        self.repeated = repeated

    def add(self, block: Block) -> None:
        """Look at some records."""
        self.record_count += len(block.records)
        if self.decoder is None:
            problems, loose = self.open.read(block.records, block.first)
            self._tell(problems, loose)
            return
        strict = self.decoder.read(block.records, block.first)
        self._tell(strict.problems, strict.loose)
        assert self.rows is not None
        self._check_order(strict.batch)
        if self.repeated is not None:
            self.repeated.add(self.rows, self.entry.filename, strict.batch)
        count_links(self.links, self.rows, strict.batch)
        self.links.update(dict(_unfollowed(self.rows, strict.batch)))
        self.references.add(self.rows, strict)

    @property
    def is_unread(self) -> bool:
        """Whether something kept every record of the file from being read."""
        return not self.record_count and bool(self.findings.lasting)

    def _tell(self, problems: Iterable[Problem], loose: Iterable[int]) -> None:
        for problem in problems:
            self.is_clean = False
            self.findings.add(problem)
        for number in loose:
            self.loose += 1
            self.is_canonical = False
            self.findings.add(Problem.of(LOOSE, self.entry.filename, number), mends=True)

    def _check_order(self, batch: Batch) -> None:
        """Tell each record that stands before its place; equal keys are searched for later."""
        assert self.decoder is not None
        orders = self.decoder.decoder.orders(batch.keys)
        if not orders:
            return
        last, self.last = self.last, (orders[-1], batch.numbers[-1])
        if (last is None or last[0] < orders[0]) and all(map(lt, orders, orders[1:])):
            return
        self.needs_search = True
        if not self.is_ordered:
            return
        for order, number, key in zip(orders, batch.numbers, batch.keys, strict=True):
            if last is not None and order < last[0]:
                self._tell_misplaced(number, key, last[1])
            last = (order, number)

    def _tell_misplaced(self, number: int, key: Any, other: int) -> None:
        self.misplaced += 1
        self.is_canonical = False
        text = Message(
            "record-misplaced",
            f"stands behind record {other}, whose key comes after its own. seal() puts records in "
            "key order",
        )
        self._problem(number, key, text, mends=True)

    def _problem(self, number: int, key: Any, text: Message, *, mends: bool = False) -> None:
        assert self.rows is not None
        portable = masked_key(self.rows.key, key) if key else None
        self.findings.add(Problem.of(text, self.entry.filename, number, portable), mends=mends)

    def tell_layout(self) -> None:
        """Tell that what stands between the records isn't what lading writes."""
        self.is_canonical = False
        self.findings.add(Problem.of(LAYOUT, self.entry.filename), mends=True)

    def finish(self, again: Callable[[], Iterator[Block]]) -> None:
        """Search for equal keys where the order doesn't show them, and compare the links.

        ``again`` reads the file's records once more.
        """
        if self.needs_search and self.decoder is not None:
            for number, duplicate in duplicates_in(self.decoder, again()):
                self._problem(number, duplicate.key, key_repeated(f"record {duplicate.other}"))
        if not self.is_clean or self.is_unread or self.rows is None:
            return
        for path, expected in self.entry.references.items():
            count = self.links.get(path, 0)
            if count != expected.count:
                text = Message(
                    "link-count",
                    f"holds {count} links, and the manifest says {expected.count}. {EDITED}",
                )
                problem = Problem.of(text, self.entry.filename, field=path)
                self.findings.add(problem, mends=True)


def _is_opaque(parts: Parts, above: tuple[Parts, ...] = ()) -> bool:
    """Tell whether a key has parts whose order nobody here knows."""
    if parts in above:
        return False
    return any(
        isinstance(part.kind, AnyJson)
        if isinstance(part, Value)
        else _is_opaque(part.parts, (*above, parts))
        for part in parts
    )


def _unfollowed(rows: RowSet, batch: Batch, path: str = "") -> Iterator[tuple[str, int]]:
    """Yield how many links the fields have that may be references to what isn't in the bundle."""
    writable = [value for value in rows.values if value.writable]
    for place, value in enumerate(writable):
        if isinstance(value.kind, AnyJson):
            fields = [values[place] for values in batch.values if values[place] is not None]
            count = sum(len(field) if isinstance(field, list) else 1 for field in fields)
            yield f"{path}{value.written}", count
    for children in rows.children:
        nested = batch.children[children.name].batch
        yield from _unfollowed(children.rows, nested, f"{path}{children.written}.")
