"""Text in SQLite that isn't UTF-8 is found by its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, TargetError, export_document
from lading.database.live.sqlite_text import not_utf8
from support.declaring import catalog_of, new_base, schema_for, table, to


def test_the_first_such_text_is_named_with_its_row() -> None:
    """In an entity's own table or in one that it owns; a database without any has none."""
    base, catalog = new_base(), Catalog("shop")
    part = table(base, "parts", item_id=to("items.id"), note=mapped_column(sa.Text))
    item = table(base, "items", parts=relationship(part), note=mapped_column(sa.Text))
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    rows = catalog.use()["items"]
    engine = sa.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO items VALUES (1, 'é', 'plain'), (2, 'b', NULL)")
        connection.exec_driver_sql("INSERT INTO parts VALUES (7, 'c', 1, 'é')")
        assert not_utf8(connection, rows) is None
        connection.exec_driver_sql("UPDATE parts SET note = CAST(X'636166e9' AS TEXT)")
        error = not_utf8(connection, rows)
        assert error is not None
        assert error.field == "note"
        assert "the row with id 7 holds text that isn't UTF-8" in str(error)
        assert "parts.note" in str(error)
        assert connection.exec_driver_sql("SELECT note FROM items").scalars().all() == [
            "plain",
            None,
        ]


@pytest.mark.parametrize("factory", [bytes, lambda data: data.decode(errors="replace")])
def test_a_connection_that_reads_text_otherwise_is_refused(factory: Callable[..., Any]) -> None:
    """What isn't UTF-8 would be replaced, and exported so."""
    base = new_base()
    item = table(base, "items", note=mapped_column(sa.Text))
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.connection.driver_connection.text_factory = factory
        with pytest.raises(TargetError, match="the connection's text_factory is") as caught:
            export_document(connection, catalog=catalog_of(item))
    assert caught.value.code == "setting-unsafe"
