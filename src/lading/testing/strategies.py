"""The strategies that users draw from: whole datasets, and single records."""

from __future__ import annotations

import json
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
from lading.options import check_count, listed_names
from lading.records.marshmallow_path import needs_marshmallow, view_of
from lading.schema import EntitySchema
from lading.testing.datasets.catalog_plan import Overrides, Plans, check_overrides
from lading.testing.datasets.dataset import ENGINES, Dataset, Resolved
from lading.testing.datasets.draw import Drawing
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.references import Draw


def datasets(
    catalog: Catalog,
    *,
    only: Iterable[str] | None = None,
    max_records: int = 5,
    overrides: Overrides | None = None,
) -> SearchStrategy[Dataset]:
    """Draw consistent rows for all tables of a catalog.

    Args:
        catalog: The catalog; its models need not be there before the first draw.
        only: The entities that get records; others get those that these must refer to.  By
            default all do.
        max_records: The most records of one entity, at least 1; where there are many entities,
            fewer are drawn, since Hypothesis takes no examples of any size.
        overrides: Strategies of Python values by field (``"products.unit"``: the entity and
            the field, or the table and the column), for columns that only the application
            understands.  They are stored as they are, and ``None`` is null.

    Returns:
        A strategy of datasets.

    Raises:
        DeclarationError: An argument is refused; or, when drawn from, a column's type can't be
            drawn, or an override gives what its column can't hold.
    """
    check_count("max_records", max_records)
    names = None if only is None else listed_names("only", only)
    if names == []:
        raise ArgumentError("only", only, "at least one entity")
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
        entities = known_plans.entities
        rows = entities.plain[schema]
        # The owned lists of rows that are owned themselves stand in an owner's.
        nested = next(nested for nested in entities.all_rows() if nested.schema is schema)
        plan = known_plans.of[rows.table]
        needed = known_plans.needed([known_plans.of[inner.table] for inner in nested.tree()])
        dataset = Drawing(draw, known_plans, needed, 2, least=1).dataset()
        if not dataset.of(plan):
            reject()
        lists = [member for member in nested.children if member not in rows.members]
        whole = replace(rows, members=[*rows.members, *lists])
        written = Written(Resolved(dataset, ENGINES)).record(whole, dataset.of(plan)[0])
        # What only a database could make is null.
        plain: dict[str, Any] = json.loads(json.dumps(written, default=lambda _made: None))
        if needs_marshmallow(nested):
            plain = schema().dump(view_of(whole, plain))
        return plain

    return record()


def _once(catalog: Catalog, overrides: Overrides | None) -> Callable[[], Plans]:
    """Derive the plans when they are first needed: models may not all be there before."""
    if not isinstance(catalog, Catalog):
        raise ArgumentError("catalog", catalog, "a Catalog")
    check_overrides(overrides)
    return cache(lambda: Plans(catalog, overrides))
