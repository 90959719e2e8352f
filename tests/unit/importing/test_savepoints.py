"""Rows written all at once, or all but the bad ones; and what a load keeps of what it wrote."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from lading.importing.journal import DeferredReference, Journal, WriteLog
from lading.importing.savepoints import attempt, field_of, insert_or_bisect, message_of
from lading.importing.shared_columns import Disagreement
from support.cookbook import cookbook, rows

REFUSED = sa.exc.IntegrityError("INSERT …", {}, Exception("line one\n  line two"))


class Table:
    """Takes lists of numbers that hold no bad one, and remembers what it was asked to take."""

    def __init__(self, *bad: int) -> None:
        self.bad = set(bad)
        self.attempts: list[list[int]] = []
        self.kept: list[int] = []

    def insert(self, numbers: list[int]) -> Any:
        """Insert numbers, or return what stands against them."""
        self.attempts.append(numbers)
        if self.bad & set(numbers):
            return REFUSED
        self.kept += numbers
        return None


@pytest.mark.parametrize("bad", [(), (0,), (4,), (2, 3), (0, 1, 2, 3, 4)])
def test_all_rows_but_the_bad_ones_are_inserted(bad: tuple[int, ...]) -> None:
    """Each bad one is yielded by itself, in order."""
    table = Table(*bad)
    refused = list(insert_or_bisect(list(range(5)), table.insert))
    assert refused == [([number], REFUSED) for number in bad]
    assert table.kept == [number for number in range(5) if number not in bad]


def test_good_rows_cost_one_attempt_and_a_bad_one_few() -> None:
    """Halves are tried, and not every row."""
    table = Table()
    assert list(insert_or_bisect(list(range(1_000)), table.insert)) == []
    assert len(table.attempts) == 1
    table = Table(617)
    assert len(list(insert_or_bisect(list(range(1_000)), table.insert))) == 1
    assert len(table.attempts) <= 2 * 11


def test_no_rows_are_not_inserted() -> None:
    """Nothing is asked of the database."""
    table = Table()
    assert list(insert_or_bisect([], table.insert)) == []
    assert table.attempts == []


def test_who_stops_reading_leaves_the_rest_out() -> None:
    """So that a bad row's record goes before its others are tried."""
    table = Table(1)
    refused = insert_or_bisect(list(range(8)), table.insert)
    assert next(refused)[0] == [1]
    assert table.kept == [0]


class Connection:
    """Counts savepoints and how they end."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    @contextmanager
    def begin_nested(self) -> Any:
        """Note whether what is written stands."""
        try:
            yield
        except BaseException:
            self.ends.append("rollback")
            raise
        self.ends.append("commit")


def database(*, objects: bool = True) -> Any:
    """Return a database that objects to records, or fails by itself."""
    dialect = SimpleNamespace(is_objection=lambda _: objects)
    return SimpleNamespace(connection=Connection(), dialect=dialect)


def failing(error: Exception) -> Any:
    """Return what writes a row and then fails."""

    def write(log: WriteLog) -> None:
        log.rows.append(("steps", "row"))  # type: ignore[arg-type]
        raise error

    return write


def test_what_stands_enters_the_journal() -> None:
    """Counts, and what is left for later, by name."""
    journal, opened = Journal(reads_back=False), database()
    table = sa.table("recipes")
    deferred = DeferredReference(1, (7,), ("a",), ("b",), (), ())

    def write(log: WriteLog) -> None:
        log.row_counts[table] += 2  # type: ignore[index]
        log.references["recipes", "author"] = [deferred]
        log.links["recipes.tags"] = []

    for _ in range(2):
        assert attempt(opened, journal, write) is None
    assert opened.connection.ends == ["commit", "commit"]
    assert journal.row_counts[table] == 4  # type: ignore[index]
    assert list(journal.references["recipes", "author"]) == [[deferred], [deferred]]
    assert journal.links == {}
    journal.close()


@pytest.mark.parametrize("objection", [REFUSED, Disagreement("author", "of another tenant")])
def test_what_is_objected_to_is_rolled_back_and_forgotten(objection: Any) -> None:
    """By the database or by the record's own fields."""
    journal, opened = Journal(reads_back=False), database()
    assert attempt(opened, journal, failing(objection)) is objection
    assert opened.connection.ends == ["rollback"]
    assert journal.rows == {}


def test_what_is_no_record_s_fault_is_raised() -> None:
    """A lost connection, a lock, or a fault of ours."""
    lost = sa.exc.OperationalError("", {}, Exception(), connection_invalidated=True)
    for opened, error in [
        (database(objects=False), REFUSED),
        (database(), lost),
        (database(), KeyError("x")),
    ]:
        with pytest.raises(type(error)):
            attempt(opened, Journal(reads_back=False), failing(error))


def test_an_objection_reads_as_one_line() -> None:
    """With the field that is to blame, if that is known, and without what is hidden."""
    parts = rows("recipes")
    message = message_of(REFUSED, parts)
    assert message.startswith("the database refused it: line one; line two. Correct the record")
    assert field_of(REFUSED, parts) is None
    disagreement = Disagreement("author", "of another tenant")
    assert message_of(disagreement, parts) == "of another tenant"
    assert field_of(disagreement, parts) == "author"
    hidden = rows("recipes", cookbook(hidden=("slug",)))
    assert "line" not in message_of(REFUSED, hidden)


def test_inserted_records_are_kept_to_be_read_back() -> None:
    """In chunks, as they came."""
    journal = Journal(reads_back=True)
    for n in range(2):
        journal.add_inserted("recipes", ([(n,)], [b"%d" % n], [(n,)]))
    assert [chunk[1] for chunk in journal.inserted["recipes"]] == [[b"0"], [b"1"]]
    journal.close()
