"""Records that are there already: finding them, and comparing them with a bundle's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lading.declare.rowsets import Children, Links, RowSet
from lading.engine.batch import Batch
from lading.engine.decode import without_ids
from lading.engine.describe import described
from lading.engine.dialects.base import Dialect, Row
from lading.engine.layout import RecordLayout
from lading.engine.loader import Loader, LoadState
from lading.engine.read import RecordReader
from lading.engine.through import canonical_record, writable_content
from lading.engine.tree import AMBIGUOUS
from lading.jsontext import json_text, parse_json


class Comparison:
    """Compares the records of a bundle with those of the target, by content."""

    def __init__(self, dialect: Dialect, rows: RowSet) -> None:
        self.rows = rows
        self.reader = RecordReader(dialect, rows)
        self.schema = rows.schema()
        self.layout = RecordLayout(rows, ids=True)

    def differing(self, lines: Sequence[bytes], identities: Sequence[Row]) -> int:
        """Count the lines that say other than the rows with these primary keys."""
        held = self.reader.lines_of(identities)
        return sum(
            1
            for line, identity in zip(lines, identities, strict=True)
            if line != held[identity] and self._differ(line, held[identity])
        )

    def _differ(self, line: bytes, there: bytes) -> bool:
        """Compare what counts: values and not their spelling, sets and not their order."""
        loaded = self.schema.load(without_ids(self.layout, parse_json(line)))
        ours = settled(self.rows, canonical_record(self.rows, loaded))
        return ours != settled(self.rows, writable_content(self.rows, parse_json(there)))


def settled(rows: RowSet, record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what of a canonical record counts: nothing volatile, sets in one order."""
    counted: list[Any] = []
    for member in rows.members:
        if member.name in rows.volatile or member.written not in record:
            continue
        value = record[member.written]
        if isinstance(member, Links):
            counted.append(tuple(sorted(map(json_text, value))))
        elif isinstance(member, Children):
            items = [settled(member.rows, item) for item in value]
            counted.append(tuple(items if member.sequence else sorted(items)))
        else:
            counted.append(json_text(value))
    return tuple(counted)


class Existing:
    """Takes out the records whose natural key is in the target already."""

    def __init__(self, state: LoadState, root: RowSet, loader: Loader, *, refuses: bool) -> None:
        self.root = root
        self.loader = loader
        self.refuses = refuses
        self.dialect = state.dialect
        self.counts = state.counts[root.name]
        self.none_before = state.tables.is_empty(root)
        self.resolver = state.resolvers.by_key(root)
        self.comparison: Comparison | None = None

    def without(self, batch: Batch) -> Batch:
        """Return the batch's new records; the others are skipped, or problems."""
        if self.none_before:
            return batch
        found = self.resolver.find(batch.keys)
        there = [place for place, key in enumerate(batch.keys) if key in found]
        unclear = {place for place in there if found[batch.keys[place]] is AMBIGUOUS}
        for place in unclear:
            text = described(self.root.key, self.resolver.unclear(batch.keys[place]))
            self.loader.fail(
                batch.numbers[place],
                self.loader.name_of(batch, place),
                None,
                f"several {self.root.name} in the database have {text}; make it unique there",
            )
        gone = {batch.numbers[place] for place in there}
        there = [place for place in there if place not in unclear]
        if self.refuses:
            for place in there:
                self.loader.fail(
                    batch.numbers[place],
                    self.loader.name_of(batch, place),
                    None,
                    f"{described(self.root.key, batch.keys[place])} is in the database already; "
                    "on_conflict='skip' leaves such records alone",
                )
        elif there:
            self.counts.skipped += len(there)
            self.counts.differing += self._differing(
                [batch.lines[place] for place in there],
                [found[batch.keys[place]] for place in there],
            )
        return batch.without(gone)

    def _differing(self, lines: list[bytes], identities: list[Row]) -> int:
        if self.comparison is None:
            self.comparison = Comparison(self.dialect, self.root)
        return self.comparison.differing(lines, identities)
