"""Reflected columns of types that one engine alone has travel as that engine gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine, UserDefinedType

from lading.adopting.odd_types import declared_types
from lading.mapping.columns import OWN_TYPE, AsStored, kind_of
from lading.model.uniqueness import unique_columns

#: As which general type each engine's own travel.  The text of a type must be the same in every
#: session, and be read as the value that it was.  Those of extensions stay out: a scratch database
#: has none.
_OWN: Mapping[str, Mapping[str, Callable[[str], TypeEngine[Any]]]] = {
    "postgresql": {
        r"(?:inet|cidr|macaddr8?|tsvector|tsquery|point|line|lseg|box|path|polygon|circle|pg_lsn|"
        r"(?:int4|int8|num|date|ts)(?:multi)?range|bit(?: varying)?(?:\(\d+\))?|jsonpath|xml)"
        r"(?:\[\])?": lambda _: sa.Text(),
    },
    "mariadb": {
        "inet[46]": lambda _: sa.Text(),
        r"year\(\d+\)": lambda _: sa.SmallInteger(),
        r"bit\(\d+\)": lambda declared: (
            mysql.BIGINT(unsigned=True) if declared == "bit(64)" else sa.BigInteger()
        ),
        r"(?:date|datetime|timestamp)(?:\(\d\))?": lambda _: sa.Text(),
    },
}
#: The default of columns in which an application of MariaDB's keeps a day that is none.
_NO_DAY = "'0000-00-00"


class ServersType(UserDefinedType[Any]):
    """A type by the name that its server has for it, limits included."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return the type as a CREATE TABLE has it."""
        return self.name


def carry_own_types(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Let columns of types that lading has no kind for travel as their server gives them.

    Those that can't stay as they are, and are left out by name.

    Args:
        connection: A connection of the database.
        tables: Its reflected tables.
    """
    engine = connection.dialect.name
    variants = ["mariadb", "mysql"] if engine in ("mariadb", "mysql") else [engine]
    rules = _OWN.get(variants[0], {})
    for table in tables:
        for column, declared in declared_types(connection, table, _unknown(table)):
            general = next((rules[name] for name in rules if re.fullmatch(name, declared)), None)
            if general is not None:
                type_ = general(declared).with_variant(ServersType(declared), *variants)
                column.type, column.info[OWN_TYPE] = AsStored(type_), declared


def _unknown(table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns of types without a kind, and those that hold days without one.

    In a key, bits and days stay as they are: a driver gives them otherwise than it takes them.
    """
    groups = [tuple(table.primary_key.columns), *unique_columns(table)]
    keys = {column for group in groups for column in group}
    others = {c for c in table.columns if isinstance(c.type, mysql.BIT) or _holds_no_day(c)}
    unknown = {c for c in table.columns if kind_of(c.type) is None}
    return [c for c in table.columns if c in (unknown | others) - (keys & others)]


def _holds_no_day(column: sa.Column[Any]) -> bool:
    """Tell whether a column's default is MariaDB's ``0000-00-00``, as WordPress's dates have it."""
    default = getattr(column.server_default, "arg", "")
    is_moment = isinstance(column.type, sa.Date | sa.DateTime)
    return is_moment and str(default).startswith(_NO_DAY)
