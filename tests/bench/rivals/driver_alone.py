"""The floor: the driver's rows as they are, with their ids, pickled or by COPY."""

from __future__ import annotations

import pickle
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.rivals.base import Rival
from bench.workloads import Workload

CHUNK = 10_000


class DriverAlone(Rival):
    """Reads and writes each table by the driver, with no work in between."""

    name = "driver"
    title = "driver alone"
    about = "each table's rows as they are, ids included: pickled, or by binary COPY"

    @classmethod
    def takes(cls, workload: Workload, engine: str) -> bool:
        """A cycle of tables needs SQLite, which doesn't check foreign keys unless it is told to."""
        return engine == "sqlite" or workload.name != "bakery"

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Write a file for each table."""
        with source.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            for table in self._tables():
                with closing(driver.cursor()) as cursor, (folder / table).open("wb") as file:
                    if source.dialect.name == "postgresql":
                        with cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
                            for block in copy:
                                file.write(block)
                        continue
                    cursor.execute(f"SELECT * FROM {table}")
                    while rows := cursor.fetchmany(CHUNK):
                        pickle.dump(rows, file, pickle.HIGHEST_PROTOCOL)

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Read the files, tables that others refer to first."""
        with target.begin() as connection:
            driver: Any = connection.connection.dbapi_connection
            for table in self._tables():
                with closing(driver.cursor()) as cursor, (folder / table).open("rb") as file:
                    if target.dialect.name == "postgresql":
                        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                            while block := file.read(1 << 20):
                                copy.write(block)
                        continue
                    mark = "?" if target.dialect.name == "sqlite" else "%s"
                    size = (folder / table).stat().st_size
                    while file.tell() < size:
                        rows = pickle.load(file)
                        marks = ", ".join([mark] * len(rows[0]))
                        cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def _tables(self) -> list[str]:
        return [table.name for table in self.workload.metadata.sorted_tables]
