"""What a dataset must survive: a round trip, and a move between two engines."""

from __future__ import annotations

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.testing.compare.stored import stored_cells
from lading.testing.databases.factories import EngineFactory, emptied_after, sqlite_engine
from lading.testing.datasets.dataset import Dataset
from lading.testing.trips.trip import RoundTripError, Trip

__all__ = ["RoundTripError", "assert_moves", "assert_round_trip"]


def assert_round_trip(
    catalog: Catalog, dataset: Dataset, *, engine_factory: EngineFactory = sqlite_engine
) -> None:
    """Move a dataset out of a database and into another one, and miss nothing.

    ``engine_factory`` gives an engine (or a context manager of one) over a fresh, empty
    database, each time that it is called; by default SQLite in memory.  The dataset is written,
    exported, imported and exported again.  The bundle must say what the rows say; both
    exports must be equal bytes, also of the same data with other ids in another order; both
    databases must hold equal cells, by their stored types and texts, and equal links; and a
    second import must find everything there.

    Raises ``RoundTripError`` (an ``AssertionError``) with the entity, record and field that
    differ and both values; a ``LadingError`` of the export or import is raised as it is.
    """
    with Trip(catalog, dataset) as trip:
        trip.carries_everything()
        source = trip.opened(engine_factory)
        trip.written(source, other=False)
        before = stored_cells(source, trip.tables)
        first = trip.exported(source, "the export")
        trip.says_what_was_written(first)
        again = trip.opened(engine_factory)
        trip.written(again, other=True)
        trip.same_bytes(first, again, "the same data with other ids and in another order")
        target = trip.opened(engine_factory)
        trip.imported(target, first)
        trip.same_cells(before, stored_cells(target, trip.tables), "after the import")
        trip.same_bytes(first, target, "the export after the import")
        trip.changes_nothing(target, first)


def assert_moves(
    catalog: Catalog,
    dataset: Dataset,
    from_engine: sa.Engine | EngineFactory,
    to_engine: sa.Engine | EngineFactory,
) -> None:
    """Move a dataset from one engine to another, and miss nothing.

    Both are engines over empty databases, or factories as for :func:`assert_round_trip`; an
    engine's tables are emptied again at the end, so that it serves the next example.
    What either engine can't hold stands in the dataset's harmless form.  Both exports must be
    equal bytes, and both databases hold equal values and links.
    """
    with Trip(catalog, dataset) as trip:
        trip.carries_everything()
        source, target = (trip.opened(_factory(item, catalog)) for item in (from_engine, to_engine))
        trip.written(source, other=False)
        first = trip.exported(source, "the export")
        trip.says_what_was_written(first)
        trip.imported(target, first)
        trip.holds_what_was_written(target, "after the move")
        trip.same_bytes(first, target, "the export after the move")
        trip.changes_nothing(target, first)


def _factory(given: sa.Engine | EngineFactory, catalog: Catalog) -> EngineFactory:
    """Let a caller's own engine serve every example: its tables are emptied after each."""
    return (lambda: emptied_after(given, catalog)) if isinstance(given, sa.Engine) else given
