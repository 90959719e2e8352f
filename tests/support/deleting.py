"""Deletes the records that a bundle lacks, without the rest of an import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from lading import Catalog
from lading.database.live.base import Database
from lading.database.session import writing
from lading.database.tables import TableCounts
from lading.importing.deletions.cascades import Consequences, cascades_of
from lading.importing.deletions.deleter import Deleter
from lading.importing.deletions.doomed_rows import doomed_rows
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.refusal import Refusal
from lading.importing.journal import Journal
from lading.mapping.load_order import load_order_of
from support.backends import Backend

#: Primary keys of the records that stay, by entity.
Kept = Mapping[str, Iterable[tuple[Any, ...]]]


@contextmanager
def filled(backend: Backend, base: Any, **rows: list[dict[str, Any]]) -> Iterator[sa.Engine]:
    """Yield an engine over a fresh database with these rows, by table."""
    with backend.database(base.metadata) as engine:
        with engine.begin() as connection:
            for name, values in rows.items():
                connection.execute(sa.insert(base.metadata.tables[name]), values)
        yield engine


def doomed_trees(
    database: Database, catalog: Catalog, journal: Journal, kept: Kept, size: int = 3
) -> dict[str, DoomedTree]:
    """Return what goes of each entity that ``kept`` names."""
    trees = {}
    for name, keys in kept.items():
        root = catalog.use()[name]
        trees[name] = DoomedTree(database, root, journal.spool)
        for identities in doomed_rows(database, root, [list(keys)], size):
            trees[name].add(identities)
    return trees


def mirrored(
    engine: sa.Engine, catalog: Catalog, size: int = 3, **kept: Iterable[Any]
) -> list[Refusal]:
    """Delete all but the records with these ids, cascades and all, and check what was counted."""
    with writing(engine, catalog) as opened, closing(Journal(reads_back=False)) as journal:
        database, entities = opened.database, catalog.use()
        counts = TableCounts(database, list(entities.roots.values()))
        trees = doomed_trees(database, catalog, journal, keys_by_entity(kept), size)
        journal.add(cascades_of(database, entities, load_order_of(entities), trees).log)
        deleter = Deleter(database, load_order_of(entities), journal, trees)
        refusals = list(deleter.delete())
        counts.check(journal.row_counts, journal.link_counts)
        for name, tree in trees.items():
            failed = len(deleter.failed[name])
            assert deleter.deleted[name] + failed == tree.counts[tree.root]
        return refusals


def foretold(
    engine: sa.Engine,
    catalog: Catalog,
    size: int = 3,
    rewritten: Kept | None = None,
    **kept: Iterable[Any],
) -> Consequences:
    """Find what deleting all but the records with these ids would do beside."""
    with writing(engine, catalog) as opened, closing(Journal(reads_back=False)) as journal:
        entities = catalog.use()
        trees = doomed_trees(opened.database, catalog, journal, keys_by_entity(kept), size)
        chunks = {name: [list(keys)] for name, keys in (rewritten or {}).items()}
        return cascades_of(opened.database, entities, load_order_of(entities), trees, chunks)


def keys_by_entity(kept: Mapping[str, Iterable[Any]]) -> Kept:
    """Return ids as primary keys."""
    return {name: [k if isinstance(k, tuple) else (k,) for k in ids] for name, ids in kept.items()}


def left(engine: sa.Engine, base: Any) -> dict[str, list[Any]]:
    """Return the primary keys of the rows that are there, by table; alone where they are one."""
    with engine.connect() as connection:
        return {
            table.name: sorted(
                row[0] if len(row) == 1 else tuple(row)
                for row in connection.execute(sa.select(*table.primary_key.columns))
            )
            for table in base.metadata.sorted_tables
        }
