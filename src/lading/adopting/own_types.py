"""Reflected columns of types that one engine alone has travel as that engine gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import networkx as nx
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from lading.adopting.odd_types import declared_types
from lading.mapping.columns import kind_of
from lading.mapping.engine_types import EngineType, is_mariadb

Columns = set[sa.Column[Any]]

#: The types that travel by engine.  The text of a value must be the same in every session, and be
#: read as the value that it was.  Types of extensions stay out: a scratch database has none.
_OWN = {
    "postgresql": re.compile(
        r"(?:inet|cidr|macaddr8?|tsvector|tsquery|point|line|lseg|box|path|polygon|circle|pg_lsn|"
        r"(?:int4|int8|num|date|ts)(?:multi)?range|bit(?: varying)?(?:\(\d+\))?|jsonpath|xml)"
        r"(?:\[\])?"
    ),
    "mariadb": re.compile(
        r"inet[46]|year\(\d+\)|bit\(\d+\)|(?:date|datetime|timestamp)(?:\(\d\))?"
    ),
}
#: The default of columns in which an application of MariaDB's keeps a day that is none.
_NO_DAY = "'0000-00-00"


def carry_own_types(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Let columns of types that lading has no kind for travel as their server gives them.

    Those that can't stay as they are, and are left out by name.

    Args:
        connection: A connection of the database.
        tables: Its reflected tables.
    """
    engine = "mariadb" if is_mariadb(connection.dialect) else connection.dialect.name
    if engine not in _OWN:
        return
    tables = list(tables)
    without_day = _columns_without_day(tables)
    for table in tables:
        for column, declared in declared_types(connection, table, _unknown(table, without_day)):
            if _OWN[engine].fullmatch(declared):
                column.type = EngineType(engine, declared)


def _unknown(table: sa.Table, without_day: Columns) -> list[sa.Column[Any]]:
    """Return the columns of types without a kind, and those that hold days without one.

    In a primary key, bits stay as they are: a driver gives them otherwise than it takes them, and
    rows are found by what it gives.
    """
    keys = set(table.primary_key.columns)
    bits = {column for column in table.columns if isinstance(column.type, mysql.BIT)}
    unknown = {column for column in table.columns if kind_of(column.type) is None}
    retyped = (unknown | bits | without_day) - (keys & bits)
    return [column for column in table.columns if column in retyped]


def _columns_without_day(tables: Iterable[sa.Table]) -> Columns:
    """Return the columns that hold days without one, and all that foreign keys tie to these.

    As both ends of a foreign key need one type, none is where one of them is in a primary key:
    days stay as they are there, as bits do.
    """
    graph = nx.Graph()
    for table in tables:
        graph.add_nodes_from(column for column in table.columns if _holds_no_day(column))
        graph.add_edges_from((key.parent, key.column) for key in table.foreign_keys)
    tied = nx.connected_components(graph)
    return {
        column
        for columns in tied
        if any(map(_holds_no_day, columns)) and not any(c.primary_key for c in columns)
        for column in columns
    }


def _holds_no_day(column: sa.Column[Any]) -> bool:
    """Tell whether a column's default is MariaDB's ``0000-00-00``, as WordPress's dates have it."""
    default = getattr(column.server_default, "arg", "")
    is_moment = isinstance(column.type, sa.Date | sa.DateTime)
    return is_moment and str(default).startswith(_NO_DAY)
