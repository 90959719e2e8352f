"""Verification of a bundle and comparison of two, against the same by hand.

A diff by hand goes the way of csv-diff, with dictionaries of two CSV files.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from bench.databases import emptied
from bench.jobs.base import Job, Site
from bench.workloads import wide
from lading import diff, export_all, verify

#: One purchase in so many is changed between two bundles, and one in so many deleted.
CHANGED, DELETED = 250, 1_000


def bundle_jobs(site: Site) -> Iterator[Job]:
    """Yield what is done to bundles; they are alike from each engine."""
    if site.source.dialect.name != "sqlite":
        return
    bundles, tables = two_sides(site)

    def verified() -> None:
        outcome = verify(bundles[0], catalog=wide.catalog)
        assert outcome, str(outcome)

    def compared() -> int:
        outcome = diff(*bundles, catalog=wide.catalog)
        assert str(outcome)
        return outcome.total.updated + outcome.total.deleted

    yield Job(
        "verify",
        verified,
        lambda: verify_by_hand(bundles[0]),
        about="hash every file and parse every record by the standard library",
    )
    yield Job(
        "diff of two bundles",
        compared,
        lambda: diff_by_hand(*tables),
        about="dictionaries of two CSV files, as csv-diff does; half a percent differs",
    )


def two_sides(site: Site) -> tuple[list[Path], list[Path]]:
    """Write two bundles, and two CSV files, of which half a percent differs."""
    emptied(site.target, wide.Base.metadata)
    wide.fill(site.target, site.records)
    bundles, tables = [], []
    for label in "ab":
        bundles.append(site.folder / label)
        tables.append(site.folder / f"{label}.csv")
        export_all(site.target, bundles[-1], catalog=wide.catalog)
        write_csv(site.target, tables[-1])
        change_some(site.target)
    return bundles, tables


def change_some(engine: sa.Engine) -> None:
    """Change some purchases, and delete others."""
    purchase = wide.Purchase
    with engine.begin() as connection:
        changed = sa.update(purchase).where(purchase.id % CHANGED == 0)
        connection.execute(changed.values(quantity=purchase.quantity + 1))
        connection.execute(sa.delete(purchase).where(purchase.id % DELETED == 1))


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
    """Write the purchases as a CSV file."""
    statement = sa.select(wide.Purchase.__table__).order_by(wide.Purchase.uuid)
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
