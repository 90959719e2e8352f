"""What a dataset must survive: a round trip, and a move between two engines."""

from __future__ import annotations

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.fresh_databases.factories import (
    EngineFactory,
    check_factory,
    emptied_after,
    sqlite_engine,
)
from lading.testing.datasets.dataset import Dataset
from lading.testing.trips.failures import RoundTripError
from lading.testing.trips.trip import Trip

__all__ = ["RoundTripError", "assert_moves", "assert_round_trip"]


def assert_round_trip(
    catalog: Catalog, dataset: Dataset, *, engine_factory: EngineFactory = sqlite_engine
) -> None:
    """Move a dataset out of a database and into another one, and miss nothing.

    The dataset is written, exported, imported and exported again.  The bundle must say what the
    rows say; both exports must be equal bytes, also of the same data with other ids in another
    order; both databases must hold equal cells, by their stored types and texts, and equal
    links; and a second import must find everything there.

    Args:
        catalog: The catalog that is exported and imported.
        dataset: Rows drawn by ``datasets(catalog)``.
        engine_factory: Gives an engine (or a context manager of one) over a fresh, empty
            database each time that it is called; by default SQLite in memory.

    Raises:
        RoundTripError: An ``AssertionError`` with the entity, record and field that differ and
            both values.
        LadingError: The export or import failed.
    """
    check_factory("engine_factory", engine_factory)
    with Trip(catalog, dataset) as trip:
        source, again, target = (trip.opened(engine_factory) for _ in range(3))
        state, first = trip.departed(source)
        trip.written(again, other=True)
        trip.same_bytes(first, again, "the same data with other ids and in another order")
        trip.restored(target, first, state.cells).repeat()


def assert_moves(
    catalog: Catalog,
    dataset: Dataset,
    from_engine: sa.Engine | EngineFactory,
    to_engine: sa.Engine | EngineFactory,
) -> None:
    """Move a dataset from one engine to another, and miss nothing.

    Both exports must be equal bytes, and both databases must hold equal values and links.

    Args:
        catalog: The catalog that is exported and imported.
        dataset: Rows drawn by ``datasets(catalog)``; a value that either engine can't hold
            is replaced by a harmless one.
        from_engine: An engine over an empty database, whose tables are emptied at the end so
            that it serves the next example, or a factory as for :func:`assert_round_trip`.
        to_engine: Another such engine or factory.

    Raises:
        ArgumentError: An argument isn't of these forms.
        RoundTripError: Something was lost or altered; the text names entity, record and field.
    """
    for argument, given in (("from_engine", from_engine), ("to_engine", to_engine)):
        if not isinstance(given, sa.Engine):
            check_factory(argument, given, "an Engine, or a function that returns a fresh one")
    if isinstance(to_engine, sa.Engine) and to_engine is from_engine:
        raise ArgumentError("to_engine", to_engine, "another engine than from_engine")
    with Trip(catalog, dataset) as trip:
        source, target = (
            trip.opened(_factory(engine, catalog)) for engine in (from_engine, to_engine)
        )
        _, first = trip.departed(source)
        trip.restored(target, first).repeat()


def _factory(engine: sa.Engine | EngineFactory, catalog: Catalog) -> EngineFactory:
    """Let a caller's own engine serve every example: its tables are emptied after each."""
    return (lambda: emptied_after(engine, catalog)) if isinstance(engine, sa.Engine) else engine
