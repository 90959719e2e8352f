"""Decodes records and holds each against its canonical form, without a database.

A block is decoded and encoded as a whole; only where that doesn't give the same bytes is each
record looked at by itself, by its schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from lading.importing.batch import Batch, joined
from lading.importing.decode import CompiledDecoder
from lading.messages import Message
from lading.model.recursive_keys import holds_recurring
from lading.model.rowsets import RowSet, references_of
from lading.records.canonical import Canonicaliser
from lading.records.describe import described
from lading.records.faults import unfit
from lading.records.lines import encode_lines
from lading.report import Problem
from lading.values.json_text import on_own_stack, parse_json, plain_json_text
from lading.verifying.list_order import ListOrder, repeated_links
from lading.verifying.portable import PortableBinder


@dataclass(slots=True)
class StrictBatch:
    """The good records of a block, whose batch has their canonical texts as its lines.

    ``loose`` are the numbers of those that were written otherwise.  ``patched`` are bad records
    whose bad fields, by name, were replaced by those of a good one: they tell the other
    references, and what may be referred to.
    """

    batch: Batch
    patched: list[tuple[Batch, set[str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)


class StrictDecoder:
    """Decodes an entity's records, and tells which aren't in canonical form.

    Args:
        binder: what checks values.
        rows: how records are read.
        file: what problems call their file.
        ids: whether records carry surrogate ids, for people who debug.
        keeps_ids: whether canonical texts carry them too.
    """

    def __init__(
        self,
        binder: PortableBinder,
        rows: RowSet,
        file: str,
        *,
        ids: bool = False,
        keeps_ids: bool = True,
    ) -> None:
        compiled = binder.once(CompiledDecoder, rows, ids)
        self.rows = rows
        self.file = file
        self.ids = ids
        # Keys that recur stand as text in typed structs, in whatever order it is.
        has_recurring = any(map(holds_recurring, (each for _, _, each in references_of(rows))))
        self.goes_by_schema = compiled.custom or (ids and not keeps_ids) or has_recurring
        self.compiled = compiled
        self.decoder = compiled.decoder
        self.lists = ListOrder(compiled.decoder)
        self.has_computed = any(
            not value.writable for inner in rows.tree() for value in inner.values
        )
        #: A good record, as far as one was read.
        self.sample: Any = None

    @cached_property
    def canonicaliser(self) -> Canonicaliser:
        """What loads a record by its schema, and writes it anew."""
        return Canonicaliser(self.rows)

    def decode(self, lines: list[bytes], first: int) -> tuple[Batch, list[Problem]]:
        """Return the good records of a block, and the problems of the others."""
        strict = self.read(lines, first)
        return strict.batch, strict.problems

    def read(self, lines: list[bytes], first: int) -> StrictBatch:
        """Return the good records of a block, and what is wrong with it.

        ``first`` is the number of the block's first record.
        """
        whole = self._typed(lines, list(range(first, first + len(lines))))
        if whole is not None:
            return whole
        result = StrictBatch(self.decoder.batch([], [], []))
        batches = []
        for number, line in enumerate(lines, first):
            typed = self._typed([line], [number])
            if typed is not None:
                batches.append(typed.batch)
                result.loose += typed.loose
            elif (batch := self._by_schema(line, number, result)) is not None:
                batches.append(batch)
        if batches:
            result.batch = joined(batches)
            self.sample = parse_json(result.batch.lines[-1])
        for number, problems in groupby(result.problems, lambda problem: problem.record or 0):
            self._patch(lines[number - first], number, list(problems), result)
        return result

    def _patch(
        self, line: bytes, number: int, problems: Iterable[Problem], result: StrictBatch
    ) -> None:
        """Add a bad record without its bad fields, if they are all that is wrong with it."""
        names = {(problem.field or "").split(".")[0] for problem in problems}
        if "" in names or self.sample is None:
            return
        record = parse_json(line)  # only fields are wrong
        repaired = {name: value for name, value in record.items() if name not in names}
        repaired |= {name: self.sample[name] for name in names & self.sample.keys()}
        scratch = StrictBatch(result.batch)
        batch = self._by_schema(plain_json_text(repaired), number, scratch)
        if batch is not None:
            result.patched.append((batch, names))

    def _typed(self, lines: list[bytes], numbers: list[int]) -> StrictBatch | None:
        """Return records whose values and lists are canonical, whatever their texts are.

        ``None`` if others are among them: their schema decides.
        """
        if self.goes_by_schema:
            return None
        try:
            records = on_own_stack(
                self.compiled.json_records.decode, b"[" + b",".join(lines) + b"]"
            )
            texts = encode_lines(records)
            if not self.lists.holds(records):
                return None
            if texts != lines and self.has_computed:
                return None  # whose values no type tells, and so no text
            loose = [] if texts == lines else _loose(lines, texts, numbers)
            return StrictBatch(self.decoder.batch(records, numbers, texts), loose=loose)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None

    def _by_schema(self, line: bytes, number: int, result: StrictBatch) -> Batch | None:
        """Return a record as its schema loads it, and note what is wrong with its text."""
        canonical = self.canonicaliser.make(line, self.file, number)
        if isinstance(canonical, list):
            result.problems += canonical
            return None
        struct = self.decoder.struct(canonical.record)
        faults = list(self.decoder.faults(struct))
        try:
            batch = self.decoder.batch([struct], [number], [canonical.text])
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            result.problems += [
                Problem.of(text, self.file, number, canonical.key, path or None)
                for path, text in unfit(self.rows, faults or [("", str(error))])
            ]
            return None
        result.problems += self._twice(batch, number, canonical.key)
        if canonical.text != line and not self.ids:
            result.loose.append(number)
        return batch

    def _twice(self, batch: Batch, number: int, key: Any) -> Iterator[Problem]:
        """Yield the lists of a record's links in which one stands twice."""
        for path, reference, link in repeated_links(self.rows, batch):
            text = Message(
                "link-repeated",
                f"names the record of {reference.target.name} with "
                f"{described(reference.parts, link)} twice. Remove one",
            )
            yield Problem.of(text, self.file, number, key, path)


def _loose(lines: list[bytes], texts: list[bytes], numbers: list[int]) -> list[int]:
    """Return the numbers of the lines that differ from their canonical texts.

    ``ValueError`` if one isn't strict JSON, for the typed decoder accepts duplicate keys.
    """
    loose = []
    for line, text, number in zip(lines, texts, numbers, strict=True):
        if line != text:
            parse_json(line)
            loose.append(number)
    return loose
