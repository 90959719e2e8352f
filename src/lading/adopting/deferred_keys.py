"""Which of SQLite's foreign keys are checked only when a transaction ends."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from lading.adopting.generated import created_by, definitions, unquoted

_DEFERRED = ["DEFERRABLE", "INITIALLY", "DEFERRED"]


def note_deferred_keys(connection: sa.Connection, table: sa.Table) -> None:
    """Note the deferred foreign keys beside columns, of which SQLAlchemy doesn't read that.

    Rows that refer to each other could not be restored into copies of their tables otherwise.
    """
    if connection.dialect.name != "sqlite" or not table.foreign_key_constraints:
        return
    deferred = set(_deferred_columns(created_by(connection, table)))
    for key in table.foreign_key_constraints:
        if len(key.elements) == 1 and key.column_keys[0].lower() in deferred:
            key.deferrable, key.initially = True, "DEFERRED"
            key.elements[0].deferrable, key.elements[0].initially = True, "DEFERRED"


def _deferred_columns(sql: str) -> Iterator[str]:
    """Yield the names, in lower case, of columns with a deferred foreign key of their own."""
    for parts in definitions(sql):
        words = [part[0].upper() for part, _ in parts]
        starts = [n for n in range(len(words)) if words[n : n + 3] == _DEFERRED]
        if any(words[n - 1] != "NOT" for n in starts):
            yield unquoted(parts[0][0][0]).lower()
