"""Records that the database refuses after they were read: explained in the end, all at once."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from lading.importing.batch import Batch
from lading.importing.collisions import Collision, Collisions
from lading.importing.context import LoadContext
from lading.importing.decode import RecordDecoder
from lading.importing.outcomes import EntityOutcome
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.savepoints import Objection, message_of
from lading.messages import Message
from lading.report import MOST_PROBLEMS
from lading.scratch.sort import CHUNK


class LateRefusals:
    """Collects the records of one entity that are refused, and reports them.

    Only what is left for later is known of them by then, so those that may collide with others
    are read again, once, to say with which.
    """

    def __init__(self, context: LoadContext, outcome: EntityOutcome) -> None:
        self.context = context
        self.outcome = outcome
        #: The field and the message by which each is reported unless a collision is found.
        self.colliding: dict[int, tuple[str, Message]] = {}

    def add(self, number: int, field: str, objection: Objection) -> None:
        """Take a refused record.

        Args:
            number: its place in its file, counted from 1.
            field: the field that is at fault, as far as it is known.
            objection: what stands against it.
        """
        message = message_of(objection, self.outcome.root)
        if isinstance(objection, sa.exc.IntegrityError) and len(self.colliding) < MOST_PROBLEMS:
            self.colliding.setdefault(number, (field, message))
        else:
            self.outcome.fail(number, None, field, message)

    def report(self) -> None:
        """Report the records, each with the row that it collides with, if it is found."""
        collisions = Collisions(self.context, self.outcome.root)
        for batch in self._batches() if self.colliding else ():
            found = self._collision(collisions, batch)
            if found is not None:
                self.colliding[batch.numbers[0]] = found.field, found.message
        for number, (field, message) in self.colliding.items():
            self.outcome.fail(number, None, field, message)
        self.colliding = {}

    def _batches(self) -> Iterator[Batch]:
        """Yield the records, each by itself."""
        payload, root = self.outcome.payload, self.outcome.root
        ids, dialect = payload.has_ids(root.name), self.context.database.dialect
        decoder = RecordDecoder(dialect, root, self.outcome.file, ids=ids)
        for block in payload.blocks(root.name, CHUNK):
            for number, line in enumerate(block.records, block.first):
                if number in self.colliding:
                    yield decoder.decode([line], number)[0]

    def _collision(self, collisions: Collisions, batch: Batch) -> Collision | None:
        identity = (
            self.context.resolvers.by_key(self.outcome.root).find(batch.keys).get(batch.keys[0])
        )
        own = None if identity is AMBIGUOUS else identity
        return collisions.among(batch, [own]).get(0) or collisions.within(batch, own)
