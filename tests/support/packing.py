"""Bundles for import tests: exported from a database in memory, and edited where asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading import export_all
from support.backends import SQLiteMemory
from support.raw import Dump, raw_values
from support.rewriting import Edit, rewritten
from support.zoo import World


def packed(world: World, path: Path, edit: Edit | None = None, **options: Any) -> Path:
    """Export a filled world to a bundle; its bytes are the same from every engine."""
    with SQLiteMemory().database() as engine:
        export_all(world.filled(engine), path, catalog=world.catalog, **options)
    return path if edit is None else rewritten(path, edit)


def changing(entity: str, **records: Any) -> Edit:
    """Return an edit that changes fields of records, named by their first field's value.

    ``changing("products", p1={"price": "9.00"})``; ``None`` drops the record.
    """

    def edit(name: str, found: list[Any]) -> list[Any]:
        if name != entity:
            return found
        changed = []
        for record in found:
            change = records.get(str(next(iter(record.values()))), {})
            if change is not None:
                changed.append({**record, **change})
        return changed

    return edit


def adding(entity: str, *records: Any) -> Edit:
    """Return an edit that appends records (bytes stand as they are)."""
    return lambda name, found: [*found, *records] if name == entity else found


def both(*edits: Edit) -> Edit:
    """Return one edit after the other."""

    def edit(name: str, found: list[Any]) -> list[Any]:
        for one in edits:
            found = one(name, found)
        return found

    return edit


def stored(engine: sa.Engine, world: World) -> Dump:
    """Return every cell of a world's tables, ids and all."""
    tables = [table.fullname for table in world.metadata.sorted_tables]
    return raw_values(engine, world.metadata, keep=tables)
