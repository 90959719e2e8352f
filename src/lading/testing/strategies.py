"""The strategies that users draw from: whole datasets, and single records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.declare.catalog import Catalog
from lading.declare.schema import EntitySchema
from lading.errors import DeclarationError, listed, shown
from lading.testing.dataset import ENGINES, Dataset
from lading.testing.drawing import Drawing
from lading.testing.plans import Overrides, Plan, Plans
from lading.testing.references import Draw
from lading.testing.written import Written

#: How many records of one entity are drawn at most, unless the caller says so.
MOST = 5


def datasets(
    catalog: Catalog,
    *,
    only: Iterable[str] | None = None,
    max_records: int = MOST,
    overrides: Overrides | None = None,
) -> SearchStrategy[Dataset]:
    """Draw consistent rows for all tables of a catalog, at most ``max_records`` of an entity.

    ``only`` lists the entities that get records; others get those that these must refer to.
    ``overrides`` maps fields (``"products.unit"``: the entity and the field, or the table and
    the column) to strategies of Python values, for columns that only the application
    understands.  Raises ``DeclarationError`` when first drawn from, if a column's type can't be
    drawn.
    """
    plans = _once(catalog, overrides)
    names = None if only is None else frozenset(only)

    @st.composite
    def dataset(draw: Draw) -> Dataset:
        made = plans()
        return Drawing(draw, made, wanted_plans(made, names), max_records).dataset()

    return dataset()


def records(
    schema: type[EntitySchema], *, overrides: Overrides | None = None
) -> SearchStrategy[dict[str, Any]]:
    """Draw a record of one entity, as a bundle holds it and ``schema().load`` takes it.

    What it refers to isn't drawn with it; a record that can't be without a target refers to
    one all the same, by its natural key.
    """
    plans = _once(schema.catalog, overrides)

    @st.composite
    def record(draw: Draw) -> dict[str, Any]:
        made = plans()
        assert schema.rows is not None
        plan = made.of[schema.rows.table]
        drawing = Drawing(draw, made, wanted_plans(made, frozenset({plan.name})), 2, first=plan)
        dataset = drawing.dataset()
        if not dataset.of(plan):
            reject()
        return Written(dataset.resolved(ENGINES)).record(schema.rows, dataset.of(plan)[0])

    return record()


def _once(catalog: Catalog, overrides: Overrides | None) -> Callable[[], Plans]:
    """Derive the plans when they are first needed: models may not all be there before."""
    held: list[Plans] = []

    def plans() -> Plans:
        if not held:
            held.append(Plans(catalog, overrides))
        return held[0]

    return plans


def wanted_plans(plans: Plans, only: frozenset[str] | None) -> set[Plan]:
    """Return the plans of which rows are drawn: those named, and what these must refer to."""
    if only is None:
        return {plan for plan in plans.plans() if plan.rows is not None} | set(plans.links)
    roots = plans.entities.roots
    unknown = sorted(only - roots.keys())
    if unknown:
        raise DeclarationError(
            f"only names {shown(unknown[0])}, which is no entity; the entities are {listed(roots)}"
        )
    found: set[Plan] = set()
    waiting = [plans.of[rows.table] for name in only for rows in roots[name].tree()]
    while waiting:
        plan = waiting.pop()
        if plan not in found:
            found.add(plan)
            must = [item for item in plan.foreign if item.hard and not item.optional]
            waiting += [plans.of[item.target] for item in (*must, *plan.owners[:1])]
    names = {rows.name for rows in (plan.rows for plan in found) if rows is not None}
    return found | {link for link in plans.links if _leads_within(plans, link, names)}


def _leads_within(plans: Plans, link: Plan, names: Collection[str]) -> bool:
    return all(plans.of[item.target].name in names for item in link.foreign)
