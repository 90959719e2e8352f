"""Tables that hold the rows of others: whoever declares both would export each row twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import Catalog, LeftOutWarning, TargetError, export_document, import_document
from support.backends import Backend
from support.declaring import new_base, schema_for


def sale(base: Any, name: str, **options: Any) -> Any:
    """Map a class to a table of sales."""
    columns = {
        "id": mapped_column(sa.Integer, primary_key=True),
        "slug": mapped_column(sa.String(9), unique=True, nullable=False),
    }
    return type(
        name.title(), (base,), {"__tablename__": name, "__table_args__": options, **columns}
    )


class Sales:
    """A table of sales, and another relation that a catalog may have beside it."""

    def __init__(self, name: str = "extra", **options: Any) -> None:
        base = new_base()
        self.sales, self.extra = sale(base, "sales"), sale(new_base(), name, **options)
        self.metadata = base.metadata
        self.both, self.one = Catalog("both"), Catalog("one")
        for catalog in (self.both, self.one):
            schema_for(self.sales, catalog)
        schema_for(self.extra, self.both, name="extra")

    @contextmanager
    def made(self, backend: Backend, *statements: str) -> Iterator[sa.Engine]:
        """Yield a database with two sales, made by statements where the model's DDL won't do."""
        with backend.database() as engine:
            if not statements[0].startswith("CREATE TABLE sales"):
                self.metadata.create_all(engine)
            with engine.begin() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql("INSERT INTO sales (id, slug) VALUES (1, 'a'), (2, 'b')")
            yield engine


def refusal(engine: sa.Engine, sales: Sales) -> str:
    """Return why a catalog of both is refused; that of one exports both rows."""
    assert len(export_document(engine, catalog=sales.one)["sales"]) == 2
    with pytest.raises(TargetError):
        import_document(engine, {"sales": [], "extra": []}, catalog=sales.both)
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=sales.both)
    return str(caught.value)


def test_a_view_beside_its_table_is_refused(backend: Backend) -> None:
    """However many views lie between."""
    sales = Sales()
    views = [
        "CREATE VIEW between_them AS SELECT * FROM sales",
        "CREATE VIEW extra AS SELECT * FROM between_them",
    ]
    with sales.made(backend, *views) as engine:
        assert refusal(engine, sales) == (
            "extra: extra is a view of sales, so its rows would be written twice. Take extra out "
            "of the catalog, and excuse it by name: leaves_out={'extra': 'a view of sales'}."
        )


@pytest.mark.filterwarnings(f"ignore::{LeftOutWarning.__module__}.{LeftOutWarning.__name__}")
def test_a_view_without_its_table_is_not(backend: Backend) -> None:
    """Its rows are written once."""
    sales, alone = Sales(), Catalog("alone")
    schema_for(sales.extra, alone)
    with sales.made(backend, "CREATE VIEW extra AS SELECT * FROM sales") as engine:
        assert len(export_document(engine, catalog=alone)["extra"]) == 2


@pytest.mark.parametrize("kind", ["materialized view", "partition"])
def test_postgresql_has_more_of_them(postgresql: Backend, kind: str) -> None:
    """Partitions, and materialized views."""
    table = "CREATE TABLE sales (id serial, slug varchar(9) NOT NULL"
    statements = {
        "materialized view": ["CREATE MATERIALIZED VIEW extra AS SELECT * FROM sales"],
        "partition": [
            f"{table}, PRIMARY KEY (id, slug)) PARTITION BY LIST (slug)",
            "CREATE TABLE most PARTITION OF sales DEFAULT PARTITION BY LIST (slug)",
            "CREATE TABLE extra PARTITION OF most FOR VALUES IN ('b')",
            "CREATE TABLE rest PARTITION OF most DEFAULT",
        ],
    }
    sales = Sales()
    with sales.made(postgresql, *statements[kind]) as engine:
        assert refusal(engine, sales).startswith(f"extra: extra is a {kind} of sales, so its rows")


def test_one_table_by_two_names_is_refused(backend: Backend) -> None:
    """With and without its schema, as two models have it."""
    schemas = {"sqlite": "main", "postgresql": "public"}
    with backend.database() as engine:
        sales = Sales("sales", schema=schemas.get(backend.dialect, engine.url.database))
        sales.metadata.create_all(engine)
        with pytest.raises(TargetError, match=r"is another name of .*sales, so its rows"):
            export_document(engine, catalog=sales.both)


#: A table with one that inherits from it, which inherits no key, and with references to both.
INHERITED = [
    "CREATE TABLE sales (id serial PRIMARY KEY, slug varchar(9) NOT NULL UNIQUE)",
    "CREATE TABLE extra (size integer, PRIMARY KEY (id), UNIQUE (slug)) INHERITS (sales)",
    "CREATE TABLE keyless () INHERITS (extra)",
    "CREATE TABLE visits (id serial PRIMARY KEY, sale_id integer REFERENCES sales, "
    "extra_id integer REFERENCES extra)",
]
INHERITED_ROWS = [
    "INSERT INTO extra VALUES (1, 'a', 9), (7, 'c', NULL)",
    "INSERT INTO visits (sale_id, extra_id) VALUES (1, 1), (2, 7), (1, NULL)",
]


def own_rows(engine: sa.Engine) -> dict[str, Any]:
    """Return the rows that each table holds itself."""
    names = ("sales", "extra", "keyless", "visits")
    with engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT * FROM ONLY {name} ORDER BY id").all()
            for name in names
        }


@pytest.mark.filterwarnings(f"ignore::{LeftOutWarning.__module__}.{LeftOutWarning.__name__}")
def test_a_parents_rows_are_its_own(postgresql: Backend) -> None:
    """PostgreSQL reads its children's rows from it as well, even some with the same keys."""
    sales = Sales()
    with (
        sales.made(postgresql, *INHERITED) as engine,
        postgresql.database() as copy,
        copy.connect() as connection,
    ):
        for statement in INHERITED:
            connection.exec_driver_sql(statement)
        connection.commit()
        with engine.begin() as filled:
            for statement in INHERITED_ROWS:
                filled.exec_driver_sql(statement)
        expected = own_rows(engine)
        adopted = Catalog.from_metadata(engine)
        assert adopted.coverage() == {"keyless": "it has no primary key"}
        document = export_document(engine, catalog=adopted)
        assert [len(document[name]) for name in ("sales", "extra", "visits")] == [2, 2, 3]
        import_document(copy, document, catalog=Catalog.from_metadata(copy))
        assert own_rows(copy) == expected
        for statement in (
            "INSERT INTO keyless VALUES (8, 'k', 1)",
            "UPDATE visits SET sale_id = 1 WHERE sale_id = 2",
            "DELETE FROM ONLY sales WHERE slug = 'b'",
            "INSERT INTO extra VALUES (2, 'b', 1)",
            "INSERT INTO sales VALUES (7, 'c')",
        ):
            connection.exec_driver_sql(statement)
        connection.commit()
        import_document(copy, document, catalog=Catalog.from_metadata(copy), on_conflict="mirror")
        assert own_rows(copy) == expected | {"keyless": [(8, "k", 1)]}


def test_a_childs_rows_are_not_forgotten(postgresql: Backend) -> None:
    """A catalog of the parent alone is refused, for the model of the parent has them."""
    sales = Sales()
    with sales.made(postgresql, *INHERITED) as engine:
        assert len(export_document(engine, catalog=sales.one)["sales"]) == 2
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO extra VALUES (7, 'c', 9)")
        text = "sales: sales shows the rows of extra, which inherits from it, and no record carries"
        with pytest.raises(TargetError, match=text):
            export_document(engine, catalog=sales.one)
        with pytest.raises(TargetError, match=text):
            import_document(engine, {"sales": []}, catalog=sales.one)
        document = export_document(engine, catalog=sales.both)
        assert document["extra"] == [{"slug": "c"}]
        assert [record["slug"] for record in document["sales"]] == ["a", "b"]
