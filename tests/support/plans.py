"""Plans of a bakery's imports, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lading.planning.change_log import ChangeLog
from lading.planning.file_format import PlanHeader
from lading.planning.plan import ImportPlan
from lading.planning.record_change import Cascade, RecordChange
from lading.report import Counts, Problem

HEADER = PlanHeader(catalog="bakery", bundle="0" * 64, database="sqlite 3")


def insert(entity: str, slug: str, **fields: Any) -> RecordChange:
    """An insert of a record that its slug identifies."""
    return RecordChange(entity, {"slug": slug}, "insert", None, {"slug": slug, **fields})


def delete(entity: str, slug: str) -> RecordChange:
    """A delete."""
    return RecordChange(entity, {"slug": slug}, "delete", {"slug": slug}, None)


def update(entity: str, slug: str, **fields: tuple[Any, Any]) -> RecordChange:
    """An update of fields, each from a value to another."""
    before = {name: values[0] for name, values in fields.items()}
    after = {name: values[1] for name, values in fields.items()}
    return RecordChange(entity, {"slug": slug}, "update", before, after)


def log_of(changes: Iterable[RecordChange]) -> ChangeLog:
    """A log of changes."""
    log = ChangeLog()
    for change in changes:
        log.add(change)
    return log


def plan_of(changes: Iterable[RecordChange], **parts: Any) -> ImportPlan:
    """A plan whose counts are those of its changes."""
    log = log_of(changes)
    entities = {
        name: Counts(inserted=counts["insert"], updated=counts["update"], deleted=counts["delete"])
        for name, counts in log.counts.items()
    }
    return ImportPlan(entities, log, header=HEADER, **parts)


def bakery_plan() -> ImportPlan:
    """A plan that has something of everything."""
    return plan_of(
        [
            insert("ingredients", "spelt", name="Spelt"),
            insert("ingredients", "rye", name="Rye"),
            *(
                update("products", f"roll-{number}", unit_price=("1.20", "1.35"))
                for number in range(3)
            ),
            update("products", "bread", name=("Bread", "Sourdough"), unit_price=("3.00", "3.20")),
            delete("products", "old-bread"),
        ],
        problems=[Problem("02_products.json", 7, {"slug": "x"}, "name", "is too long", "odd")],
        more_problems=2,
        cascades=[Cascade("products", "audit_log.product_id", "deleted", 1_400)],
        unchecked=["products: CHECK (unit_price > 0)"],
    )
