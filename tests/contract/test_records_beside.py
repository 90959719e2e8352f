"""Imports over records that the database has: read beside the bundle's, and not looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog, export_document, import_document
from lading.importing.decode import RecordDecoder
from support.backends import Backend
from support.declaring import new_base, schema_for, table
from support.statements import run_sql, statements

COUNT = 200


@pytest.fixture(autouse=True)
def chunks_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few records be many chunks, none of which is looked up as part of a small table."""
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", 10)
    monkeypatch.setattr("lading.importing.records_beside.CHUNK", 10)
    monkeypatch.setattr("lading.importing.resolver.SMALL", 0)


def items() -> tuple[sa.MetaData, Catalog]:
    """Return items with a number, whose slugs only the models know to be unique."""
    base, catalog = new_base(), Catalog("test")
    slug = mapped_column(sa.String(20), nullable=False)
    number = mapped_column(sa.Integer, sa.CheckConstraint("n < 9999"))
    schema_for(table(base, "items", slug=slug, n=number), catalog, natural_key="slug")
    return base.metadata, catalog


def records(numbers: Any = range(COUNT)) -> list[dict[str, Any]]:
    """Return items with these numbers, in key order."""
    return [{"slug": f"i{number:04}", "n": number} for number in numbers]


def test_equal_records_cost_no_lookups(backend: Backend) -> None:
    """One statement reads them all, however many chunks there are."""
    metadata, catalog = items()
    with backend.database(metadata) as engine:
        import_document(engine, {"items": records()}, catalog=catalog)
        with statements(engine) as seen:
            report = import_document(engine, {"items": records()}, catalog=catalog)
    assert (report.skipped, report.differing, report.inserted) == (COUNT, 0, 0)
    selects = [sql for sql in seen if sql.startswith("SELECT") and "items.slug" in sql]
    assert len(selects) == 1


