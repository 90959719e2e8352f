"""The catalog's references to doomed rows: of records that stay, or are still to be rewritten.

A plain field that is a foreign key counts as a reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import LiveForeignKey
from lading.importing.deletions.going_rows import GoingRows
from lading.importing.deletions.holders import Holder
from lading.importing.deletions.live_graph import LiveGraph, Relation
from lading.importing.deletions.referring_records import (
    RecordReference,
    ReferringRecords,
    referring_records,
)
from lading.importing.row_marks import RowMarks
from lading.model.entities import Entities
from lading.model.rowsets import RowSet, references_of

#: Chunks of the primary keys of records that an import will still rewrite, by entity.
Rewritten = Mapping[str, Iterable[Sequence[Row]]]


class CatalogReferences:
    """The catalog's references, and the records that will have others.

    Args:
        database: where the records are.
        entities: the catalog's.
        graph: the foreign keys of the database.
        rewritten: the records that the import will still rewrite; after its updates there are
            none.
        stack: closes the temporary files.
    """

    def __init__(
        self,
        database: Database,
        entities: Entities,
        graph: LiveGraph,
        rewritten: Rewritten,
        stack: ExitStack,
    ) -> None:
        self.database = database
        self.graph = graph
        self.marks: dict[str, RowMarks] = {}
        for name, chunks in rewritten.items():
            self.marks[name] = marks = RowMarks()
            stack.callback(marks.close)
            for records in chunks:
                marks.add(records)
        self.owners: dict[Relation, list[RecordReference]] = defaultdict(list)
        for root in entities.roots.values():
            for _, rows, reference in references_of(root):
                owner = RecordReference(root, rows, reference.columns)
                self.owners[graph.relation_of(reference)].append(owner)
            for rows in root.tree():
                for plain in graph.plain.get(rows, ()):
                    owner = RecordReference(root, rows, plain.columns)
                    self.owners[graph.relation_by(plain.key)].append(owner)

    def rewritten_rows(self, key: LiveForeignKey, keys: Sequence[Row]) -> RowMarks | None:
        """Return the rows that refer by a foreign key and whose records will be rewritten."""
        rewritten: RowMarks | None = None
        for owner in self.owners.get(self.graph.relation_by(key), ()):
            if owner.root.name in self.marks:
                rewritten = rewritten or RowMarks()
                for part in referring_records(self.database, self.graph, key, owner, keys):
                    staying = set(self.marks[owner.root.name].without(part.records))
                    rewritten.add(i for n, i in enumerate(part.identities) if n not in staying)
        return rewritten

    def kept(
        self, key: LiveForeignKey, keys: Sequence[Row], going: GoingRows
    ) -> Iterator[tuple[RowSet, dict[Row, Holder]]]:
        """Yield the entities whose staying records refer by a reference, by the key."""
        for owner in self.owners.get(self.graph.relation_by(key), ()):
            holders: dict[Row, Holder] = {}
            for part in referring_records(self.database, self.graph, key, owner, keys):
                for place in self._staying(owner.root.name, key, part, going):
                    near, record = part.near[place], part.records[place]
                    other = holders.get(near, Holder(record, 0))
                    first = min(other.identity, record, key=repr)
                    holders[near] = Holder(first, other.count + 1)
            yield owner.root, holders

    def _staying(
        self, name: str, key: LiveForeignKey, part: ReferringRecords, going: GoingRows
    ) -> list[int]:
        places = going.staying(key.table, part.identities)
        kept = going.without_doomed(name, [part.records[place] for place in places])
        places = [places[n] for n in kept]
        if name in self.marks:
            unwritten = set(self.marks[name].without(part.records))
            places = [place for place in places if place in unwritten]
        return places
