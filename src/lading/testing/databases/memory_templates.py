"""Empty SQLite databases in memory, kept as bytes: creating their tables takes far longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from lading.catalog import Catalog


@dataclass(frozen=True, eq=False)
class Template:
    """The bytes of each database of a connection, with a catalog's tables and no row.

    ``made_of`` is what they depend on: other tables, or other settings, need others.
    """

    made_of: tuple[Any, ...]
    databases: dict[str, bytes]


_kept: WeakKeyDictionary[Catalog, Template] = WeakKeyDictionary()


def serve(connection: sa.Connection, catalog: Catalog, tables: Iterable[sa.Table]) -> bool:
    """Give an empty database in memory the catalog's tables, if they were kept; tell whether."""
    template = _kept.get(catalog)
    driver: Any = connection.connection.driver_connection
    if template is None or not _is_empty_in_memory(driver):
        return False
    if template.made_of != _made_of(connection, tables):
        return False
    for name, data in template.databases.items():
        driver.deserialize(data, name=name)
    return True


def keep(connection: sa.Connection, catalog: Catalog, tables: Iterable[sa.Table]) -> None:
    """Keep what a connection's databases in memory are, which hold the tables and no row."""
    connection.commit()
    driver: Any = connection.connection.driver_connection
    files = _files(driver)
    if hasattr(driver, "serialize") and not any(files.values()):
        databases = {name: driver.serialize(name=name) for name in files if name != "temp"}
        _kept[catalog] = Template(_made_of(connection, tables), databases)


def _made_of(connection: sa.Connection, tables: Iterable[sa.Table]) -> tuple[Any, ...]:
    """Return the tables as they are now, and what decides how they are created."""
    known = [
        (table, len(table.columns), len(table.constraints), len(table.indexes)) for table in tables
    ]
    driver: Any = connection.connection.driver_connection
    settings = [driver.execute(f"PRAGMA {name}").fetchone() for name in ("encoding", "page_size")]
    return (*known, *settings, repr(connection.get_execution_options()))


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