def test_equal_records_are_not_decoded(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the last of each chunk; chunks with others are."""
    metadata, catalog = items()
    document = records()
    document[55]["n"] = -1
    decoded: list[int] = []
    plain = RecordDecoder.decode

    def decode(self: RecordDecoder, lines: list[bytes], first: int) -> Any:
        decoded.append(len(lines))
        return plain(self, lines, first)

    with backend.database(metadata) as engine:
        import_document(engine, {"items": records()}, catalog=catalog)
        monkeypatch.setattr(RecordDecoder, "decode", decode)
        report = import_document(engine, {"items": document}, catalog=catalog, on_conflict="update")
    assert (report.updated, report.unchanged) == (1, COUNT - 1)
    assert sorted(decoded) == [1] * (COUNT // 10 - 1) + [10]


Change = Callable[[list[dict[str, Any]]], Any]


@pytest.mark.parametrize(
    ("change", "differing", "inserted"),
    [
        (lambda made: made[55].update(n=-1), 1, 0),
        (lambda made: [made[n].update(n=-1) for n in range(0, COUNT, 7)], 29, 0),
        (lambda made: made.insert(33, {"slug": "i0032b", "n": 5}), 0, 1),
        (lambda made: made.insert(0, {"slug": "a", "n": 5}), 0, 1),
        (lambda made: made.pop(77), 0, 0),
        (lambda made: made.reverse(), 0, 0),
        (lambda made: made.__setitem__(slice(40, 45), []), 0, 0),
    ],
    ids=["one", "many", "a new one", "a first one", "one less", "order", "some less"],
)
def test_what_differs_is_told_as_by_lookups(
    backend: Backend, change: Change, differing: int, inserted: int
) -> None:
    """Whatever lines stand where others are expected."""
    metadata, catalog = items()
    document = records()
    change(document)
    with backend.database(metadata) as engine:
        import_document(engine, {"items": records()}, catalog=catalog)
        report = import_document(engine, {"items": document}, catalog=catalog)
    assert (report.differing, report.inserted) == (differing, inserted)
    assert report.skipped == len(document) - inserted


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
@pytest.mark.parametrize("stored", [range(COUNT), range(0, COUNT, 2), range(60, 2 * COUNT - 40)])
def test_modes_that_update_read_along(backend: Backend, stored: range, *, dry_run: bool) -> None:
    """Whatever the database lacks, or has besides: nothing is looked up."""
    metadata, catalog = items()
    document = records()
    for record in document[::30]:
        record["n"] = -1
    both = sorted({*stored} & {*range(COUNT)})
    with backend.database(metadata) as engine:
        import_document(engine, {"items": records(stored)}, catalog=catalog)
        options = {"catalog": catalog, "on_conflict": "mirror", "dry_run": dry_run}
        with statements(engine) as seen:
            total = import_document(engine, {"items": document}, **options).total
        left = import_document(engine, {"items": document}, catalog=catalog, dry_run=True)
    assert total.updated == len([number for number in both if number % 30 == 0])
    assert (total.inserted, total.deleted) == (COUNT - len(both), len(stored) - len(both))
    assert left.total.inserted == (COUNT - len(both) if dry_run else 0)
    assert not any("items.slug IN" in sql for sql in seen)


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
@pytest.mark.parametrize("start", [35, COUNT - 10])
def test_a_mirror_of_records_out_of_order_deletes_what_they_lack(
    backend: Backend, start: int, *, dry_run: bool
) -> None:
    """And nothing that comes late in the payload, though all of the database is passed before."""
    metadata, catalog = items()
    document = records([*range(start, COUNT), *range(2, start)])
    with backend.database(metadata) as engine:
        import_document(engine, {"items": records()}, catalog=catalog)
        options = {"catalog": catalog, "on_conflict": "mirror", "dry_run": dry_run}
        total = import_document(engine, {"items": document}, **options).total
        left = export_document(engine, catalog=catalog)["items"]
    assert (total.unchanged, total.deleted) == (COUNT - 2, 2)
    assert left == records(range(0 if dry_run else 2, COUNT))


def test_a_bundle_far_from_what_is_stored_holds_no_more_of_it(backend: Backend) -> None:
    """Its last records come after all that it lacks."""
    metadata, catalog = items()
    stored = records([*range(COUNT), *range(2 * COUNT, 3 * COUNT)])
    document = records([*range(5), *range(2 * COUNT - 200, 3 * COUNT)])
    document[-1]["n"] = -1
    with backend.database(metadata) as engine:
        import_document(engine, {"items": stored}, catalog=catalog)
        report = import_document(engine, {"items": document}, catalog=catalog, on_conflict="update")
        mirror = import_document(engine, {"items": document}, catalog=catalog, on_conflict="mirror")
    assert (report.updated, report.inserted, report.unchanged) == (1, COUNT, 5 + COUNT - 1)
    assert (mirror.deleted, mirror.unchanged) == (COUNT - 5, len(document))


def test_rows_that_no_export_could_write_do_not_matter(backend: Backend) -> None:
    """Where the bundle doesn't have them: two rows of one key are no fault of its records."""
    metadata, catalog = items()
    with backend.database(metadata) as engine:
        import_document(engine, {"items": records()}, catalog=catalog)
        run_sql(
            engine,
            "INSERT INTO items (id, slug, n) VALUES (9001, 'i0100b', 1)",
            "INSERT INTO items (id, slug, n) VALUES (9002, 'i0100b', 2)",
        )
        report = import_document(engine, {"items": records()}, catalog=catalog)
    assert (report.skipped, report.differing) == (COUNT, 0)


def test_good_records_are_kept_beside_bad_ones_while_others_are_read(backend: Backend) -> None:
    """Also beside those that the database refuses; an import that begins again reads again."""
    metadata, catalog = items()
    document = records(range(COUNT + 4))
    document[20]["n"] = "x"
    document.insert(31, {"slug": "i0030b", "n": 9999})
    document.append(dict(document[5]))
    with backend.database(metadata) as engine:
        import_document(engine, {"items": records()}, catalog=catalog)
        report = import_document(engine, {"items": document}, catalog=catalog, on_error="continue")
    assert (report.skipped, report.inserted, report.failed) == (COUNT - 2, 4, 4)
