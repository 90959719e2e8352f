"""What a workload is: models, their catalog, rows, and the job by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.by_hand import chunks
from lading import Catalog, EntitySchema

#: Fills an empty database with so many records.
Fill = Callable[[sa.Engine, int], None]
#: Exports a database to a folder, or restores it from there.
Move = Callable[[sa.Engine, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One application's tables, and how many rows they get.

    Args:
        name: What commands call it.
        title: What tables and plots call it.
        metadata: Its tables.
        catalog: Its schemas.
        fill: Fills an empty database; by which number records are counted, each workload says.
        by_hand: An export and an import by hand, if somebody wrote them.
        is_fixed: Whether it has one size, whatever number is asked for.
    """

    name: str
    title: str
    metadata: sa.MetaData
    catalog: Catalog
    fill: Fill
    by_hand: tuple[Move, Move] | None = None
    is_fixed: bool = False

    def rows_in(self, engine: sa.Engine) -> dict[str, int]:
        """Count the rows of each table."""
        with engine.connect() as connection:
            return {
                name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for name, table in self.metadata.tables.items()
            }


def schema_for(catalog: Catalog, model: Any, **members: Any) -> Any:
    """Declare a schema as an application does."""
    meta = type("Meta", (), {"model": model, "catalog": catalog})
    return type(f"{model.__name__}Schema", (EntitySchema,), {**members, "Meta": meta})


def add_rows(connection: sa.Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows in chunks."""
    for chunk in chunks(rows, 10_000):
        connection.execute(sa.insert(table), chunk)


def scattered(number: int) -> str:
    """Return a text that no two numbers share, and whose order isn't theirs."""
    return f"{number * 2654435761 % 2**32:08x}"
