"""Text in SQLite that isn't UTF-8 is found by its row."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned
from lading.database.live.sqlite_text import not_utf8
from support.declaring import new_base, schema_for, table, to


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
