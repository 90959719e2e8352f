"""Corrects what computes SQLite's generated columns, of which SQLAlchemy reads one form alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa

#: Parts of SQL: texts, quoted names, comments, words, and all else by the character.
_PART = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^]]*] """
    r"""| --[^\n]* | /\*.*?\*/ | \w+ | [^\w\s]""",
    re.DOTALL | re.VERBOSE,
)
_QUOTES = {'"': '"', "`": "`", "[": "]", "'": "'"}


def complete_generated(connection: sa.Connection, table: sa.Table) -> None:
    """Read the expressions of a table's generated columns from the SQL that created it.

    SQLAlchemy reads none after a bare ``AS``, and too much where a line declares several.
    """
    columns = {column.name.lower(): column for column in table.columns if column.computed}
    if connection.dialect.name != "sqlite" or not columns:
        return
    for name, expression in _generated(created_by(connection, table)):
        column = columns.get(name.lower())
        if column is not None and column.computed is not None:
            column.computed.sqltext = sa.Computed(expression).sqltext


def created_by(connection: sa.Connection, table: sa.Table) -> str:
    """Return the SQL that created a table of SQLite."""
    query = sa.text("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = :name")
    return str(connection.execute(query, {"name": str(table.name)}).scalar_one())


def _generated(sql: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the expression of each generated column."""
    for parts in definitions(sql):
        texts = [part[0].upper() for part, _ in parts]
        for n, (_, depth) in enumerate(parts):
            if depth == 1 and texts[n : n + 2] == ["AS", "("]:
                start = parts[n + 1][0].end()
                end = next(m.start() for m, level in parts[n:] if m[0] == ")" and level == 1)
                yield unquoted(parts[0][0][0]), sql[start:end].strip()
                break


def definitions(sql: str) -> Iterator[list[tuple[re.Match[str], int]]]:
    """Split what stands between a table's outer brackets at commas, with each part's depth."""
    depth = 0
    parts: list[tuple[re.Match[str], int]] = []
    for part in _PART.finditer(sql):
        text = part[0]
        if text.startswith(("--", "/*")):
            continue
        depth -= text == ")"
        if depth == 1 and text == ",":
            yield parts
            parts = []
        elif depth:
            parts.append((part, depth))
        depth += text == "("
    yield parts


def unquoted(name: str) -> str:
    """Return a name of SQL without its quotes."""
    end = _QUOTES.get(name[0])
    return name if end is None else name[1:-1].replace(end * 2, end)
