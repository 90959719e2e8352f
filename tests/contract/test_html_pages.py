"""Pages of databases, and of catalogs' bundles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, export_all
from lading.html import bundle_page, database_page, sample
from lading.report import Progress
from lading.scratch.sort import CHUNK
from support.backends import ON_SQLITE, Backend
from support.declaring import new_base, schema_for
from support.html_pages import data_of
from support.world import key, slug, to
from support.zoo import WORLDS

SECRET = "hush-1234567"


class Shelf:
    """Shelves with boxes that they own, which hold goods; a shelf's code is hidden."""

    def __init__(self) -> None:
        base = new_base()

        class Good(base):  # type: ignore[misc, valid-type]
            __tablename__ = "goods"
            id = key()
            slug = slug()

        class Space(base):  # type: ignore[misc, valid-type]
            __tablename__ = "shelves"
            id = key()
            slug = slug()
            code = mapped_column(sa.String(20), nullable=False)
            boxes = relationship("Box", order_by="Box.place")

        class Box(base):  # type: ignore[misc, valid-type]
            __tablename__ = "boxes"
            id = key()
            place = mapped_column(sa.Integer, nullable=False)
            shelf_id = to("shelves.id")
            good_id = to("goods.id")
            good = relationship(Good)

        class Log(base):  # type: ignore[misc, valid-type]
            __tablename__ = "logs"
            id = key()

        self.good, self.space, self.box, self.metadata = Good, Space, Box, base.metadata
        self.catalog = Catalog("storage", leaves_out={"logs": "short-lived"})
        schema_for(Good, self.catalog)
        box = schema_for(Box, self.catalog)
        schema_for(Space, self.catalog, {"boxes": Owned(box)}, hidden=("code",))

    def rows(self) -> list[Any]:
        """Two goods in two boxes on one shelf."""
        flour, salt = self.good(slug="flour"), self.good(slug="salt")
        boxes = [self.box(place=1, good=salt), self.box(place=2, good=flour)]
        return [self.space(slug="left", code=SECRET, boxes=boxes)]


@pytest.fixture
def shelf() -> Shelf:
    """The models and the catalog."""
    return Shelf()


@pytest.fixture
def engine(shelf: Shelf, backend: Backend) -> Iterator[sa.Engine]:
    """A database with one shelf."""
    with backend.database(shelf.metadata) as engine:
        with Session(engine) as session:
            session.add_all(shelf.rows())
            session.commit()
        yield engine


@ON_SQLITE
def test_the_page_of_a_database_has_what_its_bundles_page_has(
    shelf: Shelf, engine: sa.Engine, tmp_path: Path
) -> None:
    """Its entities, records and links; the hidden value is in neither."""
    page = database_page(engine, catalog=shelf.catalog, label="shop.db")
    export_all(engine, tmp_path / "b", catalog=shelf.catalog)
    of_bundle = bundle_page(tmp_path / "b", catalog=shelf.catalog)
    assert SECRET not in page + of_bundle + bundle_page(tmp_path / "b")
    data, others = data_of(page), data_of(of_bundle)
    for entity in (*data["entities"], *others["entities"]):
        for reference in entity["references"]:
            del reference["links"]  # which only an export counts
    assert data["entities"] == others["entities"]
    assert data["leftOut"] == others["leftOut"] == [["logs", "short-lived"]]
    goods, shelves = data["entities"]
    assert shelves["rows"][0][:2] == ["left", "<hidden>"]
    assert list(shelves["links"][0].values()) == [[0, 1], [0, 0]]
    assert goods["choices"] == [str(choice) for choice in shelf.catalog.choices()[:1]]
    assert data["facts"] == [["database", "shop.db"]]


@ON_SQLITE
def test_a_catalog_hides_what_an_older_bundle_shows(
    shelf: Shelf, engine: sa.Engine, tmp_path: Path
) -> None:
    """A field may have been hidden after the bundle was written."""
    open_catalog = Catalog("storage", leaves_out={"logs": "short-lived", "boxes": "not these"})
    schema_for(shelf.good, open_catalog)
    schema_for(shelf.space, open_catalog)
    export_all(engine, tmp_path / "b", catalog=open_catalog)
    assert SECRET in bundle_page(tmp_path / "b")
    assert SECRET not in bundle_page(tmp_path / "b", catalog=shelf.catalog)


@ON_SQLITE
@pytest.mark.parametrize("name", ["recipes", "sections", "hooked_categories", "flat_parts"])
def test_each_reference_leads_to_a_record(backend: Backend, tmp_path: Path, name: str) -> None:
    """Those to owned rows, by keys that recur, flat ones and those of schemas with hooks as well.

    The manifest says how many links each field has.
    """
    world = WORLDS[name]()
    with backend.database() as engine:
        world.filled(engine)
        export_all(engine, tmp_path / "b", catalog=world.catalog)
        of_database = data_of(database_page(engine, catalog=world.catalog))
    of_bundle = data_of(bundle_page(tmp_path / "b", catalog=world.catalog))
    assert [entity["links"] for entity in of_database["entities"]] == [
        entity["links"] for entity in of_bundle["entities"]
    ]
    for entity in of_bundle["entities"]:
        paths = [path for links in entity["links"] for path in links]
        fields = Counter(
            ".".join(p for p in path.split("\x1f") if not p.isdigit()) for path in paths
        )
        expected = {r["path"]: r["links"] for r in entity["references"] if r["links"]}
        assert fields == expected


def test_a_large_table_is_read_only_as_far_as_it_is_shown(
    shelf: Shelf, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that ends early leaves the connection to the next, on each engine."""
    monkeypatch.setattr(sample, "MOST_RECORDS", 30)
    monkeypatch.setattr(sample, "FIRST_RECORDS", 20)
    reports: list[Progress] = []
    count = 2 * CHUNK + 1
    with backend.database(shelf.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(
                sa.insert(shelf.good.__table__),
                [{"slug": f"good-{number:05}"} for number in range(count)],
            )
        for _ in range(2):
            page = database_page(engine, catalog=shelf.catalog, progress=reports.append)
    goods, shelves = data_of(page)["entities"]
    assert (goods["total"], len(goods["rows"]), shelves["total"]) == (count, 20, 0)
    assert goods["rows"][0] == ["good-00000"]
    assert data_of(page)["sample"].startswith(f"This page holds 20 of {count:,} records")
    assert [report.done for report in reports if report.entity == "goods"] == []
