"""Writes in savepoints: all rows at once or, where the database objects, all but the bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, Self, TypeVar

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.database.refused_columns import refused_columns
from lading.driver_errors.refusals import refusal_without_values
from lading.importing.journal import Journal, WriteLog
from lading.importing.shared_columns import Disagreement
from lading.messages import Message, noted
from lading.model.hidden import has_hidden
from lading.model.rowsets import Column, Member, Reference, RowSet, Value

#: Why a record can't be written: an error of the database, or fields that contradict each other.
Objection = sa.exc.DBAPIError | Disagreement


class Divisible(Protocol):
    """Rows that can be inserted together, or in parts."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Self: ...


Rows = TypeVar("Rows", bound=Divisible)


def insert_or_bisect(
    rows: Rows, insert: Callable[[Rows], Objection | None]
) -> Iterator[tuple[Rows, Objection]]:
    """Insert rows at once; where the database objects, narrow its error down to single rows.

    Yields each bad row by itself, with the objection to it.  A caller that stops reading
    leaves out the rows behind it.
    """
    objection = insert(rows) if len(rows) else None
    if objection is not None:
        yield from bisect(rows, objection, insert)


def bisect(
    rows: Rows, objection: Objection, insert: Callable[[Rows], Objection | None]
) -> Iterator[tuple[Rows, Objection]]:
    """Insert the halves of rows that were refused together, as ``insert_or_bisect`` does."""
    if len(rows) == 1:
        yield rows, objection
        return
    half = len(rows) // 2
    yield from insert_or_bisect(rows[:half], insert)
    yield from insert_or_bisect(rows[half:], insert)


def attempt(
    database: Database, journal: Journal, write: Callable[[WriteLog], object]
) -> Objection | None:
    """Write in a savepoint; return the objection if the database or a field has one.

    The journal takes what was written only if there is no objection.
    """
    log = WriteLog()
    try:
        with database.connection.begin_nested():
            write(log)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated or not database.dialect.is_objection(error):
            raise
        return error
    except Disagreement as error:
        return error
    journal.add(log)
    return None


def field_of(objection: Objection, rows: RowSet) -> str | None:
    """Name the field of a row set, or of what it nests, that is at fault, if it is known."""
    if isinstance(objection, Disagreement):
        return objection.field
    sets = list(rows.tree())
    columns = refused_columns(objection, list({t: None for each in sets for t in each.tables}))
    fields = {
        f"{path_to(each, rows)}{member.written}"
        for each in sets
        for member in each.members
        if set(columns) & set(_columns_of(member))
    }
    return fields.pop() if len(fields) == 1 else None


def path_to(rows: RowSet, root: RowSet) -> str:
    """Return the path of a row set's fields within a record: ``lines.``; empty for an entity's."""
    return f"{rows.name[len(root.name) + 1 :]}.".lstrip(".")


def _columns_of(member: Member) -> tuple[Column, ...]:
    if isinstance(member, Value):
        return (member.column,)
    return member.carried_columns if isinstance(member, Reference) else ()


def message_of(objection: Objection, root: RowSet) -> Message:
    """Describe the objection to a record of an entity, on one line.

    The database's own text may show a value, so an entity with hidden fields goes without it.
    """
    if isinstance(objection, Disagreement):
        return objection.message
    if has_hidden(root):
        reason = refusal_without_values(objection)
    else:
        reason = "; ".join(map(str.strip, str(objection.orig).strip().splitlines()))
    remedy = "Correct the record, or what refuses it"
    return noted(Message("database-refused", f"the database refused it: {reason}"), remedy)
