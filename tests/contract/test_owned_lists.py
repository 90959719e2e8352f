"""Lists of owned rows: their order, what ties rows to a parent, and what a row then carries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, Owned, TargetError, export_document, import_document
from support.backends import Backend
from support.declaring import new_base, schema_for, table
from support.restoring import restored


class Instant(sa.TypeDecorator[dt.datetime]):
    """Aware for Python, naive UTC in the database."""

    impl, cache_ok = sa.DateTime, True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.replace(tzinfo=dt.UTC)


class Doubled(sa.TypeDecorator[Any]):
    """A number, kept as its double; nothing says so but its code."""

    impl, cache_ok = sa.Integer, True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value * 2

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value // 2


def to(target: str, **options: Any) -> Any:
    """Make a required foreign key column."""
    return mapped_column(sa.ForeignKey(target), nullable=False, **options)


# Order


def test_newest_first_stays_newest_first(backend: Backend) -> None:
    """A list in descending order of generated ids is restored with ids in that order."""
    base, catalog = new_base(), Catalog("test")
    note = table(base, "notes", page_id=to("pages.id"))
    page = table(base, "pages", notes=relationship("Notes", order_by="Notes.id.desc()"))
    schema_for(page, catalog, {"notes": Owned(schema_for(note, catalog))})
    notes = [note(id=number, slug=slug) for number, slug in enumerate("bca", 1)]
    document = restored(backend, base, catalog, page(slug="p", notes=notes))
    assert [note["slug"] for note in document["pages"][0]["notes"]] == ["a", "c", "b"]


def test_an_order_that_cannot_be_restored_is_none(sqlite_memory: Backend) -> None:
    """Sorted by another table's generated ids, a list is a set: equal bytes everywhere."""
    base, catalog = new_base(), Catalog("test")
    kind = table(base, "kinds")
    note = table(base, "notes", page_id=to("pages.id"), kind_id=to("kinds.id"))
    page = table(base, "pages", notes=relationship("Notes", order_by="Notes.kind_id"))
    schema_for(kind, catalog)
    schema_for(page, catalog, {"notes": Owned(schema_for(note, catalog))})
    kinds = [kind(id=1, slug="z"), kind(id=2, slug="a")]
    notes = [note(slug="y", kind_id=1), note(slug="x", kind_id=2)]
    document = restored(sqlite_memory, base, catalog, *kinds, page(slug="p", notes=notes))
    assert [note["slug"] for note in document["pages"][0]["notes"]] == ["x", "y"]


DAYS = [None, dt.datetime(2025, 1, 2, tzinfo=dt.UTC), dt.datetime(2025, 1, 3, tzinfo=dt.UTC)]


@pytest.mark.parametrize(
    ("type_", "field", "values", "ordered"),
    [
        (
            Instant,
            ma.fields.AwareDateTime,
            DAYS,
            ["2025-01-03T00:00:00+00:00", "2025-01-02T00:00:00+00:00", None],
        ),
        (Doubled, ma.fields.Integer, [10, 9, 100], [100, 10, 9]),
    ],
    ids=["moments", "numbers"],
)
def test_a_list_is_ordered_by_the_value_of_a_declared_field(
    backend: Backend, type_: Any, field: Any, values: list[Any], ordered: list[Any]
) -> None:
    """Nine comes before ten and null before both, whatever writes them."""
    base, catalog = new_base(), Catalog("test")
    line = table(base, "lines", place=mapped_column(type_), page_id=to("pages.id"))
    page = table(base, "pages", lines=relationship(line, order_by=line.place.desc()))
    owned = schema_for(line, catalog, {"place": field()})
    schema_for(page, catalog, {"lines": Owned(owned)})
    lines = [line(slug=str(number), place=value) for number, value in enumerate(values)]
    document = restored(backend, base, catalog, page(slug="p", lines=lines))
    assert [line["place"] for line in document["pages"][0]["lines"]] == ordered


