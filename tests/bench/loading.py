"""Measures loads that aren't plain: trees, bundles that are there already, and a bad record.

    python tests/bench/loading.py [--rows N] [--rounds N] [--postgresql URL] [--mariadb URL]

By hand means what a careful developer would write for these tables, with everything in memory:
a tree is inserted level by level, records that are there are compared one by one with an ordered
SELECT, and a chunk that the database refuses is inserted again row by row.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import bench
from lading import Catalog, EntitySchema, export_all, import_all, import_document

CHUNK = 2_000
#: How many records the load has of which one is bad.
FEW = 10_000


class Base(DeclarativeBase):
    """The models of this benchmark."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Node(Base):
    """A row of a tree, whose key says nothing of where it hangs."""

    __tablename__ = "nodes"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("nodes.id"))
    parent: Mapped[Node | None] = relationship(remote_side="Node.id")


class Entry(Base):
    """A row with a number that the database checks."""

    __tablename__ = "entries"
    __table_args__ = (sa.CheckConstraint("amount < 1000", name="few"),)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    amount: Mapped[int]
    note: Mapped[str | None] = mapped_column(sa.Text)


catalog = Catalog("loading")


class NodeSchema(EntitySchema):
    """Nodes."""

    class Meta:
        """Over the model."""

        model = Node
        catalog = catalog


class EntrySchema(EntitySchema):
    """Entries."""

    class Meta:
        """Over the model."""

        model = Entry
        catalog = catalog


class NodeKey(msgspec.Struct):
    """A reference, by hand."""

    slug: str


class NodeLine(msgspec.Struct):
    """A node, by hand."""

    slug: str
    name: str
    parent: NodeKey | None


class EntryLine(msgspec.Struct):
    """An entry, by hand."""

    slug: str
    amount: int
    note: str | None


def fill(engine: sa.Engine, rows: int) -> None:
    """Make a tree in which every row hangs below any earlier one, and entries."""
    choose = random.Random(1).randrange
    slugs = [f"{n * 2654435761 % 2**32:08x}" for n in range(rows + 1)]
    with engine.begin() as connection:
        for numbers in _chunks(range(1, rows + 1)):
            nodes = [
                {
                    "id": n,
                    "slug": slugs[n],
                    "name": f"Node {n}",
                    "parent_id": choose(1, n) if n > 20 else None,
                }
                for n in numbers
            ]
            connection.execute(sa.insert(Node), nodes)
        for numbers in _chunks(range(1, FEW + 1)):
            entries = [
                {"id": n, "slug": f"e{n:06}", "amount": n % 999, "note": f"note {n}"}
                for n in numbers
            ]
            connection.execute(sa.insert(Entry), entries)


def _chunks(items: Iterable[Any]) -> Iterator[Sequence[Any]]:
    items = iter(items)
    while chunk := [item for _, item in zip(range(CHUNK), items, strict=False)]:
        yield chunk


def lines_of(bundle: Path, name: str) -> list[bytes]:
    """Return an entity's records as lines."""
    (file,) = bundle.glob(f"*_{name}.json")
    return [line.rstrip(b",\n") for line in file.read_bytes().splitlines()[1:-1]]


def insert(connection: sa.Connection, model: Any, names: str, rows: Iterable[Any]) -> None:
    """Insert rows in the fastest way of the engine."""
    table, columns = model.__tablename__, names.replace(",", ", ")
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.dbapi_connection
        sql = f"COPY {table} ({columns}) FROM STDIN"
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(row)
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(names.split(",")))
    for chunk in _chunks(rows):
        connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", chunk)


def tree_by_hand(engine: sa.Engine, bundle: Path) -> None:
    """Number the nodes, and insert them level by level."""
    decode = msgspec.json.Decoder(NodeLine).decode
    nodes = {node.slug: node for node in map(decode, lines_of(bundle, "nodes"))}
    ids = {slug: id_ for id_, slug in enumerate(nodes, 1)}
    below: dict[str | None, list[NodeLine]] = {}
    for node in nodes.values():
        below.setdefault(node.parent and node.parent.slug, []).append(node)
    level = below.get(None, [])
    with engine.begin() as connection:
        while level:
            rows = [(ids[n.slug], n.slug, n.name, n.parent and ids[n.parent.slug]) for n in level]
            insert(connection, Node, "id,slug,name,parent_id", rows)
            level = [child for node in level for child in below.get(node.slug, ())]


