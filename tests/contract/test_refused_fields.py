"""Which field of which record a database refuses: as far as its objection says so."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, ImportFailed, Owned, import_document
from support.backends import Backend
from support.declaring import new_base, schema_for, table
from support.statements import statements


def orders(*checks: sa.CheckConstraint, **columns: Any) -> tuple[Any, Catalog]:
    """Return orders with amounts and lines, and checks that nothing else knows."""
    base, catalog = new_base(), Catalog("test")
    amount = mapped_column("Amount %", sa.Integer, nullable=False)
    owner = mapped_column(sa.ForeignKey("orders.id"), nullable=False)
    count = mapped_column(sa.Integer, sa.CheckConstraint("count < 100"), nullable=False)
    line = table(base, "lines", order_id=owner, count=count)
    order = table(
        base,
        "orders",
        amount=amount,
        most=mapped_column(sa.Integer),
        lines=relationship(line),
        __table_args__=checks,
        **columns,
    )
    lines = schema_for(line, catalog)
    schema_for(order, catalog, {"lines": Owned(lines)})
    return base.metadata, catalog


def order(number: int, **fields: Any) -> dict[str, Any]:
    """Return a record, of an order that no check refuses."""
    lines = [{"slug": f"line {number}", "count": fields.pop("count", 1)}]
    return {"slug": f"o{number:03}", "amount": 1, "most": 5, "lines": lines, **fields}


FEW = sa.CheckConstraint(sa.column("Amount %") < 100, name="few")


@pytest.mark.parametrize(
    ("check", "bad", "field"),
    [
        (FEW, {"amount": 500}, "amount"),
        (sa.CheckConstraint("most < 100", name="top"), {"most": 500}, "most"),
        (sa.CheckConstraint("most > 0 AND length(slug) > 1", name="two"), {"most": 0}, None),
        (FEW, {"count": 500}, "lines.count"),
    ],
    ids=["an expression", "a text", "two columns", "an owned row"],
)
def test_the_field_of_a_check_is_named(
    backend: Backend, check: sa.CheckConstraint, bad: dict[str, Any], field: str | None
) -> None:
    """With the record that it refuses, among many; two fields may both be to blame."""
    metadata, catalog = orders(sa.CheckConstraint(check.sqltext, name=check.name))
    records = [order(number) for number in range(60)]
    records[40] = order(40, **bad)
    with backend.database(metadata) as engine, pytest.raises(ImportFailed) as caught:
        import_document(engine, {"orders": records}, catalog=catalog)
    (problem,) = caught.value.report.problems
    assert (problem.record, problem.key, problem.field) == (41, {"slug": "o040"}, field)
    assert "the database refused it" in problem.message


def test_a_column_that_is_not_null_in_the_database_alone_is_named(backend: Backend) -> None:
    """The model says that it may be null."""
    metadata, catalog = orders()
    table_ = metadata.tables["orders"]
    with backend.database() as engine:
        table_.c.most.nullable = False
        metadata.create_all(engine)
        table_.c.most.nullable = True
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, {"orders": [order(1), order(2, most=None)]}, catalog=catalog)
    (problem,) = caught.value.report.problems
    assert (problem.record, problem.field) == (2, "most")


def test_one_bad_row_among_many_costs_few_statements(backend: Backend) -> None:
    """The rows beside it are inserted by halves, and only once."""
    metadata, catalog = orders(sa.CheckConstraint("most < 100", name="top"))
    records = [order(number) for number in range(1_500)]
    counts = []
    for most in (5, 500):
        records[1_100] = order(1_100, most=most)
        with backend.database(metadata) as engine, statements(engine) as seen:
            report = import_document(
                engine, {"orders": records}, catalog=catalog, on_error="continue"
            )
            assert report.inserted == 1_500 - (most > 100)
        counts.append(len(seen))
    assert counts[1] - counts[0] < 150
