"""Which columns a database's objection is about, as far as it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.driver_errors.explanations import code_of
from lading.model.rowsets import Column


@dataclass(frozen=True, slots=True)
class Mention:
    """What an objection names: columns, or a constraint by its name or its text."""

    table: str | None = None
    columns: tuple[str, ...] = ()
    constraint: str | None = None


#: PostgreSQL's word of where a COPY stopped.
COPYING = re.compile(r'^COPY \S+, line \d+, column ("?)(.+?)\1(?::|$)', re.MULTILINE)
SQLITE_COLUMNS = re.compile(r"(?:NOT NULL|UNIQUE) constraint failed: (.+)")
SQLITE_CHECK = re.compile(r"CHECK constraint failed: (.+)", re.DOTALL)
SQLITE_TYPE = re.compile(r"cannot store \w+ value in \w+ column (\S+)")
#: Anchored at the end, for a value in front of it may be anything.
MARIADB_COLUMN = re.compile(
    r"(?:column (?:`[^`]*`\.`([^`]*)`\.)?['`]([^'`]+)['`] at row \d+"
    r"|^Column '([^']+)' cannot be null)$"
)
MARIADB_CONSTRAINT = re.compile(r"^CONSTRAINT `([^`]+)` failed for `[^`]*`\.`([^`]+)`$")
MARIADB_FOREIGN = re.compile(r"CONSTRAINT `[^`]+` FOREIGN KEY \(([^)]+)\) REFERENCES [^']*$")
#: The ends of the names that PostgreSQL gives to a column's constraints without a name.
ENDINGS = ("check", "fkey", "key")


def refused_columns(error: sa.exc.DBAPIError, tables: Sequence[sa.Table]) -> list[Column]:
    """Return the columns that an objection is about.

    Args:
        error: what the database objected.
        tables: where the columns may be.

    Returns:
        Columns of one of the tables; none if it names none of theirs, or of several tables.
    """
    mention = _mention(error.orig) if error.orig is not None else Mention()
    named = [table for table in tables if mention.table in (None, table.name)]
    columns = [columns for table in named if (columns := list(_columns(table, mention)))]
    return columns[0] if len(columns) == 1 else []


def _mention(orig: BaseException) -> Mention:
    """Return what a driver's error names."""
    engine, _ = code_of(orig)
    if engine == "postgresql":
        return _of_postgresql(getattr(orig, "diag", None))
    text = str(orig.args[-1]) if orig.args else ""
    return _of_sqlite(text) if engine == "sqlite" else _of_mariadb(text)


def _of_postgresql(diagnosis: Any) -> Mention:
    table = getattr(diagnosis, "table_name", None)
    column = getattr(diagnosis, "column_name", None)
    copied = COPYING.search(getattr(diagnosis, "context", None) or "")
    if column is None and copied is not None:
        column = copied[2]
    return Mention(table, (column,) if column else (), getattr(diagnosis, "constraint_name", None))


def _of_sqlite(text: str) -> Mention:
    if match := SQLITE_COLUMNS.fullmatch(text) or SQLITE_TYPE.fullmatch(text):
        paths = [path.rpartition(".") for path in match[1].split(", ")]
        return Mention(paths[0][0], tuple(column for _, _, column in paths))
    if match := SQLITE_CHECK.fullmatch(text):
        return Mention(constraint=match[1])
    return Mention()


def _of_mariadb(text: str) -> Mention:
    if match := MARIADB_COLUMN.search(text):
        return Mention(match[1], (match[2] or match[3],))
    if match := MARIADB_CONSTRAINT.search(text):
        table, name = match[2], match[1]
        return Mention(table, (name.removeprefix(f"{table}."),), name)
    if match := MARIADB_FOREIGN.search(text):
        return Mention(columns=tuple(re.findall(r"`([^`]+)`", match[1])))
    return Mention()


def _columns(table: sa.Table, mention: Mention) -> Iterator[Column]:
    """Yield the columns of a table that are named, by themselves or by their constraint."""
    by_name = {column.name: column for column in table.columns}
    named = [by_name[name] for name in mention.columns if name in by_name]
    if named or mention.constraint is None:
        yield from named
        return
    name, text = mention.constraint, mention.constraint
    guards: list[Any] = [*table.constraints, *table.indexes]
    for constraint in guards:
        if constraint.name == name:
            if not isinstance(constraint, sa.CheckConstraint):
                yield from constraint.columns
                return
            text = str(constraint.sqltext)
    for column in table.columns:
        given_names = {f"{table.name}_{column.name}_{ending}" for ending in ENDINGS}
        if name in given_names or re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", text):
            yield column