def skip_by_hand(engine: sa.Engine, bundle: Path) -> int:
    """Compare the nodes of a bundle with those of the database, in one order."""
    decode = msgspec.json.Decoder(NodeLine).decode
    parent = sa.orm.aliased(Node)
    statement = (
        sa.select(Node.slug, Node.name, parent.slug)
        .outerjoin(parent, Node.parent_id == parent.id)
        .order_by(Node.slug)
    )
    with engine.connect() as connection:
        stored = connection.execute(statement).all()
    return sum(
        decode(line) != NodeLine(slug, name, above and NodeKey(above))
        for line, (slug, name, above) in zip(lines_of(bundle, "nodes"), stored, strict=True)
    )


def entries_by_hand(engine: sa.Engine, lines: list[bytes]) -> list[str]:
    """Insert chunks of entries; one that the database refuses again, row by row."""
    decode = msgspec.json.Decoder(EntryLine).decode
    refused = []
    with engine.begin() as connection:
        for chunk in _chunks(map(decode, lines)):
            rows = [(entry.slug, entry.amount, entry.note) for entry in chunk]
            for part in (rows, *([row] for row in rows)):
                savepoint = connection.begin_nested()
                try:
                    insert(connection, Entry, "slug,amount,note", part)
                    savepoint.commit()
                except Exception as error:
                    savepoint.rollback()
                    if len(part) == 1:
                        refused.append(f"{part[0][0]}: {error}")
                else:
                    if len(part) > 1:
                        break
    return refused


def empty(engine: sa.Engine) -> None:
    """Delete all rows."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)


def measure(engine: sa.Engine, rows: int, rounds: int, folder: Path) -> None:
    """Print the medians of both ways, and of their ratios."""
    empty(engine)
    fill(engine, rows)
    bundle, name = folder / "bundle", engine.dialect.name
    export_all(engine, bundle, catalog=catalog, overwrite=True)
    good = lines_of(bundle, "entries")
    bad = [line.replace(b'"e007000","amount":', b'"e007000","amount":7000') for line in good]

    def load(entity: str) -> None:
        import_all(engine, bundle, catalog=catalog, only=[entity])

    def load_entries(lines: list[bytes]) -> None:
        records = [msgspec.json.decode(line) for line in lines]
        report = import_document(
            engine, {"entries": records}, catalog=catalog, only=["entries"], on_error="continue"
        )
        assert report.failed == (lines is bad)

    clear = lambda: empty(engine)  # noqa: E731 - it is passed on
    bench.print_times(
        name,
        "tree",
        bench.pairs(
            lambda: load("nodes"), lambda: tree_by_hand(engine, bundle), rounds, before=clear
        ),
    )
    load("nodes")
    bench.print_times(
        name,
        "skip",
        bench.pairs(lambda: load("nodes"), lambda: skip_by_hand(engine, bundle), rounds),
    )
    bench.print_times(
        name,
        "one bad",
        bench.pairs(
            lambda: load_entries(bad), lambda: entries_by_hand(engine, bad), rounds, before=clear
        ),
    )
    clean = bench.pairs(lambda: load_entries(bad), lambda: load_entries(good), rounds, before=clear)
    ratio = statistics.median(ours / theirs for ours, theirs in clean)
    print(f"{name:<12}one bad, against the same records without it{ratio:>13.2f}")


def main() -> None:
    """Measure each engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--mariadb", metavar="URL")
    options = parser.parse_args()
    print(f"{options.rows:,} nodes, {FEW:,} entries, medians of {options.rounds} rounds\n")
    print(f"{'':<20}{'lading':>10}{'by hand':>12}{'ratio':>9}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="lading-bench-")))
        sqlite = sa.create_engine(f"sqlite:///{folder / 'loading.db'}")
        for engine in (
            sqlite,
            stack.enter_context(bench.postgresql(options.postgresql)),
            stack.enter_context(bench.mariadb(options.mariadb)),
        ):
            if engine is not None:
                measure(engine, options.rows, options.rounds, folder)


if __name__ == "__main__":
    main()
