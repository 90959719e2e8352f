"""Run as a script: exports, imports, plans and upgrades of many rows, and the memory of each.

For each line ``["WHAT", "URL", "BUNDLE", ROWS]`` it prints ``[BEFORE, PEAK]``: the resident
memory of a process before the work, and its peak, in kilobytes.  Each is a fork of this one,
which has imported all that it needs, so that none pays for that again.  ``fill`` makes the
rows by one statement a table, so that the set-up costs nothing here.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from pathlib import Path
from types import SimpleNamespace

import sqlalchemy as sa
from sqlalchemy.orm import relationship

from lading import (
    Add,
    Catalog,
    Convert,
    Drop,
    Each,
    Owned,
    Rekey,
    Rename,
    export_all,
    import_all,
    upgrade,
)
from support.aged import changed
from support.declaring import new_base, schema_for
from support.zoo import World, key, number, slug, text, to


def ledger(version: int = 1) -> World:
    """Entries with a reference, a self reference and owned lines; both get other keys later."""
    base, catalog = new_base(), Catalog("ledger")
    code, label = ("slug", "slug") if version == 1 else ("code", "label")

    class Account(base):  # type: ignore[misc, valid-type]
        __tablename__ = "accounts"
        id = key()
        locals()[code] = slug()

    class Entry(base):  # type: ignore[misc, valid-type]
        __tablename__ = "entries"
        id = key()
        locals()[label] = slug()
        account_id = to("accounts.id")
        corrects_id = to("entries.id", null=True)
        amount = sa.orm.mapped_column(sa.Numeric(12, 2), nullable=False)
        words = text()
        account = relationship(Account)
        corrects = relationship("Entry", remote_side=id)
        lines = relationship("Line", order_by="Line.position")

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        __table_args__ = (sa.Index("line_entry", "entry_id"),)
        id = key()
        entry_id = to("entries.id")
        position = number()
        words = text()

    lines = schema_for(Line, catalog)
    schema_for(Account, catalog, natural_key=code, version=version)
    schema_for(Entry, catalog, {"lines": Owned(lines)}, version=version)
    if version == 2:
        changed(
            catalog,
            {"accounts": (1, 2), "entries": (1, 2)},
            Rename("accounts", "slug", "code"),
            Convert("entries", "words", str.upper),
            Each("entries.lines", lambda record, parent: {**record, "words": parent["slug"]}),
            Add("entries", "label", lambda record: f"entry {record['slug']}"),
            Rekey("entries", "label"),
            Drop("entries", "slug"),
        )
    models = SimpleNamespace(Account=Account, Entry=Entry, Line=Line)
    return World(base, catalog, models, lambda session: None)


def fill(engine: sa.Engine, rows: int) -> None:
    """Make that many entries."""
    count = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {})"
    lines = engine.dialect.identifier_preparer.quote("lines")
    with engine.begin() as connection:
        ledger().metadata.create_all(connection)
        if connection.dialect.name == "mariadb":
            connection.exec_driver_sql(
                "SET SESSION max_recursive_iterations = 1000000, "
                "sql_mode = concat(@@sql_mode, ',PIPES_AS_CONCAT')"
            )
        for sql in (
            f"INSERT INTO accounts (id, slug) {count.format(100)} SELECT n, 'a' || n FROM c",
            # A multiple of 5 is corrected by its successor; slugs are in no order.
            f"INSERT INTO entries (id, slug, account_id, corrects_id, amount, words) "
            f"{count.format(rows)} SELECT n, 'e' || ((n * 7919) %% 1000003), n %% 100 + 1, "
            f"CASE WHEN n %% 5 = 1 AND n > 1 THEN n - 1 END, n, 'some words about it ' || n FROM c",
            f"INSERT INTO {lines} (id, entry_id, position, words) {count.format(rows)} "
            f"SELECT n, n, 1, 'line' FROM c",
        ):
            single = connection.dialect.name == "sqlite"
            connection.exec_driver_sql(sql.replace("%%", "%") if single else sql)


def change(engine: sa.Engine) -> None:
    """Change every entry, and every line that one owns."""
    with engine.begin() as connection:
        for name in ("entries", "lines"):
            table = sa.table(name, sa.column("words"))
            connection.execute(sa.update(table).values(words="others"))


def peak() -> int:
    """Return the most memory that this process has held, in kilobytes.

    What ``getrusage`` says begins with the process that started this one, which may be larger.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def work(what: str, url: str, bundle: str, rows: int) -> list[int]:
    """Do one thing and return the memory before it, and at its peak."""
    engine = sa.create_engine(url)
    world = ledger(2 if what in ("upgrade", "rewrite") else 1)
    world.catalog.use()
    gc.collect()
    before = peak()
    if what == "export":
        export_all(engine, Path(bundle), catalog=world.catalog)
    elif what == "rewrite":
        upgrade(Path(bundle), Path(f"{bundle}-new"), catalog=world.catalog)
    elif what == "update":
        report = import_all(engine, Path(bundle), catalog=world.catalog, on_conflict="update")
        assert report.updated == rows
    elif what == "mirror":
        report = import_all(engine, Path(bundle), catalog=world.catalog, on_conflict="mirror")
        assert report.total.deleted == rows - 1
    elif what == "plan":
        plan = import_all(
            engine, Path(bundle), catalog=world.catalog, on_conflict="mirror", dry_run=True
        )
        plan.write(f"{bundle}.plan")
        assert plan.total.updated + plan.total.deleted >= rows - 1
    else:
        world.metadata.create_all(engine)
        report = import_all(engine, Path(bundle), catalog=world.catalog)
        assert report.inserted == rows + 100
    return [before, peak()]


def main() -> None:
    """Do what each line asks for in a process of its own; one that fails says so itself."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            sys.stdout.write(f"{json.dumps(work(*json.loads(line)))}\n")
            return
        if os.waitpid(child, 0)[1]:
            sys.stdout.write("null\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
