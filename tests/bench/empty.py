"""Measures what an export and an import of an empty database cost, in CPU time.

Nothing is read or written, so what is left is what each call does anew.  The first call
also derives and compiles; the median is of the calls after it.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

import bakery
from lading import Catalog, EntitySchema, export_all, import_all


def small_catalog(count: int) -> tuple[Catalog, sa.MetaData]:
    """Return a catalog of many small entities, each of which refers to the one before."""

    class Base(DeclarativeBase):
        """The models."""

    catalog = Catalog("small")
    for number in range(count):
        columns: dict[str, Any] = {
            "id": sa.Column(sa.Integer, primary_key=True),
            "slug": sa.Column(sa.String(60), unique=True, nullable=False),
            "price": sa.Column(sa.Numeric(10, 2)),
            "made_on": sa.Column(sa.Date),
        }
        if number:
            columns["before_id"] = sa.Column(sa.ForeignKey(f"thing{number - 1}.id"))
            columns["before"] = sa.orm.relationship(f"Thing{number - 1}")
        model = type(f"Thing{number}", (Base,), {"__tablename__": f"thing{number}", **columns})
        meta = type("Meta", (), {"model": model, "catalog": catalog, "natural_key": "slug"})
        type(f"Thing{number}Schema", (EntitySchema,), {"Meta": meta})
    return catalog, Base.metadata


def measured(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the milliseconds of CPU of the first call, and the median of those after it."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return times[0], statistics.median(times[1:])


def report(name: str, catalog: Catalog, metadata: sa.MetaData, rounds: int) -> None:
    """Print the figures of one catalog."""
    with TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/empty.db")
        metadata.create_all(engine)
        bundle = f"{folder}/bundle"
        works: dict[str, Callable[[], object]] = {
            "export": lambda: export_all(engine, bundle, catalog=catalog, overwrite=True),
            "import": lambda: import_all(engine, bundle, catalog=catalog),
        }
        for what, work in works.items():
            first, rest = measured(work, rounds)
            print(f"{name:12} {what}  first {first:7.1f} ms  then {rest:6.1f} ms")
        engine.dispose()


def measure(entities: int, rounds: int) -> None:
    """Measure the bakery and a catalog of small entities."""
    warnings.simplefilter("ignore")
    report("bakery", bakery.bakery, bakery.models.Base.metadata, rounds)
    report(f"{entities} small", *small_catalog(entities), rounds)
