"""Compares written records with the stored ones, where triggers may change them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lading.database.dialects.base import Row
from lading.errors import TargetError
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.resolvers import Resolvers
from lading.messages import Message
from lading.model.hidden import HIDDEN, is_hidden
from lading.model.rowsets import RowSet
from lading.records.describe import described, masked_key
from lading.records.layout import Key
from lading.report import Alteration


def read_back(context: LoadContext, root: RowSet) -> Iterator[Alteration]:
    """Yield each field of an entity whose stored values differ from the written ones, once.

    Records are read as an export reads them, by the chunk in which they were inserted.
    """
    alterations: dict[str, Alteration] = {}
    comparison = StoredComparison(context.database, root)
    for keys, lines, identities in context.journal.inserted.get(root.name, ()):
        stored = _stored_lines(context, comparison, keys, identities)
        for key, line, stored_line in zip(keys, lines, stored, strict=True):
            if stored_line is None:
                raise _dropped(root, key)
            changed = {change[0]: change for change in comparison.changes(line, stored_line)}
            for field, written, now in changed.values():
                if field in alterations:
                    alterations[field] = replace(
                        alterations[field], count=alterations[field].count + 1
                    )
                else:
                    named = masked_key(root.key, key)
                    values = (HIDDEN, HIDDEN) if is_hidden(root, field) else (written, now)
                    alterations[field] = Alteration(root.name, field, 1, named, *values)
    yield from alterations.values()


def _stored_lines(
    context: LoadContext,
    comparison: StoredComparison,
    keys: Sequence[Key],
    identities: Sequence[Row],
) -> list[bytes | None]:
    """Read rows by their ids, or by natural key where a trigger changed the id."""
    stored = comparison.reader.lines_of(identities)
    lost = [key for key, identity in zip(keys, identities, strict=True) if identity not in stored]
    by_key: dict[Key, bytes | None] = {}
    if lost:
        # The import's own resolvers may have read the rows before a trigger changed them.
        rows = Resolvers(context.database).by_key(comparison.rows).find(lost)
        moved = {key: rows[key] for key in lost if rows.get(key, AMBIGUOUS) is not AMBIGUOUS}
        lines = comparison.reader.lines_of(list(moved.values()))
        by_key = {key: lines.get(identity) for key, identity in moved.items()}
    return [
        stored.get(identity, by_key.get(key))
        for key, identity in zip(keys, identities, strict=True)
    ]


def _dropped(root: RowSet, key: Key) -> TargetError:
    """Return the error for a row that is missing by its id and by its key."""
    return TargetError(
        Message(
            "rows-altered",
            f"the record with {described(root.key, key)} was written and isn't there any more",
        ),
        "Look for triggers or rules that drop rows, or that change both their id and their "
        "natural key, and disable them for the import.",
        entity=root.name,
    )
