"""Keeps a catalog's dialects, with what was compiled for them, from call to call."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.util import memoized_property

from lading.database.dialects.base import Dialect, ServerFacts
from lading.database.dialects.real_columns import Tables, Translation
from lading.model.entities import Entities

#: How many dialects are kept, the latest first; a process seldom uses more databases.
MOST = 8
#: Attributes of SQLAlchemy's dialects that differ by instance, and follow from the settings.
OWN = {
    "_psycopg_adapters_map",
    "dispatch",
    "identifier_preparer",
    "type_compiler",
    "type_compiler_instance",
}


class DialectCache:
    """The dialects of one catalog's entities, one for each set of settings."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._dialects: list[tuple[Any, Dialect]] = []

    def dialect(
        self,
        dialect_class: type[Dialect],
        sqlalchemy: SQLAlchemyDialect,
        tables: Tables,
        *,
        translate: Translation,
        facts: ServerFacts,
        as_read: bool,
    ) -> Dialect:
        """Return a dialect; engines with the same settings share one.

        Args:
            dialect_class: the class of the dialect to return.
            sqlalchemy: SQLAlchemy's dialect of the engine.
            tables: the columns that the database has, by table.
            translate: the engine's ``schema_translate_map``.
            facts: what the server says of itself.
            as_read: whether SQLite's decimals are written as SQLAlchemy reads them.

        Returns:
            The cached dialect of these settings, or a new one.
        """
        options: dict[str, Any] = {"translate": dict(translate), "facts": facts, "as_read": as_read}
        key = (dialect_class, type(sqlalchemy), settings_of(sqlalchemy), options, tables)
        with self._lock:
            for place, (known, dialect) in enumerate(self._dialects):
                if known == key:
                    self._dialects.insert(0, self._dialects.pop(place))
                    return dialect
            dialect = dialect_class(sqlalchemy, tables, **options)
            self._dialects = [(key, dialect), *self._dialects[: MOST - 1]]
            return dialect


def dialect_cache(_: Entities) -> DialectCache:
    """Return a new cache, for ``Entities.once``."""
    return DialectCache()


def settings_of(sqlalchemy: SQLAlchemyDialect) -> dict[str, Any]:
    """Return the settings by which a dialect of SQLAlchemy's may differ from its class."""
    dialect_class: Any = type(sqlalchemy)
    ignored = OWN | _memoized(dialect_class)
    return {name: value for name, value in vars(sqlalchemy).items() if name not in ignored}


@cache
def _memoized(cls: Any) -> frozenset[str]:
    """Name the attributes that a class computes from the others, when they are first used."""
    members = [member for base in cls.__mro__ for member in vars(base).items()]
    return frozenset(name for name, member in members if isinstance(member, memoized_property))
