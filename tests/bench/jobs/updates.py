"""Updates, mirrors and dry runs, and the same by hand.

By hand, chunks are read by key and compared, and what differs is written: as a good engineer would write it for this one schema, each chunk is one SELECT and, where
records differ, one bulk UPDATE in the fastest way of the engine.  What it has seen, it keeps
in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from bench.by_hand import ids_by_slug
from bench.databases import emptied
from bench.jobs.base import Job, Site
from bench.workloads import wide
from lading import export_all, import_all

#: Purchases as they are compared, in the order of the columns that are written.
COLUMNS = (
    "product_id", "supplier_id", "purchased_on", "quantity", "unit_price", "notes",
)  # fmt: skip
SIZE = 2_000
UPDATES = {
    "sqlite": "UPDATE purchases SET {} WHERE id = ?",
    "postgresql": "UPDATE purchases SET {} FROM unnest(%s::int[], {}) AS new (id, {}) "
    "WHERE purchases.id = new.id",
    "mariadb": "UPDATE purchases JOIN JSON_TABLE(%s, '$[*]' COLUMNS (id INT PATH '$[0]', {})) new "
    "ON purchases.id = new.id SET {}",
}
#: The types of the columns, as PostgreSQL's arrays and MariaDB's JSON tables have them.
TYPES = {
    "postgresql": ("int", "int", "date", "int", "numeric", "text"),
    "mariadb": ("INT", "INT", "DATE", "INT", "DECIMAL(10, 4)", "TEXT"),
}


class ByHand:
    """Compares one file of purchases with a table, and writes what differs."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.name = engine.dialect.name
        self.purchases = wide.Base.metadata.tables["purchases"]
        self.decoder = msgspec.json.Decoder(wide.Line)
        self.query = sa.select(
            *(self.purchases.c[name] for name in ("uuid", "id", *COLUMNS))
        ).where(self.purchases.c.uuid.in_(sa.bindparam("uuids", expanding=True)))

    def update(self, path: Path) -> None:
        """Write what differs."""
        with self.engine.begin() as connection:
            for changed, _ in self._compared(connection, path):
                self._write(connection, [(row_id, new) for row_id, _, new in changed])

    def mirror(self, path: Path) -> None:
        """Write what differs, and delete what the file lacks."""
        kept: set[int] = set()
        with self.engine.begin() as connection:
            for changed, ids in self._compared(connection, path):
                kept.update(ids)
                self._write(connection, [(row_id, new) for row_id, _, new in changed])
            every = connection.scalars(sa.select(self.purchases.c.id)).all()
            gone = [row_id for row_id in every if row_id not in kept]
            column = self.purchases.c.id
            for start in range(0, len(gone), SIZE):
                part = gone[start : start + SIZE]
                connection.execute(sa.delete(self.purchases).where(column.in_(part)))

    def plan(self, path: Path, target: Path) -> None:
        """Write to a file what would be changed, before and after."""
        encoder = msgspec.json.Encoder()
        with self.engine.connect() as connection, target.open("wb") as file:
            for changed, _ in self._compared(connection, path):
                lines = [
                    {
                        "id": row_id,
                        "before": dict(zip(COLUMNS, old, strict=True)),
                        "after": dict(zip(COLUMNS, new, strict=True)),
                    }
                    for row_id, old, new in changed
                ]
                file.write(encoder.encode_lines(lines))

    def _compared(
        self, connection: sa.Connection, path: Path
    ) -> Iterator[tuple[list[tuple[int, Any, Any]], list[int]]]:
        """Yield what differs of each chunk (id, before and after), and all its ids."""
        products = ids_by_slug(connection, wide.Product)
        suppliers = ids_by_slug(connection, wide.Supplier)
        with path.open("rb") as file:
            lines = file.readlines()
        for start in range(0, len(lines), SIZE):
            records = list(map(self.decoder.decode, lines[start : start + SIZE]))
            stored = {
                uuid: (row_id, tuple(values))
                for uuid, row_id, *values in connection.execute(
                    self.query, {"uuids": [record.uuid for record in records]}
                )
            }
            changed, ids = [], []
            for r in records:
                row_id, old = stored[r.uuid]
                ids.append(row_id)
                new = (
                    products[r.product.slug], suppliers[r.supplier.slug],
                    r.purchased_on, r.quantity, r.unit_price, r.notes,
                )  # fmt: skip
                if new != old:
                    changed.append((row_id, old, new))
            yield changed, ids

    def _write(self, connection: sa.Connection, changed: list[tuple[int, Any]]) -> None:
        if not changed:
            return
        sql = UPDATES[self.name]
        if self.name == "sqlite":
            marks = ", ".join(f"{name} = ?" for name in COLUMNS)
            rows = [
                (p, s, day.isoformat(), q, float(price), notes, row_id)
                for row_id, (p, s, day, q, price, notes) in changed
            ]
            connection.exec_driver_sql(sql.format(marks), rows)
            return
        prefix = "purchases." if self.name == "mariadb" else ""
        setting = ", ".join(f"{prefix}{name} = new.{name}" for name in COLUMNS)
        if self.name == "postgresql":
            casts = ", ".join(f"%s::{each}[]" for each in TYPES[self.name])
            columns = zip(*((row_id, *new) for row_id, new in changed), strict=True)
            connection.exec_driver_sql(
                sql.format(setting, casts, ", ".join(COLUMNS)), tuple(map(list, columns))
            )
            return
        typed = zip(COLUMNS, TYPES[self.name], strict=True)
        paths = ", ".join(f"{name} {kind} PATH '$[{n}]'" for n, (name, kind) in enumerate(typed, 1))
        rows_text = json.dumps([(row_id, *map(_plain, new)) for row_id, new in changed])
        connection.exec_driver_sql(sql.format(paths, setting), (rows_text,))


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return value if value is None or isinstance(value, int | str) else str(value)


