"""Which keys no two rows can have, by the declared constraints alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading.model.uniqueness import is_guarded, rules_of_indexes
from support.declaring import catalog_of, new_base, schema_for


def text(**options: Any) -> Any:
    """Make a NOT NULL text column."""
    return mapped_column(sa.String(20), **{"nullable": False, **options})


def item_rows(*args: Any, key: Any = "code", **columns: Any) -> Any:
    """Return the row set of a table of these columns, with a surrogate id."""
    base = new_base()
    columns.setdefault("id", mapped_column(sa.Integer, primary_key=True))
    item = type("Item", (base,), {"__tablename__": "items", "__table_args__": args, **columns})
    catalog = catalog_of()
    schema_for(item, catalog, natural_key=key)
    return catalog.use()["items"]


@pytest.mark.parametrize(
    ("args", "columns", "key"),
    [
        ((), {"code": text(unique=True)}, "code"),
        ((sa.Index("ix", "code", unique=True),), {"code": text()}, "code"),
        ((), {"code": text()}, "id"),
        ((), {"code": text(unique=True), "name": text()}, ("name", "code")),
        (
            (sa.UniqueConstraint("code", "name"),),
            {"code": text(), "name": text()},
            ("name", "code"),
        ),
    ],
)
def test_a_full_unique_set_of_not_null_columns_guards_every_key_that_holds_it(
    args: Any, columns: Any, key: Any
) -> None:
    """A constraint, a plain unique index and the primary key do, in any order of columns."""
    assert is_guarded(item_rows(*args, key=key, **columns))


@pytest.mark.parametrize(
    ("args", "columns", "key"),
    [
        ((), {"code": text()}, "code"),
        ((), {"code": text(unique=True, nullable=True)}, "code"),
        (
            (sa.Index("ix", "code", unique=True, sqlite_where=sa.text("id > 1")),),
            {"code": text()},
            "code",
        ),
        ((sa.Index("ix", sa.text("lower(code)"), unique=True),), {"code": text()}, "code"),
        ((sa.UniqueConstraint("code", "name"),), {"code": text(), "name": text()}, "code"),
        (
            (sa.UniqueConstraint("code", "name"),),
            {"code": text(), "name": text(nullable=True)},
            ("code", "name"),
        ),
    ],
)
def test_whatever_else_is_unique_guards_nothing(args: Any, columns: Any, key: Any) -> None:
    """Partial and functional indexes, nullable columns and half of a set leave duplicates."""
    assert not is_guarded(item_rows(*args, key=key, **columns))


def test_a_key_that_is_written_alike_for_different_values_guards_nothing() -> None:
    """The caller knows which written forms tell stored values apart."""
    rows = item_rows(code=text(unique=True))
    assert not is_guarded(rows, exact=lambda _: False)


def entry_rows(*, code_is_unique: bool, key: Any = ("place", "name")) -> Any:
    """Return entries that are unique by place and name, and places that may not be."""
    base = new_base()

    class Place(base):  # type: ignore[misc]
        __tablename__ = "places"
        id = mapped_column(sa.Integer, primary_key=True)
        code = text(unique=code_is_unique)

    class Entry(base):  # type: ignore[misc]
        __tablename__ = "entries"
        __table_args__ = (sa.UniqueConstraint("place_id", "name"),)
        id = mapped_column(sa.Integer, primary_key=True)
        place_id = mapped_column(sa.ForeignKey(Place.id), nullable=False)
        place = relationship(Place)
        name = text()

    catalog = catalog_of()
    schema_for(Place, catalog, natural_key="code")
    schema_for(Entry, catalog, natural_key=key)
    return catalog.use()["entries"]


def test_a_key_through_a_reference_needs_the_target_guarded_as_well() -> None:
    """Two places of one code make two entries of one key, though no foreign key is equal."""
    assert is_guarded(entry_rows(code_is_unique=True))
    assert not is_guarded(entry_rows(code_is_unique=False))


def test_a_key_through_a_reference_to_what_may_be_null_is_guarded() -> None:
    """As a SQLite primary key of texts may be: a row with a null there is never referred to."""
    base, catalog = new_base(), catalog_of()

    class Place(base):  # type: ignore[misc]
        __tablename__ = "places"
        code = text(primary_key=True, nullable=True)

    class Entry(base):  # type: ignore[misc]
        __tablename__ = "entries"
        place_code = mapped_column(sa.ForeignKey(Place.code), primary_key=True)
        name = text(primary_key=True)
        place = relationship(Place)

    schema_for(Place, catalog, natural_key="code")
    schema_for(Entry, catalog, natural_key=("place", "name"))
    assert is_guarded(catalog.use()["entries"])
    assert not is_guarded(catalog.use()["places"])


def test_a_key_that_recurs_ends_at_a_null_which_nothing_guards() -> None:
    """Rows without a parent may have one name, whatever the constraint says."""
    base = new_base()

    class Node(base):  # type: ignore[misc]
        __tablename__ = "nodes"
        __table_args__ = (sa.UniqueConstraint("parent_id", "name"),)
        id = mapped_column(sa.Integer, primary_key=True)
        name = text()
        parent_id = mapped_column(sa.ForeignKey("nodes.id"))
        parent = relationship("Node", remote_side=id)

    catalog = catalog_of()
    schema_for(Node, catalog, natural_key=("parent", "name"))
    assert not is_guarded(catalog.use()["nodes"])


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        (lambda columns: columns.a == "x", "by lower(a), where a = 'x'"),
        (lambda _: sa.text("a > 5"), "by lower(a), where a > 5"),
        (lambda columns: columns.data == {"n": 1}, "where data = :data_1 {'data_1': {'n': 1}}"),
        (lambda columns: columns.lasts > dt.timedelta(1), "'lasts_1': datetime.timedelta(days=1)"),
    ],
)
def test_the_rule_of_an_index_is_told_in_sql(where: Any, rule: str) -> None:
    """Values of types that have no literals stand beside it."""
    columns = [sa.Column("a", sa.Text), sa.Column("data", sa.JSON), sa.Column("lasts", sa.Interval)]
    table = sa.Table("things", sa.MetaData(), *columns)
    lowered = sa.func.lower(table.c.a)
    sa.Index("odd", lowered, unique=True, postgresql_where=where(table.c))
    ((names, told),) = rules_of_indexes(table)
    assert [column.name for column in names] == ["a"]
    assert rule in told
