"""Which owned row is which: by keys, by contents, and by places where ids give the order."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from lading.importing.updates.matching import OwnedMatcher, key_of
from lading.records.comparison import RecordComparison
from support.declaring import new_base, schema_for, table, to


def matcher(*, by_id: str = "", classes: bool = False) -> OwnedMatcher:
    """Return what matches the lines of an order; ``by_id`` says how ids order them."""
    base, catalog = new_base(), Catalog("shop")
    columns: dict[str, Any] = {"order_id": to("orders.id", null=False), "text": sa.Column(sa.Text)}
    columns["id"] = mapped_column(sa.Integer, primary_key=True)
    if classes:
        columns["sort"] = mapped_column(sa.String(9), nullable=False)
        columns["__mapper_args__"] = {"polymorphic_on": "sort", "polymorphic_identity": "a"}
    line = type("Line", (base,), {"__tablename__": "lines", **columns})
    if classes:
        type("Other", (line,), {"__mapper_args__": {"polymorphic_identity": "b"}})
    options = {"order_by": getattr(line.id, by_id)()} if by_id else {}
    order = table(base, "orders", lines=relationship(line, **options))
    schema_for(order, catalog, {"lines": Owned(schema_for(line, catalog))})
    rows = catalog.use()["orders"]
    return OwnedMatcher(rows.children[0], RecordComparison(rows))


def lines(texts: str, sort: str = "") -> list[dict[str, Any]]:
    """Return lines of one letter each, and a class for each."""
    if not sort:
        return [{"text": text} for text in texts]
    return [{"text": text, "sort": s} for text, s in zip(texts, sort, strict=True)]


@pytest.mark.parametrize(
    ("by_id", "new", "stored", "matches"),
    [
        ("", "ba", "ab", [1, 0]),
        ("", "abc", "ab", [0, 1, None]),
        ("", "aa", "a", [0, None]),
        ("asc", "ab", "ab", [0, 1]),
        ("asc", "ba", "ab", [0, 1]),
        ("asc", "abc", "ab", [0, 1, None]),
        ("asc", "cab", "ab", [0, 1, None]),
        ("desc", "cab", "ab", [None, 0, 1]),
        ("desc", "ba", "ab", [0, 1]),
        ("desc", "b", "ab", [1]),
        ("desc", "abc", "ab", [None, 0, 1]),
    ],
)
def test_rows_keep_their_ids_where_these_give_the_order(
    by_id: str, new: str, stored: str, matches: list[int | None]
) -> None:
    """Else each is the one that says the same, and the rest are new."""
    assert matcher(by_id=by_id).match(lines(new), lines(stored)) == matches


@pytest.mark.parametrize(
    ("by_id", "sorts", "matches"),
    [("", "bb", [None, 1]), ("asc", "bb", [None, None]), ("asc", "ab", [0, 1])],
)
def test_a_row_never_changes_its_class(by_id: str, sorts: str, matches: list[int | None]) -> None:
    """One that would is another row; where ids give the order, so are all of its list."""
    known = matcher(by_id=by_id, classes=True)
    records, stored = lines("xy", sorts), lines("xy", "ab")
    matched = known._of_one_class([0, 1], records, stored)
    assert matched == matches


def test_a_key_with_a_null_matches_nothing() -> None:
    """Two unknown things needn't be the same."""
    parts = [value for value in matcher().rows.values if value.name == "text"]
    assert key_of(parts, {"text": None}) is None
    assert key_of(parts, {"text": "a"}) == key_of(parts, {"text": "a"})


def test_a_row_stays_though_what_it_owns_changes() -> None:
    """It is the one that says all the same, or else the same itself."""
    base, catalog = new_base(), Catalog("boxes")

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        box_id = to("boxes.id", null=False)
        text = mapped_column(sa.Text)

    class Box(base):  # type: ignore[misc, valid-type]
        __tablename__ = "boxes"
        id = mapped_column(sa.Integer, primary_key=True)
        order_id = to("orders.id", null=False)
        text = mapped_column(sa.Text)
        items = relationship(Item)

    order = table(base, "orders", boxes=relationship(Box))
    items = Owned(schema_for(Item, catalog))
    schema_for(order, catalog, {"boxes": Owned(schema_for(Box, catalog, {"items": items}))})
    rows = catalog.use()["orders"]
    boxes = OwnedMatcher(rows.children[0], RecordComparison(rows))

    def box(words: str) -> dict[str, Any]:
        return {"text": words[0], "items": lines(words[1:])}

    stored = [box("ax"), box("by"), box("ay")]
    assert boxes.match([box("ay"), box("az"), box("cx")], stored) == [2, 0, None]
