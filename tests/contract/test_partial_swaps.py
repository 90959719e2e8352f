"""Rows that change places in partial unique indexes: which is the main one, which is live."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from lading.testing import assert_import
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.world import key, number, slug, text, to


@pytest.fixture(params=["sqlite_memory", "postgresql"])
def having_partial_indexes(request: pytest.FixtureRequest) -> Backend:
    """Each engine that has partial indexes."""
    backend: Backend = request.getfixturevalue(request.param)
    return backend


def only_where(sql: str, *columns: str) -> sa.Index:
    """Return a unique index over the rows that satisfy a condition."""
    condition = sa.text(sql)
    return sa.Index(
        f"only_{'_'.join(columns)}",
        *columns,
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


@cache
def people() -> Catalog:
    """People with mails, of which one may be the main one, and documents' versions, one live."""
    base, catalog = new_base(), Catalog("people")

    class Mail(base):  # type: ignore[misc, valid-type]
        __tablename__ = "mails"
        __table_args__ = (only_where("main", "person_id"),)
        id = key()
        person_id = to("people.id")
        address = slug()
        main = mapped_column(sa.Boolean, nullable=False)

    class Person(base):  # type: ignore[misc, valid-type]
        __tablename__ = "people"
        id = key()
        slug = slug()
        mails = relationship(Mail)

    class Version(base):  # type: ignore[misc, valid-type]
        __tablename__ = "versions"
        __table_args__ = (
            sa.UniqueConstraint("document", "number"),
            only_where("state <> 'old' AND withdrawn IS NULL", "document"),
        )
        id = key()
        document = text()
        number = number()
        state = text()
        withdrawn = mapped_column(sa.DateTime, nullable=True)
        first_id = to("versions.id", null=True)
        first = relationship("Version", remote_side=id)

    schema_for(Person, catalog, {"mails": Owned(schema_for(Mail, catalog))})
    schema_for(Version, catalog, natural_key=("document", "number"))
    return catalog


def mails(**addresses: str) -> dict[str, Any]:
    """Return people with a mail for each letter; a capital one is the main mail."""
    records = [
        {
            "slug": slug,
            "mails": [{"address": letter.lower(), "main": letter.isupper()} for letter in letters],
        }
        for slug, letters in addresses.items()
    ]
    return {"people": records, "versions": []}


def versions(*states: str) -> dict[str, Any]:
    """Return versions of one document in some states, each of which refers to the first."""
    records = [
        {
            "document": "d",
            "number": n,
            "state": state.strip("!"),
            "withdrawn": "2025-01-02T03:04:05" if "!" in state else None,
            "first": {"document": "d", "number": 0} if n else None,
        }
        for n, state in enumerate(states)
    ]
    return {"people": [], "versions": records}


@pytest.mark.parametrize(
    ("before", "bundle"),
    [
        (mails(p="aB"), mails(p="Ab")),
        (mails(p="Abc", q="dEf"), mails(p="abC", q="Def")),
        (mails(p="Ab", q="Cd"), mails(p="Cb", q="Ad")),
        (mails(p="Ab"), mails(p="abN")),
        (versions("old", "live"), versions("live", "old")),
        (versions("live", "old"), versions("live!", "old", "live")),
        (versions("live", "live!", "old"), versions("old", "live", "live!")),
    ],
    ids=["other", "others", "moved", "new", "live", "withdrawn", "back"],
)
@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_the_one_that_counts_changes(
    having_partial_indexes: Backend, before: Any, bundle: Any, mode: str
) -> None:
    """It leaves the index for a time, by what the index's condition asks of it."""
    assert_import(people(), before, bundle, mode, engine_factory=having_partial_indexes.database)
