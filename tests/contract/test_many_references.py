"""Entities with more references than a statement can join: the same bytes, by more statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, export_all, export_document, import_all
from lading.exporting import joins
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.rewriting import entity_bytes
from support.statements import statements
from support.zoo import WORLDS

#: MariaDB has at most 64 indexes a table.
STOPS = 60


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
def test_what_is_read_apart_is_written_alike(
    sqlite_memory: Backend, monkeypatch: pytest.MonkeyPatch, world: Any
) -> None:
    """However few tables a statement joins: keys, their order, links, owned rows, classes, ids."""
    made = world()
    with sqlite_memory.database() as engine:
        made.filled(engine)
        documents = []
        for most in (joins.MOST_TABLES, 2):
            monkeypatch.setattr(joins, "MOST_TABLES", most)
            found = export_document(engine, catalog=made.catalog, include_ids=True)
            documents.append({**found, "exported_at": None})
        assert documents[0] == documents[1]


class Tours:
    """Tours of many places, whose key leads through a region; the last stop is in their own key."""

    def __init__(self) -> None:
        base = new_base()

        class Region(base):  # type: ignore[misc]
            __tablename__ = "regions"
            id = mapped_column(sa.Integer, primary_key=True)
            slug = mapped_column(sa.String(9), unique=True, nullable=False)

        class Place(base):  # type: ignore[misc]
            __tablename__ = "places"
            id = mapped_column(sa.Integer, primary_key=True)
            name = mapped_column(sa.String(9), nullable=False)
            region_id = mapped_column(sa.ForeignKey(Region.id), nullable=False)
            region = relationship(Region)

        columns: dict[str, Any] = {"id": mapped_column(sa.Integer, primary_key=True)}
        for n in range(STOPS):
            column = mapped_column(sa.ForeignKey(Place.id), nullable=n < STOPS - 1)
            columns |= {f"s{n}_id": column, f"s{n}": relationship(Place, foreign_keys=column)}
        columns["name"] = mapped_column(sa.String(9), nullable=False)
        self.tour: Any = type("Tour", (base,), {"__tablename__": "tours", **columns})
        self.region, self.place, self.metadata = Region, Place, base.metadata
        self.catalog = Catalog("tours")
        schema_for(Region, self.catalog)
        schema_for(Place, self.catalog, natural_key=("region", "name"))
        schema_for(self.tour, self.catalog, natural_key=(f"s{STOPS - 1}", "name"))

    def fill(self, engine: sa.Engine, tours: int) -> None:
        """Add tours whose stops differ, and are null here and there."""
        places = [self.place(name=f"p{n % 3}", region=self.region(slug=f"r{n}")) for n in range(9)]
        with Session(engine) as session, session.begin():
            for t in range(tours):
                stops = {
                    f"s{n}": places[(t * 7 + n) % 9]
                    for n in range(STOPS)
                    if (t + n) % 4 or n == STOPS - 1
                }
                session.add(self.tour(name=f"t{t % 5}{t}", **stops))


def test_more_references_than_any_engine_joins(backend: Backend, tmp_path: Path) -> None:
    """SQLite joins 64 tables, MariaDB 61; here are 121, and records go round as ever."""
    tours = Tours()
    with (
        backend.database(tours.metadata) as source,
        backend.database(tours.metadata) as target,
    ):
        tours.fill(source, 20)
        export_all(source, tmp_path / "a", catalog=tours.catalog)
        assert import_all(target, tmp_path / "a", catalog=tours.catalog).inserted == 38
        assert import_all(target, tmp_path / "a", catalog=tours.catalog).skipped == 38
        export_all(target, tmp_path / "b", catalog=tours.catalog)
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")


def test_what_is_read_apart_costs_statements_by_the_chunk(sqlite_memory: Backend) -> None:
    """However many rows a chunk has, each part of the joins is read once for it."""
    tours = Tours()
    counts = []
    for rows in (1, 40):
        with sqlite_memory.database(tours.metadata) as engine:
            tours.fill(engine, rows)
            with statements(engine) as ran:
                export_document(engine, catalog=tours.catalog)
            counts.append(sum(text.startswith("SELECT") for text in ran))
    assert counts[0] == counts[1]
