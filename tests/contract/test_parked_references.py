"""Rows that wait on another target while they swap theirs: on one that no new row needs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, diff, import_document
from support.backends import Backend
from support.declaring import new_base, schema_for, table, to
from support.deleting import filled


@pytest.mark.parametrize("small", [0, 5_000], ids=["large", "small"])
@pytest.mark.parametrize("flat", [True, False], ids=["plain", "nested"])
def test_rows_wait_on_targets_that_no_new_row_needs(
    backend: Backend, small: int, flat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many targets there are: those of a large table aren't read as a whole."""
    monkeypatch.setattr("lading.importing.resolver.SMALL", small)
    monkeypatch.setattr("lading.importing.updates.parking.CHUNK", 2)
    base, catalog = new_base(), Catalog("rooms")
    house = table(base, "houses")
    columns: dict[str, Any] = {
        "house_id": to("houses.id", null=False),
        "house": relationship(house),
    }
    room = table(base, "rooms", number=mapped_column(sa.Integer, nullable=False), **columns)
    guest = table(
        base,
        "guests",
        room_id=mapped_column(sa.ForeignKey("rooms.id"), nullable=False, unique=True),
        room=relationship(room),
    )
    schema_for(house, catalog)
    schema_for(room, catalog, natural_key="slug" if flat else ("house", "number"))
    schema_for(guest, catalog, natural_key="slug")
    rooms = [{"id": n, "slug": f"r{n}", "number": n, "house_id": 1} for n in range(1, 8)]
    key = [
        {"slug": r["slug"]} if flat else {"house": {"slug": "h"}, "number": r["id"]} for r in rooms
    ]
    guests = {"a": 1, "b": 0, "c": 2, "d": 3, "e": 4}
    document: dict[str, Any] = {
        "guests": [{"slug": name, "room": key[place]} for name, place in guests.items()]
    }
    with filled(
        backend,
        base,
        houses=[{"id": 1, "slug": "h"}],
        rooms=rooms,
        guests=[{"id": n, "slug": name, "room_id": n} for n, name in enumerate("ab", 1)],
    ) as engine:
        plan = import_document(
            engine, document, catalog=catalog, on_conflict="update", dry_run=True
        )
        assert plan.problems == []
        import_document(engine, document, catalog=catalog, on_conflict="update", expect=plan)
        assert not diff(engine, document, catalog=catalog)