@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_that_wait_for_each_other_keep_the_order_of_their_list(
    backend: Backend, newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their generated ids follow the list, in whatever order they could be inserted."""
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", 3)
    base, catalog = new_base(), Catalog("test")
    section = table(base, "sections", paper_id=to("papers.id"), above_id=to("sections.id"))
    order = section.id.desc() if newest_first else section.id
    paper = table(base, "papers", sections=relationship(section, order_by=order))
    schema_for(paper, catalog, {"sections": Owned(schema_for(section, catalog))})
    above = {"a": "f", "b": "a", "c": "h", "e": "d", "f": "e", "g": "h", "h": "d"}
    papers = [
        {
            "slug": f"p{n}",
            "sections": [
                {"slug": f"{name}{n}", "above": {"slug": f"{other}{9 - n}"}}
                for name, other in above.items()
            ]
            + [{"slug": f"d{n}", "above": {"slug": f"d{n}"}}],
        }
        for n in range(10)
    ]
    with backend.database(base.metadata) as engine:
        import_document(engine, {"papers": papers}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["papers"] == papers


def test_objects_list_rows_of_equal_rank_as_exports_do(sqlite_memory: Backend) -> None:
    """A database gives them in any order; their texts decide, in ``dump`` as well."""
    base, catalog = new_base(), Catalog("test")
    review = table(base, "reviews", book_id=to("books.id"), stars=mapped_column(sa.Integer))
    book = table(base, "books", reviews=relationship(review, order_by=review.stars.desc()))
    books = schema_for(book, catalog, {"reviews": Owned(schema_for(review, catalog))})
    with sqlite_memory.database(base.metadata) as engine, Session(engine) as session:
        stars = {"d": 1, "c": None, "b": 2, "a": None}
        reviews = [review(slug=slug, stars=count) for slug, count in stars.items()]
        row = book(slug="b", reviews=reviews)
        session.add(row)
        session.commit()
        document = export_document(session, catalog=catalog)
        assert books().dump(row) == document["books"][0]
    assert [record["slug"] for record in document["books"][0]["reviews"]] == ["b", "d", "a", "c"]


# Parents


def test_two_lists_of_one_parent_may_share_a_table(sqlite_memory: Backend) -> None:
    """Each row is in the list whose foreign key it has."""
    base, catalog = new_base(), Catalog("test")
    line = table(
        base,
        "lines",
        billed_id=mapped_column(sa.ForeignKey("orders.id")),
        shipped_id=mapped_column(sa.ForeignKey("orders.id")),
    )
    order = table(
        base,
        "orders",
        billed=relationship(line, foreign_keys=line.billed_id),
        shipped=relationship(line, foreign_keys=line.shipped_id),
    )
    lines = schema_for(line, catalog)
    schema_for(order, catalog, {"billed": Owned(lines), "shipped": Owned(lines)})
    rows = order(slug="o", billed=[line(slug="a")], shipped=[line(slug="b"), line(slug="c")])
    assert restored(sqlite_memory, base, catalog, rows)["orders"] == [
        {"slug": "o", "billed": [{"slug": "a"}], "shipped": [{"slug": "b"}, {"slug": "c"}]}
    ]


def lines_in_boxes(base: Any, catalog: Catalog, *, second_way: bool) -> None:
    """Declare lines of pages or boxes; a box's key is composite, and partly NOT NULL in lines."""
    shelf, place = mapped_column(sa.Integer, nullable=False), mapped_column(sa.Integer)
    keys = [sa.ForeignKeyConstraint(["shelf", "place"], ["boxes.shelf", "boxes.place"])]
    columns: dict[str, Any] = {"shelf": shelf, "place": place}
    if second_way:
        columns["side"] = mapped_column(sa.Integer)
        keys.append(sa.ForeignKeyConstraint(["side", "place"], ["boxes.shelf", "boxes.place"]))
        columns["beside"] = relationship(
            "Boxes", foreign_keys=[columns["side"], place], overlaps="box"
        )
    line = table(
        base,
        "lines",
        slug=None,
        page_id=mapped_column(sa.ForeignKey("pages.id")),
        box=relationship("Boxes", foreign_keys=[shelf, place]),
        __table_args__=tuple(keys),
        **columns,
    )
    box = table(
        base,
        "boxes",
        id=None,
        slug=None,
        shelf=mapped_column(sa.Integer, primary_key=True, autoincrement=False),
        place=mapped_column(sa.Integer, primary_key=True, autoincrement=False),
    )
    lines = schema_for(line, catalog)
    schema_for(table(base, "pages"), catalog, {"lines": Owned(lines, via="page")})
    schema_for(box, catalog, {"lines": Owned(lines, via="box")})


PAGES, BOXES = [{"id": 1, "slug": "a"}], [{"shelf": 3, "place": 4}]


def test_rows_of_one_parent_keep_what_another_s_key_holds_beside_null(
    sqlite_memory: Backend,
) -> None:
    """A composite key that is partly null leads nowhere, and its other half is a value."""
    base, catalog = new_base(), Catalog("test")
    lines_in_boxes(base, catalog, second_way=False)
    lines = [
        {"id": 1, "page_id": 1, "shelf": 7, "place": None},
        {"id": 2, "page_id": None, "shelf": 3, "place": 4},
    ]
    document = restored(sqlite_memory, base, catalog, pages=PAGES, boxes=BOXES, lines=lines)
    assert document["pages"] == [{"slug": "a", "lines": [{"shelf": 7}]}]
    assert document["boxes"] == [{"shelf": 3, "place": 4, "lines": [{}]}]


def test_a_row_of_two_parents_is_refused_where_one_way_s_columns_are_all_fields(
    sqlite_memory: Backend,
) -> None:
    """A key whose columns are all needed elsewhere leads to a parent where all are set."""
    base, catalog = new_base(), Catalog("test")
    lines_in_boxes(base, catalog, second_way=True)
    lines = [
        {"id": 1, "page_id": 1, "shelf": 7, "place": None, "side": None},
        {"id": 2, "page_id": None, "shelf": 3, "place": 4, "side": 3},
    ]
    restored(sqlite_memory, base, catalog, pages=PAGES, boxes=BOXES, lines=lines)
    lines[1]["page_id"] = 1
    with pytest.raises(TargetError, match="belongs to two parents"):
        restored(sqlite_memory, base, catalog, pages=PAGES, boxes=BOXES, lines=lines)
