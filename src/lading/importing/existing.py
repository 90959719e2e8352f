"""Records that are there already: finding them, and comparing them with a bundle's."""

from __future__ import annotations

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.importing.comparison import RecordComparison
from lading.importing.loader import Loader, LoadState
from lading.importing.resolved_keys import AMBIGUOUS
from lading.model.rowsets import RowSet
from lading.records.describe import described


class Existing:
    """Takes out the records whose natural key is in the target already."""

    def __init__(self, state: LoadState, root: RowSet, loader: Loader, *, refuses: bool) -> None:
        self.root = root
        self.loader = loader
        self.refuses = refuses
        self.database = state.database
        self.counts = state.counts[root.name]
        self.none_before = state.tables.is_empty(root)
        self.resolver = state.resolvers.by_key(root)
        self.comparison: RecordComparison | None = None

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
            self.comparison = RecordComparison(self.database, self.root)
        return self.comparison.differing(lines, identities)
