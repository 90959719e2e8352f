"""What an import must leave behind, in each mode: told from both sides' records alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lading.catalog import Catalog, catalog_of
from lading.fresh_databases.factories import (
    EngineFactory,
    check_factory,
    database,
    engine_name,
    sqlite_engine,
)
from lading.importer import import_document
from lading.options import DOCUMENT, check_mapping
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.insert import write
from lading.testing.trips.failures import noted
from lading.testing.trips.import_check import ImportCheck
from lading.testing.trips.state import State


def assert_import(
    catalog: Catalog,
    before: Dataset | Mapping[str, Any],
    bundle: Mapping[str, Any],
    mode: str | Mapping[str, str],
    *,
    engine_factory: EngineFactory = sqlite_engine,
) -> None:
    """Import a document into a database that has records, and hold the outcome to the mode.

    After an update every record of the bundle is there as the bundle says, and all else as it
    was; after a mirror exactly the bundle; otherwise everything as it was, and what is new.
    Fields that no import sets (computed ones, versions), and volatile ones that differ alone,
    aren't compared.  Rows that stay keep their primary keys, a second import writes nothing,
    and on SQLite no row is written that says the same afterwards.

    Args:
        catalog: The catalog whose tables the database gets.
        before: What the database holds: a document, or rows drawn by ``datasets(catalog)``.
        bundle: The document that is imported.
        mode: What ``import_document`` takes as ``on_conflict``.
        engine_factory: Gives an engine (or a context manager of one) over a fresh, empty
            database each time that it is called; by default SQLite in memory.

    Raises:
        ArgumentError: An argument isn't of these forms.
        RoundTripError: An ``AssertionError`` with the entity, record and field that differ and
            both values.
        LadingError: The import refused the bundle, and left the database as it was.
    """
    catalog = catalog_of(catalog)
    if not isinstance(before, Dataset):
        check_mapping("before", before, f"a dataset, or {DOCUMENT}")
    check_mapping("bundle", bundle, DOCUMENT)
    check_factory("engine_factory", engine_factory)
    plans = before.plans if isinstance(before, Dataset) else Plans(catalog)
    name = f"the database, with on_conflict={mode!r},"

    def holds(*, watches: bool) -> bool:
        """Import into a fresh database with what there is before; tell whether that is SQLite's."""
        with database(engine_factory, catalog) as engine:
            with noted("the import of what the database holds before"):
                if isinstance(before, Dataset):
                    write(before, engine, {engine_name(engine)}, other=False)
                else:
                    import_document(engine, before, catalog=catalog)
            state = State.fresh(name, engine, plans).read()
            check = ImportCheck(state, dict(bundle), {"on_conflict": mode}, is_canonical=False)
            check.imported(watches=watches)
            check.hold()
            if not watches:
                check.repeat()
            return engine_name(engine) == "sqlite"

    # Rows that are written in vain are told by triggers, which imports read back.
    if holds(watches=False):
        holds(watches=True)