def change(engine: sa.Engine, every: int) -> None:
    """Change one purchase in so many."""
    with engine.begin() as connection:
        table = sa.table("purchases", sa.column("id"), sa.column("quantity"))
        changed = sa.update(table).where(table.c.id % every == 0)
        connection.execute(changed.values(quantity=table.c.quantity + 1))


def add(engine: sa.Engine, rows: int, every: int) -> None:
    """Add a purchase for one in so many, which the bundle lacks."""
    names = ", ".join(COLUMNS)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO purchases (id, uuid, {names}) SELECT id + {2 * rows}, "
            f"replace(uuid, '-4000-', '-5000-'), {names} FROM purchases WHERE id <= {rows // every}"
        )


def update_jobs(site: Site) -> Iterator[Job]:
    """Yield each way to change a database: some records, all of them, a dry run, a mirror."""
    engine, rows, lines = site.target, site.records, site.folder / "purchases.jsonl"
    emptied(engine, wide.Base.metadata)
    wide.fill(engine, rows)
    bundle, by_hand = site.folder / "updates", ByHand(engine)
    export_all(engine, bundle, catalog=wide.catalog, overwrite=True)
    wide.export_by_hand(engine, site.folder)

    def ours(**options: Any) -> Any:
        return import_all(engine, bundle, catalog=wide.catalog, **options)

    for name, every in (("update of one in a hundred", 100), ("update of all", 1)):
        yield Job(
            name,
            lambda: ours(on_conflict="update"),
            lambda: by_hand.update(lines),
            partial(change, engine, every),
            "chunks read by key, compared, and written by the engine's fastest UPDATE",
        )
    change(engine, 1)

    def plan() -> None:
        assert ours(on_conflict="update", dry_run=True).total.updated == rows

    target = site.folder / "purchases.plan"
    about = "the same comparison, written to a file before and after"
    yield Job("dry run of an update of all", plan, lambda: by_hand.plan(lines, target), about=about)
    by_hand.update(lines)

    def before() -> None:
        change(engine, 100)
        add(engine, rows, 10)

    yield Job(
        "mirror, one in ten deleted",
        lambda: ours(on_conflict="mirror"),
        lambda: by_hand.mirror(lines),
        before,
        "the same, and a DELETE of what the file lacks, with its ids in memory",
    )
