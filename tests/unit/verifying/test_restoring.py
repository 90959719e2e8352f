"""How records that come back from a database are held against those that went in."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from lading.model.rowsets import RowSet
from lading.verifying.restoring import _of_records
from support.declaring import new_base, schema_for, table, to

OLD = b'{"slug":"a","n":1,"twice":2,"parts":[{"slug":"p","n":1,"twice":2}]}'


def rows() -> RowSet:
    """Return items that own parts; of both, a column is computed."""
    base, catalog = new_base(), Catalog("shop")

    def columns() -> dict[str, Any]:
        twice = mapped_column(sa.Integer, sa.Computed("2 * n"))
        return {"n": mapped_column(sa.Integer), "twice": twice}

    part = table(base, "parts", item_id=to("items.id", null=False), **columns())
    item = table(base, "items", parts=relationship(part), **columns())
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    return catalog.use()["items"]


@pytest.mark.parametrize(
    ("new", "computes", "fields"),
    [
        (OLD, True, []),
        (OLD.replace(b'"n":1', b'"n":3'), True, ["n", "parts"]),
        (OLD.replace(b'"twice":2', b'"twice":null'), True, ["twice", "parts"]),
        (OLD.replace(b'"twice":2', b'"twice":null'), False, []),
        (OLD.replace(b'"n":1', b'"n":3'), False, ["n", "parts"]),
    ],
)
def test_what_comes_back_otherwise_is_told_by_field(
    new: bytes, computes: bool, fields: list[str]
) -> None:
    """But for what only a database computes, where the trial's computes nothing."""
    problems = list(_of_records(rows(), "01_items.json", iter([(OLD, new)]), computes))
    assert [problem.field for problem in problems] == fields
    assert all(problem.key == {"slug": "a"} for problem in problems)


@pytest.mark.parametrize("new", [None, OLD.replace(b'"a"', b'"b"')])
def test_where_a_record_is_another_nothing_more_is_told(new: bytes | None) -> None:
    """Those behind it would all differ."""
    pairs = iter([(OLD, OLD), (OLD, new), (OLD, OLD.replace(b'"n":1', b'"n":3'))])
    (problem,) = _of_records(rows(), "01_items.json", pairs, True)
    assert (problem.record, problem.field) == (2, None)
    assert "comes back from a database as" in problem.message
