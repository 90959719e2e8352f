"""Finds the planned rows whose references don't agree on the columns that they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lading.database.dialects.base import Row
from lading.importing.batch import ResolvedBatch
from lading.importing.context import LoadContext
from lading.importing.outcomes import EntityOutcome
from lading.importing.shared_columns import Disagreement
from lading.importing.updates.row_changes import RowChanges
from lading.importing.writer import RowWriter
from lading.loading.shared_values import compared_columns, id_text
from lading.model.rowsets import RowSet


class AgreementChecks:
    """Compares what planned records of one entity give to shared columns, as an import does."""

    def __init__(self, context: LoadContext, root: RowSet, outcome: EntityOutcome) -> None:
        self.outcome = outcome
        compared = compared_columns(context.entities)
        self.is_needed = any(rows.name in compared for rows in root.tree())
        self.writer = RowWriter(context.database, root, context.order.when_loaded())

    def check(self, resolved: ResolvedBatch, changes: RowChanges | None = None) -> None:
        """Report the records whose references don't agree.

        Args:
            resolved: the records, with what their references lead to, but those that wait.
            changes: what is to happen to their rows; ``None`` for new records.
        """
        if not self.is_needed:
            return
        batch = resolved.batch
        for disagreement in self._disagreements(self.writer, resolved, changes):
            place = disagreement.place
            if batch.numbers[place] not in self.outcome.bad:
                key = self.outcome.key_at(batch, place)
                message = disagreement.message
                self.outcome.fail(batch.numbers[place], key, disagreement.field, message)

    def _disagreements(
        self, writer: RowWriter, resolved: ResolvedBatch, changes: RowChanges | None
    ) -> Iterator[Disagreement]:
        """Yield where rows of one row set don't agree, and those that they nest."""
        resolved.ids = _ids(writer.rows, resolved, changes)
        rows = writer.unchecked_rows(resolved)
        yield from writer.agreement.disagreements(resolved.foreign, rows)
        yield from self._of_links(writer, resolved, rows, changes)
        for children, inner_writer in writer.children:
            owners = resolved.batch.children[children.name].owners
            inner = resolved.children.get(children.name)
            if inner is None:
                continue
            inner.owner_values = [writer.owner_values(children, rows[owner]) for owner in owners]
            inner_changes = None if changes is None else changes.children[children.name]
            for disagreement in self._disagreements(inner_writer, inner, inner_changes):
                yield disagreement.within(children.written, owners)

    def _of_links(
        self,
        writer: RowWriter,
        resolved: ResolvedBatch,
        rows: Sequence[Row],
        changes: RowChanges | None,
    ) -> Iterator[Disagreement]:
        for linker in writer.links if any(linker.shared for linker in writer.links) else ():
            at = [writer.place[up] for _, up in linker.links.local]
            for n, targets in enumerate(resolved.links.get(linker.links.name, ())):
                if changes is not None and not changes.takes(n, [linker.links]):
                    continue
                try:
                    for target in targets:
                        linker.row(tuple(rows[n][place] for place in at), target)
                except Disagreement as error:
                    yield Disagreement(error.field, error.message, n)


def _ids(rows: RowSet, resolved: ResolvedBatch, changes: RowChanges | None) -> list[object] | None:
    """Return the ids of rows that have one, or texts that stand for those of new rows."""
    if rows.surrogate is None:
        return None
    new = [id_text(rows, key) for key in resolved.batch.keys]
    identities = changes.identities if changes is not None else [None] * len(new)
    return [id_ if i is None else i[0] for id_, i in zip(new, identities, strict=True)]
