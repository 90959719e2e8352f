"""References that share columns with others: what they say of them must agree."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading.importing.shared_columns import Agreement, Disagreement, compare, shared_columns
from lading.model.rowsets import Reference, RowSet
from support.declaring import catalog_of, new_base, table


def orders() -> RowSet:
    """Map orders of a tenant, whose customer and product are of the same tenant."""
    base = new_base()
    keys: dict[str, Any] = {
        "tenant": mapped_column(sa.Integer, primary_key=True, autoincrement=False),
        "number": mapped_column(sa.Integer, primary_key=True, autoincrement=False),
    }
    customers = table(base, "customers", id=None, slug=None, **keys)
    products = table(
        base,
        "products",
        id=None,
        slug=None,
        tenant=mapped_column(sa.Integer, primary_key=True, autoincrement=False),
        number=mapped_column(sa.Integer, primary_key=True, autoincrement=False),
    )
    model = table(
        base,
        "orders",
        tenant=mapped_column(sa.Integer, nullable=False),
        customer_number=mapped_column(sa.Integer, nullable=False),
        product_number=mapped_column(sa.Integer, nullable=False),
        customer=relationship(customers, overlaps="product"),
        product=relationship(products, overlaps="customer"),
        __table_args__=(
            sa.ForeignKeyConstraint(
                ["tenant", "customer_number"], ["customers.tenant", "customers.number"]
            ),
            sa.ForeignKeyConstraint(
                ["tenant", "product_number"], ["products.tenant", "products.number"]
            ),
        ),
    )
    return catalog_of(customers, products, model).use()["orders"]


ORDERS = orders()
(SHARING,) = (reference for reference in ORDERS.references if reference.shared)


def test_a_column_has_one_carrier() -> None:
    """The other reference shares it."""
    assert [(place, column.name) for place, column in shared_columns(SHARING)] == [(0, "tenant")]


@pytest.mark.parametrize(
    ("target", "said"),
    [((1, 7), [1]), ((1, 7), ["1"]), (None, [1]), (None, [None])],
)
def test_a_reference_that_says_the_same_is_taken(target: Any, said: list[Any]) -> None:
    """A driver gives a number where it is given its text; a null reference says nothing."""
    compare(SHARING, target, said)


@pytest.mark.parametrize(("target", "said"), [((1, 7), [2]), ((1, 7), [None])])
def test_a_reference_that_says_another_thing_is_refused(target: Any, said: list[Any]) -> None:
    """The database would take the one and forget the other."""
    with pytest.raises(Disagreement) as caught:
        compare(SHARING, target, said)
    assert caught.value.field == SHARING.written
    assert str(caught.value) == (
        "refers to a row of another tenant than the record's other fields say; correct one of them"
    )


@pytest.mark.parametrize(
    ("raw", "bound", "is_same"),
    [
        ("2025-01-31 08:00:00", "2025-01-31T08:00:00", True),
        ("2025-01-31 08:00:00+00:00", "2025-01-31T08:00:00Z", True),
        (1.5, "1.5", True),
        ("a", "A", False),
    ],
)
def test_values_are_compared_with_their_texts(raw: Any, bound: Any, is_same: bool) -> None:
    """Which is what drivers take of many."""
    if is_same:
        compare(SHARING, (raw, 7), [bound])
    else:
        with pytest.raises(Disagreement):
            compare(SHARING, (raw, 7), [bound])


def test_the_first_row_that_disagrees_is_told() -> None:
    """By its place, or within the record that owns it."""
    place = {column: n for n, column in enumerate(ORDERS.table.columns)}
    agreement = Agreement(ORDERS, place)
    tenant = next(n for column, n in place.items() if column.name == "tenant")

    def row(value: int) -> tuple[Any, ...]:
        return tuple(value if n == tenant else None for n in range(len(place)))

    foreign = {SHARING.name: [(1, 7), (2, 7), (3, 7)]}
    agreement.check(foreign, [row(1), row(2), row(3)])
    with pytest.raises(Disagreement) as caught:
        agreement.check(foreign, [row(1), row(2), row(4)])
    assert caught.value.place == 2
    within = caught.value.within("lines", [0, 1, 1])
    assert (within.field, within.place) == (f"lines.2.{SHARING.written}", 1)
    assert agreement.values(SHARING, row(5)) == (5,)
    other: Reference = next(item for item in ORDERS.references if not item.shared)
    assert agreement.values(other, row(5)) == ()
