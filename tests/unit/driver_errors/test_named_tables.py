"""Which tables a statement names: what stands where a table's name does, in any engine's SQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lading import Catalog
from lading.driver_errors.named_tables import tables_named
from support.declaring import new_base, schema_for, table

STATEMENTS = {
    "SELECT \"order\", 'FROM loose' FROM shop_items JOIN a.loose ON x": ["shop_items", "loose"],
    'INSERT INTO "shop_items" (a) VALUES (?)': ["shop_items"],
    "UPDATE JSON_TABLE(x) AS d STRAIGHT_JOIN `shop_items` ON d.id = x": ["shop_items"],
    "UPDATE ONLY public.shop_items SET a = 1": ["shop_items"],
    "DELETE FROM Shop_Items": ["shop_items"],
    "COPY shop_items (id) FROM STDIN": ["shop_items"],
    "LOCK TABLE shop_items IN SHARE MODE": ["shop_items"],
    "CREATE INDEX ix ON shop_items (f(a))": ["shop_items"],
    'PRAGMA main.table_xinfo("shop_items")': ["shop_items"],
    'SELECT "a FROM loose" FROM elsewhere': [],
}


@pytest.mark.parametrize("sql", STATEMENTS)
def test_tables_of_a_statement_are_named(sql: str) -> None:
    """Each with its entity, or by its own name; texts and quoted names hold no tables."""
    base, catalog = new_base(), Catalog("shop")
    schema_for(table(base, "shop_items"), catalog, name="items")
    sa.Table("loose", base.metadata, sa.Column("id", sa.Integer, primary_key=True))
    names = tables_named(sql, catalog.use())
    owners = {"shop_items": "items", "loose": "loose"}
    assert names == {name: owners[name] for name in STATEMENTS[sql]}


def test_without_a_catalog_every_table_is_named_but_the_engine_s_own() -> None:
    """As while a database is reflected."""
    sql = "SELECT 1 FROM sqlite_master JOIN pg_catalog.pg_class JOIN shop.loose"
    assert tables_named(sql, None) == {"loose": "loose"}
