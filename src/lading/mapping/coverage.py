"""What a catalog leaves out, and the reasons that it gives for it."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lading.mapping.generated_values import is_numbered
from lading.mapping.soft_references import soft_references
from lading.messages import nearest
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import Column


@computed_once
def uncarried(entities: Entities) -> dict[str, str | None]:
    """List what no schema carries; see :meth:`Catalog.coverage`."""
    carried: dict[sa.Table, set[Column]] = {}
    regenerated: set[Column] = set()
    for rows in entities.all_rows():
        if rows.surrogate is not None and not is_numbered(rows.surrogate):
            regenerated |= {rows.surrogate} - {value.column for value in rows.values}
        for table in rows.tables:
            carried.setdefault(table, set()).update(rows.carried())
        for links in rows.links:
            link_columns = {column for column, _ in links.local} | set(links.reference.columns)
            carried.setdefault(links.table, set()).update(link_columns)
    excuses = {**entities.left_out, **entities.leaves_out}
    reasons: dict[str, str | None] = {name: excuses[name] for name in entities.left_out}
    for metadata in _metadatas(entities, carried):
        for table in metadata.tables.values():
            if table not in carried:
                reasons[table.fullname] = excuses.get(table.fullname)
                continue
            for column in table.columns:
                if column not in carried[table] - regenerated:
                    name = f"{table.fullname}.{column.name}"
                    reasons[name] = excuses.get(name)
    return dict(sorted(reasons.items()))


def _metadatas(entities: Entities, carried: Iterable[sa.Table]) -> set[sa.MetaData]:
    """Return the metadata of all tables that the carried models' registries map.

    One registry may have several, such as one for each database that an application binds.
    """
    mappers = {
        mapper
        for registry in {rows.mapper.registry for rows in entities.all_rows()}
        for mapper in registry.mappers
    }
    mapped = {table for mapper in mappers for table in mapper.tables if isinstance(table, sa.Table)}
    return {table.metadata for table in mapped.union(carried)}


def coverage(entities: Entities) -> dict[str, str | None]:
    """List what no schema carries and what looks like soft references; see ``Catalog.coverage``."""
    excuses = entities.leaves_out
    soft = {name: excuses.get(name) for name in soft_references(entities)}
    return dict(sorted({**soft, **uncarried(entities)}.items()))


def stale_excuses(entities: Entities) -> list[str]:
    """Report names in ``leaves_out`` that excuse nothing: misspelt, or carried by now."""
    uncarried_names = coverage(entities) if entities.leaves_out else {}
    return [
        f"leaves_out names {name!r}, and no such table or column is left out (it gives the reason; "
        "exclude in a schema's Meta leaves a column out); "
        f"expected one of: {nearest(name, uncarried_names)}"
        for name in entities.leaves_out
        if name not in uncarried_names
    ]
