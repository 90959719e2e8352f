"""Records that are there already, and one that the database refuses, against the same by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.by_hand import Slug, chunks, insert, read_lines
from bench.databases import emptied
from bench.jobs.base import Job, Site
from bench.workloads import tree
from bench.workloads.base import schema_for
from lading import Catalog, export_all, import_all, import_document


class Base(DeclarativeBase):
    """The model of what is refused."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Entry(Base):
    """A row with a number that the database checks."""

    __tablename__ = "entries"
    __table_args__ = (sa.CheckConstraint("amount < 1000", name="few"),)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    amount: Mapped[int]
    note: Mapped[str | None] = mapped_column(sa.Text)


catalog = Catalog("entries")
schema_for(catalog, Entry)


class EntryLine(msgspec.Struct):
    """An entry, by hand."""

    slug: str
    amount: int
    note: str | None


def refusal_jobs(site: Site) -> Iterator[Job]:
    """Yield an import of a tree that is there, and loads of entries of which one is bad."""
    yield from skip_jobs(site)
    records = [EntryLine(f"e{n:06}", n % 999, f"note {n}") for n in range(site.records)]
    good = [msgspec.json.encode(record) for record in records]
    records[len(records) * 7 // 10].amount = 7_000
    bad = [msgspec.json.encode(record) for record in records]

    def load(lines: list[bytes]) -> None:
        document = {"entries": [msgspec.json.decode(line) for line in lines]}
        report = import_document(site.target, document, catalog=catalog, on_error="continue")
        assert report.failed == (lines is bad)

    def by_hand() -> None:
        assert len(entries_by_hand(site.target, bad)) == 1

    def clear() -> None:
        emptied(site.target, Base.metadata)

    name = "import, one record refused"
    about = "a savepoint a chunk; a chunk that is refused goes in again row by row"
    yield Job(name, lambda: load(bad), by_hand, clear, about)
    about = "the same records without the bad one"
    yield Job(name, lambda: load(bad), lambda: load(good), clear, about, "lading")


def skip_jobs(site: Site) -> Iterator[Job]:
    """Yield an import of a tree into the database that has it."""
    bundle = site.folder / "bundle"
    export_all(site.source, bundle, catalog=tree.catalog, overwrite=True)
    tree.export_by_hand(site.source, site.folder)
    yield Job(
        "import of what is there",
        lambda: import_all(site.source, bundle, catalog=tree.catalog),
        lambda: skip_by_hand(site.source, site.folder),
        about="one ordered SELECT, compared with the file's records, all in memory",
    )


def skip_by_hand(engine: sa.Engine, folder: Path) -> int:
    """Compare the nodes of a file with those of the database, in one order."""
    with engine.connect() as connection:
        stored = connection.execute(tree.NODES).all()
    lines = (line for part in read_lines(folder / "nodes.jsonl", tree.NodeLine) for line in part)
    return sum(
        line != tree.NodeLine(slug, name, Slug(above) if above is not None else None)
        for line, (slug, name, above) in zip(lines, stored, strict=True)
    )


def entries_by_hand(engine: sa.Engine, lines: list[bytes]) -> list[str]:
    """Insert chunks of entries; one that the database refuses again, row by row."""
    decode = msgspec.json.Decoder(EntryLine).decode
    refused = []
    with engine.begin() as connection:
        for chunk in chunks(map(decode, lines)):
            rows = [(entry.slug, entry.amount, entry.note) for entry in chunk]
            for part in (rows, *([row] for row in rows)):
                savepoint = connection.begin_nested()
                try:
                    insert(connection, Entry, "slug, amount, note", part)
                    savepoint.commit()
                except Exception as error:
                    savepoint.rollback()
                    if len(part) == 1:
                        refused.append(f"{part[0][0]}: {error}")
                else:
                    if len(part) > 1:
                        break
    return refused
