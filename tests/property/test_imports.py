"""Imports of every mode over many shapes: what is there, and a bundle that people edited."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading import ImportFailed, export_document
from lading.fresh_databases.factories import EngineFactory, database, sqlite_engine
from lading.testing import assert_import, datasets
from lading.testing.datasets.dataset import ENGINES
from lading.testing.datasets.insert import write
from lading.testing.plugin import lading_sqlite
from support.applications import NAMES, catalog_of, drawn, examples
from support.depth import IS_DEEP
from support.shuffling import Document, Shuffler, loads, merged
from support.uniques import uniques

__all__ = ["lading_sqlite"]

#: What an update can't do, and says so: see ``test_updates_that_are_refused``.
REFUSALS = ("can't change a record's class", "can't change a primary key")
#: Worlds whose foreign keys hold other unique columns than the primary key.
BY_VALUE = ("accounts", "currencies", "events")
#: Worlds that have most of what there is between them.
ON_SERVERS = (
    "uniques",
    "shop",
    "books",
    "joined_tables",
    "owned_hierarchy",
    "teams",
    "outlines",
    "flat",
)
MODES = ("update", "mirror", "mirror", "skip")
EXAMPLES = {"lading_sqlite": 2, "lading_postgresql": 2, "lading_mariadb": 2}
ON_ENGINES = [
    (name, engine)
    for name in (*NAMES, "uniques")
    for engine in EXAMPLES
    if IS_DEEP or name in ON_SERVERS or (engine == "lading_sqlite" and name != "keys")
]


@pytest.mark.parametrize(("name", "engine"), ON_ENGINES)
def test_an_import_leaves_what_its_mode_means(
    name: str, engine: str, request: pytest.FixtureRequest
) -> None:
    """Two variants of one dataset: values turned, rows moved, links dropped, records gone."""
    factory: EngineFactory = request.getfixturevalue(engine)
    is_ours = name == "uniques"
    catalog = uniques() if is_ours else catalog_of(name)

    @examples(EXAMPLES[engine] * (4 if is_ours else 1))
    @given(
        datasets(catalog) if is_ours else drawn(name), st.integers(0, 2**32), st.sampled_from(MODES)
    )
    def leaves_what_its_mode_means(dataset: Any, seed: int, mode: str) -> None:
        draws = random.Random(seed)
        shuffler = Shuffler(catalog, draws)
        document = exported(dataset)
        before, bundle = (shuffler.variant(document, draws.choice([0, 1, 3, 6])) for _ in "ab")
        if not (loads(catalog, before, factory) and loads(catalog, bundle, factory)):
            return
        try:
            assert_import(catalog, before, bundle, mode, engine_factory=factory)
        except ImportFailed as error:
            can = mode == "mirror" or loads(catalog, merged(catalog, before, bundle), factory)
            is_known = any(text in str(error) for text in REFUSALS) or name in BY_VALUE
            if can and not is_known:
                raise

    leaves_what_its_mode_means()


def exported(dataset: Any) -> Document:
    """Return the document of a dataset."""
    catalog = dataset.plans.catalog
    with database(sqlite_engine, catalog) as engine:
        write(dataset, engine, ENGINES, other=False)
        return export_document(engine, catalog=catalog)
