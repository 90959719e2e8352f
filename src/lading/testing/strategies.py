"""The strategies that users draw from: whole datasets, and single records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.mapping.meta_options import declares_model
from lading.model.rowsets import RowSet
from lading.records.marshmallow_path import needs_marshmallow, view_of
from lading.schema import EntitySchema
from lading.testing.compare.records import ANYTHING
from lading.testing.datasets.catalog_plan import (
    Overrides,
    Plans,
    check_most,
    check_overrides,
)
from lading.testing.datasets.dataset import ENGINES, Dataset, Resolved
from lading.testing.datasets.draw import Drawing
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.references import Draw

#: How many records of one entity are drawn at most, unless the caller says so.
MOST = 5


def datasets(
    catalog: Catalog,
    *,
    only: Iterable[str] | None = None,
    max_records: int = MOST,
    overrides: Overrides | None = None,
) -> SearchStrategy[Dataset]:
    """Draw consistent rows for all tables of a catalog.

    Args:
        catalog: The catalog; its models need not be there before the first draw.
        only: The entities that get records; others get those that these must refer to.  By
            default all do.
        max_records: The most records of one entity, at least 1.
        overrides: Strategies of Python values by field (``"products.unit"``: the entity and
            the field, or the table and the column), for columns that only the application
            understands.  They are stored as they are, and ``None`` is null.

    Returns:
        A strategy of datasets.

    Raises:
        DeclarationError: An argument is refused; or, when drawn from, a column's type can't be
            drawn, or an override gives what its column can't hold.
    """
    check_most(max_records)
    names = None if only is None else _names(only)
    plans = _once(catalog, overrides)

    @st.composite
    def dataset(draw: Draw) -> Dataset:
        known_plans = plans()
        return Drawing(draw, known_plans, known_plans.wanted(names), max_records).dataset()

    return dataset()


def records(
    schema: type[EntitySchema], *, overrides: Overrides | None = None
) -> SearchStrategy[dict[str, Any]]:
    """Draw a record of one entity, as a bundle holds it and ``schema().load`` takes it.

    What it refers to isn't drawn with it; a record that can't be without a target refers to
    one all the same, by its natural key.

    Args:
        schema: The entity's schema.
        overrides: As in :func:`datasets`.

    Returns:
        A strategy of records, as dictionaries of plain JSON values.

    Raises:
        ArgumentError: The schema isn't an ``EntitySchema`` with a model.
    """
    given: Any = schema
    if not (isinstance(given, type) and issubclass(given, EntitySchema) and declares_model(given)):
        raise ArgumentError("schema", schema, "an EntitySchema with a model")
    plans = _once(schema.catalog, overrides)

    @st.composite
    def record(draw: Draw) -> dict[str, Any]:
        known_plans = plans()
        rows, nested = known_plans.entities.plain[schema], _nesting(known_plans, schema)
        plan = known_plans.of[rows.table]
        needed = known_plans.needed([known_plans.of[inner.table] for inner in nested.tree()])
        dataset = Drawing(draw, known_plans, needed, 2, first=plan).dataset()
        if not dataset.of(plan):
            reject()
        lists = [member for member in nested.children if member not in rows.members]
        whole = replace(rows, members=[*rows.members, *lists])
        written = Written(Resolved(dataset, ENGINES)).record(whole, dataset.of(plan)[0])
        if needs_marshmallow(nested):
            dumped: dict[str, Any] = schema().dump(view_of(whole, _without_made(written)))
            return dumped
        return written

    return record()


def _without_made(record: Any) -> Any:
    """Return a record with nulls for what only a database could make."""
    if isinstance(record, dict):
        return {name: _without_made(value) for name, value in record.items()}
    if isinstance(record, list):
        return [_without_made(child) for child in record]
    return None if record is ANYTHING else record


def _nesting(plans: Plans, schema: type[EntitySchema]) -> RowSet:
    """Return an entity's rows with their owned lists; those of owned rows stand in an owner."""
    return next(rows for rows in plans.entities.all_rows() if rows.schema is schema)


def _names(only: Any) -> frozenset[str]:
    """Return the names of a list; whether they are entities is found when drawing."""
    is_list = isinstance(only, Iterable) and not isinstance(only, str)
    names = list(only) if is_list else [only]
    if not is_list or not all(isinstance(name, str) for name in names):
        raise ArgumentError("only", only, "a list of entity names")
    if not names:
        raise ArgumentError("only", only, "at least one entity")
    return frozenset(names)


def _once(catalog: Catalog, overrides: Overrides | None) -> Callable[[], Plans]:
    """Derive the plans when they are first needed: models may not all be there before."""
    if not isinstance(catalog, Catalog):
        raise ArgumentError("catalog", catalog, "a Catalog")
    check_overrides(overrides)
    return cache(lambda: Plans(catalog, overrides))
