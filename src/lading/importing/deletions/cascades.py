"""What the database does along with deletions outside of the records, and what holds these."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import CASCADE, SET_DEFAULT, SET_NULL, LiveForeignKey
from lading.importing.deletions.cascade_walk import CascadeWalk
from lading.importing.deletions.catalog_references import Rewritten
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.refusal import Refusal
from lading.importing.journal import WriteLog
from lading.importing.row_marks import RowMarks
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.planning.record_change import Cascade, Effect
from lading.report import MOST_PROBLEMS

EFFECTS: dict[str, Effect] = {
    CASCADE: "deleted",
    SET_NULL: "set to null",
    SET_DEFAULT: "set to default",
}


@dataclass(slots=True)
class Consequences:
    """What deleting doomed records would do beside deleting them, found before anything is.

    ``cascades`` count what the database deletes or alters outside of the records.  ``refusals``
    are the first of the records that it would refuse to delete, because other rows refer to
    them or to what goes with them; ``more_refusals`` counts the rest.  ``log`` counts what the
    cascades change in the catalog's tables: an import that lets them happen adds it to its
    journal.  ``takers`` has the cascades of the first records, if they are asked for.
    """

    cascades: list[Cascade] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    more_refusals: int = 0
    log: WriteLog = field(default_factory=WriteLog)
    takers: dict[tuple[str, Row], list[Cascade]] = field(default_factory=dict)


def cascades_of(
    database: Database,
    entities: Entities,
    order: LoadOrder,
    trees: Mapping[str, DoomedTree],
    rewritten: Rewritten | None = None,
    *,
    beside: Mapping[str, DoomedTree] | None = None,
    by_record: RowMarks | None = None,
) -> Consequences:
    """Find what goes along with doomed records, to any depth, and what holds them.

    Only reads.  The foreign keys are those of the database, of tables that no model knows as
    well.  Rows are looked up by the chunk of keys, and followed once each.

    Args:
        database: where the records are.
        entities: the catalog's; they name rows by their natural keys.
        order: the catalog's order of loading.
        trees: the doomed rows of every entity that is mirrored, those without any included.
        rewritten: chunks of the primary keys of records that differ from the bundle's, by
            entity, where they aren't updated yet: what they refer to now doesn't count.
        beside: further rows that go, which hold nothing.
        by_record: asks to tell what goes along with each record, and takes those records, by
            entity, of which that isn't told because there are many.
    """
    with ExitStack() as stack:
        walk = CascadeWalk(
            database,
            entities,
            order,
            trees,
            stack,
            rewritten=rewritten or {},
            beside=beside or {},
            by_record=by_record,
        )
        consequences = Consequences(log=walk.log)
        for refusal in walk.refusals():
            if len(consequences.refusals) < MOST_PROBLEMS:
                consequences.refusals.append(refusal)
            else:
                consequences.more_refusals += 1
        consequences.cascades = [
            _cascade(walk, entity, key, count)
            for (entity, key), count in walk.counts.items()
            if count
        ]
        consequences.takers = {
            (entity, record): [_cascade(walk, entity, key, n) for key, n in counts.items()]
            for (entity, record), counts in walk.takers.items()
        }
    return consequences


def _cascade(walk: CascadeWalk, entity: str, key: LiveForeignKey, count: int) -> Cascade:
    return Cascade(entity, walk.graph.relation(key), EFFECTS[key.action], count)
