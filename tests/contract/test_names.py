"""Names of schemas, tables and columns, whatever they are and wherever they lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Catalog, ImportFailed, export_all, export_document, import_document
from lading import import_order as order_of
from support import worlds, zoo, zoo_recurring
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.restoring import restored
from support.world import World

TENANTS = ("North %s", "select")


@contextmanager
def tenants(backend: Backend) -> Iterator[list[sa.Engine]]:
    """Two engines over one database whose tables without a schema are in one of their own."""
    with backend.database() as engine:
        made = []
        for name in TENANTS:
            quoted = engine.dialect.identifier_preparer.quote_identifier(name)
            with engine.begin() as connection:
                if backend.dialect == "mariadb":
                    collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
                    connection.exec_driver_sql(f"CREATE DATABASE {quoted} {collation}")
                elif backend.dialect == "postgresql":
                    connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
                else:
                    connection.exec_driver_sql(f"ATTACH ':memory:' AS {quoted}")
            made.append(engine.execution_options(schema_translate_map={None: name}))
        try:
            yield made
        finally:
            if backend.dialect == "mariadb":
                with engine.begin() as connection:
                    for name in TENANTS:
                        connection.execute(sa.schema.DropSchema(name))


@pytest.mark.parametrize("name", ["sqlite_memory", "postgresql", "mariadb"])
@pytest.mark.parametrize(
    "world", [worlds.oddities, zoo.recipes, zoo.cycle, zoo_recurring.categories]
)
def test_a_tenant_s_schema_is_exported_imported_and_closed(
    world: Callable[[], World], name: str, request: pytest.FixtureRequest
) -> None:
    """With ``schema_translate_map``, and names that have to be quoted; the other one is untouched."""
    made = world()
    with tenants(request.getfixturevalue(name)) as (north, south):
        made.filled(north)
        made.metadata.create_all(south)
        document = export_document(north, catalog=made.catalog)
        assert import_document(south, document, catalog=made.catalog).imported
        again = export_document(south, catalog=made.catalog)
        document["exported_at"] = again["exported_at"]
        assert again == document
        import_document(south, document, catalog=made.catalog)
        last = list(order_of(made.catalog))[-1]
        closed = export_document(north, catalog=made.catalog, only=[last], closure=True)
        assert closed[last] == document[last]


def test_a_closure_that_reaches_every_entity_is_partial_all_the_same(
    engine: sa.Engine, tmp_path: Any
) -> None:
    """Rows that nobody refers to are missing from it."""
    base = new_base()

    class Depot(base):
        __tablename__ = "depots"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)

    class Crate(base):
        __tablename__ = "crates"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        depot_id = mapped_column(sa.ForeignKey("depots.id"), nullable=False)
        depot = relationship(Depot)

    base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([Crate(slug="c", depot=Depot(slug="a")), Depot(slug="lonely")])
    catalog = catalog_of(Depot, Crate)
    manifest = export_all(engine, tmp_path / "b", catalog=catalog, only=["crates"], closure=True)
    assert {file.entity_type: file.record_count for file in manifest.files} == {
        "crates": 1,
        "depots": 1,
    }
    assert manifest.partial


@pytest.mark.parametrize("lengths", [(5, 40), (40, 5)])
def test_tables_that_differ_in_case_alone_have_columns_of_their_own(
    mariadb: Backend, lengths: tuple[int, int]
) -> None:
    """Two tables on MariaDB for Linux, one in its catalog tables."""
    base = new_base()
    models = []
    for name, length in zip(("Users", "users"), lengths, strict=True):
        table = {
            "__tablename__": name,
            "id": mapped_column(sa.Integer, primary_key=True),
            "slug": mapped_column(sa.String(length), unique=True, nullable=False),
        }
        models.append(type(f"{name}Model", (base,), table))
    catalog = Catalog("test")
    for model, name in zip(models, ("old", "new"), strict=True):
        schema_for(model, catalog, name=name)
    document = {
        "schema_versions": {"old": 1, "new": 1},
        "old": [],
        "new": [{"slug": "twelve chars"}],
    }
    with mariadb.database(base.metadata) as engine:
        if lengths[1] == 40:
            import_document(engine, document, catalog=catalog)
            assert export_document(engine, catalog=catalog)["new"] == [{"slug": "twelve chars"}]
        else:
            with pytest.raises(ImportFailed, match="Longer than maximum length 5"):
                import_document(engine, document, catalog=catalog)


def test_tables_may_be_named_like_aliases(sqlite_memory: Backend) -> None:
    """What statements name by themselves never meets an application's names."""
    base = new_base()
    first = table(base, "t1")
    second = table(base, "t2", t1_id=mapped_column(sa.ForeignKey("t1.id"), nullable=False))
    rows = {"t1": [{"id": 1, "slug": "c0"}], "t2": [{"slug": "c1", "t1_id": 1}]}
    document = restored(sqlite_memory, base, catalog_of(first, second), **rows)
    assert document["t2"] == [{"slug": "c1", "t1": {"slug": "c0"}}]
