"""What an export leaves out or changes, and the warnings that say so.

Each function is called where its stack level leads to the caller's line.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence

from lading.catalog import Catalog
from lading.database.live.base import Database
from lading.database.tables import tables_of
from lading.errors import ClosureWarning, LeftOutWarning, RoundedWarning
from lading.exporting.reading import Tally
from lading.mapping.coverage import uncarried
from lading.mapping.soft_references import soft_references
from lading.messages import counted, listed
from lading.model.entities import Entities


def warn_of_closure(brought_back: Mapping[str, int]) -> None:
    """Warn of records that ``where`` leaves out and the closure exports."""
    if brought_back:
        counts = [f"{count} of {name}" for name, count in brought_back.items()]
        warnings.warn(
            f"closure=True exports records that where leaves out: "
            f"{listed(counts, separator=', ')}; other exported records refer to them. Filter those "
            "as well, or leave out closure",
            ClosureWarning,
            stacklevel=4,
        )


def rounded(tallies: Iterable[Tally]) -> dict[str, int]:
    """Count the decimals that were written with fewer digits than SQLite holds, and warn."""
    counts: dict[str, int] = {}
    for tally in tallies:
        for column, count in tally.rounded.items():
            counts[column] = counts.get(column, 0) + count
    for column, count in sorted(counts.items()):
        cells = counted(count, "cell")
        warnings.warn(
            f"SQLite holds more digits in {cells} of {column} than its scale has; they were "
            "written as SQLAlchemy reads them, rounded",
            RoundedWarning,
            stacklevel=4,
        )
    return dict(sorted(counts.items()))


def left_out(database: Database, catalog: Catalog, names: Sequence[str]) -> dict[str, str | None]:
    """Return what an export of some entities doesn't carry, and warn of what isn't excused."""
    entities = catalog.use()
    _warn_of_views(database, catalog)
    reasons = {**uncarried(entities), **_cut_links(entities, names)}
    unexcused = [name for name, reason in reasons.items() if reason is None]
    if unexcused:
        warnings.warn(
            f"this export of catalog {catalog.name!r} carries no "
            f"{listed(unexcused, separator=', ')}; declare a schema for each table and "
            "export it, carry each column, or excuse it by name: "
            f"leaves_out={{{unexcused[0]!r}: 'the reason'}}",
            LeftOutWarning,
            stacklevel=4,
        )
    _warn_of_soft_references(catalog)
    return reasons


def _warn_of_views(database: Database, catalog: Catalog) -> None:
    """Warn of views in a table's place: the rows that a view doesn't show can't be counted."""
    for table, relation in database.stand_ins(tables_of(catalog.use())).items():
        if table.fullname not in catalog.leaves_out:
            warnings.warn(
                f"{table.fullname} is {relation}; this export holds only the rows that it shows. "
                "Map the table itself, or excuse it by name: "
                f"leaves_out={{{table.fullname!r}: 'the reason'}}",
                LeftOutWarning,
                stacklevel=5,
            )


def _warn_of_soft_references(catalog: Catalog) -> None:
    """Warn of columns that hold ids which an import may number anew."""
    soft = {
        name: targets
        for name, targets in soft_references(catalog.use()).items()
        if name not in catalog.leaves_out
    }
    if soft:
        columns = [f"{name} (of {' or '.join(targets)})" for name, targets in soft.items()]
        warnings.warn(
            f"{listed(columns, separator=', ')}: what looks like a reference by id holds ids that "
            f"catalog {catalog.name!r} doesn't carry, so an import may number them anew; "
            "carry them (keep_ids=True, or keep_id = True in the entity's Meta), or excuse the "
            f"column by name: leaves_out={{{next(iter(soft))!r}: 'the reason'}}",
            LeftOutWarning,
            stacklevel=5,
        )


def _cut_links(entities: Entities, names: Sequence[str]) -> dict[str, None]:
    """Name the tables of links of exported records which an entity left out carries."""
    cut: dict[str, None] = {}
    for rows in entities.all_rows():
        for links in rows.links:
            if rows.entity not in names and links.reference.target.entity in names:
                cut[links.table.fullname] = None
    return cut
