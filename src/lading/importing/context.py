"""What the loaders of one load share."""

from __future__ import annotations

from dataclasses import dataclass

from lading.database.live.base import Database
from lading.database.tables import TableCounts
from lading.importing.exclusions import Exclusions
from lading.importing.journal import Journal
from lading.importing.outcomes import Outcomes
from lading.importing.resolvers import Resolvers
from lading.mapping.load_order import LoadOrder


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What the loaders of one load share: where it writes, and where it notes what happens.

    An import loads its payload once, or again where records turn out bad after they were
    written; each load has a context of its own.
    """

    database: Database
    order: LoadOrder
    tables: TableCounts
    resolvers: Resolvers
    outcomes: Outcomes
    exclusions: Exclusions
    journal: Journal
