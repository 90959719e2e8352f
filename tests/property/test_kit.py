"""Applications' own tests, as they would write them with the kit, over many shapes and engines."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    EngineType,
    LadingError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.fresh_databases.factories import EngineFactory, sqlite_engine
from lading.samples.engine_types import TEXTS
from lading.testing import assert_moves, assert_round_trip, datasets
from lading.testing.compare.stored import stored_cells
from lading.testing.datasets.references import Draw
from lading.testing.plugin import lading_sqlite
from lading.testing.trips.bundles import records_of
from lading.testing.trips.trip import Trip
from lading.values.scalars import Json
from support.applications import NAMES, catalog_of, drawn, examples
from support.declaring import new_base, schema_for, table
from support.depth import IS_DEEP
from support.rewriting import rewritten

__all__ = ["lading_sqlite"]

#: Worlds that have most of what there is between them.
SOME = ["shop", "books", "tags", "joined_tables", "optional_keys", "accounts"]
#: And those that hold every type, and what an engine stores in its own way.
ON_SERVERS = [*SOME, "values", "keys", "defaults", "tenants"]
EXAMPLES = {"lading_sqlite": 3, "lading_postgresql": 2, "lading_mariadb": 2}
ENGINES = list(EXAMPLES)
#: In a circle, and between any two in a deep run, which has every world on every engine too.
MOVES = (
    [(one, two) for one in ENGINES for two in ENGINES if one != two]
    if IS_DEEP
    else [*zip(ENGINES, ENGINES[1:] + ENGINES[:1], strict=True)]
)
ON_ENGINES = [
    (name, engine)
    for name in NAMES
    for engine in ENGINES
    if engine == "lading_sqlite" or IS_DEEP or name in ON_SERVERS
]
#: Types that one engine alone has, beside those whose values are listed; the first is a key.
MORE = {
    "postgresql": ["inet", "bit", "bit(3)", "bit varying(4)", "bit varying", "inet[]", "box[]", "jsonpath[]"],
    "mariadb": ["inet6", "bit(1)", "bit(9)", "bit(64)", "year(4)", "datetime(3)"],
}  # fmt: skip


# Round trips and moves


@pytest.mark.parametrize(("name", "engine"), ON_ENGINES)
def test_nothing_is_lost(name: str, engine: str, request: pytest.FixtureRequest) -> None:
    """Every shape, and what engines hold in their own ways on each of them."""
    factory: EngineFactory = request.getfixturevalue(engine)
    catalog = catalog_of(name)

    @examples(EXAMPLES[engine])
    @given(drawn(name))
    def nothing_is_lost(dataset: Any) -> None:
        assert_round_trip(catalog, dataset, engine_factory=factory)

    nothing_is_lost()


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_values_of_types_that_one_engine_has_are_its_own(
    engine: str, request: pytest.FixtureRequest
) -> None:
    """The server takes each and gives it back as it was drawn, also as a key that is referred to."""
    names = [*(TEXTS[engine].keys() - {"xml"}), *MORE[engine]]  # few servers are built with XML
    base = new_base()
    types = {f"c{n}": mapped_column(EngineType(engine, name)) for n, name in enumerate(names)}
    key = EngineType(engine, MORE[engine][0])
    host = table(base, "hosts", ip=mapped_column(key, nullable=False, unique=True), **types)
    to_key = mapped_column(key, sa.ForeignKey("hosts.ip"))
    visit = table(base, "visits", host_ip=to_key, host=relationship(host))
    catalog = Catalog("hosts")
    schema_for(host, catalog, natural_key="ip")
    schema_for(visit, catalog)

    @examples(3)
    @given(datasets(catalog))
    def nothing_is_lost(dataset: Any) -> None:
        factory = request.getfixturevalue(f"lading_{engine}")
        assert_round_trip(catalog, dataset, engine_factory=factory)

    nothing_is_lost()


def test_links_of_a_table_without_a_primary_key_go_round() -> None:
    """Nothing tells them apart but what they lead to."""
    base, catalog = new_base(), Catalog("unkeyed links")
    ends = [
        sa.Column(name, sa.ForeignKey(f"{name}.id"), nullable=False) for name in ("posts", "tags")
    ]
    links = sa.Table("post_tags", base.metadata, *ends)
    tag = table(base, "tags", slug=mapped_column(sa.String(9), unique=True, nullable=False))
    slug = mapped_column(sa.String(9), unique=True, nullable=False)
    post = table(base, "posts", slug=slug, tags=relationship(tag, secondary=links))
    schema_for(tag, catalog)
    schema_for(post, catalog)

    @examples(20)
    @given(datasets(catalog))
    def nothing_is_lost(dataset: Any) -> None:
        assert_round_trip(catalog, dataset)

    nothing_is_lost()


@pytest.mark.parametrize("move", MOVES, ids="-".join)
@pytest.mark.parametrize("name", [*SOME, "values"])
def test_nothing_is_lost_between_engines(
    name: str, move: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    """In every direction."""
    source, target = map(request.getfixturevalue, move)
    catalog = catalog_of(name)

    @examples(2)
    @given(drawn(name))
    def moves(dataset: Any) -> None:
        assert_moves(catalog, dataset, source, target)

    moves()


@pytest.mark.parametrize("name", [*SOME, "values"])
def test_engines_give_equal_bytes(name: str, request: pytest.FixtureRequest) -> None:
    """What all three hold leaves each of them in the same bytes."""
    factories = [request.getfixturevalue(engine) for engine in ENGINES]
    catalog = catalog_of(name)

    @examples(2)
    @given(drawn(name))
    def equal(dataset: Any) -> None:
        with Trip(catalog, dataset) as trip:
            engines = [trip.opened(factory) for factory in factories]
            for engine in engines:
                trip.written(engine)
            first = trip.exported(engines[0], "the export")
            for engine in engines[1:]:
                trip.same_bytes(first, engine, engine.dialect.name)

    equal()


# Other ways round

Check = Callable[[Trip, sa.Engine, Path, Draw], None]


def hold(name: str, check: Check, count: int = 2) -> None:
    """Let a check have drawn datasets, in a database and exported from it."""
    catalog = catalog_of(name)

    @examples(count)
    @given(drawn(name), st.data())
    def holds(dataset: Any, data: Any) -> None:
        with Trip(catalog, dataset) as trip:
            source = trip.opened(sqlite_engine)
            trip.written(source)
            check(trip, source, trip.exported(source, "the export"), data.draw)

    holds()


@pytest.mark.parametrize("name", SOME)
def test_the_order_of_records_does_not_matter(name: str) -> None:
    """A bundle whose records stand in another order restores the same."""

    def check(trip: Trip, source: sa.Engine, path: Path, draw: Draw) -> None:
        before = stored_cells(source, trip.dataset.plans.of)
        mixed = trip.exported(source, "another export")
        rewritten(mixed, lambda _, records: draw(st.permutations(records)))
        target = trip.opened(sqlite_engine)
        import_all(target, mixed, catalog=trip.catalog)
        trip.same_cells(before, stored_cells(target, trip.dataset.plans.of), "after a mixed import")
        trip.same_bytes(path, target, "the export after a mixed import")

    hold(name, check)


@pytest.mark.parametrize("name", SOME)
def test_a_zip_file_holds_the_same(name: str) -> None:
    """Byte by byte, and it restores the same."""

    def check(trip: Trip, source: sa.Engine, path: Path, draw: Draw) -> None:
        zipped = trip.folder / "bundle.zip"
        export_all(source, zipped, catalog=trip.catalog)
        with zipfile.ZipFile(zipped) as archive:
            inside = {
                name.rpartition("/")[2]: archive.read(name)
                for name in archive.namelist()
                if not name.endswith("manifest.json")
            }
        outside = {
            item.name: item.read_bytes() for item in path.iterdir() if item.name != "manifest.json"
        }
        assert inside == outside
        target = trip.opened(sqlite_engine)
        import_all(target, zipped, catalog=trip.catalog)
        trip.same_bytes(path, target, "the export after the import of a zip file")

    hold(name, check)


@pytest.mark.parametrize("name", SOME)
def test_a_document_holds_the_same_records(name: str) -> None:
    """Through JSON text as well, and it restores the same."""

    def check(trip: Trip, source: sa.Engine, path: Path, draw: Draw) -> None:
        document = json.loads(json.dumps(export_document(source, catalog=trip.catalog)))
        records = records_of(path)
        assert {name: document[name] for name in records} == records
        target = trip.opened(sqlite_engine)
        import_document(target, document, catalog=trip.catalog)
        trip.same_bytes(path, target, "the export after the import of a document")

    hold(name, check)


@pytest.mark.parametrize("name", SOME)
def test_a_failed_import_changes_nothing(name: str) -> None:
    """One field of the wrong type is refused, and every table stays as it was."""
    entities = catalog_of(name).use()
    unhurt = {
        value.written
        for rows in entities.all_rows()
        for value in rows.values
        if not value.writable or isinstance(value.kind, Json)
    }

    def check(trip: Trip, source: sa.Engine, path: Path, draw: Draw) -> None:
        places = [
            (entity, place, field)
            for entity, records in records_of(path).items()
            for place, record in enumerate(records)
            for field in record
            if field not in unhurt
        ]
        if not places:
            return
        entity, place, field = draw(st.sampled_from(places))

        def damage(name: str, records: list[Any]) -> list[Any]:
            if name == entity:
                records[place][field] = [{"neither": "nor"}]
            return records

        rewritten(path, damage)
        for engine in (source, trip.opened(sqlite_engine)):
            before = stored_cells(engine, trip.dataset.plans.of)
            with pytest.raises(LadingError):
                import_all(engine, path, catalog=trip.catalog)
            trip.same_cells(
                before, stored_cells(engine, trip.dataset.plans.of), "after a failed import"
            )

    hold(name, check)
