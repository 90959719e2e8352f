"""Which columns and keys the database itself keeps unique, by the declarations alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from lading.model.recursive_keys import Parts
from lading.model.rowsets import Children, Column, RowSet, Value

#: Where a column that may be null remembers in ``info`` that no row had a null when asked.
FILLED = "lading: filled"
#: Tells whether two stored values of a column are always written differently.
Exact = Callable[[Value], bool]


def is_guarded(rows: RowSet, parts: Parts | None = None, *, exact: Exact | None = None) -> bool:
    """Tell whether no two rows of the whole table can have the same key.

    The primary key, a unique constraint or a plain unique index must have only NOT NULL
    columns, and the key must hold all of them.  A reference holds its foreign key if the key
    that it is written by is itself guarded.

    Args:
        rows: The row set whose key it is.
        parts: The key's members; by default the whole natural key, and what ``by`` names for
            a reference by it.  Without any, nothing is guarded.
        exact: Says whether different stored values of a column are always written differently;
            a column of which that isn't so guards nothing.  By default every column counts.
    """
    if parts is None:
        parts = rows.whole_key or rows.key
    return _is_guarded(rows, parts, exact or (lambda _: True), [], ())


def _is_guarded(
    rows: RowSet, parts: Parts, exact: Exact, climbed: list[Parts], referred: Sequence[Column]
) -> bool:
    """Tell whether rows are guarded; those that are referred to, by columns that aren't null."""
    if parts in climbed:
        return True  # a recursive key tells its rows apart if each of its levels does
    columns_in_key: set[Column] = set()
    for part in parts:
        if isinstance(part, Value):
            columns_in_key |= {part.column} if exact(part) else set()
        elif _is_guarded(part.target, part.parts, exact, [*climbed, parts], part.remote):
            columns_in_key.update(part.columns)
    return any(
        columns_in_key.issuperset(columns)
        and not any(column.nullable and column not in referred for column in columns)
        for columns in _unique(rows.table)
    )


def leads_to_one(remote: Sequence[Column]) -> bool:
    """Tell whether no two rows can have the same values, none null, in these columns."""
    return any(set(remote).issuperset(columns) for columns in _unique(remote[0].table))


def is_single(member: Children) -> bool:
    """Tell whether a parent has one such row at most."""
    parent_columns = {column for column, _ in member.pairs}
    return any(parent_columns.issuperset(columns) for columns in _unique(member.rows.table))


def _unique(table: Any) -> list[tuple[Column, ...]]:
    """List the columns of the primary key and of each unique set of a whole table."""
    sets = (tuple(table.primary_key.columns), *unique_columns(table))
    return [columns for columns in sets if columns]


def unique_columns(table: Any) -> list[tuple[sa.Column[Any], ...]]:
    """List the columns of each unique constraint and plain unique index, each set once."""
    groups_by_names: dict[frozenset[str], tuple[sa.Column[Any], ...]] = {}
    constraints = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    groups = [tuple(constraint.columns) for constraint in constraints]
    groups += [tuple(index.columns) for index in table.indexes if is_plain_unique(index)]
    position = {column.name: number for number, column in enumerate(table.columns)}
    for group in groups:
        groups_by_names.setdefault(frozenset(column.name for column in group), group)
    return sorted(
        groups_by_names.values(), key=lambda group: [position[column.name] for column in group]
    )


def guarded_columns(table: Any) -> list[tuple[Column, ...]]:
    """List the columns that are unique in all rows or, by a partial index, in some of them."""
    partial = [
        tuple(index.columns)
        for index in table.indexes
        if index.unique and len(index.columns) == len(index.expressions)
    ]
    return list(dict.fromkeys([*unique_columns(table), *partial]))


def is_plain_unique(index: sa.Index) -> bool:
    """Tell whether an index makes its columns unique: not partial, not over expressions."""
    partial = any(options.get("where") is not None for options in index.dialect_options.values())
    columns = [expression for expression in index.expressions if isinstance(expression, sa.Column)]
    return bool(index.unique) and not partial and len(columns) == len(index.expressions)


def rules_of_indexes(table: Any) -> list[tuple[tuple[Column, ...], str]]:
    """List the columns of each unique index that is partial or over expressions, and its rule."""
    odd = [index for index in table.indexes if index.unique and not is_plain_unique(index)]
    rules = [(tuple(index.columns), _rule_of_index(index)) for index in odd]
    return sorted(rules, key=lambda pair: ([column.name for column in pair[0]], pair[1]))


def _rule_of_index(index: sa.Index) -> str:
    """Say in SQL what an index makes unique beyond its columns, and where."""
    over = [part for part in index.expressions if not isinstance(part, sa.Column)]
    options = index.dialect_options.values()
    conditions = [option.get("where") for option in options if option.get("where") is not None]
    texts = [f"by {_sql(part)}" for part in over]
    texts += [f"where {text}" for text in sorted({_sql(condition) for condition in conditions})]
    return ", ".join(texts)


def _sql(expression: Any) -> str:
    clause = expression if isinstance(expression, sa.ClauseElement) else sa.text(str(expression))
    options = {"include_table": False}
    try:
        return str(clause.compile(compile_kwargs={**options, "literal_binds": True}))
    except Exception:  # a value whose type has no literal
        compiled = clause.compile(compile_kwargs=options)
        return f"{compiled} {compiled.params!r}"


def nulls_collide(table: Any, columns: tuple[sa.Column[Any], ...]) -> bool:
    """Tell whether rows could collide while these columns are null for a time.

    They can under unique indexes that treat nulls as equal, and under those that are partial
    or over expressions and mention one of the columns.
    """
    names = {column.name.lower() for column in columns}
    uniques = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    for unique in (*uniques, *(index for index in table.indexes if index.unique)):
        options = unique.dialect_options["postgresql"]
        texts = [str(expression) for expression in getattr(unique, "expressions", unique.columns)]
        partial = [
            str(dialect_options["where"])
            for dialect_options in unique.dialect_options.values()
            if dialect_options.get("where") is not None
        ]
        odd = isinstance(unique, sa.Index) and not is_plain_unique(unique)
        if odd or options.get("nulls_not_distinct"):
            words = re.findall(r"\w+", " ".join([*texts, *partial]))
            if names & {word.lower() for word in words}:
                return True
    return False


def in_check(table: Any, columns: tuple[sa.Column[Any], ...]) -> bool:
    """Tell whether any CHECK of the table mentions one of the columns."""
    names = {column.name.lower() for column in columns}
    within = [constraint for column in table.columns for constraint in column.constraints]
    for constraint in [*table.constraints, *within]:
        if isinstance(constraint, sa.CheckConstraint):
            words = re.findall(r"\w+", str(constraint.sqltext))
            if names & {word.lower() for word in words}:
                return True
    return False
