"""Empty SQLite databases in memory, kept as bytes: creating their tables takes far longer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from lading.catalog import Catalog

#: Of each catalog what its databases were made of, and the bytes of each of a connection.
_kept: WeakKeyDictionary[Catalog, tuple[Any, dict[str, bytes]]] = WeakKeyDictionary()


def serve(connection: sa.Connection, catalog: Catalog, tables: Iterable[sa.Table]) -> bool:
    """Give an empty database in memory the catalog's tables, if they were kept; tell whether."""
    driver: Any = connection.connection.driver_connection
    made_of, databases = _kept.get(catalog, (None, {}))
    if made_of != _made_of(connection, tables) or not _is_empty_in_memory(driver):
        return False
    for name, data in databases.items():
        driver.deserialize(data, name=name)
    return True


def keep(connection: sa.Connection, catalog: Catalog, tables: Iterable[sa.Table]) -> None:
    """Keep what a connection's databases in memory are, which hold the tables and no row."""
    connection.commit()
    driver: Any = connection.connection.driver_connection
    files = _files(driver)
    if hasattr(driver, "serialize") and not any(files.values()):
        databases = {name: driver.serialize(name=name) for name in files if name != "temp"}
        _kept[catalog] = _made_of(connection, tables), databases


def _made_of(connection: sa.Connection, tables: Iterable[sa.Table]) -> tuple[Any, ...]:
    """Return the tables as they are now, and what decides how they are created."""
    parts = [
        (table, len(table.columns), len(table.constraints), len(table.indexes)) for table in tables
    ]
    return *parts, repr(connection.get_execution_options().get("schema_translate_map"))


def _files(driver: Any) -> dict[str, str]:
    """Return the databases of a connection with their files, which are empty in memory."""
    return {row[1]: row[2] for row in driver.execute("PRAGMA database_list")}


def _is_empty_in_memory(driver: Any) -> bool:
    files = _files(driver)
    if any(files.values()) or driver.in_transaction:
        return False
    quoted = (name.replace('"', '""') for name in files if name != "temp")
    masters = (f'"{name}".sqlite_master' for name in quoted)
    return not any(driver.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in masters)
